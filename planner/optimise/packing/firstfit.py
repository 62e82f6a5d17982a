"""First fit decreasing on classes: the quick answer, and the start of better ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.compiled import kernel
from planner.optimise.packing.instance import Instance, subset
from planner.optimise.packing.piles import Pile, fold, heap

__all__ = ["downsized", "first_fit", "in_bulk"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LOOKS = 60_000_000
"""Unit: boxes looked at. Source: a fraction of a second compiled; beyond it only the latest boxes are tried."""
MANY = 3_000
"""Unit: classes. Source: of so many most have few items; a box then costs by how much of it an item takes."""
BULK = 200_000
"""Unit: boxes. Source: a second; of more, so many are filled and taken as often as need be."""


def first_fit(question: Instance) -> tuple[Pile, Ints]:
    """Boxes filled largest item first, and how many items of each class found none."""
    most = np.maximum(1, question.most.max(axis=1))
    return in_bulk(question, float((question.count / most).sum()) / BULK, _fitted)


def in_bulk(
    question: Instance, times: float, fitted: Callable[[Instance], tuple[Pile, Ints]]
) -> tuple[Pile, Ints]:  # fmt: skip
    """What fits, for very many items as so many `times` the same boxes, and boxes for what that leaves.

    Time and space then grow with classes and not with items.
    """
    many = ceil(times)
    if many <= 1:
        return fitted(question)
    limited = question.limited
    part = subset(question, question.count // many, np.where(limited, question.available // many, question.available))
    pile, _ = fitted(part)
    pile = replace(pile, times=pile.times * many)
    rest = question.count - pile.covered(len(question.count))
    free = question.available - pile.opened(len(question.usd))
    most = np.maximum(1, question.most.max(axis=1))
    smaller = min(times / 2, times * float((rest / most).sum()) / max(1e-9, float((question.count / most).sum())))
    ending, left = in_bulk(subset(question, rest, free), smaller, fitted)
    return fold(heap([pile, ending])), left


def _fitted(question: Instance) -> tuple[Pile, Ints]:
    order = np.lexsort((np.arange(len(question.count)), -question.share.sum(axis=1)))
    window = max(64, LOOKS // max(1, len(order)))
    ahead = int(question.count.sum()) if len(order) > MANY else 1
    box, entry_box, entry_item, entry_amount, left = _first_fit(
        question.size, question.count, question.room, question.usd, question.most, question.available,
        question.group, question.cap, order, window, ahead,
    )  # fmt: skip
    by_box = np.argsort(entry_box, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(entry_box, minlength=len(box)))]).astype(np.int64)
    pile = Pile(box, np.ones(len(box), np.int64), start, entry_item[by_box], entry_amount[by_box])
    return downsized(question, pile), left


def downsized(question: Instance, pile: Pile) -> Pile:
    """Each box exchanged for the cheapest type that holds the same; equal boxes folded."""
    folded = fold(pile)
    if not len(folded.box):
        return folded
    room = question.available - folded.opened(len(question.usd))
    box, times, source = _downsized(
        question.size, question.room, question.usd, question.most, room, np.argsort(question.usd, kind="stable"),
        folded.box, folded.times, folded.start, folded.item, folded.amount,
    )  # fmt: skip
    lengths = folded.lengths[source]
    start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    entries = np.repeat(folded.start[source] - start[:-1], lengths) + np.arange(start[-1])
    return fold(Pile(box, times, start, folded.item[entries], folded.amount[entries]))


@kernel
def _grown(array: Ints) -> Ints:
    """The same numbers with as much space again."""
    larger = np.zeros(2 * len(array), np.int64)
    for i in range(len(array)):
        larger[i] = array[i]
    return larger


@kernel
def _place(keys: Ints, key: int) -> int:
    """Where `key` stands in an open hash table, or the empty place (-1) where it would."""
    mask = len(keys) - 1
    at = (key * 0x9E3779B97F4A7C1 >> 20) & mask
    while keys[at] >= 0 and keys[at] != key:
        at = (at + 1) & mask
    return at


@kernel
def _rehashed(keys: Ints, values: Ints) -> tuple[Ints, Ints]:
    """The same table with twice the places."""
    more_keys, more_values = np.full(2 * len(keys), -1), np.zeros(2 * len(keys), np.int64)
    for i in range(len(keys)):
        if keys[i] >= 0:
            at = _place(more_keys, keys[i])
            more_keys[at], more_values[at] = keys[i], values[i]
    return more_keys, more_values


@kernel
def _taller(table: Ints, rows: int, columns: int) -> Ints:
    """The same numbers in the corner of a larger table."""
    larger = np.zeros((rows, columns), np.int64)
    for i in range(table.shape[0]):
        for j in range(table.shape[1]):
            larger[i, j] = table[i, j]
    return larger


@kernel
def _opened(item: int, wanted: int, size: Ints, room: Ints, usd: Ints, most: Ints, left: Ints) -> int:
    """The type with the least cost per item where `wanted` like this one come, -1 where none is left that holds one."""
    best, best_cost = -1, np.inf
    for k in range(len(usd)):
        if most[item, k] > 0 and left[k] > 0:
            dominant = 1.0 / wanted
            for r in range(size.shape[1]):
                if size[item, r] > 0:
                    dominant = max(dominant, size[item, r] / room[k, r])
            dominant = max(dominant, 1.0 / most[item, k])
            cost = usd[k] * dominant
            if cost < best_cost * (1.0 - 1e-12):
                best, best_cost = k, cost
    return best


@kernel
def _first_fit(
    size: Ints, count: Ints, room: Ints, usd: Ints, most: Ints, available: Ints,
    group: Ints, cap: Ints, order: Ints, window: int, ahead: int,
) -> tuple[Ints, Ints, Ints, Ints, Ints]:  # fmt: skip
    """Place class after class into the first boxes with space; per placement one entry (box, class, amount)."""
    rows = size.shape[1]
    box, entry_box = np.zeros(1024, np.int64), np.zeros(1024, np.int64)
    entry_item, entry_amount = np.zeros(1024, np.int64), np.zeros(1024, np.int64)
    free = np.zeros((1024, rows), np.int64)
    keys, held, known = np.full(1024, -1), np.zeros(1024, np.int64), 0  # box x groups + group, items of it there
    boxes, entries, groups = 0, 0, len(cap)
    left, over = available.copy(), np.zeros(len(count), np.int64)
    for item in order:
        rest, b = count[item], max(0, boxes - window)
        g = group[item]
        while rest > 0:
            if b == boxes:
                k = _opened(item, max(rest, ahead), size, room, usd, most, left)
                if k < 0:
                    over[item] = rest
                    break
                if boxes == len(box):
                    box, free = _grown(box), _taller(free, 2 * boxes, rows)
                box[boxes] = k
                for r in range(rows):
                    free[boxes, r] = room[k, r]
                left[k] -= 1
                boxes += 1
            k = box[b]
            amount = min(rest, most[item, k])
            for r in range(rows):
                if amount == 0:
                    break
                if size[item, r] > 0 and free[b, r] < amount * size[item, r]:
                    amount = free[b, r] // size[item, r]
            if g >= 0 and amount > 0:
                at = _place(keys, b * groups + g)
                amount = min(amount, cap[g] - held[at] if keys[at] >= 0 else cap[g])
            if amount > 0:
                for r in range(rows):
                    free[b, r] -= amount * size[item, r]
                if g >= 0:
                    if 2 * known >= len(keys):
                        keys, held = _rehashed(keys, held)
                    at = _place(keys, b * groups + g)
                    known += keys[at] < 0
                    keys[at] = b * groups + g
                    held[at] += amount
                if entries == len(entry_box):
                    entry_box, entry_item, entry_amount = _grown(entry_box), _grown(entry_item), _grown(entry_amount)
                entry_box[entries], entry_item[entries], entry_amount[entries] = b, item, amount
                entries += 1
                rest -= amount
            b += 1
    return box[:boxes], entry_box[:entries], entry_item[:entries], entry_amount[:entries], over


@kernel
def _downsized(
    size: Ints, room: Ints, usd: Ints, most: Ints, left: Ints, order: Ints,
    box: Ints, times: Ints, start: Ints, item: Ints, amount: Ints,
) -> tuple[Ints, Ints, Ints]:  # fmt: skip
    """New type and times of each pattern (a pattern may split where cheaper boxes run out) and where it came from.

    `order` [box] lists the types from the cheapest on.
    """
    out_box, out_times, out_from = np.zeros(1024, np.int64), np.zeros(1024, np.int64), np.zeros(1024, np.int64)
    rows, n = size.shape[1], 0
    load = np.zeros(rows, np.int64)
    for p in range(len(box)):
        load[:] = 0
        for e in range(start[p], start[p + 1]):
            for r in range(rows):
                load[r] += amount[e] * size[item[e], r]
        rest = times[p]
        for k in order:
            if usd[k] >= usd[box[p]] or rest == 0:
                break
            if left[k] <= 0:
                continue
            holds = True
            for r in range(rows):
                holds = holds and load[r] <= room[k, r]
            for e in range(start[p], start[p + 1]):
                holds = holds and most[item[e], k] >= amount[e]
            if holds:
                moved = min(rest, left[k])
                left[k] -= moved
                left[box[p]] += moved
                rest -= moved
                if n == len(out_box):
                    out_box, out_times, out_from = _grown(out_box), _grown(out_times), _grown(out_from)
                out_box[n], out_times[n], out_from[n] = k, moved, p
                n += 1
        if rest > 0:
            if n == len(out_box):
                out_box, out_times, out_from = _grown(out_box), _grown(out_times), _grown(out_from)
            out_box[n], out_times[n], out_from[n] = box[p], rest, p
            n += 1
    return out_box[:n], out_times[:n], out_from[:n]
