"""Periods one after the other: each begins with the boxes of the one before and is improved from there.

A box that ran in the period before is still there: using it again costs that it stays for one period more, where a new
one costs the period and the `lag` it stays after. So boxes come in three blocks: kept ones that are paid for anyway,
those still there, and new ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.compiled import kernel
from planner.optimise.packing.firstfit import downsized, first_fit
from planner.optimise.packing.instance import ENDLESS, Instance, instance
from planner.optimise.packing.piles import Pile, fold, remapped, single
from planner.optimise.packing.pricing import trimmed
from planner.optimise.packing.recreate import Effort, recreated
from planner.optimise.packing.types import Boxes, Items
from planner.optimise.packing.whole import Plan

__all__ = ["SUNK", "Stock", "chained"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SUNK = 1e-3
"""Unit: fraction of the price. Source: a box that is paid for anyway is taken before any other."""


@dataclass(frozen=True)
class Stock:
    """Boxes that are kept, and types of boxes that come and go."""

    kept: Boxes
    """`available` of each type, at the price of one."""
    pools: Boxes
    lag: int
    """Periods that a box stays after it held something."""

    def boxes(self, there: Ints) -> Boxes:
        """Kept boxes, those still `there` [pool], and new ones."""
        usd = np.asarray(self.pools.usd, float)
        kept = np.zeros(len(self.kept.usd)) if self.kept.available is None else self.kept.available
        return Boxes(
            np.vstack([self.kept.room, self.pools.room, self.pools.room]),
            np.concatenate([np.asarray(self.kept.usd, float) * SUNK, usd, usd * (1 + self.lag)]),
            None,
            np.concatenate([kept, there, np.full(len(usd), ENDLESS)]).astype(np.int64),
        )

    def next(self, pile: Pile) -> Pile:
        """The same boxes a period later: new ones are still there."""
        first, pools = len(self.kept.usd), len(self.pools.usd)
        return replace(pile, box=np.where(pile.box >= first + pools, pile.box - pools, pile.box))

    def opened(self, pile: Pile) -> tuple[Ints, Ints]:
        """Boxes that hold something, [kept type] and [pool]."""
        first, pools = len(self.kept.usd), len(self.pools.usd)
        count = pile.opened(first + 2 * pools)
        return count[:first], count[first : first + pools] + count[first + pools :]


def chained(periods: Iterable[tuple[Items, float]], stock: Stock, price: Floats, seed: int) -> Iterator[Ints]:
    """[pool], how many boxes that come and go hold something in each period.

    Args:
        periods: the same classes with the sizes and counts of each period; `fits` [class, kept types and pools]. And
            seconds of ruin and recreate, as it would take on a quiet core (counted in steps).
        stock: what into.
        price: [kept types and pools, resource], what a unit is worth, by which wasteful boxes are known.
        seed: where random numbers start.
    """
    before: Pile | None = None
    first, pools = len(stock.kept.usd), len(stock.pools.usd)
    worth = np.vstack([price, price[first:]])
    for number, (items, seconds) in enumerate(periods):
        there = np.zeros(pools, np.int64) if before is None else stock.opened(before)[1]
        fits = None if items.fits is None else np.hstack([items.fits, items.fits[:, first:]])
        question = instance(replace(items, fits=fits), stock.boxes(there))
        begun = Plan(*first_fit(question)) if before is None else _carried(question, stock.next(before))
        value = _worth(question, items.size @ worth.T)
        plan = _improved(question, begun, value, Effort(seconds, 0, seed + number))
        before = remapped(plan.pile, question.owner, np.asarray(items.count, np.int64))
        yield stock.opened(before)[1]


def _improved(question: Instance, plan: Plan, value: Floats, effort: Effort) -> Plan:
    """A plan that costs no more, and that places all where first fit does."""
    pile, left = recreated(question, plan.pile, plan.left, value, effort)
    found = plan.better(question, Plan(downsized(question, pile), left))
    return found if not found.left.any() else found.better(question, Plan(*first_fit(question)))


def _worth(question: Instance, each: Floats) -> Floats:
    """[folded class], in integers of usd, the least over the types that hold an item; `each` [class, type]."""
    least = np.where(question.most[question.owner] > 0, each, np.inf).min(axis=1)
    value = np.zeros(len(question.count))
    value[question.owner] = np.where(np.isfinite(least), least, 0.0) * float(question.usd_scale)
    return value


def _carried(question: Instance, before: Pile) -> Plan:
    """Boxes over given classes with what is left in them of their items, and with what of it still fits."""
    pile = replace(before, item=question.owner[before.item]).unfolded()
    table = np.zeros((len(pile.box), len(question.count)), np.int64)
    np.add.at(table, (np.repeat(np.arange(len(pile.box)), pile.lengths), pile.item), pile.amount)
    ahead = np.cumsum(table, axis=0) - table
    table = np.clip(question.count - ahead, 0, table)
    _kept(question.size, question.room[pile.box], question.group, question.cap, question.share.sum(axis=1), table)
    full = table.any(axis=1)
    return Plan(fold(single(pile.box[full], table[full])), question.count - table.sum(axis=0))


@kernel
def _kept(size: Ints, room: Ints, group: Ints, cap: Ints, value: Floats, table: Ints) -> None:
    """Takes out of each box [box, class] what no longer fits, in place."""
    for b in range(len(table)):
        trimmed(size, room[b], group, cap, value, table[b])
