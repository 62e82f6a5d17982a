"""A cluster on servers of one's own: the same pods, nodes that are bought, and the bill of owned hardware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.demand import Demand
from planner.models._charges import Charge, Load, billed
from planner.models._clustered import Clustered
from planner.models._instances import Types
from planner.models._nodepools import Offer, Pool
from planner.models._owned import Owned, Site
from planner.models._podplan import Cluster, certificate, details, placement, shown
from planner.models._pods import Burden, Pods, joined
from planner.models._rented import inferred, migration, month_hours, moved
from planner.models._servers import Servers
from planner.models._spares import standing_by
from planner.models._standing import Standing, standing, volumes
from planner.plan import Plan
from planner.quantities import CPU, MEMORY, MONTHS_PER_YEAR

__all__ = ["on_own_nodes"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

GB_PER_GIB = 2.0**30 / 1e9
BOUGHT = "purchase"


class _Hardware(Owned):
    """Servers as nodes: what they cost is what all owned hardware costs, and people by the node."""

    kind: Literal["kubernetes"] = "kubernetes"
    title: ClassVar[str] = "Own nodes"

    nodes_per_admin: float | None = 100.0
    """Nodes that one full-time platform engineer looks after; none: no labour. Unit: nodes. Source: the cluster."""

    def own_charges(self, catalog: Catalog, servers: Servers) -> list[Charge]:
        """Platform engineers."""
        if self.nodes_per_admin is None:
            return []
        each = np.full(len(servers.sku), 1 / self.nodes_per_admin / MONTHS_PER_YEAR)
        return [Charge(catalog.tiers("admin_labour", self.admin_sku), "labour", each)]

    def plan(self, demand: Demand, catalog: Catalog, owned: Mapping[str, int] | None = None) -> Plan:
        """Not by itself: a cluster plans on it."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class _SelfManaged(Burden):
    """A burden, and the control plane that nobody else runs."""

    inner: Burden
    model: Clustered

    def on_pods(self, demand: Demand, asked: Pods) -> Floats:
        """That of the burden."""
        return self.inner.on_pods(demand, asked)

    def beside(self, served: Demand, asked: Pods) -> Pods | None:
        """The control plane, and what the burden runs."""
        inner, many = self.inner.beside(served, asked), self.model.own_control_planes
        if not many or not len(served.hours) or not len(served.count):
            return inner
        size = np.zeros((1, len(served.hours), asked.size.shape[2]))
        size[..., CPU], size[..., MEMORY] = self.model.own_control_cpu_cores, self.model.own_control_memory_gib
        replicas, count = np.ones((1, len(served.hours)), np.int64), np.array([many], np.int64)
        own = Pods(size, replicas, count, asked.arch[:1], np.array(["control plane"]), asked.zones)
        return joined(own, inner)


def on_own_nodes(model: Clustered, demand: Demand, catalog: Catalog, burden: Burden, owned: Mapping[str, int]) -> Plan:
    """Servers for all pods of every period; they run all the time, and what was bought stays.

    Once servers are owned, more are bought of the same types. Internet traffic is left out, as in all owned models.

    Raises:
        PriceBookError: the catalog lacks servers or one of the prices that come with them.
    """
    laden = _SelfManaged(inner=burden, model=model, on_nodes=burden.on_nodes)
    site = _site(model, catalog, owned, month_hours(demand.hours))
    stood = standing(_endless(model), demand, laden, _offers(model, site, laden, month_hours(demand.hours)))
    count, spare = _counted(model, stood, site)
    cluster = _always(stood.cluster, site, count)
    gib, guess = volumes(cluster.served, model.volume_gib)
    load = _load(cluster.served, site, gib, count)
    lines = billed(site.servers, site.charges, count, load)
    usd = float(count @ site.usd)
    lines += migration(catalog, model.own_provider, "replatform", moved(cluster.served, model.native))
    many = int(cluster.served.count[guess].sum())
    told = [inferred(f"{model.kind}: pods whose volume is assumed", many, "pods", "no reading")] if many else []
    return Plan(
        model=model.kind,
        lines=tuple(lines),
        hours=demand.hours,
        provisioned=_provisioned(site, count, len(demand.hours), load),
        used=cluster.served.used,
        boxes=_boxes(site.servers, count),
        placement=placement(cluster),
        cost_by_workload=shown(cluster, lines, np.zeros_like(gib), gib),
        unplaced=stood.unplaced(demand),
        certificate=certificate(cluster, usd),
        assumptions=(*model.settings(), *demand.assumptions, *told),
        details=details(cluster) | {"servers": float(count.sum()), "servers_standing_by": float(spare.sum())},
    )


