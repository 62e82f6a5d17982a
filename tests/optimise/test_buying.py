"""Terms: never dearer than on demand, never cheaper than by hand, and a floor that is one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.optimise.buying import floor, middle_share, running_hours, split

counts_of_a_week = st.lists(st.integers(0, 6), min_size=1, max_size=6)
price = st.floats(0.01, 10.0)


def _by_hand(counts: np.ndarray, hours: np.ndarray, used: float, committed: float) -> float:
    """The best number of commitments by trying all of them."""
    month = hours.sum()
    return min(n * month * committed + float(np.maximum(counts - n, 0) @ hours) * used for n in range(counts.max() + 1))


@given(counts_of_a_week, price, price)
def test_the_mix_is_the_best_of_all(counts: list[int], used: float, committed: float) -> None:
    n, hours = np.array(counts), np.linspace(1.0, 2.0, len(counts))
    terms = split(n, hours, {"on_demand": used, "1y_no_upfront": committed})
    assert terms.usd == pytest.approx(_by_hand(n, hours, used, committed))
    assert terms.usd <= float(n @ hours) * used * (1 + 1e-9)
    assert sum(terms.count.values()) == n.max()


@given(counts_of_a_week, price, price)
def test_what_is_paid_covers_what_runs(counts: list[int], used: float, committed: float) -> None:
    n, hours = np.array(counts), np.full(len(counts), 730.0 / len(counts))
    terms = split(n, hours, {"on_demand": used, "3y_no_upfront": committed})
    assert sum(terms.hours.values()) >= float(n @ hours) - 1e-6


def test_of_several_terms_the_lowest_of_each_sort_is_taken() -> None:
    terms = split(np.array([2, 2]), np.array([365.0, 365.0]), {"on_demand": 1, "spot": 0.3, "1y": 0.5, "3y": 0.4})
    assert terms.hours == {"spot": 1460.0}


def test_only_commitments_are_sold() -> None:
    assert split(np.array([0, 3]), np.array([1.0, 1.0]), {"1y_no_upfront": 0.5}).hours == {"1y_no_upfront": 6.0}


def test_no_price_is_refused() -> None:
    with pytest.raises(ValueError, match="no price"):
        split(np.array([1]), np.array([1.0]), {"on_demand": np.inf})


def test_the_load_duration_curve_falls() -> None:
    runs = running_hours(np.array([5, 0, 2, 2]), np.array([1.0, 2.0, 3.0, 4.0]))
    assert runs.tolist() == [8.0, 8.0, 1.0, 1.0, 1.0]


@given(st.lists(st.tuples(price, price), min_size=1, max_size=3), st.data())
def test_no_mix_of_terms_goes_below_the_floor(prices: list[tuple[float, float]], data: st.DataObject) -> None:
    used, committed = (np.array(p) for p in zip(*prices, strict=True))
    periods = data.draw(st.integers(1, 5))
    counts = np.array(data.draw(st.lists(st.lists(st.integers(0, 4), min_size=len(used), max_size=len(used)),
                                         min_size=periods, max_size=periods)))  # fmt: skip
    hours = np.linspace(1.0, 3.0, periods)
    paid = sum(split(counts[:, k], hours, {"on_demand": used[k], "1y": committed[k]}).usd for k in range(len(used)))
    for share in (middle_share(used, committed), data.draw(st.floats(0.05, 1.0)), 1.0):
        under = floor(used, committed, counts @ used, hours, share)
        assert float(under.weight @ (counts @ under.usd)) <= paid * (1 + 1e-9) + 1e-9


def test_the_floor_is_met_by_one_type() -> None:
    hours = np.full(4, 182.5)
    for counts in product((0, 1, 3), repeat=4):
        n = np.array(counts)
        under = floor(np.array([1.0]), np.array([0.5]), n, hours, 0.5)
        best = split(n, hours, {"on_demand": 1.0, "1y": 0.5}).usd
        assert float(under.weight @ n) * under.usd[0] == pytest.approx(best)
