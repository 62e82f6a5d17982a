"""Nodes of a cluster, period by period: which types, how many, and what no fleet goes below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.models._floors import lowest
from planner.models._pods import Pods, items
from planner.models._remembered import remembered
from planner.models._rhythm import breath, comers, stayers, weeks
from planner.models._wanted import Ask, Menu
from planner.optimise.baselines import Greedy, best_fit, first_fit
from planner.optimise.breathing import Breath
from planner.optimise.buying import Floor, floor, split
from planner.optimise.packing import Boxes, Items, Packing, pack
from planner.optimise.packing.chain import SUNK

__all__ = ["Fleet", "fleet", "lagged"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

POOLS: Final = 4
"""Unit: node types. Source: more kinds of nodes hardly pack better and make commitments smaller."""
BASE: Final = 0.3
"""Unit: quantile of the load. Source: commitments pay for what runs some two thirds of the month, so about there."""
MANY: Final = 10**9
"""Unit: nodes. Source: stands for "as many as wanted" beside nodes that are limited."""
EASY: Final = 500
"""Unit: classes. Source: beyond it the search for the busiest period gets shorter in proportion."""


UNIFORM: Final = 4
"""Unit: types. Source: the cheapest by either estimate; each takes a filling of every period."""
FEWEST: Final = 2
"""Unit: ratio to the fewest nodes a cluster must have. Source: beyond it, nodes that must be there are all needed."""
FEW_NODES: Final = 24
"""Unit: nodes. Source: with no more, rounding costs most, and every further way takes milliseconds."""
NEXT: Final = 0.6
"""Unit: ratio. Source: types are sold in sizes that double, less what the system keeps."""
FEW: Final = 2_000
"""Unit: classes. Source: up to so many, filling every hour by several rules takes seconds."""
Rule = tuple[Callable[[Items, Boxes], Greedy], tuple[int, ...]]
RULES: Final[tuple[Rule, ...]] = tuple((fill, again) for again in ((), (0,), (1,)) for fill in (first_fit, best_fit))
"""Rules of thumb: how to fill, and which resources (CPU, memory) weigh double in the order of the pods."""


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
    breath: Breath | None = None
    """The program over all periods whose bound that is; none where resource prices of single periods prove more."""


@remembered
def fleet(ask: Ask) -> Fleet:
    """The nodes of every period: some run always, more are added as the hour asks for them.

    How many stay is asked of one program over all periods, and of the nodes of single hours; the way that costs least
    in a month on its best terms is taken. Where the cluster does not scale, the nodes of the busiest period (every pod
    at its largest) run all the time.
    """
    asked = ask if ask.autoscale else _frozen(ask)
    none, every = np.zeros(len(ask.used), np.int64), np.arange(len(ask.used))
    if not len(ask.pods.count) or not len(ask.hours):
        empty = np.zeros((len(ask.hours), len(none)), np.int64)
        under = floor(ask.used, ask.committed, asked.load, ask.hours, 1.0)
        return Fleet(empty, None, _menu(none, every, ask.always), none[:0], 0.0, under)
    busiest = int(np.argmax(asked.load))
    pilot = _way(asked, busiest, _menu(none, every, ask.now_and_then if ask.autoscale else ask.always))
    rhythm = breath(asked) if ask.autoscale else None
    ways = [pilot] if rhythm is None else _breathing(asked, busiest, pilot, rhythm)
    ways += _few(asked, busiest) if pilot.counts[busiest].sum() <= max(FEW_NODES, FEWEST * ask.min_nodes) else []
    best = min((_lived(asked, way) for way in ways), key=lambda way: _month(asked, way.counts))
    least, under = lowest(asked.laden)
    if rhythm is None or rhythm.bound_usd <= least:
        return Fleet(best.counts, best.packing, best.menu, best.rows, least, under)
    return Fleet(best.counts, best.packing, best.menu, best.rows, rhythm.bound_usd, under, rhythm)


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


def _lived(ask: Ask, way: _Way) -> _Way:
    return replace(way, counts=lagged(_filled(way.counts, ask), ask.lag_periods))


def _effort(ask: Ask, classes: int) -> float:
    return ask.effort * min(1.0, EASY / max(classes, 1))


def _month(ask: Ask, counts: Ints) -> float:
    """What nodes cost in a month on the best mix of terms, with what comes with them."""
    both = zip(ask.used.tolist(), ask.committed.tolist(), strict=True)
    terms = [split(n, ask.hours, {"on_demand": p, "committed": c}) for n, (p, c) in zip(counts.T, both, strict=True)]
    return sum(t.usd for t in terms) + float(ask.hours @ counts @ ask.running)


def _frozen(ask: Ask) -> Ask:
    """The same question with every pod at its largest in every period."""
    pods = ask.pods
    size = np.broadcast_to(pods.peak[:, None, :], pods.size.shape)
    replicas = np.broadcast_to(pods.replicas.max(axis=1, initial=0)[:, None], pods.replicas.shape)
    return replace(ask, pods=replace(pods, size=size, replicas=replicas))


def _breathing(ask: Ask, busiest: int, pilot: _Way, rhythm: Breath) -> list[_Way]:
    """Ways to run: beside the nodes that the program over all periods keeps, and beside those of a middling hour."""
    ways = _hourly(ask, busiest, pilot)
    pools = _covering(ask, comers(ask, rhythm))
    nodes = int(ways[0].counts.sum(axis=1).max(initial=0))
    if len(ask.pods.count) > FEW or nodes > FEW or ask.effort <= 0:
        return ways
    return [*ways, _steadied(ask, busiest, stayers(rhythm), pools)]


def _steadied(ask: Ask, busiest: int, bases: Sequence[Ints], pools: Ints) -> _Way:
    """Periods filled one after the other: once beside each base, and once more beside the one that came out best."""
    tried = [weeks(ask, base, pools) for base in bases]
    first = [next(counts) for counts in tried]
    best = int(np.argmin([_month(ask, lagged(_filled(counts, ask), ask.lag_periods)) for counts in first]))
    start = _way(ask, busiest, _menu(bases[best], pools, ask.now_and_then))
    comes = bool((first[best] > bases[best]).any())
    return _settled(ask, busiest, start, next(tried[best]) if comes else first[best])


def _few(ask: Ask, busiest: int) -> list[_Way]:
    """More ways where nodes are few and each of them counts: nodes of one type, or none larger than a size."""
    return [way for types in (*_likely(ask, busiest), *_no_larger(ask)) for way in _both(ask, busiest, types)]


def _both(ask: Ask, busiest: int, types: Ints) -> Iterator[_Way]:
    """Nodes of some types that never go, every pod at its largest, and nodes that come and go."""
    none = np.zeros(len(ask.used), np.int64)
    yield _way(_frozen(ask), busiest, _menu(none, types, ask.always))
    if ask.autoscale:
        menu = _menu(none, types, ask.now_and_then)
        yield _settled(ask, busiest, _way(ask, busiest, menu), _filling(ask, menu, RULES[:1]))


def _no_larger(ask: Ask) -> Iterator[Ints]:
    """All types, then those of half the cores, a quarter and so on, as long as every pod fits into some."""
    cores, size = ask.room[:, 0], float(ask.room[ask.fits.any(axis=0), 0].max(initial=0.0))
    while size > 0:
        types = np.flatnonzero(cores <= size * (1 + 1e-9))
        if not len(types) or not ask.fits[:, types].any(axis=1).all():
            return
        yield types
        size = float(cores[cores <= size * NEXT].max(initial=0.0))


def _likely(ask: Ask, busiest: int) -> list[Ints]:
    """[1] types of the cheapest clusters of one type, by volume and with each class of pods on nodes of its own."""
    pods, wanted = ask.pods, np.einsum("c,cr->r", ask.pods.count.astype(float), ask.pods.requested[:, busiest])
    room = ask.room[:, : len(wanted)]
    volume = (wanted / np.maximum(room, 1e-12)).max(axis=1)
    size = pods.size[:, busiest, None]  # [class, 1, resource]
    seats = np.floor(np.where(size > 0, room / np.maximum(size, 1e-12), np.inf) + 1e-9).min(axis=2)
    alone = ((pods.count * pods.replicas[:, busiest])[:, None] / np.maximum(seats, 1.0)).sum(axis=0)
    found: list[int] = []
    for nodes in (volume, alone):
        usd = np.where(ask.fits.all(axis=0), np.maximum(np.ceil(nodes), ask.min_nodes) * ask.always, np.inf)
        found += [int(k) for k in np.argsort(usd, kind="stable")[:UNIFORM] if np.isfinite(usd[k])]
    return [np.array([kind]) for kind in dict.fromkeys(found)]


def _hourly(ask: Ask, busiest: int, pilot: _Way) -> list[_Way]:
    """Each hour filled for itself by a rule of thumb, beside the nodes of a middling hour that always run."""
    free, order, many = pilot.menu, np.argsort(ask.load, kind="stable"), len(ask.pods.count) > FEW
    usd = ask.now_and_then
    base = _packed(ask, int(order[round(BASE * (len(order) - 1))]), _menu(free.base, free.kind, ask.always))
    pools = _pools(ask, free.nodes(pilot.packing.opened) + base)
    ways = []
    for start in [pilot] * (not many) + [_way(ask, busiest, _menu(base, pools, usd))]:
        whole = _menu(start.menu.base, pools, usd)
        menu = whole if many else _tried(ask, busiest, whole)
        ways.append(_settled(ask, busiest, start, _filling(ask, menu, RULES[:1])))
    return ways


def _settled(ask: Ask, busiest: int, start: _Way, counts: Ints) -> _Way:
    """The busiest period keeps its packing, and so do those that it holds as it is where that is cheaper."""
    most, usd = start.counts[busiest], ask.now_and_then
    dear = _within(ask.pods, busiest) & (counts @ usd > most @ usd)
    dear[busiest] = True
    return replace(start, counts=np.where(dear[:, None], most, counts))


def _pools(ask: Ask, opened: Ints) -> Ints:
    """The types most is spent on, each with one of its shape and a quarter of its size, and what they do not take."""
    usd = ask.now_and_then
    spent = opened * usd
    most = np.argsort(-spent, kind="stable")[: max(1, min(POOLS, int(np.count_nonzero(spent))))]
    usd = usd - ask.running  # sizes: what comes with every node says nothing about them
    shape = ask.room[:, 1] / np.maximum(ask.room[:, 0], 1e-12)
    chosen = set(most.tolist())
    for k in most:
        alike = np.abs(np.log(np.maximum(shape, 1e-12) / max(shape[k], 1e-12))) + np.abs(np.log(4 * usd / usd[k]))
        chosen.add(int(np.argmin(alike)))
    return _covering(ask, chosen)


def _tried(ask: Ask, busiest: int, whole: Menu) -> Menu:
    """The part of the menu that is cheapest in a few periods."""
    order = np.argsort(ask.load, kind="stable")
    some = sorted({busiest, int(order[0]), int(order[len(order) // 2])})
    usd = ask.now_and_then
    menus = [_menu(whole.base, only, usd) for only in _candidates(ask, whole.fresh)]
    return min(menus, key=lambda menu: sum(_filled_by(RULES[0], ask, t, menu) @ usd for t in some))


def _filling(ask: Ask, menu: Menu, rules: Sequence[Rule]) -> Ints:
    """[period, type], the nodes of each period by the best of some rules; equal periods once."""
    known: dict[bytes, Ints] = {}
    usd = ask.now_and_then
    counts = np.zeros((len(ask.hours), len(usd)), np.int64)
    for t in range(len(ask.hours)):
        key = ask.pods.size[:, t].tobytes() + ask.pods.replicas[:, t].tobytes()
        if key not in known:
            known[key] = min((_filled_by(rule, ask, t, menu) for rule in rules), key=lambda nodes: float(nodes @ usd))
        counts[t] = known[key]
    return counts


def _filled_by(rule: Rule, ask: Ask, period: int, menu: Menu) -> Ints:
    """[type], nodes of one period by one rule.

    A resource that is listed again weighs more in the order of the pods, and binds no more than once.
    """
    fill, columns = rule
    wanted, _ = items(ask.pods, period, ask.fits[:, menu.kind], apart=False)
    if not len(wanted.count):
        return menu.base
    boxes, again = menu.boxes(ask), [*range(ask.room.shape[1]), *columns]
    wanted = replace(wanted, size=wanted.size[:, again])
    return menu.nodes(fill(wanted, replace(boxes, room=boxes.room[:, again])).opened)


def _packed(ask: Ask, period: int, menu: Menu) -> Ints:
    """[type], nodes of one period packed with care."""
    wanted, rows = items(ask.pods, period, ask.fits[:, menu.kind])
    return menu.nodes(pack(wanted, menu.boxes(ask), effort=_effort(ask, len(rows))).opened)


def _within(pods: Pods, busiest: int) -> Bools:
    """[period], whether the nodes of the busiest period hold it as they are: no pod larger, none more."""
    smaller = (pods.size <= pods.size[:, busiest, None] * (1 + 1e-12)).all(axis=(0, 2))
    return np.asarray(smaller & (pods.replicas <= pods.replicas[:, busiest, None]).all(axis=0))


def _candidates(ask: Ask, pools: Ints) -> Iterator[Ints]:
    """Sets of types to tell by trying: each pool alone, each two, and all."""
    for n in range(len(pools)):
        for m in range(n, len(pools)):
            yield _covering(ask, {int(pools[n]), int(pools[m])})
    yield pools


def _covering(ask: Ask, chosen: set[int]) -> Ints:
    """The types chosen, each with the cheapest that takes what none of them takes."""
    for i in np.flatnonzero(~ask.fits[:, sorted(chosen)].any(axis=1)):
        if not ask.fits[i, sorted(chosen)].any():
            chosen.add(int(np.argmin(np.where(ask.fits[i], ask.now_and_then, np.inf))))
    return np.array(sorted(chosen), np.int64)


def _filled(counts: Ints, ask: Ask) -> Ints:
    """At least as many nodes in every period as wanted, and as many as a group that keeps apart has members."""
    least = max(ask.min_nodes, _largest_group(ask.pods))
    useful = ask.fits.any(axis=0) | (counts.sum(axis=0) > 0)
    cheapest = int(np.argmin(np.where(useful, ask.always, np.inf)))
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
