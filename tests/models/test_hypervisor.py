"""Virtual machines on own hosts: overhead, overcommit, licences, disks that tolerate failures, hosts that may fail."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogs import demand
from models.onprem import BARE, ROOM, SERVERS, assert_sound, catalog, counts, held, only, quantity, server, survives
from planner.demand import Demand
from planner.models.hypervisor import LEAST_HOSTS, RAW_PER_USABLE, Hypervisor
from planner.plan import Plan


def like(model: Hypervisor, **changes: Any) -> Hypervisor:
    return model.model_copy(update=changes)


def machines(draw: st.DrawFn) -> list[dict[str, Any]]:
    size = st.tuples(st.floats(0.1, 60), st.floats(0.5, 250))
    rows = draw(st.lists(st.tuples(size, st.integers(1, 4)), min_size=1, max_size=6))
    return [{"busy": list(shape), "count": count} for shape, count in rows]


estates = st.composite(machines)()


def needs(asked: Demand) -> dict[str, np.ndarray]:
    peak = asked.peak[:, :2]
    rows = asked.members.set_axis(["workload", "owner"], axis=1).itertuples()
    return {str(row.workload): peak[int(row.owner)] for row in rows}


def test_machines_fill_hosts_to_the_brim() -> None:
    asked = demand({"busy": [32, 128], "count": 4})
    plan = BARE.plan(asked, catalog(SERVERS[1]))
    assert counts(plan) == {"medium": 2}
    assert plan.placement.groupby("box").size().tolist() == [2, 2]
    assert plan.certificate.gap == pytest.approx(0.0, abs=1e-6)


def test_the_hypervisor_takes_its_part_of_host_and_machine() -> None:
    asked = demand({"busy": [32, 128], "count": 4})
    one = catalog(SERVERS[1])
    assert counts(like(BARE, host_cpu_share=0.1).plan(asked, one)) == {"medium": 4}
    assert counts(like(BARE, host_memory_gib=1).plan(asked, one)) == {"medium": 4}
    assert counts(like(BARE, vm_memory_overhead_gib=0.03).plan(asked, one)) == {"medium": 4}
    assert counts(like(BARE, vm_memory_overhead_share=0.01).plan(asked, one)) == {"medium": 4}


def test_overcommit_stops_where_average_use_would_no_longer_fit() -> None:
    calm = demand({"busy": [32, 8], "mean": [4, 4], "count": 8})
    busy = demand({"busy": [32, 8], "mean": [30, 4], "count": 8})
    one = catalog(SERVERS[1])
    assert counts(BARE.plan(calm, one)) == {"medium": 4}
    assert counts(like(BARE, cpu_overcommit=4.0).plan(calm, one)) == {"medium": 1}
    assert counts(like(BARE, cpu_overcommit=4.0).plan(busy, one)) == {"medium": 4}
    assert counts(like(BARE, memory_overcommit=2.0).plan(demand({"busy": [1, 200], "count": 2}), one)) == {"medium": 1}


def test_functions_of_one_application_share_a_machine_with_an_operating_system() -> None:
    one = {"kind": "function", "application": "owner/app", "busy": [1, 1]}
    plan = like(BARE, os_memory_gib=250.0).plan(demand(one, one, one), catalog(SERVERS[1]))
    assert plan.details["operating_systems"] == 1
    assert counts(plan) == {"medium": 1}
    apart = like(BARE, os_memory_gib=250.0).plan(
        demand(one, {**one, "application": "owner/other"}), catalog(SERVERS[1])
    )
    assert counts(apart) == {"medium": 2}


def test_functions_that_together_outgrow_every_host_get_machines_of_their_own() -> None:
    one = {"kind": "function", "application": "owner/app", "busy": [40, 10], "count": 3}
    plan = BARE.plan(demand(one), catalog(SERVERS[1]))
    assert plan.unplaced.empty
    assert plan.details["operating_systems"] == 3


def test_what_no_host_holds_is_named() -> None:
    asked = demand({"busy": [120, 8]}, {"busy": [4, 8]})
    plan = Hypervisor(effort=0).plan(asked, catalog())
    assert plan.unplaced["reason"].tolist() == ["cpu_cores: needs 120, the largest server offers 115.2"]
    assert_sound(plan, asked)


def test_machines_that_keep_apart_sit_on_different_hosts() -> None:
    asked = demand({"busy": [1, 1], "spread_group": "db", "count": 3})
    plan = BARE.plan(asked, catalog())
    assert len(plan.placement.drop_duplicates(["sku", "box"])) == 3


@pytest.mark.slow
@pytest.mark.parametrize("protection", list(RAW_PER_USABLE))
def test_disks_and_hosts_follow_the_failures_to_tolerate(protection: str) -> None:
    asked = demand({"busy": [1, 1], "storage_gib": 100.0})
    plan = Hypervisor(protection=protection, storage_slack=0.0, effort=0).plan(asked, catalog())
    gib = {
        "none": 100,
        "ftt1_raid1": 200,
        "ftt1_raid5": 133.33,
        "ftt2_raid1": 300,
        "ftt2_raid6": 150,
        "ftt3_raid1": 400,
    }
    assert quantity(plan, "storage_hardware") / 1.073741824 == pytest.approx(gib[protection], abs=0.005)
    assert plan.details["servers"] == max(LEAST_HOSTS[protection], 2)
    slack = Hypervisor(protection=protection, effort=0).plan(asked, catalog())
    assert quantity(slack, "storage_hardware") == pytest.approx(quantity(plan, "storage_hardware") / 0.75)
    smaller = Hypervisor(protection=protection, storage_reduction=3.0, effort=0).plan(asked, catalog())
    assert quantity(smaller, "storage_hardware") == pytest.approx(quantity(slack, "storage_hardware") / 3)


def test_licences_count_at_least_sixteen_cores_a_processor_and_seventy_two_an_order() -> None:
    asked = demand({"busy": [4, 4]})
    small = like(BARE, spares=1).plan(asked, catalog(SERVERS[0]))
    assert counts(small) == {"small": 2}
    assert quantity(small, "hypervisor_licence") == pytest.approx(72 / 12)
    large = like(BARE, licence_cores_per_order=0, spares=1).plan(asked, catalog(SERVERS[0]))
    assert quantity(large, "hypervisor_licence") == pytest.approx(2 * 16 / 12)
    medium = like(BARE, licence_cores_per_order=0).plan(asked, catalog(SERVERS[2]))
    assert quantity(medium, "hypervisor_licence") == pytest.approx(64 / 12)


def test_people_are_paid_by_machine_and_moving_once_by_workload() -> None:
    asked = demand({"busy": [1, 1], "count": 4}, {"busy": [999, 1]})
    plan = Hypervisor(effort=0).plan(asked, catalog())
    assert only(plan, "admin_labour").quantity == pytest.approx(4 / 80 / 12)
    move = only(plan, "migration")
    assert (move.kind, move.quantity, move.usd, move.usd_per_month) == ("one-off", 4, 20_000, 0)
    assert quantity(Hypervisor(labour="per_server", effort=0).plan(asked, catalog()), "admin_labour") == 0


@pytest.mark.slow
@settings(max_examples=3)
@given(rows=estates, spares=st.integers(0, 2))
def test_any_estate_gives_a_sound_plan_that_survives_losses_and_never_shrinks(
    rows: list[dict[str, Any]], spares: int
) -> None:
    asked = demand(*rows)
    model = like(BARE, spares=spares)
    plan = model.plan(asked, catalog())
    assert_sound(plan, asked)
    assert plan.unplaced.empty
    loads = held(plan, needs(asked))
    assert all((load <= ROOM[sku] * (1 + 1e-9)).all() for (sku, _), load in loads.items())
    assert survives(plan, loads, ROOM, spares)
    later = model.plan(demand(*rows[: len(rows) // 2 + 1]), catalog(), counts(plan))
    assert counts(later) == counts(plan)


@pytest.mark.slow
@settings(max_examples=12)
@given(rows=estates)
def test_twice_the_demand_or_a_tighter_wish_is_never_cheaper(rows: list[dict[str, Any]]) -> None:
    more = [{**row, "count": 2 * row["count"]} for row in rows]
    model = Hypervisor(effort=0)
    once = model.plan(demand(*rows), catalog()).usd_per_month
    assert model.plan(demand(*more), catalog()).usd_per_month >= once * (1 - 1e-9)
    assert like(model, spares=0).plan(demand(*rows), catalog()).usd_per_month <= once * (1 + 1e-9)


def _fit(sizes: list[tuple[float, float]], rooms: list[np.ndarray]) -> bool:
    """Whether machines fit hosts, by trying."""
    if not sizes:
        return True
    first = np.array(sizes[0])
    return any(
        _fit(sizes[1:], [r - first if i == j else r for j, r in enumerate(rooms)])
        for i, room in enumerate(rooms)
        if (first <= room + 1e-9).all()
    )


@pytest.mark.slow
def test_no_cluster_that_survives_a_loss_costs_less_than_the_bound() -> None:
    """Against every cluster of up to five hosts."""
    rng = np.random.default_rng(5)
    usd = dict(zip(ROOM, BARE.site(catalog(), {}).usd, strict=True))
    for _ in range(6):
        sizes = [(float(rng.integers(2, 60)), float(rng.integers(4, 250))) for _ in range(int(rng.integers(1, 5)))]
        plan = like(BARE, spares=1).plan(demand(*({"busy": list(size)} for size in sizes)), catalog())
        every = [c for n in range(2, 6) for c in combinations_with_replacement(ROOM, n)]
        cost = [
            sum(usd[sku] for sku in c)
            for c in every
            if all(_fit(sizes, [ROOM[sku] for sku in (*c[:i], *c[i + 1 :])]) for i in range(len(c)))
        ]
        assert plan.certificate.bound_usd <= min(cost) * (1 + 1e-9)
        assert plan.certificate.usd >= min(cost) * (1 - 1e-9)
        assert plan.certificate.usd <= min(cost) * 1.35


def test_no_single_stand_in_is_needed_where_none_holds_everything() -> None:
    lean, fat = server("lean", 64, 64, 5000.0), server("fat", 8, 512, 5000.0)
    asked = demand({"busy": [60, 32], "count": 2}, {"busy": [4, 500], "count": 2})
    plan = like(BARE, spares=1).plan(asked, catalog(lean, fat))
    assert counts(plan) == {"lean": 3, "fat": 3}


def test_hosts_for_both_kinds_of_processor() -> None:
    arm = server("arm", 64, 256, 9000.0, arch="arm64")
    asked = demand({"busy": [32, 64], "count": 3}, {"busy": [32, 64], "arch": "arm64", "count": 3})
    plan = like(BARE, spares=1).plan(asked, catalog(SERVERS[1], arm))
    assert counts(plan) == {"medium": 3, "arm": 3}
    assert_sound(plan, asked)
    half = like(BARE, spares=1).plan(asked, catalog(SERVERS[1], arm), {"medium": 3})
    assert counts(half) == {"medium": 3, "arm": 3}


def test_owned_hosts_are_kept_filled_first_and_cost_on() -> None:
    asked = demand({"busy": [20, 60], "count": 12}, growth=0.5)
    model = Hypervisor(effort=0, lead_time_weeks=0)
    first = model.plan(asked, catalog())
    same = model.plan(asked, catalog(), counts(first))
    assert counts(same) == counts(first)
    assert same.usd_per_month == pytest.approx(first.usd_per_month)
    more = model.plan(asked.grown(1), catalog(), counts(first))
    assert all(counts(more)[sku] >= n for sku, n in counts(first).items())
    assert more.details["servers_bought"] >= 1
    assert_sound(more, asked)


def test_an_estate_that_grows_a_little_buys_a_little() -> None:
    """Its own mix again, not a patchwork of whatever fills the gaps."""
    asked = demand(*({"busy": [c, g], "count": 40} for c, g in ((2, 30), (3, 8), (4, 12), (9, 70))), growth=0.05)
    model = Hypervisor(effort=0, lead_time_weeks=0)
    first = model.plan(asked, catalog())
    later = model.plan(asked.grown(1), catalog(), counts(first))
    assert later.certificate.usd <= first.certificate.usd * 1.15


def test_a_search_never_ends_above_first_fit() -> None:
    asked = demand(*({"busy": [c, g], "count": 3} for c, g in ((3, 40), (7, 9), (20, 11), (31, 100), (5, 70))))
    quick = Hypervisor(effort=0, spares=0).plan(asked, catalog())
    thorough = Hypervisor(effort=0.05, spares=0).plan(asked, catalog())
    assert thorough.certificate.usd <= quick.certificate.usd * (1 + 1e-9)
    assert thorough.certificate.bound_usd >= quick.certificate.bound_usd * (1 - 1e-9)
    assert_sound(thorough, asked)


def test_nothing_asked_nothing_bought() -> None:
    plan = Hypervisor().plan(demand(), catalog())
    assert plan.lines == ()
    assert plan.certificate.gap == 0.0


def test_the_same_question_has_the_same_answer() -> None:
    asked = demand({"busy": [10, 40], "count": 5}, {"busy": [50, 300], "count": 2})
    one, other = (Hypervisor().plan(asked, catalog()) for _ in range(2))
    assert one.lines == other.lines
    assert one.certificate == other.certificate
    pd.testing.assert_frame_equal(one.placement, other.placement)


def test_machines_run_fuller_than_servers_of_their_own() -> None:
    asked = demand({"busy": [4, 16], "count": 30})
    plan: Plan = Hypervisor(effort=0).plan(asked, catalog())
    assert plan.utilisation["cpu"] > 2 / 16
