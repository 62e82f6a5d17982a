"""Which servers a policy of admission asks for, and what they cost at least."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.models._admission import Guests, Hosts
from planner.models._ask import Ask

__all__ = ["admitted", "admitted_usd", "told"]

Ints = NDArray[np.int64]

PLANNED: Final = 2
"""Threads and GiB are what policies of admission count."""


def _clusters(ask: Ask, there: Ints) -> list[tuple[Hosts, Guests, Ints]]:
    """Hosts and guests of each kind of processor, and which types these hosts are; `there` [type] are in place."""
    rows = ask.able.any(axis=1)
    found = []
    for arch in np.unique(ask.units.arch[rows]):
        types = np.flatnonzero(ask.servers.arch == arch)
        some = rows & (ask.units.arch == arch)
        guests = Guests(ask.need[some, :PLANNED], ask.units.count[some].astype(float))
        room = ask.room[types, :PLANNED]
        found.append((Hosts(room, ask.usd[types], there[types], ask.servers.buyable[types]), guests, types))
    return found


def admitted(ask: Ask, working: Ints) -> Ints:
    """[type], hosts with which a policy admits all units, those that work and those that are owned included."""
    there = np.maximum(working, ask.servers.owned)
    if ask.admission is not None:
        for hosts, guests, types in _clusters(ask, there):
            there[types] += ask.admission.to_add(hosts, guests)
    return there


def admitted_usd(ask: Ask) -> float:
    """What any cluster that a policy admits spends on new servers at least."""
    if ask.admission is None:
        return 0.0
    found = _clusters(ask, ask.servers.owned)
    return float(sum(ask.admission.least_usd(hosts, guests) for hosts, guests, _ in found))


def told(ask: Ask, there: Ints) -> dict[str, float]:
    """How a policy of admission sees the finished clusters, one for each kind of processor."""
    if ask.admission is None:
        return {}
    found = _clusters(ask, there)
    ends = [f"_{ask.servers.arch[types[0]]}" if len(found) > 1 else "" for _, _, types in found]
    parts = [ask.admission.told(hosts, guests) for hosts, guests, _ in found]
    return {name + end: value for end, part in zip(ends, parts, strict=True) for name, value in part.items()}
