"""Writes machines as the import file of AWS Migration Hub: averages and maxima, lists in quotes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from planner.samples.estate import Machines, Size, simulate
from planner.samples.files import write_text

__all__ = ["HEADER", "aws_migration_hub"]

HEADER: Final = (
    "ExternalId",
    "SMBiosId",
    "IPAddress",
    "MACAddress",
    "HostName",
    "VMware.MoRefId",
    "VMware.VCenterId",
    "CPU.NumberOfProcessors",
    "CPU.NumberOfCores",
    "CPU.NumberOfLogicalCores",
    "OS.Name",
    "OS.Version",
    "VMware.VMName",
    "RAM.TotalSizeInMB",
    "RAM.UsedSizeInMB.Avg",
    "RAM.UsedSizeInMB.Max",
    "CPU.UsagePct.Avg",
    "CPU.UsagePct.Max",
    "DiskReadsPerSecondInKB.Avg",
    "DiskWritesPerSecondInKB.Avg",
    "DiskReadsPerSecondInKB.Max",
    "DiskWritesPerSecondInKB.Max",
    "DiskReadsOpsPerSecond.Avg",
    "DiskWritesOpsPerSecond.Avg",
    "DiskReadsOpsPerSecond.Max",
    "DiskWritesOpsPerSecond.Max",
    "NetworkReadsPerSecondInKB.Avg",
    "NetworkWritesPerSecondInKB.Avg",
    "NetworkReadsPerSecondInKB.Max",
    "NetworkWritesPerSecondInKB.Max",
    "Applications",
    "ApplicationWave",
    "Tags",
    "ServerId",
)
"""Source: AWS Application Discovery Service user guide, import template."""
STEP_S: Final = 3600
"""Time between the readings that are averaged. Unit: seconds. Source: AWS collectors report hourly."""
BUSY: Final = {"Disk{}PerSecondInKB": 900.0, "Disk{}OpsPerSecond": 60.0, "Network{}PerSecondInKB": 200.0}
"""What a machine moves whose cores are all busy. Unit: KB or operations a second. Source: our choice."""


def aws_migration_hub(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """The import file of AWS Migration Hub, filled in."""
    table = pd.DataFrame(_columns(simulate(size, STEP_S, seed)), columns=list(HEADER))
    return (write_text(folder / "migration_hub_import.csv", table.to_csv(index=False, lineterminator="\n")),)


def _columns(machines: Machines) -> dict[str, object]:
    names = [f"host-{n + 1:04d}" for n in range(len(machines.vcpu))]
    total = 1024 * machines.memory_gib
    cpu = {"Avg": machines.cpu.mean(axis=1), "Max": machines.cpu.max(axis=1)}
    used = {"Avg": machines.memory.mean(axis=1), "Max": machines.memory.max(axis=1)}
    moved = {
        f"{what.format(way)}.{level}": np.round(most * share, 2)
        for what, most in BUSY.items()
        for way in ("Reads", "Writes")
        for level, share in cpu.items()
    }
    return {
        "ExternalId": [f"cmdb-{name}" for name in names],
        "IPAddress": [f"10.1.{n // 250}.{n % 250 + 1},192.168.{n // 250}.{n % 250 + 1}" for n in range(len(names))],
        "HostName": names,
        "VMware.MoRefId": [f"vm-{n + 100}" for n in range(len(names))],
        "VMware.VCenterId": "4e3b1f5a-0c5e-4a53-9d8b-6b7f0f9f2c11",
        "CPU.NumberOfProcessors": 1,
        "CPU.NumberOfCores": machines.vcpu,
        "CPU.NumberOfLogicalCores": machines.vcpu,
        "OS.Name": "Linux",
        "VMware.VMName": [f"{name}-vm" for name in names],
        "RAM.TotalSizeInMB": total.astype(int),
        **{f"RAM.UsedSizeInMB.{level}": np.round(total * share).astype(int) for level, share in used.items()},
        **{f"CPU.UsagePct.{level}": np.round(100 * share, 2) for level, share in cpu.items()},
        **moved,
        "Applications": [f"{application},estate" for application in machines.application.tolist()],
        "Tags": [f"owner:team-{n % 7},stage:prod" for n in range(len(names))],
    }
