"""What no fleet goes below: resource prices at which no node's room is worth more than the node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.models._pods import items
from planner.models._wanted import Ask
from planner.optimise.buying import Floor, floor, middle_share
from planner.optimise.packing import Boxes, pack

__all__ = ["lowest"]

Floats = NDArray[np.float64]

_SAFE: Final = 1.0 - 1e-9
"""Unit: fraction. Source: floating sums are exact to this, so a bound stays one."""


def lowest(ask: Ask) -> tuple[float, Floor]:
    """What the nodes of a month cost at least, and the floor under the terms that tells so: the higher of two."""
    shares = {1.0, middle_share(ask.used, ask.committed)} if ask.autoscale else {1.0}
    unders = [floor(ask.used, ask.committed, ask.load, ask.hours, share) for share in sorted(shares)]
    return max(((_bound(ask, _prices(ask, under.usd), under), under) for under in unders), key=lambda found: found[0])


def _prices(ask: Ask, usd: Floats) -> list[Floats]:
    """Resource prices [type, held resource and slots] to bound with: of the busiest, a middling and the quietest
    period."""
    order = np.argsort(ask.load, kind="stable")
    found = []
    for t in {int(order[q]) for q in ((0, len(order) // 2, -1) if ask.autoscale else (-1,))}:
        wanted, _ = items(ask.pods, t, ask.fits, apart=False)
        found.append(pack(wanted, Boxes(ask.room, usd), effort=0).shadow_prices)
    room = np.minimum(ask.room, _most_asked(ask))
    return [_payable(price, room, usd) for price in found]


def _most_asked(ask: Ask) -> Floats:
    """[held resource and slots], what all pods of any one period take together: no node ever holds more."""
    pods, count = ask.pods, ask.pods.count.astype(float)
    taken = np.einsum("c,cpr->pr", count, pods.requested).max(axis=0, initial=0.0)
    return np.append(taken, (count @ pods.replicas).max(initial=0.0))


def _payable(price: Floats, room: Floats, usd: Floats) -> Floats:
    """Prices scaled down so that what a node can hold is not worth more than the node."""
    worth = (price * room).sum(axis=1)
    return np.asarray(price * np.minimum(1.0, usd / np.maximum(worth, 1e-300))[:, None] * _SAFE)


def _bound(ask: Ask, prices: Sequence[Floats], under: Floor) -> float:
    """Sum over periods of weight x the most that any set of prices proves for the period."""
    proved = np.max([_worth(ask, price) for price in prices], axis=0)
    return float(under.weight @ proved)


def _worth(ask: Ask, price: Floats) -> Floats:
    """[period], what all pods pay, each at the lowest price among the types that take it.

    A node of type k holds pods that pay at most price_k x room_k <= its cost, so the nodes cost at least that.
    """
    pods, total = ask.pods, np.zeros(len(ask.hours))
    signature, of = np.unique(ask.fits, axis=0, return_inverse=True)
    for s, usable in enumerate(signature):
        rows = np.flatnonzero(of.ravel() == s)
        least = np.full((len(rows), len(ask.hours)), np.inf)
        for row in np.unique(price[usable], axis=0):
            np.minimum(least, pods.size[rows] @ row[:-1] + row[-1], out=least)
        total += pods.count[rows] @ (least * pods.replicas[rows])
    return total
