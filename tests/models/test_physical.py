"""One application, one server: what is bought, what it costs, what survives, and what did not fit."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanes import lanes
from models.catalogs import book, demand
from models.onprem import ROOM, SERVERS, SERVICES, assert_sound, catalog, counts, held, only, quantity, server, survives
from planner.demand import Demand
from planner.errors import PriceBookError
from planner.models._handout import handed_out
from planner.models._spares import standing_by
from planner.models.physical import Physical

NOW = Physical(spares=0, lead_time_weeks=0)


def workloads(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A handful of workloads, some too large, some sharing an application."""
    sizes = st.tuples(st.floats(0.1, 140), st.floats(0.5, 1100))
    names = st.sampled_from(["", "", "shop", "mail"])
    rows = draw(st.lists(st.tuples(sizes, names, st.integers(1, 3)), min_size=1, max_size=6))
    return [{"busy": list(size), "application": name, "count": count} for size, name, count in rows]


estates = st.composite(workloads)()


def needs(asked: Demand) -> dict[str, np.ndarray]:
    """What each workload needs: threads and GiB in its busiest period."""
    peak = asked.peak[:, :2]
    return {
        str(row.workload): peak[int(row.owner)]
        for row in asked.members.set_axis(["workload", "owner"], axis=1).itertuples()
    }


def doubled(asked: Demand) -> Demand:
    """Every workload twice as large."""
    return replace(asked, busy=asked.busy * 2, mean=asked.mean * 2)


def test_every_cost_of_one_server_is_a_line_that_can_be_worked_out_by_hand() -> None:
    plan = NOW.plan(demand({"busy": [10, 40], "mean": [5, 20], "storage_gib": 100.0}), catalog())
    disks = 100 * 1.073741824
    cost = {entry.offer_kind: entry.usd_per_month for entry in plan.lines}
    assert counts(plan) == {"small": 1}
    assert cost == pytest.approx(
        {
            "server": 4000 / 48,
            "server_maintenance": 4000 * 0.12 / 12 * (48 - 36) / 48,
            "storage_hardware": disks * 2 / 48,
            "storage_maintenance": disks * 2 * 0.1 / 12,
            "switch_port": 2 * 100 / 60,
            "network_hardware": (4000 - 2 * 100 / 0.1 + disks * 2) * 0.1 / 60,
            "network_maintenance": (4000 + disks * 2) * 0.1 * 0.15 / 12,
            "rack": 3000 / 120,
            "colocation": (0.084 * 1.3 + disks / 1000 * 1.2 / 1000) / 0.6 * 180,
            "electricity": (
                (0.036 + (0.084 - 0.036) / 16 * 5) * 730 * 1.3 * 1.54 + disks / 1000 * 1.2 / 1000 * 730 * 1.54
            )
            * 0.1,
            "security": 240 / 12,
            "backup": 600 / 12,
            "admin_labour": 120_000 / 30 / 12,
        }
    )
    assert_sound(plan, demand({"busy": [10, 40]}))


def test_network_hardware_is_its_share_of_the_spend_with_ports_inside_it() -> None:
    plan = NOW.plan(demand({"busy": [10, 40]}), catalog())
    port, share = only(plan, "switch_port"), only(plan, "network_hardware")
    assert port.usd + share.usd == pytest.approx(0.1 * only(plan, "server").usd)


def test_one_application_one_server_and_the_cheapest_that_holds_it() -> None:
    asked = demand(
        {"busy": [10, 40], "application": "shop"},
        {"busy": [5, 20], "application": "shop"},
        {"busy": [2, 8], "count": 3},
        {"busy": [1, 200]},
    )
    plan = NOW.plan(asked, catalog())
    seats = plan.placement.set_index("workload")[["sku", "box"]].apply(tuple, axis=1)
    assert seats["w0"] == seats["w1"]
    assert seats.nunique() == 5
    assert counts(plan) == {"small": 4, "medium": 1}
    assert plan.certificate.gap == 0.0


