"""What is paid today, beside what could be paid: from the scenario through the study to the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from planner.cli import app
from planner.errors import ScenarioError
from planner.scenario import load, parse
from store.test_bills import row, write
from store.writing import csv, hourly

SCENARIO = """
horizon_years = 1
[trace]
path = "trace.csv"
[demand]
assumed_cpu_cores = 4
assumed_memory_gib = 16
profile = "single"
[today]
bill = "focus.csv"
[[models]]
kind = "iaas"
"""


def planner(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_the_bill_stands_in_the_study_and_in_its_report(tmp_path: Path) -> None:
    csv(tmp_path, *hourly("a", 48))
    write(tmp_path, row(BilledCost="100", EffectiveCost="80"), row(ServiceCategory='"Sto|rage"', EffectiveCost="20"))
    (tmp_path / "x.toml").write_text(SCENARIO)
    made = planner(
        "run", tmp_path / "x.toml", "--store", ":memory:", "--json", tmp_path / "s.json", "-o", tmp_path / "r.md"
    )
    assert made.exit_code == 0, made.output
    document = json.loads((tmp_path / "s.json").read_text())
    paid = document["today"]
    assert (paid["effective_usd_per_month"], paid["billed_usd_per_month"]) == (100, 101.5)
    assert [entry["service_category"] for entry in paid["by_service_category"]] == ["Compute", "Sto|rage"]
    report = (tmp_path / "r.md").read_text()
    first = document["plans"][0]["usd_per_month"]
    assert "## What is paid today" in report
    assert r"| Sto\|rage | 20.00 | 1.50 |" in report
    assert f"| iaas | {first:,.2f} | {100 - first:,.2f} |" in report


def test_ingest_shows_what_each_provider_billed_and_run_says_what_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path, row(), row(ProviderName='"Oracle"', BillingCurrency='"EUR"'))
    told = planner("ingest", path, "--store", ":memory:")
    assert told.exit_code == 0
    assert "AWS" in told.output
    assert "1 charges, billed 1.5 EUR, effective 1.25" in told.output
    missing = planner("run", path, "--store", ":memory:")
    assert missing.exit_code == 2
    assert len(missing.stderr.splitlines()) == 1
    assert "tells no workloads to plan" in missing.stderr


def test_a_recording_that_is_no_bill_is_refused(tmp_path: Path) -> None:
    csv(tmp_path, *hourly("a", 3))
    (tmp_path / "x.toml").write_text(SCENARIO.replace("focus.csv", "trace.csv"))
    told = planner("run", tmp_path / "x.toml", "--store", ":memory:")
    assert told.exit_code == 2
    assert "today.bill: trace is a recording of format planner, expected a bill" in told.stderr


def test_settings_of_today_are_checked(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('[today]\nbil = "a"\n')
    with pytest.raises(ScenarioError, match=r"line 2: today\.bil: no such setting; did you mean 'bill'"):
        load(tmp_path / "x.toml")
    with pytest.raises(ScenarioError, match="usd_per"):
        parse({"today": {"usd_per": {"EUR": 0}}})
    (tmp_path / "x.toml").write_text('[today]\nbill = "a"\n')
    assert load(tmp_path / "x.toml").bill_path() == tmp_path / "a"
    assert parse({}).bill_path() is None
    assert parse({"today": {"bill": "sample:focus"}}).bill_path().exists()  # type: ignore[union-attr]
