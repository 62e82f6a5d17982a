"""Writes machines in the layout of the Google 2011 trace as VMs: a file a machine, two numbers a line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from planner.samples.estate import Size, simulate
from planner.samples.files import write_text

__all__ = ["gcd_vms"]

STEP_S: Final = 300
"""Time between lines. Unit: seconds. Source: README of the data set, five minutes."""
FIRST_JOB: Final = 1218322450
"""Job of the first file. Unit: number. Source: a file of the published archive is called vm_1218322450_1."""


def gcd_vms(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """``GCD_VMs/vm_<job>_<number>``: CPU percent and memory percent with a blank between, no header."""
    machines = simulate(size, STEP_S, seed)
    percent = np.round(100 * np.stack([machines.cpu, machines.memory], axis=2), 3)
    return tuple(
        write_text(
            folder / "GCD_VMs" / f"vm_{FIRST_JOB + 7919 * (number // 4)}_{number % 4 + 1}",
            "".join(f"{cpu} {memory}\n" for cpu, memory in percent[number].tolist()),
        )
        for number in range(size.vms)
    )
