"""Workloads as pods: what each asks for, hour by hour, and how many replicas of it run."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._autoscaler import Autoscaler, followed, for_requests
from planner.models._instances import HELD
from planner.models._units import names
from planner.optimise.packing import Items, Spread
from planner.quantities import CPU, MEMORY

__all__ = ["Burden", "PodRules", "Pods", "items", "joined", "pods"]

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
    utilisation: float
    """Share of its request that a pod's work is to fill."""
    overhead: tuple[float, float]
    """Cores and GiB of each pod beside its work; not part of what is divided among replicas."""
    least: tuple[float, float]
    """Smallest request, cores and GiB."""
    scaler: Autoscaler


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

    def only(self, keep: Bools | Ints) -> Pods:
        """The classes of a mask, or by position."""
        return Pods(
            self.size[keep], self.replicas[keep], self.count[keep], self.arch[keep], self.spread[keep], self.zones
        )


@dataclass(frozen=True)
class Burden:
    """What a cluster carries beside the work of its pods; by itself nothing."""

    on_nodes: tuple[float, float, int] = (0.0, 0.0, 0)
    """Cores, GiB and pods on each node."""

    def on_pods(self, demand: Demand, asked: Pods) -> Floats:
        """[class, period, 2], cores and GiB that each replica carries."""
        return np.zeros((*asked.replicas.shape, 2))

    def beside(self, served: Demand, asked: Pods) -> Pods | None:
        """Pods of the cluster's own, for what is served."""
        return None

    def laden(self, demand: Demand, asked: Pods) -> Pods:
        """The same pods with what they carry."""
        size = asked.size.copy()
        size[:, :, [CPU, MEMORY]] += self.on_pods(demand, asked)
        return replace(asked, size=size)


def joined(first: Pods, second: Pods | None) -> Pods:
    """Both, those of the second behind."""
    if second is None:
        return first
    return Pods(
        np.concatenate([first.size, second.size]),
        np.concatenate([first.replicas, second.replicas]),
        np.concatenate([first.count, second.count]),
        np.concatenate([first.arch, second.arch]),
        np.concatenate([first.spread, second.spread]),
        first.zones,
    )


def pods(demand: Demand, rules: PodRules) -> Pods:
    """Pods of a demand.

    A workload that scales out runs as equal replicas, each with an equal part of its busiest hour; so many run as the
    hour needs of CPU or of memory or as an autoscaler keeps, whichever is more (a HorizontalPodAutoscaler takes the
    largest proposal). One whose CPU request an autoscaler counts by keeps the request that it has: a request set to
    what was used would make for more replicas that use less each, and so on without end. Any other workload is one
    pod, whose memory is that of its busiest hour.
    Source: kubernetes.io, Horizontal Pod Autoscaling; In-place pod resize (CPU without restart);
    robusta-dev/krr PR 80 (no CPU request from use under an autoscaler).
    """
    need = demand.busy[:, :, : len(HELD)] / np.where(np.arange(len(HELD)) <= MEMORY, rules.utilisation, 1.0)
    out = scales_out(demand)
    held = _governed(demand, rules.scaler)
    share = _shares(demand, rules, (need, out, held))
    size = np.repeat(share[:, None, :], need.shape[1], axis=1)
    if rules.resize_cpu:
        size[~out, :, CPU] = need[~out, :, CPU]
    size[:, :, CPU] = np.maximum(size[:, :, CPU], rules.least[0]) + rules.overhead[0]
    size[:, :, MEMORY] = np.maximum(size[:, :, MEMORY], rules.least[1]) + rules.overhead[1]
    running = np.where(out[:, None], _running(demand, rules, (need, share)), 1.0)
    arch = np.where(names(demand, "arch") == "", "x86_64", names(demand, "arch"))
    return Pods(
        size, np.nan_to_num(running).astype(np.int64), demand.count, arch, names(demand, "spread_group"), rules.zones
    )


def _shares(demand: Demand, rules: PodRules, asked: tuple[Floats, Bools, Bools]) -> Floats:
    """[class, held resource], the part of the busiest hour that each replica takes, or the request that is kept."""
    need, out, held = asked
    most = need.max(axis=1, initial=0.0) if need.shape[1] else np.zeros((len(need), len(HELD)))
    wanted = np.ceil(np.maximum(most[:, CPU] / rules.cores, most[:, MEMORY] / rules.gib) * (1 - _SLACK))
    parts = np.where(out & ~held, np.maximum(np.nan_to_num(wanted), rules.min_replicas), 1.0).clip(1.0)
    share = most / parts[:, None]
    share[held, CPU] = demand.workloads["cpu_cores"].to_numpy(float)[held]
    return np.asarray(share)


def _running(demand: Demand, rules: PodRules, asked: tuple[Floats, Floats]) -> Floats:
    """[class, period], replicas where workloads scale out."""
    need, share = asked
    whole = np.broadcast_to(share[:, None, :], need.shape)
    kept = np.divide(need, whole, out=np.zeros_like(need), where=whole > 0).max(axis=2, initial=0.0)
    least = np.maximum(np.ceil(np.nan_to_num(kept) * (1 - _SLACK)), rules.min_replicas)
    scaler, used = rules.scaler, np.nan_to_num(demand.mean[:, :, CPU])
    if scaler.concurrency is not None:
        seconds = demand.workloads["seconds_per_request"].fillna(0.0).to_numpy(float)
        flight = demand.requests_per_s * seconds[:, None]
        least = np.maximum(least, for_requests(flight, scaler.concurrency, scaler.concurrency_target))
    request = np.maximum(np.nan_to_num(share[:, CPU]), rules.least[0])
    return followed(least, used, request * scaler.target, scaler.tolerance)


def scales_out(demand: Demand) -> Bools:
    """[class], whether it may run as replicas: known to, or made of calls."""
    known = demand.workloads["scales_out"].fillna(False).to_numpy(bool)
    return np.asarray(known | (names(demand, "kind") == "function"))


def _governed(demand: Demand, scaler: Autoscaler) -> Bools:
    """[class], whether an autoscaler counts by its CPU request, and the trace tells how much that is."""
    told = demand.workloads["cpu_cores"].fillna(0.0).to_numpy(float) > 0
    chosen = {
        "none": np.zeros(len(told), bool),
        "containers": names(demand, "kind") == "container",
        "scales_out": np.ones(len(told), bool),
    }
    return np.asarray(told & scales_out(demand) & chosen[scaler.governed])


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
