"""Energy of servers at work, period by period along their power curves, and the carbon that comes with it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from planner.catalog import Catalog
from planner.models._curves import STEPS
from planner.models._servers import Servers
from planner.quantities import CPU

__all__ = ["alone_kwh", "grid_intensity", "work_kwh"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCK: Final = 4096
"""Unit: servers. Source: so many times a week's periods are a few megabytes at once, however large the estate."""

_GRIDS: Final = ("grid_intensity", "grid_intensity_ccf")


def work_kwh(servers: Servers, seats: tuple[Ints, Ints, Ints], cores: Floats, hours: Floats) -> float:
    """Drawn in a month by all servers because they work, on top of standing idle.

    Args:
        servers: types.
        seats: [instance] type (-1: nowhere), number within the type, and unit.
        cores: [unit, period], used on average.
        hours: [period].
    """
    kind, number, unit = (s[seats[0] >= 0] for s in seats)
    watts = servers.climb_watts / servers.room[:, CPU] / 1000
    straight = ~servers.bent[kind]
    total = float(watts[kind[straight]] @ (cores @ hours)[unit[straight]])
    kind, number, unit = kind[~straight], number[~straight], unit[~straight]
    keys, where = np.unique(kind * (int(number.max(initial=0)) + 1) + number, return_inverse=True)
    held = sparse.csr_array((np.ones(len(unit)), (where.ravel(), unit)), shape=(len(keys), len(cores)))
    of = keys // (int(number.max(initial=0)) + 1)
    for start in range(0, len(keys), _BLOCK):
        some = slice(start, start + _BLOCK)
        climbed = _climbed(servers.curve[of[some]], (held[some] @ cores) / servers.room[of[some], None, CPU])
        total += float(servers.climb_watts[of[some]] @ (climbed @ hours)) / 1000
    return total


def alone_kwh(servers: Servers, cores: Floats, hours: Floats) -> Floats:
    """[unit, type], drawn in a month by the work of a unit that has a server for itself; `cores` [unit, period]."""
    rise = servers.climb_watts / 1000
    out = (cores @ hours)[:, None] * (rise / servers.room[:, CPU])
    bent = np.flatnonzero(servers.bent)
    alike = np.column_stack([servers.room[bent, CPU], rise[bent], servers.curve[bent]])
    same, first = np.unique(alike, axis=0, return_inverse=True)
    for k, row in enumerate(same):
        drawn = row[1] * (_climbed(np.broadcast_to(row[2:], (len(cores), len(STEPS))), cores / row[0]) @ hours)
        out[:, bent[first.ravel() == k]] = drawn[:, None]
    return np.asarray(out)


def _climbed(curve: Floats, load: Floats) -> Floats:
    """[server, period], how far from idle to peak power, in straight lines between the measured steps."""
    last = len(STEPS) - 1
    place = np.clip(load, 0.0, 1.0) * last
    step = np.minimum(place.astype(np.int64), last - 1)
    low, high = np.take_along_axis(curve, step, axis=1), np.take_along_axis(curve, step + 1, axis=1)
    return np.asarray(low + (place - step) * (high - low))


def grid_intensity(catalog: Catalog, grid: str) -> float:
    """Grams of CO2 equivalent per kWh, by the name of a grid among the facts of topic `carbon`.

    Raises:
        PriceBookError: there is no such grid; names what is near.
    """
    facts = catalog.facts
    told = facts[(facts["topic"] == "carbon") & (facts["key"] == grid) & facts["metric"].isin(_GRIDS)]
    metric = _GRIDS[0] if told.empty or _GRIDS[0] in set(told["metric"]) else _GRIDS[1]
    return float(catalog.fact("carbon", grid, metric)["value"])
