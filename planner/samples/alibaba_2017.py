"""Writes servers, containers and batch work in the layout of Alibaba's cluster trace of 2017."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from planner.samples.draws import Floats, Ints
from planner.samples.estate import Machines, Size, simulate
from planner.samples.files import write_gzip

__all__ = ["SERVER_CONTAINERS", "alibaba_2017"]

STEP_S: Final = 300
"""Time between measurements. Unit: seconds. Source: alibaba/clusterdata, trace_201708.md: averages over 300 s."""
SERVER_CORES: Final = 64
"""Cores of a server. Unit: cores. Source: alibaba/clusterdata, trace_201708.md."""
LARGEST_GIB: Final = 512.0
"""Memory of the server that is 1. Unit: GiB. Source: our choice; the trace does not tell it."""
SERVER_CONTAINERS: Final = 6
"""Containers of a server. Unit: containers. Source: our choice; the trace has about 9 a server."""
BATCH_S: Final = 1500
"""Time between batch tasks on a server. Unit: seconds. Source: our choice, to keep the file small."""
BATCH_CORES: Final = 0.5
"""Cores in use by a batch instance, on average. Unit: cores. Source: our choice."""
BATCH_LASTS_S: Final = 90
"""How long a batch instance runs, on average. Unit: seconds. Source: our choice."""


def alibaba_2017(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """The six tables of the trace, headerless; the official files lie in one tar.gz archive."""
    machines = simulate(size, STEP_S, seed)
    rng = np.random.default_rng([seed, 17])
    home = np.arange(size.vms) // SERVER_CONTAINERS
    ran = _batch_instance(rng, int(home[-1]) + 1, size.days * 86400)
    tables = {
        "server_event": _server_event(int(home[-1]) + 1),
        "server_usage": _server_usage(machines, home),
        "container_event": _container_event(machines, home),
        "container_usage": _container_usage(machines),
        "batch_task": _batch_task(ran),
        "batch_instance": ran,
    }
    return tuple(write_gzip(folder / f"{name}.csv.gz", table, header=False) for name, table in tables.items())


def _server_event(count: int) -> pd.DataFrame:
    table = pd.DataFrame({"time": 0, "id": np.arange(count) + 1})
    return table.assign(event="add", detail="", cpus=SERVER_CORES, memory=1.0, disk=0.5)


def _container_event(machines: Machines, home: Ints) -> pd.DataFrame:
    number = np.arange(len(home))
    table = pd.DataFrame({"time": 0, "event": "Create", "id": number + 1, "server": home + 1, "cpus": machines.vcpu})
    sets = ["|".join(str(cpu) for cpu in range(cores)) for cores in machines.vcpu]
    return table.assign(memory=np.round(machines.memory_gib / LARGEST_GIB, 6), disk=0.04, cpuset=sets)


def _measured(cpu: Floats, memory: Floats) -> pd.DataFrame:
    """Percents by time and id, the load that goes with them."""
    count, samples = cpu.shape
    percent = np.round(100 * cpu.T.ravel(), 2)
    table = pd.DataFrame(
        {"time": STEP_S * np.arange(samples).repeat(count), "id": np.tile(np.arange(count) + 1, samples)}
    )
    table = table.assign(cpu=percent, memory=np.round(100 * memory.T.ravel(), 2), disk=12.5)
    return table.assign(load1=percent, load5=percent, load15=percent)


def _container_usage(machines: Machines) -> pd.DataFrame:
    return _measured(machines.cpu, machines.memory).assign(cpi="", mpki="", most_cpi="", most_mpki="")


def _server_usage(machines: Machines, home: Ints) -> pd.DataFrame:
    """What the containers of a server use of it."""
    starts = np.flatnonzero(np.diff(home, prepend=-1))
    cpu = np.add.reduceat(machines.cpu * machines.vcpu[:, None], starts) / SERVER_CORES
    memory = np.add.reduceat(machines.memory * machines.memory_gib[:, None], starts) / LARGEST_GIB
    return _measured(np.minimum(cpu, 1.0), np.minimum(memory, 1.0))


def _batch_instance(rng: np.random.Generator, count: int, seconds: int) -> pd.DataFrame:
    """One instance a task, its start, length and use drawn."""
    start = np.arange(BATCH_S, seconds, BATCH_S).repeat(count)
    number = np.arange(len(start))
    end = start + rng.geometric(1 / BATCH_LASTS_S, len(start))
    used, memory = np.round(rng.gamma(2, BATCH_CORES / 2, len(start)), 2), np.round(rng.gamma(2, 0.002, len(start)), 6)
    table = pd.DataFrame({"start": start, "end": end, "job": number // count + 1, "task": number + 1})
    return table.assign(
        server=np.tile(np.arange(count) + 1, len(start) // count), status="Terminated", seq=1, total=1,
        cpu_max=np.round(1.3 * used, 2), cpu_avg=used, mem_max=memory, mem_avg=memory,
    )  # fmt: skip


def _batch_task(ran: pd.DataFrame) -> pd.DataFrame:
    table = ran[["start", "end", "job", "task"]]
    return table.assign(instances=1, status="Terminated", plan_cpu=100, plan_mem=0.005)
