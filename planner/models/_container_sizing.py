"""How many instances of which size run in each period, and the cheapest size and way of billing of each class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._container_bill import Tariff
from planner.models._container_rules import Billing
from planner.models._units import names
from planner.quantities import CPU, MEMORY, SECONDS_PER_HOUR

__all__ = ["Asked", "Chosen", "Manner", "asked", "choose", "room"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

AT_ONCE: Final = 2_000_000
"""Unit: classes x sizes x periods. Source: keeps the tables below some hundred MB."""
_EXACT: Final = 1e-9
"""Unit: fraction. Source: sums of floats that should be equal are, to this."""
_SIZED: Final = [CPU, MEMORY]


@dataclass(frozen=True)
class Manner:
    """How instances are filled and kept."""

    concurrency: float
    """Requests at once in one instance."""
    target: float
    """Share of its requests and cores that is planned for."""
    even: bool
    """Requests fill instances evenly; else they come as they like."""
    min_instances: int
    overhead_gib: float
    """Memory of an instance that its work does not get."""
    storage_gib: float
    """Scratch disk that is paid."""
    job_s: float
    """Least length of what may be a job."""
    request_limit_s: float
    idle_cores: float
    idle_share: float
    """Need, as a share of the busiest period's, below which what is not called is stopped; 0: never."""
    only_asked: bool
    """What is called may not be billed as long as it runs."""


@dataclass(frozen=True)
class Asked:
    """What classes of workloads ask for; those that are `called` by requests, the others by what they need."""

    hours: Floats
    need: Floats
    """[class, period, (cores, GiB)]."""
    mean_cores: Floats
    """[class, period]."""
    rate: Floats
    """[class, period], requests a second."""
    seconds: Floats
    """[class], of a request."""
    per_request: Floats
    """[class, (cores, GiB)]."""
    called: Bools
    scales: Bools
    interruptible: Bools
    arch: NDArray[np.str_]

    def only(self, rows: Ints | Bools) -> Asked:
        """Some of the classes, by position or mask."""
        return Asked(
            self.hours,
            self.need[rows],
            self.mean_cores[rows],
            self.rate[rows],
            self.seconds[rows],
            self.per_request[rows],
            self.called[rows],
            self.scales[rows],
            self.interruptible[rows],
            self.arch[rows],
        )

    @property
    def least(self) -> Floats:
        """[class, (cores, GiB)], what one instance must hold at least; 0 where the work divides."""
        whole = self.need.max(axis=1, initial=0.0) * ~self.scales[:, None]
        return np.where(self.called[:, None], self.per_request, whole)


def asked(demand: Demand, arch: str) -> Asked:
    """What a demand asks for; `arch` is a processor, or ``workload`` for that of each."""
    frame = demand.workloads
    told = frame[["seconds_per_request", "cores_per_request", "memory_gib_per_request"]].to_numpy(float)
    called = np.isfinite(told).all(axis=1) & np.isfinite(demand.requests_per_s).all(axis=1)
    own = names(demand, "arch")
    return Asked(
        hours=demand.hours,
        need=demand.busy[:, :, _SIZED],
        mean_cores=demand.mean[:, :, CPU],
        rate=demand.requests_per_s,
        seconds=told[:, 0],
        per_request=told[:, 1:],
        called=called,
        scales=frame["scales_out"].fillna(False).to_numpy(bool) | (names(demand, "kind") == "function"),
        interruptible=frame["interruptible"].fillna(False).to_numpy(bool),
        arch=np.where(own == "", "x86_64", own) if arch == "workload" else np.full(len(own), arch),
    )


