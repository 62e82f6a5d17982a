"""Checks the proofs in a study without a solver, in integers and fractions; shares no code with the packer.

Feasibility, cost and the level-1 bound are re-derived exactly. The level-2 bound is re-derived from its duals and
from the proved bounds on pattern values; those bounds are taken as claimed, and the tolerance they rest on is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Any

from planner.errors import InputError

__all__ = ["Finding", "verify", "verify_proof"]

Proof = dict[str, Any]
_MALFORMED = (KeyError, TypeError, IndexError, ValueError, ZeroDivisionError)
_MARKS = {"parts", "closed_form", "patterns", "size"}
"""A proof has one of these."""
_TOLERANCE = Fraction(1, 10**6)  # a study carries dollars as floats; proofs carry integers


@dataclass(frozen=True)
class Finding:
    """One statement that was checked: where, what, and whether it holds."""

    where: str
    what: str
    holds: bool


def verify(document: Proof) -> list[Finding]:
    """All findings about a study (its JSON), or about one bare proof object.

    Raises:
        InputError: the document is neither, or a proof lacks a field.
    """
    _check(document, "study document", "an object")
    if "plans" not in document and "proof" in document:
        document = document["proof"]
        _check(document, "proof", "an object")
    if "plans" not in document:
        if not document.keys() & _MARKS:
            raise InputError("study document: holds neither plans nor a proof")
        return list(verify_proof(document, "proof"))
    _check(document["plans"], "study document: plans", "a list", list)
    findings: list[Finding] = []
    for plan in document["plans"]:
        _check(plan, "study document: plans", "objects")
        try:
            findings += _verify_plan(plan, f"{plan['model']} year {plan['year']}")
        except InputError:
            raise
        except _MALFORMED as error:
            raise InputError(f"plan {plan.get('model')}: malformed ({type(error).__name__}: {error})") from error
    return findings


def _check(value: object, where: str, expected: str, kind: type = dict) -> None:
    if not isinstance(value, kind):
        raise InputError(f"{where}: holds {type(value).__name__}, expected {expected}")


def _verify_plan(plan: Proof, where: str) -> Iterator[Finding]:
    total, lines = Fraction(plan["usd_per_month"]), plan["lines"]
    certificate = plan["certificate"]
    summed = sum((Fraction(entry["usd_per_month"]) for entry in lines), Fraction(0))
    yield Finding(where, "the lines sum to the total", _near(summed, total))
    yield Finding(where, "each line is its quantity times its price", all(_priced(entry) for entry in lines))
    shown = sum((Fraction(row["usd_per_month"]) for row in plan.get("cost_by_workload", [])), Fraction(0))
    yield Finding(
        where, "what workloads cost sums to the total", not plan.get("cost_by_workload") or _near(shown, total)
    )
    usd, bound = Fraction(certificate["usd"]), Fraction(certificate["bound_usd"])
    yield Finding(where, "bound <= optimised cost <= total", bound <= usd * (1 + _TOLERANCE) and _most(usd, total))
    gap = certificate.get("gap")
    yield Finding(
        where, "the gap is cost over bound", gap is None or bound <= 0 or _near(usd / bound - 1, Fraction(gap))
    )
    proof = certificate["proof"]
    yield Finding(where, "no bound is told without a proof", bool(proof) or bound <= 0)
    if proof and "fleet" in proof:
        yield Finding(where, "no price in the proof is above what was paid", _paid(proof["fleet"], plan))
    if proof:
        yield from verify_proof(proof, where)
    if proof and ({"parts", "patterns", "fleet"} & set(proof)):
        cost, proved = _value(proof)
        if cost is not None:
            yield Finding(where, "the certificate tells the cost of its proof", _near(cost, usd))
        yield Finding(where, "the certificate claims no more than its proof", _most(bound, proved))


def _priced(entry: Proof) -> bool:
    """Whether a line costs its quantity times its price, over its life if it was bought and nothing monthly if once."""
    if not {"quantity", "usd_per_unit"} <= set(entry):
        return True
    usd = Fraction(entry["quantity"]) * Fraction(entry["usd_per_unit"])
    months = Fraction(entry.get("lifetime_months") or 1)
    return _near(Fraction(entry["usd_per_month"]), Fraction(0) if entry.get("kind") == "one-off" else usd / months)


def _paid(fleet: Proof, plan: Proof) -> bool:
    """Whether a fleet's proof has the hours of its plan, and no price above one that was paid."""
    scale, position = fleet["scale"], {sku: k for k, sku in enumerate(fleet.get("sku", []))}
    hours = [Fraction(h) * scale for h in plan.get("hours", [])]
    same = [abs(told - real) <= 1 for told, real in zip(fleet["hours"], hours, strict=False)]
    for entry in plan["lines"]:
        k = position.get(entry.get("sku"))
        if k is not None and entry.get("offer_kind") == "vm" and entry.get("unit") == "hour":
            known = [usd for usd in (fleet["used"][k], fleet["kept"][k]) if usd is not None]
            lowest = min(known) if known else None
            same.append(lowest is not None and lowest <= Fraction(entry["usd_per_unit"]) * scale + 1)
    return all(same) and len(hours) in (0, len(fleet["hours"]))


