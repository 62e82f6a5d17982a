"""Admission control by reservations: slots, or a share of the cluster, kept free for hosts that may fail."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from planner.optimise.solver import Problem, solve

__all__ = ["Admission", "Guests", "Hosts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_ROUNDING: Final = 1e-9
"""Unit: fraction. Source: quotients of floats that should be whole are, to this."""


@dataclass(frozen=True)
class Guests:
    """What virtual machines reserve."""

    need: Floats
    """[unit, 2], CPU and memory."""
    count: Floats
    """[unit]."""

    @property
    def total(self) -> Floats:
        """[2], of all."""
        return np.asarray(self.count @ self.need)


@dataclass(frozen=True)
class Hosts:
    """Hosts of one cluster."""

    room: Floats
    """[type, 2], CPU and memory for virtual machines."""
    usd: Floats
    """[type], one more."""
    there: Ints
    """[type], hosts that are there already."""
    buyable: Bools
    """[type], whether more may be bought."""


@dataclass(frozen=True)
class Admission:
    """A policy under which a cluster powers machines on.

    slots: every machine takes a slot as large as the largest reservations; when those hosts fail that have the most
    slots, the others must have enough. percentage: reservations leave a share of CPU and of memory free; where none is
    given, the share of those hosts that have the most of it (2 of 10 equal hosts: 20 %).
    Source: VMware vSphere 6.7 Availability guide, vSphere HA admission control.
    """

    policy: Literal["slots", "percentage"]
    failures: int
    """Hosts that may fail."""
    share: float | None = None
    """Kept free under `percentage`; none: that of the hosts that may fail."""
    slot: tuple[float | None, float | None] = (None, None)
    """Size of a slot in CPU and memory; none: the largest reservation."""

    def to_add(self, hosts: Hosts, guests: Guests) -> Ints:
        """[type], the cheapest hosts with which the cluster admits all guests; none where nothing suffices.

        What is left when the k largest hosts fail is the most, over any level s, of what all hosts have up to s, less
        k x s. So the cheapest over all levels (of slots, or of CPU and of memory) is the cheapest there is.
        """
        counted, wanted, failures = self._asked(hosts, guests)
        floors, levels = _floors(hosts, counted, wanted, failures)
        search = _Search(hosts, counted, wanted, failures)
        for at in sorted(product(*(range(len(level)) for level in levels)), key=lambda at: _highest(floors, at)):
            if _highest(floors, at) >= search.least:
                break
            search.try_levels(tuple(float(level[i]) for level, i in zip(levels, at, strict=True)))
        return search.best

    def least_usd(self, hosts: Hosts, guests: Guests) -> float:
        """What any cluster with these hosts spends on more at least, wherever machines sit; 0 where none suffices."""
        floors, _ = _floors(hosts, *self._asked(hosts, guests))
        found = max(float(row.min(initial=np.inf)) for row in floors)
        return found if np.isfinite(found) else 0.0

    def _asked(self, hosts: Hosts, guests: Guests) -> tuple[Floats, Floats, int]:
        """[row, type] what a host counts, [row] what must be left, and how many of the largest may fail."""
        if self.policy == "slots":
            return self.slots(hosts, guests)[None], np.array([self.wanted(guests)]), self.failures
        if self.share is not None:
            return hosts.room.T, guests.total / (1 - self.share), 0
        return hosts.room.T, guests.total, self.failures

    def size(self, guests: Guests) -> Floats:
        """[2], CPU and memory of a slot."""
        largest = guests.need.max(axis=0, initial=0.0)
        return np.array([own if own is not None else most for own, most in zip(self.slot, largest, strict=True)])

    def slots(self, hosts: Hosts, guests: Guests) -> Floats:
        """[type], whole slots of a host."""
        size = self.size(guests)
        each = np.full_like(hosts.room, np.inf)
        np.divide(hosts.room, size, out=each, where=size > 0)
        return np.asarray(np.floor(each.min(axis=1) * (1 + _ROUNDING)))

    def wanted(self, guests: Guests) -> float:
        """Slots that all guests take: one each, more where a slot of given size is smaller than a machine."""
        size = self.size(guests)
        each = np.divide(guests.need, size, out=np.zeros_like(guests.need), where=size > 0)
        return float(guests.count @ np.maximum(np.ceil(each * (1 - _ROUNDING)).max(axis=1, initial=1.0), 1.0))

    def told(self, hosts: Hosts, guests: Guests) -> dict[str, float]:
        """How the policy sees a cluster, by name."""
        if self.policy == "percentage":
            total = np.maximum(hosts.there @ hosts.room, np.finfo(float).tiny)
            each = np.sort(np.repeat(hosts.room, hosts.there, axis=0), axis=0)[::-1]
            kept = each[: self.failures].sum(axis=0) / total
            free = 1 - guests.total / total
            return {
                "failover_share": float(kept.max()) if self.share is None else self.share,
                "failover_share_cpu": float(free[0]),
                "failover_share_memory": float(free[1]),
            }
        slots, wanted = np.repeat(self.slots(hosts, guests), hosts.there), self.wanted(guests)
        left = slots.sum() - np.cumsum(np.sort(slots)[::-1])
        size = self.size(guests)
        return {
            "slot_cpu_cores": float(size[0]),
            "slot_memory_gib": float(size[1]),
            "slots": float(slots.sum()),
            "slots_taken": wanted,
            "failover_capacity_hosts": float((left >= wanted * (1 - _ROUNDING)).sum()),
        }


class _Search:
    """The cheapest hosts over levels: each row by itself tells soon that a pair of levels cannot be cheaper."""

    def __init__(self, hosts: Hosts, counted: Floats, wanted: Floats, failures: int) -> None:
        self._hosts, self._counted, self._wanted, self._failures = hosts, counted, wanted, failures
        self._alone: dict[tuple[int, float], float] = {}
        self.best, self.least = np.zeros_like(hosts.there), np.inf

    def try_levels(self, levels: tuple[float, ...]) -> None:
        """Keeps what is cheaper at these levels [row]."""
        rows = range(len(levels))
        if len(levels) > 1 and any(
            self._row_usd(r, level) >= self.least for r, level in zip(rows, levels, strict=True)
        ):
            return
        found = self._found(list(rows), np.array(levels))
        if found is not None and float(found @ self._hosts.usd) < self.least:
            self.best, self.least = found, float(found @ self._hosts.usd)

    def _row_usd(self, row: int, level: float) -> float:
        """What one row alone asks for."""
        if (row, level) not in self._alone:
            found = self._found([row], np.array([level]))
            self._alone[row, level] = np.inf if found is None else float(found @ self._hosts.usd)
        return self._alone[row, level]

    def _found(self, rows: list[int], levels: Floats) -> Ints | None:
        counts = np.minimum(self._counted[rows], levels[:, None])
        return _cheapest(self._hosts, counts, self._wanted[rows] + self._failures * levels)


def _floors(hosts: Hosts, counted: Floats, wanted: Floats, failures: int) -> tuple[list[Floats], list[Floats]]:
    """By row, levels; and [level] what it costs at least that hosts, counted no further, come to what is wanted."""
    usable = hosts.buyable | (hosts.there > 0)
    levels = [np.unique(row[usable & (row > 0)]) for row in counted]
    floors = [
        np.array([_ratio_usd(hosts, np.minimum(row, level), want + failures * level) for level in some])
        for row, want, some in zip(counted, wanted, levels, strict=True)
    ]
    return floors, levels


def _highest(floors: list[Floats], at: tuple[int, ...]) -> float:
    return max(float(row[i]) for row, i in zip(floors, at, strict=True))


def _cheapest(hosts: Hosts, counts: Floats, wanted: Floats) -> Ints | None:
    """[type], what must be bought so that `counts` [row, type] of all hosts come to `wanted` [row]; none: it cannot."""
    lacking = wanted * (1 - _ROUNDING) - counts @ hosts.there
    if (lacking <= 0).all():
        return np.zeros_like(hosts.there)
    types = _sensible(np.flatnonzero(hosts.buyable & (counts > 0).any(axis=0)), counts, hosts.usd)
    if not len(types):
        return None
    problem = Problem(
        usd=hosts.usd[types],
        matrix=sparse.csr_array(counts[:, types]),
        lower=lacking,
        upper=np.full(len(lacking), np.inf),
        whole=np.ones(len(types), bool),
        name="admission",
    )
    found = solve(problem)
    if not found.solved:
        return None
    out = np.zeros_like(hosts.there)
    out[types] = np.rint(found.values)
    return out


def _sensible(types: Ints, counts: Floats, usd: Floats) -> Ints:
    """Of `types`, those that no other undercuts that counts as much for no more money."""
    room, cost = counts[:, types].T, usd[types]
    better = (room[None] >= room[:, None]).all(axis=2) & (cost[None] <= cost[:, None])
    first = np.arange(len(types))[None] < np.arange(len(types))[:, None]
    return types[~(better & (~better.T | first)).any(axis=1)]


def _ratio_usd(hosts: Hosts, counts: Floats, wanted: float) -> float:
    """What it costs at least that `counts` [type] of all hosts come to `wanted`: as if hosts came in parts."""
    lacking = wanted * (1 - _ROUNDING) - float(counts @ hosts.there)
    usable = hosts.buyable & (counts > 0)
    return max(lacking, 0.0) * float((hosts.usd[usable] / counts[usable]).min(initial=np.inf)) if lacking > 0 else 0.0
