"""Where paying by the call and paying by the hour cost the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.quantities import SECONDS_PER_HOUR

__all__ = ["PerCall", "crossing", "figures"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PerCall:
    """What [class] calls cost and take each."""

    usd: Floats
    seconds: Floats
    cores: Floats
    """Busy while a call runs."""
    memory_gib: Floats


def crossing(calls: PerCall, market: Catalog, arch: str, filled: float) -> Floats:
    """[class], requests a second at which the cheapest instance that is always on costs what the calls do.

    An instance that cannot do so many calls in time, filled to `filled` of its cores and all its memory, is no
    alternative; inf where there is none, so calls are cheaper at any rate. An instance must hold one call.
    Source: usd an hour / (3600 s x usd a call); calls at once = calls a second x seconds (Little's law).
    """
    sold = market.of("vm", "on_demand")
    sold = sold[sold["arch"].isin([arch, ""])].drop_duplicates("sku")
    if sold.empty or not len(calls.usd):
        return np.full(len(calls.usd), np.inf)
    usd = sold["usd_per_unit"].to_numpy(float)
    at_once = np.minimum(
        sold["cpu_cores"].to_numpy(float) * filled / np.maximum(calls.cores, 1e-12)[:, None],
        np.floor(sold["memory_gib"].to_numpy(float) / np.maximum(calls.memory_gib, 1e-12)[:, None] + 1e-9),
    )
    most = at_once / np.maximum(calls.seconds, 1e-12)[:, None]
    rate = usd / (SECONDS_PER_HOUR * np.maximum(calls.usd, 1e-300))[:, None]
    return np.asarray(np.where(rate <= most, rate, np.inf).min(axis=1, initial=np.inf))


def figures(
    calls: PerCall, often: tuple[Floats, Floats], market: Catalog, arch: str, filled: float
) -> dict[str, float]:
    """The crossing of the mean call, and how many workloads are called more often than their own.

    `often` holds members and mean requests a second of each class. Nothing where no instance can take over.
    """
    count, rate = often
    weight = count * rate
    if weight.sum() <= 0:
        return {}
    mean = PerCall(
        *(np.array([weight @ v / weight.sum()]) for v in (calls.usd, calls.seconds, calls.cores, calls.memory_gib))
    )
    at = float(crossing(mean, market, arch, filled)[0])
    beyond = float(count[rate > crossing(calls, market, arch, filled)].sum())
    found = {"workloads_cheaper_always_on": beyond}
    return found | ({"break_even_requests_per_s": at} if np.isfinite(at) else {})
