"""Disks by size, operations and throughput: printed bills, and the cheapest sort that keeps up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from models.catalogs import book, demand, offer, vm
from models.cloud import sound, usd
from models.test_purchase import facts
from planner.catalog import Catalog
from planner.models._volumes import Need, volumes
from planner.models.iaas import Iaas

LIMITS = facts(
    ("gp3", "included_iops", 3_000.0), ("gp3", "included_throughput", 125.0), ("gp3", "max_iops", 16_000.0),
    ("gp3", "max_throughput", 1_000.0), ("gp3", "max_iops_per_gib", 500.0),
    ("gp2", "included_iops", 0.0), ("gp2", "included_iops_per_gib", 3.0), ("gp2", "max_iops", 16_000.0),
    ("gp2", "included_throughput_per_gib", 0.75),
    ("io1", "included_iops", 0.0), ("io1", "max_iops", 64_000.0), ("io1", "max_iops_per_gib", 50.0),
    ("io1", "throughput_per_iops", 0.25), ("gp3", "throughput_per_iops", 0.25),
    topic="storage",
)  # fmt: skip
DISKS = Catalog(
    book(
        vm("m.large", 2, 8, 0.1),
        offer("egress", "egress", 0.0, unit="GB"),
        offer("gp3", "block_storage", 0.08, unit="GB-month"),
        offer("gp2", "block_storage", 0.1, unit="GB-month"),
        offer("io1", "block_storage", 0.125, unit="GB-month"),
        offer("st1", "block_storage", 0.045, unit="GB-month"),
        offer("gp3-iops", "block_iops", 0.005, unit="IOPS-month"),
        offer("io1-iops", "block_iops", 0.065, unit="IOPS-month"),
        offer("gp3-throughput", "block_throughput", 0.06, unit="MB/s-month"),
    ).offers,
    LIMITS,
)
WORDS = ("gp3", "balanced")


def bought(gib: float, iops: float, mb_per_s: float, count: float = 1.0, sold: Catalog = DISKS) -> dict[str, float]:
    need = Need(np.array([gib]), np.array([iops]), np.array([mb_per_s]))
    return {e.sku: e.quantity for e in volumes(sold, need, np.array([count]), WORDS)}


def test_the_printed_bill_of_a_fast_volume_for_half_a_day() -> None:
    busy = {"busy": [[1, 1], [0, 1]], "storage_gib": 2_000.0, "disk_iops": 10_000.0}
    asked = demand(busy, hours=(12.0, 708.0))
    fields = {"schedule": "when_used", "disks_kept": "while_running", "support_plan": "none"}
    plan = Iaas(disk_kib_per_operation=51.2, **fields).plan(asked, DISKS)
    sound(plan, asked)
    parts = [usd(plan, kind) for kind in ("block_storage", "block_iops", "block_throughput")]
    assert parts == pytest.approx([2.667, 0.583, 0.375], abs=5e-4)
    assert sum(parts) == pytest.approx(3.625, abs=5e-4)
    kept = Iaas(schedule="when_used").plan(asked, DISKS)
    assert usd(kept, "block_storage") == pytest.approx(160.0)


def test_what_comes_along_is_not_paid_for() -> None:
    assert bought(100, 3_000, 125, 4) == {"gp3": 400.0}
    assert bought(100, 4_000, 200, 2) == {"gp3": 200.0, "gp3-iops": 2_000.0, "gp3-throughput": 150.0}
    assert bought(100, np.nan, np.nan, 2) == {"gp3": 200.0}


def test_a_volume_grows_where_it_is_too_small_for_its_speed() -> None:
    assert bought(10, 10_000, 0) == {"gp3": 20.0, "gp3-iops": 7_000.0}
    assert bought(1_000, 32_000, 0) == {"gp3": 1_000.0, "gp3-iops": 29_000.0}
    assert bought(1_000, 100, 2_500) == {"gp3": 1_000.0, "gp3-iops": 7_000.0, "gp3-throughput": 2_375.0}


def test_another_sort_is_taken_where_it_is_cheaper() -> None:
    dear = DISKS.offers.assign(usd_per_unit=DISKS.offers["usd_per_unit"].where(DISKS.offers["sku"] != "gp3-iops", 1.0))
    assert bought(2_000, 6_000, 0, sold=Catalog(dear, LIMITS)) == {"gp2": 2_000.0}
    assert bought(100, 6_000, 0, sold=Catalog(dear, LIMITS)) == {"gp2": 2_000.0}


def test_without_facts_disks_are_bought_by_size() -> None:
    assert bought(100, 50_000, 500, sold=Catalog(DISKS.offers, facts())) == {"gp3": 100.0}


@settings(max_examples=15, phases=[Phase.explicit, Phase.generate])
@given(st.floats(1, 5_000), st.floats(1, 200_000), st.floats(0, 5_000), st.floats(1, 3))
def test_more_is_never_cheaper(gib: float, iops: float, mb_per_s: float, factor: float) -> None:
    def cost(*need: float) -> float:
        lines = volumes(DISKS, Need(*(np.array([n]) for n in need)), np.array([1.0]), WORDS)
        return sum(e.usd for e in lines)

    once = cost(gib, iops, mb_per_s)
    assert once >= gib * 0.08 - 1e-6
    assert cost(gib * factor, iops * factor, mb_per_s * factor) >= once - 1e-6
