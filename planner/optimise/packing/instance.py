"""The question in integers: equal classes folded, in an order that does not depend on how they were given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.grid import gridded
from planner.optimise.packing.types import Boxes, Items

__all__ = ["ENDLESS", "Instance", "instance", "subset"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ENDLESS = 2**40
"""Unit: boxes. Source: stands for "as many as wanted" where box types are not limited."""
FINEST_USD = 2**40
"""Unit: units in the dearest box. Source: 40 bits for a price leave 20 for the fractions of resource prices."""


@dataclass(frozen=True)
class Instance:
    """What the kernels work on: m classes, K box types, d rows (resource x period, slots where limited)."""

    size: Ints
    """[class, row]."""
    count: Ints
    """[class]."""
    room: Ints
    """[box, row]."""
    usd: Ints
    """[box]."""
    most: Ints
    """[class, box], how many of a class one box can hold; 0 where it does not fit."""
    available: Ints
    """[box], ENDLESS where not limited."""
    group: Ints
    """[class], spread group, -1 where none."""
    cap: Ints
    """[group], most items of it in one box."""
    team: Ints
    """[class], spread group, those of one class included, -1 where none."""
    zones: Ints
    """[class], how many zones its group is dealt over."""
    owner: Ints
    """[given class], the class here."""
    row: Ints
    """[row], position in the given [period x resource], or -1 for slots."""
    scale: tuple[Fraction, ...]
    """[resource], integers per unit."""
    usd_scale: Fraction
    """Integers per usd."""
    dollars: Floats
    """[box], as given."""
    sizes: Ints
    """[given class, period, resource], all rows, for the proof."""
    rooms: Ints
    """[box, resource], likewise."""

    @property
    def share(self) -> Floats:
        """[class, row], sizes as shares of the largest room."""
        shares: Floats = self.size / np.maximum(self.room.max(axis=0), 1)
        return shares

    @property
    def limited(self) -> NDArray[np.bool_]:
        """[box], which are limited in number."""
        return self.available < ENDLESS


def instance(items: Items, boxes: Boxes) -> Instance:
    """The folded integer form of a checked question."""
    shape = np.shape(items.size)
    sizes, rooms, scale = _rows(items, boxes)
    resources = shape[-1]
    all_sizes, all_rooms = sizes.reshape(shape[0], -1, resources), rooms[:, :resources]
    row = np.arange(sizes.shape[1])
    sizes, rooms, row = _slots(boxes, sizes, rooms, row, int(np.sum(items.count)))
    usd, _, usd_scale = gridded(np.asarray(boxes.usd, float), np.zeros(0), FINEST_USD)
    fits = np.ones((shape[0], len(rooms)), bool) if items.fits is None else np.asarray(items.fits, bool)
    group, cap, zones = _groups(items)
    key = np.column_stack([sizes, group, np.packbits(fits, axis=1).astype(np.int64)])
    folded, first, owner = _folded(key)
    count = np.bincount(owner, items.count, minlength=folded).astype(np.int64)
    sizes, group, fits = sizes[first], group[first], fits[first]
    kept = _useful(sizes, rooms)
    capped = np.where(group >= 0, np.append(cap, 0)[group], ENDLESS)
    most = np.minimum(_most(sizes, rooms, fits), capped[:, None])
    team = group
    group, cap = _shared(group, cap)
    endless = np.full(len(rooms), ENDLESS)
    available = endless if boxes.available is None else np.asarray(boxes.available, np.int64)
    return Instance(
        size=np.ascontiguousarray(sizes[:, kept]),
        count=count,
        room=np.ascontiguousarray(rooms[:, kept]),
        usd=usd,
        most=most,
        available=available,
        group=group,
        cap=cap,
        team=team,
        zones=np.append(zones, 1)[team],
        owner=owner,
        row=np.where(row[kept] < 0, -1, row[kept]),
        scale=scale,
        usd_scale=usd_scale,
        dollars=np.asarray(boxes.usd, float),
        sizes=all_sizes,
        rooms=all_rooms,
    )


def subset(whole: Instance, count: Ints, available: Ints | None = None) -> Instance:
    """The same question for other counts (and boxes left)."""
    return replace(whole, count=count, available=whole.available if available is None else available)


def _rows(items: Items, boxes: Boxes) -> tuple[Ints, Ints, tuple[Fraction, ...]]:
    """Sizes [class, period x resource] and rooms alike, in integers of one unit a resource."""
    size = np.asarray(items.size, float)
    size = size if size.ndim == 3 else size[:, None, :]
    room = np.asarray(boxes.room, float)
    classes, periods, resources = size.shape
    sizes = np.empty((classes, periods, resources), np.int64)
    rooms = np.empty((len(room), periods, resources), np.int64)
    scale = []
    for r in range(resources):
        widest = float(room[:, r].max())
        wanted = np.where(size[:, :, r] > widest, 2.0 * widest, size[:, :, r])  # too big for all, whatever its size
        asked = float((size[:, :, r].max(axis=1) * items.count).sum())
        usable = np.minimum(room[:, r], max(asked, float(wanted.max())))  # more than all that is asked is never used
        up, down, per_one = gridded(wanted.ravel(), usable)
        up = np.where(size[:, :, r].ravel() > widest, np.maximum(up, down.max() + 1), up)
        sizes[:, :, r], rooms[:, :, r] = up.reshape(classes, periods), down[:, None]
        scale.append(per_one)
    return sizes.reshape(classes, -1), rooms.reshape(len(room), -1), tuple(scale)


def _slots(boxes: Boxes, sizes: Ints, rooms: Ints, row: Ints, total: int) -> tuple[Ints, Ints, Ints]:
    """One more row where the number of items in a box is limited."""
    if boxes.max_items is None:
        return sizes, rooms, row
    slots = np.minimum(np.asarray(boxes.max_items, np.int64), total)
    ones = np.ones((len(sizes), 1), np.int64)
    return np.hstack([sizes, ones]), np.hstack([rooms, slots[:, None]]), np.append(row, -1)


def _groups(items: Items) -> tuple[Ints, Ints, Ints]:
    """[class] number of its spread group (-1: none), [group] most per box, [group] zones."""
    wishes = items.spread or (None,) * len(items.size)
    names = sorted({w.group for w in wishes if w is not None})
    number = {name: i for i, name in enumerate(names)}
    group = np.array([-1 if w is None else number[w.group] for w in wishes], np.int64)
    cap, zones = np.full(len(names), ENDLESS, np.int64), np.ones(len(names), np.int64)
    for wish in wishes:
        if wish is not None:
            cap[number[wish.group]] = min(cap[number[wish.group]], wish.most_per_box)
            zones[number[wish.group]] = max(zones[number[wish.group]], wish.zones)
    return group, cap, zones


def _shared(group: Ints, cap: Ints) -> tuple[Ints, Ints]:
    """Only the groups of several classes: for one class alone `most` already says how many a box may hold."""
    members = np.bincount(group[group >= 0], minlength=len(cap))
    many = np.flatnonzero(members > 1)
    number = np.full(len(cap) + 1, -1)
    number[many] = np.arange(len(many))
    return number[group], cap[many]


def _folded(key: Ints) -> tuple[int, Ints, Ints]:
    """Number of different rows of `key`, one of each in sorted order, and which of them each row is."""
    order = np.lexsort(key.T[::-1])
    ranked = key[order]
    new = np.concatenate([[True], (ranked[1:] != ranked[:-1]).any(axis=1)])
    owner = np.empty(len(key), np.int64)
    owner[order] = np.cumsum(new) - 1
    return int(new.sum()), order[new], owner


def _useful(sizes: Ints, rooms: Ints) -> Ints:
    """Rows that can bind: of rows with the same rooms, those whose needs no other row exceeds everywhere."""
    kept: list[int] = []
    weight = (sizes / np.maximum(rooms.max(axis=0), 1)).sum(axis=0)
    for r in np.argsort(-weight, kind="stable"):
        if not sizes[:, r].any() and kept:
            continue
        covered = any(bool((sizes[:, q] >= sizes[:, r]).all() and (rooms[:, q] <= rooms[:, r]).all()) for q in kept)
        if not covered:
            kept.append(int(r))
    return np.sort(np.array(kept, np.int64))


def _most(sizes: Ints, rooms: Ints, fits: NDArray[np.bool_]) -> Ints:
    """[class, box], how many fit into an empty box."""
    most = np.full(fits.shape, ENDLESS, np.int64)
    for r in range(sizes.shape[1]):
        needed = np.maximum(sizes[:, r], 1)[:, None]
        here = np.where(sizes[:, r, None] > 0, rooms[None, :, r] // needed, ENDLESS)
        most = np.minimum(most, here)
    return np.where(fits, most, 0)
