"""Fleets that breathe: which boxes are kept and which come and go, as one program over all periods, and its bound.

    n_k            boxes of type k that are kept, paid for every hour
    o_kt           boxes of type k that run in period t besides, paid by the hour
    r_kt           boxes of type k that run in period t, with what comes with each while it runs
    v_kt           boxes of type k that hold something in period t; they stay for `lag` periods more

    min   sum_k kept_k n_k + sum_kt hours_t (used_k o_kt + beside_k r_kt)
    s.t.  n_k + o_kt >= r_kt                               for every type and period
          r_kt >= v_k,t-s                                  for every type, period and s = 0 .. lag
          sum over k in F of room_kr v_kt >= need_F,tr     for every set F of types, period and resource

need_F is what the items need together that only types of F take. The prices of the last rows (its duals) prove a
bound for whole boxes too: a box of type k in period t holds items that pay at most W_kt = sum over F with k of
price_F,t . room_k, so if no type earns in any set S of periods more than the cheapest way to run it costs (kept, or by
the hour in S and `lag` periods after, with what comes with it in these), all fleets together cost at least what the
items pay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from planner.optimise.solver import Problem, solve

__all__ = ["Breath", "Needs", "Rates", "breathe"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SETS: Final = 12
"""Unit: sets of types. Source: most others add nothing to those that ask for most, and each costs rows."""
ROUNDS: Final = 4
"""Unit: programs. Source: types that earn too much are added and the program is solved again; two mostly do."""
DIRECTIONS: Final = 40
"""Unit: mixes of resources. Source: so many find nearly all types that a program can want."""
HALVINGS: Final = 40
"""Unit: steps. Source: tells a ratio to nine digits and more."""
FINE: Final = 10**9
"""Unit: integers for one. Source: proofs hold no floating numbers; a core-hour of a thousandth of a usd keeps six
digits."""
SAFE: Final = 1e-6
"""Unit: fraction. Source: what rounding to integers and halving may take from a bound, so that it stays one."""


@dataclass(frozen=True)
class Needs:
    """What must be held: items in groups that the same types take."""

    fits: Bools
    """[group, type]."""
    amount: Floats
    """[group, period, resource], of all items of a group together."""


@dataclass(frozen=True)
class Rates:
    """What boxes hold and cost, and the rhythm in which they come and go."""

    room: Floats
    """[type, resource]."""
    used: Floats
    """[type], usd per hour while it runs; inf where not sold so."""
    kept: Floats
    """[type], usd per hour when paid for every hour; inf where not sold so."""
    hours: Floats
    """[period]."""
    lag: int
    """Periods that a box stays after it held something, over a rhythm that begins again."""
    beside: Floats | None = None
    """[type], usd per hour of what comes with a box while it runs, however it is paid; none: nothing."""

    def only(self, types: Ints) -> Rates:
        """These types."""
        return replace(self, room=self.room[types], used=self.used[types], kept=self.kept[types],
                       beside=self.running[types])  # fmt: skip

    @property
    def running(self) -> Floats:
        """[type], usd per hour of what comes with a box while it runs."""
        return np.zeros(len(self.used)) if self.beside is None else self.beside

    @property
    def month(self) -> float:
        """Hours of all periods."""
        return float(self.hours.sum())


@dataclass(frozen=True)
class Breath:
    """The fractional fleet and what it proves."""

    base: Floats
    """[type], boxes that are kept."""
    holding: Floats
    """[period, type], boxes that hold something."""
    bound_usd: float
    """A month; no fleet of whole boxes costs less."""
    proof: dict[str, Any]
    """All that is needed to check the bound in integers, without a solver."""


def breathe(needs: Needs, rates: Rates) -> Breath:
    """The fleet of least cost over all periods, boxes taken by volume, and a bound that holds for whole ones."""
    sets, amount = _closures(needs)
    types = _promising(sets, rates)
    for turn in range(ROUNDS):
        base, holding, price = _program(sets[:, types], amount, rates.only(types))
        earned = np.einsum("ftr,fk,kr->kt", price, sets.astype(float), rates.room)
        ratio = _overpaid(earned, rates)
        worst = np.flatnonzero(ratio > 1 + 1e-7)
        missing = np.setdiff1d(worst, types)
        if not len(missing) or turn == ROUNDS - 1:
            break
        types = np.union1d(types, missing[np.argsort(-ratio[missing], kind="stable")[:SETS]])
    price = price / max(1.0, float(ratio.max(initial=1.0))) * (1 - SAFE)
    proof = _proof((sets, amount), rates, price)
    whole = np.zeros((1 + len(rates.hours), len(rates.used)))
    whole[:, types] = np.clip(np.vstack([base, holding]), 0.0, None)
    return Breath(whole[0], whole[1:], float(Fraction(*proof["bound_usd"])), proof)


def _closures(needs: Needs) -> tuple[Bools, Floats]:
    """Sets of types [set, type], and what only they take [set, period, resource]; those that ask for most."""
    sets, of = np.unique(needs.fits, axis=0, return_inverse=True)
    each = np.zeros((len(sets), *needs.amount.shape[1:]))
    np.add.at(each, of.ravel(), needs.amount)
    inside = ~(sets[:, None, :] & ~sets[None, :, :]).any(axis=2)  # [group, set]: whether the set holds all its types
    amount = np.einsum("gf,gtr->ftr", inside.astype(float), each)
    share = (amount / np.maximum(amount.max(axis=(0, 1)), 1e-300)).sum(axis=(1, 2))
    first = np.sort(np.argsort(-share, kind="stable")[:SETS])
    return sets[first], amount[first]


def _promising(sets: Bools, rates: Rates) -> Ints:
    """Types that hold some mix of resources at the least price, of every set and on both terms."""
    rng = np.random.default_rng(0)
    mixes = rng.dirichlet(np.full(rates.room.shape[1], 0.5), DIRECTIONS) / np.maximum(rates.room.max(axis=0), 1e-12)
    worth = rates.room @ mixes.T
    found = set()
    for usd in (rates.used + rates.running, rates.kept + rates.running):
        rate = worth / np.maximum(usd, 1e-300)[:, None]
        for usable in sets:
            if (usable & np.isfinite(usd)).any():
                found |= set(np.argmax(np.where(usable[:, None], rate, -1.0), axis=0).tolist())
    return np.array(sorted(found), np.int64)


def _program(sets: Bools, amount: Floats, rates: Rates) -> tuple[Floats, Floats, Floats]:
    """Kept boxes [type], holding ones [period, type], and prices [set, period, resource] of what is needed."""
    periods, types = len(rates.hours), len(rates.used)
    each, top = periods * types, np.maximum(rates.room.max(axis=0), 1e-12)
    every, one = sparse.kron(np.ones((periods, 1)), sparse.eye_array(types)), sparse.eye_array(each)
    stay = [sparse.hstack([every, one, -one, sparse.csr_array((each, each))])]
    paid = sparse.csr_array((each, types + each))
    stay += [sparse.hstack([paid, one, -_earlier(s, periods, types)]) for s in range(rates.lag + 1)]
    shares = [sparse.kron(sparse.eye_array(periods), (rates.room / top * usable[:, None]).T) for usable in sets]
    hold = [sparse.hstack([sparse.csr_array((share.shape[0], types + 2 * each)), share]) for share in shares]
    hourly = [(rates.hours[:, None] * usd).ravel() for usd in (rates.used, rates.running)]
    usd = np.concatenate([rates.kept * rates.month, *hourly, np.zeros(each)])
    sold = np.isfinite(usd)
    dear = max(float(usd[sold].max(initial=0.0)), 1e-300)
    lower = np.concatenate([np.zeros(len(stay) * each), (amount / top).ravel()])
    problem = Problem(
        usd=np.where(sold, usd, 0.0) / dear,
        matrix=sparse.csr_array(sparse.vstack([*stay, *hold])),
        lower=lower,
        upper=np.full(len(lower), np.inf),
        most=np.where(sold, np.inf, 0.0),
        name="fleet",
    )
    found = solve(problem)
    price = np.maximum(0.0, found.duals[len(stay) * each :]).reshape(amount.shape) * dear / top
    return found.values[:types], found.values[types + 2 * each :].reshape(periods, types), price


def _earlier(shift: int, periods: int, types: int) -> sparse.csr_array:
    """Takes the boxes of `shift` periods before, [period x type] by [period x type]."""
    rows = np.arange(periods)
    back = sparse.csr_array((np.ones(periods), (rows, (rows - shift) % periods)), shape=(periods, periods))
    return sparse.csr_array(sparse.kron(back, sparse.eye_array(types)))


def _overpaid(earned: Floats, rates: Rates) -> Floats:
    """[type], the most that a box earns for each usd it costs, over all sets of periods that it may hold items in.

    Types that earn no more than they cost are told to earn as much at most as in their best period, or just that much.
    """
    ratio = np.zeros(len(earned))
    for hourly, always in ((rates.running, rates.kept * rates.month), (rates.used + rates.running, None)):
        sold = np.flatnonzero(np.isfinite(hourly if always is None else always))
        fixed = np.zeros(len(sold)) if always is None else always[sold]
        found = _earned_over(earned[sold], hourly[sold, None] * rates.hours, fixed, rates.lag)
        ratio[sold] = np.maximum(ratio[sold], found)
    return ratio


def _earned_over(earned: Floats, usd: Floats, fixed: Floats, lag: int) -> Floats:
    """[type], what a box earns for each usd that it costs: `usd` [type, period] while it runs, and `fixed` [type]."""
    whole = earned.sum(axis=1)
    high = whole / np.maximum(fixed, 1e-300)
    paid = fixed <= 0  # what costs by the hour alone earns no more than in its best period
    high[paid] = (earned[paid] / np.maximum(usd[paid], 1e-300)).max(axis=1, initial=0.0)
    over = (high > 1) & (usd.any(axis=1) | paid)
    over[over] = _most_gained(earned[over], usd[over], lag) > fixed[over]
    ratio = np.where(usd.any(axis=1) | paid, np.minimum(high, 1.0), high)
    ratio[over] = _balanced((earned[over], usd[over], fixed[over]), high[over], lag)
    return np.asarray(ratio)


def _balanced(box: tuple[Floats, Floats, Floats], high: Floats, lag: int) -> Floats:
    """[type], by how much prices would have to rise so that no box gains, between 1 and `high`, rounded up."""
    earned, usd, fixed = box
    low = np.ones(len(high))
    for _ in range(HALVINGS if len(high) else 0):
        middle = (low + high) / 2
        gains = _most_gained(earned, middle[:, None] * usd, lag) > middle * fixed
        low, high = np.where(gains, middle, low), np.where(gains, high, middle)
    return high


def _most_gained(earned: Floats, usd: Floats, lag: int) -> Floats:
    """[type], the best sum of what is earned in a set of periods less what the box costs in them and `lag` after.

    A walk over the periods by how long ago the box last held something, `lag` + 1 standing for "too long"; the walk
    ends in the state it began in, as the rhythm begins again.
    """
    states = lag + 2
    value = np.full((states, states, len(earned)), -np.inf)  # [begun in, now in, type]
    value[np.arange(states), np.arange(states)] = 0.0
    for t in range(earned.shape[1]):
        after = np.full_like(value, -np.inf)
        after[:, 0] = value.max(axis=1) + earned[:, t] - usd[:, t]
        after[:, 1 : lag + 1] = value[:, :lag] - usd[:, t]
        after[:, lag + 1] = np.maximum(value[:, lag], value[:, lag + 1])
        value = after
    return np.asarray(value[np.arange(states), np.arange(states)].max(axis=0))


def _proof(wanted: tuple[Bools, Floats], rates: Rates, price: Floats) -> dict[str, Any]:
    """The prices and what they are held to, in integers: needs and prices rounded down, rooms up."""
    sets, amount = wanted
    some = np.argwhere((price > 0) & (amount > 0))
    inside = tuple(some.T)
    needs, prices = np.floor(amount[inside] * FINE), np.floor(price[inside] * FINE)
    entries = np.column_stack([some, needs, prices]).astype(np.int64).tolist()
    return {
        "version": 1,
        "fleet": {
            "scale": FINE,
            "room": np.ceil(rates.room * FINE).astype(np.int64).tolist(),
            "used": _whole(rates.used),
            "kept": _whole(rates.kept),
            "beside": _whole(rates.running),
            "hours": np.floor(rates.hours * FINE).astype(np.int64).tolist(),
            "lag": rates.lag,
            "sets": sets.astype(int).tolist(),
            "needs": entries,
        },
        "bound_usd": [sum(need * cost for *_, need, cost in entries), FINE * FINE],
    }


def _whole(usd: Floats) -> list[int | None]:
    return [int(u * FINE) if np.isfinite(u) else None for u in usd.tolist()]
