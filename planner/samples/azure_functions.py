"""Writes functions in the layout of the Azure Functions 2019 trace, with its published skew."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.samples.draws import Curve, Floats, Ints, quantiles, shared_out
from planner.samples.estate import Size
from planner.samples.files import hex_names, write_gzip

__all__ = ["CALLS_BY_TRIGGER", "TRIGGERS", "azure_functions"]

TRIGGERS: Final = {
    "http": 0.550,
    "queue": 0.152,
    "event": 0.022,
    "orchestration": 0.069,
    "timer": 0.156,
    "storage": 0.028,
    "others": 0.022,
}
"""Functions by trigger. Unit: share. Source: Shahrad et al., Serverless in the Wild, USENIX ATC 2020."""
CALLS_BY_TRIGGER: Final = {
    "http": 0.359,
    "queue": 0.335,
    "event": 0.247,
    "orchestration": 0.023,
    "timer": 0.020,
    "storage": 0.007,
    "others": 0.010,
}
"""Calls by trigger; met as nearly as a few very busy functions allow. Unit: share. Source: as above."""
APP_FUNCTIONS: Final = {1: 0.54, 2: 0.16, 3: 0.10, 5: 0.08, 8: 0.07, 14: 0.05}
"""Applications by their functions. Unit: share. Source: as above: 54 % have one, 95 % at most ten."""
DAILY_CALLS: Final[Curve] = ((0, 1), (0.45, 24), (0.75, 200), (0.81, 1440), (0.97, 86400), (1, 1.2e6))
"""Calls of an application, by quantile. Unit: calls a day. Source: as above: 45 % at most one an hour, a further
36 % at most one a minute, about 3 % more than one a second; the busiest 19 % make more than 99.5 % of all calls."""
AVERAGE_MS: Final[Curve] = ((0, 8), (0.20, 100), (0.50, 1000), (0.96, 60000), (1, 240000))
"""Average duration of a function, by quantile. Unit: ms. Source: as above: 20 % below 100 ms, 50 % below 1 s, 4 % above
one minute."""
MAXIMUM_MS: Final[Curve] = ((0, 20), (0.50, 3000), (0.90, 60000), (1, 600000))
"""Longest duration of a function, by quantile. Unit: ms. Source: as above: half below 3 s, 10 % above one minute."""
MEMORY_MB: Final[Curve] = ((0, 40), (0.5, 170), (0.9, 400), (1, 1200))
"""Allocated memory of an application, by quantile. Unit: MB. Source: as above, half at most 170 MB, 90 % at most 400,
FROM MEMORY."""
BASELINE: Final = 0.5
"""The quietest minute beside the busiest. Unit: share. Source: as above: a baseline of about 50 % of the peak."""
PEAK_MINUTE: Final = 900
"""The busiest minute of the day. Unit: minutes. Source: our choice."""
RESTLESS: Final = 0.35
"""How much calls differ from one ten minutes to the next. Unit: log. Source: our choice."""
TIMES: Final = (1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440)
"""How often timers ring. Unit: minutes. Source: our choice of common schedules."""
MEMORY_DAYS: Final = 12
"""Days with a memory file. Unit: days. Source: Azure/AzurePublicDataset, AzureFunctionsDataset2019.md."""

_MINUTES: Final = 1440
_NAMES: Final = ["HashOwner", "HashApp", "HashFunction"]


def azure_functions(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """Three kinds of CSV a day: invocations by minute, durations, and memory by application."""
    rng = np.random.default_rng([seed, size.functions])
    functions = _functions(rng, size.functions)
    paths: list[Path] = []
    for day in range(1, size.days + 1):
        calls = _calls(rng, functions)
        paths.append(_write(folder, "invocations_per_function_md", day, _invocations(functions, calls)))
        paths.append(_write(folder, "function_durations_percentiles", day, _durations(functions, calls)))
        if day <= MEMORY_DAYS:
            paths.append(_write(folder, "app_memory_percentiles", day, _memory(functions)))
    return tuple(paths)


def _functions(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """One row a function: its names, trigger, calls a day, durations, and its application's memory."""
    sizes = _app_sizes(n)
    app = np.repeat(np.arange(len(sizes)), sizes)
    daily = _daily(rng, sizes, app)
    # Busy functions tend to be short: durations fall with the rank of calls, half of it by chance.
    slow_first = np.argsort(np.argsort(np.argsort(np.argsort(daily)) / n + rng.random(n)))
    return pd.DataFrame(
        {
            "HashOwner": hex_names("owner", len(sizes))[app // 2],
            "HashApp": hex_names("app", len(sizes))[app],
            "HashFunction": hex_names("function", n),
            "Trigger": _triggers(rng, daily),
            "daily": daily,
            "average_ms": quantiles(AVERAGE_MS, n)[::-1][slow_first],
            "maximum_ms": quantiles(MAXIMUM_MS, n)[::-1][slow_first],
            "memory_mb": rng.permutation(quantiles(MEMORY_MB, len(sizes)))[app],
        }
    )


def _app_sizes(n: int) -> Ints:
    """[application], its functions, in the published shares; n together, the largest application gives way."""
    shares, sizes = np.array(list(APP_FUNCTIONS.values())), np.array(list(APP_FUNCTIONS))
    apps = np.arange(1, n + 1)
    total = np.array([sizes[_nth(shares, a)].sum() for a in apps.tolist()])
    found = sizes[_nth(shares, int(apps[np.searchsorted(total, n)]))]
    return np.bincount(np.repeat(np.arange(len(found)), found)[:n])


def _nth(shares: Floats, n: int) -> Ints:
    """[n], which of the shares each even quantile falls into, rising."""
    return np.searchsorted(np.cumsum(shares), (np.arange(n) + 0.5) / n)


def _daily(rng: np.random.Generator, sizes: Ints, app: Ints) -> Ints:
    """[function], calls a day. Functions of an application share its calls unevenly, each has at least one.

    The busiest application has three functions if any does, so that no one trigger has most of all calls.
    """
    per_app = rng.permutation(quantiles(DAILY_CALLS, len(sizes)))
    most, three = int(per_app.argmax()), int(np.abs(sizes - 3).argmin())
    per_app[[most, three]] = per_app[[three, most]]
    weight = rng.gamma(2.0, size=len(app))
    spare = np.maximum(per_app - sizes, 0)[app] * weight / np.bincount(app, weight)[app]
    return 1 + np.floor(spare).astype(np.int64)


def _triggers(rng: np.random.Generator, daily: Ints) -> NDArray[np.str_]:
    """[function], its trigger. The functions that make nearly all calls are dealt out, busiest first, to the trigger
    that lacks most of its published share of calls; the others take what is left at random, timers among them.
    """
    triggers = np.array(list(TRIGGERS))
    left = np.bincount(np.searchsorted(np.sort(triggers), shared_out(rng, TRIGGERS, len(daily))), minlength=7)
    left = left[np.argsort(np.argsort(triggers))]
    lacking = np.array([CALLS_BY_TRIGGER[t] for t in triggers.tolist()]) * daily.sum()
    dealt = np.empty(len(daily), dtype=np.int64)
    busiest_first = np.argsort(-daily, kind="stable")
    busy = int((daily > _MINUTES).sum())
    for function in busiest_first[:busy].tolist():
        allowed = (left > 0) & (triggers != "timer")
        chosen = int(np.argmax(np.where(allowed, lacking, -np.inf)))
        dealt[function] = chosen
        left[chosen] -= 1
        lacking[chosen] -= daily[function]
    dealt[busiest_first[busy:]] = rng.permutation(np.repeat(np.arange(len(triggers)), left))
    return np.asarray(triggers[dealt])


def _calls(rng: np.random.Generator, functions: pd.DataFrame) -> Ints:
    """[function, minute], the calls of a day: timers ring evenly, the others follow the day, restlessly."""
    daily, minute = functions["daily"].to_numpy(), np.arange(_MINUTES)
    course = (1 + BASELINE) / 2 + (1 - BASELINE) / 2 * np.cos((minute - PEAK_MINUTE) / _MINUTES * 2 * np.pi)
    restless = np.exp(RESTLESS * rng.standard_normal((len(daily), _MINUTES // 10))).repeat(10, axis=1)
    rate = course * restless
    calls = rng.multinomial(daily, rate / rate.sum(axis=1, keepdims=True))
    every = np.array(TIMES)[np.searchsorted(TIMES, np.minimum(_MINUTES / daily, _MINUTES))][:, None]
    rings = minute % every == rng.integers(0, every)
    return np.where((functions["Trigger"] == "timer").to_numpy()[:, None], rings, calls).astype(np.int64)


def _invocations(functions: pd.DataFrame, calls: Ints) -> pd.DataFrame:
    minutes = pd.DataFrame(calls, columns=[str(m) for m in range(1, _MINUTES + 1)])
    return pd.concat([functions[[*_NAMES, "Trigger"]], minutes], axis=1)


def _durations(functions: pd.DataFrame, calls: Ints) -> pd.DataFrame:
    """Milliseconds. The percentiles lie between the shortest and the longest, the upper ones nearer to the longest."""
    average, longest = np.round(functions["average_ms"]), np.round(functions["maximum_ms"])
    shortest, reach = np.round(0.4 * average), np.maximum(longest / average, 1.0)
    table = functions[_NAMES].assign(Average=average, Count=calls.sum(axis=1), Minimum=shortest, Maximum=longest)
    for q, share in {"0": 0.4, "1": 0.45, "25": 0.8, "50": 0.95}.items():
        table[f"percentile_Average_{q}"] = np.round(share * average)
    for q, power in {"75": 0.1, "99": 0.8, "100": 1.0}.items():
        table[f"percentile_Average_{q}"] = np.round(average * reach**power)
    return table.astype(dict.fromkeys(table.columns[3:], np.int64))


def _memory(functions: pd.DataFrame) -> pd.DataFrame:
    table = functions.groupby(_NAMES[:2], sort=False)["memory_mb"].first().reset_index()
    mb = table.pop("memory_mb")
    table = table.assign(SampleCount=_MINUTES, AverageAllocatedMb=np.round(mb, 2))
    around = {"1": 0.8, "5": 0.85, "25": 0.95, "50": 1.0, "75": 1.05, "95": 1.15, "99": 1.2, "100": 1.3}
    return table.assign(**{f"AverageAllocatedMb_pct{q}": np.round(mb * share, 2) for q, share in around.items()})


def _write(folder: Path, kind: str, day: int, table: pd.DataFrame) -> Path:
    return write_gzip(folder / f"{kind}.anon.d{day:02d}.csv.gz", table, header=True)
