"""Burstable instances: the printed example of credits, what is bought beyond them, and where they are enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.catalogs import book, demand, offer, vm
from models.cloud import sound, usd
from models.test_purchase import facts
from planner.catalog import Catalog
from planner.models._credits import Earning, burst, simulated
from planner.models.iaas import Iaas

BURST = Catalog(
    book(
        vm("t3.medium", 2, 4, 0.04, category="burstable"),
        vm("m.large", 2, 8, 0.1),
        offer("t3-credits", "cpu_credits", 0.05, unit="vCPU-hour", family="t3"),
        offer("egress", "egress", 0.0, unit="GB"),
        offer("gp2", "block_storage", 0.1, unit="GB-month"),
    ).offers,
    facts(("t3.medium", "credits_per_hour", 24.0), ("t3.medium", "credits_max", 576.0), topic="burstable"),
)


def test_the_printed_example_of_a_t3_nano() -> None:
    hours = np.array([24, 12, 24, 12, 5, 24])
    share = np.array([0.0, 0.025, 0.07, 0.025, 1.0, 0.0])
    balance, charged = simulated(((6.0 - share * 2 * 60) * hours)[None, :], np.array([144.0]), np.array([0.0]))
    assert balance[0].tolist() == pytest.approx([144.0, 144.0, 86.4, 122.4, -144.0, 0.0])
    assert charged[0].sum() == pytest.approx(303.6)


def test_credits_beyond_those_earned_are_bought_by_the_vcpu_hour() -> None:
    beyond = 2_100 / 3 / 730
    asked = demand({"busy": [2, 4], "mean": [0.4 + beyond, 2], "count": 3, "storage_gib": 20.0})
    plan = Iaas(burst="unlimited", terms=("on_demand",)).plan(asked, BURST)
    sound(plan, asked)
    assert plan.boxes["sku"].tolist() == ["t3.medium"]
    assert usd(plan, "cpu_credits") == pytest.approx(105.0)
    assert usd(plan, "block_storage") == pytest.approx(6.0)
    assert Iaas(terms=("on_demand",)).plan(asked, BURST).boxes["sku"].tolist() == ["m.large"]


def test_what_is_dearer_with_its_credits_is_not_taken() -> None:
    asked = demand({"busy": [2, 4], "mean": [2.0, 2]})
    assert Iaas(burst="unlimited").plan(asked, BURST).boxes["sku"].tolist() == ["m.large"]


def test_credits_must_last_through_the_busy_hours_not_only_on_average() -> None:
    day = np.r_[np.full(12, 0.05), np.full(12, 0.65)]
    short = demand({"busy": [[2, 4]] * 24, "mean": [[c, 2] for c in day]}, hours=[730 / 24] * 24)
    assert Iaas(terms=("on_demand",)).plan(short, BURST).boxes["sku"].tolist() == ["t3.medium"]
    week = np.r_[np.full(84, 0.05), np.full(84, 0.65)]
    long = demand({"busy": [[2, 4]] * 168, "mean": [[c, 2] for c in week]}, hours=[730 / 168] * 168)
    assert Iaas(terms=("on_demand",)).plan(long, BURST).boxes["sku"].tolist() == ["m.large"]


@given(st.lists(st.floats(0.0, 2.0), min_size=24, max_size=24), st.floats(1.0, 60.0))
def test_a_long_run_comes_to_the_same(cores: list[float], per_hour: float) -> None:
    earns = Earning(np.array([per_hour]), np.array([per_hour * 24]), np.array([0.05]))
    row, hours = np.array([cores]), np.full(24, 730 / 24)
    found = burst(earns, row, np.ones((1, 24), bool), hours)
    net = np.tile((per_hour - row * 60.0), (1, 60))
    drift = float(net[0, :24].sum())
    if abs(drift) > per_hour:
        most = earns.most
        _, charged = simulated(net, most, np.zeros(1))
        assert found.charged[0, 0] == pytest.approx(charged[0, -24:].sum() / 60 * 730 / 24, abs=1e-6)
    assert (found.charged >= 0).all()
    assert (found.short >= 0).all()
    # In the long run, what is spent is earned or bought, as far as no credit is lost at the top.
    assert found.charged[0, 0] >= (row.sum() * 60 - per_hour * 24) / 60 * 730 / 24 - 1e-6
