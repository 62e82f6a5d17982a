"""Planned charges in FOCUS 1.2: the layout holds and the sums are the study's."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planner.report import export
from planner.report.focus import SCHEMA
from planner.store.charges import MANDATORY, broken_rules


@pytest.fixture
def charges(study: dict[str, Any]) -> pa.Table:
    return pq.read_table(io.BytesIO(export(study, ".focus.parquet")))


def test_every_mandatory_column_is_there_with_its_type(charges: pa.Table) -> None:
    assert charges.schema.remove_metadata() == SCHEMA
    assert set(MANDATORY) <= set(charges.column_names)
    ours = [name for name in charges.column_names if not re.fullmatch(r"[A-Z][A-Za-z]+", name)]
    assert all(name.startswith("x_") for name in ours)
    never_null = set(MANDATORY) - {
        "BillingAccountName",
        "ChargeClass",
        "ChargeDescription",
        "PricingQuantity",
        "PricingUnit",
    }
    assert [name for name in never_null if charges[name].null_count] == []


def test_no_rule_is_broken(charges: pa.Table) -> None:
    assert broken_rules(charges) == {}


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("ChargeCategory", "Rent", "ChargeCategory is one of the five"),
        ("BillingCurrency", "dollars", "BillingCurrency is an ISO 4217 code"),
        ("EffectiveCost", None, "EffectiveCost is a number"),
        ("PricingQuantity", -5.0, "ListCost is ListUnitPrice x PricingQuantity"),
        ("Tags", "{", "Tags are JSON"),
        ("ServiceCategory", "Machines", "ServiceCategory is one of the list"),
    ],
)
def test_the_rules_can_be_broken(charges: pa.Table, column: str, value: object, rule: str) -> None:
    values = pa.array([value] * charges.num_rows, charges.schema.field(column).type)
    place = charges.column_names.index(column)
    assert broken_rules(charges.set_column(place, column, values))[rule] > 0


def test_a_missing_column_is_named(charges: pa.Table) -> None:
    assert list(broken_rules(charges.drop_columns(["ListCost"]))) == ["ListCost is there"]


def test_billed_is_what_is_paid_by_month_and_effective_what_a_year_costs(
    study: dict[str, Any], charges: pa.Table
) -> None:
    rows = charges.to_pandas()
    for entry in study["models"]:
        own = rows[rows["SubAccountId"] == entry["model"]]
        assert own["BilledCost"].sum() == pytest.approx(entry["tco_usd"], abs=1e-6)
        bought = own[own["ChargeCategory"] == "Purchase"]
        assert bought["BilledCost"].sum() >= 0
    for plan in study["plans"]:
        own = rows[(rows["SubAccountId"] == plan["model"]) & (rows["x_PlanYear"] == str(plan["year"]))]
        once = sum(r["quantity"] * r["usd_per_unit"] for r in plan["lines"] if r["kind"] == "one-off")
        assert own["EffectiveCost"].sum() == pytest.approx(12 * plan["usd_per_month"] + once, abs=1e-6)


def test_months_follow_the_study_without_a_gap(study: dict[str, Any], charges: pa.Table) -> None:
    starts = sorted(set(charges["ChargePeriodStart"].to_pandas()))
    made = pd.Timestamp(study.get("created_at", "2000-01-01")).tz_localize("UTC")
    assert starts == list(pd.date_range(made, periods=25, freq="MS")[-24:])
    assert len(starts) == 12 * study["scenario"]["horizon_years"]
    assert charges["ChargePeriodStart"].equals(charges["BillingPeriodStart"])


def test_csv_tells_the_same_and_no_text_is_a_formula(study: dict[str, Any], charges: pa.Table) -> None:
    study["scenario"]["name"] = "=cmd()"
    study["plans"][1]["lines"][0]["sku"] = "@sum(1)"
    text = export(study, ".focus.csv").decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == charges.num_rows
    assert sum(float(row["BilledCost"]) for row in rows) == pytest.approx(sum(charges["BilledCost"].to_pylist()))
    assert {row["BillingAccountName"] for row in rows} == {"'=cmd()"}
    assert all(re.fullmatch(r"\d{4}-\d\d-01T00:00:00Z", row["ChargePeriodStart"]) for row in rows)
    texts = [cell for row in rows for name, cell in row.items() if pa.types.is_string(SCHEMA.field(name).type)]
    assert not [cell for cell in texts if re.match(r"\s*[=+\-@]", cell)]


def test_a_credit_is_no_formula(study: dict[str, Any]) -> None:
    """What comes back at the end is a negative number, not text."""
    rows = list(csv.DictReader(io.StringIO(export(study, ".focus.csv").decode())))
    back = [float(row["BilledCost"]) for row in rows if row["ChargeCategory"] == "Credit"]
    assert back
    assert max(back) < 0
