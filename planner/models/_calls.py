"""What a call of a function takes and is billed: sizes, durations, rounding, concurrency, cold starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "METERS",
    "Calls",
    "Meter",
    "billed_seconds",
    "cheapest_size",
    "cold_share",
    "duration",
    "in_flight",
    "least_gb_seconds",
    "rounded",
]

Floats = NDArray[np.float64]
TRIED: Final = 512
"""Unit: sizes. Source: neighbours of so many differ by less than the rounding of a duration."""
AT_ONCE: Final = 5_000
"""Unit: classes. Source: keeps the tables below some hundred MB."""
_NONE: Final = 1e-6
"""Unit: cores. Source: stands for none, so that times stay numbers."""
_EXACT: Final = 1e-9
"""Unit: fraction. Source: a whole number of steps stays one in spite of binary fractions."""


@dataclass(frozen=True)
class Meter:
    """A provider's rules for measuring a call; MB are 2^20 bytes."""

    memory_min_mb: float
    memory_max_mb: float
    memory_step_mb: float
    memory_sizes_mb: tuple[float, ...]
    """The only sizes sold; empty: every step from least to most."""
    mb_per_vcpu: float
    """Memory that comes with one core."""
    rounding_ms: float
    """Durations are rounded up to this."""
    minimum_ms: float
    duration_limit_s: float
    ghz: tuple[float, ...]
    """Clock that comes with each of the sizes sold, where processor time is billed apart."""
    source: str
    runtime_cores: float = 0.0
    """Cores that the runtime itself keeps busy, so that a small size is slower than its share."""

    def power(self, size_mb: Floats, most_cores: float) -> Floats:
        """Cores that a call gets at each size."""
        return np.asarray(np.clip(size_mb / self.mb_per_vcpu - self.runtime_cores, _NONE, most_cores))

    def clock(self, size_mb: Floats) -> Floats:
        """GHz that come with each size; 0 where they are not billed."""
        if not self.ghz:
            return np.zeros(len(size_mb))
        return np.asarray(np.interp(size_mb, self.memory_sizes_mb, self.ghz))

    def sizes(self) -> Floats:
        """All sizes a function may have, rising."""
        if self.memory_sizes_mb:
            return np.array(self.memory_sizes_mb)
        steps = int((self.memory_max_mb - self.memory_min_mb) / self.memory_step_mb + _EXACT)
        return np.asarray(self.memory_min_mb + self.memory_step_mb * np.arange(steps + 1.0))


METERS: Final = {
    "aws": Meter(
        128, 10_240, 1, (), 1769, 1, 0, 900, (),
        "AWS Lambda documentation quoted 2026-09-20 (memory, vCPU, timeout); rounding FROM MEMORY",
    ),
    "azure": Meter(
        128, 1536, 128, (), 1536, 1, 100, 600, (),
        "modal.com 2025-05 (1.5 GB), cloudtoolstack.com 2026-02 (600 s); steps, minimum and core FROM MEMORY",
    ),
    "gcp": Meter(
        128, 8192, 128, (128, 256, 512, 1024, 2048, 4096, 8192), 2048, 100, 100, 540,
        (0.2, 0.4, 0.8, 1.4, 2.4, 4.8, 4.8),
        "Cloud Functions (1st gen) pricing page, FROM MEMORY",
    ),
}  # fmt: skip
"""Rules by provider; each is a setting that a scenario may override."""


@dataclass(frozen=True)
class Calls:
    """What [class] calls take: seconds as measured, memory held, cores kept busy at once, and the memory they had."""

    seconds: Floats
    memory_mb: Floats
    cores: Floats


def rounded(memory_mb: Floats, sizes: Floats) -> Floats:
    """[class], the smallest size sold that holds `memory_mb`; NaN where none does.

    >>> rounded(np.array([100.0, 129.0, 999.0]), np.array([128.0, 256.0])).tolist()
    [128.0, 256.0, nan]
    """
    at = np.searchsorted(sizes, memory_mb * (1 - _EXACT))
    return np.where((at < len(sizes)) & ~np.isnan(memory_mb), sizes[np.minimum(at, len(sizes) - 1)], np.nan)


def billed_seconds(seconds: Floats, meter: Meter) -> Floats:
    """Durations rounded up to the meter's step, at least its minimum.

    >>> billed_seconds(np.array([0.0101]), METERS["aws"]).tolist()
    [0.011]
    """
    steps = np.ceil(seconds * 1000.0 / meter.rounding_ms * (1 - _EXACT))
    return np.asarray(np.maximum(steps * meter.rounding_ms, meter.minimum_ms) / 1000.0)


