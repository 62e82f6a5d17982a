"""Admission control by reservations: slots, or a share of the cluster, kept free for hosts that may fail."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    slots, the others must have enough. percentage: reservations leave a share of CPU and of memory free.
    Source: VMware vSphere 6.7 Availability guide, vSphere HA admission control.
    """

    policy: Literal["slots", "percentage"]
    failures: int
    """Hosts that may fail."""
    share: float | None = None
    """Kept free under `percentage`; none: as many hosts of all as may fail."""
    slot: tuple[float | None, float | None] = (None, None)
    """Size of a slot in CPU and memory; none: the largest reservation."""

    def to_add(self, hosts: Hosts, guests: Guests) -> Ints:
        """[type], the cheapest hosts with which the cluster admits all guests; none where nothing suffices."""
        if self.policy == "slots":
            found = self._slots_to_add(hosts, guests)
        elif self.share is not None:
            found = _cheapest(hosts, hosts.room.T, guests.total / (1 - self.share))
        else:
            found = self._hosts_to_add(hosts, guests)
        return np.zeros_like(hosts.there) if found is None else found

    def least_usd(self, hosts: Hosts, guests: Guests) -> float:
        """What any cluster with these hosts spends on more at least, wherever machines sit; 0 where none suffices."""
        if self.policy == "slots":
            slots, wanted = self.slots(hosts, guests), self.wanted(guests)
            floors = [_ratio_usd(hosts, np.minimum(slots, s), wanted + self.failures * s) for s in np.unique(slots)]
            found = min(floors, default=0.0)
        else:
            pairs = zip(hosts.room.T, guests.total / (1 - (self.share or 0.0)), strict=True)
            found = max(_ratio_usd(hosts, room, total) for room, total in pairs)
        return found if np.isfinite(found) else 0.0

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
            total = hosts.there @ hosts.room
            free = np.divide(total - guests.total, total, out=np.zeros(2), where=total > 0)
            many = float(hosts.there.sum())
            kept = self.share if self.share is not None else self.failures / max(many, 1.0)
            return {
                "failover_share": kept,
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

    def _slots_to_add(self, hosts: Hosts, guests: Guests) -> Ints | None:
        """The slots left when the best k hosts fail are the most, over any level s, of what all hosts have up to s,
        less k x s: so the cheapest over all levels is the cheapest there is."""
        slots, wanted = self.slots(hosts, guests), self.wanted(guests)
        best, least = None, np.inf
        for level in np.unique(slots[hosts.buyable | (hosts.there > 0)]):
            counted, needed = np.minimum(slots, level), wanted + self.failures * level
            if level > 0 and _ratio_usd(hosts, counted, needed) < least:
                found = _cheapest(hosts, counted[None], np.array([needed]))
                if found is not None and float(found @ hosts.usd) < least:
                    best, least = found, float(found @ hosts.usd)
        return best

    def _hosts_to_add(self, hosts: Hosts, guests: Guests) -> Ints | None:
        """Of n hosts k may fail, so (n - k) / n of the room must hold all guests; tried for n hosts more and more,
        until so many cost more than what was found."""
        hosts = replace(hosts, buyable=hosts.buyable & (hosts.room > 0).all(axis=1))
        best, least = None, np.inf
        there, cheapest = int(hosts.there.sum()), float(hosts.usd[hosts.buyable].min(initial=np.inf))
        more = 0
        while not more or more * cheapest < least:
            if there + more > self.failures:
                wanted = guests.total * (there + more) / (there + more - self.failures)
                found = _cheapest(hosts, hosts.room.T, wanted, more)
                if found is not None and float(found @ hosts.usd) < least:
                    best, least = found, float(found @ hosts.usd)
            more += 1
        return best


def _cheapest(hosts: Hosts, counts: Floats, wanted: Floats, exactly: int | None = None) -> Ints | None:
    """[type], what must be bought so that `counts` [row, type] of all hosts come to `wanted` [row]; none: it cannot."""
    lacking = wanted * (1 - _ROUNDING) - counts @ hosts.there
    if (lacking <= 0).all() and not exactly:
        return np.zeros_like(hosts.there)
    types = np.flatnonzero(hosts.buyable)
    if not len(types):
        return None
    every = np.full(1, np.nan if exactly is None else float(exactly))
    asked = ~np.isnan(every)
    problem = Problem(
        usd=hosts.usd[types],
        matrix=sparse.csr_array(np.concatenate([counts[:, types], np.ones((int(asked.sum()), len(types)))])),
        lower=np.concatenate([lacking, every[asked]]),
        upper=np.concatenate([np.full(len(lacking), np.inf), every[asked]]),
        whole=np.ones(len(types), bool),
        name="admission",
    )
    found = solve(problem)
    if not found.solved:
        return None
    out = np.zeros_like(hosts.there)
    out[types] = np.rint(found.values)
    return out


def _ratio_usd(hosts: Hosts, counts: Floats, wanted: float) -> float:
    """What it costs at least that `counts` [type] of all hosts come to `wanted`: as if hosts came in parts."""
    lacking = wanted * (1 - _ROUNDING) - float(counts @ hosts.there)
    usable = hosts.buyable & (counts > 0)
    return max(lacking, 0.0) * float((hosts.usd[usable] / counts[usable]).min(initial=np.inf)) if lacking > 0 else 0.0
