"""From where everything sits to the whole plan: lines, capacity, use, placement, showback and what did not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._charges import Load, billed
from planner.models._energy import grid_intensity, work_kwh
from planner.models._orders import bought_ahead
from planner.models._owned import Owned, Site
from planner.models._servers import Servers
from planner.models._units import PACKED, Units, names, reasons
from planner.plan import Category, Certificate, Line, Plan, showback
from planner.quantities import CPU, MEMORY, RESOURCES, STORAGE, Assumption

__all__ = ["Deal", "assembled"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GB_PER_GIB: Final = 2.0**30 / 1e9
"""Disks are sold in decimal gigabytes."""


@dataclass(frozen=True)
class Deal:
    """Where every unit sits and which servers there are."""

    units: Units
    need: Floats
    """[unit, 3]."""
    servers: Servers
    room: Floats
    """[type, 3]."""
    server: Ints
    """[instance], type; -1: nowhere."""
    number: Ints
    """[instance], number of the server within its type."""
    working: Ints
    """[type]."""
    idle: Ints
    """[type], standing by."""
    certificate: Certificate
    details: Mapping[str, float] = field(default_factory=dict)
    """Figures besides, by name."""
    ahead: Ints | None = None
    """[type], bought with those because it is ordered in lots or will be dearer; none: nothing."""

    @property
    def count(self) -> Ints:
        """[type], all servers: those that work, stand by or are bought ahead, and never fewer than are owned."""
        ahead = 0 if self.ahead is None else self.ahead
        return np.asarray(np.maximum(self.working + self.idle, self.servers.owned) + ahead)

    @property
    def of_instance(self) -> Ints:
        """[instance], its unit."""
        return np.asarray(np.repeat(np.arange(len(self.units.count)), self.units.count))


def assembled(model: Owned, demand: Demand, site: Site, deal: Deal) -> Plan:
    """The plan that follows from a deal."""
    ahead = bought_ahead(model, site, deal.working + deal.idle, demand.growth_per_year)
    deal = replace(deal, ahead=ahead)
    instance = deal.units.instance(demand)
    seated = deal.server[instance] >= 0
    owner = demand.members["class"].to_numpy(np.int64)
    many = np.bincount(owner[seated], minlength=len(demand.workloads)).astype(float)
    disks = _disks(demand)
    sent = demand.workloads["network_gib_per_month"].to_numpy(np.float64)
    load = Load(
        storage_gb=model.raw_gib(float(many @ np.nan_to_num(disks))) * GB_PER_GIB,
        busy_kwh=_busy_kwh(deal, demand.hours),
        network_gb=float(many @ np.nan_to_num(sent)) * GB_PER_GIB,
        os_licences=_more_licences(model, site, deal),
        guests=float((deal.server >= 0).sum()),
    )
    bill = billed(deal.servers, site.charges, deal.count, load)
    lines = (*bill, *model.one_off(site.catalog, int(seated.sum())))
    periods = len(demand.hours)
    capacity = np.append(deal.count @ deal.servers.room, load.storage_gb / GB_PER_GIB)
    workloads = demand.members["workload"].to_numpy()
    shares = _shares(demand, deal, site.usd)
    return Plan(
        model=model.kind,
        lines=lines,
        hours=demand.hours,
        provisioned=np.tile(capacity, (periods, 1)),
        used=np.einsum("w,wpr->pr", many, np.nan_to_num(demand.mean)),
        boxes=_boxes(deal, model),
        placement=_placement(deal, instance[seated], workloads[seated]),
        cost_by_workload=showback(lines, list(workloads[seated]), {c: s[seated] for c, s in shares.items()}),
        unplaced=_unplaced(deal, instance[~seated], workloads[~seated]),
        certificate=deal.certificate,
        assumptions=(*model.settings(), *demand.assumptions, *_inferred(model, demand, disks)),
        details={
            "servers": float(deal.count.sum()),
            "servers_standing_by": float(deal.idle.sum()),
            "servers_bought": float((deal.count - deal.servers.owned).sum()),
            "servers_bought_ahead": float(ahead.sum()),
            "operating_systems": load.guests,
            **_footprint(model, site, deal, bill),
            **deal.details,
        },
    )


def _disks(demand: Demand) -> Floats:
    """[class], GiB of disk of one member: as allocated, else as needed; NaN where the trace is silent."""
    told = demand.workloads["storage_gib"].to_numpy(np.float64)
    needed = demand.peak[:, STORAGE]
    return np.where(np.isnan(told), np.where(needed > 0, needed, np.nan), told)


def _busy_kwh(deal: Deal, hours: Floats) -> float:
    return work_kwh(deal.servers, (deal.server, deal.number, deal.of_instance), deal.units.cores, hours)


def _more_licences(model: Owned, site: Site, deal: Deal) -> float:
    """Operating system licences beyond one set a server, where a set allows only so many machines."""
    if model.os_licence is None or not model.os_licence_machines:
        return 0.0
    seated = deal.server >= 0
    seats, guests = np.unique(np.column_stack([deal.server, deal.number])[seated], axis=0, return_counts=True)
    sets = np.ceil(guests / model.os_licence_machines) - 1
    unit = str(site.catalog.tiers("os_licence", model.os_licence)["unit"].iloc[0])
    return float(sets @ model.os_licences(deal.servers, unit)[seats[:, 0]])


def _footprint(model: Owned, site: Site, deal: Deal, bill: Sequence[Line]) -> dict[str, float]:
    """Energy of the whole site in a month, and what it and the making of servers emit."""
    kwh = sum(entry.quantity for entry in bill if entry.offer_kind == "electricity")
    grams = model.grid_gco2e_per_kwh if model.grid is None else grid_intensity(site.catalog, model.grid)
    made = model.embodied_kgco2e_per_server / deal.servers.column("lifetime_months")
    return {
        "energy_kwh_per_month": float(kwh),
        "carbon_kg_per_month": float(kwh) * grams / 1000,
        "embodied_carbon_kg_per_month": float(deal.count @ made),
    }


def _boxes(deal: Deal, model: Owned) -> pd.DataFrame:
    there = np.flatnonzero(deal.count)
    rows = deal.servers.offers.iloc[there]
    frame = {c: rows[c].astype(str).to_numpy(dtype=object) for c in ("sku", "provider", "region", "term")}
    return pd.DataFrame({**frame, "count": deal.count[there]})


def _placement(deal: Deal, instance: Ints, workloads: NDArray[np.object_]) -> pd.DataFrame:
    sku = np.array(deal.servers.sku, dtype=object)
    frame = {
        "workload": workloads,
        "replica": np.zeros(len(instance), np.int64),
        "sku": sku[deal.server[instance]],
        "box": deal.number[instance],
    }
    return pd.DataFrame(frame)


def _unplaced(deal: Deal, instance: Ints, workloads: NDArray[np.object_]) -> pd.DataFrame:
    unit = deal.of_instance[instance]
    kinds, where = np.unique(unit, return_inverse=True)
    told = reasons(deal.need[kinds], deal.units.arch[kinds], deal.servers, deal.room)
    return pd.DataFrame({"workload": workloads, "reason": np.array(told, dtype=object)[where]})


def _shares(demand: Demand, deal: Deal, usd: Floats) -> dict[Category, Floats]:
    """Part of the cost of compute and storage that each workload causes.

    A server's cost goes by how much of its threads and memory, on average, the workload needs; what shares a unit
    divides the unit's need in proportion to its own busiest periods. Where the needs of different hours add up to more
    than the server, they divide it.
    """
    instance = deal.units.instance(demand)
    owner = demand.members["class"].to_numpy(np.int64)
    unit = deal.of_instance[instance]
    server = deal.server[instance]
    peak = np.nan_to_num(demand.peak[owner][:, :PACKED])
    own = _within(peak, instance) * np.nan_to_num(deal.need)[unit]
    room = deal.servers.room[server]
    part = (own[:, CPU] / room[:, CPU] + own[:, MEMORY] / room[:, MEMORY]) / 2
    part = part / _crowded(part, server, deal.number[instance])
    total = float(deal.count @ usd)
    compute = np.where(server >= 0, usd[server] * part, 0.0) / total if total > 0 else np.zeros(len(owner))
    disks = np.where(server >= 0, np.nan_to_num(_disks(demand))[owner], 0.0)
    shares: dict[Category, Floats] = {"compute": compute}
    return {**shares, "storage": disks / disks.sum()} if disks.sum() > 0 else shares


def _crowded(part: Floats, server: Ints, number: Ints) -> Floats:
    """[member], the parts of its server that its members need together, if more than the whole, else 1."""
    _, here = np.unique(np.column_stack([server, number]), axis=0, return_inverse=True)
    together = np.bincount(here.ravel(), np.where(server >= 0, part, 0.0))
    return np.asarray(np.maximum(together, 1.0)[here.ravel()])


def _within(peak: Floats, instance: Ints) -> Floats:
    """[member, 3], the share of each member in its instance; equal where none needs anything."""
    size = int(instance.max(initial=-1)) + 1
    total = np.column_stack([np.bincount(instance, peak[:, r], minlength=size) for r in range(PACKED)])
    many = np.bincount(instance, minlength=size)
    return np.where(
        total[instance] > 0, peak / np.where(total > 0, total, 1.0)[instance], (1 / many[instance])[:, None]
    )


def _inferred(model: Owned, demand: Demand, disks: Floats) -> list[Assumption]:
    found = []
    silent = int(demand.count[np.isnan(disks)].sum())
    if silent:
        source = f"the trace tells no {RESOURCES[STORAGE]} for {silent} workloads; no disks are bought for them"
        found.append(Assumption(f"{model.kind}.storage_of_unknown_size", 0.0, "GiB", source))
    alone = int(demand.count[names(demand, "application") == ""].sum())
    if alone:
        source = f"the trace names no application for {alone} workloads; each is taken for one"
        found.append(Assumption(f"{model.kind}.workloads_per_unnamed_application", 1, "workloads", source))
    return found
