"""A cluster: units packed onto servers of mixed types, with others standing by for those that fail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.models._servers import Servers
from planner.models._spares import standing_by
from planner.models._units import PACKED, Units, holds
from planner.optimise.packing import Boxes, Items, Packing, Spread, pack
from planner.optimise.packing.instance import ENDLESS

__all__ = ["Ask", "Boxed", "Packed", "boxed", "packed", "seat", "working_and_idle"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SHORTLIST: Final = 2
"""Unit: types. Source: how many sizes of failover host are tried, those first whose uniform cluster costs least."""


@dataclass(frozen=True)
class Ask:
    """What is to be packed into what."""

    units: Units
    need: Floats
    """[unit, 3]."""
    servers: Servers
    room: Floats
    """[type, 3], left for units after what a server keeps for itself."""
    usd: Floats
    """[type], one more server, a month."""
    spares: int
    effort: float
    least: int = 0
    """Servers the cluster must have, those standing by included."""

    @property
    def able(self) -> Bools:
        """[unit, type], which servers there are that hold a unit."""
        there = self.servers.buyable | (self.servers.owned > 0)
        return holds(self.need, self.units.arch, self.servers, self.room) & there


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
    """Of new working servers, a month: no cluster that keeps the rules spends less on new servers."""
    told: str = ""

    @property
    def usd(self) -> float:
        """New working servers, a month."""
        return float(sum(part.usd for part in self.parts))

    def new_usd(self, ask: Ask) -> float:
        """All new servers, a month."""
        return float(np.clip(self.working + self.idle - ask.servers.owned, 0, None) @ ask.usd)


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

    def taken(self, types: int) -> Ints:
        """[type], owned servers that hold something."""
        return np.bincount(self.kinds[self.owned], self.part.opened[self.owned], minlength=types).astype(np.int64)

    def opened(self, types: int) -> Ints:
        """[type], servers that hold something."""
        return np.bincount(self.kinds, self.part.opened, minlength=types).astype(np.int64)


def packed(ask: Ask) -> Packed:
    """The cheapest cluster found for all units: the servers that work, and those that stand by.

    A server that stands by must hold what any lost one held. So servers are also tried filled to no more than a
    likely stand-in has room for, and the cheapest cluster is kept, judged with all that stands by.
    """
    able = ask.able
    whole = _filled(ask, able, None)
    caps = _stand_ins(ask, able) if ask.spares else []
    best = min([whole, *(_filled(ask, able, t) for t in caps)], key=lambda found: found.new_usd(ask))
    return replace(best, bound_usd=min(best.bound_usd, _least_usd(ask, able, whole)))


def _least_usd(ask: Ask, able: Bools, whole: Packed) -> float:
    """What any cluster spends on new servers at least: all units without a cap, and its servers that stand by."""
    if ask.servers.owned.any():
        free = replace(ask, spares=0, least=0, effort=0.0)
        return _filled(free, able, None).bound_usd
    cheapest = float(ask.usd[ask.servers.buyable].min(initial=np.inf))
    return whole.bound_usd + (ask.spares * cheapest if whole.working.any() else 0.0)


def _stand_ins(ask: Ask, able: Bools) -> list[int]:
    """The types that are likely to stand in for all others: they hold every unit and make cheap uniform clusters."""
    some = able.any(axis=1)
    every = able[some].all(axis=0) & ask.servers.buyable
    total = ask.units.count[some] @ ask.need[some]
    usd = np.where(every, _uniform_usd(ask, total), np.inf)
    return [int(t) for t in np.argsort(usd, kind="stable")[:SHORTLIST] if np.isfinite(usd[t])]


def _uniform_usd(ask: Ask, total: Floats) -> Floats:
    """[type], about what it costs to hold `total` in servers of one type, beyond those that are owned."""
    owned = ask.servers.owned
    left = np.broadcast_to(np.clip(total - owned @ ask.room, 0, None), ask.room.shape)
    new = np.where(left > 0, np.inf, 0.0)
    np.divide(left, ask.room, out=new, where=(left > 0) & (ask.room > 0))
    count = np.ceil(new).max(axis=1) + np.clip(ask.spares - owned, 0, None)
    return np.asarray(np.maximum(count, ask.least - owned.sum()) * ask.usd)


def _filled(ask: Ask, able: Bools, stand_in: int | None) -> Packed:
    """All units packed, kind of processor by kind of processor, into servers filled as far as `stand_in` could."""
    room = ask.room if stand_in is None else np.minimum(ask.room, ask.room[stand_in])
    left = ask.servers.owned - _reserved(ask, stand_in)
    server = np.full(int(ask.units.count.sum()), -1, np.int64)
    number, parts = server.copy(), []
    for arch in np.unique(ask.servers.arch):
        rows = np.flatnonzero((ask.units.arch == arch) & able.any(axis=1))
        if len(rows):
            found = boxed(ask, rows, room, left)
            seat(ask.units, found, (server, number), np.zeros_like(left))
            parts.append(found.part)
    bound = float(sum(part.bound_usd for part in parts))
    told = "" if stand_in is None else f"; servers filled to what {ask.servers.sku[stand_in]} standing by can take over"
    working, idle = working_and_idle(ask, (server, number))
    return Packed(server, number, working, idle, tuple(parts), bound, told)


def _reserved(ask: Ask, stand_in: int | None) -> Ints:
    """[type], owned servers kept free to stand by: of the stand-in, else of the dearest owned type."""
    owned = ask.servers.owned
    out = np.zeros_like(owned)
    t = int(np.argmax(np.where(owned > 0, ask.usd, -1.0))) if stand_in is None else stand_in
    out[t] = min(int(owned[t]), ask.spares)
    return out


def boxed(ask: Ask, rows: Ints, room: Floats, left: Ints) -> Boxed:
    """Units `rows`, for one kind of processor, packed into servers with `room` [type, 3]; `left` [type] are owned."""
    alike = ask.servers.arch == ask.units.arch[rows[0]]
    new, old = np.flatnonzero(alike & ask.servers.buyable), np.flatnonzero(alike & (left > 0))
    kinds = np.concatenate([new, old])
    needed = np.flatnonzero(ask.need[rows].any(axis=0))
    count = ask.units.count[rows]
    items = Items(ask.need[np.ix_(rows, needed)], count, _spread(ask.units, rows))
    endless = np.full(len(new), ENDLESS, np.int64)
    boxes = Boxes(
        room=room[np.ix_(kinds, needed)],
        usd=np.concatenate([ask.usd[new], np.zeros(len(old))]),
        available=np.concatenate([endless, left[old]]) if len(old) else None,
    )
    return Boxed(rows, kinds, np.arange(len(kinds)) >= len(new), pack(items, boxes, effort=ask.effort))


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
    load, kind = _loads(np.repeat(ask.need, ask.units.count, axis=0), seats)
    spare = np.clip(ask.servers.owned - working, 0, None)
    there = ask.servers.buyable | (spare >= ask.spares)
    fits = holds(load, ask.servers.arch[kind], ask.servers, ask.room) & there
    idle = standing_by(fits, ask.usd, spare, ask.spares)
    lacking = ask.least - int(np.maximum(working + idle, ask.servers.owned).sum())
    if lacking > 0 and len(load) and ask.servers.buyable.any():
        t = int(np.argmin(np.where(ask.servers.buyable, ask.usd, np.inf)))
        idle[t] = max(int(idle[t]), int(spare[t])) + lacking
    return working, idle


def _loads(need: Floats, seats: tuple[Ints, Ints]) -> tuple[Floats, Ints]:
    """[server, 3] what each working server holds, and [server] its type, from the needs and seats of all instances."""
    server, number = seats
    width = max(int(number.max(initial=-1)) + 1, 1)
    seated = server >= 0
    keys, where = np.unique(server[seated] * width + number[seated], return_inverse=True)
    load = np.zeros((len(keys), PACKED))
    np.add.at(load, where, need[seated])
    return load, keys // width
