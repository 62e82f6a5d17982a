"""How many servers are ordered at once: what must be bought now, in lots, and what pays to buy ahead."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.models._owned import Owned, Site
from planner.optimise.lots import Terms, lots
from planner.quantities import MONTHS_PER_YEAR

__all__ = ["bought_ahead"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDING: Final = 1e-9
"""Unit: fraction. Source: products of floats that should be whole are, to this."""


def bought_ahead(model: Owned, site: Site, used: Ints, growth: float) -> Ints:
    """[type], servers that are ordered with those that must be, because of lots or because later is dearer.

    Servers needed in later years are taken to grow like the demand; `used` [type] are needed now.
    """
    owned, multiple = site.servers.owned, model.order_multiple
    new = np.clip(used - owned, 0, None)
    buyable = np.flatnonzero(site.servers.buyable)
    if not used.any() or not len(buyable):
        return np.zeros_like(new)
    commonest = buyable[np.argmax(np.where(new.any(), new, used)[buyable])]
    total, must = int(used.sum()), int(new.sum())
    there = total - must if must else int(owned.sum())
    factor = (1.0 + max(growth, 0.0)) ** np.arange(model.look_ahead_years)
    needed = np.ceil(total * factor * (1 - _ROUNDING)).astype(np.int64)
    rounded = -new % multiple
    order = int(lots(needed, there, _terms(model, site, commonest)).bought[0])
    ahead = rounded.copy()
    ahead[commonest] += max(order - must - int(rounded.sum()), 0)
    return np.asarray(ahead)


def _terms(model: Owned, site: Site, kind: int) -> Terms:
    """What a server of one type costs in years to come, in money of today. What is left of its life in the end is worth
    what as much of a new one costs by then."""
    year = np.arange(float(model.look_ahead_years))
    price = float(site.servers.column("usd_per_unit")[kind])
    life = float(site.servers.column("lifetime_months")[kind]) / MONTHS_PER_YEAR
    keep = (float(site.usd[kind]) - price / life / MONTHS_PER_YEAR) * MONTHS_PER_YEAR
    today = (1.0 + model.interest_per_year) ** -year
    paid = price * (1 + model.server_price_growth_per_year) ** year
    left = paid[-1] * np.clip(1 - (len(year) - year) / life, 0, None) * (1.0 + model.interest_per_year) ** -len(year)
    return Terms(
        unit_usd=np.clip(paid * today - left, 0, None),
        keep_usd=keep * today / (1.0 + model.interest_per_year) ** 0.5,
        order_usd=np.zeros(len(year)),
        multiple=model.order_multiple,
        least=model.order_least,
    )
