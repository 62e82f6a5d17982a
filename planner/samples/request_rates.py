"""Writes requests by the minute of a few services, with day, week, and a surge that none of the other days has."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from planner.samples.draws import wander
from planner.samples.estate import Size
from planner.samples.files import write_gzip

__all__ = ["request_rates"]

MONDAY: Final = "2026-03-02"
"""The first day. Unit: date, UTC. Source: our choice."""
MEAN: Final = (900.0, 120.0, 15.0)
"""Requests a minute of the services in turn. Unit: requests a minute. Source: our choice."""
SWING: Final = 0.6
"""How far a day swings around its mean. Unit: share. Source: shape only: World Cup 1998, quiet nights."""
SURGE: Final = (6.0, 45)
"""How many times as much at the height of a surge, and how long that takes. Unit: times, minutes. Source: World Cup
1998, where the busiest minute has 21 times the mean."""

_MINUTES: Final = 1440


def request_rates(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """``timestamp, service, requests``: a line a minute and service."""
    rng = np.random.default_rng([seed, 6])
    minute = np.arange(size.days * _MINUTES)
    mean = np.array([MEAN[n % len(MEAN)] for n in range(size.functions)])[:, None]
    day = 1 - SWING * np.cos((minute - 180) / _MINUTES * 2 * np.pi)
    at = rng.integers(0, len(minute), size.functions)[:, None]
    surge = 1 + (SURGE[0] - 1) * np.exp(-(((minute - at) / SURGE[1]) ** 2))
    noise = np.exp(0.1 * wander(rng, (size.functions, len(minute)), 20))
    requests = rng.poisson(mean * day * surge * noise)
    times = pd.date_range(MONDAY, periods=len(minute), freq="min").strftime("%Y-%m-%d %H:%M:%S")
    table = pd.DataFrame(
        {
            "timestamp": np.tile(times.to_numpy(), size.functions),
            "service": np.repeat([f"service-{n + 1:02d}" for n in range(size.functions)], len(minute)),
            "requests": requests.ravel(),
        }
    )
    return (write_gzip(folder / "requests.csv.gz", table, header=True),)
