"""Serverless containers: other people's published bills, sizes, ways of billing, and what holds for any estate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogs import book, demand, offer
from models.cloud import sound, usd
from planner.errors import PriceBookError
from planner.models._container_rules import Billing, shapes
from planner.models.serverless_containers import ServerlessContainers
from planner.quantities import CPU, SECONDS_PER_HOUR

MONTH = 720.0
GCP = {"provider": "gcp", "region": "us-central1"}
AZURE = {"provider": "azure", "region": "eastus"}


def calls(a_month: float, seconds: float, cores: float, gib: float, hours: float = MONTH, **more):
    """What is called so often in a month of `hours`, keeps so many cores busy and sends nothing."""
    rate = a_month / (hours * SECONDS_PER_HOUR)
    flight = rate * seconds
    return {
        "kind": "container",
        "busy": [cores, gib],
        "mean": [flight * cores, flight * gib],
        "requests_per_s": rate,
        "seconds_per_request": seconds,
        "memory_gib_per_request": gib,
        "cores_per_request": cores,
        "network_gib_per_month": 0.0,
        **more,
    }


def always(cores: float, gib: float, **more):
    """What runs all hours and keeps nothing."""
    return {"busy": [cores, gib], "storage_gib": 0.0, "network_gib_per_month": 0.0, **more}


def fargate(cpu: float, memory: float, *also, per: str = "second", arch: str = "x86"):
    return book(
        offer(f"fargate-cpu-{arch}", "container_cpu", cpu, unit=f"vCPU-{per}"),
        offer(f"fargate-memory-{arch}", "container_memory", memory, unit=f"GB-{per}"),
        offer("egress", "egress", 0.09, unit="GB"),
        offer("gp3", "block_storage", 0.08, unit="GB-month"),
        *also,
    )


def cloud_run(cpu: float, memory: float, way: str, *also):
    rows = (
        offer(f"cloud-run-cpu-{way}", "container_cpu", cpu, unit="vCPU-second", **GCP),
        offer(f"cloud-run-memory-{way}", "container_memory", memory, unit="GB-second", **GCP),
        offer("cloud-run-requests", "container_requests", 0.4, unit="million requests", **GCP),
    )
    free = [
        offer(f"cloud-run-free-{m}", "container_allowance", 0.0, unit=u, tier_to=n, **GCP)
        for m, u, n in (
            (f"cpu-{way}", "vCPU-second", 180e3),
            (f"memory-{way}", "GB-second", 360e3),
            ("requests", "million requests", 2.0),
        )
    ]
    return book(*rows, *free, *also)


def bill(asked, sold, **fields) -> dict[str, float]:
    plan = ServerlessContainers(support_plan="none", **fields).plan(asked, sold)
    sound(plan, asked)
    assert not len(plan.unplaced)
    found = {k: usd(plan, k) for k in sorted({e.offer_kind for e in plan.lines})}
    return {k: v for k, v in found.items() if v}


def test_tasks_that_run_for_minutes_a_day() -> None:
    """E20, E21: five tasks of ten minutes a day with 30 GB of disk, on either processor."""
    disk = offer("fargate-storage", "container_storage", 3.08e-8, unit="GB-second")
    task = calls(5 * 30, 600, 1, 2)
    found = bill(demand(task, hours=[MONTH]), fargate(1.1244e-5, 1.235e-6, disk), ephemeral_storage_gib=30)
    expected = {"container_cpu": 1.01, "container_memory": 0.22, "container_storage": 0.03}
    assert found == pytest.approx(expected, abs=0.005)
    arm = demand({**task, "arch": "arm64"}, hours=[MONTH])
    found = bill(arm, fargate(8.9944e-6, 9.889e-7, disk, arch="arm64"), ephemeral_storage_gib=30)
    assert found == pytest.approx({**expected, "container_cpu": 0.81, "container_memory": 0.18}, abs=0.005)


def test_windows_pays_for_its_licence() -> None:
    """E23: ten tasks of an hour a day."""
    licence = offer("fargate-windows-licence", "container_licence", 1.27778e-5, unit="vCPU-second")
    sold = fargate(2.54167e-5, 2.7778e-6, licence, arch="windows")
    found = bill(demand(calls(300, 3600, 1, 2), hours=[MONTH]), sold, windows=True)
    expected = {"container_cpu": 27.45, "container_licence": 13.80, "container_memory": 6.00}
    assert found == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("tasks", [1, 2, 3, 4, 5])
def test_a_service_that_runs_all_month(tasks: int) -> None:
    """E37."""
    found = bill(demand(always(1, 2, count=tasks), hours=[730.0]), fargate(0.04048, 0.004445, per="hour"))
    assert found["container_cpu"] == pytest.approx(29.55 * tasks, abs=0.005 * tasks)
    assert found["container_memory"] == pytest.approx(6.49 * tasks, abs=0.005 * tasks)


def test_another_providers_job_rates() -> None:
    """E26: twice ten pods of four cores and 8 GiB for ten minutes."""
    found = bill(demand(calls(20, 600, 4, 8), hours=[MONTH]), fargate(4.976e-6, 2.073e-6))
    assert sum(found.values()) == pytest.approx(0.437856)


def test_requests_by_the_time_they_take() -> None:
    """E29 with the free amounts that Google tells, E34 without."""
    egress = [offer("egress", "egress", p, unit="GB", tier_from=a, tier_to=b, **GCP) for a, b, p in
              ((0, 1, 0.0), (1, np.nan, 0.12))]  # fmt: skip
    asked = demand(calls(10e6, 0.2, 1, 0.5, network_gib_per_month=5.0), hours=[MONTH])
    found = bill(asked, cloud_run(2.4e-5, 2.5e-6, "request-based", egress), concurrency=1, billing="request", **GCP)
    expected = {"container_cpu": 43.68, "container_memory": 1.60, "container_requests": 3.20, "egress": 0.48}
    assert found == pytest.approx(expected, abs=0.005)
    asked = demand(calls(500e3, 3.6, 1, 0.5), hours=[MONTH])
    sold = cloud_run(3.36e-5, 3.5e-6, "request-based", egress)
    found = bill(asked, sold, concurrency=1, billing="request", free_tier=False, **GCP)
    expected = {"container_cpu": 60.48, "container_memory": 3.15, "container_requests": 0.20}
    assert found == pytest.approx(expected, abs=0.005)


def test_jobs_are_not_requests() -> None:
    """E35: 50,000 runs of ten minutes at the instance-based rate."""
    sold = cloud_run(2.16e-5, 2.4e-6, "instance-based", offer("egress", "egress", 0.1, unit="GB", **GCP))
    asked = demand(calls(50e3, 600, 1, 0.5), hours=[MONTH])
    found = bill(asked, sold, billing="job", free_tier=False, **GCP)
    assert found == pytest.approx({"container_cpu": 648.00, "container_memory": 36.00}, abs=0.005)


def held(plan) -> dict[str, str]:
    """The size of each workload."""
    return dict(zip(plan.placement["workload"], plan.placement["sku"], strict=True))


@pytest.mark.parametrize(
    ("cores", "gib", "kubernetes", "size"),
    [
        pytest.param(1, 8, True, "fargate 2 vCPU 9 GiB", id="EKSF: 256 MB more than the largest size of one core"),
        pytest.param(0.25, 1.75, True, "fargate 0.25 vCPU 2 GiB", id="EKSF: 256 MB fill the size"),
        pytest.param(0.25, 2.0, False, "fargate 0.25 vCPU 2 GiB", id="no pod, no overhead"),
        pytest.param(1, 8, False, "fargate 1 vCPU 8 GiB", id="largest size of one core"),
        pytest.param(0.3, 1.0, False, "fargate 0.5 vCPU 1 GiB", id="next size of cores"),
        pytest.param(5, 10, False, "fargate 8 vCPU 16 GiB", id="least memory of eight cores"),
    ],
)
def test_the_cheapest_allowed_size_that_holds_it(cores: float, gib: float, kubernetes: bool, size: str) -> None:
    asked = demand(always(cores, gib))
    plane = offer("eks-control-plane-standard", "control_plane", 0.1, unit="cluster-hour")
    plan = ServerlessContainers(kubernetes=kubernetes).plan(asked, fargate(0.04, 0.0044, plane, per="hour"))
    assert held(plan) == {"w0": size}
    assert usd(plan, "control_plane") == pytest.approx(73.0 * kubernetes)
    shape = np.array([float(size.split()[1]), float(size.split()[3])])
    assert plan.certificate.usd == pytest.approx(730 * shape @ [0.04, 0.0044])
    assert plan.certificate.gap == pytest.approx(0)


@pytest.mark.parametrize(("in_flight", "instances"), [(6.9, 1), (7.0, 1), (7.1, 2), (14.1, 3)])
def test_a_new_instance_at_the_target_of_its_concurrency(in_flight: float, instances: int) -> None:
    """C16: ten at once, 70 % of them planned for."""
    asked = demand(calls(in_flight * 730 * 3600, 1.0, 0.01, 0.01, hours=730), hours=[730.0])
    sold = fargate(
        0.04, 0.0044, offer("alb", "load_balancer", 0.02), offer("lcu", "load_balancer_data", 0.0, unit="GB")
    )
    plan = ServerlessContainers(concurrency=10, billing="instance").plan(asked, sold)
    sound(plan, asked)
    assert plan.boxes["count"].tolist() == [instances]
    assert len(plan.placement) == instances


def test_active_and_idle_time_of_container_apps() -> None:
    """Kept replicas cost the idle rate while no request is in them; requests are counted; allowances come first."""
    sold = book(
        offer("container-apps-cpu", "container_cpu", 2.4e-5, unit="vCPU-second", **AZURE),
        offer("container-apps-memory", "container_memory", 3e-6, unit="GB-second", **AZURE),
        offer("container-apps-idle-cpu", "container_idle_cpu", 3e-6, unit="vCPU-second", **AZURE),
        offer("container-apps-requests", "container_requests", 0.4, unit="million requests", **AZURE),
        offer("container-apps-free-cpu", "container_allowance", 0, unit="vCPU-second", tier_to=180e3, **AZURE),
        offer("container-apps-free-memory", "container_allowance", 0, unit="GB-second", tier_to=360e3, **AZURE),
        offer("egress", "egress", 0.1, unit="GB", **AZURE),
    )
    asked = demand(calls(1e6, 1.0, 0.5, 1.0), hours=[MONTH])
    fields = {"billing": "request", "arrivals": "even", "concurrency": 1, "cooldown_s": 0, "target_utilisation": 1}
    found = bill(asked, sold, min_instances=1, **fields, **AZURE)
    month = MONTH * 3600
    assert found["container_cpu"] == pytest.approx((1e6 * 0.5 - 180e3) * 2.4e-5)
    assert found["container_idle_cpu"] == pytest.approx((month - 1e6) * 0.5 * 3e-6)
    assert found["container_memory"] == pytest.approx((month - 360e3) * 3e-6)
    assert found["container_requests"] == pytest.approx(0.4)
    assert "container_idle_cpu" not in bill(asked, sold, **fields, **AZURE)
    quiet = demand({**always(0.5, 1.0), "mean": [0.001, 0.5]}, hours=[MONTH])
    assert set(bill(quiet, sold, free_tier=False, **AZURE)) == {"container_idle_cpu", "container_memory"}


def test_what_may_be_interrupted_takes_spot_where_it_is_sold() -> None:
    spot = [{**row, "term": "spot"} for row in (
        offer("fargate-cpu-x86", "container_cpu", 0.012, unit="vCPU-hour"),
        offer("fargate-memory-x86", "container_memory", 0.0013, unit="GB-hour"),
    )]  # fmt: skip
    sold = fargate(0.04, 0.0044, spot, per="hour")
    asked = demand(always(1, 2), always(1, 2, interruptible=True))
    plan = ServerlessContainers().plan(asked, sold)
    sound(plan, asked)
    paid = {e.term: e.usd for e in plan.lines if e.offer_kind == "container_cpu"}
    assert paid == pytest.approx({"on_demand": 29.2, "spot": 8.76})
    assert ServerlessContainers(spot=False).plan(asked, sold).usd_per_month > plan.usd_per_month


def test_what_scales_out_runs_as_parts_that_follow_the_hour() -> None:
    sold = fargate(
        0.04, 0.0044, offer("alb", "load_balancer", 0.02), offer("lcu", "load_balancer_data", 0.0, unit="GB")
    )
    load = {"busy": [[40, 80], [2, 4]], "storage_gib": 0.0, "network_gib_per_month": 0.0}
    asked = demand({**load, "scales_out": True}, load, hours=(100.0, 620.0))
    plan = ServerlessContainers().plan(asked, sold)
    sound(plan, asked)
    assert plan.unplaced["workload"].tolist() == ["w1"]
    assert "40 CPU cores" in plan.unplaced["reason"].iloc[0]
    assert plan.provisioned[0, CPU] == pytest.approx(40)
    assert plan.provisioned[1, CPU] == pytest.approx(2)
    assert usd(plan, "load_balancer") == pytest.approx(14.4)


def test_a_schedule_stops_what_does_nothing() -> None:
    asked = demand({**always(1, 2), "busy": [[1, 2], [0.01, 2]]}, hours=(200.0, 520.0))
    plan = ServerlessContainers(schedule="when_used").plan(asked, fargate(0.04, 0.0044, per="hour"))
    assert usd(plan, "container_cpu") == pytest.approx(200 * 0.04)


def test_functions_of_one_application_share_a_service_that_never_stops() -> None:
    call = {"kind": "function", "application": "a", "owner": "o"}
    asked = demand(*(calls(1e5, 0.2, 0.1, 0.25, **call, count=n) for n in (1, 3)), calls(1e5, 0.2, 0.1, 0.25, **call))
    sold = fargate(
        0.04, 0.0044, offer("alb", "load_balancer", 0.02), offer("lcu", "load_balancer_data", 0.0, unit="GB")
    )
    shared, apart = (ServerlessContainers(service=s).plan(asked, sold) for s in ("provider", "function"))
    for plan, services in ((shared, 1), (apart, 5)):
        sound(plan, asked)
        assert plan.details["services_by_instance"] == services
        assert plan.boxes["count"].sum() == plan.placement["box"].nunique() == plan.details["instances_at_peak"]
    assert shared.usd_per_month < apart.usd_per_month


def test_what_cannot_be_a_container_is_named_with_the_limit() -> None:
    asked = demand(
        always(1, 1, busy=[1, 1, 1]), always(1, 300), always(np.nan, 1), {**always(1, 1), "arch": "arm64"},
        calls(1e3, 5_000, 1, 2), calls(1e3, 0.1, 1, 300), calls(1e3, 5_000, 1, 2, count=2),
    )  # fmt: skip
    sold = cloud_run(2.4e-5, 2.5e-6, "request-based", offer("egress", "egress", 0.1, unit="GB", **GCP),
                     offer("pd", "block_storage", 0.1, unit="GB-month", **GCP))  # fmt: skip
    plan = ServerlessContainers(billing="request", **GCP).plan(asked, sold)
    sound(plan, asked)
    told = dict(zip(plan.unplaced["workload"], plan.unplaced["reason"], strict=True))
    words = {"w0": "gpus", "w1": "300", "w2": "size unknown", "w3": "arm64", "w4": "duration", "w5": "300"}
    assert {w: word for w, word in words.items() if word not in told[w]} == {}
    assert set(told) == {*words, "w6", "w6-1"}
    assert set(ServerlessContainers(**GCP).plan(asked, sold).placement["workload"]) >= {"w4", "w6"}


def test_requests_win_while_they_are_rare_and_lose_once_they_are_steady() -> None:
    """Cloud Run's two ways of billing cross, and the cheapest is taken on either side."""
    here = cloud_run(2.4e-5, 2.5e-6, "request-based", offer("egress", "egress", 0.1, unit="GB", **GCP))
    kept = cloud_run(1.8e-5, 2e-6, "instance-based")
    sold = book(
        here.offers.to_dict("records"), kept.offers[kept.offers["kind"] != "container_requests"].to_dict("records")
    )
    ways = []
    for calls_a_month in (1e3, 1e6, 1e9):
        asked = demand(calls(calls_a_month, 0.2, 0.2, 0.25), hours=[MONTH])
        plans = {
            b: ServerlessContainers(billing=b, **GCP).plan(asked, sold) for b in ("cheapest", "request", "instance")
        }
        cost = {b: p.certificate.usd for b, p in plans.items()}
        ways.append("instance" if plans["cheapest"].details["services_by_instance"] else "request")
        assert cost["cheapest"] <= min(cost["request"], cost["instance"]) + 2e4 * 2.5e-5 * 18
    assert ways[0] == "request"
    assert ways[-1] == "instance"
    assert sorted(ways, reverse=True) == ways


