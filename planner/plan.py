"""Plan: what one deployment model decided. Totals, utilisation and idle cost are derived, never stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.quantities import CPU, MEMORY, Assumption

__all__ = [
    "CATEGORIES",
    "IDLE",
    "OTHERS",
    "RESERVED",
    "Cash",
    "Category",
    "Certificate",
    "Line",
    "Plan",
    "in_proportion",
    "line",
    "metered",
    "showback",
]

Floats = NDArray[np.float64]
Category = Literal[
    "compute", "storage", "network", "licence", "platform", "facilities", "labour", "support", "migration"
]
Cash = Literal["capex", "opex", "one-off"]
CATEGORIES: tuple[Category, ...] = (
    "compute",
    "storage",
    "network",
    "licence",
    "platform",
    "facilities",
    "labour",
    "support",
    "migration",
)


IDLE: Final = "(idle)"
OTHERS: Final = "(others)"
RESERVED: Final[tuple[str, ...]] = (IDLE, OTHERS)
"""Rows among the costs by workload that are no workload: what none uses, and those too many to be told."""


@dataclass(frozen=True)
class Line:
    """A quantity of one offer. Quantity x listed price = cost, and nothing else is a cost.

    `quantity` is per month in the offer's unit for rented and metered things (hours, GB, usd of spend), the number
    owned for bought things, and the number paid once for one-off things.
    """

    sku: str
    provider: str
    region: str
    term: str
    kind: Cash
    category: Category
    unit: str
    quantity: float
    usd_per_unit: float
    source: str
    as_of: str
    offer_kind: str
    status: str = "VERIFIED"
    lifetime_months: float | None = None
    tier_from: float = 0.0
    low: float | None = None
    high: float | None = None

    @property
    def usd(self) -> float:
        """Quantity x price: per month (opex), when bought (capex), or once (one-off)."""
        return self.quantity * self.usd_per_unit

    @property
    def usd_per_month(self) -> float:
        """What the line costs in a month: straight line over its life if bought, nothing monthly if one-off."""
        if self.kind == "one-off":
            return 0.0
        return self.usd / self.lifetime_months if self.lifetime_months else self.usd


def line(offer: pd.Series, quantity: float, category: Category, kind: Cash | None = None) -> Line:
    """The line for `quantity` of one price row; bought (capex) where the row has a lifetime, else rented (opex)."""
    lifetime = None if pd.isna(offer["lifetime_months"]) else float(offer["lifetime_months"])
    return Line(
        sku=str(offer["sku"]),
        provider=str(offer["provider"]),
        region=str(offer["region"]),
        term=str(offer["term"]),
        kind=kind or ("capex" if lifetime else "opex"),
        category=category,
        unit=str(offer["unit"]),
        quantity=float(quantity),
        usd_per_unit=float(offer["usd_per_unit"]),
        source=str(offer["source"]),
        as_of=str(offer["as_of"]),
        offer_kind=str(offer["kind"]),
        status=str(offer["status"]),
        lifetime_months=lifetime,
        tier_from=float(offer["tier_from"]),
        low=None if pd.isna(offer["low"]) else float(offer["low"]),
        high=None if pd.isna(offer["high"]) else float(offer["high"]),
    )


def metered(tiers: pd.DataFrame, quantity: float, category: Category) -> list[Line]:
    """The lines for a month's `quantity` of a metered offer, one a tier that the quantity reaches into."""
    if quantity <= 0:
        return []
    start, end = tiers["tier_from"].to_numpy(float), tiers["tier_to"].to_numpy(float)
    end = np.where(np.isnan(end), np.inf, end)
    inside = np.clip(np.minimum(quantity, end) - start, 0.0, None)
    return [line(tiers.iloc[i], inside[i], category) for i in np.flatnonzero(inside > 0)]


def showback(lines: Sequence[Line], workloads: Sequence[str], shares: Mapping[Category, Floats]) -> pd.DataFrame:
    """Columns workload, usd_per_month: who causes which part of the monthly cost, the rest in the row ``(idle)``.

    A workload that is itself called like a row of ours, `RESERVED`, is shown with a ``*`` behind its name.

    Args:
        lines: of the plan.
        workloads: names, one a workload (not a class).
        shares: category -> [workload], the part of that category's cost each causes; what is missing to 1 is idle.
            Categories that are not named are spread like all the named ones together, idle included.

    Source: OpenCost specification (idle is shown, shared costs follow the direct ones).
    """
    cost = {c: sum(entry.usd_per_month for entry in lines if entry.category == c) for c in CATEGORIES}
    direct = np.zeros(len(workloads))
    for category, share in shares.items():
        direct = direct + cost[category] * np.asarray(share, float)
    named = sum(cost[c] for c in shares)
    total = sum(entry.usd_per_month for entry in lines)
    usd = direct * (total / named) if named > 0 else direct
    rows = [*_told_apart(workloads), IDLE]
    return pd.DataFrame({"workload": rows, "usd_per_month": [*usd, total - float(usd.sum())]})


