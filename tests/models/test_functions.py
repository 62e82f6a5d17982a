"""Functions: other people's published bills, sizes, limits, and machines read as calls."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogs import book, demand, offer
from models.cloud import CLOUD, sound, usd
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


@settings(max_examples=12)
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


def test_nothing_to_run_costs_nothing() -> None:
    plan = Functions().plan(demand(), CLOUD)
    sound(plan, demand())
    assert plan.usd_per_month == 0
    assert plan.provisioned[:, CPU].sum() == 0
