"""What every cluster has: the settings of pods, nodes and what surrounds them."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from planner.models._autoscaler import Autoscaler
from planner.models._instances import Types
from planner.models._nodes import POD_LIMITS, Node, Scheme, allocatable, eni_max_pods
from planner.models._pods import PodRules
from planner.models._rented import Rented
from planner.quantities import CPU, MEMORY

__all__ = ["Clustered"]

Floats = NDArray[np.float64]

_SCHEME_OF: Final[dict[str, Scheme]] = {"aws": "eks", "azure": "aks", "gcp": "gke"}

_PROFILES: Final[dict[str, tuple[float, int]]] = {
    "development": (0.80, 1),
    "production": (0.65, 2),
    "high_availability": (0.50, 3),
}
"""Unit: how full requests are to be, and nodes. Source: kubecost/docs cluster-right-sizing-recommendation-api.md."""


class Clustered(Rented):
    """Settings that all clusters have, and what follows from them for one pod and one node."""

    native: ClassVar[tuple[str, ...]] = ("container",)

    nodes: Literal["rented", "owned"] = "rented"
    """Whether nodes are rented by the hour, with all that a provider bills around them, or are servers of one's own
    that run all the time and hold every pod at its largest; what own hardware costs besides is as in `physical` by
    default. Unit: name. Source: the user."""

    own_provider: str = "onprem"
    """Whose price rows are used for own servers. Unit: name. Source: the user."""

    own_region: str = "all"
    """Where own servers stand, as far as prices differ. Unit: name. Source: the user."""

    server_skus: tuple[str, ...] = ()
    """Own servers that may be bought; none named: every one in the price books. Unit: names. Source: the user."""

    spare_nodes: int = Field(default=1, ge=0)
    """Own servers that may fail at once; so many stand by for each that they can replace. Unit: servers.
    Source: VMware vSphere 6.7 Availability guide (host failures the cluster tolerates)."""

    own_control_planes: int = Field(default=3, ge=0)
    """Instances of the control plane, on own servers only; they keep apart. Unit: pods.
    Source: FROM MEMORY, kube-up."""

    own_control_cpu_cores: float = Field(default=4.0, ge=0)
    """CPU of each, for up to 100 nodes. Unit: cores. Source: FROM MEMORY, kube-up."""

    own_control_memory_gib: float = Field(default=16.0, ge=0)
    """Memory of each, for up to 100 nodes. Unit: GiB. Source: FROM MEMORY, kube-up."""

    terms: tuple[str, ...] = ("on_demand", "1y_no_upfront")
    """Terms that nodes may be had on; "spot" only for pods of workloads that may be interrupted. Unit: names.
    Source: the user; price book column term."""

    spot_share: float = Field(default=1.0, ge=0, le=1)
    """How many of the workloads that may be interrupted run on spot nodes, where the terms allow spot and it is sold.
    Others never do. Unit: fraction. Source: the user."""

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
    """Nodes that always run, unless `profile` says. Unit: nodes. Source: kubecost/docs@94fe629e cluster-right-sizing
    (3 for high availability)."""

    zones: int = Field(default=3, ge=1)
    """Zones that nodes and replicas are spread over. Unit: zones. Source: kubernetes/website@04d4491a
    setup/best-practices/multiple-zones.md."""

    scale_down_lag_hours: float = Field(default=1.0, ge=0)
    """How long a node stays after it is no longer needed, rounded up to whole periods. Unit: h.
    Source: kubernetes/autoscaler@55c37cd FAQ (10 min unneeded, 10 min after a scale-up)."""

    pod_cpu_cores: float = Field(default=1.0, gt=0)
    """Most CPU work of one replica of a workload that scales out, unless its request is kept. Unit: cores.
    Source: assumption of this planner, no published figure."""

    pod_memory_gib: float = Field(default=4.0, gt=0)
    """Most memory of one replica of a workload that scales out. Unit: GiB. Source: assumption of this planner, no
    published figure."""

    min_replicas: int = Field(default=1, ge=1)
    """Replicas that always run of a workload that scales out. Unit: replicas. Source: kubernetes.io, Horizontal Pod
    Autoscaling (minReplicas defaults to 1)."""

    profile: Literal["own", "development", "production", "high_availability"] = "own"
    """Fewest nodes and how full requests are to be, by name instead of by `min_nodes` and `target_utilisation`: 1 and
    0.80, 2 and 0.65, 3 and 0.50. Unit: name. Source: kubecost/docs cluster-right-sizing-recommendation-api.md."""

    target_utilisation: float = Field(default=1.0, gt=0, le=1)
    """Share of its request that the need of a pod fills, CPU and memory; 1, as the need holds the headroom of the
    demand policy already. Unit: fraction. Source: kubecost/docs api-request-right-sizing-v2.md (0.8 without other
    headroom)."""

    cpu_autoscaled: Literal["none", "containers", "scales_out"] = "containers"
    """Which workloads that scale out are under an autoscaler that counts by their CPU request: they keep the request
    that the trace tells (one set to what was used would make for ever more replicas). Containers, as others have no
    request yet. Unit: name. Source: robusta-dev/krr PR 80; kubernetes.io, Horizontal Pod Autoscaling."""

    autoscaler_target: float = Field(default=0.8, gt=0, le=1)
    """Share of its CPU request that a replica uses on average where replicas follow the hour. Unit: fraction.
    Source: kubernetes.io, HorizontalPodAutoscaler v2 (80 % where no metric is set)."""

    autoscaler_tolerance: float = Field(default=0.1, ge=0, lt=1)
    """Replicas stay as they are as long as use is that near to the target. Unit: fraction.
    Source: kubernetes.io, Horizontal Pod Autoscaling (0.1 by default)."""

    requests_per_replica: float | None = Field(default=None, gt=0)
    """Requests that one replica takes at once, where replicas follow requests in flight; none: they do not.
    Unit: requests. Source: knative.dev, Configuring concurrency (containerConcurrency)."""

    requests_target: float = Field(default=0.7, gt=0, le=1)
    """Share of them at which another replica starts. Unit: fraction. Source: knative.dev, Configuring concurrency
    (container-concurrency-target-percentage 70)."""

    resize_cpu: bool = True
    """Whether CPU requests of running pods follow the need of the hour; memory never shrinks. Unit: yes or no.
    Source: kubernetes.io, Resize CPU and Memory Resources assigned to Containers (in place, without restart)."""

    least_cpu_cores: float = Field(default=0.01, ge=0)
    """Smallest CPU request. Unit: cores. Source: robusta-dev/krr@d6baa74 (10 millicores)."""

    least_memory_gib: float = Field(default=0.09765625, ge=0)
    """Smallest memory request. Unit: GiB. Source: robusta-dev/krr@d6baa74 (100 MB)."""

    pod_overhead_cpu_cores: float = Field(default=0.0, ge=0)
    """CPU of each pod beside its work, such as an agent. Unit: cores. Source: the user."""

    pod_overhead_memory_gib: float = Field(default=0.0, ge=0)
    """Memory of each pod beside its work. Unit: GiB. Source: the user."""

    reservation: Scheme | Literal["provider"] = "provider"
    """By whose formulas a node keeps resources for itself. Unit: name. Source: each formula of
    planner/models/_nodes.py tells its own."""

    vm_overhead: float = Field(default=0.075, ge=0, lt=1)
    """Memory of a rented machine that its kernel never sees. Unit: fraction. Source: karpenter-provider-aws@1d927085
    pkg/providers/instancetype/types.go."""

    max_pods: int | None = Field(default=None, ge=1)
    """Pods on a node; none: by its network interfaces, as its price row tells, or the provider's default. Unit: pods.
    Source: the user; defaults of planner/models/_nodes.py (POD_LIMITS)."""

    interfaces_per_node: int = Field(default=0, ge=0)
    """Network interfaces of a node whose pods have addresses of the network; with `addresses_per_interface` they say
    how many pods it takes; 0: the price row tells. Unit: interfaces.
    Source: karpenter-provider-aws@1d927085 pkg/providers/instancetype/types.go ENILimitedPods."""

    addresses_per_interface: int = Field(default=0, ge=0)
    """Addresses of each of them. Unit: addresses.
    Source: karpenter-provider-aws@1d927085 pkg/providers/instancetype/types.go ENILimitedPods."""

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

    node_fee_sku: str = ""
    """Which fee the provider takes for running the nodes, such as eks-auto-mode: a share of their price on demand,
    whatever they are paid by; empty: none. Unit: sku. Source: the user; Amazon EKS pricing page (Auto Mode)."""

    nodes_per_cluster: int = Field(default=5000, ge=1)
    """Nodes of one cluster at most. Unit: nodes. Source: kubernetes/website@04d4491a
    setup/best-practices/cluster-large.md."""

    load_balancers: int = Field(default=1, ge=0)
    """Load balancers before the cluster. Unit: load balancers. Source: the user; one ingress."""

    load_balancer_sku: str = ""
    """Which load balancer, such as alb or nlb; empty: the first of the price books. Unit: sku. Source: the user."""

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

    @property
    def keeps(self) -> bool:
        """Whether its nodes are bought and kept."""
        return self.nodes == "owned"

    @property
    def fewest_nodes(self) -> int:
        """Nodes that always run."""
        return max(_PROFILES[self.profile][1] if self.profile != "own" else self.min_nodes, 1)

    @property
    def rules(self) -> PodRules:
        """How workloads become pods here."""
        return PodRules(
            cores=self.pod_cpu_cores,
            gib=self.pod_memory_gib,
            min_replicas=self.min_replicas,
            zones=self.zones,
            resize_cpu=self.resize_cpu and self.autoscale,
            utilisation=self.target_utilisation if self.profile == "own" else _PROFILES[self.profile][0],
            overhead=(self.pod_overhead_cpu_cores, self.pod_overhead_memory_gib),
            least=(self.least_cpu_cores, self.least_memory_gib),
            scaler=Autoscaler(
                self.autoscaler_target,
                self.autoscaler_tolerance,
                self.cpu_autoscaled,
                self.requests_per_replica,
                self.requests_target,
            ),
        )

    @property
    def scheme(self) -> Scheme:
        """By whose formulas a node keeps resources for itself."""
        if self.reservation != "provider":
            return self.reservation
        return "kubelet" if self.nodes == "owned" else _SCHEME_OF.get(self.provider, "kubelet")

    def slots(self, kinds: Types) -> Floats:
        """[type], pods that a node takes, agents included."""
        if self.max_pods is not None:
            return np.full(len(kinds.sku), float(self.max_pods))
        if self.interfaces_per_node and self.addresses_per_interface:
            return np.full(len(kinds.sku), float(eni_max_pods(self.interfaces_per_node, self.addresses_per_interface)))
        return np.where(np.isnan(kinds.max_pods), POD_LIMITS[self.scheme], kinds.max_pods)

    def room(self, kinds: Types, on_nodes: tuple[float, float, int] = (0.0, 0.0, 0)) -> Floats:
        """[type, held resource and slots], what a node leaves for pods, and how many of them it takes.

        Args:
            kinds: types of nodes.
            on_nodes: cores, GiB and pods that each node carries besides.
        """
        most = self.slots(kinds)
        seen = kinds.capacity[:, MEMORY] * (1 - (0.0 if self.nodes == "owned" else self.vm_overhead))
        cpu, memory = allocatable(self.scheme, Node(kinds.capacity[:, CPU], seen, most))
        room = kinds.capacity.copy()
        room[:, CPU] = np.clip(cpu - self.daemonset_cpu_cores - on_nodes[0], 0.0, None)
        room[:, MEMORY] = np.clip(memory - self.daemonset_memory_gib - on_nodes[1], 0.0, None)
        return np.column_stack([room, np.clip(np.floor(most) - self.daemonset_pods - on_nodes[2], 0, None)])
