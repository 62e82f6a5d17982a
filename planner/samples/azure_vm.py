"""Writes machines in the layout of the Azure VM trace V2: no headers, sizes as buckets, the first of its readings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.samples.draws import Floats, Ints, shared_out
from planner.samples.estate import Machines, Size, simulate
from planner.samples.files import base64_names, write_gzip

__all__ = ["CATEGORIES", "azure_vm"]

STEP_S: Final = 300
"""Time between readings. Unit: seconds. Source: Azure/AzurePublicDataset, AzurePublicDatasetV2.md."""
FILE_SAMPLES: Final = 72
"""Readings of a machine in one file. Unit: samples. Source: our choice, six hours."""
LATE: Final = 0.10
"""Machines created after the start. Unit: share. Source: our choice; in the real trace it is most of them."""
GONE: Final = 0.10
"""Machines deleted before the end. Unit: share. Source: as above."""
SUBSCRIPTION_VMS: Final = 25
"""Machines a subscription. Unit: machines. Source: our choice."""
CATEGORIES: Final = {"Delay-insensitive": 0.50, "Interactive": 0.15, "Unknown": 0.33, "Unkown": 0.02}
"""Machines by category. Unit: share. Source: our choice; the misspelling stands in the published V1 table."""
CORE_BUCKETS: Final = (2, 4, 8, 24)
"""Upper ends of the buckets of cores. Unit: cores. Source: AzurePublicDatasetV2.md and its notebook."""
MEMORY_BUCKETS: Final = (2, 4, 8, 32, 64)
"""Upper ends of the buckets of memory. Unit: GB. Source: as above."""


@dataclass(frozen=True)
class _Readings:
    """[machine, reading], percent of its cores."""

    alive: NDArray[np.bool_]
    lowest: Floats
    highest: Floats
    average: Floats


def azure_vm(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """The Azure VM trace V2: tables of machines, deployments and subscriptions, and readings every 300 s, by time."""
    machines = simulate(size, STEP_S, seed)
    rng = np.random.default_rng([seed, 1])
    readings = _readings(rng, machines)
    table = _vmtable(rng, machines, readings)
    return (
        write_gzip(folder / "vmtable" / "vmtable.csv.gz", table, header=False),
        write_gzip(folder / "deployments" / "deployments.csv.gz", _deployments(table), header=False),
        write_gzip(folder / "subscriptions" / "subscriptions.csv.gz", _subscriptions(table), header=False),
        *_write_readings(folder / "vm_cpu_readings", readings, size),
    )


def _readings(rng: np.random.Generator, machines: Machines) -> _Readings:
    count, samples = machines.cpu.shape
    at, middle = np.arange(samples), samples // 2
    late, gone = np.split(rng.permutation(count), np.cumsum([round(LATE * count), round(GONE * count)]))[:2]
    first, last = np.zeros(count, np.int64), np.full(count, samples)
    first[late] = rng.integers(1, middle, len(late))
    last[gone] = rng.integers(middle, samples, len(gone))
    average = 100 * machines.cpu
    highest: Floats = average * (1 + rng.exponential(0.4, average.shape))
    return _Readings(
        alive=(at >= first[:, None]) & (at < last[:, None]),
        lowest=np.round(average * rng.uniform(0.4, 1.0, average.shape), 3),
        highest=highest.clip(max=100.0).round(3),
        average=np.round(average, 3),
    )


def _vmtable(rng: np.random.Generator, machines: Machines, readings: _Readings) -> pd.DataFrame:
    count = len(machines.vcpu)
    number, known = np.arange(count), np.where(readings.alive, readings.highest, np.nan)
    deployment = np.unique(machines.application, return_inverse=True)[1]
    return pd.DataFrame(
        {
            "vmid": base64_names("vm", count),
            "subscriptionid": base64_names("subscription", count)[number // SUBSCRIPTION_VMS],
            "deploymentid": base64_names("deployment", count)[deployment],
            "vmcreated": STEP_S * readings.alive.argmax(axis=1),
            "vmdeleted": STEP_S * (readings.alive.shape[1] - readings.alive[:, ::-1].argmax(axis=1)),
            "maxcpu": np.nanmax(known, axis=1),
            "avgcpu": np.round(np.mean(readings.average, axis=1, where=readings.alive), 6),
            "p95maxcpu": np.round(np.nanpercentile(known, 95, axis=1), 6),
            "vmcategory": shared_out(rng, CATEGORIES, count),
            "vmcorecountbucket": _bucket(machines.vcpu, CORE_BUCKETS),
            "vmmemorybucket": _bucket(machines.memory_gib, MEMORY_BUCKETS),
        }
    )


def _bucket(values: Floats | Ints, edges: tuple[int, ...]) -> NDArray[np.str_]:
    """The smallest bucket that holds each value, `>` before the largest edge for what is beyond it."""
    names = np.array([*(str(edge) for edge in edges), f">{edges[-1]}"])
    return np.asarray(names[np.searchsorted(edges, values)])


def _deployments(table: pd.DataFrame) -> pd.DataFrame:
    return table.groupby("deploymentid", sort=False).size().reset_index()


def _subscriptions(table: pd.DataFrame) -> pd.DataFrame:
    return table.groupby("subscriptionid", sort=False)["vmcreated"].agg(["min", "size"]).reset_index()


def _write_readings(folder: Path, readings: _Readings, size: Size) -> list[Path]:
    samples = readings.alive.shape[1]
    kept = min(samples, (size.read_days or size.days) * 86400 // STEP_S)
    files = -(-samples // FILE_SAMPLES)
    return [
        write_gzip(
            folder / f"vm_cpu_readings-file-{start // FILE_SAMPLES + 1}-of-{files}.csv.gz",
            _rows(readings, slice(start, min(start + FILE_SAMPLES, kept))),
            header=False,
        )
        for start in range(0, kept, FILE_SAMPLES)
    ]


def _rows(readings: _Readings, part: slice) -> pd.DataFrame:
    """The readings of a stretch of time, all machines at each moment."""
    at, machine = np.nonzero(readings.alive[:, part].T)
    at += part.start
    return pd.DataFrame(
        {
            "timestamp": STEP_S * at,
            "vmid": base64_names("vm", len(readings.alive))[machine],
            "mincpu": readings.lowest[machine, at],
            "maxcpu": readings.highest[machine, at],
            "avgcpu": readings.average[machine, at],
        }
    )
