"""Traffic between workloads: what was told or inferred, what a GiB costs, and the lines of what crosses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.demand import Demand
from planner.errors import PriceBookError
from planner.models._case import homes, named
from planner.models._graph import graph
from planner.models._sites import Site, Traffic
from planner.plan import Line, Plan, line

__all__ = ["crossing", "crowded", "flows", "gib_between", "prices", "recorded"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_FLOWS = 500
"""Unit: flows. Source: each flow adds variables for every two sites; the largest of a recorded graph are priced."""

MOST_PARTNERS = 12
"""Unit: units. Source: pairs grow with the square; what is larger than that stays together."""


def flows(demand: Demand, unit: Ints, told: Sequence[Traffic], inferred_gib: float) -> tuple[Ints, Ints, Floats]:
    """Caller, callee and GiB of each flow between units: as told, else as recorded, else `inferred_gib` of each member
    to the others of its application.

    Raises:
        InputError: a caller or callee does not exist.
    """
    found = recorded(demand, unit)
    if not told and len(found[2]):
        largest = np.sort(np.argsort(-found[2], kind="stable")[:MOST_FLOWS])
        return found[0][largest], found[1][largest], found[2][largest]
    ends = named(demand, unit, [name for t in told for name in (t.caller, t.callee)])
    pairs = [(a, b, t.gib_per_month / (len(one) * len(other)))
             for t, one, other in zip(told, ends[::2], ends[1::2], strict=True)
             for a in one for b in other if a != b]  # fmt: skip
    if not told and inferred_gib > 0:
        pairs = _inferred(demand, unit, inferred_gib)
    columns = np.array(pairs, float).reshape(-1, 3).T
    return columns[0].astype(np.int64), columns[1].astype(np.int64), columns[2]


def recorded(demand: Demand, unit: Ints) -> tuple[Ints, Ints, Floats]:
    """Caller, callee and GiB a month of the recorded call graph between different units; nothing where none is told."""
    told = graph(demand)
    if told is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    rows = pd.DataFrame({"a": unit[told.caller], "b": unit[told.callee], "gib": np.nan_to_num(told.gib_per_month)})
    rows = rows[(rows["a"] != rows["b"]) & (rows["gib"] > 0)].groupby(["a", "b"], sort=True)["gib"].sum().reset_index()
    return rows["a"].to_numpy(np.int64), rows["b"].to_numpy(np.int64), rows["gib"].to_numpy(float)


def _inferred(demand: Demand, unit: Ints, gib: float) -> list[tuple[int, int, float]]:
    rows = pd.DataFrame({"home": homes(demand), "unit": unit, "count": demand.count})
    rows = rows[rows["home"] != ""].groupby(["home", "unit"], sort=True)["count"].sum().reset_index()
    rows["others"] = rows.groupby("home")["count"].transform("sum") - 1
    both = rows.merge(rows, on="home", suffixes=("", "_other"))
    both = both[both["unit"] != both["unit_other"]]
    each, other, others = (both[c].to_numpy(float) for c in ("count", "count_other", "others"))
    amount = gib * each * other / np.maximum(others, 1.0)
    return list(zip(both["unit"].tolist(), both["unit_other"].tolist(), amount.tolist(), strict=True))


def crowded(demand: Demand, unit: Ints) -> tuple[tuple[int, ...], ...]:
    """Units of applications with too many of them to tell their traffic apart."""
    rows = pd.DataFrame({"home": homes(demand), "unit": unit})
    many = rows[rows["home"] != ""].groupby("home")["unit"].unique()
    return tuple(tuple(int(u) for u in units) for units in many if len(units) > MOST_PARTNERS)


def _tiers(catalog: Catalog, site: Site, other: Site) -> pd.DataFrame:
    """Price rows of a GiB from a site to another; none at home, or where nobody charges for it."""
    nothing = catalog.offers.iloc[:0]
    if (site.owner, site.place) == (other.owner, other.place):
        return nothing
    kind = "inter_region" if site.owner == other.owner else "egress"
    try:
        return catalog.at(site.owner, site.place).tiers(kind)
    except PriceBookError:
        return nothing


def prices(catalog: Catalog, sites: Sequence[Site], sent_gib: Floats) -> Floats:
    """[site, site], usd of one more GiB from where to where, beyond the `sent_gib` [site] that is sent anyway."""
    out = np.zeros((len(sites), len(sites)))
    for a, site in enumerate(sites):
        for b, other in enumerate(sites):
            tiers = _tiers(catalog, site, other)
            if len(tiers):
                reached = int(np.searchsorted(tiers["tier_from"].to_numpy(float), sent_gib[a], side="right")) - 1
                usd = tiers["usd_per_unit"].to_numpy(float)
                out[a, b] = usd[reached] or usd[min(reached + 1, len(usd) - 1)]
    return out


def gib_between(sites: int, ends: tuple[Ints, Ints, Floats], copies: Ints) -> Floats:
    """[site, site], GiB a month of a placement `copies` [unit, site]; what is not placed sends nothing."""
    caller, callee, gib = ends
    share = copies / np.maximum(copies.sum(axis=1, keepdims=True), 1)
    out = np.einsum("f,fa,fb->ab", gib, share[caller], share[callee])
    return np.asarray(out.reshape(sites, sites))


def crossing(catalog: Catalog, sites: Sequence[Site], plans: Sequence[Plan | None], gib: Floats) -> list[list[Line]]:
    """[site], the lines of what leaves each, billed after what its plan sends to the internet."""
    found: list[list[Line]] = []
    for a, site in enumerate(sites):
        lines = []
        for kind in ("inter_region", "egress"):
            to = [b for b, other in enumerate(sites) if (other.owner == site.owner) == (kind == "inter_region")]
            to = [b for b in to if gib[a, b] > 0 and len(_tiers(catalog, site, sites[b]))]
            amount = float(gib[a, to].sum())
            if amount > 0:
                lines += _after(
                    _tiers(catalog, site, sites[to[0]]), sent(plans[a]) if kind == "egress" else 0.0, amount
                )
        found.append(lines)
    return found


def sent(plan: Plan | None) -> float:
    """GiB that a plan sends to the internet."""
    return 0.0 if plan is None else sum(e.quantity for e in plan.lines if e.offer_kind == "egress")


def _after(tiers: pd.DataFrame, before: float, amount: float) -> list[Line]:
    """The lines of `amount` more once `before` has been billed."""
    start = np.maximum(tiers["tier_from"].to_numpy(float), before)
    end = np.minimum(tiers["tier_to"].fillna(np.inf).to_numpy(float), before + amount)
    inside = np.clip(end - start, 0.0, None)
    return [line(tiers.iloc[i], inside[i], "network") for i in np.flatnonzero(inside > 0)]
