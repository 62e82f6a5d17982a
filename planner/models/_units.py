"""Units: what is placed whole, such as an application on its server or a virtual machine on its host."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._servers import Servers
from planner.quantities import CPU, RESOURCES

__all__ = ["Units", "bare", "gathered", "holds", "names", "reasons", "spread_apart"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

PACKED: Final = 3
"""Threads, GiB and GPUs are packed; storage is bought apart."""
HOURS_PER_DAY: Final = 24
ROUNDING: Final = 1e-9
"""Unit: fraction. Source: sums of floats that should be equal are, to this."""


@dataclass(frozen=True)
class Units:
    """Kinds of units, each of which exists `count` times."""

    peak: Floats
    """[unit, 3], needed in the busiest period, growth over the lead time included."""
    by_hour: Floats
    """[unit, hour of the day, 3], needed at that hour of any day of the week, grown alike; one hour where the demand
    does not tell them apart."""
    mean: Floats
    """[unit, 3], used on average in the period where that is most, grown alike."""
    cores: Floats
    """[unit, period], used on average."""
    count: Ints
    """[unit]."""
    arch: NDArray[np.str_]
    """[unit]."""
    spread: tuple[str, ...]
    """[unit], the group whose members keep apart; empty: none."""
    bare: Bools
    """[unit], whether all of it was recorded without an operating system of its own."""
    of_class: Ints
    """[class], the unit that each class of workloads is (part of)."""
    shared: Bools
    """[class], whether all its members are in one unit, or each is a unit."""

    @property
    def start(self) -> Ints:
        """[unit + 1], where the instances of each unit begin when all are numbered through."""
        return np.append(0, np.cumsum(self.count)).astype(np.int64)

    def only(self, rows: Ints) -> Units:
        """Some of the units, without the classes they are made of."""
        return replace(
            self,
            peak=self.peak[rows],
            by_hour=self.by_hour[rows],
            mean=self.mean[rows],
            cores=self.cores[rows],
            count=self.count[rows],
            arch=self.arch[rows],
            spread=tuple(self.spread[u] for u in rows),
            bare=self.bare[rows],
        )

    def instance(self, demand: Demand) -> Ints:
        """[member], the instance that holds each workload."""
        owner = demand.members["class"].to_numpy(np.int64)
        rank = np.asarray(demand.members.groupby("class").cumcount(), np.int64)
        return np.asarray(self.start[self.of_class[owner]] + np.where(self.shared[owner], 0, rank))


def names(demand: Demand, column: str) -> NDArray[np.str_]:
    """[class], a column of text; absent is empty."""
    values = demand.workloads[column].to_numpy(dtype=object)
    return np.where(pd.isna(values), "", values).astype(str)


def bare(demand: Demand) -> Bools:
    """[class], whether the recording is of processes (functions, containers) and so holds no operating system."""
    return np.isin(names(demand, "kind"), ("function", "container"))


def spread_apart(demand: Demand) -> Bools:
    """[class], whether it belongs to a group of several that want to keep apart."""
    group = pd.Series(names(demand, "spread_group"))
    several = pd.Series(demand.count).groupby(group).transform("sum") > 1
    return np.asarray(group.ne("") & several, bool)


def gathered(demand: Demand, shared: Bools, years: float) -> Units:
    """The units of a demand `years` ahead: classes in `shared` join those of their application, others stand alone.

    Parts of an application for different processors are units apart. Loads that share a unit are added period by
    period, so a unit is as large as its busiest period, not as the sum of its members' busiest ones.
    """
    arch = np.where(names(demand, "arch") == "", "x86_64", names(demand, "arch"))
    alone = np.char.add("\0", np.arange(len(arch)).astype(str))
    key = np.where(shared, np.char.add(np.char.add(names(demand, "application"), "\n"), arch), alone)
    of_class, first = _numbered(key)
    factor = (1.0 + demand.growth_per_year) ** years
    growth = np.array([factor, factor, 1.0])
    weight = np.where(shared, demand.count, 1).astype(float)
    busy = _added(demand.busy, weight, of_class) * growth
    mean = _added(demand.mean, weight, of_class)
    group = names(demand, "spread_group")
    return Units(
        peak=_highest(busy),
        by_hour=_hours(busy),
        mean=_highest(mean * growth),
        cores=np.nan_to_num(mean[:, :, CPU]),
        count=np.where(shared, 1, demand.count)[first].astype(np.int64),
        arch=arch[first],
        spread=tuple("" if s else str(g) for g, s in zip(group[first], shared[first], strict=True)),
        bare=np.bincount(of_class, ~bare(demand), minlength=len(first)) == 0,
        of_class=of_class,
        shared=shared,
    )


def _numbered(key: NDArray[np.str_]) -> tuple[Ints, Ints]:
    """[row] the number of its key in order of appearance, and [number] the first row of each key."""
    codes = pd.factorize(key)[0].astype(np.int64)
    return codes, np.unique(codes, return_index=True)[1].astype(np.int64)


def _added(values: Floats, weight: Floats, owner: Ints) -> Floats:
    out = np.zeros((int(owner.max(initial=-1)) + 1, values.shape[1], PACKED))
    np.add.at(out, owner, values[:, :, :PACKED] * weight[:, None, None])
    return out


def _highest(values: Floats) -> Floats:
    return np.asarray(values.max(axis=1)) if values.shape[1] else np.zeros((values.shape[0], PACKED))


def _hours(values: Floats) -> Floats:
    """[unit, hour of the day, 3], the highest of all days."""
    periods = values.shape[1]
    if not periods or periods % HOURS_PER_DAY:
        return _highest(values)[:, None, :]
    days = values.shape[1] // HOURS_PER_DAY
    return np.asarray(values.reshape(len(values), days, HOURS_PER_DAY, PACKED).max(axis=1))


def holds(need: Floats, arch: NDArray[np.str_], servers: Servers, room: Floats) -> Bools:
    """[unit, type], which servers have `room` [type, 3] for a unit and its kind of processor."""
    fits = arch[:, None] == servers.arch[None, :]
    for r in range(PACKED):
        fits &= need[:, None, r] <= room[None, :, r] * (1 + ROUNDING)
    return np.asarray(fits, bool)


def reasons(need: Floats, arch: NDArray[np.str_], servers: Servers, room: Floats) -> list[str]:
    """[unit], why no server holds it: the resource, the need and the largest offer."""
    return [_reason(row, room[servers.arch == a], a) for row, a in zip(need, arch, strict=True)]


def _reason(need: Floats, room: Floats, arch: str) -> str:
    if np.isnan(need).any():
        return "size unknown: the trace holds neither readings nor an allocation"
    if not len(room):
        return f"arch: needs {arch}, no such server is offered"
    largest = room.max(axis=0)
    for r in np.flatnonzero(need > largest * (1 + ROUNDING)):
        return f"{RESOURCES[r]}: needs {need[r]:.6g}, the largest server offers {largest[r]:.6g}"
    if (need <= room * (1 + ROUNDING)).all(axis=1).any():
        return "servers: no owned one is left that holds it, and no more of that size may be bought"
    told = " and ".join(f"{need[r]:.6g} {RESOURCES[r]}" for r in np.flatnonzero(need > 0))
    return f"cpu_cores and memory_gib: needs {told} together, no server offers both"
