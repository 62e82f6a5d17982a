"""Marginal prices: what one more workload costs at a site, read off the plan of the site for all it can take."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._case import Case
from planner.models._deals import Deal
from planner.models._portions import flat
from planner.plan import Plan
from planner.quantities import CPU

__all__ = ["Market", "first", "updated"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Market:
    """Prices of all sites. A site with workloads costs its base, its fixed cost and the prices of what is there."""

    able: Bools
    """[class, site], whether the site takes it."""
    base: Floats
    """[site], what is paid anyway, for boxes that are kept."""
    fixed: Floats
    """[site], what the first workload brings along."""
    usd: Floats
    """[class, site], of one member; inf where it may not be."""
    sent_gib: Floats
    """[site], what all that a site can take sends to the internet."""


def first(case: Case, legal: Bools) -> Market:
    """Prices from planning each site for all that it may hold."""
    columns = [_column(case, s, legal[:, s]) for s in range(len(case.sites))]
    able, base, fixed, usd, sent = zip(*columns, strict=True)
    return Market(np.column_stack(able), np.array(base), np.array(fixed), np.column_stack(usd), np.array(sent))


def _column(case: Case, site: int, legal: Bools) -> tuple[Bools, float, float, Floats, float]:
    """Able, base, fixed cost, prices and traffic of one site."""
    count = np.where(legal, case.demand.count, 0)
    nobody = np.zeros_like(count)
    plan = case.plan(site, nobody, count)
    able = legal & ~_classes(case.demand, plan.unplaced["workload"])
    case.kept(site, np.where(able, count, 0), plan)
    shown = _shown(case.demand, plan)
    base = case.plan(site, nobody, nobody).usd_per_month if case.owned[site] else 0.0
    fixed = _fixed(case, site, able, (plan, shown, base))
    placed = np.where(able, count, 0)
    each = _scaled(shown, placed, plan.usd_per_month - base - fixed) + _moving(case, site, placed, plan)
    usd = np.where(able, each, np.inf)
    sent = sum(e.quantity for e in plan.lines if e.offer_kind == "egress")
    return able, base, fixed, usd, float(sent)


def _classes(demand: Demand, workloads: pd.Series) -> Bools:
    """[class], whether any member is among `workloads`."""
    out = np.zeros(len(demand.workloads), bool)
    out[demand.members["class"].to_numpy(np.int64)[demand.members["workload"].isin(set(workloads)).to_numpy()]] = True
    return out


def _shown(demand: Demand, plan: Plan) -> Floats:
    """[class], what one member causes by the plan's own account; 0 where none is there."""
    usd = plan.cost_by_workload.drop_duplicates("workload").set_index("workload")["usd_per_month"]
    each = demand.members["workload"].map(usd)
    mean = each.groupby(demand.members["class"]).mean()
    return mean.reindex(np.arange(len(demand.workloads))).fillna(0.0).to_numpy(float)


def _scaled(shown: Floats, count: Ints, total: float) -> Floats:
    """Prices in proportion to what is shown, that add up to a total; equal where nothing is shown."""
    weight = np.clip(shown, 0.0, None)
    summed = float(weight @ count)
    if summed <= 0:
        weight, summed = np.ones(len(count)), float(count.sum())
    return np.asarray(weight * max(total, 0.0) / max(summed, 1e-300))


def _moving(case: Case, site: int, count: Ints, plan: Plan) -> Floats:
    """[class], what moving one member in costs a month; nothing for what lives this way already."""
    foreign = ~case.native(site)
    many = float(count[foreign].sum())
    return np.where(foreign, case.moving_usd(plan) / many if many else 0.0, 0.0)


def _fixed(case: Case, site: int, able: Bools, known: tuple[Plan, Floats, float]) -> float:
    """What a site costs for its least workload beyond that workload's own part: clusters, spares, smallest orders."""
    plan, shown, base = known
    rows = np.flatnonzero(able & (case.demand.count > 0))
    if not len(rows):
        return 0.0
    least = int(rows[np.argmin(case.demand.peak[rows, CPU])])
    small = case.smaller(flat(case.demand.select([least])))
    one = small.plan(site, np.zeros(1, np.int64), np.ones(1, np.int64))
    if len(one.unplaced):
        return 0.0
    alone = one.usd_per_month - base - shown[least]
    return float(np.clip(alone, 0.0, max(plan.usd_per_month - base, 0.0)))


def updated(case: Case, market: Market, found: Deal) -> Market:
    """The same market after a deal: what is at a site pays what it was shown to cost there."""
    usd = market.usd.copy()
    for s in found.used:
        plan, count = found.plans[s], found.count[:, s]
        if plan is None:
            continue
        total = plan.usd_per_month - market.base[s] - market.fixed[s]
        price = _scaled(_shown_there(case, plan, count), count, total) + _moving(case, s, count, plan)
        usd[:, s] = np.where((count > 0) & market.able[:, s], price, usd[:, s])
    return replace(market, usd=usd)


def _shown_there(case: Case, plan: Plan, count: Ints) -> Floats:
    return np.where(count > 0, _shown(case.demand, plan), 0.0)
