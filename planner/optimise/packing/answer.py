"""From what was found over folded classes to the answer over the classes that were given."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

from planner.optimise.packing.instance import Instance
from planner.optimise.packing.piles import Pile, remapped
from planner.optimise.packing.proof import Duals, Evidence, Prices
from planner.optimise.packing.reasons import reasons
from planner.optimise.packing.types import Boxes, Items, Packing

__all__ = ["Found", "answered", "placed"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Found:
    """What the search ended with, over folded classes."""

    pile: Pile
    left: Ints
    """[class], items without a box."""
    prices: Prices
    duals: Duals | None
    method: str
    details: dict[str, float] = field(default_factory=dict)


def answered(items: Items, boxes: Boxes, question: Instance, found: Found) -> Packing:
    """The packing over the given classes, with reasons for what is left over and the evidence for its bound."""
    count = placed(question.owner, items.count, found.left)
    unplaced = np.asarray(items.count, np.int64) - count
    pile = remapped(found.pile, question.owner, count)
    opened = pile.opened(len(question.usd))
    cost = sum(int(n) * int(c) for n, c in zip(opened, question.usd, strict=True))
    bound = _bound(found, cost)
    usd = float(opened @ question.dollars)
    return Packing(
        opened=opened,
        usd=usd,
        bound_usd=min(usd, float(bound / question.usd_scale * _rounding(question))),
        method=found.method,
        unplaced=unplaced,
        reasons=reasons(items, boxes, unplaced),
        shadow_prices=_shadow(question, found.prices),
        pile=pile,
        evidence=_evidence(items, boxes, question, (found, unplaced, bound, cost)),
        details=found.details,
    )


def _bound(found: Found, cost: int) -> Fraction:
    """The best proved bound; prices are whole numbers, so that it may be rounded up to one."""
    best = found.prices.level1 if found.duals is None else max(found.prices.level1, found.duals.level2)
    return Fraction(min(cost, ceil(best)))


def _rounding(question: Instance) -> Fraction:
    """How much of an integer price is certainly real."""
    scale = question.usd_scale
    shares = [Fraction(d) * scale / int(u) for d, u in zip(question.dollars, question.usd, strict=True) if u]
    least = min(shares, default=Fraction(1))
    return least if least < 1 - Fraction(1, 10**12) else Fraction(1)


def placed(owner: Ints, count: Ints, left: Ints) -> Ints:
    """[given class], items with a box; what is left of a folded class is taken from the last of its members first."""
    out = np.asarray(count, np.int64).copy()
    rest = left.copy()
    for i in np.flatnonzero(left[owner] > 0)[::-1]:
        taken = min(out[i], rest[owner[i]])
        out[i] -= taken
        rest[owner[i]] -= taken
    return out


def _shadow(question: Instance, prices: Prices) -> Floats:
    """[box, resource], usd for one more unit, summed over periods."""
    resources = len(question.scale)
    out = np.zeros((len(question.usd), resources))
    for column, row in enumerate(question.row):
        if row >= 0:
            per = float(question.scale[row % resources] / question.usd_scale)
            out[:, row % resources] += prices.price[:, column] / prices.scale * per
    return out


def _evidence(items: Items, boxes: Boxes, question: Instance, ended: tuple[Found, Ints, Fraction, int]) -> Evidence:
    found, unplaced, bound, cost = ended
    slots = boxes.max_items is not None
    width = question.sizes.shape[1] * question.sizes.shape[2] + slots
    price = np.zeros((len(question.usd), width), np.int64)
    price[:, np.where(question.row < 0, width - 1, question.row)] = found.prices.price
    fits = (question.most > 0)[question.owner]
    duals = found.duals
    return Evidence(
        size=question.sizes,
        profile=np.ndim(items.size) == 3,
        count=np.asarray(items.count, np.int64),
        unplaced=unplaced,
        room=question.rooms,
        usd=question.usd,
        max_items=None if boxes.max_items is None else np.asarray(boxes.max_items, np.int64),
        available=None if boxes.available is None else np.asarray(boxes.available, np.int64),
        fits=None if fits.all() else fits,
        spread=_wishes(items),
        size_scale=question.scale,
        usd_scale=question.usd_scale,
        prices=Prices(price, found.prices.scale, found.prices.level1),
        duals=None if duals is None else _unfolded(duals, question.owner),
        bound=bound,
        cost=cost,
    )


def _wishes(items: Items) -> tuple[tuple[str, int, int] | None, ...] | None:
    """[class], group, most in a box and zones, as its members agree."""
    if items.spread is None:
        return None
    most: dict[str, int] = {}
    zones: dict[str, int] = {}
    for wish in items.spread:
        if wish is not None:
            most[wish.group] = min(wish.most_per_box, most.get(wish.group, wish.most_per_box))
            zones[wish.group] = max(wish.zones, zones.get(wish.group, 1))
    return tuple(None if s is None else (s.group, most[s.group], zones[s.group]) for s in items.spread)


def _unfolded(duals: Duals, owner: Ints) -> Duals:
    return Duals(duals.price[owner], duals.scale, duals.upper, duals.level2, duals.tolerance)
