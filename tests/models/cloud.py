"""A small price book of a cloud, and what must hold for every plan made of it; its rates are the tests' own."""

from __future__ import annotations

import numpy as np
import pytest

from models.catalogs import book, offer, vm
from planner.catalog import Catalog
from planner.demand import Demand
from planner.plan import Plan

COMMITTED = 0.66


def _sizes(family: str, gib: float, usd: float, **more: object) -> list[dict[str, object]]:
    return [
        row
        for name, cores in (("large", 2), ("xlarge", 4), ("2xlarge", 8), ("4xlarge", 16), ("8xlarge", 32))
        for row in vm(
            f"{family}.{name}",
            cores,
            cores * gib,
            {"on_demand": usd * cores, "1y_no_upfront": usd * cores * COMMITTED},
            **more,
        )
    ]


def _tiers(sku: str, kind: str, unit: str, *tiers: tuple[float, float, float]) -> list[dict[str, object]]:
    return [offer(sku, kind, usd, unit=unit, tier_from=start, tier_to=end) for start, end, usd in tiers]


ROWS = (
    _sizes("m", 4, 0.05),
    _sizes("c", 2, 0.0425, category="compute"),
    _sizes("r", 8, 0.063, category="memory"),
    vm("t.medium", 2, 4, {"on_demand": 0.04, "1y_no_upfront": 0.026}, category="burstable"),
    vm("g.xlarge", 4, 16, 0.8, gpus=1.0, category="gpu"),
    vm("a.xlarge", 4, 16, 0.16, arch="arm64"),
    _tiers("internet-egress", "egress", "GB", (0, 100, 0.0), (100, 10_240, 0.09), (10_240, np.nan, 0.085)),
    offer("gp3", "block_storage", 0.08, unit="GB-month"),
    offer("s3-standard", "object_storage", 0.023, unit="GB-month"),
    offer("eks-control-plane-extended", "control_plane", 0.6, unit="cluster-hour"),
    offer("eks-control-plane-standard", "control_plane", 0.1, unit="cluster-hour"),
    offer("alb", "load_balancer", 0.0225),
    offer("alb-lcu", "load_balancer_capacity", 0.008, unit="capacity-hour"),
    offer("nat-gateway", "nat_gateway", 0.045),
    offer("nat-data", "nat_data", 0.045, unit="GB"),
    offer("inter-az", "inter_az", 0.01, unit="GB"),
    _tiers("Business", "support", "usd of spend", (0, 1_000, 0.1), (1_000, np.nan, 0.07)),
    offer("Business minimum", "support_minimum", 29.0, unit="month"),
    offer("rehost", "migration", 5.0, unit="workload"),
    offer("replatform", "migration", 16.0, unit="workload"),
    offer("refactor", "migration", 52.0, unit="workload"),
    offer("lambda-requests", "function_requests", 0.2, unit="million requests"),
    offer("lambda-free-requests", "function_allowance", 0.0, unit="million requests", tier_to=1.0),
    offer("lambda-free-duration", "function_allowance", 0.0, unit="GB-second", tier_to=400_000.0),
    _tiers("lambda-duration-x86", "function_duration", "GB-second",
           (0, 6e9, 1.66667e-5), (6e9, 15e9, 1.5e-5), (15e9, np.nan, 1.33334e-5)),
    _tiers("lambda-duration-arm64", "function_duration", "GB-second",
           (0, 7.5e9, 1.33334e-5), (7.5e9, 18.75e9, 1.20001e-5), (18.75e9, np.nan, 1.06667e-5)),
    offer("lambda-storage", "function_storage", 3.09e-8, unit="GB-second"),
    offer("lambda-provisioned-x86", "function_provisioned", 4.1667e-6, unit="GB-second"),
    offer("lambda-provisioned-duration-x86", "function_provisioned_duration", 9.7222e-6, unit="GB-second"),
)  # fmt: skip

CLOUD: Catalog = book(*ROWS)


def sound(plan: Plan, demand: Demand) -> None:
    """What every plan keeps: every workload placed or named, sums that close, a bound that is one."""
    workloads = set(demand.members["workload"])
    placed, named = set(plan.placement["workload"]), set(plan.unplaced["workload"])
    assert placed | named == workloads
    assert not placed & named
    assert plan.unplaced["reason"].str.len().gt(0).all()
    assert plan.cost_by_workload["usd_per_month"].sum() == pytest.approx(plan.usd_per_month, abs=1e-6)
    assert set(plan.cost_by_workload["workload"]) == placed | {"(idle)"}
    assert plan.cost_by_workload["usd_per_month"].min() >= -1e-6
    assert plan.certificate.bound_usd <= plan.certificate.usd * (1 + 1e-9) <= plan.usd_per_month * (1 + 1e-9) + 1e-9
    assert (plan.used <= plan.provisioned * (1 + 1e-9) + 1e-9)[:, :3].all()
    assert all(entry.source for entry in plan.lines)
    assert all(a.source and a.unit for a in plan.assumptions)


def usd(plan: Plan, kind: str) -> float:
    """What the lines of one kind of offer cost in a month."""
    return sum(entry.usd_per_month for entry in plan.lines if entry.offer_kind == kind)
