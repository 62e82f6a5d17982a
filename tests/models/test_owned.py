"""What owned hardware has in common: power and carbon, orders in lots, licences by unit, limits; published numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogs import book, demand
from models.onprem import (
    BARE,
    SERVERS,
    SERVICES,
    assert_sound,
    catalog,
    counts,
    metered,
    only,
    quantity,
    server,
)
from planner.catalog import FACT_COLUMNS, Catalog
from planner.errors import PriceBookError
from planner.models.physical import Physical

NOW = Physical(spares=0, lead_time_weeks=0, production_watts=1.0, effort=0)
"""Power as price rows tell it, nothing in reserve."""

GIB = 1e9 / 2**30
"""Of a decimal gigabyte."""

ML110_G5 = (93.7, 97, 101, 105, 110, 116, 121, 125, 129, 133, 135)
"""Unit: W at 0, 10 ... 100 % load. Source: SPECpower_ssj2008, HP ProLiant ML110 G5, as printed in CloudSim."""


def told(prices: Catalog, *facts: tuple[str, str, str, float]) -> Catalog:
    """A catalog with facts (topic, key, metric, value)."""
    rows = [dict(zip(("topic", "key", "metric", "value"), row, strict=True)) for row in facts]
    return replace(prices, facts=pd.DataFrame(rows, columns=list(FACT_COLUMNS)))


def curve(key: str, watts: tuple[float, ...] = ML110_G5) -> list[tuple[str, str, str, float]]:
    names = ["idle_w", *(f"watts_at_{percent}_percent" for percent in range(10, 100, 10)), "peak_w"]
    return [("power", key, name, value) for name, value in zip(names, watts, strict=True)]


def like(**changes: Any) -> Physical:
    return NOW.model_copy(update=changes)


def box(threads: float, idle: float, peak: float, **more: Any) -> dict[str, Any]:
    return server("box", threads, 80, 1000.0, idle_watts=idle, peak_watts=peak, **more)


def test_a_processor_hour_at_one_percent_as_in_cloud_carbon_footprint() -> None:
    asked = demand({"busy": [1, 1], "mean": [0.01, 1], "count": 2})
    plan = like(pue=1.135, grid_gco2e_per_kwh=415.755).plan(asked, catalog(box(1, 0.71, 3.46)))
    assert plan.details["energy_kwh_per_month"] / 730 == pytest.approx(0.00167412, rel=1e-5)
    assert plan.details["carbon_kg_per_month"] / 730 / 1000 == pytest.approx(6.960258e-7, rel=1e-5)


def test_average_watts_as_in_cloud_carbon_footprint() -> None:
    plan = like(pue=1.135, grid_gco2e_per_kwh=928.0).plan(demand({"busy": [1, 1]}), catalog(box(1, 350, 350)))
    assert plan.details["energy_kwh_per_month"] / 730 == pytest.approx(0.39725)
    assert plan.details["carbon_kg_per_month"] / 730 / 1000 == pytest.approx(3.68648e-4)


def test_memory_as_in_cloud_carbon_footprint() -> None:
    model = like(pue=1.135, memory_watts_per_gib=0.392, grid_gco2e_per_kwh=415.755)
    plan = model.plan(demand({"busy": [1, 1]}), catalog(box(1, 0, 0)))
    assert plan.details["energy_kwh_per_month"] / 730 == pytest.approx(0.0355936)
    assert plan.details["carbon_kg_per_month"] / 730 / 1000 == pytest.approx(1.4798217168e-5)


@pytest.mark.parametrize(
    ("pue", "grams", "kwh", "tonnes"), [(1.135, 415.755, 11_350, 4.71881925), (1.09, 109, 10_900, 1.1881)]
)
def test_traffic_as_in_cloud_carbon_footprint(pue: float, grams: float, kwh: float, tonnes: float) -> None:
    asked = demand({"busy": [1, 1], "network_gib_per_month": 1e7 * GIB})
    plan = like(pue=pue, grid_gco2e_per_kwh=grams).plan(asked, catalog(box(1, 0, 0)))
    assert plan.details["energy_kwh_per_month"] == pytest.approx(kwh)
    assert plan.details["carbon_kg_per_month"] / 1000 == pytest.approx(tonnes)


def test_energy_is_what_the_bill_says_and_follows_the_month() -> None:
    short, long = (NOW.plan(demand({"busy": [10, 40], "storage_gib": 500.0}, hours=[h]), catalog()) for h in (672, 744))
    assert short.details["energy_kwh_per_month"] == quantity(short, "electricity")
    assert long.details["energy_kwh_per_month"] == pytest.approx(short.details["energy_kwh_per_month"] * 744 / 672)
    assert only(long, "colocation").quantity == only(short, "colocation").quantity


def test_energy_follows_the_measured_curve_period_by_period() -> None:
    asked = demand({"busy": [8, 8], "mean": [[4, 1], [2, 1]]}, hours=[300, 430])
    prices = catalog(box(8, 93.7, 135, family="HP ProLiant ML110 G5"))
    straight = like(pue=1.0).plan(asked, prices)
    bent = like(pue=1.0).plan(asked, told(prices, *curve("HP ProLiant ML110 G5 1s")))
    assert bent.details["energy_kwh_per_month"] == pytest.approx((116 * 300 + 103 * 430) / 1000)
    line = 93.7 + (135 - 93.7) * np.array([0.5, 0.25])
    assert straight.details["energy_kwh_per_month"] == pytest.approx(line @ [300, 430] / 1000)
    assert_sound(bent, asked)


def test_loads_that_share_a_server_climb_its_curve_together() -> None:
    asked = demand({"busy": [4, 8], "mean": [[4, 1], [0, 1]], "count": 2}, hours=[365, 365])
    prices = told(catalog(box(8, 93.7, 135)), *curve("box"))
    for model in (like(pue=1.0, consolidate=True), BARE.model_copy(update={"pue": 1.0, "production_watts": 1.0})):
        plan = model.plan(asked, prices)
        assert counts(plan) == {"box": 1}
        assert plan.details["energy_kwh_per_month"] == pytest.approx((135 + 93.7) * 365 / 1000)
    apart = like(pue=1.0).plan(asked, prices)
    assert apart.details["energy_kwh_per_month"] == pytest.approx(2 * (116 + 93.7) * 365 / 1000)


def test_a_curve_that_is_not_told_whole_is_a_straight_line() -> None:
    asked, prices = demand({"busy": [8, 8], "mean": [4, 1]}), catalog(box(8, 93.7, 135))
    some = told(prices, *curve("box")[:-3])
    assert NOW.plan(asked, some).usd_per_month == NOW.plan(asked, prices).usd_per_month


def test_the_servers_that_draw_least_for_the_work_are_taken() -> None:
    level = (50.0, *([60.0] * 9), 150.0)
    flat = server("flat", 8, 80, 1000.0, idle_watts=50, peak_watts=150)
    steep = server("steep", 8, 80, 1000.0, idle_watts=50, peak_watts=150)
    prices = told(catalog(steep, flat), *curve("flat", level))
    plan = NOW.plan(demand({"busy": [8, 8], "mean": [6, 1], "count": 3}), prices)
    assert counts(plan) == {"flat": 3}
    assert plan.certificate.gap == pytest.approx(0.0, abs=1e-9)


def test_a_grid_is_named_or_told_outright() -> None:
    asked = demand({"busy": [1, 1]})
    prices = told(catalog(), ("carbon", "aws eu-west-1", "grid_intensity", 316.0))
    plan = like(grid="aws eu-west-1").plan(asked, prices)
    assert plan.details["carbon_kg_per_month"] == pytest.approx(plan.details["energy_kwh_per_month"] * 0.316)
    with pytest.raises(PriceBookError, match="did you mean 'aws eu-west-1'"):
        like(grid="aws eu-west-2").plan(asked, prices)


def test_making_servers_is_spread_over_their_life() -> None:
    plan = like(embodied_kgco2e_per_server=960.0).plan(demand({"busy": [1, 1], "count": 3}), catalog())
    assert plan.details["embodied_carbon_kg_per_month"] == pytest.approx(3 * 960 / 48)


def test_three_nodes_as_in_the_nutanix_sizer() -> None:
    """3 nodes of 8 x 32 GB; 72 cores less 2.23 for a slower processor; a controller's cores and thresholds besides."""
    node = server("node", 24, 256, 9000.0)
    model = BARE.model_copy(update={"thread_performance": 69.77 / 72})
    plan = model.plan(demand({"busy": [1, 1]}), catalog(node), {"node": 3})
    assert plan.provisioned[0, 0] == pytest.approx(69.77)
    assert plan.provisioned[0, 1] / 1024 == pytest.approx(0.75)
    limits = {"cpu_limit": 0.95, "memory_limit": 0.95, "host_cpu_cores": 4.0, "storage_limit": 0.98, "storage_slack": 0}
    full = demand({"busy": [19, 243.2], "storage_gib": 98.0})
    assert counts(BARE.model_copy(update=limits).plan(full, catalog(node))) == {"node": 1}
    assert counts(BARE.model_copy(update=limits).plan(demand({"busy": [19.1, 8]}), catalog(node))) == {}
    assert counts(BARE.model_copy(update=limits).plan(demand({"busy": [1, 243.3]}), catalog(node))) == {}
    assert BARE.model_copy(update=limits).plan(full, catalog(node)).provisioned[0, 3] == pytest.approx(100.0)


