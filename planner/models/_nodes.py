"""What a Kubernetes node keeps for itself, by the published formulas, and what is left for pods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["POD_LIMITS", "SCHEMES", "Node", "Scheme", "allocatable", "eni_max_pods", "reserved"]

Floats = NDArray[np.float64]
Scheme = Literal["eks", "aks", "aks_before_1_29", "gke", "tke", "kubelet", "none"]

MIB_PER_GIB: Final = 1024.0
GB_PER_GIB: Final = 2.0**30 / 1e9
"""AKS states its rules in decimal GB and MB."""


@dataclass(frozen=True)
class Node:
    """Nodes as columns: cores and memory as the kernel sees them, and how many pods they may run."""

    cpu_cores: Floats
    memory_gib: Floats
    max_pods: Floats


Reserved = tuple[Floats, Floats]
"""Cores, and GiB with the eviction threshold, that pods cannot have."""


def _steps(amount: Floats, edges: tuple[float, ...], shares: tuple[float, ...]) -> Floats:
    """`shares` of the parts of `amount` between 0, the `edges` and infinity."""
    bounds = np.array([0.0, *edges, np.inf])
    inside: Floats = np.clip(np.minimum(amount[:, None], bounds[1:]) - bounds[:-1], 0.0, None)
    return np.asarray(inside @ np.array(shares))


def _stepped_cpu(cores: Floats) -> Floats:
    return _steps(cores, (1.0, 2.0, 4.0), (0.06, 0.01, 0.005, 0.0025))


def _eks(node: Node) -> Reserved:
    """Source: karpenter-provider-aws@1d927085 pkg/providers/instancetype/types.go; amazon-eks-ami bootstrap.sh."""
    return _stepped_cpu(node.cpu_cores), (255.0 + 11.0 * node.max_pods + 100.0) / MIB_PER_GIB


def _gke(node: Node) -> Reserved:
    """Source: GKE documentation, node sizes; hatemosphere/gke-node-allocatable-memory-calculator (eviction 100 MiB)."""
    memory = _steps(node.memory_gib, (4.0, 8.0, 16.0, 128.0), (0.25, 0.20, 0.10, 0.06, 0.02))
    memory = np.where(node.memory_gib < 1.0, 255.0 / MIB_PER_GIB, memory)
    return _stepped_cpu(node.cpu_cores) + np.where(node.max_pods > 110, 0.4, 0.0), memory + 100.0 / MIB_PER_GIB


def _aks_cpu(cores: Floats) -> Floats:
    known = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
    kept = np.array([0.0, 0.060, 0.100, 0.140, 0.180, 0.260, 0.420, 0.740])
    slope = float((kept[-1] - kept[-2]) / (known[-1] - known[-2]))
    return np.asarray(np.interp(cores, known, kept) + slope * np.clip(cores - known[-1], 0.0, None))


def _aks(node: Node) -> Reserved:
    """Source: MicrosoftDocs/azure-aks-docs@11fb7fb8 articles/aks/node-resource-reservations.md, from 1.29 on."""
    gb = node.memory_gib * GB_PER_GIB
    return _aks_cpu(node.cpu_cores), (np.minimum(0.020 * node.max_pods + 0.050, 0.25 * gb) + 0.100) / GB_PER_GIB


def _aks_before_1_29(node: Node) -> Reserved:
    """Source: MicrosoftDocs/azure-aks-docs@11fb7fb8 articles/aks/node-resource-reservations.md, before 1.29."""
    gb = node.memory_gib * GB_PER_GIB
    memory = _steps(gb, (4.0, 8.0, 16.0, 128.0), (0.25, 0.20, 0.10, 0.06, 0.02))
    return _aks_cpu(node.cpu_cores), (memory + 0.750) / GB_PER_GIB


def _tke(node: Node) -> Reserved:
    """Source: tencentcloud.com/document/product/457/48777 (clusters before 1.30; eviction 100 MiB)."""
    cpu = 0.1 + _steps(node.cpu_cores, (4.0, 64.0, 128.0), (0.0, 0.025, 0.0125, 0.005))
    memory = _steps(node.memory_gib, (4.0, 8.0, 16.0, 128.0), (0.25, 0.20, 0.10, 0.06, 0.02))
    return cpu, memory + 100.0 / MIB_PER_GIB


def _kubelet(node: Node) -> Reserved:
    """Source: docs.cloud.google.com/anthos/clusters/docs/on-prem resources-available-pods (owned nodes)."""
    return 0.080 + 0.01 * node.cpu_cores, (330.0 + 100.0) / MIB_PER_GIB + 0.05 * node.memory_gib


def _none(node: Node) -> Reserved:
    """Source: the user, whose figures are what is left for pods."""
    return np.zeros_like(node.cpu_cores), np.zeros_like(node.memory_gib)


SCHEMES: Final[dict[str, Callable[[Node], Reserved]]] = {
    "eks": _eks,
    "aks": _aks,
    "aks_before_1_29": _aks_before_1_29,
    "gke": _gke,
    "tke": _tke,
    "kubelet": _kubelet,
    "none": _none,
}
"""Who says how much a node keeps; `kubelet` is a node of one's own, `none` where the book tells what is left."""

POD_LIMITS: Final[dict[str, int]] = {
    "eks": 110,
    "aks": 250,
    "aks_before_1_29": 110,
    "gke": 110,
    "tke": 110,
    "kubelet": 110,
    "none": 110,
}
"""Unit: pods on a node by default, where no price row tells.
Source: kubernetes/website@04d4491a setup/best-practices/cluster-large.md (110); FROM MEMORY, AKS (250 with the overlay
network, 110 with kubenet, 30 in the node's own subnet) and GKE documentation (110, at most 256)."""


def reserved(scheme: str, node: Node) -> Reserved:
    """Cores and GiB (kube-reserved, system-reserved and eviction threshold) that `node` keeps by `scheme`.

    >>> cpu, memory = reserved("gke", Node(np.array([4.0]), np.array([150.0]), np.array([110.0])))
    >>> round(float(cpu[0]), 3), round(float(memory[0]), 4)
    (0.08, 9.8577)
    """
    return SCHEMES[scheme](node)


def allocatable(scheme: str, node: Node) -> tuple[Floats, Floats]:
    """Cores and GiB that pods may ask for on each node, at least 0."""
    cpu, memory = reserved(scheme, node)
    return np.clip(node.cpu_cores - cpu, 0.0, None), np.clip(node.memory_gib - memory, 0.0, None)


def eni_max_pods(interfaces: int, addresses: int) -> int:
    """Pods on an EKS node whose pods have addresses of the VPC.

    Source: karpenter-provider-aws@1d927085 pkg/providers/instancetype/types.go ENILimitedPods.

    >>> eni_max_pods(3, 10)
    29
    """
    return interfaces * (addresses - 1) + 2
