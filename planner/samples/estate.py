"""A mixed estate of machines: sizes, and shares of CPU and memory in use over days, calibrated to published facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

__all__ = ["ROLES", "Machines", "Size", "simulate"]

Floats = NDArray[np.float64]

CPU_MEDIAN: Final = 0.2
"""Median over machines of mean CPU use; with the rhythms below samples get the published spread.
Source: Google 2011 as VMs, README of the data set: CPU mean 21.84, sd 13.62, median 18 (percent, active machines)."""
CPU_SIGMA: Final = 0.36
"""Log-normal spread of the same. Source: as above."""
MEMORY_MEDIAN: Final = 0.14
"""Median over machines of memory use. Source: as above: memory mean 19.55, sd 16.66, median 12 (percent)."""
MEMORY_SIGMA: Final = 0.86
"""Log-normal spread of the same. Source: as above."""
MOST: Final = 0.95
"""No machine is busier on average."""

ROLES: Final = {
    "office": 0.34,
    "web": 0.18,
    "database": 0.18,
    "batch": 0.12,
    "bursty": 0.08,
    "idle": 0.08,
    "zombie": 0.02,
}
"""Share of machines by rhythm. Source: shape only: day and night differ about 2x, weekends are lower (Azure VM and
Azure Functions traces); idle and zombie machines as Azure Migrate's business case tells them apart."""

VCPU: Final = {1: 0.14, 2: 0.34, 4: 0.28, 8: 0.15, 16: 0.07, 32: 0.02}
"""Share of machines by size. Source: small sizes dominate (Azure VM trace V1: 237.8M core-hours / 104.4M VM-hours = 2.3
cores a machine; Bitbrains-50: 194 vCPU / 50 = 3.9)."""
GIB_PER_VCPU: Final = {2: 0.30, 4: 0.50, 8: 0.20}
"""Share of machines by memory per core. Source: the compute, general and memory families of the price books."""


@dataclass(frozen=True)
class Size:
    """How much a sample holds; a format takes what it needs of it."""

    vms: int = 0
    functions: int = 0
    days: int = 1


@dataclass(frozen=True)
class Machines:
    """V machines over T samples."""

    role: NDArray[np.str_]
    vcpu: NDArray[np.int64]
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
    role = _shared_out(rng, ROLES, size.vms)
    hour = np.arange(0, size.days * 86400, step_s) / 3600
    vcpu = _shared_out(rng, VCPU, size.vms)
    return Machines(
        role=role,
        vcpu=vcpu,
        memory_gib=(vcpu * _shared_out(rng, GIB_PER_VCPU, size.vms)).astype(float),
        storage_gib=np.clip(np.round(_spread(rng, 120.0, 0.8, size.vms), -1), 40, 1000),
        application=_applications(rng, size.vms),
        cpu=_cpu(rng, role, hour),
        memory=_memory(rng, role, hour),
    )


def _shared_out(rng: np.random.Generator, shares: dict[str, float] | dict[int, float], n: int) -> NDArray[Any]:
    """[n] values in just these shares (largest remainder by quantile), in random order."""
    edges = np.cumsum(list(shares.values())) / sum(shares.values())
    position = np.searchsorted(edges, (np.arange(n) + 0.5) / max(n, 1), side="right")
    return rng.permutation(np.array(list(shares))[np.minimum(position, len(shares) - 1)])


def _spread(rng: np.random.Generator, median: float, sigma: float, n: int) -> Floats:
    """[n] log-normal values taken at even quantiles, in random order: the spread is met, not hoped for."""
    quantile = (np.arange(n) + 0.5) / max(n, 1)
    return np.asarray(rng.permutation(median * np.exp(sigma * norm.ppf(quantile))))


def _applications(rng: np.random.Generator, n: int) -> NDArray[np.str_]:
    """[n] names; an application has one to six machines."""
    sizes = rng.choice([1, 2, 3, 4, 6], size=n, p=[0.45, 0.25, 0.15, 0.10, 0.05])
    number = np.repeat(np.arange(n), sizes)[:n]
    return np.char.add("app-", np.char.zfill(number.astype(str), 3))


def _rhythm(role: NDArray[np.str_], hour: Floats) -> Floats:
    """[machine, sample], the course of day and week, 1 on average."""
    of_day, day = hour % 24, (hour // 24) % 7
    weekend = day >= 5
    noon = np.exp(-(((of_day - 13.5) / 4.0) ** 2))
    night = np.exp(-((((of_day - 2.5 + 12) % 24 - 12) / 2.0) ** 2))
    courses = {
        "office": 0.45 + 1.0 * noon * np.where(weekend, 0.15, 1.0),
        "web": 0.75 + 0.25 * np.sin((of_day - 9) / 24 * 2 * np.pi) - 0.08 * weekend,
        "database": 0.8 + 0.3 * noon * np.where(weekend, 0.5, 1.0),
        "batch": 0.4 + 1.6 * night,
        "bursty": np.full(len(hour), 1.0),
        "idle": np.full(len(hour), 1.0),
        "zombie": np.full(len(hour), 1.0),
    }
    table = np.stack([courses[name] / courses[name].mean() for name in ROLES])
    return np.asarray(table[_index(role)])


def _index(role: NDArray[np.str_]) -> NDArray[np.int64]:
    names = np.array(list(ROLES))
    order = np.argsort(names)
    return np.asarray(order[np.searchsorted(names[order], role)], dtype=np.int64)


def _cpu(rng: np.random.Generator, role: NDArray[np.str_], hour: Floats) -> Floats:
    level = np.minimum(_spread(rng, CPU_MEDIAN, CPU_SIGMA, len(role)), MOST)
    level = np.where(role == "idle", rng.uniform(0.005, 0.03, len(role)), level)
    share = level[:, None] * _rhythm(role, hour) * rng.lognormal(-0.02, 0.2, (len(role), len(hour)))
    burst = (role == "bursty")[:, None] & (rng.random(share.shape) < 0.04)
    share = np.where(burst, np.minimum(4 * share, 1.0), share)
    share[role == "zombie"] = 0.0
    return np.clip(share, 0.0, 1.0)


def _memory(rng: np.random.Generator, role: NDArray[np.str_], hour: Floats) -> Floats:
    level = np.minimum(_spread(rng, MEMORY_MEDIAN, MEMORY_SIGMA, len(role)), 0.85)
    level = np.where(role == "idle", rng.uniform(0.01, 0.045, len(role)), level)
    softened = 0.9 + 0.1 * _rhythm(role, hour)
    share = level[:, None] * softened * rng.lognormal(0.0, 0.03, (len(role), len(hour)))
    share[role == "zombie"] = 0.0
    return np.clip(share, 0.0, 1.0)
