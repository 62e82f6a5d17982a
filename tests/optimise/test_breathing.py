"""Fleets that breathe: the program's bound against brute force, its proof against the checker."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.models._pools import lagged
from planner.optimise.breathing import Needs, Rates, breathe
from planner.optimise.buying import split
from planner.verify import verify_proof

ROOM = np.array([[2.0, 8.0], [4.0, 8.0]])
SOLD = (np.array([0.10, 0.17]), np.array([0.06, 0.11]))


def rates(hours: int, lag: int = 0, sold: tuple[np.ndarray, np.ndarray] = SOLD) -> Rates:
    return Rates(ROOM, *sold, np.full(hours, 730.0 / hours), lag)


def month(counts: np.ndarray, asked: Rates) -> float:
    """What whole boxes [period, type] cost on their best terms, those that linger included."""
    stay = lagged(counts, asked.lag)
    prices = zip(stay.T, asked.used.tolist(), asked.kept.tolist(), strict=True)
    paid = sum(split(n, asked.hours, {"on_demand": used, "1y": kept}).usd for n, used, kept in prices)
    return paid + float(asked.hours @ stay @ asked.running)


def cheapest(amount: np.ndarray, asked: Rates, most: int = 3) -> float:
    """Brute force over whole boxes of both types in every period."""
    fleets = [np.array(pair) for pair in product(range(most + 1), repeat=2)]
    holding = [[f for f in fleets if (f @ asked.room >= need - 1e-9).all()] for need in amount]
    return min(month(np.array(week), asked) for week in product(*holding))


@given(
    st.lists(st.tuples(st.floats(0.1, 5.0), st.floats(0.1, 10.0)), min_size=1, max_size=3),
    st.integers(0, 1),
    st.sampled_from([None, np.array([0.08, 0.08]), np.array([0.01, 0.2])]),
)
def test_no_fleet_of_whole_boxes_goes_below_the_bound(
    week: list[tuple[float, float]], lag: int, beside: np.ndarray | None
) -> None:
    amount, asked = np.array(week), replace(rates(len(week), min(lag, len(week) - 1)), beside=beside)
    found = breathe(Needs(np.ones((1, 2), bool), amount[None]), asked)
    assert 0 < found.bound_usd <= cheapest(amount, asked) * (1 + 1e-9)
    assert all(f.holds for f in verify_proof(found.proof, "fleet"))


def test_what_comes_with_each_box_is_paid_while_it_runs() -> None:
    """By hand: one of the larger by the hour for half a month at 0.17 + 0.08; kept, it would cost 0.11 and the half."""
    amount = np.array([[4.0, 8.0], [0.0, 0.0], [4.0, 8.0], [0.0, 0.0]])
    found = breathe(Needs(np.ones((1, 2), bool), amount[None]), replace(rates(4), beside=np.array([0.08, 0.08])))
    assert found.bound_usd == pytest.approx(365 * (0.17 + 0.08), rel=1e-5)
    assert all(f.holds for f in verify_proof(found.proof, "fleet"))
    lied = deepcopy(found.proof)
    lied["fleet"]["beside"] = [0, 0]
    assert not all(f.holds for f in verify_proof(lied, "fleet"))


def test_a_steady_need_is_kept_and_a_short_one_is_rented() -> None:
    amount = np.full((10, 2), 8.0) * [1.0, 0.5]
    amount[3] *= 3
    found = breathe(Needs(np.ones((1, 2), bool), amount[None]), rates(10))
    base = found.base @ ROOM
    assert base[0] == pytest.approx(8.0, rel=1e-6)
    assert (found.holding[3] @ ROOM)[0] == pytest.approx(24.0, rel=1e-6)


def test_the_bound_is_met_where_whole_boxes_fit_exactly() -> None:
    amount = np.array([[4.0, 8.0], [8.0, 16.0]])
    asked = rates(2)
    found = breathe(Needs(np.array([[False, True]]), amount[None]), asked)
    exact = month(np.array([[0, 1], [0, 2]]), asked)
    assert found.bound_usd == pytest.approx(exact, rel=1e-5)


def test_lingering_costs() -> None:
    amount = np.array([[4.0, 8.0], [0.1, 0.1], [0.1, 0.1], [0.1, 0.1]])
    needs = Needs(np.ones((1, 2), bool), amount[None])
    assert breathe(needs, rates(4, 2)).bound_usd > breathe(needs, rates(4, 0)).bound_usd * 1.01


def test_what_only_some_types_take_is_not_put_into_others() -> None:
    fits = np.array([[True, True], [False, True]])
    amount = np.array([[[1.0, 1.0]], [[1.0, 20.0]]])
    apart = breathe(Needs(fits, amount), rates(1)).bound_usd
    assert apart > breathe(Needs(np.ones((2, 2), bool), amount), rates(1)).bound_usd * 1.001


def test_terms_that_are_not_sold_are_not_used() -> None:
    never = np.full(2, np.inf)
    amount = np.array([[4.0, 8.0], [2.0, 2.0]])[None]
    needs = Needs(np.ones((1, 2), bool), amount)
    rented = breathe(needs, rates(2, sold=(SOLD[0], never)))
    kept = breathe(needs, rates(2, sold=(never, SOLD[1])))
    assert not rented.base.any()
    assert kept.base @ ROOM[:, 0] >= 4.0 - 1e-6
    assert rented.bound_usd > 0 < kept.bound_usd


@pytest.mark.parametrize("field", ["needs", "used", "kept"])
def test_a_proof_that_was_tampered_with_is_refused(field: str) -> None:
    week = np.array([[3.0, 5.0], [1.0, 2.0], [4.0, 1.0]])
    proof = deepcopy(breathe(Needs(np.ones((1, 2), bool), week[None]), rates(3, 1)).proof)
    assert all(f.holds for f in verify_proof(proof, "fleet"))
    if field == "needs":
        for entry in proof["fleet"]["needs"]:
            entry[4] = entry[4] * 11 // 10
    else:
        proof["fleet"][field] = [usd * 9 // 10 for usd in proof["fleet"][field]]
    assert not all(f.holds for f in verify_proof(proof, "fleet"))


def test_a_bound_above_what_the_needs_pay_is_refused() -> None:
    proof = breathe(Needs(np.ones((1, 2), bool), np.array([[[3.0, 5.0]]])), rates(1)).proof
    proof["bound_usd"][0] += 1
    assert not all(f.holds for f in verify_proof(proof, "fleet"))
