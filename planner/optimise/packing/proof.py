"""The proof of a packing as plain JSON of integers, for a checker that shares nothing with the packer."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.piles import Pile

__all__ = ["Duals", "Evidence", "Prices", "written"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Prices:
    """Level 1: what a unit of each resource costs in each type of box, and the bound that follows."""

    price: Ints
    """[box, row], over `scale`."""
    scale: int
    level1: Fraction
    """Integers of usd."""


@dataclass(frozen=True)
class Duals:
    """Level 2: what an item of each class costs, and a proved upper bound on the value of any box."""

    price: Ints
    """[class], over `scale`."""
    scale: int
    upper: tuple[int, ...]
    """[box], over `scale`."""
    level2: Fraction
    """Integers of usd."""
    tolerance: str


@dataclass(frozen=True)
class Evidence:
    """Everything a proof states, over the classes as they were given."""

    size: Ints
    """[class, period, resource]."""
    profile: bool
    """Whether the sizes were given by period."""
    count: Ints
    unplaced: Ints
    room: Ints
    """[box, resource]."""
    usd: Ints
    max_items: Ints | None
    available: Ints | None
    fits: NDArray[np.bool_] | None
    spread: tuple[tuple[str, int, int] | None, ...] | None
    """[class], group, most in a box, zones."""
    size_scale: tuple[Fraction, ...]
    usd_scale: Fraction
    prices: Prices
    """`price` is [box, period x resource (+ slots)] here."""
    duals: Duals | None
    bound: Fraction
    cost: int


def written(evidence: Evidence, pile: Pile) -> dict[str, Any]:
    """The proof as plain JSON; its layout is checked by planner.verify."""
    size = evidence.size if evidence.profile else evidence.size[:, 0, :]
    return {
        "version": 1,
        "scale": {"size": [_number(s) for s in evidence.size_scale], "usd": _number(evidence.usd_scale)},
        "size": size.tolist(),
        "count": evidence.count.tolist(),
        "unplaced": evidence.unplaced.tolist(),
        "room": evidence.room.tolist(),
        "usd": evidence.usd.tolist(),
        "max_items": _optional(evidence.max_items, len(evidence.usd)),
        "available": _optional(evidence.available, len(evidence.usd)),
        "fits": None if evidence.fits is None else evidence.fits.astype(int).tolist(),
        "spread": None if evidence.spread is None else [None if s is None else list(s[:2]) for s in evidence.spread],
        "zones": {s[0]: s[2] for s in evidence.spread or () if s is not None and s[2] > 1},
        "patterns": _patterns(pile),
        "zone": None if pile.zone is None else pile.zone.tolist(),
        "lambda": {"scale": evidence.prices.scale, "price": _by_period(evidence)},
        "level1_usd": _fraction(evidence.prices.level1),
        "pi": _duals(evidence.duals),
        "level2_usd": None if evidence.duals is None else _fraction(evidence.duals.level2),
        "bound_usd": _fraction(evidence.bound),
        "cost_usd": evidence.cost,
    }


def _number(scale: Fraction) -> int | list[int]:
    """An integer where it is one, else numerator and denominator."""
    return scale.numerator if scale.denominator == 1 else _fraction(scale)


def _fraction(value: Fraction) -> list[int]:
    return [value.numerator, value.denominator]


def _optional(values: Ints | None, boxes: int) -> list[int | None]:
    return [None] * boxes if values is None else [int(v) for v in values]


def _patterns(pile: Pile) -> list[list[Any]]:
    entries = np.column_stack([pile.item, pile.amount]).tolist()
    bounds = pile.start.tolist()
    boxes, times = pile.box.tolist(), pile.times.tolist()
    return [[boxes[p], entries[bounds[p] : bounds[p + 1]], times[p]] for p in range(len(boxes))]


def _by_period(evidence: Evidence) -> list[list[Any]]:
    """Prices in the nesting of the sizes, the price of a slot last."""
    if not evidence.profile:
        return evidence.prices.price.tolist()  # type: ignore[no-any-return]
    _, periods, resources = evidence.size.shape
    flat = evidence.prices.price
    nested = flat[:, : periods * resources].reshape(len(flat), periods, resources).tolist()
    slots = flat[:, periods * resources :].tolist()
    return [[*table, *([slot] if slot else [])] for table, slot in zip(nested, slots, strict=True)]


def _duals(duals: Duals | None) -> dict[str, Any] | None:
    if duals is None:
        return None
    return {
        "scale": duals.scale,
        "price": duals.price.tolist(),
        "upper": [int(u) for u in duals.upper],
        "tolerance": duals.tolerance,
    }