def test_loads_of_one_application_are_added_hour_by_hour() -> None:
    day = {"busy": [[14, 30], [1, 30]], "application": "shop"}
    night = {"busy": [[1, 30], [14, 30]], "application": "shop"}
    plan = NOW.plan(demand(day, night, hours=[365, 365]), catalog())
    assert counts(plan) == {"small": 1}


def test_functions_of_one_application_share_a_server_with_an_operating_system() -> None:
    one = {"kind": "function", "application": "owner/app", "busy": [1, 1]}
    packed = Physical(spares=0, os_memory_gib=63).plan(demand(one), catalog())
    assert counts(packed) == {"small": 1}
    assert counts(Physical(spares=0, os_memory_gib=63.5).plan(demand(one), catalog())) == {"medium": 1}
    assert counts(NOW.plan(demand(one, one, one), catalog())) == {"small": 1}


def test_an_application_larger_than_any_server_is_spread_over_several_of_its_own() -> None:
    asked = demand({"busy": [100, 400], "application": "shop", "count": 3}, {"busy": [1, 1]})
    plan = NOW.plan(asked, catalog())
    shop = plan.placement[plan.placement["workload"].str.startswith("w0")]
    assert len(shop.drop_duplicates(["sku", "box"])) == 3
    other = plan.placement[plan.placement["workload"] == "w1"]
    assert (other["sku"] == "small").all()
    assert_sound(plan, asked)


def test_what_no_server_holds_is_named_with_the_resource_and_the_largest_offer() -> None:
    asked = demand(
        {"busy": [200, 8]},
        {"busy": [4, 2000]},
        {"busy": [4, 8, 1]},
        {"busy": [4, 8], "arch": "arm64"},
        {"busy": [np.nan, 8]},
        {"busy": [4, 8]},
    )
    plan = NOW.plan(asked, catalog())
    assert plan.unplaced.set_index("workload")["reason"].to_dict() == {
        "w0": "cpu_cores: needs 200, the largest server offers 128",
        "w1": "memory_gib: needs 2000, the largest server offers 1024",
        "w2": "gpus: needs 1, the largest server offers 0",
        "w3": "arch: needs arm64, no such server is offered",
        "w4": "size unknown: the trace holds neither readings nor an allocation",
    }
    assert_sound(plan, asked)


def test_a_need_that_no_single_server_meets_in_both_resources_is_told_so() -> None:
    lean, fat = server("lean", 64, 16, 5000.0), server("fat", 4, 512, 5000.0)
    plan = NOW.plan(demand({"busy": [32, 256]}), catalog(lean, fat))
    assert plan.unplaced["reason"].tolist() == [
        "cpu_cores and memory_gib: needs 32 cpu_cores and 256 memory_gib together, no server offers both"
    ]


def test_workloads_that_keep_apart_sit_in_different_servers() -> None:
    asked = demand({"busy": [1, 1], "application": "db", "spread_group": "db", "count": 3})
    for model in (NOW, Physical(consolidate=True)):
        plan = model.plan(asked, catalog())
        assert len(plan.placement.drop_duplicates(["sku", "box"])) == 3


def test_servers_last_through_the_growth_of_the_lead_time() -> None:
    asked = demand({"busy": [15.5, 30]}, growth=0.2)
    assert counts(NOW.plan(asked, catalog())) == {"small": 1}
    assert counts(Physical(spares=0, lead_time_weeks=12).plan(asked, catalog())) == {"medium": 1}


def test_an_arm_workload_takes_an_arm_server_and_its_own_stand_in() -> None:
    arm = server("arm", 32, 128, 3000.0, arch="arm64")
    asked = demand({"busy": [8, 8]}, {"busy": [8, 8], "arch": "arm64"})
    assert counts(Physical().plan(asked, catalog(*SERVERS, arm))) == {"small": 2, "arm": 2}


