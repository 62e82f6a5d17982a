"""Writes functions in the layout of the Azure Functions 2019 trace, with its published skew."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.samples.estate import Size
from planner.samples.machines import write_gzip

__all__ = ["azure_functions"]

Floats = NDArray[np.float64]

TRIGGERS: Final = {
    "http": 0.550,
    "queue": 0.152,
    "event": 0.022,
    "orchestration": 0.069,
    "timer": 0.156,
    "storage": 0.028,
    "others": 0.022,
}
"""Share of functions by trigger. Source: Shahrad et al., USENIX ATC 2020."""
APP_SIZES: Final = ((0.54, 1), (0.70, 2), (0.80, 3), (0.88, 5), (0.95, 8), (1.00, 14))
"""Functions an application has, by quantile. Source: same: 54 % have one, 95 % at most ten."""
DAILY_CALLS: Final = ((0.0, 1.0), (0.45, 24.0), (0.81, 1440.0), (0.97, 86400.0), (1.0, 1.5e6))
"""Calls a day of an application, by quantile, log-linear between. Source: same: 45 % at most one an hour, a further
36 % at most one a minute, about 3 % more than one a second; the busiest 19 % make more than 99.5 % of all calls."""
AVERAGE_MS: Final = ((0.0, 8.0), (0.20, 100.0), (0.50, 1000.0), (0.96, 60000.0), (1.0, 240000.0))
"""Average duration of a function, by quantile. Source: same: 20 % below 100 ms, 50 % below 1 s, 4 % above 1 min."""
MEMORY_MB: Final = ((0.0, 40.0), (0.5, 170.0), (0.9, 400.0), (1.0, 1200.0))
"""Allocated memory of an application, by quantile. Source: same, half at most 170 MB, 90 % at most 400, FROM MEMORY."""
SWING: Final = 0.25
"""Amplitude around 0.75 of the busiest minute: nights are half as busy. Source: same: baseline about 50 % of peak."""
_MINUTES: Final = 1440


def azure_functions(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """Three kinds of CSV a day: invocations by minute, durations, and memory by application."""
    rng = np.random.default_rng([seed, size.functions])
    functions = _functions(rng, size.functions)
    paths: list[Path] = []
    for day in range(1, size.days + 1):
        calls = _calls(rng, functions)
        paths += _write_day(folder, day, functions, calls)
    return tuple(paths)


def _functions(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """One row a function: its names, trigger, mean calls a day and duration, and its application's memory."""
    sizes = np.repeat([s for _, s in APP_SIZES], 0) if n == 0 else _app_sizes(n)
    app = np.repeat(np.arange(len(sizes)), sizes)
    per_app = rng.permutation(_quantiles(DAILY_CALLS, len(sizes)))
    weight = rng.exponential(1.0, n)
    share = weight / np.bincount(app, weight)[app] if n else weight
    daily = np.maximum(per_app[app] * share, 0.5)
    # The busiest functions are short: rank durations against calls, half by chance.
    busy = np.argsort(np.argsort(daily)) / max(n, 1)
    slow_first = np.argsort(np.argsort(busy + rng.random(n)))
    trigger = _triggers(rng, n)
    return pd.DataFrame(
        {
            "HashOwner": [_hash("owner", i // 2) for i in app.tolist()],
            "HashApp": [_hash("app", i) for i in app.tolist()],
            "HashFunction": [_hash("function", i) for i in range(n)],
            "Trigger": trigger,
            "daily": daily,
            "average_ms": np.round(_quantiles(AVERAGE_MS, n)[::-1][slow_first]),
            "memory_mb": rng.permutation(_quantiles(MEMORY_MB, len(sizes)))[app],
        }
    )


def _app_sizes(n: int) -> NDArray[np.int64]:
    """Functions of each application, in the published shares, n together."""
    quantile, sizes = zip(*APP_SIZES, strict=True)
    shares = np.diff([0.0, *quantile])
    apps = max(1, round(n / float(shares @ np.array(sizes))))
    found = np.array(sizes)[np.searchsorted(quantile, (np.arange(apps) + 0.5) / apps)]
    found[-1] = max(1, found[-1] + n - int(found.sum()))
    return np.asarray(found if found.sum() == n else np.ones(n), dtype=np.int64)


def _triggers(rng: np.random.Generator, n: int) -> NDArray[np.str_]:
    edges = np.cumsum(list(TRIGGERS.values())) / sum(TRIGGERS.values())
    position = np.searchsorted(edges, (np.arange(n) + 0.5) / max(n, 1), side="right")
    return np.asarray(rng.permutation(np.array(list(TRIGGERS))[np.minimum(position, len(TRIGGERS) - 1)]))


def _quantiles(points: tuple[tuple[float, float], ...], n: int) -> Floats:
    """[n] rising values at even quantiles of a curve that is log-linear between `points`."""
    at, value = zip(*points, strict=True)
    return np.asarray(np.exp(np.interp((np.arange(n) + 0.5) / max(n, 1), at, np.log(value))))


def _calls(rng: np.random.Generator, functions: pd.DataFrame) -> NDArray[np.int64]:
    """[function, minute], calls; each function is called at least once."""
    minute = np.arange(_MINUTES)
    course = 0.75 + SWING * np.sin((minute / _MINUTES - 0.375) * 2 * np.pi)
    rate = functions["daily"].to_numpy()[:, None] * course / course.sum()
    calls = rng.poisson(rate)
    silent = calls.sum(axis=1) == 0
    calls[silent, rng.integers(0, _MINUTES, int(silent.sum()))] = 1
    return np.asarray(calls, dtype=np.int64)


def _write_day(folder: Path, day: int, functions: pd.DataFrame, calls: NDArray[np.int64]) -> list[Path]:
    names = ["HashOwner", "HashApp", "HashFunction"]
    minutes = pd.DataFrame(calls, columns=[str(m) for m in range(1, _MINUTES + 1)])
    invocations = pd.concat([functions[[*names, "Trigger"]], minutes], axis=1)
    average, total = functions["average_ms"], calls.sum(axis=1)
    factors = {"0": 0.4, "1": 0.45, "25": 0.8, "50": 0.95, "75": 1.15, "99": 2.2, "100": 3.0}
    durations = functions[names].assign(
        Average=average.astype(int), Count=total, Minimum=np.round(average * 0.4), Maximum=np.round(average * 3.0)
    )
    for q, factor in factors.items():
        durations[f"percentile_Average_{q}"] = np.round(average * factor).astype(int)
    apps = functions.groupby(["HashOwner", "HashApp"], sort=False)["memory_mb"].first().reset_index()
    mb = apps.pop("memory_mb")
    memory = apps.assign(SampleCount=_MINUTES, AverageAllocatedMb=np.round(mb, 2))
    for q, factor in {
        "1": 0.8,
        "5": 0.85,
        "25": 0.95,
        "50": 1.0,
        "75": 1.05,
        "95": 1.15,
        "99": 1.2,
        "100": 1.3,
    }.items():
        memory[f"AverageAllocatedMb_pct{q}"] = np.round(mb * factor, 2)
    return [
        write_gzip(folder / f"invocations_per_function_md.anon.d{day:02d}.csv.gz", invocations, header=True),
        write_gzip(folder / f"function_durations_percentiles.anon.d{day:02d}.csv.gz", durations, header=True),
        write_gzip(folder / f"app_memory_percentiles.anon.d{day:02d}.csv.gz", memory, header=True),
    ]


def _hash(kind: str, number: int) -> str:
    return hashlib.sha256(f"{kind}-{number}".encode()).hexdigest()