def test_random_requests_keep_more_instances_than_even_ones_and_less_than_one_each() -> None:
    sold = cloud_run(2.4e-5, 2.5e-6, "request-based", offer("egress", "egress", 0.1, unit="GB", **GCP))
    asked = demand(calls(1e6, 1.0, 0.05, 0.05), hours=[MONTH])
    fields = {"billing": "request", "free_tier": False, "shapes": ((1.0, 1.0, 1.0, 1.0),), **GCP}
    even, random = (bill(asked, sold, arrivals=a, **fields)["container_cpu"] for a in ("even", "random"))
    one = bill(asked, sold, concurrency=1, **fields)["container_cpu"]
    flight, at_once = 1e6 / (MONTH * 3600), 14
    busy = flight / at_once + (1 - 1 / at_once) * (1 - np.exp(-flight))
    assert random == pytest.approx(busy * MONTH * 3600 * 2.4e-5)
    assert even < random < one


def test_sizes_and_times() -> None:
    assert len(shapes([(1.0, 2.0, 8.0, 1.0)])) == 7
    assert len(shapes([(1.0, 2.0, 8.0, 1.0), (32.0, 60.0, 120.0, 60.0)], most_cores=16)) == 7
    job = Billing("job", (), 1.0, 60.0, 0.0, per_request=False)
    assert job.billed(np.array([0.2, 60.0, 60.2, 3600.0])).tolist() == [60, 60, 61, 3600]


