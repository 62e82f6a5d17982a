"""A mixed estate of machines: sizes, and shares of CPU and memory in use over days, calibrated to published facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.samples.draws import Curve, Floats, Ints, blocks, quantiles, shared_out, wander

__all__ = ["ROLES", "Machines", "Size", "simulate"]

CPU_MEANS: Final[Curve] = ((0, 5.0), (0.1, 9.0), (0.25, 13.4), (0.5, 19.4), (0.75, 28.0), (0.9, 37.0), (1, 54.0))
"""Mean CPU use of the machines in use, by quantile; with the rhythms below all samples together get mean 21.84,
standard deviation 13.62 and median 18. Unit: percent of the cores. Source: Google 2011 as 1,600 VMs, README."""
MEMORY_MEANS: Final[Curve] = ((0, 5.2), (0.1, 6.8), (0.25, 8.6), (0.5, 11.9), (0.75, 25.4), (0.9, 39.5), (1, 88.0))
"""The same of memory: mean 19.55, standard deviation 16.66, median 12. Unit: percent of it. Source: as above."""
IDLE_CPU: Final[Curve] = ((0, 0.3), (0.5, 1.2), (1, 3.0))
"""Mean CPU use of idle machines, by quantile. Unit: percent. Source: Azure Migrate: idle is at most 5 %."""
IDLE_MEMORY: Final[Curve] = ((0, 1.0), (1, 4.5))
"""Mean memory use of idle machines, by quantile. Unit: percent. Source: as above."""
TILT: Final = 0.2
"""How far busy machines tend to be small ones, from 0 (not at all) to 1 (strictly). With it the estate uses about 16 %
of all its cores. Unit: weight of rank. Source: Bitbrains GWA-T-12, 50 machines: 15.92 % of capacity, over time."""

ROLES: Final = {
    "office": 0.28,
    "web": 0.18,
    "database": 0.16,
    "batch": 0.12,
    "bursty": 0.09,
    "idle": 0.13,
    "zombie": 0.04,
}
"""Machines by rhythm. Unit: share. Source: our mixture; idle and zombie as Azure Migrate tells them apart."""
VCPU: Final = {1: 0.14, 2: 0.36, 4: 0.28, 8: 0.15, 16: 0.05, 32: 0.02}
"""Machines by cores. Unit: share. Source: small ones dominate: Azure VM trace V1, 237.8M core-hours in 104.4M
VM-hours are 2.3 cores a machine; Bitbrains, 194 cores in 50 machines are 3.9."""
GIB_PER_VCPU: Final = {2: 0.30, 4: 0.50, 8: 0.20}
"""Machines by memory per core. Unit: share. Source: compute, general and memory families of the price books."""
MOST_MEMORY_GIB: Final = 128.0
"""No machine has more memory. Unit: GiB. Source: our choice."""
STORAGE: Final[Curve] = ((0, 40.0), (0.5, 120.0), (0.9, 400.0), (1, 1000.0))
"""Disk of a machine, by quantile. Unit: GiB. Source: our choice."""
APPLICATION: Final = {1: 0.45, 2: 0.25, 3: 0.15, 4: 0.10, 6: 0.05}
"""Applications by their machines. Unit: share. Source: our choice."""

COURSES: Final = {
    "office": (0.60, 0.85, 13.5, 4.5, 0.15),
    "web": (0.80, 0.65, 16.0, 6.0, 0.80),
    "database": (0.85, 0.40, 13.0, 5.0, 0.50),
    "batch": (0.75, 1.00, 2.5, 2.0, 1.00),
    "bursty": (1.00, 0.25, 14.0, 5.0, 0.60),
    "idle": (1.00, 0.00, 12.0, 4.0, 1.00),
    "zombie": (1.00, 0.00, 12.0, 4.0, 1.00),
}
"""Base, height of the daily hill, its hour, its half width in hours, and how much of it is left at weekends.
Unit: times the mean, hours. Source: shape only: quieter nights and weekends, as in the Azure traces."""
WANDER: Final = 0.16
"""Drift of the load around its course over an hour or two. Unit: log. Source: Google 2011 as VMs: an hour later samples
still correlate, 0.46 in the median."""
JITTER: Final = 0.08
"""Difference from one sample to the next. Unit: log. Source: as above: next samples correlate 0.75 in the median."""
MEMORY_FOLLOWS: Final = 0.08
"""How much of the ups and downs of CPU memory shares. Unit: share. Source: Google 2011 as VMs: within a machine memory
varies by 2 % of its mean in the median, CPU by 13 %."""
BURSTS: Final = 0.05
"""How much of the time a bursty machine bursts. Unit: share. Source: our choice."""
BURST_HOURS: Final = 1.5
"""How long it does. Unit: hours. Source: our choice."""
BURST_TIMES: Final = (2.5, 4.5)
"""How much busier it is then. Unit: times its course. Source: our choice."""


@dataclass(frozen=True)
class Size:
    """How much a sample holds; a format takes what it needs of it."""

    vms: int = 0
    functions: int = 0
    days: int = 1
    read_days: int | None = None
    """Readings are kept of these first days only, as in a download of the first files (azure_vm). None: of all days."""


@dataclass(frozen=True)
class Machines:
    """V machines over T samples."""

    role: NDArray[np.str_]
    vcpu: Ints
    memory_gib: Floats
    storage_gib: Floats
    application: NDArray[np.str_]
    cpu: Floats
    """[machine, sample], share of its cores in use."""
    memory: Floats
    """[machine, sample], share of its memory in use."""


def simulate(size: Size, step_s: int, seed: int) -> Machines:
    """An estate of ``size.vms`` machines over ``size.days`` days, a sample every `step_s` seconds from a Monday on."""
    rng = np.random.default_rng([seed, size.vms, size.days, step_s])
    role = shared_out(rng, ROLES, size.vms)
    vcpu = shared_out(rng, VCPU, size.vms)
    gib = vcpu * shared_out(rng, GIB_PER_VCPU, size.vms)
    course = _course(rng, role, np.arange(0, size.days * 86400, step_s) / 3600)
    return Machines(
        role=role,
        vcpu=vcpu,
        memory_gib=np.minimum(gib, MOST_MEMORY_GIB).astype(float),
        storage_gib=np.round(rng.permutation(quantiles(STORAGE, size.vms)), -1),
        application=_applications(rng, size.vms),
        cpu=_in_use(_cpu_means(rng, role, vcpu), course * _bursts(rng, role, course.shape, 3600 / step_s)),
        memory=_in_use(_memory_means(rng, role), 1 + MEMORY_FOLLOWS * (course - 1)),
    )


def _applications(rng: np.random.Generator, n: int) -> NDArray[np.str_]:
    """[n] names; the machines of an application follow one another."""
    number = np.repeat(np.arange(n), shared_out(rng, APPLICATION, n))[:n]
    return np.char.add("app-", np.char.zfill((number + 1).astype(str), 3))


def _course(rng: np.random.Generator, role: NDArray[np.str_], hour: Floats) -> Floats:
    """[machine, sample], day, week and drift, each machine up to two hours early or late."""
    base, hill, peak, width, weekend = np.array([COURSES[r] for r in role.tolist()]).reshape(-1, 5).T[:, :, None]
    local = hour + rng.uniform(-2, 2, len(role))[:, None]
    off = (local - peak + 12) % 24 - 12
    hill = hill * np.where(local // 24 % 7 >= 5, weekend, 1.0)
    drift = wander(rng, local.shape, max(1, round(1.5 / (hour[1] - hour[0]))))
    noise = WANDER * drift + JITTER * rng.standard_normal(local.shape)
    return np.asarray((base + hill * np.exp(-((off / width) ** 2))) * np.exp(noise))


def _bursts(rng: np.random.Generator, role: NDArray[np.str_], shape: tuple[int, int], per_hour: float) -> Floats:
    """[machine, sample], how many times its course a machine is busy; 1 outside of bursts."""
    drawn = blocks(rng, shape, max(1, round(BURST_HOURS * per_hour)))
    low, high = BURST_TIMES
    burst = (drawn < BURSTS) & (role == "bursty")[:, None]
    return np.asarray(np.where(burst, low + (high - low) * drawn / BURSTS, 1.0))


def _cpu_means(rng: np.random.Generator, role: NDArray[np.str_], vcpu: Ints) -> Floats:
    """[machine], percent of its cores in use: the published spread, large machines less busy than small ones."""
    used, idle = ~np.isin(role, ("idle", "zombie")), role == "idle"
    by_size = np.argsort(np.argsort(vcpu[used] + rng.random(used.sum()))) / max(used.sum(), 1)
    small_first = np.argsort(TILT * by_size + (1 - TILT) * rng.random(used.sum()))
    means = np.zeros(len(role))
    means[np.flatnonzero(used)[small_first]] = quantiles(CPU_MEANS, int(used.sum()))[::-1]
    means[idle] = rng.permutation(quantiles(IDLE_CPU, int(idle.sum())))
    return means


def _memory_means(rng: np.random.Generator, role: NDArray[np.str_]) -> Floats:
    used, idle = ~np.isin(role, ("idle", "zombie")), role == "idle"
    means = np.zeros(len(role))
    means[used] = rng.permutation(quantiles(MEMORY_MEANS, int(used.sum())))
    means[idle] = rng.permutation(quantiles(IDLE_MEMORY, int(idle.sum())))
    return means


def _in_use(percent: Floats, course: Floats) -> Floats:
    """[machine, sample], shares from 0 to 1 that follow `course` and average to `percent` where none is cut at 1."""
    return np.asarray(np.minimum(percent[:, None] / 100 * course / course.mean(axis=1, keepdims=True), 1.0))
