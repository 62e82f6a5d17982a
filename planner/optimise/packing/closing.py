"""Filling equal boxes with very many different items: shares that have come due, then what closes a box. Compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.compiled import kernel

__all__ = ["filled"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SURPLUS = 4.0
"""Unit: items. Source: how far a cluster may run ahead of its share to close a box; fewer leave room unused."""
LOOKS, FEWEST, MOST = 1.4e7, 500, 8000
"""Unit: exchanges looked at in a round, of all boxes and of one. Source: half of 20,000 boxes close to 0.02 %."""
ROUNDS = 12
"""Unit: exchanges a box. Source: with five most boxes are closed."""
CLOSED = 1e-4
"""Unit: share of a box. Source: room left that no exchange is worth looking for."""
CANDIDATES = 128
"""Unit: items. Source: so many are compared for each place while a box is far from full."""
OVERDUE = 0.1
"""Unit: share of a box per item. Source: what a cluster's being late is worth against even room."""


@kernel
def _wasted(rest: Ints, more: Ints, less: Ints, room: Ints, weight: Floats, even: float) -> float:
    """How much worth of room is left, and how unevenly, once `more` came in for `less`; inf where it does not fit."""
    low, high, mean = 1.0, 0.0, 0.0
    for r in range(len(rest)):
        left = rest[r] + less[r] - more[r]
        if left < 0:
            return np.inf
        if weight[r] > 1e-6:
            part = left / max(1, room[r])
            low, high = min(low, part), max(high, part)
            mean += weight[r] * part
    return mean + even * (high - low)


@kernel
def _allowed(i: int, out: int, inside: Ints, n: int, most: Ints, group: Ints, cap: Ints) -> bool:
    """Whether one more of class i may come into a box of `n` items once entry `out` (-1: none) has left it."""
    same, mates = 0, 0
    for e in range(n):
        if e != out:
            j = inside[e]
            if j == i:
                same += 1
            if group[i] >= 0 and group[j] == group[i]:
                mates += 1
    return bool(same < most[i] and (group[i] < 0 or mates < cap[group[i]]))


@kernel
def _taken(i: int, position: int, cluster: int, stock: Ints, order: Ints, end: Ints) -> None:
    """One item out of stock; a class that is used up leaves the living part of its cluster."""
    stock[i] -= 1
    if stock[i] == 0:
        end[cluster] -= 1
        order[position] = order[end[cluster]]
        order[end[cluster]] = i


@kernel
def _returned(i: int, cluster: int, stock: Ints, order: Ints, end: Ints) -> None:
    """One item back into stock."""
    stock[i] += 1
    if stock[i] == 1:
        order[end[cluster]] = i
        end[cluster] += 1


@kernel
def _grown(array: Ints, length: int) -> Ints:
    """The same numbers with more space behind them."""
    larger = np.zeros(length, np.int64)
    for i in range(min(length, len(array))):
        larger[i] = array[i]
    return larger


@kernel
def _late(
    least: float, wanted: Ints, due: Floats, per_box: Floats, begin: Ints, end: Ints, active: Ints
) -> int:  # fmt: skip
    """Write the clusters that are no further ahead than `least` + 2 shares and have stock; how many these are."""
    live = 0
    for c in wanted:
        if end[c] > begin[c] and due[c] > least - 2.0 * per_box[c] * (least < 0.0):
            active[live] = c
            live += 1
    return live