def test_an_unknown_way_of_billing_is_told() -> None:
    with pytest.raises(PriceBookError, match="bills no containers by request"):
        ServerlessContainers(billing="request").plan(demand(calls(1, 1, 1, 2)), fargate(1e-5, 1e-6))
    with pytest.raises(PriceBookError, match="no rules"):
        ServerlessContainers(provider="nobody", region="all").plan(
            demand(), book(offer("x", "vm", 1.0, provider="nobody", region="all"))
        )


work = st.one_of(
    st.builds(always, st.floats(0.01, 4), st.floats(0.1, 16), scales_out=st.booleans()),
    st.builds(calls, st.floats(10, 1e8), st.floats(0.01, 500), st.floats(0.01, 1), st.floats(0.05, 4)),
)


@settings(max_examples=5)
@given(
    st.lists(work, min_size=1, max_size=4),
    st.sampled_from([{"rounding_s": 1.0}, {"minimum_s": 10.0}, {"concurrency": 1}, {"target_utilisation": 0.35},
                     {"min_instances": 2}, {"arrivals": "random"}, {"free_tier": False},
                     {"shapes": ((4.0, 16.0, 16.0, 1.0),)}]),
)  # fmt: skip
def test_rules_only_ever_add(asked_for, stricter) -> None:
    """More rounding, less sharing, coarser sizes and twice the work never cost less; no plan beats its bound."""
    asked = demand(*asked_for, hours=[MONTH])
    twice = demand(*({**w, "count": 2} for w in asked_for), hours=[MONTH])
    sold = cloud_run(2.4e-5, 2.5e-6, "request-based", offer("egress", "egress", 0.1, unit="GB", **GCP))
    fields = {"support_plan": "none", "arrivals": "even", **GCP}
    plan = ServerlessContainers(**fields).plan(asked, sold)
    sound(plan, asked)
    tight = ServerlessContainers(**{**fields, **stricter}).plan(asked, sold)
    sound(tight, asked)
    if len(tight.unplaced) == len(plan.unplaced):
        free = 0.0 if stricter == {"free_tier": False} else 180e3 * 2.4e-5 + 360e3 * 2.5e-6 + 0.8
        assert tight.usd_per_month >= plan.usd_per_month * (1 - 1e-9) - free
    assert ServerlessContainers(**fields).plan(twice, sold).usd_per_month >= plan.usd_per_month * (1 - 1e-9)


def test_nothing_to_run_costs_nothing() -> None:
    plan = ServerlessContainers().plan(demand(), fargate(1e-5, 1e-6))
    sound(plan, demand())
    assert plan.usd_per_month == 0
