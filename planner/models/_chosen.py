"""One machine, one instance: the cheapest type that holds each machine, and what decided it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._credits import Burst, Earning, burst
from planner.models._instances import HELD, Types
from planner.models._machines import architecture
from planner.models._rented import month_hours
from planner.optimise.buying import floor, middle_share
from planner.quantities import CPU

__all__ = ["Fleet", "Rules", "chosen"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

AT_ONCE = 20_000
"""Unit: classes compared with all types at once. Source: keeps the tables below some hundred MB."""
OWED = 1e-6
"""Unit: credits. Source: below it a balance is rounding."""


@dataclass(frozen=True)
class Rules:
    """What a type may be chosen by."""

    idle_share: float | None
    """Needed CPU, as a share of the busiest period, below which a machine is stopped; none: never."""
    burstable_baseline: float
    """Mean CPU of a type whose credits nobody tells, as a share of its cores."""
    beyond: bool
    """Whether credits beyond those earned may be bought."""


@dataclass(frozen=True)
class Fleet:
    """Which class of machines runs on which type, and when."""

    kinds: Types
    chosen: Ints
    """[class], position of its type; -1 where none holds it."""
    running: Bools
    """[class, period]."""
    parts: Ints
    """[class], instances that one workload (or application) runs on."""
    beyond: Floats
    """[class], vCPU-hours a month above the credits that its instance earns."""
    limited: Ints
    """[class], the resource without which a cheaper type would do; of equal ones that which fills its type most."""
    floor_usd: float
    """What no choice goes below, a month."""

    @property
    def placed(self) -> Bools:
        """[class], whether some type holds it."""
        return self.chosen >= 0

    def counts(self, machines: Demand) -> Ints:
        """[period, type], instances that run."""
        out = np.zeros((len(machines.hours), len(self.kinds.sku)), np.int64)
        rows = np.flatnonzero(self.placed)
        np.add.at(out.T, self.chosen[rows], self.running[rows] * machines.count[rows, None])
        return out

    def credits(self, machines: Demand) -> Floats:
        """[type], vCPU-hours a month above earned credits."""
        rows = np.flatnonzero(self.placed)
        more = (self.beyond * machines.count)[rows]
        return np.bincount(self.chosen[rows], more, minlength=len(self.kinds.sku)).astype(np.float64)

    def limits(self, machines: Demand) -> dict[str, float]:
        """How many instances each resource decided."""
        rows = np.flatnonzero(self.placed)
        decided = np.bincount(self.limited[rows], machines.count[rows], minlength=len(HELD))
        names = ("instances_limited_by_cpu", "instances_limited_by_memory", "instances_limited_by_gpu")
        return {name: float(n) for name, n in zip(names, decided.tolist(), strict=True)}


@dataclass(frozen=True)
class _Block:
    """Some classes against all types."""

    rows: Ints
    holds: Bools
    """[resource, row, type]."""
    may: Bools
    """[row, type], of its architecture, and credits last where they must."""
    beyond: Floats
    """[row, type], vCPU-hours above earned credits."""


def chosen(rules: Rules, machines: Demand, kinds: Types, earns: Earning, parts: Ints) -> Fleet:
    """The cheapest type that holds each class, block by block."""
    running = _running(rules, machines)
    runs, month = running @ machines.hours, month_hours(machines.hours)
    n = len(runs)
    best, limited, beyond, least = np.full(n, -1), np.zeros(n, np.int64), np.zeros(n), np.zeros(n)
    share = middle_share(kinds.used, kinds.committed)
    under = floor(kinds.used, kinds.committed, machines.count.astype(float) @ running, machines.hours, share)
    for block in _blocks(rules, machines, (kinds, earns), running):
        rows, here = block.rows, np.arange(len(block.rows))
        usd = np.minimum(runs[rows, None] * kinds.used, month * kinds.committed)
        usd = usd + np.where(block.beyond > 0, block.beyond * np.where(block.beyond > 0, earns.usd, 0.0), 0.0)
        fits = block.may & block.holds.all(axis=0)
        priced = np.where(fits, usd, np.inf)
        found, at = fits.any(axis=1), np.argmin(priced, axis=1)
        best[rows] = np.where(found, at, -1)
        beyond[rows] = block.beyond[here, at] * found
        limited[rows] = _limited(block, usd, (at, machines.peak[rows, : len(HELD)], kinds.capacity))
        cheapest = np.where(fits, under.usd, np.inf).min(axis=1)
        least[rows] = np.where(found, cheapest, 0.0) * (running[rows] @ under.weight)
        if rules.idle_share is None:
            least[rows] = np.where(found, priced[here, at], 0.0)
    return Fleet(kinds, best, running, parts, beyond, limited, float(least @ machines.count) if n else 0.0)


def _limited(block: _Block, usd: Floats, chosen: tuple[Ints, Floats, Floats]) -> Ints:
    """[row], the resource that, if it did not count, would save most; the fullest where none alone saves anything."""
    at, need, capacity = chosen
    here = np.arange(len(at))
    saved, full = np.zeros((len(HELD), len(at))), np.zeros((len(HELD), len(at)))
    for r in range(len(HELD)):
        others = block.may & block.holds[[q for q in range(len(HELD)) if q != r]].all(axis=0)
        without = np.where(others, usd, np.inf).min(axis=1)
        saved[r] = np.where(others.any(axis=1), usd[here, at] - np.where(np.isinf(without), 0.0, without), 0.0)
        full[r] = need[:, r] / np.where(capacity[at, r] > 0, capacity[at, r], np.inf)
    saved = np.where(np.isfinite(saved), saved, 0.0)
    alone = saved.max(axis=0) > OWED * np.maximum(np.nan_to_num(usd[here, at], posinf=0.0), OWED)
    return np.asarray(np.where(alone, saved.argmax(axis=0), np.nan_to_num(full).argmax(axis=0)), np.int64)


def _running(rules: Rules, machines: Demand) -> Bools:
    """[class, period], whether the machine is on."""
    if rules.idle_share is None:
        return np.ones(machines.requests_per_s.shape, bool)
    need = machines.busy[:, :, CPU]
    return np.asarray(need > rules.idle_share * need.max(axis=1, initial=0.0)[:, None])


def _blocks(rules: Rules, machines: Demand, sold: tuple[Types, Earning], running: Bools) -> Iterator[_Block]:
    kinds, _ = sold
    need, arch = machines.peak[:, : len(HELD)], architecture(machines)
    for start in range(0, len(need), AT_ONCE):
        rows = np.arange(start, min(start + AT_ONCE, len(need)))
        holds = np.array([need[rows, r, None] <= kinds.capacity[:, r] * (1 + 1e-12) for r in range(len(HELD))])
        may, beyond = arch[rows, None] == kinds.arch, np.zeros((len(rows), len(kinds.sku)))
        lasts, more = _bursting(rules, machines.select(rows), sold, running[rows])
        burstable = kinds.category == "burstable"
        may[:, burstable] &= lasts
        beyond[:, burstable] = more
        yield _Block(rows, holds, may, beyond)


def _bursting(rules: Rules, some: Demand, sold: tuple[Types, Earning], running: Bools) -> tuple[Bools, Floats]:
    """[row, burstable type], whether its credits last or more can be bought, and vCPU-hours that are bought."""
    kinds, earns = sold
    at = np.flatnonzero(kinds.category == "burstable")
    cores = some.mean[:, :, CPU]
    known = np.isfinite(earns.per_hour[at])
    mean = cores @ some.hours / max(month_hours(some.hours), 1e-9)
    lasts = mean[:, None] <= rules.burstable_baseline * kinds.capacity[at, CPU]
    beyond = np.zeros(lasts.shape)
    if known.any() and len(cores):
        told = Earning(earns.per_hour[at[known]], earns.most[at[known]], earns.usd[at[known]])
        life: Burst = burst(told, cores, running, some.hours)
        buys = rules.beyond & np.isfinite(told.usd)
        lasts[:, known] = (life.short <= OWED) | buys
        beyond[:, known] = np.where(buys, life.charged, 0.0)
    return lasts, beyond
