"""What a user would get otherwise: first fit, best fit, dot product and a Karpenter-style pass, on the same question.

All four take heterogeneous boxes and open, where nothing open fits, the type of least cost x dominant share for the
item at hand; each closed fleet is then left as it is. They tell no bound.
Source: Panigrahy et al. 2011 (orders and dot product); kubernetes-sigs/karpenter@22664681 scheduler.go, queue.go
(pods by CPU then memory, claims by fewest pods, a claim keeps every type that still fits, the cheapest is launched).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from planner.optimise.packing import Boxes, Items
from planner.optimise.packing.compiled import summed

__all__ = ["BASELINES", "Greedy", "best_fit", "dot_product", "first_fit", "karpenter_style"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SLACK: Final = 1e-9


@dataclass(frozen=True)
class Greedy:
    """What a rule of thumb opened: boxes by type, their cost, and the items it left over by class."""

    opened: Ints
    usd: float
    unplaced: Ints


@dataclass(frozen=True)
class _Question:
    """Items and boxes as plain arrays; a limit on items is one more resource of which each item needs one."""

    size: Floats
    count: Ints
    fits: NDArray[np.bool_]
    room: Floats
    usd: Floats
    available: Ints


def _question(items: Items, boxes: Boxes) -> _Question:
    size = np.asarray(items.size, float)
    size = size if size.ndim == 2 else size.max(axis=1)
    count = np.asarray(items.count, np.int64)
    slots = np.full(len(boxes.usd), float(count.sum())) if boxes.max_items is None else np.asarray(boxes.max_items)
    room = np.column_stack([np.asarray(boxes.room, float), slots.astype(float)])
    size = np.column_stack([size, np.ones(len(size))])
    fits = np.ones((len(size), len(room)), bool) if items.fits is None else np.asarray(items.fits, bool)
    fits = fits & (size[:, None, :] <= room[None, :, :] * (1 + _SLACK)).all(axis=2)
    available = np.full(len(room), np.iinfo(np.int64).max) if boxes.available is None else boxes.available
    rows = (np.ascontiguousarray(size), np.ascontiguousarray(room))  # one layout, one compilation
    return _Question(rows[0], count, fits, rows[1], np.asarray(boxes.usd, float), np.asarray(available, np.int64))


def _choice(q: _Question) -> Ints:
    """[class, box], box types by rising cost x dominant share; types that do not fit come last."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nan_to_num(q.size[:, None, :] / q.room[None, :, :], nan=0.0, posinf=0.0).max(axis=2)
    return np.asarray(np.argsort(np.where(q.fits, q.usd * share, np.inf), axis=1, kind="stable"))


def _by_size(q: _Question) -> Ints:
    """Classes by falling sum of shares of the largest room."""
    return np.asarray(np.argsort(-(q.size / np.maximum(q.room.max(axis=0), _SLACK)).sum(axis=1), kind="stable"))


@njit(cache=True)
def _longer(told, larger):  # type: ignore[no-untyped-def]
    for i in range(len(told)):
        larger[i] = told[i]
    return larger


@njit(cache=True)
def _taller(told, larger):  # type: ignore[no-untyped-def]
    for i in range(told.shape[0]):
        for j in range(told.shape[1]):
            larger[i, j] = told[i, j]
    return larger


