"""What a cluster pays beside its nodes: control plane, ways in and out, traffic between zones, disks."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.models._rented import disks, offered
from planner.plan import Line, metered

__all__ = ["Around", "around", "per_node"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Around:
    """How much of what surrounds the nodes."""

    month: float
    """Hours."""
    nodes: Floats
    """[period], running."""
    hours: Floats
    """[period]."""
    nodes_per_cluster: float
    load_balancers: int
    gib_per_capacity_hour: float
    nat_gateways: int
    sent_gib: float
    nat_gib: float
    cross_zone_gib: float
    node_disk_gib: float
    volumes_gib: Floats
    """[class]."""
    volumes: NDArray[np.int64]
    """[class], how many of them."""

    @property
    def mean_nodes(self) -> float:
        """How many run on average."""
        return float(self.hours @ self.nodes) / self.month

    @property
    def stored_gib(self) -> float:
        """System disks and volumes together, on average."""
        return float(self.volumes_gib @ self.volumes) + self.node_disk_gib * self.mean_nodes


def per_node(market: Catalog, disk_gib: float, month: float) -> float:
    """What the disk of one more node costs an hour."""
    return sum(e.usd for e in disks(market, np.array([disk_gib]), np.ones(1), ("gp3", "balanced"))) / month


def around(market: Catalog, use: Around, skus: tuple[str, str] = ("", "")) -> list[Line]:
    """All lines beside nodes, traffic to the internet and support; `skus` of control plane and load balancer, if named.

    Raises:
        PriceBookError: something that is used has no price.
    """
    most = float(use.nodes.max(initial=0.0))
    if most <= 0:
        return []
    clusters = ceil(most / use.nodes_per_cluster)
    planes = offered(market, "control_plane", ("standard",), skus[0])
    lines = metered(planes, clusters * use.month, "platform")
    lines += _balanced(market, use, skus[1]) if use.load_balancers else []
    if use.nat_gateways:
        lines += metered(offered(market, "nat_gateway"), use.nat_gateways * use.month, "network")
        lines += metered(offered(market, "nat_data"), use.nat_gib, "network")
    if use.cross_zone_gib > 0:
        lines += metered(offered(market, "inter_az"), 2 * use.cross_zone_gib, "network")
    return lines + _stored(market, use)


def _balanced(market: Catalog, use: Around, sku: str) -> list[Line]:
    """Load balancers, and what passes through them: by capacity units where they are sold, else by the GB.

    A capacity unit passes so many GB an hour; connections and rules are taken to need no more. Price books begin the
    name of a unit as that of its load balancer.
    """
    tiers = offered(market, "load_balancer", (), sku)
    lines = metered(tiers, use.load_balancers * use.month, "network")
    if len(market.of("load_balancer_capacity")):
        units = use.sent_gib / use.gib_per_capacity_hour
        words = (str(tiers["sku"].iloc[0]).lower(),)
        return lines + metered(offered(market, "load_balancer_capacity", words), units, "network")
    return lines + metered(offered(market, "load_balancer_data"), use.sent_gib, "network")


def _stored(market: Catalog, use: Around) -> list[Line]:
    """System disks of the nodes that run on average, and volumes of pods."""
    gib = np.append(use.volumes_gib, use.node_disk_gib)
    count = np.append(use.volumes.astype(float), use.mean_nodes)
    return disks(market, gib, count, ("gp3", "balanced"))
