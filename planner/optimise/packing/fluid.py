"""Very many different items: each cluster is poured along the volume program, each box balanced with real items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.compiled import kernel
from planner.optimise.packing.firstfit import downsized, first_fit
from planner.optimise.packing.instance import Instance, subset
from planner.optimise.packing.piles import Pile, heap
from planner.optimise.packing.volume import Mix, mixed

__all__ = ["poured"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SURPLUS = 4.0
"""Unit: items. Source: how far a cluster may run ahead of its share to close a box; fewer leave room unused."""

LARGE = 0.05
"""Unit: share of a box. Source: larger items no longer find room once the balanced ones are in."""

AGAIN = 400
"""Unit: items. Source: fewer are packed as well by first fit."""
TURNS, LOOKS = 6, 12_000
"""Unit: passes over all boxes, pairs looked at for each. Source: measured on a million items, see tests/benchmarks."""
CLOSED = 1e-3
"""Unit: share of a box. Source: room left that no exchange is worth looking for."""


def poured(question: Instance, mix: Mix, depth: int = 3) -> tuple[Pile, Ints]:
    """Boxes of each type filled in the proportions of the volume program; what is left is poured again, then fitted."""
    clusters = mix.clusters
    order = np.lexsort((-question.share.sum(axis=1), clusters.owner))
    begin = np.searchsorted(clusters.owner[order], np.arange(len(clusters.count) + 1)).astype(np.int64)
    stock = question.count.copy()
    filled = []
    for k in np.argsort(-mix.boxes * question.usd, kind="stable"):
        boxes = int(min(np.floor(mix.boxes[k]), question.available[k]))
        if boxes < 1:
            continue
        weight = mix.price[k] * question.room[k]
        weight = weight / max(float(weight.sum()), 1e-300)
        box, item = _poured(
            question.size, question.room[k], question.most[:, k], stock, order, begin,
            mix.amount[:, k] / mix.boxes[k], boxes, weight,
        )  # fmt: skip
        filled.append((k, boxes, box, item, weight))
    piles = []
    for k, boxes, in_box, items, weight in filled:
        box, item = in_box, items
        room, most = question.room[k], question.most[:, k]
        for turn in range(TURNS):
            box, item = _tightened(question.size, room, most, stock, box, item, weight, turn)
        start = np.concatenate([[0], np.cumsum(np.bincount(box, minlength=boxes))]).astype(np.int64)
        many = np.full(boxes, k, np.int64)
        piles.append(Pile(many, np.ones(boxes, np.int64), start, item, np.ones(len(item), np.int64)))
    pile = heap(piles)
    rest = subset(question, stock, question.available - pile.opened(len(question.usd)))
    if not stock.any():
        return downsized(question, pile), stock
    again = depth > 0 and pile.box.size > 0 and stock.sum() > AGAIN
    ending, left = poured(rest, mixed(rest), depth - 1) if again else first_fit(rest)
    return downsized(question, heap([pile, ending])), left


@kernel
def _late(
    size: Ints, room: Ints, rest: Ints, stock: Ints, order: Ints, begin: Ints, head: Ints, due: Floats
) -> int:  # fmt: skip
    """The cluster whose next item is large, still fits and is most overdue; -1 where there is none."""
    late, latest = -1, 1.0
    for c in range(len(due)):
        while head[c] < begin[c + 1] and stock[order[head[c]]] == 0:
            head[c] += 1
        if due[c] > latest and head[c] < begin[c + 1]:
            i = order[head[c]]
            widest, fits = 0.0, True
            for r in range(size.shape[1]):
                widest = max(widest, size[i, r] / max(1, room[r]))
                fits = fits and size[i, r] <= rest[r]
            if widest > LARGE and fits:
                late, latest = c, due[c]
    return late


@kernel
def _unevenness(rest: Ints, more: Ints, less: Ints, room: Ints, weight: Floats, even: float) -> float:
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
def _poured(
    size: Ints, room: Ints, most: Ints, stock: Ints, order: Ints, begin: Ints,
    per_box: Floats, boxes: int, weight: Floats,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Fill `boxes` equal boxes; entries (box, class), one an item. `stock` [class] goes down in place.

    Every cluster keeps to its share by cumulative rounding; a box is closed by the real item that leaves the least and
    most even room.
    """
    rows, clusters = size.shape[1], len(begin) - 1
    capacity = 4096
    out_box, out_item = np.zeros(capacity, np.int64), np.zeros(capacity, np.int64)
    entries = 0
    head = begin[:-1].copy()
    given = np.zeros(clusters)
    rest, nothing = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    dither = (np.arange(clusters) * 0.6180339887498949) % 1.0
    wanted = np.flatnonzero(per_box > 1e-12)
    for b in range(boxes):
        rest[:] = room
        openers = 1
        # first the shares that have come due, then whatever closes the box best
        for phase in range(2):
            while True:
                # large items that are late go first: they would find no room later
                late = -1
                if openers > 0:
                    openers -= 1
                    late = _late(size, room, rest, stock, order, begin, head, per_box * (b + 1) + dither - given)
                    openers = openers if late >= 0 else 0
                best, best_score, best_cluster = -1, np.inf, -1
                for c in wanted:
                    if late >= 0 and c != late:
                        continue
                    due = per_box[c] * (b + 1) + dither[c] - given[c]
                    if (phase == 0 and due < 1.0) or due < -SURPLUS - 2.0 * per_box[c]:
                        continue
                    while head[c] < begin[c + 1] and stock[order[head[c]]] == 0:
                        head[c] += 1
                    for position in range(head[c], min(begin[c + 1], head[c] + (1 if phase == 0 else 6))):
                        i = order[position]
                        if stock[i] > 0 and most[i] > 0:
                            score = _unevenness(rest, size[i], nothing, room, weight, 2.0) - 0.02 * min(due, 3.0)
                            if score < best_score:
                                best, best_score, best_cluster = int(i), score, int(c)
                if best < 0:
                    break
                stock[best] -= 1
                given[best_cluster] += 1.0
                for r in range(rows):
                    rest[r] -= size[best, r]
                if entries == capacity:
                    capacity *= 2
                    wider_box, wider_item = np.zeros(capacity, np.int64), np.zeros(capacity, np.int64)
                    wider_box[:entries], wider_item[:entries] = out_box[:entries], out_item[:entries]
                    out_box, out_item = wider_box, wider_item
                out_box[entries], out_item[entries] = b, best
                entries += 1
    return out_box[:entries], out_item[:entries]


