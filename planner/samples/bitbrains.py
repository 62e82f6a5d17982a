"""Writes machines in the layout of Bitbrains GWA-T-12: a file a machine, seconds under a header in ms, with gaps."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.samples.draws import Floats
from planner.samples.estate import Machines, Size, simulate
from planner.samples.files import write_text

__all__ = ["HEADER", "bitbrains"]

HEADER: Final = (
    "Timestamp [ms]",
    "CPU cores",
    "CPU capacity provisioned [MHZ]",
    "CPU usage [MHZ]",
    "CPU usage [%]",
    "Memory capacity provisioned [KB]",
    "Memory usage [KB]",
    "Disk read throughput [KB/s]",
    "Disk write throughput [KB/s]",
    "Network received throughput [KB/s]",
    "Network transmitted throughput [KB/s]",
)
"""Source: the published files of GWA-T-12."""
STEP_S: Final = 300
"""Time between samples. Unit: seconds. Source: GWA-T-12."""
START_S: Final = 1376314846
"""First sample, 2013-08-12 13:40:46 UTC. Unit: seconds since 1970. Source: GWA-T-12."""
MHZ_PER_CORE: Final = 2600.0
"""Speed of a core. Unit: MHz. Source: GWA-T-12, 2599.999309 in many of its files."""
KB_PER_GIB: Final = 1024**2
"""A KB of the trace is 1,024 bytes. Unit: KB/GiB. Source: its memory sizes are powers of two."""
LOST: Final = 0.01
"""Samples lost. Unit: share. Source: our choice; 8,619 of 8,928 samples are in a published file of a month."""
BUSY_KB_PER_S: Final = 200.0
"""Mean of each throughput, were all cores busy. Unit: KB/s. Source: our choice."""


def bitbrains(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """Bitbrains GWA-T-12: ``fastStorage/2013-8/<number>.csv``, ``;`` and a tab between the fields."""
    machines = simulate(size, STEP_S, seed)
    rng = np.random.default_rng([seed, 2])
    heard = rng.random(machines.cpu.shape) >= LOST
    rates = rng.exponential(BUSY_KB_PER_S, (4, *machines.cpu.shape)) * machines.cpu
    return tuple(
        write_text(
            folder / "fastStorage" / "2013-8" / f"{number + 1}.csv",
            _text(_columns(machines, number, rates[:, number])[heard[number]]),
        )
        for number in range(size.vms)
    )


def _columns(machines: Machines, number: int, rates: Floats) -> pd.DataFrame:
    """All samples of one machine under the official names."""
    used, vcpu = machines.cpu[number], int(machines.vcpu[number])
    memory_kb = machines.memory_gib[number] * KB_PER_GIB
    values: list[NDArray[np.generic] | float | int] = [
        START_S + STEP_S * np.arange(len(used)),
        vcpu,
        vcpu * MHZ_PER_CORE,
        np.round(used * vcpu * MHZ_PER_CORE, 4),
        np.round(100 * used, 4),
        memory_kb,
        np.round(machines.memory[number] * memory_kb, 1),
        *np.round(rates, 4),
    ]
    return pd.DataFrame(dict(zip(HEADER, values, strict=True)))


def _text(frame: pd.DataFrame) -> str:
    """CSV with two characters between the fields, which pandas does not write; no field holds a `;` itself."""
    return frame.to_csv(index=False, sep=";", lineterminator="\n").replace(";", ";\t")