def _value(proof: Proof) -> tuple[Fraction | None, Fraction]:
    """Cost (none where only a bound is proved) and bound of a proof in dollars, parts weighted and a constant added."""
    constant = Fraction(*proof.get("constant_usd", (0, 1)))
    if "parts" in proof:
        parts = [(Fraction(*part["weight"]), *_value(part["proof"])) for part in proof["parts"]]
        costs = [w * c for w, c, _ in parts if c is not None]
        whole = constant + sum(costs) if len(costs) == len(parts) else None
        return whole, constant + sum(w * b for w, _, b in parts)
    if "fleet" in proof:
        return None, constant + Fraction(*proof["bound_usd"])
    told = proof["scale"]["usd"]  # integers of a proof for one dollar: a number, or numerator and denominator
    scale = Fraction(*told) if isinstance(told, list) else Fraction(told)
    return constant + proof["cost_usd"] / scale, constant + Fraction(*proof["bound_usd"]) / scale


def verify_proof(proof: Proof, where: str) -> Iterator[Finding]:
    """The findings about one proof object (packing, or weighted parts of several).

    Raises:
        InputError: a field is missing or malformed.
    """
    try:
        if "parts" in proof:
            for number, part in enumerate(proof["parts"]):
                yield from verify_proof(part["proof"], f"{where}, part {number}")
        elif "fleet" in proof:
            yield from _fleet(proof, where)
        elif "closed_form" in proof:
            yield Finding(where, f"closed form, told and not checked: {proof['closed_form']}", holds=True)
        else:
            yield from _packing(proof, where)
    except InputError:
        raise
    except _MALFORMED as error:
        raise InputError(f"{where}: the proof is malformed ({type(error).__name__}: {error})") from error


