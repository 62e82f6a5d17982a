"""What a fleet of clusters costs besides: the manager of each."""

from __future__ import annotations

import numpy as np

from planner.catalog import Catalog
from planner.errors import PriceBookError, near_miss
from planner.models._sites import Site
from planner.plan import Line, Plan, metered
from planner.quantities import CPU, MONTHS_PER_YEAR

__all__ = ["manager"]


def manager(catalog: Catalog, site: Site, plan: Plan, sku: str) -> list[Line]:
    """A month of the fleet manager of one cluster, as the unit of its price row says.

    Raises:
        PriceBookError: there is no such offer, or it is sold by something else than clusters, cores and machines.
    """
    rows = catalog.of("platform")
    if sku not in set(rows["sku"]):
        raise PriceBookError(f"platform {sku!r}: {near_miss(sku, rows['sku'])}")
    own = rows[(rows["sku"] == sku) & (rows["provider"] == site.owner)]
    tiers = own if len(own) else rows[rows["sku"] == sku]
    first = tiers.iloc[0]
    same = (tiers["provider"] == first["provider"]) & (tiers["region"] == first["region"])
    return metered(tiers[same].sort_values("tier_from"), _quantity(str(first["unit"]), plan), "platform")


def _quantity(unit: str, plan: Plan) -> float:
    month = float(plan.hours.sum())
    cores = float(plan.hours @ plan.provisioned[:, CPU]) / month if month else 0.0
    machines = float(plan.boxes["count"].sum())
    known = {
        "month": 1.0,
        "cluster-hour": month,
        "vCPU-month": cores,
        "vCPU-hour": cores * month,
        "2-core-year": np.ceil(cores / 4) / MONTHS_PER_YEAR,
        "server-year": machines / MONTHS_PER_YEAR,
    }
    if unit not in known:
        raise PriceBookError(f"fleet manager by {unit!r}: expected one of {', '.join(known)}")
    return float(known[unit])
