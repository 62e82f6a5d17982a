"""What every rented model shares: where it rents, what leaves the network, disks, support and moving in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from planner.catalog import Catalog
from planner.demand import Demand
from planner.errors import PriceBookError
from planner.models.base import DeploymentModel
from planner.plan import Line, line, metered
from planner.quantities import HOURS_PER_MONTH, MONTHS_PER_YEAR, SECONDS_PER_HOUR, Assumption

__all__ = [
    "Rented",
    "administrators",
    "disks",
    "egress",
    "inferred",
    "left_out",
    "migration",
    "moved",
    "offered",
    "sent_gib",
    "support",
]

Floats = NDArray[np.float64]

KIB_PER_GIB = 2.0**20


class Rented(DeploymentModel):
    """Settings that all models on rented infrastructure have."""

    provider: str = "aws"
    """Who is rented from. Unit: name. Source: the scenario."""

    region: str = "us-east-1"
    """Where. Unit: name. Source: the scenario."""

    support_plan: str = "first"
    """Support that is paid as a share of the bill: a plan by name, the provider's first, or none. Unit: sku, "first"
    or "none". Source: the user."""

    egress_gib_per_workload: float = Field(default=10.0, ge=0)
    """What a machine sends to the internet where the trace does not tell. Unit: GiB-month. Source: assumption of this
    planner, no published figure."""

    egress_kib_per_request: float = Field(default=16.0, ge=0)
    """What the answer to one request weighs where the trace does not tell. Unit: KiB. Source: assumption of this
    planner, no published figure."""


def offered(market: Catalog, kind: str, words: Sequence[str] = (), sku: str = "") -> pd.DataFrame:
    """All tiers of one offer of `kind`: the `sku` named, else the first of those whose names hold most of `words`.

    Raises:
        PriceBookError: there is no such offer.
    """
    if sku:
        return market.tiers(kind, sku)
    names = market.of(kind)["sku"].astype(str).unique().tolist()
    hits = [sum(word in name.lower() for word in words) for name in names]
    return market.tiers(kind, names[int(np.argmax(hits))] if names else None)


def inferred(name: str, value: float | str, unit: str, source: str) -> Assumption:
    """A number that the trace did not measure."""
    return Assumption(name, value, unit, source, measured=False)


def sent_gib(model: Rented, demand: Demand) -> Floats:
    """[class], GiB that one member sends out in a month: measured, else by request, else a flat amount."""
    known = demand.workloads["network_gib_per_month"].to_numpy(float)
    calls = demand.requests_per_s @ demand.hours * SECONDS_PER_HOUR
    by_request = demand.workloads["seconds_per_request"].notna().to_numpy()
    guess = np.where(by_request, calls * model.egress_kib_per_request / KIB_PER_GIB, model.egress_gib_per_workload)
    return np.where(np.isnan(known), guess, known)


def egress(model: Rented, market: Catalog, demand: Demand) -> tuple[list[Line], list[Assumption], float]:
    """Traffic to the internet: lines, what was inferred, and GiB a month. Clouds meter a GB as 2^30 bytes.

    Raises:
        PriceBookError: the catalog has no egress price.
    """
    total = float(demand.count @ sent_gib(model, demand)) if len(demand.workloads) else 0.0
    unknown = int(demand.count[demand.workloads["network_gib_per_month"].isna().to_numpy()].sum())
    words = [inferred(f"{model.kind}: workloads whose traffic is assumed", unknown, "workloads", "the trace lacks it")]
    if total <= 0:
        return [], words if unknown else [], 0.0
    return metered(offered(market, "egress"), total, "network"), words if unknown else [], total


def disks(market: Catalog, gib: Floats, count: NDArray[np.number], words: Sequence[str]) -> list[Line]:
    """Disks of `gib` [class] for `count` [class] machines: by the GB, or by the cheapest fixed size that holds one.

    Raises:
        PriceBookError: the catalog sells neither.
    """
    total = float(gib @ count) if len(gib) else 0.0
    if total <= 0:
        return []
    if len(market.of("block_storage")) or not len(market.of("disk")):
        return metered(offered(market, "block_storage", words), total, "storage")
    return _fixed(market.of("disk"), gib, count)


def _fixed(sizes: pd.DataFrame, gib: Floats, count: NDArray[np.number]) -> list[Line]:
    """The cheapest number of equal disks of one size for each class."""
    room, usd = sizes["storage_gib"].to_numpy(float), sizes["usd_per_unit"].to_numpy(float)
    if np.isnan(room).any():
        raise PriceBookError("disk prices: storage_gib is empty, expected the size of each disk")
    pieces = np.ceil(gib[:, None] / room)
    best = np.argmin(pieces * usd, axis=1)
    amount = np.bincount(best, pieces[np.arange(len(gib)), best] * count, minlength=len(room))
    return [line(sizes.iloc[k], amount[k], "storage") for k in np.flatnonzero(amount)]


def support(model: Rented, market: Catalog, lines: Sequence[Line]) -> list[Line]:
    """The support plan: its tiers over the month's spend, or its minimum where that is more.

    Its minimum falls due whatever is rented, a free amount included; only who rents nothing pays none.

    Raises:
        PriceBookError: the plan that is named is not in the catalog although support is sold there.
    """
    spend = sum(entry.usd_per_month for entry in lines)
    rents = any(entry.quantity > 0 for entry in lines)
    if model.support_plan == "none" or not rents or not len(market.of("support")):
        return []
    tiers = market.tiers("support", None if model.support_plan == "first" else model.support_plan)
    share = metered(tiers, spend, "support")
    floors = market.of("support_minimum")
    floors = floors[floors["sku"] == f"{tiers['sku'].iloc[0]} minimum"]
    if len(floors) and sum(entry.usd for entry in share) < float(floors["usd_per_unit"].iloc[0]):
        return [line(floors.iloc[0], 1.0, "support")]
    return share


def administrators(catalog: Catalog, machines: float, machines_per_admin: float | None) -> list[Line]:
    """The people who look after `machines`, at the price of the books' first administrator; none asked for, no line.

    Owned models pay theirs too: without them, renting would look free of work.
    """
    rows = catalog.of("admin_labour")
    if machines_per_admin is None or machines <= 0 or rows.empty:
        return []
    return [line(rows.iloc[0], machines / machines_per_admin / MONTHS_PER_YEAR, "labour")]


def moved(served: Demand, native: Sequence[str]) -> int:
    """How many workloads move in; those of a `native` kind already live that way."""
    foreign = ~served.workloads["kind"].isin(list(native)).to_numpy()
    return int(served.count[foreign].sum())


def migration(catalog: Catalog, provider: str, word: str, workloads: int) -> list[Line]:
    """One-off cost of moving `workloads` the way that `word` names, to `provider` where it has a price of its own."""
    rows = catalog.of("migration")
    rows = rows[rows["sku"].astype(str).str.contains(word, case=False)]
    rows = rows.sort_values("provider", key=lambda names: names != provider, kind="stable")
    return [line(rows.iloc[0], workloads, "migration", "one-off")] if len(rows) and workloads else []


def left_out(demand: Demand, reasons: Mapping[int, str]) -> pd.DataFrame:
    """Columns workload, reason: every member of the classes that `reasons` names."""
    rows = demand.members[demand.members["class"].isin(list(reasons))]
    named = zip(rows["workload"].tolist(), rows["class"].tolist(), strict=True)
    return pd.DataFrame([(w, reasons[c]) for w, c in named], columns=["workload", "reason"], dtype=object)


def month_hours(hours: Floats) -> float:
    """Hours of the month that the periods stand for; a month of an empty demand is a whole one."""
    return float(hours.sum()) if len(hours) else HOURS_PER_MONTH
