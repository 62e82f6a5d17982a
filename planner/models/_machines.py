"""What gets instances of its own: machines as they are, functions by application, what scales out in parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from planner.demand import Demand, by_application
from planner.models._rented import inferred
from planner.models._types import Types
from planner.models._units import names
from planner.models._volumes import Need
from planner.quantities import MEMORY, Assumption

__all__ = ["architecture", "disk_needs", "machine_of", "machines"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KIB_PER_MIB = 1024.0


def machines(demand: Demand, guest_os_memory_gib: float, kinds: Types) -> tuple[Demand, Ints]:
    """What gets instances of its own, and how many each: machines as they are, functions by application.

    What scales out and is too large for any type runs as equal parts; functions bring no operating system along.
    """
    whole = by_application(demand)
    function = names(whole, "kind") == "function"
    system = np.where(function, guest_os_memory_gib, 0.0)
    parts = _parts(whole, kinds, system)
    parts[~(function | whole.workloads["scales_out"].fillna(False).to_numpy(bool))] = 1
    workloads = whole.workloads.assign(count=whole.count * parts)
    for column in ("storage_gib", "cpu_cores", "memory_gib", "disk_iops"):
        workloads[column] = workloads[column].to_numpy(float) / parts
    busy, mean = (values / parts[:, None, None] for values in (whole.busy, whole.mean))
    busy[:, :, MEMORY] += system[:, None]
    requests = whole.requests_per_s / parts[:, None]
    return replace(whole, workloads=workloads, busy=busy, mean=mean, requests_per_s=requests), parts


def _parts(whole: Demand, kinds: Types, system: Floats) -> Ints:
    """[class], into how many equal parts it must be cut so that the largest type of its architecture holds one."""
    need, arch = whole.peak[:, : kinds.capacity.shape[1]], architecture(whole)
    out = np.ones(len(need), np.int64)
    for i in np.flatnonzero((need > kinds.capacity.max(axis=0) - [0, 1, 0] * system[:, None]).any(axis=1)):
        room = kinds.capacity[kinds.arch == arch[i]] - [0.0, system[i], 0.0]
        fraction = (room[:, need[i] > 0] / need[i][need[i] > 0]).min(axis=1)
        most = float(fraction.max(initial=0.0)) if np.isfinite(need[i]).all() else 0.0
        out[i] = int(np.ceil(1.0 / most - 1e-9)) if most > 0 else 1
    return out


def disk_needs(hosted: Demand, unknown_gib: float, kib_per_operation: float) -> tuple[Need, list[Assumption]]:
    """What each machine's disk must hold and do: what the trace tells, else `unknown_gib` and no known speed."""
    known = hosted.workloads["storage_gib"].to_numpy(float)
    guessed = int(hosted.count[np.isnan(known)].sum())
    told = [inferred("iaas: machines whose disk is assumed", guessed, "machines", "the trace lacks it")]
    iops = hosted.workloads["disk_iops"].to_numpy(float)
    need = Need(np.where(np.isnan(known), unknown_gib, known), iops, iops * kib_per_operation / KIB_PER_MIB)
    return need, told if guessed else []


def machine_of(machines: Demand, demand: Demand) -> Ints:
    """[class of demand], the class of machines that it became."""
    out = np.zeros(len(demand.workloads), np.int64)
    out[demand.members["class"].to_numpy(np.int64)] = machines.members["class"].to_numpy(np.int64)
    return out


def architecture(machines: Demand) -> NDArray[np.str_]:
    """[class], x86_64 where the trace does not tell."""
    told = names(machines, "arch")
    return np.where(told == "", "x86_64", told)
