"""Writes tasks in the layouts of the Google cluster traces of 2011 and 2019: shares of the largest machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from planner.samples.draws import Floats, Ints
from planner.samples.estate import Machines, Size, simulate
from planner.samples.files import hex_names, write_gzip

__all__ = ["google_2011", "google_2019"]

STEP_S: Final = 300
"""Length of a measurement. Unit: seconds. Source: google/cluster-data, schema documents: up to five minutes."""
START_S: Final = 600
"""When the trace begins. Unit: seconds. Source: as above."""
LARGEST_CORES: Final = 64.0
"""Cores of the machine that is 1.0. Unit: cores. Source: our choice; the trace does not tell it."""
LARGEST_GIB: Final = 256.0
"""Memory of the machine that is 1.0. Unit: GiB. Source: as above."""
MACHINES: Final = ((0.25, 0.2495), (0.5, 0.2493), (0.5, 0.4995), (0.5, 0.749), (1.0, 1.0))
"""Machines by cores and memory. Unit: shares. Source: Reiss et al., SoCC 2012, kinds of machines, FROM MEMORY."""
JOB_TASKS: Final = 4
"""Tasks of a job. Unit: tasks. Source: our choice."""


@dataclass(frozen=True)
class _Tasks:
    """Tasks as both traces know them."""

    job: Ints
    index: Ints
    machine: Ints
    request: Floats
    """[task, 2], cores and memory asked for, as shares."""
    used: Floats
    """[sample, task, 2], cores and memory used, as shares."""


def _tasks(machines: Machines) -> _Tasks:
    number = np.arange(len(machines.vcpu))
    request = np.column_stack([machines.vcpu / LARGEST_CORES, machines.memory_gib / LARGEST_GIB])
    used = np.stack([machines.cpu.T, machines.memory.T], axis=2) * request
    return _Tasks(
        job=3_418_309 + 331 * (number // JOB_TASKS),
        index=number % JOB_TASKS,
        machine=4_155_527 + 17 * (number % len(MACHINES)),
        request=np.round(request, 5),
        used=np.round(used, 5),
    )


def google_2011(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """One part each of ``task_usage``, ``task_events`` and ``machine_events``, headerless, microseconds."""
    tasks = _tasks(simulate(size, STEP_S, seed))
    return (
        write_gzip(folder / "task_usage" / "part-00000-of-00500.csv.gz", _usage_2011(tasks), header=False),
        write_gzip(folder / "task_events" / "part-00000-of-00500.csv.gz", _events_2011(tasks), header=False),
        write_gzip(folder / "machine_events" / "part-00000-of-00001.csv.gz", _machines(tasks), header=False),
    )


def _usage_2011(tasks: _Tasks) -> pd.DataFrame:
    """Twenty columns, of which those that nobody reads are mostly empty, as they may be."""
    table = _measured(tasks)
    cpu, memory = tasks.used.reshape(-1, 2).T
    assigned = np.tile(tasks.request[:, 1], len(tasks.used))
    empty = {f"empty_{i}": "" for i in range(4)}
    return table.assign(cpu=cpu, memory=memory, assigned=assigned, unmapped=0, cache=0, most=memory, **empty).assign(
        cycles="", accesses="", portion=1, aggregation=0, sampled=cpu
    )


def _measured(tasks: _Tasks) -> pd.DataFrame:
    """Start, end, job, index and machine of each measurement, by time."""
    samples, count = tasks.used.shape[:2]
    start = 1_000_000 * (START_S + STEP_S * np.arange(samples)).repeat(count)
    return pd.DataFrame(
        {
            "start_time": start,
            "end_time": start + 1_000_000 * STEP_S,
            "collection_id": np.tile(tasks.job, samples),
            "instance_index": np.tile(tasks.index, samples),
            "machine_id": np.tile(tasks.machine, samples),
        }
    )


def _events_2011(tasks: _Tasks) -> pd.DataFrame:
    """All tasks were submitted and scheduled before the trace begins, at time 0."""
    count = len(tasks.job)
    one = pd.DataFrame(
        {
            "time": 0, "missing": 2, "job": tasks.job, "index": tasks.index, "machine": tasks.machine, "type": 0,
            "user": hex_names("user", count)[tasks.job % 7 % count], "class": tasks.index % 4,
            "priority": 2 * (tasks.index % 3), "cpu": tasks.request[:, 0], "memory": tasks.request[:, 1],
            "disk": 0.0004, "apart": 0,
        }
    )  # fmt: skip
    return pd.concat([one.assign(machine=""), one.assign(type=1)])


def _machines(tasks: _Tasks) -> pd.DataFrame:
    machine = np.unique(tasks.machine)
    table = pd.DataFrame({"time": 0, "machine_id": machine, "type": 0, "platform_id": hex_names("platform", 1)[0]})
    shares = np.array(MACHINES)[np.arange(len(machine)) % len(MACHINES)]
    table[["capacity.cpus", "capacity.memory"]] = shares
    return table


def google_2019(folder: Path, seed: int, size: Size) -> tuple[Path, ...]:
    """``instance_usage``, ``instance_events`` and ``machine_events`` with the nested columns flattened."""
    tasks = _tasks(simulate(size, STEP_S, seed))
    machines = _machines(tasks).assign(switch_id=hex_names("switch", 1)[0], missing_data_reason="")
    tables = {"instance_usage": _usage_2019(tasks), "instance_events": _events_2019(tasks), "machine_events": machines}
    return tuple(
        write_gzip(folder / f"{name}-000000000000.csv.gz", table, header=True) for name, table in tables.items()
    )


def _usage_2019(tasks: _Tasks) -> pd.DataFrame:
    cpu, memory = tasks.used.reshape(-1, 2).T
    measured: dict[str, Floats | str | int] = {
        "average_usage.cpus": cpu, "average_usage.memory": memory, "maximum_usage.cpus": cpu,
        "maximum_usage.memory": memory, "random_sample_usage.cpus": cpu, "random_sample_usage.memory": "",
        "assigned_memory": memory, "page_cache_memory": 0, "sample_rate": 1,
    }  # fmt: skip
    alone = {"alloc_collection_id": 0, "alloc_instance_index": -1, "collection_type": 0}
    return _measured(tasks).assign(**alone, **measured)


def _events_2019(tasks: _Tasks) -> pd.DataFrame:
    """Submitted before the trace begins and scheduled, types 0 and 3."""
    one = pd.DataFrame(
        {
            "time": 0, "type": 0, "collection_id": tasks.job, "scheduling_class": tasks.index % 4, "missing_type": "",
            "collection_type": 0, "priority": 100 * (tasks.index % 3), "alloc_collection_id": 0,
            "instance_index": tasks.index, "machine_id": tasks.machine, "alloc_instance_index": -1,
            "resource_request.cpus": tasks.request[:, 0], "resource_request.memory": tasks.request[:, 1],
        }
    )  # fmt: skip
    return pd.concat([one.assign(machine_id=""), one.assign(type=3)])
