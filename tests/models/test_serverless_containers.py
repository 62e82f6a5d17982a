"""Serverless containers: other people's published bills, sizes, ways of billing, and what holds for any estate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogs import book, demand, offer
from models.cloud import ROWS, sound, usd
from planner.models._container_rules import Billing, shapes
from planner.models.serverless_containers import ServerlessContainers
from planner.quantities import CPU, MEMORY, SECONDS_PER_HOUR

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
