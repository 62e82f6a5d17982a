"""Refuses what cannot be packed, with the reason and the place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planner.errors import InputError
from planner.optimise.packing.types import Boxes, Items

__all__ = ["MOST_ITEMS", "check"]

MOST_ITEMS = 1e12
"""Unit: items. Source: sums of items stay exact in doubles; time grows with classes only."""


def check(items: Items, boxes: Boxes) -> None:
    """Raise for numbers that mean nothing.

    Raises:
        InputError: empty, negative, NaN, infinite or zero-size input, or arrays whose shapes do not agree.
    """
    size, room = np.asarray(items.size), np.asarray(boxes.room)
    if size.ndim not in (2, 3) or room.ndim != 2:
        raise InputError(
            f"items.size: expected [class, resource] or [class, period, resource] and boxes.room [box, resource], got "
            f"{size.ndim} and {room.ndim} axes"
        )
    if not size.shape[0] or not size.shape[-1]:
        raise InputError("items: empty, expected at least one class with at least one resource")
    if not room.shape[0]:
        raise InputError("boxes: empty, expected at least one type of box")
    if size.shape[-1] != room.shape[1]:
        raise InputError(f"boxes.room: {room.shape[1]} resources, expected {size.shape[-1]} as in items.size")
    _shapes(items, boxes)
    _numbers(size, "items.size", "class")
    _numbers(room, "boxes.room", "box")
    _numbers(np.asarray(boxes.usd), "boxes.usd", "box")
    _counts(items, boxes)
    zero = np.flatnonzero(~(size.reshape(len(size), -1) > 0).any(axis=1))
    if len(zero):
        raise InputError(f"items.size: class {zero[0]} has zero size in every resource, expected more than 0 in one")


def _shapes(items: Items, boxes: Boxes) -> None:
    classes, kinds = len(items.size), len(boxes.room)
    expected = {
        "items.count": (items.count, (classes,)),
        "items.fits": (items.fits, (classes, kinds)),
        "boxes.usd": (boxes.usd, (kinds,)),
        "boxes.max_items": (boxes.max_items, (kinds,)),
        "boxes.available": (boxes.available, (kinds,)),
    }
    for name, (given, shape) in expected.items():
        if given is not None and np.shape(given) != shape:
            raise InputError(f"{name}: shape {np.shape(given)}, expected {shape}")
    if items.spread is not None and len(items.spread) != classes:
        raise InputError(f"items.spread: {len(items.spread)} entries, expected one for each of {classes} classes")


def _numbers(values: NDArray[np.float64], name: str, axis: str) -> None:
    flat = values.reshape(len(values), -1).astype(float)
    for wrong, word in ((np.isnan(flat), "NaN"), (np.isinf(flat), "infinite"), (flat < 0, "negative")):
        rows = np.flatnonzero(wrong.any(axis=1))
        if len(rows):
            raise InputError(f"{name}: {axis} {rows[0]} is {word}, expected a finite number of 0 or more")


def _counts(items: Items, boxes: Boxes) -> None:
    given = {"items.count": items.count, "boxes.max_items": boxes.max_items, "boxes.available": boxes.available}
    for name, values in given.items():
        if values is None:
            continue
        flat = np.asarray(values)
        wrong = np.flatnonzero(~(flat >= 0) | ~np.isfinite(flat) | (flat != np.rint(flat)))
        if len(wrong):
            raise InputError(f"{name}: entry {wrong[0]} is {flat[wrong[0]]}, expected a whole number of 0 or more")
        if float(flat.max(initial=0)) > 2.0**62:
            raise InputError(f"{name}: entry {int(np.argmax(flat))} is {flat.max():g}, expected no more than 2^62")
    total = float(np.sum(items.count, dtype=float))
    if total > MOST_ITEMS:
        raise InputError(f"items.count: {total:g} items in all, expected no more than {MOST_ITEMS:g}")
    for i, wish in enumerate(items.spread or ()):
        if wish is not None and (wish.most_per_box < 1 or wish.zones < 1):
            raise InputError(f"items.spread: class {i} wants fewer than 1 per box or zone, expected 1 or more")
