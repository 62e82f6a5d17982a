"""Functions: other people's published bills, sizes, limits, and machines read as calls."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogs import book, demand, offer
from models.cloud import CLOUD, ROWS, sound, usd
from planner.models._calls import METERS, Calls, billed_seconds, cheapest_size, cold_share, duration, rounded
from planner.models.functions import Functions
from planner.quantities import CPU, HOURS_PER_MONTH, SECONDS_PER_HOUR

SECONDS_PER_MONTH = HOURS_PER_MONTH * SECONDS_PER_HOUR


def calls(a_month: float, seconds: float, mb: float, **more):
    """A function that is called so often; it sends nothing."""
    return {
        "kind": "function",
        "busy": [0.1, mb / 1024],
        "mean": [1e-6, 1e-6],
        "requests_per_s": a_month / SECONDS_PER_MONTH,
        "seconds_per_request": seconds,
        "memory_gib_per_request": mb / 1024,
        "cores_per_request": min(1.0, mb / 1769),
        "network_gib_per_month": 0.0,
        **more,
    }


def bill(asked, catalog=CLOUD, **fields) -> dict[str, float]:
    """usd by kind of offer, free of support."""
    plan = Functions(support_plan="none", **fields).plan(asked, catalog)
    sound(plan, asked)
    kinds = {e.offer_kind for e in plan.lines if e.kind == "opex"}
    return {k: usd(plan, k) for k in sorted(kinds) if usd(plan, k)}


@pytest.mark.parametrize(
    ("asked", "fields", "expected"),
    [
        pytest.param(calls(3e6, 0.120, 1536), {}, {"function_duration": 2.33, "function_requests": 0.40}, id="E1"),
        pytest.param(
            calls(7.44e6, 2, 1024),
            {"free_tier": False},
            {"function_duration": 248.00, "function_requests": 1.49},
            id="E2",
        ),
        pytest.param(
            calls(6e6, 0.280, 4096),
            {"ephemeral_storage_mb": 2048},
            {"function_duration": 105.33, "function_requests": 1.00, "function_storage": 0.08},
            id="E3",
        ),
        pytest.param(
            calls(100e3, 0.350, 512),
            {"free_tier": False},
            {"function_duration": 0.29, "function_requests": 0.02},
            id="E30g",
        ),
        pytest.param(
            calls(100e3, 0.350, 128),
            {"free_tier": False, "arch": "arm64"},
            {"function_duration": 0.06, "function_requests": 0.02},
            id="E30h",
        ),
        pytest.param(
            calls(6e9, 1.024, 512),
            {"free_tier": False},
            {"function_duration": 51_200.10, "function_requests": 1200.0},
            id="E30e",
        ),
    ],
)
def test_published_bills_of_lambda(asked, fields, expected) -> None:
    assert bill(demand(asked), **fields) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("asked", "arch", "tiers"),
    [
        pytest.param(calls(15e9, 2.048, 2048), "x86_64", [100_000.20, 135_000.00, 619_203.10], id="E30a"),
        pytest.param(calls(9e9, 1.024, 1024), "x86_64", [100_000.20, 48_240.00], id="E30c"),
    ],
)
def test_tiers_run_across_the_month(asked, arch, tiers) -> None:
    plan = Functions(free_tier=False, arch=arch).plan(demand(asked), CLOUD)
    assert [e.usd for e in plan.lines if e.offer_kind == "function_duration"] == pytest.approx(tiers, abs=0.005)


def test_tiers_of_arm_as_another_book_tells_them() -> None:
    """E30b, d: the tiers are 7.5, 11.25 and more thousand million GB-seconds wide."""
    rows = [(0, 7.5e9, 1.33334e-5), (7.5e9, 18.75e9, 1.20001e-5), (18.75e9, np.nan, 1.06667e-5)]
    sold = book(
        [
            offer("lambda-duration-arm64", "function_duration", p, unit="GB-second", tier_from=a, tier_to=b)
            for a, b, p in rows
        ],
        offer("lambda-requests", "function_requests", 0.2, unit="million requests"),
    )
    plan = Functions(arch="arm64").plan(demand(calls(18.25e9, 2.048, 2048)), sold)
    found = [e.usd for e in plan.lines if e.offer_kind == "function_duration"]
    assert found == pytest.approx([100_000.50, 135_001.125, 597_356.53], abs=0.005)
    plan = Functions(arch="arm64").plan(demand(calls(11.25e9, 1.024, 1024)), sold)
    assert [e.usd for e in plan.lines][1:] == pytest.approx([100_000.50, 48_240.40], abs=0.005)


def test_provisioned_concurrency_is_paid_whether_used_or_not() -> None:
    """E5: seven environments of 4 GB kept for a day, and 2 million calls on them."""
    day = {"requests_per_s": [2e6 / 86_400, 0.0], "mean": [[1e-6, 1e-6], [0, 0]]}
    asked = demand(calls(1, 0.280, 4096) | day, hours=(24.0, 706.0))
    fields = {"free_tier": False, "provisioned_concurrency": 7, "provisioned_hours": 24}
    expected = {"function_provisioned": 10.08, "function_provisioned_duration": 21.78, "function_requests": 0.40}
    assert bill(asked, **fields) == pytest.approx(expected, abs=0.005)
    plan = Functions(**fields).plan(asked, CLOUD)
    assert plan.details["provisioned_break_even"] == pytest.approx(4.1667 / (16.6667 - 9.7222))
    idle = plan.cost_by_workload.set_index("workload").loc["(idle)", "usd_per_month"]
    assert idle > 0


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(calls(3e6, 1, 512), {"function_duration": 18.34, "function_requests": 0.40}, id="E18a"),
        pytest.param(calls(30e6, 0.2, 128), {"function_duration": 5.83, "function_requests": 5.80}, id="E18b"),
    ],
)
def test_an_older_rate_is_an_input(asked, expected) -> None:
    sold = book(
        offer("lambda-duration-x86", "function_duration", 1.667e-5, unit="GB-second"),
        offer("lambda-requests", "function_requests", 0.2, unit="million requests"),
        offer("lambda-free-requests", "function_allowance", 0.0, unit="million requests", tier_to=1.0),
        offer("lambda-free-duration", "function_allowance", 0.0, unit="GB-second", tier_to=400_000.0),
    )
    assert bill(demand(asked), sold) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("meters", "frees", "given"),
    [
        (("d", ""), [("fd", "", 400e3)], 400e3),
        (("lambda-d", ""), [("any", "", 300e3)], 300e3),
        (("d", "one"), [("two-free", "two", 100e3), ("one-free", "one", 200e3)], 200e3),
        (("flex-d", ""), [("consumption-free", "", 100e3), ("flex-free", "", 50e3)], 50e3),
        (("d", "one"), [("two-free", "two", 100e3)], 0),
        (("d", ""), [("a-free", "", 100e3), ("b-free", "", 50e3)], 0),
    ],
)
def test_a_free_amount_goes_to_the_meter_of_its_plan(meters, frees, given) -> None:
    """By family where both tell one, else by how their names begin, else where there is only one."""
    (sku, family) = meters
    sold = book(
        offer(sku, "function_duration", 1e-5, unit="GB-second", family=family),
        offer("r", "function_requests", 0.2, unit="million requests"),
        *(offer(s, "function_allowance", 0.0, unit="GB-second", tier_to=most, family=f) for s, f, most in frees),
    )
    plan = Functions(support_plan="none").plan(demand(calls(3e6, 1, 512)), sold)
    assert sum(e.quantity for e in plan.lines if e.offer_kind == "function_allowance") == pytest.approx(given)
    assert sum(e.quantity for e in plan.lines if e.unit == "GB-second") == pytest.approx(1.5e6)


def test_azure_rounds_memory_up_to_its_steps() -> None:
    """E32: 490 MB are billed as 512."""
    sold = book(
        offer("consumption-duration", "function_duration", 1.6e-5, unit="GB-second", provider="azure", region="eastus"),
        offer(
            "consumption-requests", "function_requests", 0.2, unit="million requests", provider="azure", region="eastus"
        ),
    )
    plan = Functions(provider="azure", region="eastus").plan(demand(calls(3_540_123, 0.495, 490)), sold)
    taken = {e.offer_kind: e for e in plan.lines}
    assert taken["function_duration"].quantity == pytest.approx(876_180.4425)
    assert taken["function_duration"].usd == pytest.approx(14.02, abs=0.005)
    assert taken["function_requests"].usd == pytest.approx(0.71, abs=0.005)


@pytest.mark.parametrize(("rps", "seconds"), [(5_000.0, 0.2), (10_000.0, 0.1)])
def test_concurrency_is_calls_times_seconds(rps: float, seconds: float) -> None:
    """E19a, d; and no less than a tenth of the calls a second."""
    asked = demand(calls(1, seconds, 512) | {"requests_per_s": rps})
    assert Functions().plan(asked, CLOUD).details["peak_concurrency"] == pytest.approx(1_000)
    quick = demand(calls(1, 0.01, 512) | {"requests_per_s": rps})
    assert Functions().plan(quick, CLOUD).details["peak_concurrency"] == pytest.approx(rps / 10)


def test_what_cannot_be_a_function_is_named_with_the_limit() -> None:
    asked = demand(
        calls(1, 901, 512), calls(1, 1, 10_241), calls(1, 1, 512, busy=[1, 1, 1]), calls(1, 1, np.nan),
        {"busy": [1, 11]}, {"busy": [1, 9]},
    )  # fmt: skip
    plan = Functions().plan(asked, CLOUD)
    sound(plan, asked)
    words = dict(zip(plan.unplaced["workload"], plan.unplaced["reason"].str.partition(":")[0], strict=True))
    assert words == {"w0": "duration", "w1": "memory", "w2": "gpus", "w3": "size unknown", "w4": "memory"}
    wider = Functions(duration_limit_s=10_000, memory_max_mb=20_480).plan(asked, CLOUD)
    assert set(wider.unplaced["workload"]) == {"w2", "w3"}


def test_a_quota_that_is_not_raised_keeps_the_smallest() -> None:
    asked = demand(calls(1, 1, 512) | {"requests_per_s": 900.0}, calls(1, 1, 512) | {"requests_per_s": 200.0})
    plan = Functions(quota_raised=False).plan(asked, CLOUD)
    sound(plan, asked)
    assert plan.unplaced["workload"].tolist() == ["w0"]
    assert "quota" in plan.unplaced["reason"].iloc[0]
    assert Functions().plan(asked, CLOUD).details["concurrency_above_quota"] == pytest.approx(100)


def test_a_machine_is_read_as_calls_of_one_thread() -> None:
    asked = demand({"busy": [4, 2], "mean": [1.5, 1], "network_gib_per_month": 0.0})
    plan = Functions(free_tier=False, seconds_per_request=0.5).plan(asked, CLOUD)
    sound(plan, asked)
    taken = {e.offer_kind: e.quantity for e in plan.lines}
    memory_mb = max(2 * 1024, 1769)
    assert taken["function_duration"] == pytest.approx(1.5 * SECONDS_PER_MONTH * memory_mb / 1024)
    assert taken["function_requests"] == pytest.approx(1.5 * SECONDS_PER_MONTH / 0.5 / 1e6)
    assert any(a.name == "machines read as calls" and not a.measured for a in plan.assumptions)
    assert plan.utilisation["cpu"] == pytest.approx(1769 / memory_mb)


def test_kept_state_of_a_machine_becomes_objects() -> None:
    asked = demand({"busy": [1, 1], "storage_gib": 200.0, "network_gib_per_month": 0.0})
    assert bill(asked)["object_storage"] == pytest.approx(200 * 0.023)


def test_only_what_is_not_a_function_yet_is_migrated() -> None:
    plan = Functions().plan(demand(calls(1e6, 1, 512), {"busy": [1, 1], "count": 2}), CLOUD)
    assert [e.quantity for e in plan.lines if e.kind == "one-off"] == [2]


def test_google_bills_the_processor_apart() -> None:
    here = {"provider": "gcp", "region": "us-central1"}
    sold = book(
        offer("gen1-requests", "function_requests", 0.4, unit="million requests", **here),
        offer("gen1-duration-1024mb", "function_duration", 1.65e-5, unit="GB-second", **here),
        offer("gen1-memory", "function_memory", 2.5e-6, unit="GB-second", **here),
        offer("gen1-cpu", "function_cpu", 1e-5, unit="GHz-second", **here),
    )
    plan = Functions(**here).plan(demand(calls(1e6, 0.25, 1000)), sold)
    taken = {e.offer_kind: e.quantity for e in plan.lines}
    assert taken["function_memory"] == pytest.approx(1e6 * 0.3)
    assert taken["function_cpu"] == pytest.approx(1e6 * 0.3 * 1.4)


def test_sizes_durations_and_rounding() -> None:
    aws = METERS["aws"]
    assert rounded(np.array([1.0, 128.5, 20_000.0]), aws.sizes()).tolist()[:2] == [128.0, 129.0]
    assert billed_seconds(np.array([0.3, 0.30001]), aws).tolist() == pytest.approx([0.3, 0.301])
    assert billed_seconds(np.array([0.001]), METERS["azure"]).tolist() == [0.1]
    throttled = Calls(np.array([2.0]), np.array([884.5]), np.array([0.5]))
    assert duration(throttled, np.array([1769.0]), aws, 1.0).tolist() == pytest.approx([1.0])
    waiting = Calls(np.array([2.0]), np.array([1769.0]), np.array([0.25]))
    assert duration(waiting, np.array([1769.0 / 4]), aws, 1.0).tolist() == pytest.approx([1.5 + 0.5 * 4])


def test_cost_is_not_monotone_in_memory() -> None:
    """A22: where a rounding step is just missed, a larger size costs less; where a call waits, it costs more."""
    gcp = METERS["gcp"]
    missed = Calls(np.array([0.2002]), np.array([128.0]), np.array([1.0]))
    assert cheapest_size(missed, gcp, 1.0)[0] == 128
    threes = Calls(np.array([0.41]), np.array([1024.0]), np.array([0.5]))
    assert billed_seconds(duration(threes, np.array([1024.0]), gcp, 1.0), gcp)[0] * 1024 == pytest.approx(512.0)
    assert billed_seconds(duration(threes, np.array([2048.0]), gcp, 1.0), gcp)[0] * 2048 == pytest.approx(614.4)
    even = Calls(np.array([0.39]), np.array([1024.0]), np.array([0.5]))
    costs = [billed_seconds(duration(even, np.array([m]), gcp, 1.0), gcp)[0] * m for m in (1024.0, 2048.0, 4096.0)]
    assert costs == pytest.approx([409.6, 409.6, 819.2])
    odd = Calls(np.array([0.201]), np.array([1024.0]), np.array([0.5]))
    aws = METERS["aws"]
    chosen = cheapest_size(odd, aws, 1.0)
    assert billed_seconds(duration(odd, chosen, aws, 1.0), aws)[0] * chosen[0] <= 0.201 * 1024


@settings(max_examples=8)
@given(st.floats(0.005, 100), st.floats(64, 4096), st.floats(0.01, 1))
def test_the_size_chosen_is_no_dearer_than_the_one_measured(seconds: float, mb: float, cores: float) -> None:
    asked = demand(calls(1e6, seconds, mb, cores_per_request=cores))
    chosen = Functions(memory="optimised", support_plan="none").plan(asked, CLOUD)
    kept = Functions(support_plan="none").plan(asked, CLOUD)
    assert chosen.usd_per_month <= kept.usd_per_month * (1 + 1e-9)
    sound(chosen, asked)


def test_cold_starts_by_the_pause_between_calls() -> None:
    hours = np.array([730.0])
    assert cold_share(np.array([[1 / 600]]), hours, 10.0)[0] == pytest.approx(np.exp(-1))
    assert cold_share(np.array([[0.0]]), hours, 10.0)[0] == 0
    rare, steady = (Functions().plan(demand(calls(n, 1, 512)), CLOUD).details["cold_start_share"] for n in (10, 1e7))
    assert rare > 0.99
    assert steady < 0.01


def test_both_processors_share_the_requests_and_the_free_amounts() -> None:
    """Tiers are of each processor's own calls; the free GB-seconds are shared in proportion."""
    asked = demand(calls(3e6, 1, 1024), calls(1e6, 1, 1024, arch="arm64"))
    plan = Functions().plan(asked, CLOUD)
    sound(plan, asked)
    taken = {e.sku: e.quantity for e in plan.lines if e.offer_kind == "function_duration"}
    assert taken == pytest.approx({"lambda-duration-x86": 2.7e6, "lambda-duration-arm64": 0.9e6})
    assert sum(e.quantity for e in plan.lines if e.sku == "lambda-requests") == pytest.approx(3)
    free = [e.quantity for e in plan.lines if e.sku == "lambda-free-duration"]
    assert sorted(free) == pytest.approx([100_000, 300_000])
    moved = Functions(arch="x86_64").plan(asked, CLOUD)
    assert usd(moved, "function_duration") == pytest.approx(3.6e6 * 1.66667e-5)