def in_proportion(weight: Floats) -> Floats:
    """[workload], parts of one whole in proportion to a weight; equal where none weighs anything.

    >>> in_proportion(np.array([1.0, 3.0])).tolist(), in_proportion(np.zeros(2)).tolist()
    ([0.25, 0.75], [0.5, 0.5])
    """
    total = float(weight.sum())
    return np.asarray(weight / total if total > 0 else np.full(len(weight), 1.0 / max(len(weight), 1)))


def _told_apart(workloads: Sequence[str]) -> list[str]:
    """The names, those that are `RESERVED` with as many ``*`` behind them as no other workload has.

    >>> _told_apart(["web", "(idle)", "(idle)*"])
    ['web', '(idle)**', '(idle)*']
    """
    names = list(workloads)
    for label in RESERVED:
        if label in names:
            shown = label
            while shown in names:
                shown += "*"
            names[names.index(label)] = shown
    return names


@dataclass(frozen=True)
class Certificate:
    """How far from the best a plan can be: `usd` is the optimised part of the monthly cost, `bound_usd` below it.

    A bound is claimed only where `method` proves it; `proof` holds what is needed to check it without a solver.
    """

    usd: float
    bound_usd: float
    method: str
    proof: dict[str, Any] = field(default_factory=dict)

    @property
    def gap(self) -> float:
        """usd / bound - 1; 0 where both are 0, infinite where nothing was proved.

        >>> Certificate(102.0, 100.0, "volume bound").gap
        0.020000000000000018
        """
        if self.bound_usd <= 0:
            return 0.0 if self.usd <= 0 else float("inf")
        return self.usd / self.bound_usd - 1.0


@dataclass(frozen=True)
class Plan:
    """What was decided for one demand: lines, capacity, where everything sits, and what did not fit."""

    model: str
    lines: tuple[Line, ...]
    hours: Floats
    """[period], hours a month."""
    provisioned: Floats
    """[period, resource], raw capacity paid for."""
    used: Floats
    """[period, resource], what placed workloads use on average."""
    boxes: pd.DataFrame
    """Columns sku, provider, region, term, count: the most that run at once (bought: owned)."""
    placement: pd.DataFrame
    """Columns workload, replica, sku, box: which box (numbered from 0 within its sku) holds which replica."""
    cost_by_workload: pd.DataFrame
    """Columns workload, usd_per_month; the row ``(idle)`` holds what no workload uses. Sums to the total. A workload
    of that name, or of the name ``(others)``, has a ``*`` behind it."""
    unplaced: pd.DataFrame
    """Columns workload, reason."""
    certificate: Certificate
    assumptions: tuple[Assumption, ...] = ()
    year: int = 0
    details: dict[str, float] = field(default_factory=dict)
    """Named figures of one model, such as added latency."""

    @property
    def usd_per_month(self) -> float:
        """The sum of all unrounded lines, one-off ones apart."""
        return float(sum(entry.usd_per_month for entry in self.lines))

    @property
    def usd_once(self) -> float:
        """The sum of all one-off lines."""
        return sum(entry.usd for entry in self.lines if entry.kind == "one-off")

    @property
    def utilisation(self) -> dict[str, float]:
        """Share of provisioned CPU and memory that is used, averaged over the month."""
        return {"cpu": self._share(CPU), "memory": self._share(MEMORY)}

    def usd_by_category(self) -> dict[str, float]:
        """Monthly cost of each category that has one, in the order of `CATEGORIES`."""
        sums = {c: float(sum(entry.usd_per_month for entry in self.lines if entry.category == c)) for c in CATEGORIES}
        return {c: usd for c, usd in sums.items() if usd}

    def _share(self, resource: int) -> float:
        provided = float(self.hours @ self.provisioned[:, resource])
        return float(self.hours @ self.used[:, resource]) / provided if provided > 0 else 0.0