def _packing(proof: Proof, where: str) -> Iterator[Finding]:
    sizes = [_flat(size) for size in proof["size"]]
    periods = len(proof["size"][0]) if proof["size"] and isinstance(proof["size"][0][0], list) else 1
    rooms = [list(room) * periods for room in proof["room"]]
    opened, placed = [0] * len(rooms), [0] * len(sizes)
    sound = all(v >= 0 for row in (*sizes, *rooms, proof["usd"], proof["count"]) for v in row)
    for box, items, times in proof["patterns"]:
        sound &= times > 0 and _fits(proof, box, items, (sizes, rooms))
        opened[box] += times
        for item, amount in items:
            placed[item] += amount * times
    yield Finding(where, "no box is overfull and every wish is respected", sound)
    if proof.get("zones"):
        yield Finding(where, "every group is spread evenly over its zones", _zoned(proof))
    wanted = [count - left for count, left in zip(proof["count"], proof["unplaced"], strict=True)]
    yield Finding(
        where, "every item is packed once or named as left over", placed == wanted and min(wanted, default=0) >= 0
    )
    limited = [limit is None or used <= limit for used, limit in zip(opened, proof["available"], strict=True)]
    yield Finding(where, "no more boxes are opened than there are", all(limited))
    cost = sum(used * usd for used, usd in zip(opened, proof["usd"], strict=True))
    yield Finding(where, "the cost is that of the boxes opened", cost == proof["cost_usd"])
    first = _level_1(proof, wanted, (sizes, rooms))
    yield Finding(where, "level-1 bound re-derived exactly", Fraction(*proof["level1_usd"]) <= first)
    best, told = first, "the bound rests on level 1, exact"
    if proof["pi"] is not None:
        second = _level_2(proof, wanted)
        yield Finding(where, "level-2 bound re-derived from its duals", Fraction(*proof["level2_usd"]) <= second)
        if second > first:
            best, told = second, f"the bound rests on level 2, tolerance: {proof['pi']['tolerance']}"
    yield Finding(where, told, Fraction(*proof["bound_usd"]) <= _rounded_up(best, proof["usd"]))
    yield Finding(where, "bound <= cost", Fraction(*proof["bound_usd"]) <= cost)


def _fits(proof: Proof, box: int, items: list[list[int]], vectors: tuple[list[list[int]], list[list[int]]]) -> bool:
    sizes, rooms = vectors
    load = [sum(amount * sizes[item][r] for item, amount in items) for r in range(len(rooms[box]))]
    groups: dict[str, int] = defaultdict(int)
    caps: dict[str, int] = {}
    for item, amount in items:
        wish = proof["spread"][item] if proof["spread"] else None
        if wish:
            groups[wish[0]] += amount
            caps[wish[0]] = min(wish[1], caps.get(wish[0], wish[1]))
    most = proof["max_items"][box]
    return (
        all(used <= room for used, room in zip(load, rooms[box], strict=True))
        and (most is None or sum(amount for _, amount in items) <= most)
        and all(amount >= 0 and (not proof["fits"] or proof["fits"][item][box]) for item, amount in items)
        and all(groups[group] <= caps[group] for group in groups)
    )


