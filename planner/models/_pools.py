"""Nodes of a cluster, period by period: which types, how many, and what no fleet goes below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.models._pods import Pods, items
from planner.optimise.baselines import first_fit
from planner.optimise.buying import Floor, floor, split
from planner.optimise.packing import Boxes, Packing, pack

__all__ = ["Ask", "Fleet", "fitting", "fleet", "lagged"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

POOLS: Final = 4
"""Unit: node types. Source: more kinds of nodes hardly pack better and make commitments smaller."""
GROUPS: Final = 12
"""Unit: groups of periods. Source: twelve loads of a week lose some 8 % against 168, and are packed in seconds."""
MANY: Final = 10**9
"""Unit: nodes. Source: stands for "as many as wanted" beside nodes that are limited."""
SUNK: Final = 1e-3
"""Unit: fraction of the price. Source: a node that runs anyway is taken before any other."""
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
class Menu:
    """What may be opened: types at their price, and nodes that run anyway at next to none."""

    kind: Ints
    """[box], its type."""
    usd: Floats
    """[box]."""
    available: Ints | None
    base: Ints
    """[type], nodes that run anyway."""

    def boxes(self, ask: Ask) -> Boxes:
        """The boxes of a packing."""
        return Boxes(ask.room[self.kind], self.usd, ask.slots[self.kind], self.available)

    def nodes(self, opened: Ints) -> Ints:
        """[type], nodes that run when `opened` [box] are needed."""
        more = np.bincount(self.fresh, opened[-len(self.fresh) :], minlength=len(self.base)).astype(np.int64)
        return np.asarray(self.base + more)

    @property
    def fresh(self) -> Ints:
        """The types at their price: the boxes after those that run anyway."""
        return self.kind[np.count_nonzero(self.base) :]

    @property
    def offset(self) -> Ints:
        """[box], number of its first node among those of its type."""
        return np.concatenate([np.zeros(np.count_nonzero(self.base), np.int64), self.base[self.fresh]])


@dataclass(frozen=True)
class Fleet:
    """Nodes that run in each period."""

    counts: Ints
    """[period, type]."""
    packing: Packing | None
    """Of the busiest period; none where nothing is asked for."""
    menu: Menu
    """What its boxes are."""
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
    """The nodes of every period: those of the quietest run always, more are added as the hour asks for them.

    Other ways are tried beside, and the one that costs least in a month on its best terms is taken. Where the cluster
    does not scale, the nodes of the busiest period (every pod at its largest) run all the time.
    """
    asked = ask if ask.autoscale else _frozen(ask)
    under = floor(ask.used, ask.committed, asked.load, ask.hours)
    none = np.zeros(len(ask.used), np.int64)
    periods = len(ask.hours)
    if not len(ask.pods.count) or not periods:
        menu = _menu(none, np.arange(len(none)), under.usd)
        return Fleet(np.zeros((periods, len(none)), np.int64), None, menu, np.zeros(0, np.int64), 0.0, under)
    busiest = int(np.argmax(asked.load))
    pilot = _way(asked, busiest, _menu(none, np.arange(len(none)), under.usd))
    ways = _breathing(asked, busiest, pilot, under.usd) if ask.autoscale else [pilot]
    lived = [(replace(way, counts=_lived(asked, way.counts, under.usd))) for way in ways]
    best = min(lived, key=lambda way: _month(asked, way.counts))
    bound = _bound(asked, _prices(asked, under.usd, pilot.packing), under)
    return Fleet(best.counts, best.packing, best.menu, best.rows, bound, under)


@dataclass(frozen=True)
class _Way:
    """One way to run: the busiest period with care, and the nodes of all periods."""

    counts: Ints
    packing: Packing
    menu: Menu
    rows: Ints


def _menu(base: Ints, pools: Ints, usd: Floats) -> Menu:
    kept = np.flatnonzero(base)
    if not len(kept):
        return Menu(pools, usd[pools], None, base)
    available = np.concatenate([base[kept], np.full(len(pools), MANY)])
    return Menu(np.concatenate([kept, pools]), np.concatenate([usd[kept] * SUNK, usd[pools]]), available, base)


def _way(ask: Ask, busiest: int, menu: Menu) -> _Way:
    """All periods run the nodes of the busiest."""
    wanted, rows = items(ask.pods, busiest, ask.fits[:, menu.kind])
    packing = pack(wanted, menu.boxes(ask), effort=_effort(ask, len(rows)))
    return _Way(np.repeat(menu.nodes(packing.opened)[None, :], len(ask.hours), axis=0), packing, menu, rows)


def _lived(ask: Ask, counts: Ints, usd: Floats) -> Ints:
    return lagged(_filled(counts, ask, usd), ask.lag_periods)


def _effort(ask: Ask, classes: int) -> float:
    return ask.effort * min(1.0, EASY / max(classes, 1))


def _month(ask: Ask, counts: Ints) -> float:
    """What nodes cost in a month on the best mix of terms."""
    prices = zip(ask.used.tolist(), ask.committed.tolist(), strict=True)
    terms = [split(n, ask.hours, {"on_demand": p, "committed": c}) for n, (p, c) in zip(counts.T, prices, strict=True)]
    return sum(t.usd for t in terms)


def _frozen(ask: Ask) -> Ask:
    """The same question with every pod at its largest in every period."""
    pods = ask.pods
    size = np.broadcast_to(pods.peak[:, None, :], pods.size.shape)
    replicas = np.broadcast_to(pods.replicas.max(axis=1, initial=0)[:, None], pods.replicas.shape)
    return replace(ask, pods=replace(pods, size=size, replicas=replicas))


def _breathing(ask: Ask, busiest: int, pilot: _Way, usd: Floats) -> list[_Way]:
    """Ways to run: without a base by first fit; with one by first fit, by alike periods packed with care, and mixed."""
    parts = _alike(ask)
    quiet = _packed(ask, parts[0], _menu(np.zeros_like(pilot.menu.base), pilot.menu.kind, usd))
    pools = _pools(ask, pilot.menu.nodes(pilot.packing.opened) + quiet, usd)
    loose = _settled(ask, busiest, pilot, _fitted(ask, busiest, _menu(np.zeros_like(quiet), pools, usd), usd), usd)
    start = _way(ask, busiest, _menu(quiet, pools, usd))
    fitted, careful = _fitted(ask, busiest, start.menu, usd), _careful(ask, parts, start.menu)
    better = (careful @ usd < fitted @ usd)[:, None]
    ways = (fitted, careful, np.where(better, careful, fitted))
    return [loose, *(_settled(ask, busiest, start, counts, usd) for counts in ways)]


def _settled(ask: Ask, busiest: int, start: _Way, counts: Ints, usd: Floats) -> _Way:
    """The busiest period keeps its packing, and so do those that it holds as it is where that is cheaper."""
    most = start.counts[busiest]
    dear = _within(ask.pods, busiest) & (counts @ usd > most @ usd)
    dear[busiest] = True
    return replace(start, counts=np.where(dear[:, None], most, counts))


def _alike(ask: Ask) -> list[Ints]:
    """Periods of like load, the quietest first."""
    groups = max(1, round(GROUPS * min(1.0, EASY / len(ask.pods.count))))
    return list(np.array_split(np.argsort(ask.load, kind="stable"), min(groups, len(ask.hours))))


def _pools(ask: Ask, opened: Ints, usd: Floats) -> Ints:
    """The types most is spent on, and what they do not take."""
    spent = opened * usd
    most = np.argsort(-spent, kind="stable")[: max(1, min(2 * POOLS, int(np.count_nonzero(spent))))]
    return _covering(ask, set(most.tolist()), usd)


def _fitted(ask: Ask, busiest: int, whole: Menu, usd: Floats) -> Ints:
    """[period, type], by first fit into the part of the menu that is cheapest in a few periods; equal periods once."""
    order = np.argsort(ask.load, kind="stable")
    tried = sorted({busiest, int(order[0]), int(order[len(order) // 2])})
    menus = [_menu(whole.base, only, usd) for only in _candidates(ask, whole.fresh, usd)]
    menu = min(menus, key=lambda m: sum(_first_fit(ask, t, m) @ usd for t in tried))
    known: dict[bytes, Ints] = {}
    counts = np.zeros((len(ask.hours), len(usd)), np.int64)
    for t in range(len(ask.hours)):
        key = ask.pods.size[:, t].tobytes() + ask.pods.replicas[:, t].tobytes()
        if key not in known:
            known[key] = _first_fit(ask, t, menu)
        counts[t] = known[key]
    return counts


def _careful(ask: Ask, parts: Sequence[Ints], menu: Menu) -> Ints:
    """[period, type]: periods of like load share the nodes that hold the largest of each pod among them."""
    counts = np.zeros((len(ask.hours), len(menu.base)), np.int64)
    for part in parts:
        counts[part] = _packed(ask, part, menu)
    return counts


def _packed(ask: Ask, periods: Ints, menu: Menu) -> Ints:
    """[type], nodes that hold the largest of each pod, and the most replicas, of some periods."""
    size = ask.pods.size[:, periods].max(axis=1, keepdims=True)
    replicas = ask.pods.replicas[:, periods].max(axis=1, keepdims=True)
    wanted, rows = items(replace(ask.pods, size=size, replicas=replicas), 0, ask.fits[:, menu.kind])
    return menu.nodes(pack(wanted, menu.boxes(ask), effort=_effort(ask, len(rows))).opened)


def _within(pods: Pods, busiest: int) -> Bools:
    """[period], whether the nodes of the busiest period hold it as they are: no pod larger, none more."""
    smaller = (pods.size <= pods.size[:, busiest, None] * (1 + 1e-12)).all(axis=(0, 2))
    return np.asarray(smaller & (pods.replicas <= pods.replicas[:, busiest, None]).all(axis=0))


def _candidates(ask: Ask, pools: Ints, usd: Floats) -> Iterator[Ints]:
    """Sets of types to tell by trying: each pool alone, each two, and all."""
    for n in range(len(pools)):
        for m in range(n, len(pools)):
            yield _covering(ask, {int(pools[n]), int(pools[m])}, usd)
    yield pools


def _covering(ask: Ask, chosen: set[int], usd: Floats) -> Ints:
    """The types chosen, each with the cheapest that takes what none of them takes."""
    for i in np.flatnonzero(~ask.fits[:, sorted(chosen)].any(axis=1)):
        if not ask.fits[i, sorted(chosen)].any():
            chosen.add(int(np.argmin(np.where(ask.fits[i], usd, np.inf))))
    return np.array(sorted(chosen), np.int64)


def _first_fit(ask: Ask, period: int, menu: Menu) -> Ints:
    """[type], nodes of one period."""
    wanted, _ = items(ask.pods, period, ask.fits[:, menu.kind], apart=False)
    return menu.nodes(first_fit(wanted, menu.boxes(ask)).opened) if len(wanted.count) else menu.base


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
        found.append(pack(wanted, Boxes(ask.room, usd, ask.slots), effort=0).shadow_prices)
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
