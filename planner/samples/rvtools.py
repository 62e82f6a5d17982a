"""Writes an estate as an RVTools 4.x workbook: tabs vInfo, vCPU, vMemory, vDisk, vHost and vMetaData."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.samples.estate import Machines, Size, simulate
from planner.samples.files import write_workbook

__all__ = ["rvtools"]

STEP_S: Final = 3600
"""The reading is one of an hourly estate. Unit: seconds. Source: our choice."""
READ_HOUR: Final = 11
"""When the export was made, on a Monday. Unit: hours. Source: our choice."""
HOST_CORES: Final = 32
"""Cores of a host. Unit: cores. Source: our choice."""
HOST_MHZ: Final = (2400, 2600)
"""Speed of a core, by host. Unit: MHz. Source: our choice, two generations."""
VCPU_PER_CORE: Final = 3.0
"""How many virtual cores are placed on a core. Unit: ratio. Source: our choice."""
OFF_EVERY: Final = 10
"""Every so many machines one is off. Unit: machines. Source: our choice."""
TAIL: Final = ("Annotation", "Datacenter", "Cluster", "Host", "VM ID", "VM UUID", "VI SDK Server")
"""Columns that the tabs of machines end in. Source: RVTools 4.x."""


def rvtools(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """RVTools 4.x: one workbook; two templates stand beside the machines, a tenth of which is off."""
    machines = simulate(size, STEP_S, seed)
    info = _info(machines)
    running = info[info["Powerstate"] == "poweredOn"].index.to_numpy()
    tabs = {
        "vInfo": info,
        "vCPU": _cpu(machines, info),
        "vMemory": _memory(machines, info),
        "vDisk": _disks(info),
        "vHost": _hosts(info, running),
        "vMetaData": pd.DataFrame(
            {
                "RVTools major version": ["4.4"],
                "RVTools version": ["4.4.5.0"],
                "xlsx creation datetime": [f"2026-03-02 {READ_HOUR:02d}:00:00"],
                "Server": ["vcenter.example"],
            }
        ),
    }
    return (write_workbook(folder / "RVTools_export_all_2026-03-02_11.00.00.xlsx", tabs),)


def _info(machines: Machines) -> pd.DataFrame:
    count = len(machines.vcpu)
    number = np.arange(count + 2)
    template = number >= count
    size = {
        "CPUs": np.append(machines.vcpu, [2, 4]),
        "Memory": np.append(machines.memory_gib, [4, 8]) * 1024,
        "disk": np.append(machines.storage_gib, [40, 60]) * 1024,
    }
    hosts = max(1, round(machines.vcpu.sum() / (HOST_CORES * VCPU_PER_CORE)))
    off = (number % OFF_EVERY == OFF_EVERY - 1) | template
    return pd.DataFrame(
        {
            "VM": [f"template-{n}" if t else f"srv-{n + 1:04d}" for n, t in zip(number, template, strict=True)],
            "Powerstate": np.where(off, "poweredOff", "poweredOn"),
            "Template": np.where(template, "True", "False"),
            "SRM Placeholder": "False",
            "Config status": "green",
            "Guest state": np.where(off, "notRunning", "running"),
            "CPUs": size["CPUs"],
            "Memory": size["Memory"].astype(int),
            "NICs": 1,
            "Disks": np.where(size["disk"] > 200 * 1024, 2, 1),
            "Total disk capacity MiB": size["disk"].astype(int),
            "Provisioned MiB": (size["disk"] + size["Memory"]).astype(int),
            "In Use MiB": (0.6 * size["disk"]).astype(int),
            "Firmware": "efi",
            **_tail(number, hosts),
            "OS according to the configuration file": "Debian GNU/Linux 12 (64-bit)",
        }
    )


def _tail(number: NDArray[np.int64], hosts: int) -> dict[str, object]:
    values = (
        "",
        "dc-1",
        "cluster-1",
        [f"esx-{n % hosts + 1:02d}.example" for n in number],
        [f"vm-{n + 1000}" for n in number],
        [f"420{n:05d}-aaaa-bbbb-cccc-0123456789ab" for n in number],
        "vcenter.example",
    )
    return dict(zip(TAIL, values, strict=True))


def _of(info: pd.DataFrame, **columns: object) -> pd.DataFrame:
    """A tab of machines: its own columns between those that all such tabs share."""
    head, tail = info[["VM", "Powerstate", "Template", "SRM Placeholder"]], info[list(TAIL)]
    return pd.concat([head, pd.DataFrame(columns, index=info.index), tail], axis=1)


def _reading(share: NDArray[np.float64], info: pd.DataFrame) -> NDArray[np.float64]:
    """Shares in use at the hour of the export; nothing where a machine is off."""
    now = np.append(share[:, READ_HOUR], [0.0, 0.0])
    return np.where(info["Powerstate"] == "poweredOn", now, 0.0)


def _cpu(machines: Machines, info: pd.DataFrame) -> pd.DataFrame:
    mhz = np.array(HOST_MHZ)[info["Host"].str[4:6].astype(int) % len(HOST_MHZ)]
    used = np.round(_reading(machines.cpu, info) * info["CPUs"] * mhz).astype(int)
    return _of(info, CPUs=info["CPUs"], Sockets=1, **{"Cores p/s": info["CPUs"], "Overall": used, "Hot Add": "False"})


def _memory(machines: Machines, info: pd.DataFrame) -> pd.DataFrame:
    active = _reading(machines.memory, info) * info["Memory"]
    held = np.minimum(info["Memory"], 1.2 * active + 512 * (active > 0))
    return _of(
        info,
        **{"Size MiB": info["Memory"], "Consumed": held.astype(int), "Ballooned": 0, "Active": active.astype(int)},
    )


def _disks(info: pd.DataFrame) -> pd.DataFrame:
    """The second disk holds what is above 200 GiB."""
    whole, first = info["Total disk capacity MiB"], info["Total disk capacity MiB"].clip(upper=200 * 1024)
    rows = [
        _of(info[size > 0], Disk=name, **{"Disk Key": key, "Capacity MiB": size[size > 0], "Thin": "True"})
        for name, key, size in (("Hard disk 1", 2000, first), ("Hard disk 2", 2001, whole - first))
    ]
    return pd.concat(rows, ignore_index=True)


def _hosts(info: pd.DataFrame, running: NDArray[np.int64]) -> pd.DataFrame:
    names = sorted(info["Host"].unique())
    placed = info.loc[running].groupby("Host")["VM"].size().reindex(names, fill_value=0)
    return pd.DataFrame(
        {
            "Host": names,
            "Datacenter": "dc-1",
            "Cluster": "cluster-1",
            "CPU Model": "generated",
            "Speed": [HOST_MHZ[int(name[4:6]) % len(HOST_MHZ)] for name in names],
            "# CPU": 2,
            "Cores per CPU": HOST_CORES // 2,
            "# Cores": HOST_CORES,
            "# Memory": 512 * 1024,
            "# VMs": placed.to_numpy(),
        }
    )