def test_snapshots_are_kept_all_month_and_restored_at_each_cold_start() -> None:
    """E6: 7.44 million calls of 2 s and 1 GB in a month of 744 h, one in a hundred of which starts cold."""
    sold = book(
        *ROWS,
        offer("lambda-snapstart-cache", "function_snapshot_cache", 1.5046e-6, unit="GB-second"),
        offer("lambda-snapstart-restore", "function_snapshot_restore", 1.397998e-4, unit="GB"),
    )
    asked = demand(calls(7.44e6 * 730 / 744, 2, 1024), hours=(744.0,))
    found = bill(asked, sold, free_tier=False, snapstart=True, cold_start_share=0.01)
    expected = {"function_duration": 248.00, "function_requests": 1.49}
    expected |= {"function_snapshot_cache": 4.03, "function_snapshot_restore": 10.40}
    assert found == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("a_day", "seconds", "pollers", "expected"),
    [
        pytest.param(1e6, 2, 800 / 720, {"function_duration": 1_000.00, "function_requests": 6.0,
                                         "function_poller": 148.0}, id="E8"),
        pytest.param(10e6, 0.2, 1, {"function_duration": 1_000.00, "function_requests": 60.0,
                                    "function_poller": 133.2}, id="E10"),
    ],
)  # fmt: skip
def test_pollers_of_queues_are_paid_by_the_hour(a_day, seconds, pollers, expected) -> None:
    """A month of 720 h; the first source adds 6 too many, its items sum to 1,154 only."""
    sold = book(*ROWS, offer("lambda-poller", "function_poller", 0.185))
    asked = demand(calls(a_day * 30 * 730 / 720, seconds, 1024), hours=(720.0,))
    found = bill(asked, sold, free_tier=False, event_pollers=pollers)
    assert found == pytest.approx(expected, abs=0.005)


