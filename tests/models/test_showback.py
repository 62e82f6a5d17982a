"""Who causes what: traffic by what is sent, disks by what is kept, nodes at the prices of what binds."""

from __future__ import annotations

import pandas as pd
import pytest

from lanes import lanes
from models.catalogs import book, demand, offer, vm
from models.cloud import CLOUD, ROWS
from planner.models import MODELS
from planner.plan import Plan

MONTH = (730.0,)
SOLD = book(
    *ROWS,
    offer("fargate-cpu-x86", "container_cpu", 0.04, unit="vCPU-hour"),
    offer("fargate-memory-x86", "container_memory", 0.004, unit="GB-hour"),
)


def paid(plan: Plan) -> pd.Series:
    return plan.cost_by_workload.set_index("workload")["usd_per_month"]


@pytest.mark.parametrize(
    "kind", lanes(["iaas", "kubernetes", "service_mesh", "serverless_containers"], slow=["service_mesh"])
)
def test_who_sends_and_keeps_more_pays_more(kind: str) -> None:
    """Two alike but for traffic, two alike but for their disks; the difference is a line's price at least."""
    alike = {"busy": [1, 4], "mean": [0.5, 2], "network_gib_per_month": 0.0, "storage_gib": 10.0}
    loud, large = {"network_gib_per_month": 5_000.0}, {"storage_gib": 2_000.0}
    asked = demand(alike, {**alike, **loud}, {**alike, **large}, hours=MONTH)
    plan = MODELS[kind](support_plan="none").plan(asked, SOLD)
    usd = paid(plan)
    assert usd["w1"] - usd["w0"] > 5_000 * 0.08
    assert usd["w2"] - usd["w0"] > 1_900 * 0.08 * 0.9
    assert usd.sum() == pytest.approx(plan.usd_per_month)


def test_functions_pay_for_what_they_send() -> None:
    call = {"kind": "function", "seconds_per_request": 0.2, "memory_gib_per_request": 0.25, "cores_per_request": 0.15}
    call |= {"requests_per_s": 1.0, "busy": [0.3, 1.0], "mean": [0.1, 0.2], "network_gib_per_month": 0.0}
    usd = paid(MODELS["functions"](support_plan="none").plan(
        demand(call, {**call, "network_gib_per_month": 1_000.0}, hours=MONTH), CLOUD
    ))  # fmt: skip
    assert usd["w1"] - usd["w0"] == pytest.approx(900 * 0.09)


def test_what_binds_has_the_price() -> None:
    """Memory fills every node and CPU none: who asks for half the memory pays half, however many cores."""
    sold = book(
        vm("n", 16, 16, 1.0),
        offer("egress", "egress", 0.0, unit="GB"),
        offer("plane", "control_plane", 0.0, unit="cluster-hour"),
        offer("disk", "block_storage", 0.0, unit="GB-month"),
        offer("lb", "load_balancer", 0.0),
        offer("lb-data", "load_balancer_data", 0.0, unit="GB"),
        offer("nat", "nat_gateway", 0.0),
        offer("nat-data", "nat_data", 0.0, unit="GB"),
        offer("zone", "inter_az", 0.0, unit="GB"),
    )
    busy = [{"busy": [cores, 6.0], "mean": [cores / 2, 3.0], "count": 8} for cores in (0.1, 0.9)]
    asked = demand(*busy, hours=MONTH)
    plan = MODELS["kubernetes"](support_plan="none", nodes_per_admin=None, terms=("on_demand",)).plan(asked, sold)
    usd = paid(plan)
    assert usd["w1"] == pytest.approx(usd["w0"], rel=0.25)
