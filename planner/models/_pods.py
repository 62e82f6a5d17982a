"""Workloads as pods: what each asks for, hour by hour, and how many replicas of it run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._instances import HELD
from planner.models._units import names
from planner.optimise.packing import Items, Spread
from planner.quantities import CPU, MEMORY

__all__ = ["PodRules", "Pods", "items", "pods"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
_SLACK = 1e-9


@dataclass(frozen=True)
class PodRules:
    """How workloads become pods."""

    cores: float
    gib: float
    """Most work of one replica of a workload that scales out."""
    min_replicas: int
    zones: int
    resize_cpu: bool
    """CPU requests of running pods follow the need of the hour; memory never shrinks."""
    overhead: tuple[float, float]
    """Cores and GiB of each pod beside its work (a sidecar); not part of what is divided among replicas."""
    least: tuple[float, float]
    """Smallest request, cores and GiB."""


@dataclass(frozen=True)
class Pods:
    """Requests and replicas of each class of workloads."""

    size: Floats
    """[class, period, held resource], request of one replica, overhead included."""
    replicas: Ints
    """[class, period], of one member."""
    count: Ints
    """[class], members."""
    arch: NDArray[np.str_]
    spread: NDArray[np.str_]
    """[class], the group whose members keep apart; empty: none."""
    zones: int

    @property
    def peak(self) -> Floats:
        """[class, held resource], the largest request."""
        return np.asarray(self.size.max(axis=1, initial=0.0))

    @property
    def requested(self) -> Floats:
        """[class, period, held resource], of all replicas of one member."""
        return self.size * self.replicas[:, :, None]

    def only(self, keep: Bools) -> Pods:
        """The classes of a mask."""
        return Pods(
            self.size[keep], self.replicas[keep], self.count[keep], self.arch[keep], self.spread[keep], self.zones
        )


def pods(demand: Demand, rules: PodRules) -> Pods:
    """Pods of a demand.

    A workload that scales out runs as equal replicas, each with an equal part of its busiest hour; so many run as the
    hour needs of CPU or of memory, whichever is more (a HorizontalPodAutoscaler takes the largest proposal). Any other
    workload is one pod, whose memory is that of its busiest hour.
    Source: kubernetes.io, Horizontal Pod Autoscaling; In-place pod resize (CPU without restart).
    """
    need = demand.busy[:, :, : len(HELD)]
    most = demand.peak[:, : len(HELD)]
    out = scales_out(demand)
    wanted = np.ceil(np.maximum(most[:, CPU] / rules.cores, most[:, MEMORY] / rules.gib) * (1 - _SLACK))
    parts = np.where(out, np.maximum(np.nan_to_num(wanted), rules.min_replicas), 1.0).clip(1.0)
    share = most / parts[:, None]
    size = np.repeat(share[:, None, :], need.shape[1], axis=1)
    if rules.resize_cpu:
        size[~out, :, CPU] = need[~out, :, CPU]
    size[:, :, CPU] = np.maximum(size[:, :, CPU], rules.least[0]) + rules.overhead[0]
    size[:, :, MEMORY] = np.maximum(size[:, :, MEMORY], rules.least[1]) + rules.overhead[1]
    kept = np.divide(need, share[:, None, :], out=np.zeros_like(need), where=share[:, None, :] > 0).max(
        axis=2, initial=0.0
    )
    running = np.where(out[:, None], np.clip(np.ceil(kept * (1 - _SLACK)), rules.min_replicas, parts[:, None]), 1.0)
    arch = np.where(names(demand, "arch") == "", "x86_64", names(demand, "arch"))
    return Pods(
        size, np.nan_to_num(running).astype(np.int64), demand.count, arch, names(demand, "spread_group"), rules.zones
    )


def scales_out(demand: Demand) -> Bools:
    """[class], whether it may run as replicas: known to, or made of calls."""
    known = demand.workloads["scales_out"].fillna(False).to_numpy(bool)
    return np.asarray(known | (names(demand, "kind") == "function"))


def items(asked: Pods, period: int, fits: Bools, apart: bool = True) -> tuple[Items, Ints]:
    """What must be packed in one period, and the class of each row; wishes to keep `apart` where they matter.

    A pod also takes one slot, the last of its sizes.

    Replicas of one workload may share a node only as far as the loss of a zone would take them anyway: of a class of
    c workloads with r replicas each, a node takes at most c x ceil(r / zones), dealt out so that no workload has more
    than its share there. Members of a group keep apart.
    """
    count = asked.count * asked.replicas[:, period]
    rows = np.flatnonzero(count)
    wishes = tuple(_wish(asked, int(i), period) for i in rows) if apart else ()
    spread = wishes if any(w is not None for w in wishes) else None
    size = np.column_stack([asked.size[rows, period], np.ones(len(rows))])
    return Items(size, count[rows], spread, fits[rows]), rows


def _wish(asked: Pods, i: int, period: int) -> Spread | None:
    if asked.spread[i]:
        return Spread(str(asked.spread[i]), 1, asked.zones)
    replicas = int(asked.replicas[i, period])
    if replicas < 2:
        return None
    return Spread(f"class {i}", int(asked.count[i]) * -(-replicas // asked.zones), asked.zones)