def test_a_faster_thread_takes_more_work_and_counts_no_more_cores() -> None:
    prices = told(catalog(SERVERS[0]), ("performance", "small", "per_thread", 1.5))
    asked = demand({"busy": [24, 8], "mean": [12, 4]})
    plan = NOW.plan(asked, prices)
    assert counts(plan) == {"small": 1}
    assert plan.utilisation["cpu"] == pytest.approx(0.5)
    kwh = (36 + (84 - 36) * 0.5) * 730 / 1000 * 1.54
    assert plan.details["energy_kwh_per_month"] == pytest.approx(kwh)
    assert NOW.plan(asked, catalog(SERVERS[0])).unplaced["reason"].str.startswith("cpu_cores").all()


def test_raw_disks_and_least_hosts_may_be_told_outright() -> None:
    asked = demand({"busy": [1, 1], "storage_gib": 100.0})
    plan = BARE.model_copy(update={"raw_per_usable": 1.25, "least_hosts": 4}).plan(asked, catalog())
    assert quantity(plan, "storage_hardware") * GIB == pytest.approx(100 * 1.25 / 0.75)
    assert plan.details["servers"] == 4
    reduced = BARE.model_copy(update={"storage_reduction": 3.0, "storage_slack": 0.0})
    plan = reduced.plan(demand({"busy": [1, 1], "storage_gib": 300.0}), catalog())
    assert quantity(plan, "storage_hardware") * GIB == pytest.approx(100)


