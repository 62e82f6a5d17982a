"""Nodes that stay and nodes that come and go, chosen by one program over all periods and filled one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.models._pods import items
from planner.models._wanted import Ask
from planner.optimise.breathing import Breath, Needs, Rates, breathe
from planner.optimise.packing import Boxes, Items, pack
from planner.optimise.packing.chain import Stock, chained

__all__ = ["breath", "comers", "stayers", "weeks"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SECONDS: Final = 8.0
"""Unit: s, at effort 1. Source: a sixtieth of a second a period at the default effort; half of it costs 2 % more."""
TRIAL: Final = 2.0
"""Unit: s, at effort 1. Source: measured; telling which base is better needs less."""
SIZES: Final = (4.0, 8.0)
"""Unit: ratio. Source: nodes that come and go follow the hour better when they are smaller than those that stay."""
ROUNDINGS: Final = (0.25, 0.75)
"""Unit: nodes. Source: up a little or down a little from what the program keeps; which is better, trying tells."""


def breath(ask: Ask) -> Breath:
    """The fractional fleet of all periods and its bound."""
    pods = ask.pods
    each: Floats = np.concatenate([pods.requested, pods.replicas[:, :, None]], axis=2, dtype=np.float64)
    each = each * pods.count[:, None, None].astype(np.float64)
    lag = min(ask.lag_periods, max(len(ask.hours) - 1, 0))
    used = ask.used if ask.promised is None else np.minimum(ask.used, ask.promised)
    return breathe(Needs(ask.fits, each), Rates(ask.room, used, ask.committed, ask.hours, lag, ask.running))


def stayers(found: Breath) -> list[Ints]:
    """[type], nodes that always run: those the program keeps, rounded down or up, as far as that differs."""
    whole = [np.floor(found.base + more).astype(np.int64) for more in ROUNDINGS]
    return [base for i, base in enumerate(whole) if not any(np.array_equal(base, other) for other in whole[:i])]


def comers(ask: Ask, found: Breath) -> set[int]:
    """Types that come and go: smaller ones of the shapes that the program keeps and adds most of."""
    usd = ask.now_and_then
    kept = int(np.argmax(np.maximum(found.base, found.holding.mean(axis=0) * 1e-6) * usd))
    more = np.clip(found.holding - found.base, 0.0, None).mean(axis=0) * usd
    chosen = {_alike(ask, kept, ratio) for ratio in SIZES}
    return chosen | ({_alike(ask, int(np.argmax(more)), SIZES[0])} if more.any() else set())


def _alike(ask: Ask, kind: int, ratio: float) -> int:
    """The type whose shape is nearest to that of `kind` and whose price is nearest to a `ratio`th of its."""
    usd = ask.now_and_then - ask.running  # its size: what comes with every node says nothing about that
    shape = np.maximum(ask.room[:, 1] / np.maximum(ask.room[:, 0], 1e-12), 1e-12)
    apart = np.abs(np.log(shape / shape[kind])) + np.abs(np.log(ratio * usd / usd[kind]))
    usable = ask.fits[:, kind] @ ask.fits if ask.fits[:, kind].any() else np.ones(len(usd))
    return int(np.argmin(np.where(usable > 0, apart, np.inf)))


def weeks(ask: Ask, base: Ints, pools: Ints) -> Iterator[Ints]:
    """[period, type], nodes that hold pods in each period beside `base` [type] that always run, again and again.

    Each time around begins with the nodes that the one before ended with.
    """
    kept, usd = np.flatnonzero(base), ask.now_and_then
    both = np.concatenate([kept, pools])
    stock = Stock(
        Boxes(ask.room[kept], usd[kept], None, base[kept]), Boxes(ask.room[pools], usd[pools]), ask.lag_periods
    )
    wanted, _ = items(ask.pods, int(np.argmax(ask.load)), ask.fits[:, both], apart=False)
    price = pack(wanted, Boxes(ask.room[both], usd[both]), effort=0).shadow_prices
    periods = [_every(ask, t, both) for t in range(len(ask.hours))]
    every = ((items, (TRIAL if n < len(periods) else SECONDS) * ask.effort) for n, items in enumerate(cycle(periods)))
    opened = chained(every, stock, price, 0)
    while True:
        counts = np.repeat(base[None, :], len(periods), axis=0)
        counts[:, pools] += np.array(list(islice(opened, len(periods))))
        yield counts


def _every(ask: Ask, period: int, kinds: Ints) -> Items:
    """What must be packed in a period, all classes in their order."""
    pods = ask.pods
    size = np.column_stack([pods.size[:, period], np.ones(len(pods.count))])
    return Items(size, pods.count * pods.replicas[:, period], None, ask.fits[:, kinds])