def _zoned(proof: Proof) -> bool:
    """No zone holds more of a group than an even share of it, rounded up, and no more zones hold any than it asks."""
    held: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    asked: dict[str, int] = defaultdict(int)
    for wish, count in zip(proof["spread"], proof["count"], strict=True):
        if wish:
            asked[wish[0]] += count
    for (_, items, times), zone in zip(proof["patterns"], proof["zone"], strict=True):
        for item, amount in items:
            if proof["spread"][item]:
                held[proof["spread"][item][0]][zone] += amount * times
    return all(
        len(held[group]) <= zones and max(held[group].values(), default=0) <= -(-asked[group] // zones)
        for group, zones in proof["zones"].items()
    )


def _level_1(proof: Proof, wanted: list[int], vectors: tuple[list[list[int]], list[list[int]]]) -> Fraction:
    """sum_i b_i min_k lambda_k.w_i - sum_k available_k max(0, lambda_k.C_k - c_k), for any lambda >= 0."""
    sizes, rooms = vectors
    prices, scale = [_flat(p) for p in proof["lambda"]["price"]], proof["lambda"]["scale"]
    if any(price < 0 for row in prices for price in row):
        return Fraction(0)
    total = 0
    for box, price in enumerate(prices):
        most = proof["max_items"][box]
        full = [*rooms[box], most or 0][: len(price)]
        if most is None and len(price) > len(rooms[box]) and price[-1]:
            return Fraction(0)  # a price on slots that are not limited proves nothing
        excess = sum(p * c for p, c in zip(price, full, strict=True)) - proof["usd"][box] * scale
        limit = proof["available"][box]
        if excess > 0 and limit is None:
            return Fraction(0)
        total -= max(0, excess) * (limit or 0)
    for item, amount in enumerate(wanted):
        if amount:
            usable = [k for k in range(len(prices)) if not proof["fits"] or proof["fits"][item][k]]
            total += amount * min(
                sum(p * w for p, w in zip(prices[k], [*sizes[item], 1], strict=False)) for k in usable
            )
    return Fraction(total, scale)


def _level_2(proof: Proof, wanted: list[int]) -> Fraction:
    """b.pi / rho + sum_k available_k min(0, c_k - u_k / rho), rho = max(1, u_k / c_k over boxes without end)."""
    pi, scale = proof["pi"], proof["pi"]["scale"]
    price, upper = pi["price"], [Fraction(u, scale) for u in pi["upper"]]
    for box, items, _ in proof["patterns"]:
        if Fraction(sum(amount * price[item] for item, amount in items), scale) > upper[box]:
            return Fraction(0)  # a pattern worth more than the claimed most disproves the claim
    if min(price, default=0) < 0:
        return Fraction(0)
    boxes = list(zip(upper, proof["usd"], proof["available"], strict=True))
    if any(u > 0 and usd == 0 for u, usd, limit in boxes if limit is None):
        return Fraction(0)
    rho = max([Fraction(1), *(u / usd for u, usd, limit in boxes if limit is None and usd)])
    total: Fraction = Fraction(sum(p * amount for p, amount in zip(price, wanted, strict=True)), scale) / rho
    for u, usd, limit in boxes:
        if limit is not None:
            total += limit * min(Fraction(0), usd - u / rho)
    return total


def _fleet(proof: Proof, where: str) -> Iterator[Finding]:
    """Prices of needs by period prove a bound if no box earns more than it costs in any periods it may be had for."""
    fleet = proof["fleet"]
    square, periods = fleet["scale"] ** 2, len(fleet["hours"])
    earned = [[0] * periods for _ in fleet["room"]]
    total, sound = 0, fleet["lag"] >= 0
    for group, period, resource, need, price in fleet["needs"]:
        sound &= need >= 0 and price >= 0
        total += need * price
        for k, row in enumerate(earned):
            row[period] += price * fleet["room"][k][resource] * bool(fleet["sets"][group][k])
    month = sum(fleet["hours"])
    for row, kept, used, beside in zip(earned, fleet["kept"], fleet["used"], fleet["beside"], strict=True):
        ways = [(beside, kept * month)] if kept is not None else []
        ways += [(used + beside, 0)] if used is not None else []
        for hourly, fixed in ways:
            usd = [hourly * hours for hours in fleet["hours"]]
            sound &= beside >= 0 and _best_walk(row, usd, fleet["lag"]) <= fixed
    yield Finding(where, "no box earns more than it costs, kept or by the hour, whenever it runs", sound)
    yield Finding(where, "the bound is what the needs pay", Fraction(*proof["bound_usd"]) <= Fraction(total, square))


def _best_walk(earned: list[int], usd: list[int], lag: int) -> int:
    """The most a box gains in any set of periods, paid in these and `lag` after, over a rhythm that begins again."""
    never = -sum(usd) - sum(earned) - 1
    best = 0
    for begun in range(lag + 2):
        value = [0 if state == begun else never for state in range(lag + 2)]
        for gain, cost in zip(earned, usd, strict=True):
            value = [max(value) + gain - cost, *(v - cost for v in value[:lag]), max(value[lag:])]
        best = max(best, value[begun])
    return best


def _rounded_up(bound: Fraction, prices: list[int]) -> Fraction:
    """The next multiple of what all box prices are multiples of: no fleet costs anything in between."""
    step = gcd(*prices) if prices else 0
    return Fraction(-(-bound.numerator // (bound.denominator * step)) * step) if step else bound


def _flat(nested: list[Any]) -> list[int]:
    return [v for row in nested for v in row] if nested and isinstance(nested[0], list) else list(nested)


def _near(one: Fraction, other: Fraction) -> bool:
    return abs(one - other) <= _TOLERANCE * max(abs(one), abs(other), Fraction(1))


def _most(one: Fraction, other: Fraction) -> bool:
    return one <= other + _TOLERANCE * max(abs(other), Fraction(1))