def _site(model: Clustered, catalog: Catalog, owned: Mapping[str, int], month: float) -> Site:
    hardware = _Hardware(
        provider=model.own_provider,
        region=model.own_region,
        server_skus=tuple(sku for sku, many in owned.items() if many > 0) or model.server_skus,
        nodes_per_admin=model.nodes_per_admin,
    )
    return hardware.site(catalog, owned, month)


def _endless(model: Clustered) -> Clustered:
    """The same cluster with nodes of any size, as many as hold every pod at its largest: none goes back."""
    return model.model_copy(update={"max_node_cpu_cores": float("inf"), "autoscale": False})


def _offers(model: Clustered, site: Site, burden: Burden, month: float) -> tuple[Offer, Offer]:
    """Servers as types of nodes that are paid for every hour; no spot nodes."""
    kinds = _kinds(site, month)
    room = model.room(kinds, burden.on_nodes)
    offer = Offer(kinds, room, np.zeros(len(room))).only(_sensible(room, kinds))
    return offer, offer.only(np.zeros(len(offer.kinds.sku), bool))


def _kinds(site: Site, month: float) -> Types:
    servers = site.servers
    sku = np.array(servers.sku, dtype=str)
    return Types(
        sku=sku,
        family=np.full(len(sku), ""),
        arch=servers.arch,
        category=np.full(len(sku), "general"),
        capacity=servers.room,
        max_pods=servers.column("max_pods"),
        factor=np.full(len(sku), np.nan),
        usd={BOUGHT: site.usd / month},
        offers=servers.offers,
        at={(name, BOUGHT): [position] for position, name in enumerate(sku.tolist())},
    )


def _sensible(room: Floats, kinds: Types) -> Bools:
    """[type], whether no other has as much room for no more money: no cluster needs the rest."""
    usd, order = kinds.committed, np.arange(len(kinds.sku))
    better = (room[None] >= room[:, None]).all(axis=2) & (usd[None] <= usd[:, None])
    better &= kinds.arch[None] == kinds.arch[:, None]
    return np.asarray(~(better & (~better.T | (order[None] < order[:, None]))).any(axis=1))


def _counted(model: Clustered, stood: Standing, site: Site) -> tuple[Ints, Ints]:
    """[type], all servers, and those of them that stand by: each type in use can be replaced by one as large."""
    need = np.zeros(len(site.servers.sku), np.int64)
    for pool in stood.cluster.pools:
        need[_where(pool, site)] += pool.most
    room, arch = model.room(_kinds(site, 1.0)), site.servers.arch
    used = np.flatnonzero(need)
    holds = (room[used][:, None] <= room[None]).all(axis=2) & (arch[used][:, None] == arch)
    idle = np.clip(site.servers.owned - need, 0, None)
    spare = standing_by(holds & (site.servers.buyable | (idle > 0)), site.usd, idle, model.spare_nodes)
    return np.maximum(need + spare, site.servers.owned), spare


def _where(pool: Pool, site: Site) -> Ints:
    """[type of the pool], its number among the servers."""
    position = {sku: k for k, sku in enumerate(site.servers.sku)}
    return np.array([position[str(sku)] for sku in pool.kinds.sku], np.int64)


def _always(cluster: Cluster, site: Site, count: Ints) -> Cluster:
    """The same cluster with all servers running in every period."""
    pools = []
    for pool in cluster.pools:
        counts = np.tile(count[_where(pool, site)], (len(cluster.served.hours), 1))
        pools.append(replace(pool, fleet=replace(pool.fleet, counts=counts)))
    return replace(cluster, pools=tuple(pools))


def _load(served: Demand, site: Site, gib: Floats, count: Ints) -> Load:
    """Disks, and the energy of cores in use, spread over all servers."""
    threads = count * site.servers.room[:, CPU]
    busy = float(served.hours @ served.used[:, CPU]) / month_hours(served.hours)
    kwh = busy * float(threads @ site.servers.busy_kwh) / max(float(threads.sum()), 1e-300)
    return Load(storage_gb=float(gib @ served.count) * GB_PER_GIB, busy_kwh=kwh)


def _provisioned(site: Site, count: Ints, periods: int, load: Load) -> Floats:
    return np.tile(np.append(count @ site.servers.room, load.storage_gb / GB_PER_GIB), (periods, 1))


def _boxes(servers: Servers, count: Ints) -> pd.DataFrame:
    there = np.flatnonzero(count)
    rows = servers.offers.iloc[there]
    frame = {c: rows[c].astype(str).to_numpy(dtype=object) for c in ("sku", "provider", "region", "term")}
    return pd.DataFrame({**frame, "count": count[there]})
