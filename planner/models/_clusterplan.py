"""From a demand to the plan of a cluster: pods, pools of nodes, what surrounds them, and the bill."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.demand import Demand
from planner.errors import PriceBookError
from planner.models._clustered import Clustered
from planner.models._ingress import Around, around
from planner.models._instances import bought
from planner.models._nodepools import Offer, offered, pooled
from planner.models._podplan import Cluster, certificate, details, placement, provisioned, shown, unplaced
from planner.models._pods import Burden, Pods, pods
from planner.models._rented import administrators, egress, inferred, migration, month_hours, moved, support
from planner.models._units import names
from planner.plan import Plan
from planner.quantities import Assumption

__all__ = ["planned"]


def planned(model: Clustered, demand: Demand, catalog: Catalog, burden: Burden) -> Plan:
    """Nodes of every period for pods that carry a burden, on the best mix of terms.

    Raises:
        PriceBookError: nothing is sold there on these terms, or something that a cluster needs has no price.
    """
    market = catalog.at(model.provider, model.region)
    asked = burden.laden(demand, pods(demand, model.rules))
    offers = offered(model, market, burden)
    placed = _placeable(demand, asked, offers)
    served = demand.select(placed)
    own = burden.beside(served, asked.only(placed))
    _check(own, offers[0])
    cluster = Cluster(served, tuple(pooled(model, served, asked.only(placed), own, offers)))
    nodes = [bought(pool.kinds, pool.fleet.counts, demand.hours) for pool in cluster.pools]
    instances = [entry for lines, _ in nodes for entry in lines]
    traffic, guessed, sent = egress(model, market, served)
    use, more = _around(model, cluster, sent)
    lines = [*instances, *around(market, use, (model.control_plane_sku, model.load_balancer_sku)), *traffic]
    lines += support(model, market, lines)
    lines += administrators(catalog, use.mean_nodes, model.nodes_per_admin)
    lines += migration(catalog, model.provider, "replatform", moved(served, ("container",)))
    return Plan(
        model=model.kind,
        lines=tuple(lines),
        hours=demand.hours,
        provisioned=provisioned(cluster, use.stored_gib),
        used=served.used,
        boxes=_boxes([boxes for _, boxes in nodes]),
        placement=placement(cluster),
        cost_by_workload=shown(cluster, lines),
        unplaced=unplaced(demand, asked, placed, offers),
        certificate=certificate(cluster, instances),
        assumptions=(*model.settings(), *demand.assumptions, *guessed, *more),
        details=details(cluster),
    )


def _placeable(demand: Demand, asked: Pods, offers: tuple[Offer, Offer]) -> NDArray[np.bool_]:
    """[class], whether a node that it may run on holds its pod."""
    stay, spot = (np.asarray(offer.fits(asked).any(axis=1)) for offer in offers)
    may = demand.workloads["interruptible"].fillna(False).to_numpy(bool)
    return np.asarray(stay | (spot & may))


def _check(own: Pods | None, stay: Offer) -> None:
    """Says so where no node holds what the cluster itself runs."""
    if own is not None and not stay.fits(own).any(axis=1).all():
        raise PriceBookError("no node that stays on offer holds the cluster's own pods; expected a larger vm")


def _boxes(pools: Sequence[pd.DataFrame]) -> pd.DataFrame:
    some = [boxes for boxes in pools if len(boxes)]
    columns = ["sku", "provider", "region", "term", "count"]
    return pd.concat(some, ignore_index=True) if some else pd.DataFrame(columns=columns)


def _around(model: Clustered, cluster: Cluster, sent: float) -> tuple[Around, list[Assumption]]:
    """What surrounds the nodes, and what was inferred about volumes; `sent` is GiB a month to the internet."""
    served = cluster.served
    known = served.workloads["storage_gib"].to_numpy(float)
    stateless = names(served, "kind") == "function"
    guess = np.isnan(known) & ~stateless
    volumes = np.where(np.isnan(known), np.where(stateless, 0.0, model.volume_gib), known)
    told = [
        inferred(f"{model.kind}: pods whose volume is assumed", int(served.count[guess].sum()), "pods", "no reading")
    ]
    use = Around(
        month=month_hours(served.hours),
        nodes=cluster.nodes,
        hours=served.hours,
        nodes_per_cluster=model.nodes_per_cluster,
        load_balancers=model.load_balancers,
        gib_per_capacity_hour=model.gib_per_capacity_hour,
        nat_gateways=model.zones if model.nat_gateways is None else model.nat_gateways,
        sent_gib=sent,
        nat_gib=sent * model.nat_share,
        cross_zone_gib=sent * model.east_west_ratio * (1 - 1 / model.zones),
        node_disk_gib=model.node_disk_gib,
        volumes_gib=volumes,
        volumes=served.count,
    )
    return use, told if guess.any() else []
