"""What comes with a server: one meter of the bill each, so that the cost of a box and its lines cannot differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.models._servers import Servers
from planner.plan import Category, Line, line, metered

__all__ = ["Charge", "billed", "monthly", "unit_usd"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Charge:
    """One meter: what each server adds to it in a month (bought things: at all), and what comes on top."""

    tiers: pd.DataFrame
    """Price rows of one offer, lowest tier first."""
    category: Category
    per_server: Floats
    """[type], in the unit of the offer."""
    on_top: float = 0.0
    """What does not come with a server, in the same unit."""
    whole: bool = False
    """Sold in whole pieces only."""
    least: float = 0.0
    """The smallest quantity sold, where any is."""

    def lines(self, count: Ints) -> list[Line]:
        """The lines for `count` [type] servers."""
        quantity = float(count @ self.per_server) + self.on_top
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


def billed(servers: Servers, charges: Sequence[Charge], count: Ints) -> list[Line]:
    """All lines for `count` [type] servers: themselves, and what comes with them."""
    bought = [line(servers.offers.iloc[t], float(count[t]), "compute") for t in np.flatnonzero(count)]
    return bought + [entry for charge in charges for entry in charge.lines(count)]
