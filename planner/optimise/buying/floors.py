"""A floor under every mix of terms: what no counts of instances, bought on whatever terms, go below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floor", "floor", "middle_share"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Floor:
    """Prices and hours that no mix of terms goes below, for any counts of any types.

    Let p be a type's price paid as used and c its lowest committed price. With ``usd`` <= min(p, c / share) per hour
    and ``weight`` <= hours summing to at most share x month, an instance paid as used in a set of periods pays at
    least usd x their weights, and a committed one pays c x month >= usd x share x month >= usd x all weights.
    So sum over periods of weight x (least cost of that period's boxes at `usd`) is a lower bound.

    It holds as well for a promise that instances of several types share, where c is what an hour of a type takes of it
    at its price: what is promised for every hour, P, is at least what it covers in any, so P x month >= sum over
    periods of P x weight / share >= sum over periods of weight x usd x what is covered. And it holds where p falls
    with the hours run, with the mean price of a whole month for p.
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
