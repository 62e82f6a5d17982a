"""Deals: what a placement costs once every site is planned for what it gets, and the plan that it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._between import crossing, gib_between
from planner.models._case import Case
from planner.models._fees import manager
from planner.models._sites import CLUSTERS
from planner.plan import Line, Plan
from planner.quantities import RESOURCES

__all__ = ["Deal", "Terms", "boxes", "costs", "deal", "per_class", "seats", "summed"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Terms:
    """What holds between sites."""

    ends: tuple[Ints, Ints, Floats]
    """Caller, callee and GiB a month of each flow between units."""
    fleet_sku: str
    fleet_from_clusters: int


@dataclass(frozen=True)
class Deal:
    """A placement and the plans of the sites in it."""

    copies: Ints
    """[unit, site]."""
    count: Ints
    """[class, site]."""
    plans: tuple[Plan | None, ...]
    """[site], none where there is nothing."""
    extra: tuple[tuple[Line, ...], ...]
    """[site], lines besides: traffic that leaves it for other sites, and its fleet manager."""
    left: int
    """Workloads that are left out."""
    moving_usd: float = 0.0
    """What moving in costs, a month of those it is spread over."""

    @property
    def usd(self) -> float:
        """All of it, a month, with what moving in costs."""
        plans = self.moving_usd + sum(plan.usd_per_month for plan in self.plans if plan is not None)
        return float(plans + sum(e.usd_per_month for lines in self.extra for e in lines))

    @property
    def rank(self) -> tuple[int, float]:
        """Fewest left out first, then cheapest."""
        return self.left, self.usd

    @property
    def used(self) -> list[int]:
        """Sites that hold something."""
        return np.flatnonzero(self.count.sum(axis=0)).tolist()


def deal(case: Case, unit: Ints, copies: Ints, terms: Terms) -> Deal:
    """The deal of a placement `copies` [unit, site]; members of a class are dealt to sites in their order."""
    count = per_class(case.demand, unit, copies)
    first = np.cumsum(count, axis=1) - count
    clusters = [s for s in np.flatnonzero(count.sum(axis=0)) if case.sites[s].model.kind in CLUSTERS]
    fleet = len(clusters) >= terms.fleet_from_clusters
    plans = tuple(
        case.plan(s, first[:, s], count[:, s], agent=fleet) if count[:, s].any() or case.owned[s] else None
        for s in range(len(case.sites))
    )
    gib = gib_between(len(case.sites), terms.ends, copies)
    extra = crossing(case.catalog, case.sites, plans, gib)
    for s in clusters if fleet else []:
        extra[s] = [*extra[s], *manager(case.catalog, case.sites[s], _there(plans[s]), terms.fleet_sku)]
    placed = int(count.sum()) - sum(len(plan.unplaced) for plan in plans if plan is not None)
    moving = sum(case.moving_usd(plan) for plan in plans if plan is not None)
    return Deal(copies, count, plans, tuple(map(tuple, extra)), int(case.demand.count.sum()) - placed, moving)


def _there(plan: Plan | None) -> Plan:
    if plan is None:
        raise ValueError("a site that holds something has a plan")
    return plan


def per_class(demand: Demand, unit: Ints, copies: Ints) -> Ints:
    """[class, site], members: all of a unit of several classes, else so many copies."""
    several = np.bincount(unit, minlength=len(copies))[unit] > 1
    total = np.maximum(copies.sum(axis=1, keepdims=True), 1)
    whole = demand.count[:, None] * (copies / total)[unit]
    return np.where(several[:, None], np.rint(whole), copies[unit]).astype(np.int64)


def _labelled(case: Case, found: Deal, frame: str) -> pd.DataFrame:
    """One table of all sites, their boxes named by site."""
    parts = []
    for site, plan in zip(case.sites, found.plans, strict=True):
        if plan is not None:
            rows: pd.DataFrame = getattr(plan, frame)
            parts.append(rows.assign(sku=[f"{site.name}/{sku}" for sku in rows["sku"]]))
    columns = {"boxes": ["sku", "provider", "region", "term", "count"]}.get(
        frame, ["workload", "replica", "sku", "box"]
    )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns, dtype=object)


def seats(case: Case, found: Deal) -> pd.DataFrame:
    """Where each workload is: its box is named by site."""
    return _labelled(case, found, "placement")


def boxes(case: Case, found: Deal) -> pd.DataFrame:
    """All boxes by site; of what is metered at least as many as workloads are told to be in."""
    there, placed = _labelled(case, found, "boxes"), seats(case, found)
    count = there.groupby("sku")["count"].sum()
    wanted = placed.groupby("sku")["box"].max().astype(np.int64) + 1
    short = wanted.sub(count.reindex(wanted.index).fillna(0)).astype(np.int64)
    short = short[short > 0]
    if short.empty:
        return there
    sites = {site.name: site for site in case.sites}
    at = [sites[str(sku).partition("/")[0]] for sku in short.index]
    more = {"sku": short.index, "provider": [s.owner for s in at], "region": [s.place for s in at]}
    filled = pd.DataFrame({**more, "term": "on_demand", "count": short.to_numpy()})
    parts = [part for part in (there, filled) if len(part)]
    joined = pd.concat(parts, ignore_index=True)
    columns = ["sku", "provider", "region", "term"]
    summed: pd.DataFrame = joined.groupby(columns, sort=False)["count"].sum().reset_index()
    return summed


def costs(found: Deal) -> pd.DataFrame:
    """Who causes what, site by site; what crosses between sites follows the workloads of the site it leaves."""
    parts, idle = [], 0.0
    for plan, extra in zip(found.plans, found.extra, strict=True):
        if plan is None:
            continue
        shown = plan.cost_by_workload
        rest = shown["workload"] == "(idle)"
        own = shown[~rest]
        more = sum(e.usd_per_month for e in extra)
        direct = float(own["usd_per_month"].sum())
        idle += float(shown.loc[rest, "usd_per_month"].sum()) + (0.0 if direct > 0 else more)
        parts.append(own.assign(usd_per_month=own["usd_per_month"] * (1 + more / direct if direct > 0 else 1.0)))
    last = pd.DataFrame({"workload": ["(idle)"], "usd_per_month": [idle]})
    return pd.concat([*(part for part in parts if len(part)), last], ignore_index=True)


def summed(case: Case, found: Deal, what: str) -> Floats:
    """[period, resource], `provisioned` or `used` of all sites."""
    start = np.zeros((len(case.demand.hours), len(RESOURCES)))
    return sum((np.asarray(getattr(plan, what)) for plan in found.plans if plan is not None), start)
