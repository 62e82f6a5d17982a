"""Why items are left over: what does not fit, or the smallest set of wishes and limits that no packing meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.types import Boxes, Items

__all__ = ["reasons"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
LIMITS = ("fits", "max_items", "spread")
LISTED = 10
"""Unit: classes. Source: what a reader takes in."""
SAFE = 1e-9
"""Unit: fraction. Source: sums of doubles are this exact."""


def reasons(items: Items, boxes: Boxes, unplaced: Ints) -> tuple[str, ...]:
    """[class], why items are left over; empty where none are."""
    told = [""] * len(unplaced)
    left = np.flatnonzero(unplaced)
    if len(left):
        asked = _Asked.of(items, boxes)
        for i in left:
            told[i] = _alone(asked, int(i)) or _own_limits(asked, int(i)) or _together(asked, int(i))
    return tuple(told)


@dataclass(frozen=True)
class _Asked:
    """The question in doubles, with nothing left out."""

    size: Floats
    """[class, period, resource]."""
    count: Floats
    room: Floats
    most_items: Floats
    available: Floats
    fits: Bools
    group: tuple[tuple[str, int] | None, ...]

    @classmethod
    def of(cls, items: Items, boxes: Boxes) -> _Asked:
        size = np.asarray(items.size, float)
        kinds, wishes = len(boxes.room), items.spread or (None,) * len(size)
        most: dict[str, int] = {}
        for wish in wishes:
            if wish is not None:
                most[wish.group] = min(wish.most_per_box, most.get(wish.group, wish.most_per_box))
        return cls(
            size=size if size.ndim == 3 else size[:, None, :],
            count=np.asarray(items.count, float),
            room=np.asarray(boxes.room, float),
            most_items=np.full(kinds, np.inf) if boxes.max_items is None else np.asarray(boxes.max_items, float),
            available=np.full(kinds, np.inf) if boxes.available is None else np.asarray(boxes.available, float),
            fits=np.ones((len(size), kinds), bool) if items.fits is None else np.asarray(items.fits, bool),
            group=tuple(None if w is None else (w.group, most[w.group]) for w in wishes),
        )

    @cached_property
    def allowed(self) -> Bools:
        """[class, box], whether an empty box of the type takes an item."""
        large = (self.size.max(axis=1)[:, None, :] <= self.room[None] * (1 + SAFE)).all(axis=2)
        return np.asarray(large & self.fits & (self.most_items >= 1))

    def peak(self, i: int) -> Floats:
        """[resource], the largest needs of a class."""
        return np.asarray(self.size[i].max(axis=0))

    def able(self, i: int) -> Bools:
        """[box], whether one item fits an empty box of the type, allowed or not."""
        large = (self.room * (1 + SAFE) >= self.peak(i)).all(axis=1)
        return np.asarray(large & (self.most_items >= 1))


def _alone(asked: _Asked, i: int) -> str:
    """What keeps a single item out of every empty box; empty where some type takes one."""
    needs, allowed = asked.peak(i), asked.fits[i]
    if not allowed.any():
        return "no box is allowed: fits excludes every type"
    for r in range(len(needs)):
        if (needs[r] > asked.room[allowed, r]).all():
            largest = asked.room[allowed, r].max()
            return f"no box that fits: needs {needs[r]:g} of resource {r}, the largest allowed has {largest:g}"
    if (asked.most_items[allowed] < 1).all():
        return "no box that fits: max_items is 0 in every allowed type"
    able = allowed & asked.able(i)
    if not able.any():
        short = [", ".join(str(r) for r in np.flatnonzero(needs > row)) for row in asked.room[allowed]]
        return "no box that fits: each allowed type lacks some resource (" + "; ".join(short) + ")"
    if (asked.available[able] == 0).all():
        return "none available: the types that would hold it are not available (available 0)"
    return ""


def _own_limits(asked: _Asked, i: int) -> str:
    """The fewest limits that the items of one class, or of its group, run into without any others."""
    group = asked.group[i]
    present = [name for name in LIMITS if name != "spread" or group is not None]
    for many in range(len(present) + 1):
        for limits in combinations(present, many):
            holds = _capacity(asked, i, limits)
            if holds < asked.count[i]:
                wanted = f"{asked.count[i]:g} items, the boxes available hold {holds:g}"
                return f"{wanted} (smallest conflicting set: {', '.join(('count', 'available', *limits))})"
    members = [j for j, other in enumerate(asked.group) if group is not None and other == group]
    able = np.any([asked.able(j) & asked.fits[j] for j in members], axis=0) if members else np.zeros(0, bool)
    able = able & (asked.available > 0)[: len(able)]
    holds = float((asked.available[able] * group[1]).sum()) if group is not None else np.inf
    wanted = asked.count[members].sum()
    if holds >= wanted:
        return ""
    told = f"{wanted:g} items of group {group[0] if group else ''!r}, the boxes available hold {holds:g}"
    return f"{told} (smallest conflicting set: count of {_classes(members)}, available, spread)"


def _capacity(asked: _Asked, i: int, limits: tuple[str, ...]) -> float:
    """How many of a class all boxes available hold when nothing else is in them, under some of its limits."""
    needs = asked.size[i]
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(needs[None] > 0, asked.room[:, None, :] * (1 + SAFE) / needs[None], np.inf)
    most = np.floor(each.min(axis=(1, 2)))
    group = asked.group[i]
    if "max_items" in limits:
        most = np.minimum(most, asked.most_items)
    if "spread" in limits and group is not None:
        most = np.minimum(most, group[1])
    usable = (asked.fits[i] if "fits" in limits else np.ones(len(most), bool)) & (most > 0) & (asked.available > 0)
    return float((asked.available[usable] * most[usable]).sum())


def _together(asked: _Asked, i: int) -> str:
    """The fewest classes that together need more of one resource than all boxes that they may use."""
    usable = asked.able(i) & asked.fits[i]
    inside = ~(asked.allowed & ~usable).any(axis=1) & asked.allowed.any(axis=1)
    best: tuple[int, str] | None = None
    slots = np.concatenate([asked.size, np.ones((*asked.size.shape[:2], 1))], axis=2)
    rooms = np.column_stack([asked.room, asked.most_items])
    for period, r in np.ndindex(*slots.shape[1:]):
        need = np.where(inside, asked.count * slots[:, period, r], 0.0)
        there = usable & (asked.available > 0) & (rooms[:, r] > 0)
        room = float((asked.available[there] * rooms[there, r]).sum())
        order = np.argsort(-need, kind="stable")
        total = np.cumsum(need[order])
        enough = int(np.searchsorted(total, room * (1 + SAFE), side="right"))
        if enough < len(order) and (best is None or enough + 1 < best[0]):
            name = f"resource {r}" if r < asked.size.shape[2] else "max_items"
            told = f"{name}: {total[enough]:g} needed, {room:g} in the boxes available"
            best = enough + 1, f"{told} (smallest conflicting set: available, count of {_classes(order[: enough + 1])})"
    unproved = (
        "no room left in the boxes available: no plan was found that holds all, though no limit alone rules it out"
    )
    return best[1] if best else unproved


def _classes(members: Sequence[int] | Ints) -> str:
    """Class numbers, ascending, no more than a reader can take in."""
    numbers = sorted(int(j) for j in members)
    told = ", ".join(str(j) for j in numbers[:LISTED])
    more = f" and {len(numbers) - LISTED} more" if len(numbers) > LISTED else ""
    return f"class{'es' if len(numbers) > 1 else ''} {told}{more}"
