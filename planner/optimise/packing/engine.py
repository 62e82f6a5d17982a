"""The packing engine's door: the question is checked, asked in integers, searched and answered."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np

from planner.errors import InputError
from planner.optimise.packing.answer import Found, answered, placed
from planner.optimise.packing.checks import check
from planner.optimise.packing.firstfit import first_fit
from planner.optimise.packing.instance import Instance, instance
from planner.optimise.packing.piles import Pile, fold, remapped
from planner.optimise.packing.search import Search, Settings
from planner.optimise.packing.types import Boxes, Items, Packing
from planner.optimise.packing.volume import certified, mixed
from planner.optimise.packing.whole import Plan
from planner.optimise.packing.zones import zoned
from planner.optimise.packing.zonesearch import ZoneSearch

__all__ = ["pack"]


def pack(
    items: Items, boxes: Boxes, gap: float = 2e-4, effort: float = 1.0, seconds: float | None = None, seed: int = 0
) -> Packing:
    """Pack all items at the least cost, and prove how little less it could be.

    Args:
        items: what to pack.
        boxes: what into.
        gap: stop once cost / bound - 1 is no more.
        effort: scales iteration and node budgets; 0: first fit decreasing and the level-1 bound only.
        seconds: a hard stop, told in `method` where it cut the search short; the answer then depends on the clock.
        seed: of the randomised steps.

    Raises:
        InputError: numbers that mean nothing (negative, NaN, empty, zero-size, infinite).
    """
    check(items, boxes)
    for name, value in (("gap", gap), ("effort", effort), ("seconds", 0.0 if seconds is None else seconds)):
        if not 0 <= value < inf:
            raise InputError(f"{name}: {value}, expected a number of 0 or more")
    question, settings = instance(items, boxes), Settings(gap, effort, seconds, seed)
    found = _found(question, settings)
    if np.ndim(items.size) == 3:
        found = _no_worse_than_by_peak(items, boxes, (question, found), settings)
    return answered(items, boxes, question, found)


def _found(question: Instance, settings: Settings) -> Found:
    wide = zoned(question)
    return (Search(question, settings) if wide is None else ZoneSearch(question, wide, settings)).found()


def _plan(question: Instance, settings: Settings) -> Plan:
    """What `pack` would open, without a bound where none is needed."""
    if settings.effort <= 0 and question.zones.max(initial=1) < 2:
        return Plan(*first_fit(question))
    found = _found(question, settings)
    return Plan(found.pile, found.left)


def _no_worse_than_by_peak(items: Items, boxes: Boxes, ours: tuple[Instance, Found], settings: Settings) -> Found:
    """What was found by profile, or by the largest needs of all periods where that came out better.

    What is packed by peak fits in every period, so nobody should pay for a search that ended badly.
    """
    question, found = ours
    peak = instance(replace(items, size=np.asarray(items.size, float).max(axis=1)), boxes)
    if settings.effort > 0 and not found.left.any():
        least = certified(peak, mixed(peak).price, peak.count).level1 / peak.usd_scale
        if float(found.pile.opened(len(question.usd)) @ question.dollars) <= float(least):
            return found
    other = _plan(peak, settings)
    given = remapped(other.pile, peak.owner, placed(peak.owner, items.count, other.left))
    pile = fold(replace(given, item=question.owner[given.item]))
    theirs = Plan(pile, question.count - pile.covered(len(question.count)))
    if Plan(found.pile, found.left).better(question, theirs) is not theirs or not _holds(question, pile):
        return found
    return replace(found, pile=pile, left=theirs.left, method=found.method + "; the plan is one by peak")


def _holds(question: Instance, pile: Pile) -> bool:
    """Whether no box is overfull in integers."""
    load = np.zeros((len(pile.box), question.size.shape[1]), np.int64)
    np.add.at(load, np.repeat(np.arange(len(pile.box)), pile.lengths), pile.amount[:, None] * question.size[pile.item])
    return bool((load <= question.room[pile.box]).all())
