"""Nodes of a cluster, period by period: which types, how many, and what no fleet goes below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.models._pods import Pods, items
from planner.optimise.baselines import first_fit
from planner.optimise.buying import Floor, floor
from planner.optimise.packing import Boxes, Packing, pack

__all__ = ["Ask", "Fleet", "fitting", "fleet", "lagged"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

POOLS: Final = 4
"""Unit: node types. Source: more kinds of nodes hardly pack better and make commitments smaller."""
EASY: Final = 500
"""Unit: classes. Source: beyond it the search for the busiest period gets shorter in proportion."""
_SAFE: Final = 1.0 - 1e-9
"""Unit: fraction. Source: floating sums are exact to this, so a bound stays one."""


@dataclass(frozen=True)
class Ask:
    """What a fleet of nodes is wanted for."""

    pods: Pods
    hours: Floats
    room: Floats
    """[type, held resource], for pods."""
    slots: Ints
    """[type], pods a node takes."""
    used: Floats
    """[type], price per hour paid as used; inf where not sold."""
    committed: Floats
    """[type], price per hour paid for all hours."""
    fits: Bools
    """[class, type]."""
    min_nodes: int
    lag_periods: int
    autoscale: bool
    effort: float

    @property
    def load(self) -> Floats:
        """[period], how much is asked for: the larger share, of CPU or memory, of the largest room."""
        total = np.einsum("c,cpr->pr", self.pods.count.astype(float), self.pods.requested)
        share: Floats = total / np.maximum(self.room.max(axis=0, initial=0.0), 1e-12)
        return np.asarray(share.max(axis=1, initial=0.0))


@dataclass(frozen=True)
class Fleet:
    """Nodes that run in each period."""

    counts: Ints
    """[period, type]."""
    busiest: int
    """The period that `packing` is of."""
    packing: Packing | None
    """Of the busiest period; none where nothing is asked for."""
    rows: Ints
    """[class of packing], class of pods."""
    bound_usd: float
    """A month, below which no fleet and no mix of terms goes."""
    under: Floor


def fitting(pods: Pods, room: Floats, slots: Ints, arch: NDArray[np.str_]) -> Bools:
    """[class, type], whether an empty node of the type takes the largest replica of the class."""
    fits: Bools = (pods.arch[:, None] == arch) & (slots > 0)
    for r in range(room.shape[1]):
        fits &= pods.peak[:, r, None] <= room[:, r] * (1 + 1e-12)
    return fits


def fleet(ask: Ask) -> Fleet:
    """The nodes of every period: the busiest packed with care, the others by first fit into the types that it opened.

    Where the cluster does not scale, the nodes of the busiest period (every pod at its largest) run all the time.
    """
    asked = ask if ask.autoscale else _frozen(ask)
    under = floor(ask.used, ask.committed, asked.load, ask.hours)
    periods = len(ask.hours)
    if not len(ask.pods.count) or not periods:
        return Fleet(np.zeros((periods, len(ask.used)), np.int64), 0, None, np.zeros(0, np.int64), 0.0, under)
    busiest = int(np.argmax(asked.load))
    wanted, rows = items(asked.pods, busiest, ask.fits)
    effort = ask.effort * min(1.0, EASY / len(rows))
    packing = pack(wanted, _boxes(ask, under.usd), effort=effort)
    counts = np.repeat(packing.opened[None, :], periods, axis=0)
    if ask.autoscale:
        counts = _breathing(asked, busiest, packing.opened, under.usd)
    counts = lagged(_filled(counts, asked, under.usd), ask.lag_periods)
    bound = _bound(asked, _prices(asked, under.usd, packing), under)
    return Fleet(counts, busiest, packing, rows, bound, under)


def _frozen(ask: Ask) -> Ask:
    """The same question with every pod at its largest in every period."""
    pods = ask.pods
    size = np.broadcast_to(pods.peak[:, None, :], pods.size.shape)
    replicas = np.broadcast_to(pods.replicas.max(axis=1, initial=0)[:, None], pods.replicas.shape)
    still = Pods(size, replicas, pods.count, pods.arch, pods.spread, pods.zones)
    return Ask(**{**ask.__dict__, "pods": still})


def _boxes(ask: Ask, usd: Floats, only: Ints | None = None) -> Boxes:
    keep = np.arange(len(usd)) if only is None else only
    return Boxes(ask.room[keep], usd[keep], ask.slots[keep])


def _breathing(ask: Ask, busiest: int, opened: Ints, usd: Floats) -> Ints:
    """[period, type], by first fit into the pools that are cheapest over a few periods; equal periods once."""
    order = np.argsort(ask.load, kind="stable")
    tried = sorted({busiest, int(order[0]), int(order[len(order) // 2])})
    pools = min(_candidates(ask, opened, usd), key=lambda only: sum(_first_fit(ask, t, only, usd) @ usd for t in tried))
    counts = np.zeros((len(ask.hours), len(usd)), np.int64)
    known: dict[bytes, Ints] = {}
    within = _within(ask.pods, busiest)
    for t in range(len(ask.hours)):
        key = ask.pods.size[:, t].tobytes() + ask.pods.replicas[:, t].tobytes()
        if key not in known:
            found = _first_fit(ask, t, pools, usd)
            known[key] = opened if within[t] and opened @ usd <= found @ usd else found
        counts[t] = known[key]
    counts[busiest] = opened
    return counts


def _within(pods: Pods, busiest: int) -> Bools:
    """[period], whether the nodes of the busiest period hold it as they are: no pod larger, none more."""
    smaller = (pods.size <= pods.size[:, busiest, None] * (1 + 1e-12)).all(axis=(0, 2))
    return np.asarray(smaller & (pods.replicas <= pods.replicas[:, busiest, None]).all(axis=0))


def _candidates(ask: Ask, opened: Ints, usd: Floats) -> Iterator[Ints]:
    """Sets of types: the one that most is spent on, the first two, ... each with what else some pod needs."""
    spent = np.argsort(-(opened * usd), kind="stable")
    for n in range(1, min(POOLS, int(np.count_nonzero(opened))) + 1):
        chosen = set(spent[:n].tolist())
        for i in np.flatnonzero(~ask.fits[:, sorted(chosen)].any(axis=1)):
            if not ask.fits[i, sorted(chosen)].any():
                chosen.add(int(np.argmin(np.where(ask.fits[i], usd, np.inf))))
        yield np.array(sorted(chosen), np.int64)


def _first_fit(ask: Ask, period: int, pools: Ints, usd: Floats) -> Ints:
    """[type], nodes of one period."""
    out = np.zeros(len(usd), np.int64)
    wanted, _ = items(ask.pods, period, ask.fits[:, pools], apart=False)
    if len(wanted.count):
        out[pools] = first_fit(wanted, _boxes(ask, usd, pools)).opened
    return out


def _filled(counts: Ints, ask: Ask, usd: Floats) -> Ints:
    """At least as many nodes in every period as wanted, and as many as a group that keeps apart has members."""
    least = max(ask.min_nodes, _largest_group(ask.pods))
    used = counts.sum(axis=0) > 0
    cheapest = int(np.argmin(np.where(used, usd, np.inf)))
    filled = counts.copy()
    filled[:, cheapest] += np.clip(least - counts.sum(axis=1), 0, None)
    return filled


def _largest_group(pods: Pods) -> int:
    members: dict[str, int] = {}
    for group, many in zip(pods.spread.tolist(), (pods.count * pods.replicas.max(axis=1)).tolist(), strict=True):
        if group:
            members[group] = members.get(group, 0) + many
    return max(members.values(), default=0)


def lagged(counts: Ints, periods: int) -> Ints:
    """Nodes stay for `periods` after they are no longer needed, over a week that begins again.

    >>> lagged(np.array([[3], [1], [1], [0]]), 1).ravel().tolist()
    [3, 3, 1, 1]
    """
    kept = [np.roll(counts, shift, axis=0) for shift in range(min(periods, max(len(counts) - 1, 0)) + 1)]
    return np.asarray(np.max(kept, axis=0)) if len(counts) else counts


def _prices(ask: Ask, usd: Floats, packing: Packing) -> list[Floats]:
    """Resource prices [type, held resource] to bound with: of the busiest, a middling and the quietest period."""
    order = np.argsort(ask.load, kind="stable")
    found = [packing.shadow_prices]
    for t in {int(order[0]), int(order[len(order) // 2])} if ask.autoscale else set():
        wanted, _ = items(ask.pods, t, ask.fits)
        found.append(pack(wanted, _boxes(ask, usd), effort=0).shadow_prices)
    return [_payable(price, ask.room, usd) for price in found]


def _payable(price: Floats, room: Floats, usd: Floats) -> Floats:
    """Prices scaled down so that no node's room is worth more than the node."""
    worth = (price * room).sum(axis=1)
    return np.asarray(price * np.minimum(1.0, usd / np.maximum(worth, 1e-300))[:, None] * _SAFE)


def _bound(ask: Ask, prices: Sequence[Floats], under: Floor) -> float:
    """Sum over periods of weight x the most that any set of prices proves for the period."""
    if not prices:
        return 0.0
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
            np.minimum(least, pods.size[rows] @ row, out=least)
        total += pods.count[rows] @ (least * pods.replicas[rows])
    return total
