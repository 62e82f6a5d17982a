"""Pods dealt to pools of nodes: those that may be interrupted to spot nodes, all others to nodes that stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.demand import Demand
from planner.models._clustered import Clustered
from planner.models._instances import Types, types
from planner.models._pods import Burden, Pods, joined
from planner.models._pools import Fleet, fleet
from planner.models._wanted import Ask, fitting
from planner.quantities import CPU, GPU, HOURS_PER_WEEK

__all__ = ["Offer", "Pool", "Seated", "listed", "numbered", "offered", "pooled"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SPOT: Final = "spot"
_SLACK: Final = 1e-9


@dataclass(frozen=True)
class Offer:
    """Types of nodes with the room that they leave for pods."""

    kinds: Types
    room: Floats
    """[type, held resource and slots]."""
    beside: Floats
    """[type], usd per hour of what comes with a node while it runs."""

    def fits(self, asked: Pods) -> Bools:
        """[class, type], see `fitting`."""
        return fitting(asked, self.room, self.kinds.arch)

    def only(self, keep: Bools) -> Offer:
        """These types."""
        return Offer(self.kinds.only(keep), self.room[keep], self.beside[keep])


@dataclass(frozen=True)
class Seated:
    """Pods, and whose they are."""

    pods: Pods
    owner: Ints
    """[class of pods], class of workloads; -1: the cluster's own."""
    first: Ints
    """[class of pods], the first of the members of that class that are here."""


@dataclass(frozen=True)
class Pool:
    """Nodes on the same kind of terms, and the pods on them."""

    kinds: Types
    ask: Ask
    fleet: Fleet
    seated: Seated

    @property
    def most(self) -> Ints:
        """[type], the most that run at once."""
        return np.asarray(self.fleet.counts.max(axis=0, initial=0))


def offered(model: Clustered, market: Catalog, burden: Burden, usd_per_node: float) -> tuple[Offer, Offer]:
    """What is on offer for pods that stay, and spot nodes for those that may be interrupted; either may be empty.

    With every node comes what an hour of any of them costs, and the provider's fee for running it, if there is one.

    Raises:
        PriceBookError: nothing is sold on these terms.
    """
    lasting = tuple(t for t in model.terms if t != SPOT)
    sold = bool((market.of("vm")["term"] == SPOT).any()) and SPOT in model.terms
    allowed = (model.families, model.categories)
    stay = types(market, lasting or model.terms, *allowed)
    stay = stay if lasting else stay.only(np.zeros(len(stay.sku), bool))
    spot = types(market, (SPOT,), *allowed) if sold else stay.only(np.zeros(len(stay.sku), bool))
    fee = _fee_share(model, market)
    both = [(kinds, usd_per_node + fee * listed(market, kinds.sku)) for kinds in (stay, spot)]
    first, second = (Offer(kinds, model.room(kinds, burden.on_nodes), usd) for kinds, usd in both)
    return first, second


def listed(market: Catalog, sku: NDArray[np.str_]) -> Floats:
    """[type], price per hour on demand; 0 where there is none."""
    usd = market.of("vm", "on_demand").drop_duplicates("sku").set_index("sku")["usd_per_unit"]
    return usd.reindex(sku).fillna(0.0).to_numpy(float)


def _fee_share(model: Clustered, market: Catalog) -> float:
    """What the provider takes for running nodes, as a share of their price on demand."""
    return float(market.tiers("platform", model.node_fee_sku)["usd_per_unit"].iloc[0]) if model.node_fee_sku else 0.0


def interrupted(model: Clustered, demand: Demand, stays: Bools, moves: Bools) -> Ints:
    """[class], how many of its members run on spot nodes: `spot_share` of all that may be interrupted, in order.

    Args:
        model: the cluster.
        demand: workloads.
        stays: [class], whether a node that stays holds it.
        moves: [class], whether a spot node does.
    """
    may = demand.workloads["interruptible"].fillna(False).to_numpy(bool) & moves
    so_far = np.cumsum(np.where(may & stays, demand.count, 0))
    chosen = np.floor(so_far * model.spot_share + _SLACK).astype(np.int64)
    return np.asarray(np.diff(chosen, prepend=0) + np.where(may & ~stays, demand.count, 0))


def pooled(model: Clustered, served: Demand, asked: Pods, own: Pods | None, offers: tuple[Offer, Offer]) -> list[Pool]:
    """The pools of a cluster and the nodes of each in every period.

    Args:
        model: the cluster.
        served: workloads.
        asked: their pods, [class of workloads].
        own: pods of the cluster itself, which never run on spot nodes.
        offers: nodes that stay and spot nodes.
    """
    stay, spot = offers
    away = interrupted(model, served, *(np.asarray(offer.fits(asked).any(axis=1)) for offer in offers))
    here, there = _seated(asked, asked.count - away, away), _seated(asked, away, np.zeros_like(away))
    if own is not None:
        extra = np.full(len(own.count), -1)
        here = Seated(joined(here.pods, own), np.append(here.owner, extra), np.append(here.first, extra * 0))
    pools = [_pool(model, served.hours, here, stay, model.fewest_nodes)] if len(here.owner) else []
    if len(there.owner):
        pools.append(_pool(model, served.hours, there, spot, 0 if pools else model.fewest_nodes))
    return pools


def _seated(asked: Pods, count: Ints, first: Ints) -> Seated:
    """`count` [class] members of each class, from the `first` [class] on."""
    some = np.flatnonzero(count > 0)
    return Seated(replace(asked, count=count).only(some), some, first[some])


def _pool(model: Clustered, hours: Floats, seated: Seated, offer: Offer, fewest: int) -> Pool:
    allowed = _allowed(model, offer, seated.pods)
    kinds = allowed.kinds
    length = HOURS_PER_WEEK / max(len(hours), 1)
    ask = Ask(
        pods=seated.pods,
        hours=hours,
        room=allowed.room,
        used=kinds.used,
        committed=kinds.committed,
        fits=allowed.fits(seated.pods),
        min_nodes=fewest,
        lag_periods=ceil(model.scale_down_lag_hours / max(1.0, length)) if model.autoscale else 0,
        autoscale=model.autoscale,
        effort=model.effort,
        beside=allowed.beside,
        promised=kinds.promised,
    )
    return Pool(kinds, ask, fleet(ask), seated)


def _allowed(model: Clustered, offer: Offer, asked: Pods) -> Offer:
    """Types that nodes may be of: none larger than wished unless a pod needs it, with GPUs where any pod asks."""
    kinds, fits = offer.kinds, offer.fits(asked)
    price = np.minimum(kinds.used, kinds.committed) + offer.beside
    gpu = np.asarray(kinds.capacity[:, GPU] > 0)
    keep = (kinds.capacity[:, CPU] <= model.max_node_cpu_cores) & (~gpu | bool(asked.peak[:, GPU].any()))
    for i in np.flatnonzero(fits.any(axis=1) & ~fits[:, keep].any(axis=1)):
        keep[int(np.argmin(np.where(fits[i], price, np.inf)))] = True
    return offer.only(keep)


def numbered(pools: Sequence[Pool]) -> list[dict[str, int]]:
    """For each pool, how many nodes of each sku the pools before it have: its own are numbered from there."""
    before: dict[str, int] = {}
    starts = []
    for pool in pools:
        starts.append(dict(before))
        for sku, many in zip(pool.kinds.sku.tolist(), pool.most.tolist(), strict=True):
            before[sku] = before.get(sku, 0) + many
    return starts