@kernel
def _tightened(
    size: Ints, room: Ints, most: Ints, stock: Ints, box: Ints, item: Ints, weight: Floats, seed: int
) -> tuple[Ints, Ints]:  # fmt: skip
    """Items exchanged for ones in stock, and ones in stock put in, wherever that leaves less and more even room.

    `box` [entry] ascends; both come back with the entries of the items put in, `stock` [class] changes in place.
    """
    np.random.seed(seed)
    rows = size.shape[1]
    spare = np.zeros(max(1, int(stock.sum())), np.int64)
    spares = 0
    for i in np.flatnonzero(stock):
        if most[i] > 0:
            for _ in range(stock[i]):
                spare[spares] = i
                spares += 1
    more_box, more_item = np.zeros(len(spare), np.int64), np.zeros(len(spare), np.int64)
    added, e0 = 0, 0
    rest, nothing = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    while e0 < len(box) and spares > 0:
        e1 = e0
        rest[:] = room
        while e1 < len(box) and box[e1] == box[e0]:
            rest -= size[item[e1]]
            e1 += 1
        for _ in range(16):
            now = _unevenness(rest, nothing, nothing, room, weight, 0.1)
            if now < CLOSED or spares == 0:
                break
            best, best_score, out = -1, now - 5e-5, -1
            for look in range(LOOKS // 4):
                s = np.random.randint(spares)
                e = np.random.randint(e0, e1)
                single = look % 4 == 0
                taken = nothing if single else size[item[e]]
                score = _unevenness(rest, size[spare[s]], taken, room, weight, 0.1)
                if score < best_score:
                    best, best_score, out = s, score, -1 if single else e
            if best < 0:
                break
            new = spare[best]
            stock[new] -= 1
            rest -= size[new]
            if out < 0:
                more_box[added], more_item[added] = box[e0], new
                added += 1
                spares -= 1
                spare[best] = spare[spares]
            else:
                old = item[out]
                rest += size[old]
                stock[old] += 1
                item[out], spare[best] = new, old
        e0 = e1
    all_box = np.concatenate((box, more_box[:added]))
    all_item = np.concatenate((item, more_item[:added]))
    order = np.argsort(all_box, kind="mergesort")
    return all_box[order], all_item[order]