def test_durable_functions_pay_for_steps_and_for_what_they_write_down() -> None:
    """E11: a million runs of 32 s in two calls and four steps, 104 GB written and kept for 21 of 30 days."""
    sold = book(
        *ROWS,
        offer("lambda-operations", "function_operations", 8.0, unit="million requests"),
        offer("lambda-state-written", "function_state_written", 0.25, unit="GB"),
        offer("lambda-state", "function_state", 0.15, unit="GB-month"),
    )
    asked = demand(calls(2e6 * 730 / 720, 16, 1024, arch="arm64"), hours=(720.0,))
    found = bill(asked, sold, operations_per_call=2, state_kib_per_call=104 * 2**20 / 2e6, state_days=21)
    expected = {"function_duration": 421.34, "function_requests": 0.20, "function_operations": 32.0}
    expected |= {"function_state_written": 26.0, "function_state": 10.92}
    assert found == pytest.approx(expected, abs=0.006)


def test_calls_at_the_edge_are_another_rate() -> None:
    """E13: 10 ms in 128 MB."""
    sold = book(
        offer("edge-duration", "function_duration", 6.25125e-6 * 8, unit="GB-second"),
        offer("edge-requests", "function_requests", 0.6, unit="million requests"),
    )
    found = bill(demand(calls(10e6, 0.010, 128)), sold)
    assert found == pytest.approx({"function_duration": 0.63, "function_requests": 6.0}, abs=0.006)


