"""A small price book of owned hardware, and what must hold for every plan made of it; its rates are the tests' own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.catalogs import book, offer
from planner.catalog import Catalog
from planner.demand import Demand
from planner.models.hypervisor import Hypervisor
from planner.plan import Line, Plan
from planner.verify import verify_proof

HERE = {"provider": "onprem", "region": "all"}
Seat = tuple[str, int]


BARE = Hypervisor(
    spares=0,
    lead_time_weeks=0,
    host_cpu_share=0,
    host_memory_gib=0,
    vm_memory_overhead_gib=0,
    vm_memory_overhead_share=0,
    protection="none",
    effort=0,
)
"""Nothing but packing: no reserve, no overhead, no copies of storage."""


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
    bought("array", "storage_hardware", 2.0, "GB", 48),
    bought("nvme-ssd-raw", "storage_hardware", 0.2, "GB", 48),
    metered("disk support", "storage_maintenance", 0.1, "usd of spend-year"),
    bought("network share", "network_hardware", 0.1, "usd of spend", 60),
    metered("network support", "network_maintenance", 0.15, "usd of spend-year"),
    bought("port", "switch_port", 100.0, "each", 60),
    bought("rack", "rack", 3000.0, "each", 120),
    metered("power", "colocation", 180.0, "kW-month"),
    metered("floor", "rack_space", 100.0, "U-month"),
    metered("cage", "rack_space", 1800.0, "rack-month"),
    metered("energy", "electricity", 0.1, "kWh"),
    metered("protection", "security", 240.0, "server-year"),
    metered("watching", "monitoring", 420.0, "server-year"),
    metered("mending", "patching", 360.0, "server-year"),
    metered("copies", "backup", 600.0, "server-year"),
    metered("people", "admin_labour", 120_000.0, "FTE-year"),
    metered("vsphere", "hypervisor_licence", 150.0, "core-year"),
    metered("linux", "os_licence", 800.0, "2-socket-year"),
    bought("windows", "os_licence", 1000.0, "16-core", 60),
    offer("rehost", "migration", 5000.0, **HERE, term="once", unit="workload"),
)
SERVERS = (
    server("small", 16, 64, 4000.0),
    server("medium", 64, 256, 12_000.0),
    server("large", 128, 1024, 30_000.0, sockets=2.0),
)
ROOM = {str(row["sku"]): np.array([row["cpu_cores"], row["memory_gib"]]) for row in SERVERS}


def catalog(*servers: dict[str, Any]) -> Catalog:
    """Three servers, or those given, and everything that comes with them."""
    return book(*(servers or SERVERS), *SERVICES)


def quantity(plan: Plan, kind: str) -> float:
    """How much of one kind of offer a plan pays for."""
    return sum(entry.quantity for entry in plan.lines if entry.offer_kind == kind)


def only(plan: Plan, kind: str) -> Line:
    """The one line of a kind of offer."""
    (entry,) = [entry for entry in plan.lines if entry.offer_kind == kind]
    return entry


def counts(plan: Plan) -> dict[str, int]:
    """Servers of each type."""
    return {str(row.sku): int(row.count_) for row in plan.boxes.rename(columns={"count": "count_"}).itertuples()}


def assert_sound(plan: Plan, demand: Demand) -> None:
    """Whatever is asked, a plan adds up, names every workload once, and is no better than its bound."""
    told = [*plan.placement["workload"], *plan.unplaced["workload"]]
    assert sorted(told) == sorted(demand.members["workload"])
    assert all(plan.unplaced["reason"])
    assert all(entry.source and entry.as_of and entry.quantity > 0 for entry in plan.lines)
    assert plan.usd_per_month == pytest.approx(sum(entry.usd_per_month for entry in plan.lines))
    assert plan.cost_by_workload["usd_per_month"].sum() == pytest.approx(plan.usd_per_month)
    assert (plan.cost_by_workload["usd_per_month"] >= -1e-6).all()
    assert plan.certificate.bound_usd <= plan.certificate.usd * (1 + 1e-9)
    assert plan.certificate.usd <= plan.usd_per_month * (1 + 1e-9)
    assert (plan.used[:, :2] <= plan.provisioned[:, :2] * (1 + 1e-9)).all()
    there = counts(plan)
    seats = plan.placement.groupby("sku")["box"].max()
    assert all(seats[sku] < there[sku] for sku in seats.index)
    assert [finding for finding in verify_proof(plan.certificate.proof, plan.model) if not finding.holds] == []


def held(plan: Plan, need: dict[str, np.ndarray]) -> dict[Seat, np.ndarray]:
    """What each working server holds, out of the placement and what each workload needs."""
    loads: dict[Seat, np.ndarray] = {}
    for row in plan.placement.itertuples():
        seat = (str(row.sku), int(row.box))
        loads[seat] = loads.get(seat, np.zeros(2)) + need[str(row.workload)]
    return loads


def survives(plan: Plan, loads: dict[Seat, np.ndarray], room: dict[str, np.ndarray], lost: int) -> bool:
    """Whether the loads of any `lost` servers find a free server each: by Hall's theorem, tried set by set."""
    there = counts(plan)
    free = [sku for sku in there for _ in range(there[sku] - sum(1 for seat in loads if seat[0] == sku))]
    fits = [[bool((load <= room[sku] * (1 + 1e-9)).all()) for sku in free] for load in loads.values()]
    return all(_seated([fits[i] for i in some]) for some in _sets(len(fits), min(lost, len(fits))))


def _sets(size: int, chosen: int) -> list[tuple[int, ...]]:
    sets: list[tuple[int, ...]] = [()]
    for _ in range(chosen):
        sets = [(*s, i) for s in sets for i in range(s[-1] + 1 if s else 0, size)]
    return sets


def _seated(fits: list[list[bool]], taken: frozenset[int] = frozenset()) -> bool:
    if not fits:
        return True
    return any(_seated(fits[1:], taken | {j}) for j, fit in enumerate(fits[0]) if fit and j not in taken)
