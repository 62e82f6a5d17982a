"""Writes machines in the layout of OpenDC's workload traces: two Parquet files, speeds in MHz."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from planner.samples.estate import Machines, Size, simulate

__all__ = ["opendc"]

STEP_S: Final = 300
"""Length of a fragment. Unit: seconds. Source: atlarge-research/opendc, the trace bitbrains-small."""
START: Final = "2013-08-12 13:35:46"
"""The first moment. Unit: date, UTC. Source: as above."""
MHZ_PER_CORE: Final = 2926.0
"""Speed of a core. Unit: MHz. Source: as above."""
KB_PER_GIB: Final = 1024**2
"""Memory stands in KB. Unit: KB/GiB. Source: as above, by magnitude."""


def opendc(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """``meta.parquet`` with the machines and ``trace.parquet`` with what they use, as in OpenDC's bitbrains-small."""
    machines = simulate(size, STEP_S, seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "meta.parquet", folder / "trace.parquet"
    for path, table in zip(paths, (_meta(machines), _trace(machines)), strict=True):
        table.to_parquet(path, index=False, compression="zstd")
    return paths


def _names(machines: Machines) -> pd.Series:
    return pd.Series(1019 + 4 * np.arange(len(machines.vcpu))).astype(str)


def _meta(machines: Machines) -> pd.DataFrame:
    start = pd.Timestamp(START, tz="UTC").as_unit("ms")
    return pd.DataFrame(
        {
            "id": _names(machines),
            "start_time": start,
            "stop_time": start + pd.Timedelta(seconds=STEP_S * machines.cpu.shape[1]),
            "cpu_count": machines.vcpu.astype(np.int32),
            "cpu_capacity": machines.vcpu * MHZ_PER_CORE,
            "mem_capacity": (machines.memory_gib * KB_PER_GIB).astype(np.int64),
        }
    )


def _trace(machines: Machines) -> pd.DataFrame:
    """One row a machine and fragment; a fragment is told by its end."""
    count, samples = machines.cpu.shape
    ends = pd.date_range(START, periods=samples + 1, freq=f"{STEP_S}s", tz="UTC").as_unit("ms")[1:]
    return pd.DataFrame(
        {
            "id": _names(machines).repeat(samples).to_numpy(),
            "timestamp": np.tile(ends, count),
            "duration": 1000 * STEP_S,
            "cpu_count": machines.vcpu.astype(np.int32).repeat(samples),
            "cpu_usage": np.round(machines.cpu * machines.vcpu[:, None] * MHZ_PER_CORE, 1).ravel(),
        }
    )
