"""On what terms: the base that always runs is committed, the rest is rented by the hour; exact for each sku."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAID_AS_USED", "Floor", "Terms", "floor", "middle_share", "running_hours", "split"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PAID_AS_USED: Final = ("on_demand", "spot")
"""Terms paid for the hours that run; all others are paid for every hour of the month, used or not."""


@dataclass(frozen=True)
class Terms:
    """On what terms the instances of one sku are had."""

    hours: dict[str, float]
    """term -> instance-hours paid for in a month."""
    count: dict[str, int]
    """term -> the most instances of it at once."""
    usd: float
    """What they cost in a month."""


def running_hours(counts: Ints, hours: Floats) -> Floats:
    """[level], for how many hours at least so many instances (1, 2, ...) run: the load-duration curve.

    >>> running_hours(np.array([3, 1, 1]), np.array([10.0, 20.0, 5.0])).tolist()
    [35.0, 10.0, 10.0]
    """
    counts = np.asarray(counts, np.int64)
    levels = int(counts.max(initial=0))
    at = np.bincount(counts, weights=hours, minlength=levels + 1).astype(np.float64)
    return np.asarray(np.cumsum(at[::-1])[::-1][1 : levels + 1])


def split(counts: Ints, hours: Floats, usd_per_hour: Mapping[str, float]) -> Terms:
    """The cheapest mix of terms for `counts` [period] instances of one sku over `hours` [period].

    Each level of the load-duration curve is bought apart: committed where all hours at the lowest committed price
    cost less than the hours it runs at the lowest price paid as used. Levels run ever fewer hours, so the committed
    ones are the lowest, and no other mix is cheaper.

    Raises:
        ValueError: there is no price at all, or none paid as used for a level that only that could serve.

    >>> terms = split(np.array([3, 1]), np.array([365.0, 365.0]), {"on_demand": 1.0, "1y_no_upfront": 0.6})
    >>> terms.hours, terms.count
    ({'1y_no_upfront': 730.0, 'on_demand': 730.0}, {'1y_no_upfront': 1, 'on_demand': 2})
    """
    finite = {term: usd for term, usd in usd_per_hour.items() if np.isfinite(usd)}
    if not finite:
        raise ValueError("no price for any term")
    used = min((t for t in finite if t in PAID_AS_USED), key=finite.__getitem__, default=None)
    committed = min((t for t in finite if t not in PAID_AS_USED), key=finite.__getitem__, default=None)
    runs = running_hours(counts, hours)
    base = _base(runs, float(np.sum(hours)), finite, (used, committed))
    bought = {committed: (base * float(np.sum(hours)), base), used: (float(runs[base:].sum()), len(runs) - base)}
    kept = {t: pair for t, pair in bought.items() if t is not None and pair[1] > 0}
    return Terms(
        {t: h for t, (h, _) in kept.items()},
        {t: n for t, (_, n) in kept.items()},
        sum(finite[t] * h for t, (h, _) in kept.items()),
    )


def _base(runs: Floats, month: float, usd: Mapping[str, float], terms: tuple[str | None, str | None]) -> int:
    used, committed = terms
    if committed is None:
        return 0
    if used is None:
        return len(runs)
    return int(np.count_nonzero(runs * usd[used] > month * usd[committed]))


@dataclass(frozen=True)
class Floor:
    """Prices and hours that no mix of terms goes below, for any counts of any types.

    Let p be a type's price paid as used and c its lowest committed price. With ``usd`` <= min(p, c / share) per hour
    and ``weight`` <= hours summing to at most share x month, an instance paid as used in a set of periods pays at
    least usd x their weights, and a committed one pays c x month >= usd x share x month >= usd x all weights.
    So sum over periods of weight x (least cost of that period's boxes at `usd`) is a lower bound.
    """

    usd: Floats
    """[type], per hour."""
    weight: Floats
    """[period], hours."""
    share: float


def middle_share(used: Floats, committed: Floats) -> float:
    """The middle of the ratios c / p of the types that can be committed; 1 where none can.

    With it a level of the load-duration curve that is worth committing meets the floor exactly, and so does one that
    is not, as far as the types agree.
    """
    both = np.isfinite(committed) & np.isfinite(used)
    return float(np.clip(np.median(committed[both] / used[both]), 0.0, 1.0)) if both.any() else 1.0


def floor(used: Floats, committed: Floats, load: Floats, hours: Floats, share: float) -> Floor:
    """The floor under the prices `used` and `committed` [type] (inf: not sold); heaviest `load` [period] first.

    Any `share` from 0 to 1 gives a floor: `middle_share` where the load breathes, 1 where it does not.
    """
    usd = np.minimum(used, committed / share) if share > 0 else np.minimum(used, committed)
    order = np.argsort(-np.asarray(load, float), kind="stable")
    budget = share * float(np.sum(hours))
    before = np.concatenate([[0.0], np.cumsum(hours[order])[:-1]])
    weight = np.zeros(len(hours))
    weight[order] = np.clip(budget - before, 0.0, hours[order])
    return Floor(usd, weight, share)
