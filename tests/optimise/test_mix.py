"""Terms over many skus: the best of all by trying, never above on demand, and a bound that is one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise.buying import Commitment, Order, Usage, charged, floor, mix, reserved, split
from planner.optimise.buying.mix import folded, problem
from planner.optimise.solver import lp_text

PLAN = Order.COMPUTE_PLAN


def plan(rates: np.ndarray, order: Order = PLAN) -> Commitment:
    return Commitment("plan", order, 1.0, 1.0, rates)


def only(item: int, usd: float) -> Commitment:
    return Commitment(f"sku {item}", Order.ZONAL_RESERVATION, 1.0, usd, np.where(np.arange(2) == item, 1.0, np.nan))


@st.composite
def fleets(draw: st.DrawFn, items: int = 2) -> Usage:
    periods = draw(st.integers(1, 4))
    counts = draw(st.lists(st.integers(0, 3), min_size=periods * items, max_size=periods * items))
    hours = np.array(draw(st.lists(st.floats(1.0, 9.0), min_size=periods, max_size=periods)))
    usd = np.array(draw(st.lists(st.floats(0.1, 2.0), min_size=items, max_size=items)))
    return Usage(np.array(counts, float).reshape(periods, items), usd, hours)


shares = st.lists(st.floats(0.2, 1.2), min_size=2, max_size=2).map(np.array)


def steps(usage: Usage, offer: Commitment) -> list[float]:
    """Promises at which the cost of a single plan bends: what some hour needs for its best savings, one by one."""
    order = np.argsort(-(1 - offer.need / usage.usd), kind="stable")
    return sorted({0.0, *np.cumsum((usage.amount * offer.need)[:, order], axis=1).ravel().tolist()})


@given(fleets(), shares)
def test_one_plan_is_the_best_of_all(usage: Usage, share: np.ndarray) -> None:
    offer = plan(usage.usd * share)
    tried = [charged(usage, [Commitment("c", PLAN, amount, 1.0, offer.need)]).usd for amount in steps(usage, offer)]
    found = mix(usage, [offer], [False])
    assert found.usd == pytest.approx(min(tried), abs=1e-6)
    assert found.bound_usd == pytest.approx(found.usd, abs=1e-6)


@given(fleets(), shares)
def test_terms_of_one_sku_each_are_bought_level_by_level(usage: Usage, share: np.ndarray) -> None:
    offers = [only(i, usage.usd[i] * share[i]) for i in range(2)]
    counts, hours = usage.amount.astype(int), usage.weight
    apart = [
        split(counts[:, i], hours, {"on_demand": usage.usd[i], "1y": usage.usd[i] * share[i]}).usd for i in range(2)
    ]
    assert mix(usage, offers, [True, True]).usd == pytest.approx(sum(apart), abs=1e-6)


@given(fleets(), shares, st.integers(1, 3))
def test_whole_reservations_of_a_family_are_the_best_of_all(usage: Usage, share: np.ndarray, factor: int) -> None:
    factors = np.array([1.0, 2.0])
    offer = reserved("family", (factors, np.ones(2, bool)), 1, float(factor), float(share[0] * usage.usd[0]) * factor)
    most = int(np.ceil((usage.amount @ factors).max() / factor)) + 1
    tried = [
        charged(usage, [reserved("f", (factors, np.ones(2, bool)), n, float(factor), offer.usd * factor)]).usd
        for n in range(most + 1)
    ]
    found = mix(usage, [offer], [True])
    assert found.bound_usd <= min(tried) + 1e-6
    # A bill covers the smallest size first, be it the one that saves less.
    alike = np.allclose(usage.usd / factors, usage.usd[0])
    assert found.usd == pytest.approx(min(tried), abs=1e-6) if alike else found.usd <= usage.on_demand_usd + 1e-9


@settings(max_examples=60)
@given(fleets(3), st.data())
def test_never_above_on_demand_and_never_below_the_bound(usage: Usage, data: st.DataObject) -> None:
    three = st.lists(st.one_of(st.just(np.nan), st.floats(0.3, 1.1)), min_size=3, max_size=3).map(np.array)
    offers = [plan(usage.usd * data.draw(three), data.draw(st.sampled_from(list(Order)))) for _ in range(3)]
    whole = data.draw(st.lists(st.booleans(), min_size=3, max_size=3))
    found = mix(usage, offers, whole)
    assert found.usd <= usage.on_demand_usd * (1 + 1e-9) + 1e-9
    assert found.bound_usd <= found.usd + 1e-6
    steps_of_three = product((0.0, 0.5, 1.0, 3.0), repeat=3)
    for amounts in steps_of_three:
        some = [Commitment("c", o.order, a, 1.0, o.need) for o, a in zip(offers, amounts, strict=True)]
        if all(a == round(a) or not w for a, w in zip(amounts, whole, strict=True)):
            assert charged(usage, some).usd >= found.bound_usd - 1e-6


@given(fleets(), shares)
def test_twice_the_fleet_is_never_cheaper(usage: Usage, share: np.ndarray) -> None:
    twice = Usage(usage.amount * 2, usage.usd, usage.hours)
    offers = [plan(usage.usd * share)]
    assert mix(twice, offers, [False]).usd == pytest.approx(2 * mix(usage, offers, [False]).usd, abs=1e-6)


@given(fleets(), shares, st.floats(0.2, 1.0))
def test_the_floor_lies_under_shared_promises_too(usage: Usage, rates: np.ndarray, share: float) -> None:
    offer = plan(usage.usd * rates)
    under = floor(usage.usd, offer.need, usage.amount @ usage.usd, usage.weight, share)
    assert float(under.weight @ (usage.amount @ under.usd)) <= mix(usage, [offer], [False]).usd + 1e-6


def test_a_plan_is_shared_by_what_runs_at_different_hours() -> None:
    usage = Usage(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1.0, 1.0]), np.array([365.0, 365.0]))
    apart = [only(i, 0.6) for i in range(2)]
    assert mix(usage, apart, [True, True]).usd == pytest.approx(730.0)
    assert mix(usage, [plan(np.array([0.7, 0.7]))], [False]).usd == pytest.approx(0.7 * 730)


def test_no_offer_and_no_usage() -> None:
    usage = Usage(np.array([[1.0]]), np.array([1.0]))
    assert mix(usage, [], []).usd == 1.0
    assert mix(Usage(np.zeros((1, 1)), np.array([1.0])), [plan(np.array([0.5]))], [False]).usd == 0.0


def test_the_formulation() -> None:
    usage = folded(Usage(np.array([[2.0, 1.0], [0.0, 1.0], [2.0, 1.0]]), np.array([1.0, 3.0])))
    offers = [plan(np.array([0.5, 2.0])), reserved("family", (np.array([1.0, 4.0]), np.ones(2, bool)), 1, 4.0, 2.0)]
    text = lp_text(problem(usage, offers, np.array([False, True])))
    assert text == GOLDEN


GOLDEN = """\\ terms
Minimize
OBJ: 3.0*x000000 + 6.0*x000001 - 2.0*x000002 - 3.0*x000003 - 6.0*x000004 - 2.0*x000005 - 3.0*x000006 - 6.0*x000007
Subject To
r00000: x000002 + x000005 <= 2.0
r00001: x000003 + x000006 <= 1.0
r00002: x000004 + x000007 <= 1.0
r00003: -x000000 + 2.0*x000003 <= -0.0
r00004: -x000000 + 0.5*x000002 + 2.0*x000004 <= -0.0
r00005: -4.0*x000001 + 4.0*x000006 <= -0.0
r00006: -4.0*x000001 + x000005 + 4.0*x000007 <= -0.0
Bounds
0 <= x000000
0 <= x000001
0 <= x000002
0 <= x000003
0 <= x000004
0 <= x000005
0 <= x000006
0 <= x000007
Generals
x000001
End
"""
