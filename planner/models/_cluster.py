"""A cluster: units packed onto servers of mixed types, with others standing by for those that fail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from planner.models._admitted import admitted, admitted_usd
from planner.models._ask import Ask
from planner.models._remembered import remembered
from planner.models._savings import Case, savings
from planner.models._spares import least_usd, standing_by
from planner.models._units import PACKED, Units, holds
from planner.optimise.packing import Boxes, Items, Packing, Spread, pack
from planner.optimise.packing.instance import ENDLESS

__all__ = ["Boxed", "Packed", "alone", "packed", "seat", "working_and_idle"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

UNIFORM: Final = 6
"""Unit: types. Source: how many uniform clusters are tried, cheapest by volume first; each packs in milliseconds."""

STEPS: Final = 6
"""Unit: steps. Source: prices of a stand-in that the bound tells apart; each takes one packing in milliseconds."""

STAND_INS: Final = 1
"""Unit: types. Source: how many sizes of failover host mixed clusters are tried with; each costs a whole search."""


@dataclass(frozen=True)
class Packed:
    """Where every unit sits, and what stands by."""

    server: Ints
    """[instance], type; -1: nowhere."""
    number: Ints
    """[instance], number of the server within its type."""
    working: Ints
    """[type], servers that hold something."""
    idle: Ints
    """[type], servers that stand by or complete the cluster."""
    parts: tuple[Packing, ...]
    bound_usd: float
    """No cluster spends less on new servers, those that stand by included, a month."""
    told: str = ""
    by_peak_usd: float | None = None
    """New servers a month of the cluster that was found for the highest needs; none where nothing else was asked."""
    cases: tuple[Case, ...] = ()
    """What the packings were asked."""

    @property
    def left_over(self) -> int:
        """Units without a server."""
        return int((self.server < 0).sum())

    @property
    def working_usd(self) -> float:
        """What the packings cost, a month: new working servers, or all where they were packed as if none were owned."""
        return float(sum(part.usd for part in self.parts))

    def figures(self, ask: Ask) -> dict[str, float]:
        """What packing saves against rules of thumb, what resources are worth, and what packing hour by hour saves, as
        a share of what new servers cost when packed by the highest needs."""
        found = savings(self.cases)
        if not self.by_peak_usd:
            return found
        return {**found, "saved_by_packing_hour_by_hour": 1 - self.new_usd(ask) / self.by_peak_usd}

    def new_usd(self, ask: Ask) -> float:
        """All new servers, a month."""
        return float(np.clip(self.working + self.idle - ask.servers.owned, 0, None) @ ask.usd)

    def idle_usd(self, ask: Ask) -> float:
        """New servers besides what the packings cost, a month; below 0 where they used owned ones at their price."""
        return self.new_usd(ask) - self.working_usd


@dataclass(frozen=True)
class Boxed:
    """One packing: of which units, into which types."""

    rows: Ints
    """[class], unit."""
    kinds: Ints
    """[box], type."""
    owned: Bools
    """[box], whether these are there already."""
    part: Packing
    case: Case

    def taken(self, types: int) -> Ints:
        """[type], owned servers that hold something."""
        return np.bincount(self.kinds[self.owned], self.part.opened[self.owned], minlength=types).astype(np.int64)

    def opened(self, types: int) -> Ints:
        """[type], servers that hold something."""
        return np.bincount(self.kinds, self.part.opened, minlength=types).astype(np.int64)


@dataclass(frozen=True)
class Offer:
    """Which servers may be used how far."""

    room: Floats
    """[type, 3], filled no further."""
    left: Ints
    """[type], owned servers."""
    buy: Bools
    """[type], whether more may be bought."""
    effort: float
    told: str = ""


@remembered
def packed(ask: Ask) -> Packed:
    """The cheapest cluster found for all units: the servers that work, and those that stand by.

    Tried are mixed clusters, uniform ones, more of what is owned, and mixed ones filled to no more than a likely
    failover host has room for (one that stands by must hold what any lost one held). The cheapest is kept, judged
    with all that stands by.
    """
    able = ask.able
    whole = _filled(ask, able, _mixed(ask, ask.effort))
    offers = [*_uniform(ask, able), *_afresh(ask), *(_capped(ask, able) if ask.spares and ask.effort else [])]
    tried = [whole, *(_filled(ask, able, o) for o in offers)]
    # Idle hosts are bought anyway where a cluster must have so many: then the one that works with fewer is better.
    best = min(tried, key=lambda found: (found.left_over, round(found.new_usd(ask), 6), found.working_usd))
    if ask.by_hour is not None:
        best = _no_worse_than_by_peak(ask, best)
    return replace(best, bound_usd=min(best.bound_usd + best.idle_usd(ask), _least_usd(ask, able, whole)))


def _no_worse_than_by_peak(ask: Ask, best: Packed) -> Packed:
    """The better of what was found hour by hour and by the highest needs, which fit together in every hour."""
    plain = packed(replace(ask, by_hour=None))
    ours, theirs = best.new_usd(ask), plain.new_usd(ask)
    if (plain.left_over, theirs) < (best.left_over, ours):
        return replace(plain, told=plain.told + "; by highest needs, which came out better", by_peak_usd=theirs)
    return replace(best, by_peak_usd=theirs)


def alone(ask: Ask, rows: Ints, left: Ints) -> tuple[Boxed, float]:
    """The cheapest servers found for units `rows` that share them with nobody, and what they cost at least."""
    by_hour = None if ask.by_hour is None else ask.by_hour[rows]
    part = replace(ask, units=ask.units.only(rows), need=ask.need[rows], by_hour=by_hour, spares=0, least=0)
    mixed = boxed(ask, rows, replace(_mixed(part, ask.effort), left=left))
    others = [boxed(ask, rows, replace(o, left=left)) for o in _uniform(part, part.able)]
    best = min([mixed, *others], key=lambda found: (int(found.part.unplaced.sum()), found.part.usd))
    return best, min(best.part.bound_usd, mixed.part.bound_usd)


def _least_usd(ask: Ask, able: Bools, whole: Packed) -> float:
    """What any cluster spends on new servers at least: all units without a cap, and its servers that stand by."""
    if ask.servers.owned.any():
        free = replace(ask, spares=0, least=0)
        return max(_filled(free, able, _mixed(free, 0.0)).bound_usd, admitted_usd(ask))
    if not whole.working.any():
        return 0.0
    few = ask.least * float(ask.usd[ask.servers.buyable].min(initial=np.inf))
    hosts = max(_stepped_usd(ask, able), admitted_usd(ask), few)
    return max(whole.bound_usd + least_usd(able, ask.usd, ask.spares), hosts)


def _stepped_usd(ask: Ask, able: Bools) -> float:
    """What any cluster costs at least: where the last of the `spares` dearest servers costs c, the others hold all
    units without those and cost no more than c each. So the least over c of a packing into such types, plus c for
    each spare; c is taken in steps, with its lower end for the spares and its upper end for the packing.
    """
    if not ask.spares:
        return 0.0
    lowest = least_usd(able, ask.usd, 1)
    usd = np.unique(ask.usd[ask.servers.buyable & (ask.usd >= lowest)])
    ends = usd[np.unique(np.linspace(0, len(usd) - 1, STEPS + 1).round().astype(int))]
    free = replace(ask, spares=0, least=0)
    some = int(ask.units.count[able.any(axis=1)].sum())
    found = np.inf
    for low, high in zip([lowest, *ends[:-1]], ends, strict=True):
        offer = replace(_mixed(free, 0.0), buy=ask.servers.buyable & (ask.usd <= high))
        held = _filled(free, able, offer)
        if len(held.server) - held.left_over == some:
            found = min(found, held.bound_usd + ask.spares * float(low))
    return found if np.isfinite(found) else 0.0


def _mixed(ask: Ask, effort: float) -> Offer:
    """All types as they are; of the dearest owned one, as many are kept free as must stand by."""
    owned = ask.servers.owned
    return Offer(
        ask.room, owned - _kept(ask, int(np.argmax(np.where(owned > 0, ask.usd, -1.0)))), ask.servers.buyable, effort
    )


def _uniform(ask: Ask, able: Bools) -> list[Offer]:
    """New servers of one type only."""
    mixed = _mixed(ask, 0.0)
    other = ask.servers.arch[:, None] != ask.servers.arch[None, :]
    same = mixed.buy & (other | np.eye(len(other), dtype=bool))
    return [replace(mixed, buy=same[t], told=f"; new servers of one type, {UNIFORM} tried") for t in _likely(ask, able)]


def _afresh(ask: Ask) -> list[Offer]:
    """More of the owned types, packed as if none were owned: a growing estate often needs more of its own mix."""
    if not ask.servers.owned.any():
        return []
    left, alike = np.zeros_like(ask.servers.owned), ask.servers.buyable & (ask.servers.owned > 0)
    return [Offer(ask.room, left, alike, ask.effort, "; more of the types that are owned, packed as if none were")]


def _capped(ask: Ask, able: Bools) -> list[Offer]:
    """All types, filled no further than a type that stands by could take over."""
    told = "; servers filled to what {} standing by can take over"
    return [
        Offer(
            np.minimum(ask.room, ask.room[t]),
            ask.servers.owned - _kept(ask, t),
            ask.servers.buyable,
            ask.effort,
            told.format(ask.servers.sku[t]),
        )
        for t in _likely(ask, able)[:STAND_INS]
    ]


def _kept(ask: Ask, kind: int) -> Ints:
    """[type], owned servers of one type that are kept free to stand by."""
    return np.where(np.arange(len(ask.usd)) == kind, np.minimum(ask.servers.owned, ask.spares), 0)


def _likely(ask: Ask, able: Bools) -> list[int]:
    """Types that hold every unit (of the commonest kind of processor), those of the cheapest uniform clusters first."""
    some = able.any(axis=1)
    if not some.any():
        return []
    arches, many = np.unique(ask.units.arch[some], return_counts=True)
    some &= ask.units.arch == arches[np.argmax(many)]
    total = np.einsum("u,uhr->hr", ask.units.count[some].astype(float), ask.together[some]).max(axis=0)
    usd = np.where(able[some].all(axis=0) & ask.servers.buyable, _uniform_usd(ask, total), np.inf)
    return [int(t) for t in np.argsort(usd, kind="stable")[:UNIFORM] if np.isfinite(usd[t])]


def _uniform_usd(ask: Ask, total: Floats) -> Floats:
    """[type], about what it costs to hold `total` in servers of one type, beyond those that are owned."""
    owned = ask.servers.owned
    left = np.broadcast_to(np.clip(total - owned @ ask.room, 0, None), ask.room.shape)
    new = np.where(left > 0, np.inf, 0.0)
    np.divide(left, ask.room, out=new, where=(left > 0) & (ask.room > 0))
    count = np.ceil(new).max(axis=1) + np.clip(ask.spares - owned, 0, None)
    return np.asarray(np.maximum(count, ask.least - owned.sum()) * ask.usd)


def _filled(ask: Ask, able: Bools, offer: Offer) -> Packed:
    """All units packed, kind of processor by kind of processor."""
    server = np.full(int(ask.units.count.sum()), -1, np.int64)
    number, parts, cases = server.copy(), [], []
    for arch in np.unique(ask.servers.arch):
        there = (ask.servers.arch == arch) & (offer.buy | (offer.left > 0))
        rows = np.flatnonzero((ask.units.arch == arch) & able[:, there].any(axis=1))
        if len(rows):
            found = boxed(ask, rows, offer)
            seat(ask.units, found, (server, number), np.zeros_like(offer.left))
            parts.append(found.part)
            cases.append(found.case)
    bound = float(sum(part.bound_usd for part in parts))
    working, idle = working_and_idle(ask, (server, number))
    return Packed(server, number, working, idle, tuple(parts), bound, offer.told, cases=tuple(cases))


def boxed(ask: Ask, rows: Ints, offer: Offer) -> Boxed:
    """Units `rows`, all for one kind of processor, packed into what is offered."""
    alike = ask.servers.arch == ask.units.arch[rows[0]]
    new = _sensible(np.flatnonzero(alike & offer.buy), offer.room, ask.usd)
    old = np.flatnonzero(alike & (offer.left > 0))
    kinds = np.concatenate([new, old])
    needed = np.flatnonzero(ask.need[rows].any(axis=0))
    size = ask.together[rows][:, :, needed]
    size = size if size.shape[1] > 1 else size[:, 0]
    items = Items(size, ask.units.count[rows], _spread(ask.units, rows))
    endless = np.full(len(new), ENDLESS, np.int64)
    boxes = Boxes(
        room=offer.room[np.ix_(kinds, needed)],
        usd=np.concatenate([ask.usd[new], np.zeros(len(old))]),
        available=np.concatenate([endless, offer.left[old]]) if len(old) else None,
    )
    part = pack(items, boxes, effort=offer.effort)
    case = Case(items, boxes, part.opened, int(part.unplaced.sum()), needed)
    return Boxed(rows, kinds, np.arange(len(kinds)) >= len(new), part, case)


def _sensible(types: Ints, room: Floats, usd: Floats) -> Ints:
    """Of `types`, those that no other undercuts with as much room for no more money: no packing needs the rest."""
    better = (room[types][None] >= room[types][:, None]).all(axis=2) & (usd[types][None] <= usd[types][:, None])
    first = np.arange(len(types))[None] < np.arange(len(types))[:, None]
    return types[~(better & (~better.T | first)).any(axis=1)]


def _spread(units: Units, rows: Ints) -> tuple[Spread | None, ...] | None:
    groups = [units.spread[u] for u in rows]
    return tuple(Spread(g) if g else None for g in groups) if any(groups) else None


def seat(units: Units, boxes: Boxed, seats: tuple[Ints, Ints], used: Ints) -> None:
    """Write type and number of the server of every packed instance: after the `used` [type], owned before new ones."""
    server, number = seats
    placed = boxes.part.placement()
    box = placed["box"].to_numpy(np.int64)
    where = units.start[boxes.rows[placed["class"].to_numpy(np.int64)]] + placed["item"].to_numpy(np.int64)
    before = used[boxes.kinds] + np.where(boxes.owned, 0, boxes.taken(len(used))[boxes.kinds])
    server[where] = boxes.kinds[box]
    number[where] = placed["number"].to_numpy(np.int64) + before[box]


def working_and_idle(ask: Ask, seats: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """[type], servers that hold something; and those besides, for any that fail and to complete the cluster."""
    server, number = seats
    working = np.zeros(len(ask.usd), np.int64)
    np.maximum.at(working, server[server >= 0], number[server >= 0] + 1)
    load, kind = _loads(ask, seats)
    spare = np.clip(ask.servers.owned - working, 0, None)
    there = ask.servers.buyable | (spare >= ask.spares)
    fits = holds(load, ask.servers.arch[kind], ask.servers, ask.room) & there
    idle = standing_by(fits, ask.usd, spare, ask.spares)
    if ask.admission is not None:
        idle = np.maximum(idle, admitted(ask, working) - working)
    lacking = ask.least - int(np.maximum(working + idle, ask.servers.owned).sum())
    if lacking > 0 and len(load) and ask.servers.buyable.any():
        t = int(np.argmin(np.where(ask.servers.buyable, ask.usd, np.inf)))
        idle[t] = max(int(idle[t]), int(spare[t])) + lacking
    return working, idle


def _loads(ask: Ask, seats: tuple[Ints, Ints]) -> tuple[Floats, Ints]:
    """[server, 3] what each working server holds in the hour where that is most, and [server] its type."""
    server, number = seats
    width = max(int(number.max(initial=-1)) + 1, 1)
    seated = server >= 0
    unit = np.repeat(np.arange(len(ask.units.count)), ask.units.count)[seated]
    keys, where = np.unique(server[seated] * width + number[seated], return_inverse=True)
    held = sparse.csr_array((np.ones(len(unit)), (where, unit)), shape=(len(keys), len(ask.units.count)))
    hours = ask.together.shape[1]
    flat = ask.together.reshape(len(ask.together), hours * PACKED)
    load = (held @ flat).reshape(len(keys), hours, PACKED)
    return np.asarray(load.max(axis=1, initial=0.0)), keys // width
