"""Every box that a cheaper plan could use, where these are few, and the best choice among them.

At duals that prove a bound no box is worth more than it costs. What a plan costs above the bound is the sum of what its
boxes lack of their cost, so a plan cheaper than the best one known uses only boxes that lack less than the gap.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.columns import Columns
from planner.optimise.packing.compiled import kernel
from planner.optimise.packing.instance import Instance
from planner.optimise.packing.knapsack import relaxed
from planner.optimise.packing.pricing import GROUPS, View, views
from planner.optimise.packing.whole import Plan, cost, picked
from planner.optimise.solver import Limits

__all__ = ["completed"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FEW = 6_000
"""Unit: boxes. Source: a whole-number program over so many takes seconds; triplets of 120 have some thousand."""
LOOKS = 4_000_000
"""Unit: partly filled boxes. Source: some tenths of a second."""
SAFE = 1e-7
"""Unit: fraction of a box. Source: duals are doubles; what a box lacks is told to this."""


def completed(question: Instance, columns: Columns, plan: Plan, limits: Limits) -> Plan:
    """The best plan from all boxes that one cheaper than `plan` could use, or `plan` where those are many or worse."""
    usd = question.usd.astype(float)
    if question.limited.any() or (usd <= 0).any() or len(question.cap) > GROUPS:
        return plan
    # where pricing proved nothing better, the duals are the prices of level 1, at which no box is worth more
    upper = np.where(np.isfinite(columns.upper), columns.upper, usd)
    value = columns.value / max(1.0, float((upper / usd).max()))
    proved, best = float(question.count @ value), cost(question, plan.pile)
    for aim in sorted({min(best - 1, ceil(proved - SAFE)), best - 1}):
        known = _all(question, value, aim - proved)
        if known is None or cost(question, plan.pile) <= aim:
            return plan
        if np.asarray(known[1].any(axis=0))[question.count > 0].all():
            plan = picked(question, known, plan, limits)
    return plan


def _all(question: Instance, value: Floats, spare: float) -> tuple[Ints, Ints] | None:
    """Every box that lacks no more than `spare` at `value`, (type, content); None where there are too many."""
    kinds: list[Ints] = []
    tables: list[Ints] = []
    for view in views(question, np.arange(question.size.shape[1])):
        price = float(question.usd[view.box])
        some = _listed(view, value, price - spare - SAFE * price, FEW - sum(len(k) for k in kinds))
        if some is None:
            return None
        table = np.zeros((len(some), len(question.count)), np.int64)
        table[:, view.classes] = some
        kinds.append(np.full(len(some), view.box))
        tables.append(table)
    return np.concatenate(kinds), np.vstack(tables)


def _listed(view: View, value: Floats, least: float, most: int) -> Ints | None:
    """[content, class of the view], every content worth at least `least`; None where there are more than `most`."""
    here = value[view.classes]
    order = np.argsort(-(view.size / np.maximum(view.room, 1.0)[:, None]).sum(axis=0), kind="stable")
    size = np.ascontiguousarray(view.size[:, order])
    out = np.zeros((max(most, 1), len(here)), np.int32)
    x, price = np.zeros(len(here)), np.zeros(len(view.room))
    if not len(here) or most < 1:
        return out[:0].astype(np.int64) if not len(here) else None
    relaxed(here[order], size, view.room, view.high[order], x, price)
    found = _enumerated(here[order], size, view.room, view.high[order], price, least, out, LOOKS)
    if found < 0:
        return None
    table = np.zeros((found, len(here)), np.int64)
    table[:, order] = out[:found]
    return table


@kernel
def _enumerated(
    value: Floats, size: Floats, room: Floats, high: Floats, price: Floats, least: float, out: NDArray[np.int32],
    looks: int,
) -> int:  # fmt: skip
    """Fill rows of `out` with every content worth `least`; how many, -1 where there is no end of them.

    Items are taken in order, each again or one after it; a branch ends where the worth so far, the room left at
    `price` and what later items are worth beyond that do not reach `least`.
    """
    d, m = size.shape
    beyond, longest = np.zeros(m + 1), 2
    for j in range(m - 1, -1, -1):
        longest += int(high[j])
        gain = value[j]
        for r in range(d):
            gain -= price[r] * size[r, j]
        beyond[j] = beyond[j + 1] + max(0.0, gain) * high[j]
    held, left = np.zeros(m, np.int32), room.copy()
    chain = np.zeros(longest, np.int64)
    depth, j, found, worth = 0, 0, 0, 0.0
    while True:
        looks -= 1
        if looks < 0:
            return -1
        bound = worth + beyond[j]
        for r in range(d):
            bound += price[r] * left[r]
        if j == m or bound < least:
            if depth == 0:
                return found
            depth -= 1
            j = chain[depth]
            held[j] -= 1
            worth -= value[j]
            for r in range(d):
                left[r] += size[r, j]
            j += 1
            continue
        inside = held[j] < high[j]
        for r in range(d):
            inside = inside and size[r, j] <= left[r] + 1e-9
        if not inside:
            j += 1
            continue
        chain[depth] = j
        depth += 1
        held[j] += 1
        worth += value[j]
        for r in range(d):
            left[r] -= size[r, j]
        if worth >= least:
            if found == len(out):
                return -1
            for i in range(m):
                out[found, i] = held[i]
            found += 1
