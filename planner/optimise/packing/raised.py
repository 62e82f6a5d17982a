"""A bound for giants: each pays its whole box, less what the room it leaves could earn at most. Exact."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.giants import Recipes, giants
from planner.optimise.packing.instance import Instance
from planner.optimise.packing.proof import Duals, Prices
from planner.optimise.packing.volume import exact_sum

__all__ = ["raised"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FACTORS = (1.0, 1.25, 1.5, 2.0, 3.0)
"""Unit: ratio. Source: prices of room beside giants come from clusters' means; dearer ones spare single items."""
APART = 1e-3
"""Unit: share of a box's price. Source: prices nearer than that are one and the same."""
EXACT = "exact: no box holds two of the classes that pay for the room they spoil, and all others pay by size"


def raised(question: Instance, prices: Prices, recipes: Recipes) -> Duals | None:
    """The best duals from the prices of room in boxes with giants; none where these gain nothing.

    Proof: let common items pay the least of what any of the prices asks for their size, and a giant in a box of type k
    no more than that box's price less the least that any of the prices asks for the room beside it. A box without
    giants is worth no more than its room at its own level-1 prices, one with a giant no more than its price; there are
    no boxes with two.
    """
    beside = _beside(question, recipes)
    if not len(beside) or question.limited.any():
        return None
    top = float((beside * question.room.max(axis=0)).sum(axis=1).max()) * max(FACTORS)
    shift = max(0, int(np.ceil(np.log2(max(1.0, top * prices.scale / 2.0**60)))))
    scale, own = prices.scale >> shift, prices.price >> shift
    usual = own[recipes.kind[~recipes.giant]]
    worth = _Worth(question, giants(question), _paid(question, own), usual, scale)
    best = max((worth.duals(np.floor(beside * factor * scale).astype(np.int64)) for factor in FACTORS), key=_level2)
    return best if best.level2 > prices.level1 else None


def _level2(duals: Duals) -> Fraction:
    return duals.level2


def _beside(question: Instance, recipes: Recipes) -> Floats:
    """[price, row], the different prices in boxes with giants, in usd integers, unlike those of any box without."""
    worth = recipes.price * question.room.max(axis=0) / max(1, question.usd.max())
    rounded = np.rint(worth / APART)
    _, first = np.unique(rounded[recipes.giant], axis=0, return_index=True)
    plain = worth[~recipes.giant]
    here = np.flatnonzero(recipes.giant)[np.sort(first)]
    return recipes.price[[j for j in here if not (abs(plain - worth[j]) <= 2 * APART).all(axis=1).any()]]


def _paid(question: Instance, own: Ints) -> Ints:
    """[class], the least an item pays in any type it fits; 0 where it fits none."""
    pays = np.full(len(question.count), np.iinfo(np.int64).max)
    for k, price in enumerate(own):
        pays = np.where(question.most[:, k] > 0, np.minimum(pays, question.size @ price), pays)
    return np.where((question.most > 0).any(axis=1), pays, 0)


@dataclass(frozen=True)
class _Worth:
    """What items pay by size, before giants pay more."""

    question: Instance
    large: NDArray[np.bool_]
    """[class]."""
    pays: Ints
    """[class], over `scale`."""
    usual: Ints
    """[price, row], those of boxes without giants."""
    scale: int

    def duals(self, more: Ints) -> Duals:
        """Integer duals with prices `more` [price, row] of room beside giants; a box is worth at most its price."""
        question, common = self.question, self.pays.copy()
        for price in more:
            common = np.minimum(common, question.size @ price)
        usual = [p for p in self.usual if (self.large | (question.size @ p >= common)).all()]
        value = np.where(self.large, self.pays, common)
        spoilt = _spoilt(question, self.large, np.vstack([more, *usual]), self.scale)
        value[self.large] = np.maximum(value[self.large], spoilt)
        total = exact_sum(value, question.count)
        upper = tuple(int(c) * self.scale for c in question.usd)
        return Duals(value, self.scale, upper, Fraction(total, self.scale), EXACT)


def _spoilt(question: Instance, large: NDArray[np.bool_], beside: Ints, scale: int) -> Ints:
    """[giant], the least in any type it fits of the box's price less what the room beside it earns at most."""
    size, fits = question.size[large], question.most[large] > 0
    least = np.full(len(size), np.iinfo(np.int64).max)
    for k, usd in enumerate(question.usd):
        rest = np.maximum(question.room[k] - size, 0)
        earned = (rest @ beside.T).min(axis=1)
        least = np.where(fits[:, k], np.minimum(least, int(usd) * scale - earned), least)
    return least