def duration(calls: Calls, size_mb: Floats, meter: Meter, most_cores: float) -> Floats:
    """Seconds of a call at another size ([class], or [class, size]): waiting stays, work takes as long as it must.

    A call that kept all cores busy which came with its memory was throttled and waited for nothing else; one that
    kept fewer busy spent the rest of its time waiting. Work speeds up with memory until a call has `most_cores`.
    Source: AWS Lambda documentation (CPU in proportion to memory); aws-lambda-power-tuning (the curve that results).
    """
    work, waiting = _split(calls, meter, most_cores)
    if size_mb.ndim == 2:
        work, waiting = work[:, None], waiting[:, None]
    return np.asarray(waiting + work / meter.power(size_mb, most_cores))


def _split(calls: Calls, meter: Meter, most_cores: float) -> tuple[Floats, Floats]:
    """[class], core-seconds of work and seconds of waiting of a call as it was measured."""
    had = meter.power(np.maximum(calls.memory_mb, meter.memory_min_mb), most_cores)
    work = calls.seconds * np.minimum(calls.cores, had)
    return work, calls.seconds - work / had


def least_gb_seconds(calls: Calls, least_mb: Floats, meter: Meter, most_cores: float) -> Floats:
    """[class], GB-seconds that no size from `least_mb` on goes below, before any rounding.

    With a the memory that the runtime's own cores come with, m MB take m x (waiting + work x k / (m - a)) / 1024, which
    falls up to m = a + sqrt(a x k x work / waiting) and rises beyond, and rises where more memory buys no more speed.
    """
    work, waiting = _split(calls, meter, most_cores)
    own = meter.runtime_cores * meter.mb_per_vcpu
    turn = own + np.sqrt(own * meter.mb_per_vcpu * work / np.maximum(waiting, 1e-300))
    last = min((most_cores + meter.runtime_cores) * meter.mb_per_vcpu, meter.memory_max_mb)
    size = np.clip(turn, least_mb, np.maximum(least_mb, last))
    return size * (waiting + work / meter.power(size, most_cores)) / 1024.0


def cheapest_size(calls: Calls, meter: Meter, most_cores: float) -> Floats:
    """[class], the size with the fewest billed GB-seconds a call within the time limit, the smallest of equals.

    The cost is not monotone in memory: more memory is more speed, until waiting or rounding eats it. Of very many
    sizes an even choice is tried, beside the least that holds the call.
    """
    sizes = meter.sizes()
    sizes = sizes[np.unique(np.linspace(0, len(sizes) - 1, TRIED).astype(int))] if len(sizes) > TRIED else sizes
    least = rounded(calls.memory_mb, meter.sizes())
    out = least.copy()
    for start in range(0, len(least), AT_ONCE):
        span = slice(start, start + AT_ONCE)
        some = Calls(calls.seconds[span], calls.memory_mb[span], calls.cores[span])
        tried = np.sort(np.maximum(np.append(0.0, sizes)[None, :], least[span, None]), axis=1)
        seconds = duration(some, tried, meter, most_cores)
        cost = np.where(seconds <= meter.duration_limit_s, billed_seconds(seconds, meter) * tried, np.inf)
        lowest = np.nan_to_num(cost, nan=np.inf).min(axis=1, keepdims=True)
        first = np.argmax(cost <= lowest * (1 + _EXACT), axis=1)
        out[span] = tried[np.arange(len(first)), first]
    return out


def in_flight(requests_per_s: Floats, seconds: Floats, requests_per_s_per_unit: float) -> Floats:
    """[class, period], calls running at once: requests x seconds, or more where each unit takes only so many a second.

    Source: AWS Lambda documentation, concurrency (10 requests a second per unit of concurrency).

    >>> in_flight(np.array([[5000.0]]), np.array([0.2]), 10.0).tolist()
    [[1000.0]]
    """
    return np.maximum(requests_per_s * seconds[:, None], requests_per_s / requests_per_s_per_unit)


def cold_share(requests_per_s: Floats, hours: Floats, keep_alive_minutes: float) -> Floats:
    """[class], share of calls that start cold: with Poisson arrivals, those that no call preceded while kept alive.

    Overlapping calls are left out, so it is a lower estimate for functions that run several at once.
    Source: Shahrad et al. 2020, "Serverless in the Wild", section 3 (fixed keep-alive).
    """
    calls = requests_per_s * hours
    cold = calls * np.exp(-requests_per_s * keep_alive_minutes * 60.0)
    total = calls.sum(axis=1)
    return np.asarray(np.divide(cold.sum(axis=1), total, out=np.zeros(len(total)), where=total > 0))