def test_a_call_of_another_size_costs_in_proportion() -> None:
    """A19a: 2.1e-9 usd for a millisecond of 128 MB."""
    sold = book(
        offer("lambda-duration", "function_duration", 2.1e-9 * 8_000, unit="GB-second"),
        offer("lambda-requests", "function_requests", 0.2, unit="million requests"),
    )
    assert bill(demand(calls(1e6, 0.3, 1024)), sold)["function_duration"] == pytest.approx(5.04)


def test_azure_at_its_own_rate() -> None:
    """E25: 1.5 GB for a second."""
    here = {"provider": "azure", "region": "eastus"}
    sold = book(
        offer("consumption-duration", "function_duration", 1.6e-5, unit="GB-second", **here),
        offer("consumption-requests", "function_requests", 0.2, unit="million requests", **here),
        offer("consumption-free-duration", "function_allowance", 0.0, unit="GB-second", tier_to=400e3, **here),
        offer("consumption-free-requests", "function_allowance", 0.0, unit="million requests", tier_to=1.0, **here),
    )
    found = bill(demand(calls(3e6, 1, 1536)), sold, **here)
    assert found == pytest.approx({"function_duration": 65.60, "function_requests": 0.40})


def test_a_runtime_that_is_busy_itself_makes_larger_sizes_cheaper() -> None:
    """A22: 35 s in 128 MB, below 3 s in 1,536 MB for 14 % less."""
    asked = demand(calls(1e4, 35, 128, cores_per_request=1.0))
    fields = {"free_tier": False, "memory_sizes_mb": (128, 1536), "runtime_cores": 0.0109}
    kept, chosen = (Functions(memory=m, **fields).plan(asked, CLOUD) for m in ("measured", "optimised"))
    sound(chosen, asked)
    saved = 1 - usd(chosen, "function_duration") / usd(kept, "function_duration")
    assert saved == pytest.approx(0.14, abs=0.005)
    assert chosen.details["gb_seconds_billed"] / 1e4 / 1.5 < 3
    assert chosen.certificate.bound_usd > 0.9 * chosen.certificate.usd


