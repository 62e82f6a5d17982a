"""From a demand to the plan of a cluster: pods, pools of nodes, what surrounds them, and the bill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from planner.catalog import Catalog
from planner.demand import Demand
from planner.models._clustered import Clustered
from planner.models._ingress import Around, around, per_node
from planner.models._instances import bought
from planner.models._nodepools import listed, offered
from planner.models._ownnodes import on_own_nodes
from planner.models._podplan import Cluster, certificate, details, placement, provisioned, shown
from planner.models._pods import Burden
from planner.models._rented import administrators, egress, inferred, migration, month_hours, moved, sent_gib, support
from planner.models._standing import standing, volumes
from planner.plan import Line, Plan, metered
from planner.quantities import Assumption

__all__ = ["planned"]


def planned(
    model: Clustered, demand: Demand, catalog: Catalog, burden: Burden, owned: Mapping[str, int] | None = None
) -> Plan:
    """Nodes of every period for pods that carry a burden, on the best mix of terms.

    Raises:
        PriceBookError: nothing is sold there on these terms, or something that a cluster needs has no price.
    """
    if model.nodes == "owned":
        return on_own_nodes(model, demand, catalog, burden, owned or {})
    market = catalog.at(model.provider, model.region)
    month = month_hours(demand.hours)
    each = per_node(market, model.node_disk_gib, month)
    each += sum(e.usd for e in administrators(catalog, 1.0, model.nodes_per_admin)) / month
    stood = standing(model, demand, burden, offered(model, market, burden, each))
    cluster, served = stood.cluster, stood.cluster.served
    nodes = [bought(pool.kinds, pool.fleet.counts, demand.hours) for pool in cluster.pools]
    instances = [entry for lines, _ in nodes for entry in lines]
    traffic, guessed, sent = egress(model, market, served)
    use, more = _around(model, cluster, sent)
    lines = [*instances, *around(market, use, (model.control_plane_sku, model.load_balancer_sku)), *traffic]
    lines += _fee(model, market, cluster)
    lines += support(model, market, lines)
    lines += administrators(catalog, use.mean_nodes, model.nodes_per_admin)
    lines += migration(catalog, model.provider, "replatform", moved(served, model.native))
    return Plan(
        model=model.kind,
        lines=tuple(lines),
        hours=demand.hours,
        provisioned=provisioned(cluster, use.stored_gib),
        used=served.used,
        boxes=_boxes([boxes for _, boxes in nodes]),
        placement=placement(cluster),
        cost_by_workload=shown(cluster, lines, sent_gib(model, served), use.volumes_gib),
        unplaced=stood.unplaced(demand),
        certificate=certificate(cluster, sum(entry.usd_per_month for entry in instances) + cluster.beside_usd),
        assumptions=(*model.settings(), *demand.assumptions, *guessed, *more),
        details=details(cluster),
    )


def _fee(model: Clustered, market: Catalog, cluster: Cluster) -> list[Line]:
    """What the provider takes for running the nodes, by what they cost on demand."""
    if not model.node_fee_sku:
        return []
    hours = [(pool.kinds.sku, cluster.served.hours @ pool.fleet.counts) for pool in cluster.pools]
    spend = sum(float(h @ listed(market, sku)) for sku, h in hours)
    return metered(market.tiers("platform", model.node_fee_sku), spend, "platform")


def _boxes(pools: Sequence[pd.DataFrame]) -> pd.DataFrame:
    some = [boxes for boxes in pools if len(boxes)]
    columns = ["sku", "provider", "region", "term", "count"]
    return pd.concat(some, ignore_index=True) if some else pd.DataFrame(columns=columns)


def _around(model: Clustered, cluster: Cluster, sent: float) -> tuple[Around, list[Assumption]]:
    """What surrounds the nodes, and what was inferred about volumes; `sent` is GiB a month to the internet."""
    served = cluster.served
    gib, guess = volumes(served, model.volume_gib)
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
        volumes_gib=gib,
        volumes=served.count,
    )
    return use, told if guess.any() else []
