"""How each class of calls is run: which size, how long, and what stands against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._calls import (
    Calls,
    Meter,
    billed_seconds,
    cheapest_size,
    duration,
    in_flight,
    least_gb_seconds,
    rounded,
)
from planner.models._units import names
from planner.quantities import GPU

__all__ = ["Limits", "Sized", "sized"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MB_PER_GIB = 1024.0


@dataclass(frozen=True)
class Limits:
    """What bounds the size and the number of calls."""

    meter: Meter
    optimised: bool
    """Sizes are chosen, not kept."""
    most_cores: float
    quota: float
    """Calls at once; inf where more is asked for."""
    requests_per_s_per_unit: float


@dataclass(frozen=True)
class Sized:
    """How each class of calls is run, [class]."""

    size_mb: Floats
    seconds: Floats
    billed: Floats
    """Seconds of a call after rounding."""
    least_gb_seconds: Floats
    """Of a call; no allowed choice takes fewer."""
    memory_gib: Floats
    """Held by a call."""
    reason: NDArray[np.str_]
    """Why it cannot be a function; empty where it can."""

    @property
    def placed(self) -> Bools:
        """[class], whether it runs."""
        return np.asarray(self.reason == "")

    def only(self, keep: Bools) -> Sized:
        """The classes of a mask."""
        return Sized(
            self.size_mb[keep],
            self.seconds[keep],
            self.billed[keep],
            self.least_gb_seconds[keep],
            self.memory_gib[keep],
            self.reason[keep],
        )


def sized(asked: Demand, limits: Limits) -> Sized:
    """Size, duration and billed duration of each class of calls, and what stands against it.

    A call that was cut out of a machine's work keeps a core busy, so it gets the memory that comes with one.
    """
    frame, meter = asked.workloads, limits.meter
    memory = frame["memory_gib_per_request"].to_numpy(float)
    thread = names(asked, "kind") != "function"
    need = np.maximum(memory * MB_PER_GIB, np.where(thread, min(meter.mb_per_vcpu, meter.memory_max_mb), 0.0))
    calls = Calls(frame["seconds_per_request"].to_numpy(float), need, frame["cores_per_request"].to_numpy(float))
    size, seconds = rounded(np.maximum(need, meter.memory_min_mb), meter.sizes()), calls.seconds
    least = least_gb_seconds(calls, size, meter, limits.most_cores)
    if limits.optimised:
        size = cheapest_size(calls, meter, limits.most_cores)
        seconds = duration(calls, size, meter, limits.most_cores)
    billed = billed_seconds(seconds, meter)
    taken = billed * size / MB_PER_GIB
    work = Sized(
        size, seconds, billed, np.minimum(least, taken) if limits.optimised else taken, memory, names(asked, "kind")
    )
    return replace(work, reason=_reasons(asked, work, limits))


def _reasons(asked: Demand, work: Sized, limits: Limits) -> NDArray[np.str_]:
    """[class], the first reason that holds against it; what stands alone comes before what only the quota forbids."""
    out = np.full(len(work.size_mb), "", dtype=object)
    for holds, words in _objections(asked, work, limits):
        for i in np.flatnonzero(holds & (out == "")):
            out[i] = words(int(i))
    flight = in_flight(asked.requests_per_s, work.seconds, limits.requests_per_s_per_unit).max(axis=1, initial=0.0)
    total = np.where(out == "", flight * asked.count, 0.0)
    order = np.argsort(total, kind="stable")
    over = np.zeros(len(total), bool)
    over[order] = np.cumsum(total[order]) > limits.quota * (1 + 1e-12)
    for i in np.flatnonzero(over & (out == "")):
        out[i] = f"concurrency: {flight[i]:.4g} calls at once, the account's quota of {limits.quota:g} is full"
    return out.astype(str)


def _objections(asked: Demand, work: Sized, limits: Limits) -> Iterator[tuple[Bools, Callable[[int], str]]]:
    gpus, rate = asked.peak[:, GPU], asked.requests_per_s.sum(axis=1)
    seconds = asked.workloads["seconds_per_request"].to_numpy(float)
    unknown = np.isnan(work.memory_gib) | np.isnan(seconds) | np.isnan(rate)
    largest, longest = limits.meter.sizes()[-1], limits.meter.duration_limit_s
    yield unknown, lambda _: "size unknown: the trace holds neither readings nor an allocation"
    yield gpus > 0, lambda i: f"gpus: needs {gpus[i]:.4g}, functions have none"
    yield (
        np.isnan(work.size_mb),
        lambda i: (
            f"memory: holds {work.memory_gib[i] * MB_PER_GIB:.5g} MB at once, the largest function has {largest:g} MB"
        ),
    )
    yield (
        work.seconds > longest,
        lambda i: f"duration: a call takes {work.seconds[i]:.5g} s, the limit is {longest:g} s",
    )
