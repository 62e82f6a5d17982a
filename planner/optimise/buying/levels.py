"""Terms that hold for one sku: each level of its load-duration curve is bought apart, which is exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAID_AS_USED", "SUSTAINED", "Terms", "running_hours", "split", "sustained_hours", "sustained_share"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SUSTAINED: Final = "sustained_use"
"""The term whose price falls the longer an instance runs in a month."""

PAID_AS_USED: Final = ("on_demand", SUSTAINED, "spot")
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
    tier_hours: tuple[float, ...] = ()
    """Instance-hours of the term with sustained use in each part of the month, the first at full price."""


def running_hours(counts: Ints, hours: Floats) -> Floats:
    """[level], for how many hours at least so many instances (1, 2, ...) run: the load-duration curve.

    >>> running_hours(np.array([3, 1, 1]), np.array([10.0, 20.0, 5.0])).tolist()
    [35.0, 10.0, 10.0]
    """
    counts = np.asarray(counts, np.int64)
    levels = int(counts.max(initial=0))
    at = np.bincount(counts, weights=hours, minlength=levels + 1).astype(np.float64)
    return np.asarray(np.cumsum(at[::-1])[::-1][1 : levels + 1])


def sustained_hours(runs: Floats, month: float, parts: int) -> Floats:
    """[level, part], how many of the hours that each level runs fall into each equal part of the month.

    Source: Google Cloud documentation, "Sustained use discounts" (the first quarter of a month at the full price).

    >>> sustained_hours(np.array([365.0]), 730.0, 4).tolist()
    [[182.5, 182.5, 0.0, 0.0]]
    """
    width = month / max(parts, 1)
    return np.asarray(np.clip(np.asarray(runs, float)[:, None] - width * np.arange(parts), 0.0, width))


def sustained_share(used: float, factors: Sequence[float]) -> float:
    """Mean price of the hours run, as a share of the full one, for what runs a share `used` of the month.

    >>> [round(sustained_share(u, (1.0, 0.8, 0.6, 0.4)), 9) for u in (0.5, 0.75, 1.0)]
    [0.9, 0.8, 0.7]
    """
    hours = sustained_hours(np.array([used]), 1.0, len(factors))
    return float((hours @ np.asarray(factors, float))[0] / used) if used > 0 else 1.0


def split(counts: Ints, hours: Floats, usd_per_hour: Mapping[str, float], factors: Sequence[float] = ()) -> Terms:
    """The cheapest mix of terms for `counts` [period] instances of one sku over `hours` [period].

    Each level of the load-duration curve is bought apart, on the term that costs it least: a committed one costs all
    hours of the month, one paid as used the hours the level runs. Levels do not touch each other, so no other mix is
    cheaper.

    Args:
        counts: [period].
        hours: [period].
        usd_per_hour: price of each term; of sustained use the mean price of a whole month.
        factors: price of the parts of a month with sustained use, as shares of the first, which is 1.

    Raises:
        ValueError: there is no price at all.

    >>> terms = split(np.array([3, 1]), np.array([365.0, 365.0]), {"on_demand": 1.0, "1y_no_upfront": 0.6})
    >>> terms.hours, terms.count
    ({'1y_no_upfront': 730.0, 'on_demand': 730.0}, {'1y_no_upfront': 1, 'on_demand': 2})
    >>> split(np.array([1]), np.array([730.0]), {"sustained_use": 0.7}, (1.0, 0.8, 0.6, 0.4)).tier_hours
    (182.5, 182.5, 182.5, 182.5)
    """
    finite = {term: usd for term, usd in usd_per_hour.items() if np.isfinite(usd)}
    if not finite:
        raise ValueError("no price for any term")
    if SUSTAINED in finite and len(factors):
        finite.pop("on_demand", None)  # never cheaper than with sustained use
    # Of equal prices the one paid as used, which binds nobody.
    terms = sorted(finite, key=lambda term: term not in PAID_AS_USED)
    runs, month = running_hours(counts, hours), float(np.sum(hours))
    cost = np.array([_cost(term, finite[term], runs, (month, factors)) for term in terms])
    best = np.argmin(cost, axis=0) if len(runs) else np.zeros(0, np.int64)
    paid = {terms[k]: runs[best == k] for k in reversed(range(len(terms))) if (best == k).any()}
    tiers = sustained_hours(paid.get(SUSTAINED, runs[:0]), month, len(factors)).sum(axis=0)
    return Terms(
        {t: float(run.sum()) if t in PAID_AS_USED else len(run) * month for t, run in paid.items()},
        {t: len(run) for t, run in paid.items()},
        float(cost.min(axis=0).sum()),
        tuple(tiers.tolist()) if SUSTAINED in paid else (),
    )


def _cost(term: str, usd: float, runs: Floats, parts: tuple[float, Sequence[float]]) -> Floats:
    """[level], what each level costs in a month on a term."""
    month, factors = parts
    if term not in PAID_AS_USED:
        return np.full(len(runs), usd * month)
    if term == SUSTAINED and len(factors):
        full = usd / float(np.mean(factors))
        return np.asarray(sustained_hours(runs, month, len(factors)) @ np.asarray(factors, float)) * full
    return runs * usd
