"""The study that exports are tried on: small, awkward, and reckoned by hand in tests/golden/report."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from planner import finance
from planner.plan import Line

GOLDEN = Path(__file__).parents[1] / "golden" / "report" / "study.json"
NAMES = (
    "=cmd()",
    "<script>alert(1)</script>",
    "-2+3",
    "@sum",
    "w" * 90,
    "#strong[typst] $x$ *b*",
    'a,"b"\n=1',
    "数据库",
)


@pytest.fixture
def study() -> dict[str, Any]:
    """The golden study with costs by workload, long names and names that want to be code."""
    document: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    for plan in document["plans"]:
        share = plan["usd_per_month"] / len(NAMES)
        plan["cost_by_workload"] = [{"workload": name, "usd_per_month": share} for name in NAMES]
        plan["details"] = {"added_latency_ms": 2.5}
    document["plans"][1]["lines"][0]["sku"] = "Standard_E112ibds_v5-with-a-very-long-name-that-no-column-was-made-for"
    document["plans"][1]["unplaced"] = [{"workload": name, "reason": "=HYPERLINK(1)"} for name in NAMES]
    for entry in document["models"]:
        _reckon(entry, [plan["lines"] for plan in document["plans"] if plan["model"] == entry["model"]])
    return document


def _reckon(entry: dict[str, Any], years: list[list[dict[str, Any]]]) -> None:
    """What a study would make of these lines: the golden one's payments are round numbers of their own."""
    names = {field.name for field in fields(Line)}
    lines = [[Line(**{k: v for k, v in row.items() if k in names}) for row in year] for year in years]
    cash = finance.cash_flow(lines)
    present = finance.present_value(cash, finance.monthly_rate(0.07))
    entry |= {"cash_usd": cash.tolist(), "tco_usd": finance.total(cash), "npv_usd": present}
