"""Kubernetes: pods packed onto rented nodes whose number follows the hour."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from planner.catalog import Catalog
from planner.demand import Demand
from planner.models._ingress import Around, around
from planner.models._instances import Types, bought, types
from planner.models._nodes import Node, Scheme, allocatable
from planner.models._podplan import Cluster, certificate, details, placement, provisioned, shown, unplaced
from planner.models._pods import PodRules, Pods, pods
from planner.models._pools import fleet
from planner.models._rented import Rented, administrators, egress, inferred, migration, month_hours, moved, support
from planner.models._units import names
from planner.models._wanted import Ask, fitting
from planner.plan import Plan
from planner.quantities import CPU, GPU, HOURS_PER_WEEK, MEMORY, Assumption

__all__ = ["Kubernetes"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_SCHEME_OF: Final[dict[str, Scheme]] = {"aws": "eks", "azure": "aks", "gcp": "gke"}


class Kubernetes(Rented):
    """Pods on a managed cluster: replicas follow the hour where a workload scales out, nodes follow the pods."""

    kind: Literal["kubernetes"] = "kubernetes"
    title: ClassVar[str] = "Kubernetes"

    terms: tuple[str, ...] = ("on_demand", "1y_no_upfront")
    """Terms that nodes may be had on. Unit: names. Source: the user; price book column term."""

    families: tuple[str, ...] = ()
    """Instance families that nodes may be of; none: all. Unit: names. Source: the user."""

    categories: tuple[str, ...] = ("general", "compute", "memory", "gpu")
    """Instance categories that nodes may be of; burstable ones throttle when several pods burst. Unit: names.
    Source: the user."""

    max_node_cpu_cores: float = Field(default=32.0, gt=0)
    """Largest node, unless a pod needs more: losing one must not hurt much. Unit: cores. Source: assumption of this
    planner, no published figure."""

    autoscale: bool = True
    """Whether nodes come and go with the pods, or those of the busiest hour stay. Unit: yes or no.
    Source: kubernetes/autoscaler cluster-autoscaler."""

    min_nodes: int = Field(default=3, ge=0)
    """Nodes that always run. Unit: nodes. Source: kubecost/docs@94fe629e cluster-right-sizing (3 for high
    availability)."""

    zones: int = Field(default=3, ge=1)
    """Zones that nodes and replicas are spread over. Unit: zones. Source: kubernetes/website@04d4491a
    setup/best-practices/multiple-zones.md."""

    scale_down_lag_hours: float = Field(default=1.0, ge=0)
    """How long a node stays after it is no longer needed, rounded up to whole periods. Unit: h.
    Source: kubernetes/autoscaler@55c37cd FAQ (10 min unneeded, 10 min after a scale-up)."""

    pod_cpu_cores: float = Field(default=1.0, gt=0)
    """Most CPU work of one replica of a workload that scales out. Unit: cores. Source: assumption of this planner, no
    published figure."""

    pod_memory_gib: float = Field(default=4.0, gt=0)
    """Most memory of one replica of a workload that scales out. Unit: GiB. Source: assumption of this planner, no
    published figure."""

    min_replicas: int = Field(default=1, ge=1)
    """Replicas that always run of a workload that scales out. Unit: replicas. Source: kubernetes.io, Horizontal Pod
    Autoscaling (minReplicas defaults to 1)."""

    resize_cpu: bool = True
    """Whether CPU requests of running pods follow the need of the hour; memory never shrinks. Unit: yes or no.
    Source: kubernetes.io, Resize CPU and Memory Resources assigned to Containers (in place, without restart)."""

    least_cpu_cores: float = Field(default=0.01, ge=0)
    """Smallest CPU request. Unit: cores. Source: robusta-dev/krr@d6baa74 (10 millicores)."""

    least_memory_gib: float = Field(default=0.09765625, ge=0)
    """Smallest memory request. Unit: GiB. Source: robusta-dev/krr@d6baa74 (100 MB)."""

    pod_overhead_cpu_cores: float = Field(default=0.0, ge=0)
    """CPU of each pod beside its work, such as a sidecar. Unit: cores. Source: the user."""

    pod_overhead_memory_gib: float = Field(default=0.0, ge=0)
    """Memory of each pod beside its work. Unit: GiB. Source: the user."""

    reservation: Scheme | Literal["provider"] = "provider"
    """By whose formulas a node keeps resources for itself. Unit: name. Source: each formula of
    planner/models/_nodes.py tells its own."""

    vm_overhead: float = Field(default=0.075, ge=0, lt=1)
    """Memory of a rented machine that its kernel never sees. Unit: fraction. Source: karpenter-provider-aws@1d927085
    pkg/providers/instancetype/types.go."""

    default_max_pods: int = Field(default=110, ge=1)
    """Pods on a node whose price row does not tell. Unit: pods. Source: kubernetes/website@04d4491a
    setup/best-practices/cluster-large.md."""

    daemonset_cpu_cores: float = Field(default=0.35, ge=0)
    """CPU that agents ask for on each node (network, storage, logs, metrics). Unit: cores. Source: FROM MEMORY, middle
    of 0.2 to 0.5; no published figure, measure it."""

    daemonset_memory_gib: float = Field(default=0.75, ge=0)
    """Memory that agents ask for on each node. Unit: GiB. Source: FROM MEMORY, middle of 0.5 to 1; no published
    figure, measure it."""

    daemonset_pods: int = Field(default=5, ge=0)
    """Agents on each node. Unit: pods. Source: FROM MEMORY (network, proxy, storage, logs, metrics)."""

    control_plane_sku: str = ""
    """Which control plane; empty: the provider's standard one. Unit: sku. Source: the user."""

    nodes_per_cluster: int = Field(default=5000, ge=1)
    """Nodes of one cluster at most. Unit: nodes. Source: kubernetes/website@04d4491a
    setup/best-practices/cluster-large.md."""

    load_balancers: int = Field(default=1, ge=0)
    """Load balancers before the cluster. Unit: load balancers. Source: the user; one ingress."""

    gib_per_capacity_hour: float = Field(default=1.0, gt=0)
    """Traffic that one capacity unit of a load balancer passes in an hour. Unit: GiB/h.
    Source: infracost@95ba4f49 lb_test (1,000 GB a month are 1.3698 units)."""

    nat_gateways: int | None = Field(default=None, ge=0)
    """Gateways for what pods ask of the internet; none: one a zone. Unit: gateways. Source: AWS VPC user guide (one
    per zone, so that the loss of a zone does not cut the others off)."""

    nat_share: float = Field(default=0.1, ge=0)
    """What passes them, as a share of what is sent to the internet. Unit: fraction. Source: assumption of this planner,
    no published figure."""

    east_west_ratio: float = Field(default=1.0, ge=0)
    """Traffic between pods for each byte sent to the internet. Unit: ratio. Source: assumption of this planner, no
    published figure."""

    node_disk_gib: float = Field(default=50.0, ge=0)
    """System disk of a node. Unit: GiB. Source: assumption of this planner (EKS defaults to 20, GKE to 100, AKS to
    128, FROM MEMORY)."""

    volume_gib: float = Field(default=16.0, ge=0)
    """Volume of a machine that becomes a pod, where the trace does not tell. Unit: GiB. Source: assumption of this
    planner, no published figure."""

    nodes_per_admin: float | None = Field(default=100.0, gt=0)
    """Nodes that one full-time platform engineer looks after; none: no labour. Unit: nodes.
    Source: FROM MEMORY, middle of 50 to 150; no published figure."""

    effort: float = Field(default=0.002, ge=0)
    """Budget of the search for better packings; 0 takes the first found. Unit: ratio.
    Source: planner.optimise.packing."""

    def plan(self, demand: Demand, catalog: Catalog, owned: Mapping[str, int] | None = None) -> Plan:
        """Nodes of every period, on the best mix of terms.

        Raises:
            PriceBookError: nothing is sold there on these terms, or something that a cluster needs has no price.
        """
        market = catalog.at(self.provider, self.region)
        asked = pods(demand, self._rules)
        kinds, room = self._nodes(types(market, self.terms, self.families, self.categories), asked)
        fits = fitting(asked, room, kinds.arch)
        placed = np.asarray(fits.any(axis=1), bool)
        ask = self._ask(demand, asked.only(placed), (kinds, room, fits[placed]))
        found = fleet(ask)
        served = demand.select(placed)
        instances, boxes = bought(kinds, found.counts, demand.hours)
        traffic, guessed, sent = egress(self, market, served)
        use, more = self._around(served, found.counts, sent)
        lines = [*instances, *around(market, use, self.control_plane_sku), *traffic]
        lines += support(self, market, lines)
        lines += administrators(catalog, _mean_nodes(demand, found.counts), self.nodes_per_admin)
        lines += migration(catalog, self.provider, "replatform", moved(served, ("container",)))
        cluster = Cluster(served, kinds, ask, found)
        return Plan(
            model=self.kind,
            lines=tuple(lines),
            hours=demand.hours,
            provisioned=provisioned(cluster, use.stored_gib),
            used=served.used,
            boxes=boxes,
            placement=placement(cluster),
            cost_by_workload=shown(cluster, lines),
            unplaced=unplaced(demand, asked, placed, (kinds, room)),
            certificate=certificate(cluster, instances),
            assumptions=(*self.settings(), *demand.assumptions, *guessed, *more),
            details=details(cluster),
        )

    @property
    def _rules(self) -> PodRules:
        return PodRules(
            self.pod_cpu_cores,
            self.pod_memory_gib,
            self.min_replicas,
            self.zones,
            self.resize_cpu and self.autoscale,
            (self.pod_overhead_cpu_cores, self.pod_overhead_memory_gib),
            (self.least_cpu_cores, self.least_memory_gib),
        )

    def _nodes(self, sold: Types, asked: Pods) -> tuple[Types, Floats]:
        """Types that nodes may be of, with the room that they leave for pods."""
        room = self.room(sold)
        small = sold.capacity[:, CPU] <= self.max_node_cpu_cores
        fits = fitting(asked, room, sold.arch)
        price = np.minimum(sold.used, sold.committed)
        keep = small & (~_gpu(sold) | bool(asked.peak[:, GPU].any()))
        for i in np.flatnonzero(fits.any(axis=1) & ~fits[:, keep].any(axis=1)):
            keep[int(np.argmin(np.where(fits[i], price, np.inf)))] = True
        return sold.only(keep), room[keep]

    def room(self, kinds: Types) -> Floats:
        """[type, held resource and slots], what a node leaves for pods, and how many of them it takes."""
        scheme = _SCHEME_OF.get(self.provider, "kubelet") if self.reservation == "provider" else self.reservation
        most = np.where(np.isnan(kinds.max_pods), self.default_max_pods, kinds.max_pods)
        seen = kinds.capacity[:, MEMORY] * (1 - self.vm_overhead)
        cpu, memory = allocatable(scheme, Node(kinds.capacity[:, CPU], seen, most))
        room = kinds.capacity.copy()
        room[:, CPU] = np.clip(cpu - self.daemonset_cpu_cores, 0.0, None)
        room[:, MEMORY] = np.clip(memory - self.daemonset_memory_gib, 0.0, None)
        return np.column_stack([room, np.clip(np.floor(most) - self.daemonset_pods, 0, None)])

    def _ask(self, demand: Demand, asked: Pods, nodes: tuple[Types, Floats, Bools]) -> Ask:
        kinds, room, fits = nodes
        period_hours = HOURS_PER_WEEK / max(len(demand.hours), 1)
        return Ask(
            pods=asked,
            hours=demand.hours,
            room=room,
            used=kinds.used,
            committed=kinds.committed,
            fits=fits,
            min_nodes=max(self.min_nodes, 1),
            lag_periods=ceil(self.scale_down_lag_hours / max(1.0, period_hours)) if self.autoscale else 0,
            autoscale=self.autoscale,
            effort=self.effort,
        )

    def _around(self, served: Demand, counts: Ints, sent: float) -> tuple[Around, list[Assumption]]:
        known = served.workloads["storage_gib"].to_numpy(float)
        stateless = names(served, "kind") == "function"
        guess = np.isnan(known) & ~stateless
        volumes = np.where(np.isnan(known), np.where(stateless, 0.0, self.volume_gib), known)
        told = [
            inferred("kubernetes: pods whose volume is assumed", int(served.count[guess].sum()), "pods", "no reading")
        ]
        use = Around(
            month=month_hours(served.hours),
            nodes=counts.sum(axis=1).astype(float),
            hours=served.hours,
            nodes_per_cluster=self.nodes_per_cluster,
            load_balancers=self.load_balancers,
            gib_per_capacity_hour=self.gib_per_capacity_hour,
            nat_gateways=self.zones if self.nat_gateways is None else self.nat_gateways,
            sent_gib=sent,
            nat_gib=sent * self.nat_share,
            cross_zone_gib=sent * self.east_west_ratio * (1 - 1 / self.zones),
            node_disk_gib=self.node_disk_gib,
            volumes_gib=volumes,
            volumes=served.count,
        )
        return use, told if guess.any() else []


def _gpu(kinds: Types) -> Bools:
    return np.asarray(kinds.capacity[:, GPU] > 0)


def _mean_nodes(demand: Demand, counts: Ints) -> float:
    """Nodes that run, averaged over the month."""
    return float(demand.hours @ counts.sum(axis=1)) / max(month_hours(demand.hours), 1e-9) if len(counts) else 0.0
