"""What all rented models share: support falls due as soon as anything is rented."""

from __future__ import annotations

import pytest

from models.catalogs import demand
from models.cloud import CLOUD, usd
from planner.models.functions import Functions
from planner.quantities import HOURS_PER_MONTH, SECONDS_PER_HOUR

RARE = {
    "kind": "function",
    "busy": [0.1, 0.5],
    "mean": [1e-6, 1e-6],
    "requests_per_s": 1e5 / (HOURS_PER_MONTH * SECONDS_PER_HOUR),
    "seconds_per_request": 0.1,
    "memory_gib_per_request": 0.5,
    "cores_per_request": 0.3,
    "network_gib_per_month": 0.0,
}
"""A function whose calls stay inside the free amounts of a month."""


def test_support_has_its_minimum_inside_the_free_amounts() -> None:
    plan = Functions().plan(demand(RARE), CLOUD)
    assert any(e.quantity > 0 for e in plan.lines if e.offer_kind == "function_allowance")
    assert {e.sku: e.usd_per_month for e in plan.lines if e.usd_per_month} == {"Business minimum": 29.0}
    assert plan.cost_by_workload["usd_per_month"].sum() == pytest.approx(29.0)


def test_no_support_where_nothing_is_rented_or_none_is_wanted() -> None:
    assert not usd(Functions().plan(demand(), CLOUD), "support_minimum")
    assert not Functions(support_plan="none").plan(demand(RARE), CLOUD).usd_per_month
