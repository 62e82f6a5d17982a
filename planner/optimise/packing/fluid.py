"""Very many different items: each cluster is poured along the volume program, each box balanced with real items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.compiled import kernel
from planner.optimise.packing.firstfit import downsized, first_fit
from planner.optimise.packing.instance import Instance, subset
from planner.optimise.packing.piles import Pile, heap
from planner.optimise.packing.volume import Mix

__all__ = ["poured"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SURPLUS = 4.0
"""Unit: items. Source: how far a cluster may run ahead of its share to close a box; fewer leave room unused."""

LARGE = 0.15
"""Unit: share of a box. Source: larger items no longer find room once the balanced ones are in."""


def poured(question: Instance, mix: Mix) -> tuple[Pile, Ints]:
    """Boxes of each type filled in the proportions of the volume program; what is left is packed first fit."""
    clusters = mix.clusters
    order = np.lexsort((-question.share.sum(axis=1), clusters.owner))
    begin = np.searchsorted(clusters.owner[order], np.arange(len(clusters.count) + 1)).astype(np.int64)
    stock = question.count.copy()
    piles = []
    for k in np.argsort(-mix.boxes * question.usd, kind="stable"):
        boxes = int(min(np.floor(mix.boxes[k]), question.available[k]))
        if boxes < 1:
            continue
        weight = mix.price[k] * question.room[k]
        per_box = mix.amount[:, k] / mix.boxes[k]
        box, item, amount = _poured(
            question.size, question.room[k], question.most[:, k], stock, order, begin, per_box, boxes,
            weight / max(float(weight.sum()), 1e-300),
        )  # fmt: skip
        start = np.concatenate([[0], np.cumsum(np.bincount(box, minlength=boxes))]).astype(np.int64)
        many = np.full(boxes, k, np.int64)
        piles.append(Pile(many, np.ones(boxes, np.int64), start, item, amount))
    pile = heap(piles)
    rest = subset(question, stock, question.available - pile.opened(len(question.usd)))
    some = np.flatnonzero(stock)
    if len(some):
        ending, left = first_fit(rest)
        pile = heap([pile, ending])
    else:
        left = stock
    return downsized(question, pile), left


@kernel
def _poured(
    size: Ints, room: Ints, most: Ints, stock: Ints, order: Ints, begin: Ints, per_box: Floats, boxes: int,
    weight: Floats,
) -> tuple[Ints, Ints, Ints]:  # fmt: skip
    """Fill `boxes` equal boxes; entries (box, class, amount). `stock` [class] goes down in place.

    Every cluster keeps to its share by cumulative rounding; a box is then closed by the real item, out of the clusters
    that are ahead of nothing, which leaves the least and most even room.
    """
    rows, clusters = size.shape[1], len(begin) - 1
    capacity = 4096
    out_box, out_item = np.zeros(capacity, np.int64), np.zeros(capacity, np.int64)
    entries = 0
    head = begin[:-1].copy()
    given = np.zeros(clusters)
    rest = np.zeros(rows, np.int64)
    dither = np.random.rand(clusters)
    wanted = np.flatnonzero(per_box > 1e-12)
    for b in range(boxes):
        for r in range(rows):
            rest[r] = room[r]
        # a large item that is late opens the box: it would not go in later
        late, latest = -1, 1.2
        for c in wanted:
            due = per_box[c] * (b + 1) + dither[c] - given[c]
            if due > latest and head[c] < begin[c + 1]:
                i = order[head[c]]
                widest = 0.0
                for r in range(rows):
                    widest = max(widest, size[i, r] / max(1, room[r]))
                if widest > LARGE and widest <= 1.0 and stock[i] > 0:
                    late, latest = c, due
        # first the shares that have come due, then whatever closes the box best
        for phase in range(2):
            while True:
                best, best_score = -1, -np.inf
                for c in wanted:
                    if late >= 0 and c != late:
                        continue
                    due = per_box[c] * (b + 1) + dither[c] - given[c]
                    if phase == 0 and due < 1.0:
                        continue
                    if phase == 1 and due < -SURPLUS - 2.0 * per_box[c]:
                        continue
                    while head[c] < begin[c + 1] and stock[order[head[c]]] == 0:
                        head[c] += 1
                    position = head[c]
                    looks = 1 if phase == 0 else 6
                    for _ in range(looks):
                        if position >= begin[c + 1]:
                            break
                        i = order[position]
                        if stock[i] > 0 and most[i] > 0:
                            fits, low, high, mean = True, 1.0, 0.0, 0.0
                            for r in range(rows):
                                left = rest[r] - size[i, r]
                                if left < 0:
                                    fits = False
                                    break
                                if weight[r] > 1e-6:
                                    part = left / max(1, room[r])
                                    low, high = min(low, part), max(high, part)
                                    mean += weight[r] * part
                            if fits:
                                score = -mean - 2.0 * (high - low) + 0.02 * min(due, 3.0)
                                if score > best_score:
                                    best, best_score = position, score
                                    best_cluster = c
                        position += 1
                if best < 0:
                    if late >= 0:
                        late = -1
                        continue
                    break
                late = -1
                i = order[best]
                stock[i] -= 1
                given[best_cluster] += 1.0
                for r in range(rows):
                    rest[r] -= size[i, r]
                if entries == capacity:
                    capacity *= 2
                    more_box, more_item = np.zeros(capacity, np.int64), np.zeros(capacity, np.int64)
                    more_box[:entries], more_item[:entries] = out_box[:entries], out_item[:entries]
                    out_box, out_item = more_box, more_item
                out_box[entries], out_item[entries] = b, i
                entries += 1
    return out_box[:entries], out_item[:entries], np.ones(entries, np.int64)
