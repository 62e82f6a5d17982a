"""Terms: what follows from the books, what is paid when, and that promises never cost more than going without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogs import book, demand, offer, vm
from models.cloud import CLOUD, sound
from planner.catalog import FACT_COLUMNS, Catalog
from planner.finance import cash_flow
from planner.models._instances import types
from planner.models._purchase import purchase
from planner.models._types import Types
from planner.models.iaas import Iaas

FACTS = (
    ("aws any", "1y_partial_upfront_vs_no_upfront_price_ratio", 0.95),
    ("aws any", "1y_all_upfront_vs_no_upfront_price_ratio", 0.9),
    ("aws any", "partial_upfront_share_paid_at_once", 0.4),
    ("gcp n1,n2", "sustained_use_price_factor_quartile_1", 1.0),
    ("gcp n1,n2", "sustained_use_price_factor_quartile_2", 0.8),
    ("gcp n1,n2", "sustained_use_price_factor_quartile_3", 0.6),
    ("gcp n1,n2", "sustained_use_price_factor_quartile_4", 0.4),
    ("aws size large", "normalisation_factor", 4.0),
    ("aws size xlarge", "normalisation_factor", 8.0),
    ("aws size 2xlarge", "normalisation_factor", 16.0),
    ("aws size 4xlarge", "normalisation_factor", 32.0),
    ("aws size 8xlarge", "normalisation_factor", 64.0),
)


def facts(*rows: tuple[str, str, float], topic: str = "commitments") -> pd.DataFrame:
    told = {"topic": topic, "unit": "", "status": "VERIFIED", "source": "a page", "as_of": "2026-01-01", "note": ""}
    frame = [{**told, "key": key, "metric": metric, "value": value} for key, metric, value in rows]
    return pd.DataFrame(frame, columns=list(FACT_COLUMNS))


def saved(term: str, family: str, share: float, **more: object) -> Mapping[str, object]:
    row = offer(f"{family or 'any'}-{term}", "committed_discount", share, unit="fraction of on-demand", term=term)
    return {**row, "family": family, **more}


def market(*rows: Mapping[str, object] | Sequence[Mapping[str, object]]) -> Catalog:
    return Catalog(book(*rows).offers, facts(*FACTS))


SHARED = Catalog(
    pd.concat([CLOUD.offers, book(saved("1y_savings_plan", "", 0.3), saved("1y_family_plan", "m", 0.33)).offers]),
    facts(*FACTS),
)


def test_a_term_follows_from_on_demand_and_the_share_saved_and_names_both() -> None:
    sold = market(vm("m.large", 2, 8, 0.1), saved("1y_no_upfront", "m", 0.4), saved("1y_savings_plan", "", 0.3))
    kinds = types(sold, ("on_demand", "1y_no_upfront", "1y_savings_plan"), (), ())
    assert {t: usd[0] for t, usd in kinds.usd.items()} == pytest.approx(
        {"on_demand": 0.1, "1y_no_upfront": 0.06, "1y_savings_plan": 0.07}
    )
    row = kinds.offer("m.large", "1y_no_upfront")
    assert row["status"] == "VERIFIED (computed)"
    assert row["source"].count("made for a test") == 2
    memory = market(vm("m.large", 2, 8, 0.1), saved("1y_no_upfront", "m", 0.4, status="FROM MEMORY"))
    assert types(memory, ("1y_no_upfront",), (), ()).offer("m.large", "1y_no_upfront")["status"] == "FROM MEMORY"


def test_a_row_of_the_book_outranks_what_would_follow() -> None:
    sold = market(vm("m.large", 2, 8, {"on_demand": 0.1, "1y_no_upfront": 0.05}), saved("1y_no_upfront", "m", 0.4))
    assert types(sold, ("1y_no_upfront",), (), ()).usd["1y_no_upfront"].tolist() == [0.05]


def test_a_part_paid_at_once_is_a_line_of_its_own_and_cash_on_the_first_day() -> None:
    sold = market(vm("m.large", 2, 8, {"on_demand": 0.1, "1y_no_upfront": 0.06}))
    kinds = types(sold, ("1y_partial_upfront",), (), ())
    assert kinds.usd["1y_partial_upfront"][0] == pytest.approx(0.06 * 0.95)
    paid = purchase(kinds, np.array([[2]]), np.array([730.0]), True)
    hourly, fee = paid.lines
    total = 0.06 * 0.95 * 8760
    assert (hourly.kind, hourly.quantity, hourly.usd_per_unit) == ("opex", 1460.0, pytest.approx(0.06 * 0.95 * 0.6))
    assert (fee.kind, fee.quantity, fee.lifetime_months) == ("capex", 2.0, 12.0)
    assert fee.usd_per_unit == pytest.approx(total * 0.4)
    assert paid.usd == pytest.approx(2 * total / 12)
    cash = cash_flow([paid.lines, paid.lines])
    assert cash[0] == pytest.approx(2 * total * 0.4)
    assert cash[1] == pytest.approx(2 * total * 0.6 / 12)
    assert cash[12] == pytest.approx(cash[0] + cash[1])
    assert cash.sum() == pytest.approx(2 * 2 * total)


def test_all_at_once_follows_from_the_ratio_and_is_spread_over_the_month_that_is_billed() -> None:
    sold = market(vm("m.large", 2, 8, {"on_demand": 0.1, "1y_no_upfront": 0.06}))
    kinds = types(sold, ("on_demand", "1y_all_upfront"), (), (), 720.0)
    assert kinds.usd["1y_all_upfront"][0] == pytest.approx(0.06 * 0.9 * 730 / 720)
    paid = purchase(kinds, np.array([[3]]), np.array([720.0]), False)
    assert [(e.unit, e.quantity) for e in paid.lines] == [("each", 3.0)]
    assert paid.usd == pytest.approx(3 * 0.06 * 0.9 * 730)


def gcp(**more: object) -> Catalog:
    rows = [
        {**row, "provider": "gcp", "region": "us-central1"} for row in vm("n1-standard-16", 16, 60, 0.759996, **more)
    ]
    traffic = offer("egress", "egress", 0.1, unit="GB", provider="gcp", region="us-central1")
    disk = offer("pd", "block_storage", 0.1, unit="GB-month", provider="gcp", region="us-central1")
    return market(rows, traffic, disk)


@pytest.mark.parametrize(
    ("hours", "machines", "usd"), [((100.0, 630.0), 1, 76.00), ((730.0,), 1, 388.36), ((730.0,), 12, 4660.30)]
)
def test_the_price_of_a_month_falls_with_the_hours_run(hours: Sequence[float], machines: int, usd: float) -> None:
    busy = [[12.0, 50.0]] if len(hours) == 1 else [[12.0, 50.0], [0.0, 50.0]]
    asked = demand({"busy": busy, "count": machines}, hours=hours)
    plan = Iaas(provider="gcp", region="us-central1", schedule="when_used").plan(asked, gcp(family="n1"))
    sound(plan, asked)
    lines = [e for e in plan.lines if e.offer_kind == "vm"]
    assert sum(e.usd for e in lines) == pytest.approx(usd, abs=0.01 * machines)
    assert {e.term for e in lines} == {"sustained_use"}
    other = Iaas(provider="gcp", region="us-central1", schedule="when_used").plan(asked, gcp(family="e2"))
    assert {e.term for e in other.lines if e.offer_kind == "vm"} == {"on_demand"}


def test_reservations_of_a_family_follow_its_sizes() -> None:
    kinds = types(SHARED, ("on_demand", "1y_no_upfront"), ("m",), ())
    at = {sku: k for k, sku in enumerate(kinds.sku)}
    counts = np.zeros((2, len(at)), int)
    counts[0, at["m.large"]], counts[1, at["m.xlarge"]] = 4, 2
    hours = np.array([365.0, 365.0])
    apart, flexible = (purchase(kinds, counts, hours, flag) for flag in (False, True))
    assert apart.usd == pytest.approx(4 * 365 * 0.1 * 2)
    assert flexible.usd == pytest.approx(4 * 730 * 0.1 * 0.66)
    assert (flexible.coverage, flexible.utilisation) == pytest.approx((1.0, 1.0))
    assert flexible.savings_rate == pytest.approx(0.34)
    assert flexible.boxes.set_index("sku")["count"].to_dict() == {"m.large": 4, "m.xlarge": 2}


def test_a_promised_spend_follows_what_runs_in_any_family() -> None:
    kinds = types(SHARED, ("on_demand", "1y_savings_plan"), ("m", "c"), ())
    at = {sku: k for k, sku in enumerate(kinds.sku)}
    counts = np.zeros((2, len(at)), int)
    counts[0, at["m.large"]], counts[1, at["c.large"]] = 1, 1
    paid = purchase(kinds, counts, np.array([365.0, 365.0]), True)
    # The dearer m.large sets the promise where the rest of it, idle beside c.large, is worth paying for.
    assert paid.usd == pytest.approx(min(0.07 * 730, 0.0595 * 730 + (1 - 0.0595 / 0.07) * 0.1 * 365))
    assert {e.term for e in paid.lines} <= {"on_demand", "1y_savings_plan"}
    steady = purchase(kinds, np.ones_like(counts), np.array([365.0, 365.0]), True)
    assert {e.term for e in steady.lines} == {"1y_savings_plan"}
    assert steady.savings_rate == pytest.approx(0.3)


@cache
def shared_types(terms: tuple[str, ...], month: float) -> Types:
    return types(SHARED, terms, ("m", "c"), (), month).only(np.array([0, 1, 5, 6]))


some = st.lists(st.lists(st.integers(0, 4), min_size=4, max_size=4), min_size=1, max_size=5)
TERMS = ("1y_no_upfront", "1y_all_upfront", "1y_partial_upfront", "1y_family_plan", "1y_savings_plan")


@pytest.mark.slow
@settings(max_examples=25)
@given(some, st.sets(st.sampled_from(TERMS), max_size=3), st.booleans())
def test_a_promise_never_costs_more_than_going_without(counts: list[list[int]], terms: set[str], flag: bool) -> None:
    fleet = np.array(counts)
    hours = np.linspace(1.0, 2.0, len(fleet)) * 730 / (1.5 * len(fleet))
    kinds = types(SHARED, ("on_demand", *sorted(terms)), ("m", "c"), (), float(hours.sum())).only(
        np.array([0, 1, 5, 6])
    )
    paid = purchase(kinds, fleet, hours, flag)
    alone = float(hours @ (fleet @ kinds.usd["on_demand"]))
    assert paid.usd <= alone * (1 + 1e-9) + 1e-9
    assert paid.savings_rate == pytest.approx(1 - paid.usd / alone if alone else 0.0, abs=1e-9)
    assert -1e-9 <= paid.coverage <= 1 + 1e-9
    assert -1e-9 <= paid.utilisation <= 1 + 1e-9
    assert all(e.quantity > 0 for e in paid.lines)
    twice = purchase(kinds, fleet * 2, hours, flag)
    assert twice.usd >= paid.usd - 1e-6
    assert paid.boxes.groupby("sku")["count"].sum().tolist() == [
        n for _, n in sorted(zip(kinds.sku, fleet.max(axis=0), strict=True)) if n
    ]


need = st.tuples(st.floats(0.1, 30), st.floats(0.1, 200), st.floats(0.0, 1.0), st.integers(1, 3))


@settings(max_examples=8)
@given(st.lists(need, min_size=1, max_size=5), st.sampled_from(["always", "when_used"]))
def test_a_plan_on_all_terms_keeps_its_bound_and_never_beats_more_terms(needs: list[tuple], schedule: str) -> None:
    rows = [{"busy": [[c, m], [c * low, m]], "count": n} for c, m, low, n in needs]
    asked = demand(*rows, hours=(250.0, 480.0))
    fields = {"schedule": schedule, "support_plan": "none"}
    plain, plans = (
        Iaas(terms=("on_demand", *terms), **fields).plan(asked, SHARED)
        for terms in ((), ("1y_no_upfront", "1y_partial_upfront", "1y_family_plan", "1y_savings_plan"))
    )
    sound(plain, asked)
    sound(plans, asked)
    assert plans.certificate.usd <= plain.certificate.usd * (1 + 1e-9)
    assert plans.details["effective_savings_rate"] >= -1e-9
