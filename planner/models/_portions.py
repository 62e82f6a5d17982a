"""Portions of a demand: what of it one site gets, and what a site runs besides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.demand import WORKLOAD_COLUMNS, Demand, concat
from planner.plan import Plan
from planner.quantities import CPU, MEMORY

__all__ = ["AGENT", "flat", "portion", "with_agent", "without_agent"]

Ints = NDArray[np.int64]

AGENT = "(agent)"
"""What a cluster of a fleet runs besides workloads."""


def portion(demand: Demand, first: Ints, count: Ints) -> Demand:
    """The members `first` [class] to `first` + `count` of each class, in the order in which they are named."""
    owner = demand.members["class"].to_numpy(np.int64)
    rank = demand.members.groupby("class").cumcount().to_numpy(np.int64)
    inside = (rank >= first[owner]) & (rank < (first + count)[owner])
    members = demand.members[inside].reset_index(drop=True)
    kept = replace(demand, workloads=demand.workloads.assign(count=count), members=members)
    return kept.select(np.flatnonzero(count > 0))


def flat(demand: Demand) -> Demand:
    """The same demand in one period that needs the most of all: quick to plan, never too small."""
    month = float(demand.hours.sum())
    weight = demand.hours / month if month else demand.hours
    return replace(
        demand,
        hours=np.array([month]),
        busy=demand.peak[:, None, :],
        mean=np.einsum("wpr,p->wr", demand.mean, weight)[:, None, :],
        requests_per_s=(demand.requests_per_s @ weight)[:, None],
    )


def with_agent(demand: Demand, cpu_cores: float, memory_gib: float) -> Demand:
    """The demand and an agent that always runs."""
    told = dict.fromkeys(WORKLOAD_COLUMNS, np.nan) | dict.fromkeys(
        ("owner", "application", "residency", "spread_group"), ""
    )
    told |= {"workload": AGENT, "count": 1, "kind": "container", "arch": "x86_64", "interruptible": False}
    told |= {"scales_out": False, "cpu_cores": cpu_cores, "memory_gib": memory_gib, "gpus": 0.0, "storage_gib": 0.0}
    need = np.zeros((1, *demand.busy.shape[1:]))
    need[..., CPU], need[..., MEMORY] = cpu_cores, memory_gib
    agent = replace(
        demand,
        workloads=pd.DataFrame([told | {"network_gib_per_month": 0.0}], columns=list(WORKLOAD_COLUMNS)),
        members=pd.DataFrame({"workload": pd.Series([AGENT], dtype=object), "class": np.zeros(1, np.int64)}),
        busy=need,
        mean=need,
        requests_per_s=np.zeros((1, len(demand.hours))),
        quality=None,
        assumptions=(),
    )
    return concat([demand, agent])


def without_agent(plan: Plan) -> Plan:
    """The plan with the agent's cost among what no workload causes, and no seat for it."""
    shown = plan.cost_by_workload
    its = shown["workload"] == AGENT
    if not its.any():
        return replace(plan, unplaced=plan.unplaced[plan.unplaced["workload"] != AGENT].reset_index(drop=True))
    idle = shown["workload"] == "(idle)"
    usd = shown["usd_per_month"] + np.where(idle, float(shown.loc[its, "usd_per_month"].sum()), 0.0)
    costs = shown.assign(usd_per_month=usd)[~its].reset_index(drop=True)
    seats = plan.placement[plan.placement["workload"] != AGENT].reset_index(drop=True)
    return replace(plan, cost_by_workload=costs, placement=seats)