@dataclass(frozen=True)
class Chosen:
    """The cheapest size and tariff of each class."""

    tariff: Ints
    """[class], position; -1 where nothing holds it."""
    size: Ints
    """[class], position of its shape."""
    usd: Floats
    """[class], of one member in a month, at the prices of the first tier."""
    running: Floats
    """[class, period], instances billed as busy, on average."""
    idle: Floats
    """[class, period], instances billed as idle."""

    def only(self, rows: Ints | Bools) -> Chosen:
        """Some of the classes, by position or mask."""
        return Chosen(self.tariff[rows], self.size[rows], self.usd[rows], self.running[rows], self.idle[rows])

    @property
    def most(self) -> Ints:
        """[class], instances at once in the busiest period."""
        n = np.ceil((self.running + self.idle).max(axis=1, initial=0.0) - _EXACT)
        return np.asarray(np.maximum(n, 1), np.int64)


def choose(work: Asked, sizes: Floats, sold: Sequence[Tariff], manner: Manner) -> Chosen:
    """Each class on its cheapest `sizes` [shape, (cores, GiB)] and tariff: classes share nothing, so this is exact."""
    count, periods = work.rate.shape
    best = Chosen(
        np.full(count, -1),
        np.zeros(count, np.int64),
        np.full(count, np.inf),
        np.zeros((count, periods)),
        np.zeros((count, periods)),
    )
    for position, tariff in enumerate(sold):
        for rows in _blocks(work, _eligible(work, tariff, manner), (len(sizes), periods)):
            some = work.only(rows)
            usd = _costs(some, sizes[None], tariff, manner)
            cheapest = np.argmin(usd, axis=1)
            lowest = usd[np.arange(len(rows)), cheapest]
            won = lowest < best.usd[rows]
            at = rows[won]
            best.tariff[at], best.size[at], best.usd[at] = position, cheapest[won], lowest[won]
            running, idle = _instances(work.only(at), sizes[cheapest[won]][:, None], tariff, manner)
            best.running[at] = running[:, 0]
            best.idle[at] = idle[:, 0]
    return best


