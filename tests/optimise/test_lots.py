"""Lots over years: hand-made cases, and against every sequence of orders of small ones."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from planner.optimise.lots import Terms, lots

YEAR = np.ones(3)


def flat(unit: float, keep: float, order: float, **more: int) -> Terms:
    return Terms(unit * YEAR, keep * YEAR, order * YEAR, **more)


def test_without_lots_each_year_buys_what_it_needs() -> None:
    found = lots(np.array([4, 6, 9]), 1, flat(10, 1, 0))
    assert found.bought.tolist() == [3, 2, 3]
    assert found.usd == 8 * 10 + 4 + 6 + 9


def test_orders_that_cost_are_few() -> None:
    assert lots(np.array([4, 6, 9]), 0, flat(10, 1, 100)).bought.tolist() == [9, 0, 0]
    assert lots(np.array([4, 6, 90]), 0, flat(10, 10, 100)).bought.tolist() == [6, 0, 84]


def test_what_becomes_dearer_is_bought_ahead_as_far_as_keeping_it_pays() -> None:
    rising = Terms(np.array([10.0, 12.0, 14.0]), np.ones(3), np.zeros(3))
    assert lots(np.array([1, 2, 3]), 0, rising).bought.tolist() == [3, 0, 0]
    dear_to_keep = Terms(np.array([10.0, 12.0, 14.0]), 3 * np.ones(3), np.zeros(3))
    assert lots(np.array([1, 2, 3]), 0, dear_to_keep).bought.tolist() == [1, 1, 1]


def test_a_least_order_and_multiples_are_kept() -> None:
    assert lots(np.array([6, 12, 12]), 0, flat(10, 1, 0, least=10)).bought.tolist() == [12, 0, 0]
    assert lots(np.array([5, 5, 6]), 0, flat(10, 1, 0, multiple=4)).bought.tolist() == [8, 0, 0]
    assert lots(np.array([5, 9, 9]), 0, flat(10, 1, 0, multiple=4, least=6)).bought.tolist() == [12, 0, 0]


def test_nothing_is_bought_where_enough_is_owned() -> None:
    found = lots(np.array([1, 2, 3]), 5, flat(10, 2, 0, least=4))
    assert found.bought.tolist() == [0, 0, 0]
    assert found.usd == 30


def _cheapest(needed: list[int], owned: int, terms: Terms) -> float:
    allowed = [q for q in range(13) if q == 0 or (q >= terms.least and q % terms.multiple == 0)]
    best = np.inf
    for orders in product(allowed, repeat=len(needed)):
        level = owned + np.cumsum(orders)
        if (level >= needed).all():
            each = np.array(orders) @ terms.unit_usd + level @ terms.keep_usd
            best = min(best, each + (np.array(orders) > 0) @ terms.order_usd)
    return float(best)


money = st.lists(st.integers(0, 20).map(float), min_size=3, max_size=3).map(np.array)


@given(
    st.lists(st.integers(0, 6), min_size=3, max_size=3),
    st.integers(0, 4),
    st.tuples(money, money, money),
    st.tuples(st.integers(1, 3), st.integers(1, 5)),
)
def test_no_other_orders_cost_less(
    needed: list[int], owned: int, usd: tuple[np.ndarray, np.ndarray, np.ndarray], sold: tuple[int, int]
) -> None:
    terms = Terms(*usd, *sold)
    found = lots(np.array(needed), owned, terms)
    level = owned + np.cumsum(found.bought)
    assert (level >= needed).all()
    orders = found.bought[found.bought > 0]
    assert (orders >= terms.least).all()
    assert (orders % terms.multiple == 0).all()
    assert found.usd == _cheapest(needed, owned, terms)
    again = found.bought @ terms.unit_usd + level @ terms.keep_usd + (found.bought > 0) @ terms.order_usd
    assert found.usd == again
