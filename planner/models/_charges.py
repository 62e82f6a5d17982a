"""What comes with a server: one meter of the bill each, so that the cost of a box and its lines cannot differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from math import ceil
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.models._servers import Servers
from planner.plan import Category, Line, line, metered

__all__ = ["Charge", "Load", "billed", "monthly", "unit_usd"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Load:
    """What does not come with a server, or how much of a meter comes with one unit of it."""

    storage_gb: float = 0.0
    """Raw disks, decimal gigabytes."""
    busy_kwh: float = 0.0
    """Drawn in a month by the servers because they work, on top of standing idle; as price rows tell watts."""
    network_gb: float = 0.0
    """Sent out in a month, decimal gigabytes."""
    os_licences: float = 0.0
    """Of operating systems, beyond one set for each server."""
    guests: float = 0.0
    """Virtual machines."""

    def __matmul__(self, other: Load) -> float:
        """Sum of the products."""
        return float(sum(a * b for a, b in zip(astuple(self), astuple(other), strict=True)))


NOTHING: Final = Load()


@dataclass(frozen=True)
class Charge:
    """One meter: what each server adds to it in a month (bought things: at all), and what each unit of load."""

    tiers: pd.DataFrame
    """Price rows of one offer, lowest tier first."""
    category: Category
    per_server: Floats
    """[type], in the unit of the offer."""
    per_load: Load = NOTHING
    """In the unit of the offer."""
    whole: bool = False
    """Sold in whole pieces only."""
    least: float = 0.0
    """The smallest quantity sold, where any is."""

    def lines(self, count: Ints, load: Load) -> list[Line]:
        """The lines for `count` [type] servers under a load."""
        quantity = float(count @ self.per_server) + self.per_load @ load
        quantity = max(ceil(quantity - 1e-9) if self.whole else quantity, self.least if quantity > 0 else 0.0)
        if quantity <= 0:
            return []
        bought = not pd.isna(self.tiers["lifetime_months"].iloc[0])
        return (
            [line(self.tiers.iloc[0], quantity, self.category)]
            if bought
            else metered(self.tiers, quantity, self.category)
        )


def unit_usd(tiers: pd.DataFrame) -> float:
    """Price of one unit in a month: of the first tier, over its life where bought."""
    lifetime = tiers["lifetime_months"].iloc[0]
    return float(tiers["usd_per_unit"].iloc[0]) / (1.0 if pd.isna(lifetime) else float(lifetime))


def monthly(servers: Servers, charges: Sequence[Charge]) -> Floats:
    """[type], what one more server costs in a month with all that comes with it, doing nothing."""
    own = servers.column("usd_per_unit") / servers.column("lifetime_months")
    return own + sum((c.per_server * unit_usd(c.tiers) for c in charges), np.zeros(len(own)))


def billed(servers: Servers, charges: Sequence[Charge], count: Ints, load: Load) -> list[Line]:
    """All lines for `count` [type] servers: themselves, what comes with them, and what their load adds."""
    bought = [line(servers.offers.iloc[t], float(count[t]), "compute") for t in np.flatnonzero(count)]
    return bought + [entry for charge in charges for entry in charge.lines(count, load)]
