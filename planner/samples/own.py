"""Writes machines in planner's own columns, with the flaws that recordings have."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.samples.draws import Curve, Ints, quantiles
from planner.samples.estate import Machines, Size, simulate
from planner.samples.files import write_text

__all__ = ["planner"]

STEP_S: Final = 900
"""A sample every quarter of an hour. Unit: seconds. Source: our choice, to keep the file small."""
MONDAY: Final = "2026-03-02"
"""The first day. Unit: date, UTC. Source: our choice."""
LATE: Final = 0.04
"""Machines created after the start. Unit: share. Source: our choice."""
GONE: Final = 0.04
"""Machines deleted before the end. Unit: share. Source: our choice."""
PATCHY: Final = 0.04
"""Machines whose agent was silent for days. Unit: share. Source: our choice."""
SILENT: Final[Curve] = ((0, 0.15), (1, 0.85))
"""How long it was, by quantile. Unit: share of the recording. Source: our choice, one in each band of stars."""
UNHEARD: Final = 0.01
"""Machines that the inventory lists and nobody measured. Unit: share. Source: our choice."""
LOST: Final = 0.001
"""Single samples lost. Unit: share. Source: our choice."""

Bools = NDArray[np.bool_]


def planner(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """planner's own columns: samples.parquet, and what is known of each machine in workloads.csv."""
    machines = simulate(size, STEP_S, seed)
    born, dead, heard = _lives(np.random.default_rng([seed, 3]), machines.cpu.shape)
    folder.mkdir(parents=True, exist_ok=True)
    parquet = folder / "samples.parquet"
    _samples(machines, heard).to_parquet(parquet, index=False, compression="zstd", compression_level=15)
    table = _workloads(machines, born, dead).to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%S")
    return parquet, write_text(folder / "workloads.csv", table)


def _lives(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Ints, Ints, Bools]:
    """Each machine's first sample, the one after its last, and [machine, sample] whether a sample arrived."""
    machines, samples = shape
    at = np.arange(samples)
    late, gone, patchy, unheard = np.split(
        rng.permutation(machines), np.cumsum([round(share * machines) for share in (LATE, GONE, PATCHY, UNHEARD)])
    )[:4]
    born, dead = np.zeros(machines, np.int64), np.full(machines, samples)
    born[late] = rng.integers(1, samples // 2, len(late))
    dead[gone] = rng.integers(samples // 2, samples, len(gone))
    heard = (at >= born[:, None]) & (at < dead[:, None]) & (rng.random(shape) >= LOST)
    silence = np.round(quantiles(SILENT, len(patchy)) * samples)[:, None]
    start = np.floor(rng.random((len(patchy), 1)) * (samples - silence))
    heard[patchy] &= (at < start) | (at >= start + silence)
    heard[unheard] = False
    return born, dead, heard


def _samples(machines: Machines, heard: Bools) -> pd.DataFrame:
    """One row a sample that arrived, machine by machine."""
    machine, at = np.nonzero(heard)
    names = pd.Categorical.from_codes(machine.astype(np.int32), pd.Index(_names(len(heard))))
    return pd.DataFrame(
        {
            "workload": names,
            "sampled_at": _times(heard.shape[1])[at],
            "cpu_cores": np.round(machines.cpu * machines.vcpu[:, None], 3)[machine, at],
            "memory_gib": np.round(machines.memory * machines.memory_gib[:, None], 2)[machine, at],
        }
    )


def _workloads(machines: Machines, born: Ints, dead: Ints) -> pd.DataFrame:
    times = _times(machines.cpu.shape[1] + 1).to_series()
    return pd.DataFrame(
        {
            "workload": _names(len(born)),
            "kind": "vm",
            "application": machines.application,
            "cpu_cores": machines.vcpu,
            "memory_gib": machines.memory_gib,
            "storage_gib": machines.storage_gib,
            "arch": "x86_64",
            "created_at": times.iloc[born].where(born > 0).to_numpy(),
            "deleted_at": times.iloc[dead].where(dead < len(times) - 1).to_numpy(),
        }
    )


def _times(n: int) -> pd.DatetimeIndex:
    return pd.date_range(MONDAY, periods=n, freq=f"{STEP_S}s").as_unit("ms")


def _names(n: int) -> NDArray[np.str_]:
    return np.char.add("vm-", np.char.zfill(np.arange(1, n + 1).astype(str), 4))