def test_a_cold_start_is_billed_where_it_takes_time() -> None:
    asked = demand(calls(1e4, 1, 1024))
    fields = {"free_tier": False, "cold_start_share": 0.1}
    plain, slow = (Functions(init_seconds=s, **fields).plan(asked, CLOUD) for s in (0.0, 2.0))
    assert usd(slow, "function_duration") == pytest.approx(usd(plain, "function_duration") * 1.2)


def test_calls_win_while_they_are_rare_and_lose_once_they_are_steady() -> None:
    """The rate at which both cost the same is computed; a machine that is always on is dearer below, cheaper above."""

    def at(rate: float):
        return Functions(free_tier=False).plan(demand(calls(rate * SECONDS_PER_MONTH, 0.5, 1769)), CLOUD)

    even = at(1.0).details["break_even_requests_per_s"]
    always_on = 0.04 * HOURS_PER_MONTH
    for share in (0.5, 0.99, 1.01, 1.3):
        plan = at(even * share)
        assert plan.details["break_even_requests_per_s"] == pytest.approx(even)
        compute = plan.usd_by_category()["compute"]
        assert compute == pytest.approx(always_on * share)
        assert plan.details["workloads_cheaper_always_on"] == (share > 1)


@settings(max_examples=5)
@given(
    st.lists(st.tuples(st.floats(10, 1e7), st.floats(0.001, 60), st.floats(64, 4096)), min_size=1, max_size=4),
    st.sampled_from(["measured", "optimised"]),
    st.floats(0, 0.02),
    st.sampled_from([{"rounding_ms": 100}, {"minimum_ms": 200}, {"memory_step_mb": 128}, {"init_seconds": 1}]),
)
def test_rules_of_billing_only_ever_add(work, memory: str, runtime: float, stricter: dict[str, float]) -> None:
    """More rounding, a higher minimum, coarser sizes and twice the calls never cost less; no plan beats its bound."""
    asked = demand(*(calls(n, s, mb) for n, s, mb in work))
    twice = demand(*(calls(2 * n, s, mb) for n, s, mb in work))
    fields = {"memory": memory, "runtime_cores": runtime, "support_plan": "none"}
    plan = Functions(**fields).plan(asked, CLOUD)
    sound(plan, asked)
    if memory == "measured" or "memory_step_mb" not in stricter:
        dearer = Functions(**fields, **stricter).plan(asked, CLOUD)
        assert dearer.usd_per_month >= plan.usd_per_month * (1 - 1e-9)
    assert Functions(**fields).plan(twice, CLOUD).usd_per_month >= plan.usd_per_month * (1 - 1e-9)


def test_nothing_to_run_costs_nothing() -> None:
    plan = Functions().plan(demand(), CLOUD)
    sound(plan, demand())
    assert plan.usd_per_month == 0
    assert plan.provisioned[:, CPU].sum() == 0
