"""Instances: the cheapest that holds, on the best terms, with the rest of the bill."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogs import book, demand, offer, vm
from models.cloud import CLOUD, COMMITTED, sound, usd
from planner.errors import PriceBookError
from planner.models.iaas import Iaas
from planner.quantities import CPU, MEMORY


def _skus(asked, **fields):
    plan = Iaas(**fields).plan(asked, CLOUD)
    sound(plan, asked)
    return dict(zip(plan.placement["workload"], plan.placement["sku"], strict=True))


def test_each_machine_gets_the_cheapest_type_that_holds_its_peak() -> None:
    asked = demand({"busy": [2, 3]}, {"busy": [2, 4.5]}, {"busy": [3, 30]}, {"busy": [1, 8.5]})
    assert _skus(asked) == {"w0": "c.large", "w1": "m.large", "w2": "r.xlarge", "w3": "r.large"}


def test_a_burstable_type_only_where_the_mean_stays_within_its_baseline() -> None:
    idle, steady = {"busy": [2, 3], "mean": [0.4, 1]}, {"busy": [2, 3], "mean": [0.41, 1]}
    assert _skus(demand(idle, steady)) == {"w0": "t.medium", "w1": "c.large"}
    assert _skus(demand(steady), burstable_baseline=0.3) == {"w0": "t.medium"}


def test_architecture_and_gpus_are_kept() -> None:
    asked = demand({"busy": [1, 1], "arch": "arm64"}, {"busy": [1, 1, 1]})
    assert _skus(asked) == {"w0": "a.xlarge", "w1": "g.xlarge"}


def test_what_no_type_holds_is_named_with_its_resource() -> None:
    asked = demand(
        {"busy": [33, 1]}, {"busy": [1, 300]}, {"busy": [20, 200], "arch": "arm64"}, {"busy": [1, 1, 2]},
        {"busy": [np.nan, 1]}, {"busy": [1, 1], "arch": "riscv"}, {"busy": [30, 200, 1]},
    )  # fmt: skip
    plan = Iaas().plan(asked, CLOUD)
    sound(plan, asked)
    reasons = dict(zip(plan.unplaced["workload"], plan.unplaced["reason"], strict=True))
    assert "CPU cores" in reasons["w0"]
    assert "GiB of memory" in reasons["w1"]
    assert "CPU cores" in reasons["w2"]
    assert "GPUs" in reasons["w3"]
    assert "unknown" in reasons["w4"]
    assert "architecture" in reasons["w5"]
    assert "together" in reasons["w6"]


def test_functions_of_one_application_share_a_machine_with_its_operating_system() -> None:
    one = {"kind": "function", "owner": "o", "application": "a"}
    asked = demand(
        {**one, "busy": [0.5, 1], "count": 2}, {**one, "busy": [0.5, 1]}, {**one, "application": "b", "busy": [1, 1]}
    )
    plan = Iaas(guest_os_memory_gib=0.5).plan(asked, CLOUD)
    sound(plan, asked)
    assert plan.boxes["count"].sum() == 2
    assert plan.placement.groupby(["sku", "box"])["workload"].count().tolist() == [3, 1]
    assert plan.provisioned[0, MEMORY] == 4 + 4
    assert next(e.quantity for e in plan.lines if e.offer_kind == "migration") == 4, "workloads move, not machines"


def test_what_scales_out_runs_as_parts_that_fit() -> None:
    one = {"kind": "function", "owner": "o", "application": "a", "busy": [30, 20]}
    asked = demand({**one, "count": 3}, {"busy": [70, 20], "scales_out": True, "count": 2}, {"busy": [70, 20]})
    plan = Iaas().plan(asked, CLOUD)
    sound(plan, asked)
    assert plan.unplaced["workload"].tolist() == ["w2"]
    assert plan.placement.groupby("workload")["replica"].max().to_dict() == {
        "w0": 2,
        "w0-1": 2,
        "w0-2": 2,
        "w1": 2,
        "w1-1": 2,
    }
    assert plan.boxes["count"].sum() == 3 + 2 * 3
    assert next(e.quantity for e in plan.lines if e.offer_kind == "migration") == 3 + 2, "workloads, not their parts"
    assert plan.placement.groupby(["sku", "box"]).ngroups == 9
    assert (plan.provisioned[:, CPU] >= 90 + 140).all()


def test_always_on_is_committed_where_that_pays() -> None:
    asked = demand({"busy": [2, 8], "count": 3})
    plan = Iaas().plan(asked, CLOUD)
    assert usd(plan, "vm") == pytest.approx(3 * 730 * 0.1 * COMMITTED)
    assert Iaas(terms=("on_demand",)).plan(asked, CLOUD).boxes["term"].tolist() == ["on_demand"]
    assert plan.certificate.gap == pytest.approx(0.0, abs=1e-9)


def test_a_scheduled_machine_is_paid_for_the_hours_it_is_used() -> None:
    day = {"busy": [[2, 8], [0.05, 8]], "count": 2}
    asked = demand(day, hours=(200.0, 530.0))
    plan = Iaas(schedule="when_used").plan(asked, CLOUD)
    sound(plan, asked)
    assert usd(plan, "vm") == pytest.approx(2 * 200 * 0.1)
    assert plan.provisioned[:, CPU].tolist() == [4.0, 0.0]
    assert Iaas().plan(asked, CLOUD).usd_per_month > plan.usd_per_month


def test_the_bill_beside_the_instances() -> None:
    asked = demand({"busy": [2, 8], "storage_gib": 100.0, "network_gib_per_month": 300.0}, {"busy": [2, 8]})
    plan = Iaas(disk_gib=50.0, egress_gib_per_workload=20.0).plan(asked, CLOUD)
    assert usd(plan, "block_storage") == pytest.approx(150 * 0.08)
    assert usd(plan, "egress") == pytest.approx(220 * 0.09)
    spend = plan.usd_per_month - usd(plan, "support_minimum")
    assert usd(plan, "support_minimum") == 29.0 > 0.1 * spend
    told = {a.name: a.value for a in plan.assumptions if not a.measured}
    assert told["iaas: machines whose disk is assumed"] == 1
    assert told["iaas: workloads whose traffic is assumed"] == 1


def test_support_is_a_share_of_the_spend_by_tiers() -> None:
    plan = Iaas().plan(demand({"busy": [32, 128], "count": 3}), CLOUD)
    shares = [e for e in plan.lines if e.offer_kind == "support"]
    spend = sum(e.usd_per_month for e in plan.lines if e.category != "support")
    assert [e.quantity for e in shares] == pytest.approx([1000.0, spend - 1000.0])
    assert not usd(Iaas(support_plan="none").plan(demand({"busy": [32, 128]}), CLOUD), "support")


def test_disks_of_fixed_sizes_are_bought_whole() -> None:
    sold = book(vm("m.large", 2, 8, 0.1), offer("internet-egress", "egress", 0.09, unit="GB"),
                offer("p4", "disk", 5.0, unit="disk-month", storage_gib=32.0),
                offer("p10", "disk", 20.0, unit="disk-month", storage_gib=128.0))  # fmt: skip
    plan = Iaas().plan(demand({"busy": [1, 1], "storage_gib": 60.0}, {"busy": [1, 1], "storage_gib": 128.0}), sold)
    assert {e.sku: e.quantity for e in plan.lines if e.offer_kind == "disk"} == {"p4": 6.0}


def test_a_term_that_is_not_sold_is_refused_with_what_is_near() -> None:
    with pytest.raises(PriceBookError, match="1y_no_upfront"):
        Iaas(terms=("1y_no_upfron",)).plan(demand({"busy": [1, 1]}), CLOUD)
    with pytest.raises(PriceBookError, match="family"):
        Iaas(families=("x",)).plan(demand({"busy": [1, 1]}), CLOUD)


def test_nothing_to_run_costs_nothing() -> None:
    plan = Iaas().plan(demand(), CLOUD)
    assert plan.usd_per_month == 0
    sound(plan, demand())


need = st.tuples(st.floats(0.1, 40), st.floats(0.1, 300), st.integers(1, 4))


@settings(max_examples=10)
@given(st.lists(need, min_size=1, max_size=6))
def test_no_other_type_would_be_cheaper(needs: list[tuple[float, float, int]]) -> None:
    asked = demand(*({"busy": [c, m], "count": n} for c, m, n in needs))
    plan = Iaas(support_plan="none").plan(asked, CLOUD)
    sound(plan, asked)
    rows = CLOUD.of("vm", "1y_no_upfront")
    best = 0.0
    for cores, gib, count in needs:
        holds = rows[(rows["cpu_cores"] >= cores) & (rows["memory_gib"] >= gib) & (rows["arch"] == "x86_64")]
        holds = holds[(holds["category"] != "burstable") | (cores / 2 <= 0.2 * holds["cpu_cores"])]
        best += count * 730 * holds["usd_per_unit"].min() if len(holds) else 0.0
    assert usd(plan, "vm") == pytest.approx(best)
