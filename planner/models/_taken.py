"""What a month's calls of functions take from each meter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._calls import Meter, cold_share
from planner.models._sized import MB_PER_GIB, Sized
from planner.models._tolls import MILLION, Use
from planner.models._units import names
from planner.quantities import SECONDS_PER_HOUR

__all__ = ["Durable", "Habits", "cold", "taken", "warm_hours"]

Floats = NDArray[np.float64]

KIB_PER_GIB = 2.0**20
HOURS_PER_DAY = 24.0


@dataclass(frozen=True)
class Durable:
    """What a call of a durable function writes down, and for how long."""

    operations_per_call: float
    kib_per_call: float
    days: float


@dataclass(frozen=True)
class Habits:
    """How functions start, are kept and keep."""

    meter: Meter
    optimised: bool
    """Sizes are chosen, not kept."""
    provisioned: tuple[float, float]
    """Calls at once that each function is kept warm for, and hours a month."""
    cold_start_share: float | None
    """Of calls; none: by pauses between calls."""
    keep_alive_minutes: float
    init_seconds: float
    """Of a cold start, billed."""
    snapstart: bool
    scratch_gb: float
    """Disk of a running call that is paid."""
    durable: Durable
    event_pollers: float
    arch: Literal["workload", "x86_64", "arm64"]
    free: bool
    """Whether free monthly amounts apply."""


def taken(habits: Habits, served: Demand, run: Sized) -> Use:
    """What each class takes in a month."""
    count, calls = served.count.astype(float), served.requests_per_s * served.hours * SECONDS_PER_HOUR
    gb = run.size_mb / MB_PER_GIB
    warm = _warm_share(habits, served, run)
    started = calls.sum(axis=1) * cold(habits, served) * habits.init_seconds
    least = np.minimum(run.memory_gib, gb) if habits.optimised else gb
    plain = (calls * (1 - warm)).sum(axis=1)
    own = names(served, "arch")
    return Use(
        requests=count * calls.sum(axis=1),
        gb_seconds=count * (plain * run.billed + started) * gb,
        least_gb_seconds=count * (plain * run.least_gb_seconds + started * least),
        ghz_seconds=count * calls.sum(axis=1) * run.billed * habits.meter.clock(run.size_mb),
        also=_also(habits, served, run, warm),
        poller_hours=habits.event_pollers * float(served.hours.sum()),
        arch=np.where(own == "", "x86_64", own) if habits.arch == "workload" else np.full(len(own), habits.arch),
        free=habits.free,
    )


def _also(habits: Habits, served: Demand, run: Sized, warm: Floats) -> dict[str, Floats]:
    """Kind of offer -> [class], what is taken of the meters beside requests and run time."""
    count, calls = served.count.astype(float), served.requests_per_s * served.hours * SECONDS_PER_HOUR
    gb, total, month = run.size_mb / MB_PER_GIB, calls.sum(axis=1), float(served.hours.sum())
    snapshot = count * gb * habits.snapstart
    kept_hours = habits.provisioned[0] * float(warm_hours(habits, served).sum())
    written = count * total * habits.durable.kib_per_call / KIB_PER_GIB
    return {
        "function_provisioned": count * gb * kept_hours * SECONDS_PER_HOUR,
        "function_provisioned_duration": count * (calls * warm).sum(axis=1) * run.billed * gb,
        "function_storage": count * total * run.billed * habits.scratch_gb,
        "function_snapshot_cache": snapshot * month * SECONDS_PER_HOUR,
        "function_snapshot_restore": snapshot * total * cold(habits, served),
        "function_operations": count * total * habits.durable.operations_per_call / MILLION,
        "function_state_written": written,
        "function_state": written * habits.durable.days * HOURS_PER_DAY / max(month, 1e-9),
    }


def cold(habits: Habits, served: Demand) -> Floats:
    """[class], share of calls that start cold."""
    if habits.cold_start_share is not None:
        return np.full(len(served.workloads), habits.cold_start_share)
    return cold_share(served.requests_per_s, served.hours, habits.keep_alive_minutes)


def warm_hours(habits: Habits, served: Demand) -> Floats:
    """[period], hours in which functions are kept warm: the busiest periods first."""
    out = np.zeros(len(served.hours))
    if habits.provisioned[0] > 0:
        order = np.argsort(-(served.count @ served.requests_per_s), kind="stable")
        hours = served.hours[order]
        out[order] = np.clip(habits.provisioned[1] - (np.cumsum(hours) - hours), 0.0, hours)
    return out


def _warm_share(habits: Habits, served: Demand, run: Sized) -> Floats:
    """[class, period], share of calls that find a kept environment: as many at once as are kept, while they are."""
    flight = served.requests_per_s * run.billed[:, None]
    found = np.minimum(habits.provisioned[0] / np.maximum(flight, 1e-12), 1.0)
    return np.asarray(found * (warm_hours(habits, served) / np.maximum(served.hours, 1e-12)))
