"""Finance: cash flows by month, present value, payback and internal rate of return of plans over years.

Cash is what is paid, so positive; a residual value comes back, so negative. Month 0 is today, undiscounted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyxirr
from numpy.typing import NDArray

from planner.plan import Line
from planner.quantities import MONTHS_PER_YEAR

__all__ = [
    "Purchase",
    "cash_flow",
    "internal_rate",
    "merit",
    "monthly_rate",
    "payback_months",
    "present_value",
    "purchases",
    "total",
]

Floats = NDArray[np.float64]
_NOTHING: Final = 1e-9


def cash_flow(lines: Sequence[Sequence[Line]], years: int | None = None) -> Floats:
    """[12 x years + 1] what is paid at month 0, 1, ... by plans whose `lines` are given year by year.

    Bought things are paid when a year needs more of them than are owned, and again when their life ends within the
    horizon; what is left of their life at the end comes back, straight line. Running costs are paid at each month's
    end, one-off lines at the start of their year.
    """
    horizon = len(lines) if years is None else years
    cash = np.zeros(MONTHS_PER_YEAR * horizon + 1)
    for year, entries in enumerate(lines[:horizon]):
        start = MONTHS_PER_YEAR * year
        cash[start + 1 : start + MONTHS_PER_YEAR + 1] += sum(e.usd_per_month for e in entries if e.kind == "opex")
        cash[start] += sum(e.usd for e in entries if e.kind == "one-off")
    for p in purchases(lines, horizon):
        cash[p.month] += p.usd
        cash[-1] -= p.usd * p.left
    return cash


@dataclass(frozen=True)
class Purchase:
    """A `quantity` of one bought line, paid at a month; `left` is the share of it that comes back at the end."""

    month: int
    quantity: float
    line: Line
    left: float

    @property
    def usd(self) -> float:
        """What is paid."""
        return self.quantity * self.line.usd_per_unit


def purchases(lines: Sequence[Sequence[Line]], years: int | None = None) -> list[Purchase]:
    """What is bought when, by plans whose `lines` are given year by year: growth and renewals, see `cash_flow`."""
    horizon = len(lines) if years is None else years
    end = MONTHS_PER_YEAR * horizon
    return [p for needed in _bought(lines[:horizon]).values() for p in _cohorts(needed, end)]


Thing = tuple[str, str, str, str, str, str]


def _bought(lines: Sequence[Sequence[Line]]) -> Mapping[Thing, dict[int, Line]]:
    """Bought lines by what is bought and by year; several lines of one thing in one year are one."""
    found: dict[Thing, dict[int, Line]] = defaultdict(dict)
    for year, entries in enumerate(lines):
        for e in entries:
            if e.kind == "capex":
                key = (e.sku, e.provider, e.region, e.term, e.offer_kind, e.category)
                before = found[key].get(year)
                found[key][year] = e if before is None else _joined(before, e)
    return found


def _joined(one: Line, other: Line) -> Line:
    return Line(**{**one.__dict__, "quantity": one.quantity + other.quantity})


def _cohorts(needed: Mapping[int, Line], end: int) -> list[Purchase]:
    """The purchases and renewals of one thing needed year by year, over `end` months."""
    bought: list[Purchase] = []
    for month in range(end):
        entry = needed.get(month // MONTHS_PER_YEAR)
        if entry is None:
            continue
        alive = sum(p.quantity for p in bought if month < p.month + _life(p.line))
        if entry.quantity - alive > _NOTHING * max(1.0, entry.quantity):
            left = max(0.0, 1.0 - (end - month) / _life(entry))
            bought.append(Purchase(month, entry.quantity - alive, entry, left))
    return bought


def _life(line: Line) -> float:
    return line.lifetime_months or float("inf")


def total(cash: Floats) -> float:
    """What is paid over the horizon, undiscounted, less what comes back: the total cost of ownership.

    >>> total(np.array([100.0, 10.0, 10.0, -40.0]))
    80.0
    """
    return float(cash.sum())


def monthly_rate(rate_per_year: float) -> float:
    """The rate of a month that compounds to the rate of a year: (1 + r)^(1/12) - 1.

    >>> round((1 + monthly_rate(0.07)) ** 12 - 1, 12)
    0.07
    """
    return float((1.0 + rate_per_year) ** (1.0 / MONTHS_PER_YEAR) - 1.0)


def present_value(cash: Floats, rate_per_period: float) -> float:
    """The value today of flows at the end of periods 0, 1, ...; period 0 is not discounted.

    >>> round(present_value(np.array([-40000, 5000, 8000, 12000, 30000.0]), 0.08), 5)
    3065.22267
    >>> present_value(np.array([1.0, 2.0]), 0.0)
    3.0
    """
    return float((cash / (1.0 + rate_per_period) ** np.arange(len(cash))).sum())


def payback_months(cash: Floats, baseline: Floats) -> int | None:
    """The first month from which on the saving against `baseline`, summed so far, stays at or above 0; None: never.

    >>> payback_months(np.array([10.0, 1, 1, 1]), np.array([0.0, 6, 6, 6]))
    2
    >>> payback_months(np.array([10.0, 1]), np.array([0.0, 6])) is None
    True
    """
    saved = np.cumsum(baseline - cash)
    tolerance = _NOTHING * max(1.0, float(np.abs(cash).sum()), float(np.abs(baseline).sum()))
    behind = np.flatnonzero(saved < -tolerance)
    if not len(behind):
        return 0
    return int(behind[-1]) + 1 if behind[-1] + 1 < len(saved) else None


def internal_rate(flow: Floats) -> float | None:
    """The rate per period at which a flow is worth nothing today.

    None where there is no such rate or no one rate: the flow does not begin with an outlay, or its sign changes more
    than once.

    >>> internal_rate(np.array([-100.0, 39, 59, 55, 20]))
    0.2809484...
    >>> internal_rate(np.array([-100.0, 230, -132])) is None
    True
    """
    signs = np.sign(flow[np.abs(flow) > _NOTHING * max(1.0, float(np.abs(flow).sum()))])
    if len(signs) == 0 or signs[0] > 0 or np.count_nonzero(np.diff(signs)) != 1:
        return None
    rate = pyxirr.irr(flow)
    return None if rate is None or not np.isfinite(rate) else float(rate)


def merit(left_out: int, tco_usd: float | None, model: str) -> tuple[int, float, str]:
    """What answers are ranked by, the best first: fewest workloads left out, then least cost, then name.

    >>> sorted([merit(2, 1.0, "b"), merit(0, 9.0, "a"), merit(1, None, "d"), merit(1, 5.0, "c")])
    [(0, 9.0, 'a'), (1, 5.0, 'c'), (1, inf, 'd'), (2, 1.0, 'b')]
    """
    return left_out, float("inf") if tco_usd is None else tco_usd, model
