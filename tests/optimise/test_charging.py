"""What a bill charges: other people's printed bills, and what holds for every bill."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.optimise.buying import (
    Commitment,
    Order,
    Usage,
    charged,
    reserved,
    saved_usd,
    savings_rate,
    sustained_share,
)

# The hour of the Savings Plans user guide: r5.4xlarge, m5.24xlarge Windows, Fargate vCPU and GB, Lambda GB-s, requests.
HOUR = Usage(
    np.array([[4.0, 1.0, 400.0, 1_600.0, 1_500_000.0, 1_000_000.0]]),
    np.array([1.0, 10.0, 0.04, 0.004, 1.5e-5, 0.2e-6]),
)
COMPUTE = np.array([0.7, 8.2, 0.03, 0.003, 1.275e-5, 0.2e-6])
R5 = np.array([0.6, np.nan, np.nan, np.nan, np.nan, np.nan])


def compute(usd: float) -> Commitment:
    return Commitment("compute", Order.COMPUTE_PLAN, usd, 1.0, COMPUTE)


def family(usd: float) -> Commitment:
    return Commitment("r5", Order.FAMILY_PLAN, usd, 1.0, R5)


def test_the_hour_on_demand_and_all_of_it_on_a_plan() -> None:
    assert HOUR.on_demand_usd == pytest.approx(59.10)
    bill = charged(HOUR, [compute(50.0)])
    assert bill.used_usd[0] == pytest.approx(47.125)
    assert bill.left.max() == pytest.approx(0.0, abs=1e-6)
    assert bill.unused_usd[0] == pytest.approx(2.875)


def test_a_small_plan_goes_to_the_highest_saving_first() -> None:
    bill = charged(HOUR, [compute(2.0)])
    assert bill.covered[0, 0] == pytest.approx(2.857, abs=5e-4)
    assert bill.on_demand_usd.sum() == pytest.approx(56.24, abs=5e-3)
    assert bill.usd == pytest.approx(58.24, abs=5e-3)
    larger = charged(HOUR, [compute(19.6)])
    assert larger.covered[0].tolist()[:4] == pytest.approx([4.0, 0.0, 400.0, 1_600.0])


def test_a_family_plan_comes_before_a_compute_plan() -> None:
    bill = charged(HOUR, [compute(16.8), family(3.0)])
    assert bill.used_usd.tolist() == pytest.approx([16.8, 2.4])
    assert bill.covered[0, [0, 2, 3]].tolist() == pytest.approx([0.0, 400.0, 1_600.0])
    assert bill.usd == pytest.approx(3.0 + 16.8 + 10.0 + 22.5 + 0.2)


def test_reservations_come_before_plans() -> None:
    held = reserved("r5.4xlarge", (np.full(6, 32.0), np.isfinite(R5)), 2, 32.0, 0.55)
    bill = charged(HOUR, [compute(19.6), family(3.0), held])
    assert bill.covered[:, 0].tolist() == pytest.approx([0.0, 2.0, 2.0])
    assert bill.unused_usd.tolist() == pytest.approx([2.8 - 0.0 - 2.8 * 8.2 / 8.2, 1.8, 0.0], abs=1e-9)


FACTORS = {"small": 1.0, "medium": 2.0, "large": 4.0, "xlarge": 8.0, "16xlarge": 128.0, "metal": 128.0}


@pytest.mark.parametrize(
    ("pieces", "size", "running", "covered"),
    [
        (1, "medium", {"small": 2}, 2.0),
        (1, "medium", {"large": 1}, 0.5),
        (4, "large", {"xlarge": 2}, 2.0),
        (1, "large", {"xlarge": 1}, 0.5),
        (1, "metal", {"16xlarge": 1}, 1.0),
        (1, "large", {"xlarge": 1, "small": 1}, 1 + 3 / 8),
    ],
)
def test_a_reservation_covers_sizes_by_their_factors(
    pieces: int, size: str, running: dict[str, int], covered: float
) -> None:
    factors = np.array([FACTORS[name] for name in running])
    usage = Usage(np.array([list(running.values())], float), factors * 0.1)
    held = reserved(size, (factors, np.ones(len(factors), bool)), pieces, FACTORS[size], FACTORS[size] * 0.06)
    assert charged(usage, [held]).covered.sum() == pytest.approx(covered)


def one(need: float, amount: float, usd: float = 1.0, order: Order = Order.COMPUTE_PLAN) -> Commitment:
    return Commitment("c", order, amount, usd, np.array([need]))


def test_utilisation_and_what_is_not_used() -> None:
    assert charged(Usage(np.array([[9.8]]), np.array([1.3])), [one(1.0, 10.0)]).utilisation[0] == pytest.approx(0.98)
    two_hours = charged(Usage(np.array([[0.75], [1.5]]), np.array([1.0])), [one(1.0, 1.0)])
    assert two_hours.used[:, 0].tolist() == [0.75, 1.0]
    assert two_hours.left[:, 0].tolist() == [0.0, 0.5]
    assert two_hours.unused_usd[0] == pytest.approx(0.25)


def test_a_reservation_of_one_size_does_not_cover_another() -> None:
    large = Commitment("large", Order.ZONAL_RESERVATION, 1.0, 1.5, np.array([np.nan, 1.0]))
    prices = np.array([2.0, 3.0])
    running = charged(Usage(np.array([[0.0, 1.0]]), prices), [large])
    assert running.effective_usd.tolist() == [0.0, 1.5]
    assert running.saved_usd.tolist() == [0.0, 1.5]
    idle = charged(Usage(np.array([[1.0, 0.0]]), prices), [large])
    assert (idle.unused_usd[0], idle.on_demand_usd.sum()) == (1.5, 2.0)


def test_savings_are_told_where_both_prices_are_known() -> None:
    listed, paid = np.array([100, 100, 100, np.nan, 100]), np.array([100, 80, 120, 80, np.nan])
    assert saved_usd(listed, paid).tolist() == [0, 20, -20, 0, 0]
    assert savings_rate(100_000, 78_000) == pytest.approx(0.22)
    assert savings_rate(0.0, 0.0) == 0.0


def test_the_price_falls_with_the_share_of_the_month() -> None:
    shares = [sustained_share(used, (1, 0.8, 0.6, 0.4)) for used in (0.5, 0.75, 1.0)]
    assert shares == pytest.approx([0.9, 0.8, 0.7])
    assert [0.0475 * f for f in (1, 0.8, 0.6, 0.4)] == pytest.approx([0.0475, 0.038, 0.0285, 0.019])


def test_of_equal_savings_the_lowest_rate_and_the_own_account_come_first() -> None:
    usage = Usage(np.array([[1.0, 1.0]]), np.array([2.0, 1.0]))
    plan = Commitment("plan", Order.COMPUTE_PLAN, 0.5, 1.0, np.array([1.0, 0.5]))
    assert charged(usage, [plan]).covered.tolist() == [[0.0, 1.0]]
    held = Commitment("plan", Order.COMPUTE_PLAN, 0.5, 1.0, np.array([1.0, 0.5]), np.array([True, False]))
    assert charged(usage, [held]).covered.tolist() == [[0.5, 0.0]]


@st.composite
def bills(draw: st.DrawFn) -> tuple[Usage, list[Commitment]]:
    hours, items = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    amounts = st.lists(st.integers(0, 9), min_size=hours * items, max_size=hours * items)
    usd = np.array(draw(st.lists(st.floats(0.1, 5.0), min_size=items, max_size=items)))
    usage = Usage(
        np.array(draw(amounts), float).reshape(hours, items),
        usd,
        np.array(draw(st.lists(st.floats(0.5, 50.0), min_size=hours, max_size=hours))),
    )
    held = []
    for n in range(draw(st.integers(0, 4))):
        shares = np.array(draw(st.lists(st.one_of(st.just(np.nan), st.floats(0.2, 1.0)), min_size=items,
                                        max_size=items)))  # fmt: skip
        order = draw(st.sampled_from(list(Order)))
        held.append(Commitment(f"c{n}", order, draw(st.floats(0.0, 20.0)), 1.0, usd * shares))
    return usage, held


@given(bills())
def test_what_is_covered_and_what_is_not_is_all_that_ran(case: tuple[Usage, list[Commitment]]) -> None:
    usage, held = case
    bill = charged(usage, held)
    ran = usage.weight @ usage.amount
    assert bill.covered.sum(axis=0) + usage.weight @ bill.left == pytest.approx(ran)
    assert (bill.left >= 0).all()
    assert (bill.used <= np.array([c.amount for c in held]) + 1e-9).all()
    assert ((bill.utilisation >= -1e-9) & (bill.utilisation <= 1 + 1e-9)).all()
    assert -1e-9 <= bill.coverage <= 1 + 1e-9
    assert bill.usd == pytest.approx(float(bill.effective_usd.sum() + bill.unused_usd.sum()))
    if usage.on_demand_usd > 0:  # where nothing ran, nothing could be saved, and promises are paid all the same
        assert bill.usd == pytest.approx(usage.on_demand_usd * (1 - bill.savings_rate), abs=1e-6)


@given(bills())
def test_nothing_waits_while_a_promise_that_covers_it_is_unused(case: tuple[Usage, list[Commitment]]) -> None:
    usage, held = case
    bill = charged(usage, held)
    for c, commitment in enumerate(held):
        free = commitment.amount - bill.used[:, c] > 1e-7
        waiting = bill.left[:, np.isfinite(commitment.need)].sum(axis=1) > 1e-7
        assert not (free & waiting).any()
