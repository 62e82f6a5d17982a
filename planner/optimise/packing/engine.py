"""The packing engine: bound first, then columns, then whole boxes."""

from __future__ import annotations

from time import perf_counter

from planner.optimise.packing.answer import Found, answered
from planner.optimise.packing.checks import check
from planner.optimise.packing.firstfit import first_fit
from planner.optimise.packing.instance import Instance, instance
from planner.optimise.packing.types import Boxes, Items, Packing
from planner.optimise.packing.volume import certified, mixed

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
    question = instance(items, boxes)
    return answered(items, boxes, question, _quick(question))


def _quick(question: Instance) -> Found:
    begun = perf_counter()
    pile, left = first_fit(question)
    planned = perf_counter()
    prices = certified(question, mixed(question).price, question.count - left)
    details = {"plan_seconds": planned - begun, "level1_seconds": perf_counter() - planned}
    return Found(pile, left, prices, None, "first fit decreasing; level-1 bound", details)
