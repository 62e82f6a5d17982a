"""From pods on nodes to what a plan tells: capacity, placement, showback, what is left out, what is proved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._instances import Types, limiting
from planner.models._pods import Pods
from planner.models._pools import Fleet
from planner.models._rented import left_out
from planner.models._wanted import Ask
from planner.plan import Category, Certificate, Line, showback
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
    kinds: Types
    ask: Ask
    fleet: Fleet


def provisioned(cluster: Cluster, storage_gib: float) -> Floats:
    """[period, resource], raw capacity of the nodes that run in each period."""
    out = np.zeros((len(cluster.ask.hours), 4))
    out[:, [CPU, MEMORY, GPU]] = cluster.fleet.counts @ cluster.kinds.capacity
    out[:, STORAGE] = storage_gib
    return out


def placement(cluster: Cluster) -> pd.DataFrame:
    """Each replica of each workload on a node, in the busiest period.

    The pods of a class are dealt to its workloads in turn, node by node, so that no node holds more replicas of one
    workload than its share of those that the node holds of the class.
    """
    found = cluster.fleet
    if found.packing is None:
        return pd.DataFrame(columns=["workload", "replica", "sku", "box"], dtype=object)
    seats = found.packing.placement().sort_values(["class", "box", "number"], kind="stable")
    owner = found.rows[seats["class"].to_numpy(np.int64)]
    item = seats.groupby("class").cumcount().to_numpy(np.int64)
    count = cluster.served.count[owner]
    start, names = _members(cluster.served)
    box = seats["box"].to_numpy(np.int64)
    sku = cluster.kinds.sku[found.menu.kind[box]].astype(object)
    number = seats["number"].to_numpy(np.int64) + found.menu.offset[box]
    columns = {"replica": item // count, "sku": sku, "box": number}
    return pd.DataFrame({"workload": names[start[owner] + item % count], **columns})


def _members(served: Demand) -> tuple[Ints, NDArray[np.object_]]:
    """[class] where its members begin, and the names of all members in the order of classes."""
    order = np.argsort(served.members["class"].to_numpy(np.int64), kind="stable")
    start = np.concatenate([[0], np.cumsum(served.count)]).astype(np.int64)
    return start, served.members["workload"].to_numpy(object)[order]


def shown(cluster: Cluster, lines: list[Line]) -> pd.DataFrame:
    """By what each workload asks of the nodes that run: half by CPU, half by memory; what nobody asks for is idle."""
    pods, hours = cluster.ask.pods, cluster.ask.hours
    asked = np.einsum("cpr,p->cr", pods.requested, hours)
    raw = cluster.fleet.counts @ cluster.kinds.capacity
    given = np.maximum(hours @ raw, 1e-300)
    owner = cluster.served.members["class"].to_numpy(np.int64)
    share = (asked[:, [CPU, MEMORY]] / given[[CPU, MEMORY]]).mean(axis=1)[owner]
    even = np.full(len(owner), 1.0 / max(len(owner), 1))
    shares: dict[Category, Floats] = {"compute": share, "network": even, "storage": even}
    return showback(lines, cluster.served.members["workload"].tolist(), shares)


def unplaced(demand: Demand, asked: Pods, placed: Bools, nodes: tuple[Types, Floats]) -> pd.DataFrame:
    """Workloads whose pod no node takes, and the resource that is short."""
    kinds, room = nodes
    left = np.flatnonzero(~placed).tolist()
    return left_out(demand, {i: limiting(asked.peak[i], room[kinds.arch == asked.arch[i]]) for i in left})


def certificate(cluster: Cluster, instances: list[Line]) -> Certificate:
    """Cost of the nodes, and what no nodes and no mix of terms go below."""
    usd = sum(entry.usd_per_month for entry in instances)
    under, found = cluster.fleet.under, cluster.fleet
    form = (
        "sum over periods of weight x what the pods pay at resource prices; no type's room is worth more than the "
        f"lesser of its hour as used and its committed hour / {under.share:.6g}, and the weights sum to at most that "
        "share of the month"
    )
    method = "none needed" if found.packing is None else found.packing.method
    proof = {
        "version": 1,
        "closed_form": form,
        "scale": {"hours": PARTS, "usd": PARTS},
        "weight": np.floor(under.weight * PARTS).astype(np.int64).tolist(),
        "usd": np.floor(under.usd * PARTS).astype(np.int64).tolist(),
    }
    return Certificate(
        usd, min(usd, found.bound_usd), f"{method} in the busiest hour, first fit in others; {form}", proof
    )


def details(cluster: Cluster) -> dict[str, float]:
    """Nodes and pods, at most and on average."""
    nodes = cluster.fleet.counts.sum(axis=1).astype(float)
    running = (cluster.ask.pods.count[:, None] * cluster.ask.pods.replicas).sum(axis=0).astype(float)
    month = max(float(cluster.ask.hours.sum()), 1e-300)
    packed = cluster.fleet.packing
    return {
        "nodes_at_most": float(nodes.max(initial=0.0)),
        "nodes_on_average": float(cluster.ask.hours @ nodes) / month,
        "pods_at_most": float(running.max(initial=0.0)),
        "pods_on_average": float(cluster.ask.hours @ running) / month,
        "busiest_hour_gap": 0.0 if packed is None else packed.gap,
    }
