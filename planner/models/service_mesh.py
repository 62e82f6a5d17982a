"""Service mesh: the same cluster with proxies that encrypt, route and watch every call between workloads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from planner.catalog import Catalog
from planner.demand import Demand
from planner.models._clustered import Clustered
from planner.models._clusterplan import planned
from planner.models._graph import graph
from planner.models._mesh import Calls, Control, Mesh, Proxy, Waypoints
from planner.models._pods import Burden, pods
from planner.models._rented import inferred
from planner.plan import Plan
from planner.quantities import Assumption

__all__ = ["ServiceMesh"]


class ServiceMesh(Clustered):
    """A Kubernetes cluster in which pods carry proxies, or nodes do and applications have waypoints.

    Pods, nodes and the bill around them are those of the cluster; the mesh is a burden on them, beside the work that a
    replica does. What it costs more than the same cluster without it is told in the details.
    """

    kind: Literal["service_mesh"] = "service_mesh"
    title: ClassVar[str] = "Kubernetes with a service mesh"

    mode: Literal["istio_sidecar", "istio_ambient", "linkerd"] = "istio_sidecar"
    """Which mesh: a proxy in every pod (Istio, Linkerd), or one on every node and waypoints. Unit: name.
    Source: the user."""

    meshed_kinds: tuple[str, ...] = ()
    """Kinds of workloads that are in the mesh; none: all. Unit: names. Source: the user."""

    cpu_seconds_per_request: float = Field(default=0.02, gt=0)
    """Work of one request, by which requests are inferred from cores in use where the trace does not tell them.
    Unit: s. Source: assumption of this planner, no published figure."""

    calls_per_request: float = Field(default=1.0, ge=0)
    """Calls to other workloads that a workload makes for each request that it serves. Unit: calls.
    Source: assumption of this planner, no published figure; a recorded call graph goes before it."""

    calls_in_path: float = Field(default=3.0, ge=0)
    """Calls one after another that a user waits for. Unit: calls. Source: istio.io, Bookinfo (gateway to productpage
    to reviews to ratings)."""

    proxy_headroom: float = Field(default=0.15, ge=0)
    """Room that proxies have above the mean requests of a period. Unit: fraction. Source: as the demand policy's
    headroom, robusta-dev/krr@d6baa74 strategies/simple.py."""

    sidecar_request_cpu_cores: float = Field(default=0.1, ge=0)
    """CPU that an Istio sidecar asks for at least. Unit: cores. Source: danehans/service-mesh-for-less-blog (100 m)."""

    sidecar_request_memory_gib: float = Field(default=0.125, ge=0)
    """Memory that it asks for at least. Unit: GiB. Source: danehans/service-mesh-for-less-blog (128 Mi)."""

    sidecar_cpu_cores_per_1000_rps: float = Field(default=0.2, ge=0)
    """CPU that 1,000 requests a second through it take. Unit: cores. Source: istio.io 1.24, Performance and
    scalability (1 KB, two workers)."""

    sidecar_memory_gib: float = Field(default=0.0559, ge=0)
    """Memory that it uses. Unit: GiB. Source: istio.io 1.24, Performance and scalability (60 MB)."""

    linkerd_request_cpu_cores: float = Field(default=0.01, ge=0)
    """CPU that a Linkerd proxy asks for at least. Unit: cores. Source: Linkerd blog 2021-05-27 (10 ms/s at most)."""

    linkerd_cpu_cores_per_1000_rps: float = Field(default=0.04, ge=0)
    """CPU that 1,000 requests a second through it take. Unit: cores. Source: Linkerd blog 2021-05-27 (10 ms/s where
    Istio took 88) times istio.io 1.12 (0.35)."""

    linkerd_memory_gib: float = Field(default=0.0166, ge=0)
    """Memory that it uses. Unit: GiB. Source: Linkerd blog 2021-05-27 (17.8 MB at most)."""

    ztunnel_request_cpu_cores: float = Field(default=0.2, ge=0)
    """CPU that the ambient proxy of a node asks for, besides what its traffic takes. Unit: cores.
    Source: FROM MEMORY, Istio chart of ztunnel (200 m)."""

    ztunnel_request_memory_gib: float = Field(default=0.5, ge=0)
    """Memory that it asks for at least. Unit: GiB. Source: FROM MEMORY, Istio chart of ztunnel (512 Mi)."""

    ztunnel_cpu_cores_per_1000_rps: float = Field(default=0.06, ge=0)
    """CPU that 1,000 requests a second through it take. Unit: cores. Source: istio.io 1.24, Performance and
    scalability."""

    ztunnel_memory_gib: float = Field(default=0.0112, ge=0)
    """Memory that it uses. Unit: GiB. Source: istio.io 1.24, Performance and scalability (12 MB)."""

    waypoint_per: Literal["owner", "application", "none"] = "owner"
    """For whom there is a waypoint in ambient mode: each owner, whose namespace is taken to hold its workloads, each
    application, or nobody, where encryption is enough. Unit: name. Source: istio.io, Configure waypoint proxies (for a
    namespace by default)."""

    waypoint_request_cpu_cores: float = Field(default=0.1, ge=0)
    """CPU that a waypoint asks for at least. Unit: cores. Source: as a sidecar, danehans/service-mesh-for-less-blog."""

    waypoint_request_memory_gib: float = Field(default=0.125, ge=0)
    """Memory that it asks for at least. Unit: GiB. Source: as a sidecar, danehans/service-mesh-for-less-blog."""

    waypoint_cpu_cores_per_1000_rps: float = Field(default=0.25, ge=0)
    """CPU that 1,000 requests a second through it take. Unit: cores. Source: istio.io 1.24, Performance and
    scalability."""

    waypoint_memory_gib: float = Field(default=0.0559, ge=0)
    """Memory that it uses. Unit: GiB. Source: istio.io 1.24, Performance and scalability (60 MB)."""

    waypoint_most_cpu_cores: float = Field(default=2.0, gt=0)
    """Most work of one replica of a waypoint. Unit: cores. Source: istio.io 1.24, Performance and scalability (two
    workers)."""

    istiod_cpu_cores: float = Field(default=1.0, ge=0)
    """CPU of one instance of Istio's control plane. Unit: cores. Source: istio.io 1.24, Performance and
    scalability."""

    istiod_memory_gib: float = Field(default=1.397, ge=0)
    """Its memory. Unit: GiB. Source: istio.io 1.24, Performance and scalability (1.5 GB)."""

    linkerd_control_cpu_cores: float = Field(default=0.071, ge=0)
    """CPU of one instance of Linkerd's control plane. Unit: cores. Source: Linkerd blog 2021-05-27 (71 ms/s)."""

    linkerd_control_memory_gib: float = Field(default=0.302, ge=0)
    """Its memory. Unit: GiB. Source: Linkerd blog 2021-05-27 (324 MB)."""

    services_per_control_plane: int = Field(default=1000, ge=1)
    """Services that one instance of the control plane serves. Unit: services. Source: istio.io 1.24, Performance and
    scalability."""

    proxies_per_control_plane: int = Field(default=2000, ge=1)
    """Proxies in pods, or waypoints, that it serves. Unit: proxies. Source: istio.io 1.24, Performance and
    scalability."""

    control_plane_replicas: int = Field(default=1, ge=1)
    """Instances of the control plane at least. Unit: instances. Source: FROM MEMORY, Istio chart of istiod
    (autoscaleMin 1); two where it must survive a node."""

    sidecar_pair_p50_ms: float = Field(default=1.72, ge=0)
    """Latency that two Istio sidecars add to a call, at the median. Unit: ms. Source: istio/istio.io@01eb7425 (1.7 with
    jitter, P90; no median is printed, so at most that)."""

    sidecar_pair_p99_ms: float = Field(default=2.88, ge=0)
    """The same for one call in a hundred. Unit: ms. Source: istio/istio.io@01eb7425 (1.7, P99)."""

    ztunnel_pair_p50_ms: float = Field(default=0.17, ge=0)
    """Latency that the proxies of two nodes add, at the median. Unit: ms. Source: istio.io 1.24, quoted (P90; no median
    is printed, so at most that)."""

    ztunnel_pair_p99_ms: float = Field(default=0.2, ge=0)
    """The same for one call in a hundred. Unit: ms. Source: istio.io 1.24, quoted (P99)."""

    waypoint_p50_ms: float = Field(default=0.86, ge=0)
    """Latency that a waypoint adds, at the median. Unit: ms. Source: half of a pair of sidecars, as it is one such
    proxy."""

    waypoint_p99_ms: float = Field(default=1.44, ge=0)
    """The same for one call in a hundred. Unit: ms. Source: half of a pair of sidecars, as it is one such proxy."""

    linkerd_pair_p50_ms: float = Field(default=1.02, ge=0)
    """Latency that Linkerd adds to a call, at the median. Unit: ms.
    Source: gist.github.com/zaharidichev/6407e3b8a9c0579b3a477b3596f10641 (2019, 1,000 rps, HTTP/1.1)."""

    linkerd_pair_p99_ms: float = Field(default=2.96, ge=0)
    """The same for one call in a hundred. Unit: ms.
    Source: gist.github.com/zaharidichev/6407e3b8a9c0579b3a477b3596f10641 (2019, 1,000 rps, HTTP/1.1)."""

    def plan(self, demand: Demand, catalog: Catalog, owned: Mapping[str, int] | None = None) -> Plan:
        """Nodes of every period for pods with their proxies, and beside it the same cluster without the mesh.

        Raises:
            PriceBookError: nothing is sold there on these terms, or something that a cluster needs has no price.
        """
        mesh = self.mesh
        plan = planned(self, demand, catalog, mesh, owned)
        left = demand.workloads.index.isin(_classes(demand, plan))
        served = demand.select(~left)
        plain = planned(self, served, catalog, Burden()).usd_per_month
        nodes = float(plan.details["nodes_at_most"])
        # Lighter pods fit the nodes of heavier ones: where the search found those cheaper, both clusters run on them.
        more = max(plan.usd_per_month - plain, 0.0)
        figures = {
            "mesh_usd_per_month": more,
            "usd_per_month_without_mesh": plan.usd_per_month - more,
            **self._latency(),
            **mesh.figures(served, pods(served, self.rules), nodes),
        }
        return replace(
            plan,
            assumptions=(*plan.assumptions, *self._guessed(served, mesh)),
            details=plan.details | figures,
        )

    @property
    def mesh(self) -> Mesh:
        """What the mesh puts on the cluster."""
        ambient = self.mode == "istio_ambient"
        tunnel = self._tunnel if ambient else None
        on_nodes = (tunnel.request[0], tunnel.memory_gib, 1) if tunnel else (0.0, 0.0, 0)
        behind = ambient and self.waypoint_per != "none"
        return Mesh(
            on_nodes=on_nodes,
            calls=Calls(self.cpu_seconds_per_request, self.calls_per_request, self.proxy_headroom, self.meshed_kinds),
            in_pods=None if ambient else self._in_pods,
            on_node=tunnel,
            waypoints=self._waypoints if behind else None,
            control=self._control,
            resized=self.resize_cpu and self.autoscale,
        )

    @property
    def _in_pods(self) -> Proxy:
        if self.mode == "linkerd":
            request = (self.linkerd_request_cpu_cores, self.linkerd_memory_gib)
            return Proxy(request, self.linkerd_cpu_cores_per_1000_rps, self.linkerd_memory_gib)
        request = (self.sidecar_request_cpu_cores, self.sidecar_request_memory_gib)
        return Proxy(request, self.sidecar_cpu_cores_per_1000_rps, self.sidecar_memory_gib)

    @property
    def _tunnel(self) -> Proxy:
        request = (self.ztunnel_request_cpu_cores, self.ztunnel_request_memory_gib)
        return Proxy(request, self.ztunnel_cpu_cores_per_1000_rps, self.ztunnel_memory_gib)

    @property
    def _waypoints(self) -> Waypoints:
        request = (self.waypoint_request_cpu_cores, self.waypoint_request_memory_gib)
        proxy = Proxy(request, self.waypoint_cpu_cores_per_1000_rps, self.waypoint_memory_gib)
        return Waypoints(proxy, self.waypoint_most_cpu_cores, self.waypoint_per == "owner")

    @property
    def _control(self) -> Control:
        linkerd = self.mode == "linkerd"
        return Control(
            self.linkerd_control_cpu_cores if linkerd else self.istiod_cpu_cores,
            self.linkerd_control_memory_gib if linkerd else self.istiod_memory_gib,
            self.services_per_control_plane,
            self.proxies_per_control_plane,
            self.control_plane_replicas,
        )

    def _latency(self) -> dict[str, float]:
        """What all calls of a path add; rare delays are taken to meet, so the P99 is at most that."""
        pair = {
            "istio_sidecar": (self.sidecar_pair_p50_ms, self.sidecar_pair_p99_ms),
            "istio_ambient": (self.ztunnel_pair_p50_ms, self.ztunnel_pair_p99_ms),
            "linkerd": (self.linkerd_pair_p50_ms, self.linkerd_pair_p99_ms),
        }[self.mode]
        behind = self.mode == "istio_ambient" and self.waypoint_per != "none"
        more = (self.waypoint_p50_ms, self.waypoint_p99_ms) if behind else (0.0, 0.0)
        per_call = (pair[0] + more[0], pair[1] + more[1])
        return {
            "added_latency_p50_ms": per_call[0] * self.calls_in_path,
            "added_latency_p99_ms": per_call[1] * self.calls_in_path,
            "added_latency_per_call_p50_ms": per_call[0],
            "added_latency_per_call_p99_ms": per_call[1],
        }

    def _guessed(self, served: Demand, mesh: Mesh) -> list[Assumption]:
        """What the trace does not tell of requests and calls."""
        unknown = int(served.count[~mesh.calls.known(served)].sum())
        calls = inferred(f"{self.kind}: calls to others a request", self.calls_per_request, "calls", "no call graph")
        recorded = graph(served)
        if recorded is not None:
            name, source = f"{self.kind}: pairs of the recorded call graph", "calls a second of the recording"
            calls = Assumption(name, len(recorded.caller), "pairs", source, measured=True)
        rule = f"cores in use / {self.cpu_seconds_per_request:g} s"
        told = [inferred(f"{self.kind}: workloads whose requests are inferred", unknown, "workloads", rule)]
        return [*(told if unknown else []), *([calls] if len(served.count) else [])]


def _classes(demand: Demand, plan: Plan) -> list[int]:
    """Classes that the plan leaves out; the members of a class share their fate."""
    left = demand.members["workload"].isin(plan.unplaced["workload"])
    return sorted({int(c) for c in demand.members["class"][left]})
