"""A small price book of owned hardware, and what must hold for every plan made of it; rates are the tests', not today's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from models.catalogs import book, offer

from planner.catalog import Catalog
from planner.demand import Demand
from planner.plan import Plan
from planner.verify import verify_proof

HERE = {"provider": "onprem", "region": "all"}


def server(sku: str, threads: float, gib: float, usd: float, **more: Any) -> dict[str, Any]:
    """A one-socket server that lives four years; watts grow with its threads."""
    shape = {"cpu_cores": threads, "memory_gib": gib, "gpus": 0.0, "physical_cores": threads / 2, "sockets": 1.0}
    power = {"idle_watts": 20 + threads, "peak_watts": 20 + 4 * threads, "lifetime_months": 48.0, "arch": "x86_64"}
    return offer(sku, "server", usd, **{**HERE, "term": "purchase", "unit": "each", **shape, **power, **more})


def bought(sku: str, kind: str, usd: float, unit: str, months: float) -> dict[str, Any]:
    return offer(sku, kind, usd, **HERE, term="purchase", unit=unit, lifetime_months=months)


def metered(sku: str, kind: str, usd: float, unit: str) -> dict[str, Any]:
    return offer(sku, kind, usd, **HERE, term="on_demand", unit=unit)


SERVICES = (
    metered("support", "server_maintenance", 0.12, "usd of spend-year"),
    bought("disks", "storage_hardware", 2.0, "GB", 48),
    metered("disk support", "storage_maintenance", 0.1, "usd of spend-year"),
    bought("network share", "network_hardware", 0.1, "usd of spend", 60),
    metered("network support", "network_maintenance", 0.15, "usd of spend-year"),
    bought("port", "switch_port", 100.0, "each", 60),
    bought("rack", "rack", 3000.0, "each", 120),
    metered("power", "colocation", 180.0, "kW-month"),
    metered("floor", "rack_space", 100.0, "U-month"),
    metered("energy", "electricity", 0.1, "kWh"),
    metered("protection", "security", 240.0, "server-year"),
    metered("watching", "monitoring", 420.0, "server-year"),
    metered("mending", "patching", 360.0, "server-year"),
    metered("copies", "backup", 600.0, "server-year"),
    metered("people", "admin_labour", 120_000.0, "FTE-year"),
    metered("vsphere", "hypervisor_licence", 150.0, "core-year"),
    metered("linux", "os_licence", 800.0, "2 sockets-year"),
    offer("rehost", "migration", 5000.0, **HERE, term="once", unit="workload"),
)
SERVERS = (
    server("small", 16, 64, 4000.0),
    server("medium", 64, 256, 12_000.0),
    server("large", 128, 1024, 30_000.0, sockets=2.0),
)


def catalog(*servers: dict[str, Any]) -> Catalog:
    """Three servers, or those given, and everything that comes with them."""
    return book(*(servers or SERVERS), *SERVICES)


def assert_sound(plan: Plan, demand: Demand) -> None:
    """Whatever is asked, a plan adds up, names every workload once, and is no better than its bound."""
    told = [*plan.placement["workload"], *plan.unplaced["workload"]]
    assert sorted(told) == sorted(demand.members["workload"])
    assert all(entry.source and entry.as_of and entry.quantity > 0 for entry in plan.lines)
    assert plan.usd_per_month == pytest.approx(sum(entry.usd_per_month for entry in plan.lines))
    assert plan.cost_by_workload["usd_per_month"].sum() == pytest.approx(plan.usd_per_month)
    assert (plan.cost_by_workload["usd_per_month"] >= -1e-6).all()
    assert plan.certificate.bound_usd <= plan.certificate.usd * (1 + 1e-9)
    assert plan.certificate.usd <= plan.usd_per_month * (1 + 1e-9)
    assert all(reason for reason in plan.unplaced["reason"])
    counts = dict(zip(plan.boxes["sku"], plan.boxes["count"], strict=True))
    seats = plan.placement.groupby("sku")["box"].max()
    assert all(seats[sku] < counts[sku] for sku in seats.index)
    proof = plan.certificate.proof
    if "parts" in proof:
        assert [finding for finding in verify_proof(proof, plan.model) if not finding.holds] == []


def held(plan: Plan, need: dict[str, np.ndarray]) -> dict[tuple[str, int], np.ndarray]:
    """What each working server holds, out of the placement and what each workload needs."""
    loads: dict[tuple[str, int], np.ndarray] = {}
    for row in plan.placement.itertuples():
        seat = (str(row.sku), int(row.box))
        loads[seat] = loads.get(seat, np.zeros(2)) + need[str(row.workload)]
    return loads


def survives(plan: Plan, loads: dict[tuple[str, int], np.ndarray], room: dict[str, np.ndarray], lost: int) -> bool:
    """Whether the `lost` fullest servers, by any mix of resources, find a free server each that holds what they held."""
    counts = dict(zip(plan.boxes["sku"], plan.boxes["count"], strict=True))
    working = {sku: sum(1 for seat in loads if seat[0] == sku) for sku in counts}
    free = [sku for sku in counts for _ in range(counts[sku] - working[sku])]
    return _matched(list(loads.values()), free, room, lost)


def _matched(loads: list[np.ndarray], free: list[str], room: dict[str, np.ndarray], lost: int) -> bool:
    """Hall's condition for every set of lost servers: each load is held by at least `lost` free servers, or by as many
    as there are loads."""
    return all(sum((load <= room[sku] + 1e-9).all() for sku in free) >= min(lost, len(loads)) for load in loads)
