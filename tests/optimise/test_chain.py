"""Periods filled one after the other: everything is held, kept boxes come first, and changes are few."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.optimise.packing import Boxes, Items
from planner.optimise.packing.chain import Stock, chained

POOLS = Boxes(np.array([[4.0, 16.0], [8.0, 16.0]]), np.array([0.2, 0.34]))
NONE = Boxes(np.zeros((0, 2)), np.zeros(0), None, np.zeros(0, np.int64))
PRICE = np.array([[0.03, 0.004], [0.03, 0.004]])


def week(sizes: list[list[tuple[float, float]]], count: int) -> list[Items]:
    return [Items(np.array(period), np.full(len(period), count), None, None) for period in sizes]


def chain(periods: list[Items], stock: Stock, price: np.ndarray, effort: tuple[float, int]) -> list[np.ndarray]:
    return list(chained([(items, effort[0]) for items in periods], stock, price, effort[1]))


need = st.tuples(st.floats(0.1, 4.0), st.floats(0.1, 8.0))


@settings(max_examples=15)
@given(st.integers(1, 4).flatmap(lambda p: st.lists(st.lists(need, min_size=3, max_size=3), min_size=p, max_size=p)))
def test_every_period_holds_its_items(sizes: list[list[tuple[float, float]]]) -> None:
    periods = week(sizes, 2)
    opened = chain(periods, Stock(NONE, POOLS, 1), PRICE, (1e-4, 0))
    assert len(opened) == len(periods)
    for items, count in zip(periods, opened, strict=True):
        assert (count @ POOLS.room >= items.count @ items.size - 1e-9).all()


def test_kept_boxes_are_used_before_any_other() -> None:
    kept = Boxes(np.array([[8.0, 16.0]]), np.array([0.34]), None, np.array([2]))
    periods = week([[(2.0, 4.0)], [(2.0, 4.0)]], 6)
    price = np.vstack([PRICE[:1], PRICE])
    assert [count.sum() for count in chain(periods, Stock(kept, POOLS, 0), price, (1e-3, 0))] == [0, 0]


def test_the_same_need_runs_on_the_same_boxes() -> None:
    periods = week([[(1.0, 3.0), (2.5, 2.0), (0.5, 6.0)]] * 4, 3)
    opened = [count.tolist() for count in chain(periods, Stock(NONE, POOLS, 1), PRICE, (1e-3, 0))]
    assert opened[1:] == [opened[1]] * 3


def test_the_same_question_has_the_same_answer() -> None:
    periods = week([[(1.0, 3.0), (2.5, 2.0)], [(2.0, 1.0), (0.5, 6.0)]], 4)
    first, again = ([c.tolist() for c in chain(periods, Stock(NONE, POOLS, 1), PRICE, (1e-3, 7))] for _ in range(2))
    assert first == again


@pytest.mark.parametrize("counts", [(5, 0), (0, 5)])
def test_workloads_that_come_and_go(counts: tuple[int, int]) -> None:
    periods = [Items(np.array([[1.0, 2.0]]), np.array([n])) for n in counts]
    opened = chain(periods, Stock(NONE, POOLS, 0), PRICE, (1e-3, 0))
    assert [bool(count.sum()) for count in opened] == [n > 0 for n in counts]
