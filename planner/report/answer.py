"""The answer: every model side by side, which one to take, and what the next best would cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from planner.report import show
from planner.report.blocks import Column, Facet, Note, Section, Table
from planner.report.facts import Facts, memory

__all__ = ["comparison", "facets", "reading", "recommendation"]


def comparison(facts: Facts) -> Table:
    """One row a model: what it costs, how full it runs, what it leaves out, how sure the figure is."""
    heads = ("Rank", f"TCO over {show.years(facts.horizon)} (USD)", "Present value (USD)", "First year (USD a month)")
    more = ("Payback", "IRR", "CPU used", "Memory used", "Left out", "Gap to bound")
    columns = (Column("Model"), *(Column(head, "right") for head in (*heads, *more)))
    rows = tuple(_row(facts, entry) for entry in facts.models)
    return Table("Every model, same demand, same service level", columns, rows)


def reading() -> Note:
    """What the columns of the comparison mean."""
    return Note(
        "TCO is all that is paid over the horizon, less what bought machines are still worth at its end. Present value "
        "is the same, discounted. Payback is the first month from which the saving against the baseline stays. "
        "IRR is the yearly rate at which all differences to the baseline are worth nothing: a return where money is "
        "spent first, the price of a loan where it is saved first; it is not given where it is not unique. CPU and "
        "memory used are means over a month of the first year. Models that leave workloads out rank last."
    )


def _row(facts: Facts, entry: Mapping[str, Any]) -> tuple[str, ...]:
    name = str(entry["model"])
    plan = facts.first(name)
    baseline = name == facts.scenario.get("baseline")
    return (
        name,
        show.plain(entry["rank"]),
        show.money(entry["tco_usd"]),
        show.money(entry["npv_usd"]),
        show.money(plan["usd_per_month"]),
        "baseline" if baseline else show.months(entry["payback_months"]),
        "baseline" if baseline else show.share(entry["irr"]),
        show.share(plan["utilisation"].get("cpu")),
        show.share(plan["utilisation"].get("memory")),
        show.count(facts.left_out(name)),
        show.gap(plan["certificate"].get("gap")),
    )


def facets(facts: Facts) -> tuple[Facet, ...]:
    """The figures a reader takes away first."""
    best = _best(facts)
    name = str(best["model"])
    plan = facts.first(name)
    return (
        Facet("Best answer", name, _left_out_words(facts.left_out(name))),
        Facet(
            f"TCO over {show.years(facts.horizon)}",
            show.money(best["tco_usd"]),
            "USD, all payments less residual value",
        ),
        Facet("First year", show.money(plan["usd_per_month"]), "USD a month"),
        Facet("CPU in use", show.share(plan["utilisation"].get("cpu")), "of what is provisioned, mean over the month"),
    )


def _best(facts: Facts) -> Mapping[str, Any]:
    return min(facts.models, key=lambda m: (facts.left_out(str(m["model"])), m["rank"] is None, m["rank"] or 0))


def _runner_up(facts: Facts) -> Mapping[str, Any] | None:
    best = _best(facts)
    least = facts.left_out(str(best["model"]))
    rest = [m for m in facts.models if m is not best and facts.left_out(str(m["model"])) == least]
    return rest[0] if rest else None


def _left_out_words(number: int) -> str:
    if not number:
        return "places every workload"
    return "leaves out 1 workload" if number == 1 else f"leaves out {number:,} workloads"


def recommendation(facts: Facts) -> Section:
    """Which model, the runner-up, the price of the difference and what would change the answer."""
    notes = [
        Note(_winner(facts)),
        *_second(facts),
        *_against_baseline(facts),
        *_cheaper_but_partial(facts),
        *_open_gaps(facts),
    ]
    return Section("Recommendation", (*notes, *_doubts(facts)))


def _winner(facts: Facts) -> str:
    best = _best(facts)
    name = str(best["model"])
    plan = facts.first(name)
    used = plan["utilisation"]
    return (
        f"Take {name}. It {_left_out_words(facts.left_out(name))} and costs {show.money(best['tco_usd'])} USD over "
        f"{show.years(facts.horizon)} ({show.money(best['npv_usd'])} USD at present value), "
        f"{show.money(plan['usd_per_month'])} USD a month in the first year. Of what is paid for, "
        f"{show.share(used.get('cpu'))} of the CPU and {show.share(used.get('memory'))} of the memory is in use."
    )


def _second(facts: Facts) -> list[Note]:
    best, other = _best(facts), _runner_up(facts)
    if other is None:
        return [Note("No other model was asked that places as many workloads, so there is no runner-up.")]
    more = other["tco_usd"] - best["tco_usd"]
    relative = show.by_how_much(more, best["tco_usd"])
    word = "more" if more >= 0 else "less, though it ranks behind,"
    per_month = show.money(abs(more) / (12 * facts.horizon))
    price = f"{show.money(abs(more))} USD {word}{relative} over {show.years(facts.horizon)}, {per_month} USD a month"
    return [Note(f"The runner-up is {other['model']}: it costs {price}. {_drivers(facts, best, other)}")]


def _drivers(facts: Facts, best: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    mine, theirs = (facts.categories(str(m["model"])) for m in (best, other))
    change = {c: theirs.get(c, 0.0) - mine.get(c, 0.0) for c in [*mine, *(c for c in theirs if c not in mine)]}
    largest = sorted((c for c in change if abs(change[c]) >= 0.005), key=lambda c: -abs(change[c]))[:3]
    parts = [f"{show.money(abs(change[c]))} {'more' if change[c] > 0 else 'less'} for {c}" for c in largest]
    return f"In the first year it pays, in USD a month, {', '.join(parts)}." if parts else "Their bills are alike."


def _against_baseline(facts: Facts) -> list[Note]:
    best = _best(facts)
    base = next((m for m in facts.models if m["model"] == facts.scenario.get("baseline")), None)
    if base is None or base is best:
        return []
    saved = base["tco_usd"] - best["tco_usd"]
    word = "saves" if saved >= 0 else "costs another"
    share = show.by_how_much(saved, base["tco_usd"])
    paid = best["payback_months"]
    payback = "It does not pay back within the horizon." if paid is None else f"It pays back {_when(paid)}."
    return [Note(f"Against {base['model']}, the baseline, it {word} {show.money(abs(saved))} USD{share}. {payback}")]


def _when(paid: float) -> str:
    return "at once" if paid <= 0 else f"after {show.months(paid)}"


def _cheaper_but_partial(facts: Facts) -> list[Note]:
    best = _best(facts)
    least = facts.left_out(str(best["model"]))
    partial = [
        f"{m['model']} ({show.money(m['tco_usd'])} USD, {_left_out_words(facts.left_out(str(m['model'])))})"
        for m in facts.models
        if facts.left_out(str(m["model"])) > least and m["tco_usd"] < best["tco_usd"]
    ]
    text = f"Cheaper on paper but not a full answer: {', '.join(partial)}."
    return [Note(text, warning=True)] if partial else []


def _open_gaps(facts: Facts) -> list[Note]:
    """Models that could still come out cheaper than the winner if their plans were as cheap as their bounds."""
    best = _best(facts)
    least = facts.left_out(str(best["model"]))
    rivals = [m for m in facts.models if m is not best and facts.left_out(str(m["model"])) == least]
    close = [str(m["model"]) for m in rivals if m["tco_usd"] - _still_open(facts, str(m["model"])) < best["tco_usd"]]
    text = (
        f"Not settled by proof: {', '.join(close)}. The gap to the bound is wider than the difference in cost, so "
        "a better packing, if there is one, could change the order."
    )
    return [Note(text, warning=True)] if close else []


def _still_open(facts: Facts, model: str) -> float:
    proofs = [plan["certificate"] for plan in facts.plans(model)]
    return sum(12 * ((proof["usd"] or 0.0) - (proof["bound_usd"] or 0.0)) for proof in proofs)


def _doubts(facts: Facts) -> list[Note]:
    name = str(_best(facts)["model"])
    lines = facts.first(name)["lines"]
    total = sum(row["usd_per_month"] for row in lines)
    unsure = sum(row["usd_per_month"] for row in lines if memory(row))
    return [*_memory_note(name, lines, total, unsure), *_stars_note(facts)]


def _memory_note(name: str, lines: list[Mapping[str, Any]], total: float, unsure: float) -> list[Note]:
    low, high = (sum(_at(row, end) for row in lines) for end in ("low", "high"))
    if total <= 0 or (unsure <= 0 and high - low < 0.005):
        return []
    text = f"{show.share(unsure / total)} of the monthly cost of {name} rests on prices FROM MEMORY."
    spread = f" At the ends of the price ranges that are known it would be {show.money(low)} to {show.money(high)} USD."
    return [Note(text + (spread if high - low >= 0.005 else ""), warning=unsure > 0)]


def _at(row: Mapping[str, Any], end: str) -> float:
    usd: float = row["usd_per_month"]
    edge, price = row.get(end), row["usd_per_unit"]
    return usd if edge is None or not price else usd * float(edge) / float(price)


def _stars_note(facts: Facts) -> list[Note]:
    found = facts.trace.get("quality") or {}
    poor = sum(int(found.get(f"stars_{n}", 0)) for n in (1, 2))
    if not poor:
        return []
    text = f"Workloads with at most 40 % of their expected samples: {poor:,}. Their sizes are little more than guesses."
    return [Note(text, warning=True)]
