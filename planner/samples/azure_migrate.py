"""Writes machines as the import template of Azure Migrate: one reading of each, disks side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from planner.samples.draws import Floats
from planner.samples.estate import Machines, Size, simulate
from planner.samples.files import write_text

__all__ = ["HEADER", "azure_migrate", "now"]

_DISK: Final = (
    "size (In GB)",
    "read throughput (MB per second)",
    "write throughput (MB per second)",
    "read ops (operations per second)",
    "write ops (operations per second)",
)
HEADER: Final = (
    "*Server name",
    "IP addresses",
    "*Cores",
    "*Memory (In MB)",
    "*OS name",
    "OS version",
    "OS architecture",
    "Server type",
    "Hypervisor",
    "CPU utilization percentage",
    "Memory utilization percentage",
    "Network adapters",
    "Network In throughput",
    "Network Out throughput",
    "Boot type",
    "Number of disks",
    "Storage in use (In GB)",
    *(f"Disk {n} {what}" for n in (1, 2) for what in _DISK),
)
"""Source: the import template of Azure Migrate, as downloaded with two disks."""
STEP_S: Final = 3600
"""Time between the readings of which one is taken. Unit: seconds. Source: our choice."""
SYSTEM_GB: Final = 40.0
"""Size of the first disk; the second holds the rest. Unit: GB. Source: our choice."""
BUSY_OPS: Final = 400.0
"""Operations of a disk on a machine whose cores are all busy. Unit: operations a second. Source: our choice."""
UNREAD: Final = 0.05
"""Servers without a reading. Unit: share. Source: our choice; the columns are optional."""


def azure_migrate(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """The import template of Azure Migrate, filled in."""
    machines = simulate(size, STEP_S, seed)
    rng = np.random.default_rng([seed, 4])
    table = pd.DataFrame(_columns(machines, rng), columns=list(HEADER))
    unread = rng.random(size.vms) < UNREAD
    table.loc[unread, ["CPU utilization percentage", "Memory utilization percentage"]] = ""
    return (write_text(folder / "AzureMigrateimporttemplate.csv", table.to_csv(index=False, lineterminator="\n")),)


def now(machines: Machines, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """[machine], shares of CPU and memory at one moment of its own each."""
    machine = np.arange(len(machines.vcpu))
    at = rng.integers(0, machines.cpu.shape[1], len(machine))
    return machines.cpu[machine, at], machines.memory[machine, at]


def _columns(machines: Machines, rng: np.random.Generator) -> dict[str, object]:
    cpu, memory = now(machines, rng)
    number = np.arange(len(cpu))
    linux = rng.random(len(cpu)) < 0.6
    second = np.maximum(machines.storage_gib - SYSTEM_GB, 0.0)
    rate = np.round(cpu * BUSY_OPS * rng.uniform(0.5, 1.5, (4, len(cpu))))
    texts = {
        "*Server name": [f"srv-{n + 1:04d}.example.org" for n in number.tolist()],
        "IP addresses": [f"10.0.{n // 250}.{n % 250 + 1}" for n in number.tolist()],
        "*OS name": np.where(linux, "Ubuntu Linux 22.04", "Windows Server 2019"),
        "OS architecture": "x64",
        "Server type": "Virtual",
        "Hypervisor": "VMware",
        "Boot type": np.where(linux, "UEFI", "BIOS"),
    }
    numbers = {
        "*Cores": machines.vcpu,
        "*Memory (In MB)": (1024 * machines.memory_gib).astype(int),
        "CPU utilization percentage": [f"{x:.1f}" for x in 100 * cpu],
        "Memory utilization percentage": [f"{x:.1f}" for x in 100 * memory],
        "Network adapters": 1,
        "Network In throughput": np.round(8 * cpu, 2),
        "Network Out throughput": np.round(5 * cpu, 2),
        "Number of disks": 1 + (second > 0),
        "Storage in use (In GB)": np.round(0.6 * machines.storage_gib),
    }
    first = dict(zip((f"Disk 1 {what}" for what in _DISK), (SYSTEM_GB, 1, 1, rate[0], rate[1]), strict=True))
    rest = dict(zip((f"Disk 2 {what}" for what in _DISK), (second, 2, 2, rate[2], rate[3]), strict=True))
    blank = {name: np.where(second > 0, np.asarray(value).astype(str), "") for name, value in rest.items()}
    return {**texts, **numbers, **first, **blank}