@pytest.mark.parametrize(
    ("unit", "licences"),
    [("2-core", 16), ("16-core", 2), ("core-year", 32 / 12), ("socket-year", 2 / 12), ("2-socket-year", 1 / 12)],
)
def test_licences_count_what_their_unit_says_with_the_least_that_is_sold(unit: str, licences: float) -> None:
    """Two processors of six cores: eight cores each at least for an operating system, sixteen for a hypervisor."""
    host = server("host", 24, 256, 9000.0, sockets=2.0)
    lived = {"lifetime_months": 60.0} if "year" not in unit else {}
    rows = [row for row in SERVICES if row["kind"] not in {"os_licence", "hypervisor_licence"}]
    system, sold = (metered(name, f"{name}_licence", 100.0, unit) | lived for name in ("os", "hypervisor"))
    model = BARE.model_copy(update={"os_licence": "os", "licence_cores_per_order": 0})
    plan = model.plan(demand({"busy": [1, 1]}), book(host, *rows, system, sold))
    assert quantity(plan, "hypervisor_licence") == pytest.approx(licences)
    counted = {"2-core": 8, "16-core": 1, "core-year": 16 / 12}.get(unit, licences)
    assert quantity(plan, "os_licence") == pytest.approx(counted)


def test_a_licence_for_two_machines_is_bought_again_for_the_next_two() -> None:
    model = BARE.model_copy(update={"os_licence": "windows"})
    asked = demand({"busy": [10, 10], "count": 5})
    host = catalog(server("host", 64, 256, 9000.0))
    assert quantity(model.plan(asked, host), "os_licence") == 2
    assert quantity(model.model_copy(update={"os_licence_machines": 2}).plan(asked, host), "os_licence") == 6