@kernel
def filled(
    size: Ints, room: Ints, most: Ints, group: Ints, cap: Ints, weight: Floats,
    stock: Ints, order: Ints, begin: Ints, end: Ints, owner: Ints,
    wanted: Ints, per_box: Floats, due: Floats, boxes: int, seed: int,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Fill `boxes` equal boxes; entries (box, class), one an item, boxes ascending.

    Args:
        size: and `most`, `group`, `cap`: as in an instance, for boxes of the one type with `room` [row].
        weight: [row], what a box's room in it is worth, in shares.
        stock: [class], goes down in place.
        order: classes by cluster; those of cluster c that are in stock stand at begin[c]:end[c], in any order.
        begin: and `end`: [cluster].
        owner: [class], its cluster.
        wanted: clusters that may be used, those of large items first.
        per_box: [cluster], its share of a box, in items.
        due: [cluster], what is due before the first box; every cluster keeps to its share by cumulative rounding.
        boxes: how many.
        seed: of the dice that choose which exchanges are looked at.
    """
    rows, entries, capacity = size.shape[1], 0, 4096
    out_box, out_item = np.zeros(capacity, np.int64), np.zeros(capacity, np.int64)
    rest, nothing = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    inside, active = np.zeros(1024, np.int64), np.zeros(len(wanted), np.int64)
    dice, mask = np.uint64(88172645463325252 + seed), np.uint64(2097151)
    closely = min(MOST, max(FEWEST, int(LOOKS / max(1, boxes))))
    for b in range(boxes):
        n = 0
        for r in range(rows):
            rest[r] = room[r]
        for c in wanted:
            due[c] += per_box[c]
        slack = min(SURPLUS, 0.5 + 0.04 * (boxes - b))
        # shares that have come due, large items first: they would find no room later
        for c in wanted:
            while due[c] >= 1.0 and end[c] > begin[c]:
                i = order[end[c] - 1]
                if _wasted(rest, size[i], nothing, room, weight, 0.0) == np.inf:
                    break
                if not _allowed(i, -1, inside, n, most, group, cap):
                    break
                _taken(i, end[c] - 1, c, stock, order, end)
                due[c] -= 1.0
                for r in range(rows):
                    rest[r] -= size[i, r]
                if n == len(inside):
                    inside = _grown(inside, 2 * n)
                inside[n] = i
                n += 1
        # then what is late and keeps the room even, then exchanges that leave less of it
        turn, closing = 0, False
        while turn < ROUNDS:
            turn += closing
            now = _wasted(rest, nothing, nothing, room, weight, 0.1)
            if now < CLOSED:
                break
            if closing and turn > 4 and now > 10 * CLOSED:
                slack *= 2.0
            live = _late(-slack if closing else 0.0, wanted, due, per_box, begin, end, active)
            best, best_at, best_c, out = -1, -1, -1, -1
            best_score = now - CLOSED / 2 if closing else np.inf
            looks = 0 if live == 0 else (closely if closing else CANDIDATES)
            for look in range(looks):
                dice ^= dice << np.uint64(13)
                dice ^= dice >> np.uint64(7)
                dice ^= dice << np.uint64(17)
                c = active[np.int64(((dice & mask) * np.uint64(live)) >> np.uint64(21))]
                among = np.uint64(end[c] - begin[c])
                p = begin[c] + np.int64((((dice >> np.uint64(21)) & mask) * among) >> np.uint64(21))
                i, e = order[p], -1
                if closing and n > 0 and look % 4 != 0:
                    e = int(np.int64((((dice >> np.uint64(42)) & mask) * np.uint64(n)) >> np.uint64(21)))
                    score = _wasted(rest, size[i], size[inside[e]], room, weight, 0.1)
                    o = owner[inside[e]]
                    if score < best_score and due[o] > slack + 2.0 * per_box[o]:
                        continue
                elif closing:
                    score = _wasted(rest, size[i], nothing, room, weight, 0.1)
                else:
                    score = _wasted(rest, size[i], nothing, room, weight, 2.0) - OVERDUE * due[c]
                if score < best_score and _allowed(i, e, inside, n, most, group, cap):
                    best, best_at, best_score, best_c, out = i, p, score, c, e
                    if closing and score < CLOSED:
                        break
            if best < 0:
                if closing:
                    break
                closing = True
                continue
            _taken(best, best_at, best_c, stock, order, end)
            due[best_c] -= 1.0
            for r in range(rows):
                rest[r] -= size[best, r]
            if out >= 0:
                old = inside[out]
                for r in range(rows):
                    rest[r] += size[old, r]
                _returned(old, owner[old], stock, order, end)
                due[owner[old]] += 1.0
                inside[out] = best
            else:
                if n == len(inside):
                    inside = _grown(inside, 2 * n)
                inside[n] = best
                n += 1
        if entries + n > capacity:
            capacity = 2 * (entries + n)
            out_box, out_item = _grown(out_box, capacity), _grown(out_item, capacity)
        for e in range(n):
            out_box[entries], out_item[entries] = b, inside[e]
            entries += 1
    return out_box[:entries], out_item[:entries]
