"""Money over time: other people's figures, and what must hold for any flow."""

from __future__ import annotations

import numpy as np
import numpy_financial as npf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner import finance
from planner.plan import Line

money = st.floats(0, 1e6, allow_nan=False).map(lambda x: round(x, 2))


def bought(quantity: float, usd: float, months: float, sku: str = "box") -> Line:
    return Line(
        sku,
        "p",
        "all",
        "purchase",
        "capex",
        "compute",
        "each",
        quantity,
        usd,
        "s",
        "d",
        "server",
        lifetime_months=months,
    )


def rented(usd: float) -> Line:
    return Line("m", "p", "all", "on_demand", "opex", "compute", "hour", 1.0, usd, "s", "d", "vm")


def once(usd: float) -> Line:
    return Line("x", "p", "all", "", "one-off", "migration", "workload", 1.0, usd, "s", "d", "migration")


@pytest.mark.parametrize(
    ("rate", "flow", "value", "tolerance"),
    [
        (0.08, [-40000, 5000, 8000, 12000, 30000], 3065.22267, 5e-6),
        (0.281, [-100, 39, 59, 55, 20], -0.0084785916, 1e-9),
    ],
)
def test_published_present_values(rate: float, flow: list[float], value: float, tolerance: float) -> None:
    """numpy-financial 1.0.0, docstring of npv."""
    assert finance.present_value(np.array(flow, float), rate) == pytest.approx(value, abs=tolerance)


@pytest.mark.parametrize(("flow", "rate"), [([-100, 39, 59, 55, 20], 0.28095), ([-100, 0, 0, 74], -0.0955)])
def test_published_rates(flow: list[float], rate: float) -> None:
    """numpy-financial 1.0.0, docstring of irr."""
    assert finance.internal_rate(np.array(flow, float)) == pytest.approx(rate, abs=5e-5)


@given(st.floats(-1e5, -1), st.lists(st.floats(1, 1e5), min_size=2, max_size=30))
def test_a_second_opinion_on_the_rate(first: float, rest: list[float]) -> None:
    flow = np.array([first, *rest])
    ours, theirs = finance.internal_rate(flow), npf.irr(flow)
    if ours is not None and np.isfinite(theirs) and ours < 10:
        assert finance.present_value(flow, ours) == pytest.approx(0.0, abs=1e-4 * np.abs(flow).sum())


def test_no_rate_where_it_would_be_ambiguous() -> None:
    assert finance.internal_rate(np.array([-100.0, 230.0, -132.0])) is None
    assert finance.internal_rate(np.array([1.0, 2.0])) is None
    assert finance.internal_rate(np.zeros(3)) is None
    assert finance.internal_rate(np.array([100.0, -30.0, -80.0])) is None, "a saving from the start is no investment"


@given(st.lists(st.lists(money, min_size=1, max_size=3), min_size=1, max_size=5), money)
def test_without_interest_present_value_is_the_total(years: list[list[float]], moved: float) -> None:
    lines = [[rented(usd) for usd in year] + [bought(1, year[0], 48)] for year in years]
    lines[0].append(once(moved))
    cash = finance.cash_flow(lines)
    assert finance.present_value(cash, finance.monthly_rate(0.0)) == pytest.approx(finance.total(cash))
    assert finance.cash_flow([list(reversed(year)) for year in lines]) == pytest.approx(cash)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=5), money, st.sampled_from([12, 18, 36, 48, 60]))
def test_straight_line_adds_up_while_fleets_grow(owned: list[int], usd: float, life: int) -> None:
    """What is paid less what comes back is what the months were charged, if nothing bought is ever idle."""
    growing = np.maximum.accumulate(owned).tolist()
    lines = [[bought(n, usd, life)] for n in growing]
    monthly = sum(12 * line.usd_per_month for year in lines for line in year)
    assert finance.total(finance.cash_flow(lines)) == pytest.approx(monthly, abs=1e-6 * max(1.0, monthly))


def test_what_was_bought_is_kept_and_renewed_when_its_life_ends() -> None:
    cash = finance.cash_flow([[bought(3, 100, 24)], [bought(2, 100, 24)], [bought(3, 100, 24)]])
    assert cash[0] == 300
    assert cash[12] == 0, "fewer are needed, none is sold"
    assert cash[24] == 300, "all three are renewed"
    assert cash[36] == -150, "the renewed ones have half of their life left"


def test_one_off_and_running_costs_fall_when_they_fall() -> None:
    cash = finance.cash_flow([[once(50), rented(10)], [rented(20)]])
    assert cash[0] == 50
    assert cash[1:13].tolist() == [10.0] * 12
    assert cash[13:].tolist() == [20.0] * 12


@given(st.lists(money, min_size=2, max_size=40), st.lists(money, min_size=2, max_size=40))
def test_payback_is_the_first_month_that_holds(one: list[float], other: list[float]) -> None:
    months = min(len(one), len(other))
    cash, baseline = np.array(one[:months]), np.array(other[:months])
    saved, found = np.cumsum(baseline - cash), finance.payback_months(cash, baseline)
    if found is None:
        assert saved[-1] < 0
    else:
        assert (saved[found:] >= -1e-3).all()
        assert found == 0 or saved[found - 1] < 0
