"""From pods on nodes to what a plan tells: capacity, placement, showback, what is left out, what is proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._instances import limiting
from planner.models._nodepools import Offer, Pool, numbered
from planner.models._pods import Pods
from planner.models._rented import left_out
from planner.models._savings import busiest_case, savings
from planner.plan import Category, Certificate, Line, in_proportion, showback
from planner.quantities import CPU, GPU, MEMORY, STORAGE

__all__ = ["Cluster", "certificate", "details", "placement", "provisioned", "shown", "unplaced"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


PARTS: Final = 10**9
"""Unit: integers per hour or usd. Source: proofs hold no floating numbers."""


@dataclass(frozen=True)
class Cluster:
    """What was placed, and the nodes that came of it."""

    served: Demand
    pools: tuple[Pool, ...]

    @property
    def nodes(self) -> Floats:
        """[period], nodes that run."""
        running = [pool.fleet.counts.sum(axis=1).astype(float) for pool in self.pools]
        return np.asarray(sum(running, np.zeros(len(self.served.hours))))

    @property
    def beside_usd(self) -> float:
        """What comes with nodes while they run, a month."""
        return float(sum(self.served.hours @ pool.fleet.counts @ pool.ask.running for pool in self.pools))

    @property
    def month(self) -> float:
        """Hours, a little more than none."""
        return max(float(self.served.hours.sum()), 1e-300)

    def by_class(self) -> tuple[Ints, NDArray[np.object_]]:
        """[class + 1] where its members begin, and the names of all members in the order of classes."""
        order = np.argsort(self.served.members["class"].to_numpy(np.int64), kind="stable")
        start = np.concatenate([[0], np.cumsum(self.served.count)]).astype(np.int64)
        return start, self.served.members["workload"].to_numpy(object)[order]


def provisioned(cluster: Cluster, storage_gib: float) -> Floats:
    """[period, resource], raw capacity of the nodes that run in each period."""
    out = np.zeros((len(cluster.served.hours), 4))
    for pool in cluster.pools:
        out[:, [CPU, MEMORY, GPU]] += pool.fleet.counts @ pool.kinds.capacity
    out[:, STORAGE] = storage_gib
    return out


def placement(cluster: Cluster) -> pd.DataFrame:
    """Each replica of each workload on a node, in the busiest period of its pool.

    The pods of a class are dealt to its workloads in turn, node by node, so that no node holds more replicas of one
    workload than its share of those that the node holds of the class. Pods of the cluster's own are not told.
    """
    start, names = cluster.by_class()
    before = numbered(cluster.pools)
    found = [_placed(pool, start, begin) for pool, begin in zip(cluster.pools, before, strict=True)]
    some = [rows for rows in found if len(rows)]
    if not some:
        return pd.DataFrame(columns=["workload", "replica", "sku", "box"], dtype=object)
    rows = pd.concat(some, ignore_index=True)
    return rows.assign(workload=names[rows["workload"].to_numpy(np.int64)])


def _placed(pool: Pool, start: Ints, before: dict[str, int]) -> pd.DataFrame:
    """Columns workload (its position in the order of classes), replica, sku and box."""
    found = pool.fleet
    if found.packing is None:
        return pd.DataFrame()
    seats = found.packing.placement().sort_values(["class", "box", "number"], kind="stable")
    row = found.rows[seats["class"].to_numpy(np.int64)]
    item = seats.groupby("class").cumcount().to_numpy(np.int64)
    count, owner = pool.ask.pods.count[row], pool.seated.owner[row]
    box = seats["box"].to_numpy(np.int64)
    sku = pool.kinds.sku[found.menu.kind[box]].astype(object)
    shift = np.array([before.get(str(s), 0) for s in pool.kinds.sku], np.int64)[found.menu.kind[box]]
    number = seats["number"].to_numpy(np.int64) + found.menu.offset[box] + shift
    workload = start[np.maximum(owner, 0)] + pool.seated.first[row] + item % count
    told = pd.DataFrame({"workload": workload, "replica": item // count, "sku": sku, "box": number})
    mine: pd.DataFrame = told[owner >= 0]
    return mine


def shown(cluster: Cluster, lines: list[Line], sent_gib: Floats, volume_gib: Floats) -> pd.DataFrame:
    """By what each workload asks of the nodes that run, at resource prices; what nobody asks for is idle.

    What the cluster's own pods ask for is carried by the workloads in proportion to their own. Ways in and out go by
    what a member of a class sends out, disks by its volume (both [class], GiB).
    """
    start, names = cluster.by_class()
    share = np.zeros(len(names))
    usd = [_usd(pool) for pool in cluster.pools]
    for pool, part in zip(cluster.pools, usd, strict=True):
        each, own = _asked(pool)
        mine = np.flatnonzero(pool.seated.owner >= 0)
        count = pool.ask.pods.count[mine]
        rank = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        seat = np.repeat(start[pool.seated.owner[mine]] + pool.seated.first[mine], count) + rank
        total = float(each[mine] @ count)
        weight = (1 + own / total if total > 0 else 1.0) * part / max(sum(usd), 1e-300)
        share[seat] = np.repeat(each[mine], count) * weight
    count = cluster.served.count
    network, storage = (in_proportion(np.repeat(gib, count)) for gib in (sent_gib, volume_gib))
    shares: dict[Category, Floats] = {"compute": share, "network": network, "storage": storage}
    return showback(lines, names.tolist(), shares)


def _usd(pool: Pool) -> float:
    """About what the nodes of a pool cost: at the price of a node that always runs."""
    usd = np.where(pool.most > 0, np.minimum(pool.kinds.used, pool.kinds.committed), 0.0)
    return float(pool.ask.hours @ pool.fleet.counts @ usd)


def _asked(pool: Pool) -> tuple[Floats, float]:
    """[class of pods], share of the pool's nodes that one member asks for; and that of the cluster's own pods."""
    hours, pods = pool.ask.hours, pool.ask.pods
    asked = np.column_stack([np.einsum("cpr,p->cr", pods.requested, hours), pods.replicas @ hours])
    price = _prices(pool)
    each = asked @ price / max(float(hours @ (pool.fleet.counts @ pool.ask.room) @ price), 1e-300)
    own = pool.seated.owner < 0
    return each, float(each[own] @ pods.count[own])


def _prices(pool: Pool) -> Floats:
    """[held resource and slots], what a unit is worth in the nodes of the busiest period, on average.

    Source: the duals of its packing; half by CPU, half by memory where nothing has a price.
    """
    found, room = pool.fleet, pool.ask.room
    if found.packing is not None:
        price, kinds = found.packing.shadow_prices, found.menu.kind
        paid = np.maximum((price * room[kinds]).sum(axis=1, keepdims=True), 1e-300)
        share = (price / paid * found.packing.opened[:, None]).sum(axis=0)
        if share.sum() > 0:
            return np.asarray(share)
    given = np.maximum(pool.ask.hours @ (found.counts @ room), 1e-300)
    return np.where(np.isin(np.arange(room.shape[1]), (CPU, MEMORY)), 0.5 / given, 0.0)


def unplaced(demand: Demand, asked: Pods, placed: Bools, offers: tuple[Offer, Offer]) -> pd.DataFrame:
    """Workloads whose pod no node takes, and what is short."""
    left = np.flatnonzero(~placed).tolist()
    return left_out(demand, {i: _reason(asked, i, offers) for i in left})


def _reason(asked: Pods, i: int, offers: tuple[Offer, Offer]) -> str:
    stay, spot = offers
    if not len(stay.kinds.sku) and spot.fits(asked.only(np.array([i]))).any():
        return "may not be interrupted, and only spot nodes are allowed"
    offer = stay if len(stay.kinds.sku) else spot
    alike = offer.room[offer.kinds.arch == asked.arch[i]]
    if len(alike) and alike[:, -1].max() < 1:
        return "no node has a slot for a pod besides its agents"
    return limiting(asked.peak[i], alike)


def certificate(cluster: Cluster, usd: float) -> Certificate:
    """The cost `usd` of the nodes with what comes with each, and what no nodes and no terms go below, with the pods in
    the pools they are in."""
    told = [_told(pool) for pool in cluster.pools]
    form = "; ".join(dict.fromkeys(form for form, _ in told)) or "nothing to run"
    packings = [pool.fleet.packing for pool in cluster.pools]
    methods = list(dict.fromkeys(p.method for p in packings if p is not None)) or ["none needed"]
    bound = sum(pool.fleet.bound_usd for pool in cluster.pools)
    method = f"{'; '.join(methods)} in the busiest hour, others filled one after the other; bound: {form}"
    return Certificate(usd, min(usd, bound), method, _proof([proof for _, proof in told], form))


def _proof(proofs: list[dict[str, Any]], form: str) -> dict[str, Any]:
    """One proof, or several whose bounds add up."""
    if len(proofs) == 1:
        return proofs[0]
    if proofs and all("fleet" in proof for proof in proofs):
        return {"version": 1, "parts": [{"weight": [1, 1], "proof": proof} for proof in proofs]}
    return {"version": 1, "closed_form": form}


def _told(pool: Pool) -> tuple[str, dict[str, Any]]:
    """In words, and as a proof: the program over all periods, or resource prices of single ones where these do more."""
    fleet = pool.fleet
    if fleet.breath is not None:
        form = (
            "no node earns more at the prices of what pods need, in any hours, than it costs in them and the lag after"
        )
        proof = fleet.breath.proof
        return form, proof | {"fleet": proof["fleet"] | {"sku": pool.kinds.sku.tolist()}}
    form = (
        "sum over periods of weight x what the pods pay at resource prices; no type's room is worth more than the "
        f"lesser of its hour as used and its committed hour / {fleet.under.share:.6g}, and the weights sum to at most "
        "that share of the month"
    )
    return form, {
        "version": 1,
        "closed_form": form,
        "scale": {"hours": PARTS, "usd": PARTS},
        "weight": np.floor(fleet.under.weight * PARTS).astype(np.int64).tolist(),
        "usd": np.floor(fleet.under.usd * PARTS).astype(np.int64).tolist(),
    }


def details(cluster: Cluster) -> dict[str, float]:
    """Nodes and pods, at most and on average, and what the pods ask for in the hour where that is most."""
    nodes, hours = cluster.nodes, cluster.served.hours
    running, asked = _totals(cluster.pools, len(hours))
    gaps = [pool.fleet.packing.gap for pool in cluster.pools if pool.fleet.packing is not None]
    spot = [float(pool.most.sum()) for pool in cluster.pools if set(pool.kinds.usd) == {"spot"}]
    return {
        "nodes_at_most": float(nodes.max(initial=0.0)),
        "nodes_on_average": float(hours @ nodes) / cluster.month,
        "pods_at_most": float(running.max(initial=0.0)),
        "pods_on_average": float(hours @ running) / cluster.month,
        "cpu_cores_requested_at_most": float(asked[:, CPU].max(initial=0.0)),
        "memory_gib_requested_at_most": float(asked[:, MEMORY].max(initial=0.0)),
        "busiest_hour_gap": max(gaps, default=0.0),
        **savings([busiest_case(p.ask, p.fleet.counts) for p in cluster.pools if p.fleet.packing], cluster.month),
        **({"spot_nodes_at_most": sum(spot)} if spot else {}),
    }


def _totals(pools: Sequence[Pool], periods: int) -> tuple[Floats, Floats]:
    """[period] pods that run, and [period, held resource] what they ask for."""
    running, asked = np.zeros(periods), np.zeros((periods, 3))
    for pool in pools:
        pods, count = pool.ask.pods, pool.ask.pods.count.astype(float)
        running += count @ pods.replicas
        asked += np.einsum("c,cpr->pr", count, pods.requested)
    return running, asked
