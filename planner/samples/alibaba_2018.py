"""Writes machines, containers and batch work in the layout of Alibaba's cluster trace of 2018, with invalid values."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from planner.samples.draws import Floats, Ints
from planner.samples.estate import Machines, Size, simulate
from planner.samples.files import write_gzip

__all__ = ["MACHINE_CONTAINERS", "alibaba_2018"]

STEP_S: Final = 300
"""Time between measurements. Unit: seconds. Source: our choice; the trace has one every 10 to 60 s."""
MACHINE_CORES: Final = 96
"""Cores of a machine. Unit: cores. Source: alibaba/clusterdata, cluster-trace-v2018, machine_meta."""
LARGEST_GIB: Final = 512.0
"""Memory of the machine that is 100. Unit: GiB. Source: our choice; the trace does not tell it."""
MACHINE_CONTAINERS: Final = 8
"""Containers of a machine. Unit: containers. Source: our choice; the trace has 18 a machine."""
INVALID: Final = 0.002
"""Measurements that are -1 or 101. Unit: share. Source: our choice; the schema tells that they occur."""
BATCH_S: Final = 1200
"""Time between batch jobs on a machine. Unit: seconds. Source: our choice, to keep the file small."""
BATCH_CORES: Final = 0.6
"""Cores in use by a batch instance, on average. Unit: cores. Source: our choice."""
BATCH_LASTS_S: Final = 90
"""How long a batch instance runs, on average. Unit: seconds. Source: our choice; most last less than two minutes."""


def alibaba_2018(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """The six tables of the trace, headerless; the official files are tar.gz archives of these."""
    machines = simulate(size, STEP_S, seed)
    rng = np.random.default_rng([seed, 4])
    home = np.arange(size.vms) // MACHINE_CONTAINERS
    ran = _batch_instance(rng, int(home[-1]) + 1, size.days * 86400)
    tables = {
        "machine_meta": _machine_meta(int(home[-1]) + 1),
        "machine_usage": _machine_usage(rng, machines, home),
        "container_meta": _container_meta(machines, home),
        "container_usage": _container_usage(rng, machines, home),
        "batch_task": _batch_task(ran),
        "batch_instance": ran,
    }
    return tuple(write_gzip(folder / f"{name}.csv.gz", table, header=False) for name, table in tables.items())


def _named(letter: str, number: Ints) -> pd.Series:
    return letter + pd.Series(number + 1).astype(str)


def _machine_meta(count: int) -> pd.DataFrame:
    number = np.arange(count)
    table = pd.DataFrame({"id": _named("m_", number), "time": 0, "domain_1": number // 4, "domain_2": number // 2})
    return table.assign(cores=MACHINE_CORES, memory=100, status="USING")


def _container_meta(machines: Machines, home: Ints) -> pd.DataFrame:
    number, application = np.arange(len(home)), np.unique(machines.application, return_inverse=True)[1]
    table = pd.DataFrame({"id": _named("c_", number), "machine": _named("m_", home), "time": 0})
    return table.assign(
        app=_named("app_", application), status="started", request=100 * machines.vcpu, limit=100 * machines.vcpu,
        memory=np.round(100 * machines.memory_gib / LARGEST_GIB, 2),
    )  # fmt: skip


def _percent(rng: np.random.Generator, share: Floats) -> Ints:
    """Whole percents of [...], a few of them invalid."""
    whole = np.round(100 * share).astype(np.int64)
    drawn = rng.random(share.shape)
    return np.where(drawn < INVALID / 2, -1, np.where(drawn < INVALID, 101, whole))


def _container_usage(rng: np.random.Generator, machines: Machines, home: Ints) -> pd.DataFrame:
    count, samples = machines.cpu.shape
    number = np.tile(np.arange(count), samples)
    table = pd.DataFrame({"id": _named("c_", number), "machine": _named("m_", home[number])})
    return table.assign(
        time=STEP_S * np.arange(samples).repeat(count), cpu=_percent(rng, machines.cpu.T.ravel()),
        memory=_percent(rng, machines.memory.T.ravel()), cpi="", mem_gps="", mpki="", net_in=0.0, net_out=0.0,
        disk=rng.integers(0, 10, len(number)),
    )  # fmt: skip


def _machine_usage(rng: np.random.Generator, machines: Machines, home: Ints) -> pd.DataFrame:
    """What the containers of a machine use of it."""
    starts = np.flatnonzero(np.diff(home, prepend=-1))
    cpu = np.add.reduceat(machines.cpu * machines.vcpu[:, None], starts) / MACHINE_CORES
    memory = np.add.reduceat(machines.memory * machines.memory_gib[:, None], starts) / LARGEST_GIB
    count, samples = cpu.shape
    table = pd.DataFrame({"id": _named("m_", np.tile(np.arange(count), samples))})
    return table.assign(
        time=STEP_S * np.arange(samples).repeat(count), cpu=_percent(rng, np.minimum(cpu, 1.0).T.ravel()),
        memory=_percent(rng, np.minimum(memory, 1.0).T.ravel()), mem_gps="", mkpi="", net_in=40.0, net_out=33.0,
        disk=rng.integers(0, 10, count * samples),
    )  # fmt: skip


def _batch_instance(rng: np.random.Generator, count: int, seconds: int) -> pd.DataFrame:
    """One instance a task, its start, length and use drawn."""
    start = np.arange(BATCH_S, seconds, BATCH_S).repeat(count)
    number = np.arange(len(start))
    end = start + rng.geometric(1 / BATCH_LASTS_S, len(start))
    used, memory = np.round(rng.gamma(2, 50 * BATCH_CORES, len(start)), 2), np.round(rng.gamma(2, 0.1, len(start)), 2)
    table = pd.DataFrame({"name": _named("ins_", number), "task": "M1", "job": _named("j_", number), "type": 1})
    return table.assign(
        status="Terminated", start=start, end=end, machine=_named("m_", np.tile(np.arange(count), len(start) // count)),
        seq=1, total=1, cpu_avg=used, cpu_max=np.round(1.3 * used, 2), mem_avg=memory, mem_max=memory,
    )  # fmt: skip


def _batch_task(ran: pd.DataFrame) -> pd.DataFrame:
    table = ran[["task"]].assign(instances=1.0, job=ran["job"], type=1, status="Terminated")
    return table.assign(start=ran["start"], end=ran["end"], plan_cpu=100.0, plan_mem=0.5)