@njit(cache=True)
def _fill(order, size, count, fits, room, choice, available, scale):  # type: ignore[no-untyped-def]
    """First fit of whole classes (a run of equal items fills a box first); best fit where a scale[resource] is given.

    Without one, the sort of best fit is not even compiled.
    """
    classes, resources = size.shape
    capacity = 1024
    left = np.zeros((capacity, resources))
    kind = np.zeros(capacity, np.int64)
    total = 0
    opened = np.zeros(room.shape[0], np.int64)
    unplaced = np.zeros(classes, np.int64)
    sequence = np.zeros(0, np.int64)
    for c in order:
        remaining = count[c]
        if scale is not None:
            spare = np.zeros(total)
            for b in range(total):
                for r in range(resources):
                    spare[b] += left[b, r] * scale[r]
            sequence = np.argsort(spare, kind="mergesort")
        for step in range(total):
            if remaining == 0:
                break
            b = step if scale is None else sequence[step]
            if not fits[c, kind[b]]:
                continue
            n = remaining
            for r in range(resources):
                if size[c, r] > 0:
                    n = min(n, int((left[b, r] + 1e-9 * room[kind[b], r]) / size[c, r]))
            if n > 0:
                for r in range(resources):
                    left[b, r] -= n * size[c, r]
                remaining -= n
        for k in choice[c]:
            while remaining > 0 and fits[c, k] and opened[k] < available[k]:
                if total == capacity:
                    left = _taller(left, np.zeros((2 * capacity, resources)))
                    kind = _longer(kind, np.zeros(2 * capacity, np.int64))
                    capacity *= 2
                n = remaining
                for r in range(resources):
                    if size[c, r] > 0:
                        n = min(n, int(room[k, r] * (1 + 1e-9) / size[c, r]))
                for r in range(resources):
                    left[total, r] = room[k, r] - n * size[c, r]
                kind[total] = k
                opened[k] += 1
                total += 1
                remaining -= n
        unplaced[c] = remaining
    return opened, unplaced


@njit(cache=True)
def _dot(order, size, count, fits, room, choice, available):  # type: ignore[no-untyped-def]
    """Box by box: open for the largest item left, then keep adding the item most aligned with the room left."""
    classes, resources = size.shape
    remaining = count.copy()
    opened = np.zeros(room.shape[0], np.int64)
    unplaced = np.zeros(classes, np.int64)
    weight, left = np.zeros(resources), np.zeros(resources)
    for c in range(classes):
        for r in range(resources):
            weight[r] += count[c] * size[c, r]
    for c in order:
        while remaining[c] > 0:
            k = -1
            for candidate in choice[c]:
                if fits[c, candidate] and opened[candidate] < available[candidate]:
                    k = candidate
                    break
            if k < 0:
                unplaced[c] = remaining[c]
                remaining[c] = 0
                break
            opened[k] += 1
            for r in range(resources):
                left[r] = room[k, r] - size[c, r]
            remaining[c] -= 1
            while True:
                chosen, value = -1, -1.0
                for j in range(classes):
                    if remaining[j] == 0 or not fits[j, k]:
                        continue
                    inside = True
                    dot = 0.0
                    for r in range(resources):
                        if size[j, r] > left[r] + 1e-9 * room[k, r]:
                            inside = False
                            break
                        if room[k, r] > 0:
                            dot += weight[r] * (size[j, r] / room[k, r]) * (left[r] / room[k, r])
                    if inside and dot > value:
                        chosen, value = j, dot
                if chosen < 0:
                    break
                for r in range(resources):
                    left[r] -= size[chosen, r]
                remaining[chosen] -= 1
    return opened, unplaced


@njit(cache=True)
def _sunk(heap, length, at):  # type: ignore[no-untyped-def]
    """Lets an entry sink to its place in a heap whose top is the least."""
    while 2 * at + 1 < length:
        child = 2 * at + 1
        if child + 1 < length and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= heap[at]:
            return
        heap[at], heap[child] = heap[child], heap[at]
        at = child