def _blocks(work: Asked, rows: Ints, table: tuple[int, int]) -> Iterator[Ints]:
    """Rows of one sort at a time: what runs as one needs no table over sizes, what divides or is called does."""
    sizes, periods = table
    one = ~work.called & ~work.scales
    for sort, width in ((one, periods), (~work.called & work.scales, sizes * periods), (work.called, sizes * periods)):
        some = rows[sort[rows]]
        step = max(1, AT_ONCE // max(width, 1))
        for start in range(0, len(some), step):
            yield some[start : start + step]


def _eligible(work: Asked, tariff: Tariff, manner: Manner) -> Ints:
    """Classes that may be billed this way."""
    fits = work.arch == tariff.arch
    if tariff.term == "spot":
        fits &= work.interruptible
    long = np.nan_to_num(work.seconds) > manner.request_limit_s
    match tariff.billing.mode:
        case "instance":
            fits &= ~(work.called & (long | manner.only_asked))
        case "request":
            fits &= work.called & ~long
        case "job":
            fits &= work.called & (work.seconds >= manner.job_s)
    return np.flatnonzero(fits)


def _costs(work: Asked, sizes: Floats, tariff: Tariff, manner: Manner) -> Floats:
    """[class, shape], usd of a month; inf where the shape does not hold the class."""
    running, idle = _instances(work, sizes, tariff, manner)
    busy_usd = tariff.per_hour(sizes, manner.storage_gib)
    idle_usd = tariff.per_hour(sizes, manner.storage_gib, idle=True)
    usd = running @ work.hours * busy_usd + idle @ work.hours * idle_usd
    calls = np.where(work.called, np.nan_to_num(work.rate) @ work.hours, 0.0) * SECONDS_PER_HOUR
    holds = (work.least[:, None, :] <= room(sizes, manner) * (1 + _EXACT)).all(axis=2)
    return np.asarray(np.where(holds, usd + (calls * tariff.usd("requests"))[:, None], np.inf))


def room(sizes: Floats, manner: Manner) -> Floats:
    """[..., (cores, GiB)], what instances of `sizes` leave for work."""
    return np.maximum(sizes - [0.0, manner.overhead_gib], 1e-12)


def _instances(work: Asked, sizes: Floats, tariff: Tariff, manner: Manner) -> tuple[Floats, Floats]:
    """[class, shape, period], instances billed as busy and as idle, on average over the period; classes of one sort.

    The second axis has length 1 where the number does not depend on the size.
    """
    inside = np.broadcast_to(room(sizes, manner), (len(work.called), *sizes.shape[1:]))
    if not work.called.any():
        return _tasks(work, inside, manner)
    if tariff.billing.mode == "instance":
        running = _kept(work, inside, tariff.billing, manner)
        return running, np.zeros((1, 1, len(work.hours)))
    running = _busy(work, inside, tariff.billing, manner)
    return running, np.maximum(manner.min_instances - running, 0.0)


def _tasks(work: Asked, inside: Floats, manner: Manner) -> tuple[Floats, Floats]:
    """What is not called runs as one, or as so many equal parts as the hour needs where it scales out."""
    parts = np.ones((len(work.scales), 1, len(work.hours)))
    if work.scales.any():
        ratios = [work.need[:, None, :, r] / inside[:, :, None, r] for r in range(2)]
        parts = np.maximum(np.ceil(np.maximum(*ratios) - _EXACT), max(manner.min_instances, 1))
    if manner.idle_share > 0:
        need = work.need[:, :, 0]
        parts = parts * (need > manner.idle_share * need.max(axis=1, initial=0.0)[:, None])[:, None, :]
    idle = (work.mean_cores[:, None, :] <= manner.idle_cores * parts) & (manner.idle_cores > 0)
    return np.where(idle, 0.0, parts), np.where(idle, parts, 0.0)


def _kept(work: Asked, inside: Floats, billing: Billing, manner: Manner) -> Floats:
    """Instances that are kept for requests: as many as hold those in flight at the target, the last while it lives.

    With Poisson arrivals the last instance lives whenever one came within its cooldown. Source: Little's law;
    Knative autoscaling (a new replica once the target share of its concurrency is in flight).
    """
    per_request = np.maximum(work.per_request, 1e-12)[:, None]
    cores, fitting = inside[..., 0] / per_request[..., 0], np.floor(inside[..., 1] / per_request[..., 1] + _EXACT)
    at_once = np.minimum(np.minimum(manner.concurrency, cores) * manner.target, np.maximum(fitting, 1.0))
    flight = work.rate * work.seconds[:, None]
    n = np.ceil(flight[:, None, :] / at_once[:, :, None] - _EXACT)
    if manner.min_instances or np.isinf(billing.cooldown_s):
        return np.maximum(n, max(manner.min_instances, 1))
    lives = -np.expm1(-work.rate * (work.seconds + billing.cooldown_s)[:, None])
    return np.asarray(np.where(n > 0, n - 1 + lives[:, None, :], 0.0))


def _busy(work: Asked, inside: Floats, billing: Billing, manner: Manner) -> Floats:
    """Instances with a request in them. x requests need at most (x + c - 1) / c instances of c, and none where x = 0.

    With Poisson arrivals, x has the mean L = rate x seconds and is 0 with probability e^-L, so on average it is at
    most L / c + (1 - 1 / c) (1 - e^-L): exact for c = 1 and where one instance takes them all. Evenly filled: L / c.
    """
    billed = billing.billed(work.seconds)[:, None]
    flight = work.rate * billed
    at_once = np.ones(inside.shape[:2])
    if billing.mode == "request":
        per_request = np.maximum(work.per_request, 1e-12)[:, None]
        cores, fitting = inside[..., 0] / per_request[..., 0], inside[..., 1] / per_request[..., 1]
        most = np.minimum(np.minimum(manner.concurrency, cores) * manner.target, fitting)
        at_once = np.maximum(np.floor(most + _EXACT), 1.0)
    share = (1.0 / at_once)[:, :, None]
    if manner.even:
        return np.asarray(flight[:, None, :] * share)
    some = -np.expm1(-flight)[:, None, :]
    lives = -np.expm1(-work.rate * (billed + billing.cooldown_s))[:, None, :]
    return np.asarray(np.maximum(flight[:, None, :] * share + (1 - share) * some, lives if billing.cooldown_s else 0.0))