def test_consolidated_applications_share_servers() -> None:
    asked = demand({"busy": [4, 16], "count": 12})
    alone, shared = (
        Physical(spares=0).plan(asked, catalog()),
        Physical(spares=0, consolidate=True).plan(asked, catalog()),
    )
    assert alone.details["servers"] == 12
    assert shared.details["servers"] <= 3
    assert shared.usd_per_month < alone.usd_per_month
    assert shared.utilisation["cpu"] > alone.utilisation["cpu"]
    assert_sound(shared, asked)


@pytest.mark.parametrize("consolidate", lanes([False, True], slow=[False]))
@settings(max_examples=3)
@given(rows=estates, spares=st.integers(0, 2))
def test_any_estate_gives_a_sound_plan_that_survives_losses_and_never_shrinks(
    rows: list[dict[str, Any]], spares: int, consolidate: bool
) -> None:
    asked = demand(*rows)
    model = Physical(spares=spares, lead_time_weeks=0, consolidate=consolidate, effort=0)
    plan = model.plan(asked, catalog())
    assert_sound(plan, asked)
    loads = held(plan, needs(asked))
    assert all((load <= ROOM[sku] * (1 + 1e-9)).all() for (sku, _), load in loads.items())
    assert survives(plan, loads, ROOM, spares)
    later = model.plan(demand(*rows[: len(rows) // 2 + 1]), catalog(), counts(plan))
    assert all(counts(later)[sku] >= n for sku, n in counts(plan).items())
    assert quantity(later, "server") >= quantity(plan, "server")


@pytest.mark.slow
@settings(max_examples=12)
@given(rows=estates)
def test_twice_the_demand_is_never_cheaper_for_what_still_fits(rows: list[dict[str, Any]]) -> None:
    asked = demand(*rows)
    more = demand(*({**row, "count": 2 * row["count"]} for row in rows))
    model = Physical(effort=0)
    once = model.plan(asked, catalog()).usd_per_month * (1 - 1e-9)
    assert model.plan(more, catalog()).usd_per_month >= once
    large = model.plan(doubled(asked), catalog())
    assert large.usd_per_month >= once or len(large.unplaced)


def test_owned_servers_are_kept_filled_first_and_cost_on() -> None:
    asked = demand({"busy": [10, 40], "count": 2}, {"busy": [30, 100]}, growth=0.3)
    first = Physical(lead_time_weeks=0).plan(asked, catalog())
    assert counts(first) == {"small": 2, "medium": 2}
    same = Physical(lead_time_weeks=0).plan(asked, catalog(), counts(first))
    assert counts(same) == counts(first)
    assert same.details["servers_bought"] == 0
    assert same.usd_per_month == pytest.approx(first.usd_per_month)
    more = Physical(lead_time_weeks=0).plan(asked.grown(2), catalog(), counts(first))
    assert counts(more) == {"small": 2, "medium": 4}
    assert_sound(more, asked)
    less = Physical(lead_time_weeks=0).plan(asked.select([0]), catalog(), counts(first))
    assert counts(less) == counts(first)
    assert only_idle(less) > only_idle(first)


def only_idle(plan: Any) -> float:
    return float(plan.cost_by_workload.set_index("workload").loc["(idle)", "usd_per_month"])


def test_an_owned_server_that_is_sold_no_more_must_still_be_in_the_price_book() -> None:
    with pytest.raises(PriceBookError, match="did you mean 'small'"):
        Physical().plan(demand({"busy": [1, 1]}), catalog(), {"smal": 1})


def test_only_the_named_servers_are_bought_but_owned_ones_stay() -> None:
    model = Physical(server_skus=("medium",), spares=0)
    assert counts(model.plan(demand({"busy": [1, 1], "count": 2}), catalog())) == {"medium": 2}
    assert counts(model.plan(demand({"busy": [1, 1], "count": 2}), catalog(), {"small": 1})) == {
        "small": 1,
        "medium": 1,
    }


@pytest.mark.parametrize("consolidate", [False, True])
def test_what_only_an_owned_server_could_hold_is_named_once_these_are_full(consolidate: bool) -> None:
    model = Physical(server_skus=("small",), spares=0, consolidate=consolidate)
    asked = demand({"busy": [60, 200], "count": 2}, {"busy": [60, 200], "application": "shop", "count": 3})
    plan = model.plan(asked, catalog(), {"medium": 1})
    assert counts(plan) == {"medium": 1}
    assert len(plan.placement) == 1
    reason = "servers: no owned one is left that holds it, and no more of that size may be bought"
    assert plan.unplaced["reason"].tolist() == [reason] * 4
    assert_sound(plan, asked)


def test_hand_outs_are_the_best_there_are() -> None:
    """Against every possible hand-out of small cases."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        units, types = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        holds = rng.random((units, types)) < 0.6
        fixed, energy = rng.integers(1, 20, types).astype(float), rng.random((units, types)) * 0.01
        left, count = rng.integers(0, 3, types), rng.integers(1, 3, units)
        found = handed_out((fixed, energy), (holds, np.ones(types, bool)), left, count)
        best = _cheapest(np.repeat(holds, count, axis=0), fixed, left)
        spent = float(fixed[found.server[found.new]].sum())
        assert spent == pytest.approx(best)
        assert found.bound_usd <= found.usd + 1e-9
        assert found.bound_usd >= best - 1e-3


def _cheapest(holds: np.ndarray, fixed: np.ndarray, left: np.ndarray) -> float:
    types = range(len(fixed))
    best = np.inf
    for choice in product([-1, *types], repeat=len(holds)):
        taken = [i for i, t in enumerate(choice) if t >= 0]
        legal = all(holds[i, choice[i]] for i in taken)
        legal &= all(sum(choice[i] == t for i in taken) <= left[t] for t in types)
        rest = [min((fixed[t] for t in types if holds[i, t]), default=0.0) for i, t in enumerate(choice) if t < 0]
        best = min(best, sum(rest)) if legal else best
    return float(best)


def test_stand_ins_are_chosen_at_least_cost_and_idle_servers_serve_for_nothing() -> None:
    holds = np.array([[True, False, True], [False, True, True]])
    usd = np.array([1.0, 1.0, 5.0])
    nothing = np.zeros(3, np.int64)
    assert standing_by(holds, usd, nothing, 2).tolist() == [2, 2, 0]
    assert standing_by(holds, usd, np.array([0, 0, 2]), 2).tolist() == [0, 0, 2]
    assert standing_by(holds, np.array([3.0, 3.0, 5.0]), nothing, 1).tolist() == [0, 0, 1]
    assert standing_by(holds, usd, nothing, 0).tolist() == [0, 0, 0]


def test_nothing_asked_nothing_bought() -> None:
    plan = Physical().plan(demand(), catalog())
    assert plan.lines == ()
    assert plan.usd_per_month == 0.0
    assert plan.certificate.gap == 0.0
    kept = Physical().plan(demand(), catalog(), {"small": 2})
    assert counts(kept) == {"small": 2}
    assert kept.usd_per_month > 0


def test_the_same_question_has_the_same_answer_whatever_the_order_of_the_price_book() -> None:
    asked = demand({"busy": [10, 40], "count": 5}, {"busy": [50, 300], "count": 2})
    one, other = (Physical(consolidate=True, effort=0).plan(asked, catalog()) for _ in range(2))
    assert one.lines == other.lines
    pd.testing.assert_frame_equal(one.placement, other.placement)
    turned = Physical().plan(asked, catalog(*SERVERS[::-1]))
    assert turned.usd_per_month == pytest.approx(Physical().plan(asked, catalog()).usd_per_month)


def test_labour_is_paid_by_people_or_by_server_never_both() -> None:
    asked = demand({"busy": [1, 1], "count": 3})
    people = Physical().plan(asked, catalog())
    served = Physical(labour="per_server").plan(asked, catalog())
    assert quantity(people, "admin_labour") == pytest.approx(4 / 30 / 12)
    assert quantity(people, "monitoring") == quantity(served, "admin_labour") == 0
    assert quantity(served, "monitoring") == quantity(served, "patching") == pytest.approx(4 / 12)
    assert quantity(people, "backup") == quantity(served, "backup") == pytest.approx(4 / 12)


def test_space_is_paid_by_power_or_by_height_never_both() -> None:
    asked = demand({"busy": [100, 1000], "count": 3})
    assert quantity(NOW.plan(asked, catalog()), "rack_space") == 0
    by_unit = Physical(spares=0, space="rack_units").plan(asked, catalog())
    assert quantity(by_unit, "colocation") == 0
    assert quantity(by_unit, "rack_space") == pytest.approx(6)
    by_rack = Physical(spares=0, space="rack_units", space_sku="cage").plan(asked, catalog())
    assert quantity(by_rack, "rack_space") == pytest.approx(6 / 38)
    assert quantity(by_rack, "rack") == 1


def test_operating_systems_are_licensed_by_their_own_measure() -> None:
    asked = demand({"busy": [100, 1000]})
    linux = Physical(spares=0, os_licence="linux").plan(asked, catalog())
    assert only(linux, "os_licence").quantity == pytest.approx(1 / 12)
    windows = Physical(spares=0, os_licence="windows").plan(asked, catalog())
    assert only(windows, "os_licence").quantity == 64 / 16
    assert only(windows, "os_licence").usd_per_month == pytest.approx(4 * 1000 / 60)


def test_energy_follows_the_work_done() -> None:
    calm = NOW.plan(demand({"busy": [10, 10], "mean": [1, 1]}), catalog())
    busy = NOW.plan(demand({"busy": [10, 10], "mean": [9, 1]}), catalog())
    extra = quantity(busy, "electricity") - quantity(calm, "electricity")
    assert extra == pytest.approx(8 * (84 - 36) / 16 * 730 / 1000 * 1.3 * 1.54)


def test_capacity_and_use_are_told_by_period() -> None:
    asked = demand({"busy": [[10, 10], [2, 10]], "mean": [[8, 5], [1, 5]]}, hours=[365, 365])
    plan = Physical(spares=1).plan(asked, catalog())
    assert plan.provisioned[:, :2].tolist() == [[32, 128], [32, 128]]
    assert plan.used[:, :2].tolist() == [[8, 5], [1, 5]]
    assert plan.utilisation["cpu"] == pytest.approx(4.5 / 32)


def test_a_workload_pays_for_its_share_of_its_own_server() -> None:
    asked = demand({"busy": [16, 64]}, {"busy": [4, 16]})
    plan = Physical(spares=0).plan(asked, catalog())
    cost = plan.cost_by_workload.set_index("workload")["usd_per_month"]
    assert cost["w0"] == pytest.approx(4 * cost["w1"])
    assert cost["(idle)"] == pytest.approx(0.375 * plan.usd_per_month)


def test_what_was_inferred_is_listed() -> None:
    names = {
        entry.name: entry for entry in Physical().plan(demand({"busy": [1, 1], "count": 4}), catalog()).assumptions
    }
    assert "4 workloads" in names["physical.storage_of_unknown_size"].source
    assert names["physical.pue"].value == 1.54
    assert names["physical.pue"].unit == "ratio"


@pytest.mark.parametrize("column", ["idle_watts", "lifetime_months", "memory_gib"])
def test_a_server_that_lacks_a_fact_is_refused_by_name(column: str) -> None:
    with pytest.raises(PriceBookError, match=f"'small': {column}"):
        Physical().plan(demand({"busy": [1, 1]}), catalog(server("small", 16, 64, 4000.0) | {column: np.nan}))


def test_a_price_book_without_servers_is_refused() -> None:
    with pytest.raises(PriceBookError, match="no server price"):
        Physical().plan(demand({"busy": [1, 1]}), book(*SERVICES))
