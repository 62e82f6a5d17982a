"""Ruin and recreate: a few wasteful boxes are emptied and filled anew, and kept where that is no dearer. Compiled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.compiled import kernel, summed
from planner.optimise.packing.instance import Instance
from planner.optimise.packing.piles import Pile, fold, single
from planner.optimise.packing.refill import cheapest_for_all, fill, squeeze

__all__ = ["Effort", "recreated"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Counts = NDArray[np.int32]
STEPS = 0.9e9
"""Unit: steps a second, one row each. Source: measured on one core of the machine that the README names."""

LOOKED = 12
"""Unit: types. Source: of more, so many are tried for a box, spread over all; trying all would take longer."""
PATIENCE = 5e3
"""Unit: steps a box and class without a better plan. Source: small questions end soon, planted optima are found."""


@dataclass(frozen=True)
class Effort:
    """How long to look, the cost at which to stop, and where the random numbers start."""

    seconds: float
    """As it would take on a quiet core; counted in steps, not by the clock."""
    stop: int
    seed: int


def recreated(question: Instance, pile: Pile, left: Ints, value: Floats, effort: Effort) -> tuple[Pile, Ints]:
    """A pile that costs no more and leaves no more over.

    Args:
        question: what is packed.
        pile: where to start.
        left: [class], items without a box.
        value: [class], what an item is worth (duals): boxes that cost more than their content is worth go first.
        effort: when to stop.
    """
    bins = pile.unfolded()
    if not len(bins.box):
        return pile, left
    slots = len(bins.box) + 64
    held = np.zeros((slots, len(question.count)), np.int32)
    held[: len(bins.box)] = bins.matrix(len(question.count))
    kind = np.full(slots, -1)
    kind[: len(bins.box)] = bins.box
    free = question.available - pile.opened(len(question.usd))
    over = left.copy()
    top = np.maximum(question.room.max(axis=0), 1)
    share = question.size / top
    patience = PATIENCE * float(pile.times.sum() + 1) * len(left)
    budget = effort.seconds * STEPS / (6 + 2 * share.shape[1])
    penalty = float(question.usd.sum() + 1) * 10.0
    _recreate(
        question.size, share, question.room, question.usd, question.most, question.group, question.cap,
        value, kind, held, free, over, penalty, budget, patience,
        effort.stop, effort.seed,
    )  # fmt: skip
    used = kind >= 0
    return fold(single(kind[used], held[used])), over


@kernel
def _recreate(
    size: Ints, share: Floats, room: Ints, usd: Ints, most: Ints, group: Ints, cap: Ints,
    value: Floats, kind: Ints, held: Counts, free: Ints, over: Ints,
    penalty: float, budget: float, patience: float, stop: int, seed: int,
) -> None:  # fmt: skip
    """Improve kind [slot], held [slot, class], free [box] and over [class] in place."""
    np.random.seed(seed)
    slots, m = held.shape
    kinds, rows = len(usd), size.shape[1]
    stride = 1  # shares no factor with the number of types, or some would never be looked at
    if kinds > LOOKED:
        stride = 7 if kinds % 7 else (11 if kinds % 11 else 13)
    pool, active = np.zeros(m, np.int64), np.zeros(m, np.int64)
    noise = np.ones(m)
    out, best_out = np.zeros(m, np.int64), np.zeros(m, np.int64)
    rest, grouped = np.zeros(rows, np.int64), np.zeros(max(1, len(cap)), np.int64)
    new_kind, new_held = np.zeros(slots, np.int64), np.zeros((64, m), np.int32)
    used, used_at = np.zeros(slots, np.int64), np.zeros(slots, np.int64)
    boxes = 0
    cost = 0
    for b in range(slots):
        if kind[b] >= 0:
            used[boxes] = b
            used_at[b] = boxes
            boxes += 1
            cost += usd[kind[b]]
    vacant = np.zeros(slots, np.int64)
    vacancies = 0
    for b in range(slots - 1, -1, -1):
        if kind[b] < 0:
            vacant[vacancies] = b
            vacancies += 1
    loss = np.zeros(slots)
    for u in range(boxes):
        b = used[u]
        worth = 0.0
        for i in range(m):
            worth += held[b, i] * value[i]
        loss[b] = max(0.0, usd[kind[b]] - worth)
    missing = summed(over)
    saved_kind = np.zeros(32, np.int64)
    saved_held = np.zeros((32, m), np.int32)
    saved_at = np.zeros(32, np.int64)
    squeezed, squeezed_amount = np.zeros(24, np.int64), np.zeros((24, m), np.int64)
    squeezed_active = np.zeros(m, np.int64)
    work, since = 0.0, 0.0
    while work < budget and work - since < patience:
        if (cost <= stop and missing == 0) or boxes == 0:
            break
        work += 20.0 + 0.5 * m
        ruin = min(boxes, 1 + np.random.randint(1, 6))
        if np.random.random() < 0.1:
            ruin = min(boxes, 1 + np.random.randint(4, 12))
        emptied, old = 0, 0
        for i in range(m):
            pool[i] = over[i]
        for q in range(ruin):
            pick = used[np.random.randint(boxes)]
            rounds = 4 if q == 0 else (2 if np.random.random() < 0.5 else 0)
            for _ in range(rounds):
                other = used[np.random.randint(boxes)]
                if loss[other] > loss[pick]:
                    pick = other
            if kind[pick] < 0:
                continue
            saved_at[emptied], saved_kind[emptied] = pick, kind[pick]
            old += usd[kind[pick]]
            for i in range(m):
                saved_held[emptied, i] = held[pick, i]
                pool[i] += held[pick, i]
            free[kind[pick]] += 1
            kind[pick] = -1
            emptied += 1
            # the slot leaves the list of used ones, so that it is not picked twice
            last = used[boxes - 1]
            used[used_at[pick]], used_at[last] = last, used_at[pick]
            boxes -= 1
        count = 0
        for i in range(m):
            if pool[i] > 0:
                active[count] = i
                count += 1
        spread = 0.0
        dice = np.random.random()
        if dice < 0.4:
            spread = 0.15
        elif dice < 0.8:
            spread = 0.5
        for a in range(count):
            noise[a] = np.exp(spread * np.random.normal())
        style = np.random.randint(2)
        squeezes = 0
        if boxes > 0 and np.random.random() < 0.5:
            for a in range(count):
                squeezed_active[a] = active[a]
            squeezed_count = count
            for _ in range(min(24, boxes, 6 + ruin)):
                b = used[np.random.randint(boxes)]
                again = False
                for s in range(squeezes):
                    again = again or squeezed[s] == b
                if again:
                    continue
                work += 0.3 * m + squeezed_count
                moved = squeeze(
                    b, kind, held, pool, squeezed_active, int(squeezed_count), size, room, most, group, cap, rest, out
                )
                if moved > 0:
                    squeezed[squeezes] = b
                    for a in range(squeezed_count):
                        i = squeezed_active[a]
                        squeezed_amount[squeezes, i] = out[a]
                        held[b, i] += out[a]
                        pool[i] -= out[a]
                    squeezes += 1
        new, made = 0, 0
        enough = old + (0 if missing == 0 else int(penalty))
        while made < 64 and made < vacancies + emptied:
            kept = 0
            for a in range(count):
                if pool[active[a]] > 0:
                    active[kept] = active[a]
                    noise[kept] = noise[a]
                    kept += 1
            if squeezes == 0:
                count = kept
            total = kept
            if total == 0:
                break
            last_one = cheapest_for_all(
                pool, active, int(total), size, room, usd, most, group, cap, free, rest, grouped
            )
            best_k, best_rate = -1, np.inf
            offset, looked = np.random.randint(kinds), min(kinds, LOOKED)
            for step in range(looked):
                k = (offset + step * stride) % kinds
                if free[k] <= 0:
                    continue
                work += fill(
                    k, pool, active, int(total), size, share, room, most, group, cap, noise, style, out, rest, grouped
                )
                worth, items = 0.0, 0
                for a in range(total):
                    worth += out[a] * (value[active[a]] + 1e-9)
                    items += out[a]
                if items == 0:
                    continue
                rate = (usd[k] + 1e-6) / worth
                if rate < best_rate:
                    best_k, best_rate = k, rate
                    for a in range(total):
                        best_out[a] = out[a]
            if last_one >= 0:
                worth = 0.0
                for a in range(total):
                    worth += pool[active[a]] * (value[active[a]] + 1e-9)
                if best_k < 0 or new + usd[last_one] <= enough or (usd[last_one] + 1e-6) / worth <= best_rate:
                    best_k = last_one
                    for a in range(total):
                        best_out[a] = pool[active[a]]
            count = total
            if best_k < 0:
                break
            new += usd[best_k]
            free[best_k] -= 1
            new_kind[made] = best_k
            for i in range(m):
                new_held[made, i] = 0
            for a in range(total):
                new_held[made, active[a]] = best_out[a]
                pool[active[a]] -= best_out[a]
            made += 1
            if new > enough:
                break
        remains = summed(pool)
        better = remains < missing or (remains == missing and new <= old)
        if better:
            if remains < missing or new < old:
                since = work
            for i in range(m):
                over[i] = pool[i]
            missing = remains
            cost += new - old
            for q in range(emptied):
                vacant[vacancies] = saved_at[q]
                vacancies += 1
            for q in range(made):
                vacancies -= 1
                b = vacant[vacancies]
                kind[b] = new_kind[q]
                worth = 0.0
                for i in range(m):
                    held[b, i] = new_held[q, i]
                    worth += held[b, i] * value[i]
                loss[b] = max(0.0, usd[kind[b]] - worth)
                used[boxes], used_at[b] = b, boxes
                boxes += 1
            for s in range(squeezes):
                b, worth = squeezed[s], 0.0
                for i in range(m):
                    worth += held[b, i] * value[i]
                loss[b] = max(0.0, usd[kind[b]] - worth)
        else:
            for q in range(made):
                free[new_kind[q]] += 1
            for s in range(squeezes):
                for a in range(squeezed_count):
                    i = squeezed_active[a]
                    held[squeezed[s], i] -= squeezed_amount[s, i]
            for q in range(emptied):
                b = saved_at[q]
                kind[b] = saved_kind[q]
                free[kind[b]] -= 1
                used[boxes], used_at[b] = b, boxes
                boxes += 1
        if better:
            for q in range(emptied):
                if kind[saved_at[q]] < 0:
                    for i in range(m):
                        held[saved_at[q], i] = 0