def test_the_business_case_of_azure_in_prices_and_settings() -> None:
    """Two processors of 32 cores and 512 GB cost 22,886; the shares are those of the documentation."""
    price = (16.232 * 512 / 128 + 113.87) * 128
    assert price == pytest.approx(22_886, abs=0.5)
    rows = (
        server("azure", 128, 512, price, physical_cores=64.0, sockets=2.0, peak_watts=64 * 9 * 2.0, idle_watts=576.0),
        *(row for row in SERVICES if row["kind"] not in {"security", "monitoring", "patching", "backup"}),
        *(metered(kind, kind, usd, "server-year") for kind, usd in AZURE.items()),
    )
    model = like(labour="per_server", contracted_kw=1.8, pue=1.8, ports_per_server=0, storage_watts_per_tb=0.0)
    plan = model.plan(demand({"busy": [100, 400], "storage_gib": 1000 * GIB}), book(*rows))
    cost = {entry.offer_kind: entry.usd for entry in plan.lines}
    assert (cost["server"], cost["storage_hardware"]) == pytest.approx((price, 2000))
    assert cost["network_hardware"] == pytest.approx(0.1 * (price + 2000))
    year = {entry.offer_kind: entry.usd_per_month * 12 for entry in plan.lines}
    assert year["storage_maintenance"] == pytest.approx(200)
    assert year["network_maintenance"] == pytest.approx(0.15 * 0.1 * (price + 2000))
    assert {kind: year[kind] for kind in AZURE} == pytest.approx(AZURE)
    assert only(plan, "colocation").quantity == pytest.approx(64 * 0.009 * 2.0 * 1.8 / (1 - 0.40))


AZURE = {"security": 250.0, "monitoring": 430.0, "patching": 430.0, "backup": 580.0}


def test_orders_are_filled_up_to_the_least_that_is_sold() -> None:
    asked = demand({"busy": [10, 40], "count": 3}, growth=0.2)
    assert NOW.plan(asked, catalog()).details["servers_bought_ahead"] == 0
    plan = like(order_least=10).plan(asked, catalog())
    assert counts(plan) == {"small": 10}
    assert plan.details["servers_bought_ahead"] == 7
    assert_sound(plan, asked)
    later = like(order_least=10).plan(asked, catalog(), counts(plan))
    assert later.details["servers_bought"] == 0
    assert counts(like(order_multiple=4).plan(asked, catalog())) == {"small": 4}


def test_an_order_for_two_years_saves_a_least_order_later() -> None:
    """Six now and twelve next year, ten at least: twelve at once, not ten twice."""
    asked = demand({"busy": [10, 40], "count": 6}, growth=1.0)
    model = like(order_least=10, look_ahead_years=2)
    assert counts(model.plan(asked, catalog())) == {"small": 12}
    assert counts(like(order_least=10, look_ahead_years=1).plan(asked, catalog())) == {"small": 10}


def test_what_becomes_much_dearer_is_bought_ahead() -> None:
    """A year of a server's life is lost by buying it a year early, so a little is not enough."""
    asked = demand({"busy": [10, 40], "count": 10}, growth=0.5)
    prices = catalog(server("cheap to keep", 16, 64, 400_000.0))
    for growth, many in ((0.0, 10), (-0.5, 10), (0.1, 10), (1.0, 23)):
        model = like(server_price_growth_per_year=growth, warranty_months=48.0)
        assert counts(model.plan(asked, prices)) == {"cheap to keep": many}


@pytest.mark.slow
@settings(max_examples=2)
@given(
    st.lists(st.tuples(st.floats(0.1, 100), st.floats(0.5, 900), st.integers(1, 3)), min_size=1, max_size=4),
    st.integers(1, 9),
    st.integers(1, 4),
    st.floats(0, 1),
)
def test_larger_lots_tighter_limits_and_less_speed_are_never_cheaper(
    rows: list[tuple[float, float, int]], least: int, multiple: int, growth: float
) -> None:
    asked = demand(*({"busy": [c, g], "count": n} for c, g, n in rows), growth=growth)
    plain = NOW.plan(asked, catalog())
    lots = like(order_least=least, order_multiple=multiple).plan(asked, catalog())
    assert_sound(lots, asked)
    assert lots.usd_per_month >= plain.usd_per_month * (1 - 1e-9)
    assert lots.details["servers_bought"] >= least
    assert all(n % multiple == 0 for n in counts(lots).values())
    for tighter in ({"cpu_limit": 0.8}, {"memory_limit": 0.8}, {"thread_performance": 0.8}):
        other = like(**tighter).plan(asked, catalog())
        assert other.usd_per_month >= plain.usd_per_month * (1 - 1e-9) or len(other.unplaced)
