"""When to buy how many of what is kept: lots over years, exact by dynamic programming over how many are owned."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

__all__ = ["Lots", "Terms", "lots"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Terms:
    """What buying and keeping costs; amounts of later years as they are worth today, none below 0."""

    unit_usd: Floats
    """[year], one bought at the start of the year."""
    keep_usd: Floats
    """[year], one kept through the year."""
    order_usd: Floats
    """[year], an order, however large."""
    multiple: int = 1
    """Sold in multiples of this."""
    least: int = 1
    """The fewest in an order."""

    @property
    def step(self) -> int:
        """Multiples in the smallest order."""
        return max(ceil(self.least / self.multiple), 1)


@dataclass(frozen=True)
class Lots:
    """What to buy, year by year."""

    bought: Ints
    """[year]."""
    usd: float
    """Buying and keeping, over all years."""


def lots(needed: Ints, owned: int, terms: Terms) -> Lots:
    """The cheapest purchases with which so many are owned in every year as are needed; nothing is given back.

    Exact: for every year and number owned, the least that the years from then on cost. Nobody buys when as many are
    owned as will ever be needed, so the numbers are few; the least over all orders is a running minimum, because an
    order costs a fixed part and the same for each. Of purchases that cost the same, the later and smaller ones.
    Source: Wagner and Whitin 1958, with orders of a least size.

    Args:
        needed: [year].
        owned: at the start.
        terms: of buying and keeping.

    >>> year = np.ones(3)
    >>> lots(np.array([6, 12, 12]), 0, Terms(10 * year, year, 0 * year, least=10)).bought
    array([12,  0,  0])
    """
    most = max(int(needed.max(initial=0)) - owned, 0)
    level = owned + terms.multiple * np.arange(ceil(most / terms.multiple) + terms.step + 1)
    worth, choice = np.zeros(len(level)), []
    for year in reversed(range(len(needed))):
        kept = np.where(level >= needed[year], worth + terms.keep_usd[year] * level, np.inf)
        worth, to = _before(kept, level, (terms.unit_usd[year], terms.order_usd[year]), terms.step)
        choice.append(to)
    bought, at = np.zeros(len(needed), np.int64), 0
    for year, to in enumerate(reversed(choice)):
        bought[year] = level[to[at]] - level[at]
        at = int(to[at])
    return Lots(bought, float(worth[0]))


def _before(kept: Floats, level: Ints, usd: tuple[float, float], step: int) -> tuple[Floats, Ints]:
    """[level], what the years cost from here when so many are owned before this year's order, and [level] after it."""
    each, order = usd
    here = np.arange(len(level))
    after, best = _least_from(kept + each * level)
    buying = np.full(len(level), np.inf)
    buying[:-step] = order + after[step:] - each * level[:-step]
    to = here.copy()
    to[:-step] = best[step:]
    buys = buying < kept
    return np.where(buys, buying, kept), np.where(buys, to, here)


def _least_from(values: Floats) -> tuple[Floats, Ints]:
    """[i], the least of values[i:], and where it stands first."""
    turned = values[::-1]
    least = np.minimum.accumulate(turned)
    where = np.maximum.accumulate(np.where(turned <= least, np.arange(len(values)), 0))
    return least[::-1], (len(values) - 1 - where)[::-1].astype(np.int64)