@njit(cache=True)
def _claims(order, size, count, fits, room, usd, available):  # type: ignore[no-untyped-def]
    """Pods one by one into the in-flight claim of fewest pods that some type still holds; then the cheapest type."""
    classes, resources = size.shape
    types = room.shape[0]
    capacity = 1024
    load = np.zeros((capacity, resources))
    pods = np.zeros(capacity, np.int64)
    may = np.zeros((capacity, types), np.bool_)
    total = 0
    opened = np.zeros(types, np.int64)
    unplaced = np.zeros(classes, np.int64)
    claim = np.zeros(summed(count), np.int64)  # [pod in the order taken], its claim
    taken = 0
    for c in order:
        # Claims by fewest pods, then by age; one that refuses a pod of the class refuses the rest of them too.
        waiting = total
        heap = np.empty(total + 1, np.int64)
        for b in range(total):
            heap[b] = pods[b] << 32 | b
        for b in range(total // 2 - 1, -1, -1):
            _sunk(heap, waiting, b)
        for _ in range(count[c]):
            target = -1
            while waiting > 0 and target < 0:
                first = heap[0] & 0xFFFFFFFF
                for k in range(types):
                    ok = may[first, k] and fits[c, k]
                    for r in range(resources):
                        ok = ok and load[first, r] + size[c, r] <= room[k, r] * (1 + 1e-9)
                    if ok:
                        target = first
                        break
                if target < 0:
                    waiting -= 1
                    heap[0] = heap[waiting]
                    _sunk(heap, waiting, 0)
            if target < 0:
                if not fits[c].any():
                    unplaced[c] += 1
                    continue
                if total == capacity:
                    load = _taller(load, np.zeros((2 * capacity, resources)))
                    pods = _longer(pods, np.zeros(2 * capacity, np.int64))
                    may = _taller(may, np.zeros((2 * capacity, types), np.bool_))
                    capacity *= 2
                target = total
                total += 1
                for k in range(types):
                    may[target, k] = fits[c, k]
                waiting = 1
            for r in range(resources):
                load[target, r] += size[c, r]
            pods[target] += 1
            heap[0] = pods[target] << 32 | target
            _sunk(heap, waiting, 0)
            claim[taken] = target
            taken += 1
            for k in range(types):
                inside = fits[c, k]
                for r in range(resources):
                    inside = inside and load[target, r] <= room[k, r] * (1 + 1e-9)
                may[target, k] = may[target, k] and inside
    launched = np.zeros(total, np.bool_)
    for b in range(total):
        cheapest = -1
        for k in range(types):
            if may[b, k] and opened[k] < available[k] and (cheapest < 0 or usd[k] < usd[cheapest]):
                cheapest = k
        launched[b] = cheapest >= 0
        if cheapest >= 0:
            opened[cheapest] += 1
    taken = 0
    for c in order:
        for _ in range(count[c] - unplaced[c]):
            unplaced[c] += not launched[claim[taken]]
            taken += 1
    return opened, unplaced


def first_fit(items: Items, boxes: Boxes) -> Greedy:
    """First-fit decreasing by the sum of shares."""
    return _greedy(items, boxes, best=False)


def best_fit(items: Items, boxes: Boxes) -> Greedy:
    """Best-fit decreasing: the fullest open box that still holds the item."""
    return _greedy(items, boxes, best=True)


def _greedy(items: Items, boxes: Boxes, *, best: bool) -> Greedy:
    q = _question(items, boxes)
    scale = 1.0 / np.maximum(1e-12, q.room.mean(axis=0)) if best else None
    opened, unplaced = _fill(_by_size(q), q.size, q.count, q.fits, q.room, _choice(q), q.available, scale)
    return Greedy(opened, float(opened @ q.usd), unplaced)


def dot_product(items: Items, boxes: Boxes) -> Greedy:
    """Box-centric dot product: the item most aligned with the room that is left."""
    q = _question(items, boxes)
    opened, unplaced = _dot(_by_size(q), q.size, q.count, q.fits, q.room, _choice(q), q.available)
    return Greedy(opened, float(opened @ q.usd), unplaced)


def karpenter_style(items: Items, boxes: Boxes) -> Greedy:
    """One pass of Karpenter's scheduler, without consolidation, taints or spot.

    Boxes without end are assumed while it packs: where no type that holds a claim is left, its pods are left over.
    """
    q = _question(items, boxes)
    order = np.lexsort((-q.size[:, min(1, q.size.shape[1] - 1)], -q.size[:, 0]))
    opened, unplaced = _claims(order, q.size, q.count, q.fits, q.room, q.usd, q.available)
    return Greedy(opened, float(opened @ q.usd), unplaced)


BASELINES: Final[dict[str, Callable[[Items, Boxes], Greedy]]] = {
    "first-fit decreasing": first_fit,
    "best-fit decreasing": best_fit,
    "dot product": dot_product,
    "Karpenter-style": karpenter_style,
}
"""Every rule of thumb by name."""
