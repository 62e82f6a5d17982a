"""What a service mesh adds to a cluster: proxies in pods or on nodes, waypoints, a control plane, and latency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._graph import graph
from planner.models._pods import Burden, Pods, joined
from planner.models._units import names
from planner.quantities import CPU, MEMORY

__all__ = ["Calls", "Control", "Mesh", "Proxy", "Waypoints"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

THOUSAND: Final = 1000.0
_SLACK: Final = 1e-9
NOBODY: Final = ""
"""No spread group: replicas keep apart by zones anyway."""


@dataclass(frozen=True)
class Proxy:
    """What a proxy asks for: its request, or what its traffic takes where that is more."""

    request: tuple[float, float]
    """Cores and GiB."""
    cores_per_1000_rps: float
    gib: float

    def cores(self, rps: Floats) -> Floats:
        """For so many requests a second through it."""
        return np.maximum(self.request[0], self.used(rps))

    def used(self, rps: Floats) -> Floats:
        """Cores that so many requests a second take."""
        return np.asarray(rps / THOUSAND * self.cores_per_1000_rps)

    @property
    def memory_gib(self) -> float:
        """GiB, however many requests."""
        return max(self.request[1], self.gib)


@dataclass(frozen=True)
class Calls:
    """How many requests pass, as far as the trace does not tell."""

    cpu_seconds_per_request: float
    """Of machines whose requests the trace does not tell."""
    calls_per_request: float
    """To others, for each request served."""
    headroom: float
    kinds: tuple[str, ...]
    """Kinds of workloads in the mesh; none: all."""

    def known(self, demand: Demand) -> Bools:
        """[class], whether the trace tells its requests."""
        told = demand.workloads["seconds_per_request"].notna().to_numpy()
        return np.asarray(told | (demand.requests_per_s > 0).any(axis=1))

    def served(self, demand: Demand) -> Floats:
        """[class, period], requests a second that one member serves."""
        guess = np.nan_to_num(demand.mean[:, :, CPU]) / self.cpu_seconds_per_request
        return np.where(self.known(demand)[:, None], demand.requests_per_s, guess)

    def inside(self, demand: Demand) -> Bools:
        """[class], whether it is in the mesh."""
        kinds = names(demand, "kind")
        return np.isin(kinds, list(self.kinds)) if self.kinds else np.ones(len(kinds), bool)

    def made(self, demand: Demand) -> Floats:
        """[class, period], requests a second that one member makes: as the recorded call graph tells on average, in the
        rhythm of those that it serves; else so many for each of those."""
        served, recorded = self.served(demand), graph(demand)
        if recorded is None:
            return served * self.calls_per_request
        each = recorded.made(len(served)) / np.maximum(demand.count, 1)
        month = max(float(demand.hours.sum()), 1e-300)
        mean = (served @ demand.hours / month)[:, None]
        rhythm = np.divide(served, mean, out=np.ones_like(served), where=mean > 0)
        # A callee that nobody names as a caller is a leaf of the graph: it calls nobody.
        leaf = np.isin(np.arange(len(served)), recorded.callee) & np.isnan(each)
        told = np.where(leaf, 0.0, each)[:, None]
        return np.where(np.isnan(told), served * self.calls_per_request, told * rhythm)

    def encrypted(self, demand: Demand) -> float | None:
        """Share of the recorded calls between two ends in the mesh; None where no graph tells."""
        recorded = graph(demand)
        if recorded is None or np.nansum(recorded.requests_per_s) <= 0:
            return None
        inside, calls = self.inside(demand), np.nan_to_num(recorded.requests_per_s)
        return _share(calls, inside[recorded.caller] & inside[recorded.callee])

    def through(self, demand: Demand) -> Floats:
        """[class, period], requests a second through the proxies of one member: those served and those made."""
        passing = (self.served(demand) + self.made(demand)) * (1 + self.headroom)
        return np.where(self.inside(demand)[:, None], passing, 0.0)


@dataclass(frozen=True)
class Waypoints:
    """Proxies that all calls to a group of workloads pass."""

    proxy: Proxy
    most_cores: float
    """Most work of one replica."""
    by_owner: bool
    """One for all workloads of an owner, or one an application."""

    def pods(self, served: Demand, asked: Pods, calls: Calls) -> Pods:
        """Equal ones as one class."""
        inside = calls.inside(served)
        rps = calls.served(served)[inside] * (1 + calls.headroom) * served.count[inside, None]
        group = np.unique(self._groups(served)[inside], return_inverse=True)[1].ravel()
        passing = np.zeros((int(group.max(initial=-1)) + 1, rps.shape[1]))
        np.add.at(passing, group, rps)
        need = self.proxy.used(passing)
        parts = np.maximum(np.ceil(need.max(axis=1, initial=0.0) / self.most_cores * (1 - _SLACK)), 1.0)
        share = np.maximum(need.max(axis=1, initial=0.0) / parts, self.proxy.request[0])
        running = np.maximum(np.ceil(need / np.maximum(share, 1e-12)[:, None] * (1 - _SLACK)), 1.0)
        kinds, count = np.unique(np.column_stack([share, running]), axis=0, return_counts=True)
        return _own(asked, (kinds[:, 0], self.proxy.memory_gib), kinds[:, 1:].astype(np.int64), count)

    def _groups(self, served: Demand) -> NDArray[np.str_]:
        """[class], whose waypoint its calls pass: that of its application, or of its owner where it has none."""
        owner, application = names(served, "owner"), names(served, "application")
        return owner if self.by_owner else np.char.add(np.char.add(owner, "/"), application)


@dataclass(frozen=True)
class Control:
    """The control plane: one instance serves so many services and proxies."""

    cores: float
    gib: float
    services: int
    proxies: int
    replicas: int

    def pods(self, asked: Pods, services: int, proxies: Floats) -> Pods:
        """For `services`, and `proxies` [period] in pods or of groups."""
        wanted = np.maximum(np.ceil(proxies / self.proxies), max(np.ceil(services / self.services), self.replicas))
        return _own(asked, (np.array([self.cores]), self.gib), wanted[None, :].astype(np.int64), np.ones(1, np.int64))


def _own(asked: Pods, size: tuple[Floats, float], replicas: Ints, count: Ints) -> Pods:
    """Pods of the mesh itself, of `size` (cores [class], GiB), for the processors that most workloads have."""
    arches, many = np.unique(asked.arch, return_counts=True)
    arch = str(arches[int(np.argmax(many))])
    whole = np.zeros((len(count), replicas.shape[1], asked.size.shape[2]))
    whole[:, :, CPU], whole[:, :, MEMORY] = size[0][:, None], size[1]
    alike = np.full(len(count), arch), np.full(len(count), NOBODY)
    return Pods(whole, replicas, count.astype(np.int64), *alike, asked.zones)


@dataclass(frozen=True, kw_only=True)
class Mesh(Burden):
    """A mesh with proxies in every pod, or on every node with waypoints behind them."""

    calls: Calls
    in_pods: Proxy | None
    on_node: Proxy | None
    waypoints: Waypoints | None
    control: Control
    resized: bool
    """Whether requests of proxies follow the hour, or stay those of the busiest."""

    def on_pods(self, demand: Demand, asked: Pods) -> Floats:
        """The proxy of each replica; of a proxy on the node, what the replica's traffic takes of it."""
        rps = self.calls.through(demand) / np.maximum(asked.replicas, 1)
        rps = rps if self.resized else np.broadcast_to(rps.max(axis=1, initial=0.0)[:, None], rps.shape)
        out, inside = np.zeros((*rps.shape, 2)), self.calls.inside(demand)
        if self.in_pods is not None:
            out[inside, :, 0] = self.in_pods.cores(rps)[inside]
            out[inside, :, 1] = self.in_pods.memory_gib
        if self.on_node is not None:
            out[inside, :, 0] += self.on_node.used(rps)[inside]
        return out

    def beside(self, served: Demand, asked: Pods) -> Pods | None:
        """Waypoints and the control plane; none where nothing is in the mesh."""
        inside = self.calls.inside(served)
        if not inside.any() or not len(served.hours):
            return None
        replicas = asked.count[inside].astype(float) @ asked.replicas[inside].astype(float)
        behind = None if self.waypoints is None else self.waypoints.pods(served, asked, self.calls)
        groups = (
            np.zeros_like(replicas) if behind is None else behind.count.astype(float) @ behind.replicas.astype(float)
        )
        proxies = replicas if self.in_pods is not None else groups
        control = self.control.pods(asked, int(asked.count[inside].sum()), proxies)
        return joined(control, behind)

    def figures(self, served: Demand, asked: Pods, nodes: float) -> dict[str, float]:
        """Coverage by encryption on the way, and what proxies ask for at most; `asked` without what it carries."""
        inside, count = self.calls.inside(served), asked.count.astype(float)
        running = (count[:, None] * asked.replicas) @ served.hours
        called = (count[:, None] * self.calls.served(served)) @ served.hours
        share, recorded = _share(called, inside), self.calls.encrypted(served)
        own = self.beside(served, asked)
        carried = np.einsum("c,cp,cpr->pr", count, asked.replicas, self.on_pods(served, asked))
        apart = np.zeros(2) if own is None else np.einsum("c,cpr->pr", own.count[1:], own.requested[1:])[:, :2]
        taken = (carried + apart).max(axis=0, initial=0.0) + nodes * np.array(self.on_nodes[:2])
        return {
            "mtls_share_of_pods": _share(running, inside),
            # A call is encrypted where both ends are in the mesh; where no graph tells, either end is anyone.
            "mtls_share_of_calls": share * share if recorded is None else recorded,
            "requests_per_s_on_average": float(called.sum()) / max(float(served.hours.sum()), 1e-300),
            "proxy_cpu_cores_at_most": float(taken[0]),
            "proxy_memory_gib_at_most": float(taken[1]),
            "waypoints": 0.0 if own is None else float(own.count[1:].sum()),
            "mesh_control_plane_pods": 0.0 if own is None else float(own.replicas[0].max()),
        }


def _share(amount: Floats, inside: Bools) -> float:
    total = float(amount.sum())
    return float(amount[inside].sum()) / total if total > 0 else float(inside.all())
