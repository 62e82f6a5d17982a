"""A study: the hand-worked one to the cent, and the properties of real ones."""

from __future__ import annotations

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from planner import study as studies
from planner.bundle import bundled
from planner.catalog import OFFER_COLUMNS, Catalog
from planner.demand import Demand
from planner.plan import Certificate, Line, Plan, line, metered, showback
from planner.report.answer import best_of, comparison
from planner.report.facts import Facts
from planner.scenario import STORED, Scenario, load, parse, with_settings
from planner.store import Store, TraceInfo
from planner.study import Question, Study

PLAN_KEYS = {
    *("model", "year", "usd_per_month", "utilisation", "provisioned", "used", "boxes", "unplaced"),
    *("certificate", "lines", "assumptions"),
}
LINE_KEYS = {
    *("sku", "provider", "region", "term", "kind", "category", "unit", "quantity"),
    *("usd_per_unit", "usd_per_month", "source", "as_of"),
}


def offer(sku: str, unit: str, usd: float, **more: Any) -> pd.Series:
    told = {"sku": sku, "kind": "vm", "provider": "p", "region": "all", "term": "on_demand", "unit": unit}
    told |= {"usd_per_unit": usd, "tier_from": 0.0, "status": "VERIFIED", "source": "by hand", "as_of": "2026-11-23"}
    return pd.Series(told | more, index=list(OFFER_COLUMNS), dtype=object)


def plan(model: str, year: int, lines: list[Line]) -> Plan:
    nothing = pd.DataFrame({"workload": [], "reason": []})
    flat = np.ones((1, 4))
    boxes = pd.DataFrame({"sku": [], "provider": [], "region": [], "term": [], "count": []})
    placement = pd.DataFrame({"workload": [], "replica": [], "sku": [], "box": []})
    costs = pd.DataFrame({"workload": ["(idle)"], "usd_per_month": [0.0]})
    hours = np.array([730.0])
    return Plan(
        model,
        tuple(lines),
        hours,
        flat,
        flat / 2,
        boxes,
        placement,
        costs,
        nothing,
        Certificate(0, 0, "by hand"),
        (),
        year,
    )


def physical(year: int) -> Plan:
    servers = [2, 3][year]
    entries = [
        line(offer("server", "each", 4800.0, lifetime_months=48), servers, "compute"),
        line(offer("maintenance", "usd of spend-year", 0.10), servers * 4800 / 12, "support"),
        line(offer("energy", "kWh", 0.15), 1000, "facilities"),
    ]
    return plan("physical", year, entries)


def iaas(year: int) -> Plan:
    tiers = pd.DataFrame(
        [
            offer("egress", "GB", 0.0, tier_to=100.0),
            offer("egress", "GB", 0.09, tier_from=100.0, tier_to=10240.0),
            offer("egress", "GB", 0.085, tier_from=10240.0),
        ]
    )
    rented = line(offer("m", "hour", 0.10), 730 * [2, 3][year], "compute")
    traffic = metered(tiers, [10340.0, 300.0][year], "network")
    spend = rented.usd_per_month + sum(e.usd_per_month for e in traffic)
    entries = [rented, *traffic, line(offer("support", "usd of spend", 0.10), spend, "support")]
    if year == 0:
        entries.append(line(offer("move", "workload", 500.0), 2, "migration", "one-off"))
    return plan("iaas", year, entries)


@pytest.fixture
def golden() -> Study:
    asked = {
        "horizon_years": 2,
        "discount_rate_per_year": 1.01**12 - 1,
        "models": [{"kind": "physical"}, {"kind": "iaas"}],
    }
    empty = pd.DataFrame({"sku": []})
    zero = np.zeros((0, 1, 4))
    demand = Demand(pd.DataFrame({"count": []}), empty, np.array([730.0]), zero, zero, np.zeros((0, 1)))
    trace = TraceInfo("id", "by hand", "planner", "told", 2, 0, 0, 0, None, None, 0, 0.0, (), {})
    made = tuple(p for model in (physical, iaas) for p in (model(0), model(1)))
    return Study(Question(parse(asked), trace, demand, Catalog(empty, empty)), made)


def test_the_hand_worked_study(golden: Study) -> None:
    owned, rented = golden.models()
    assert [p.usd_per_month for p in golden.plans] == pytest.approx([430.0, 570.0, 1173.81, 260.70], abs=1e-9)
    assert owned["tco_usd"] == pytest.approx(12000.0, abs=1e-9)
    assert rented["tco_usd"] == pytest.approx(18214.12, abs=1e-9)
    assert owned["npv_usd"] == pytest.approx(12529.71, abs=0.005)
    assert rented["npv_usd"] == pytest.approx(16815.27, abs=0.005)
    assert (rented["payback_months"], rented["irr"]) == (None, None)
    assert (owned["rank"], rented["rank"]) == (1, 2)


def test_the_hand_worked_cash(golden: Study) -> None:
    owned, rented = golden.cash("physical"), golden.cash("iaas")
    assert owned[[0, 1, 12, 13, 24]] == pytest.approx([9600, 230, 5030, 270, 270 - 8400])
    assert rented[[0, 1, 12, 13, 24]] == pytest.approx([1000, 1173.81, 1173.81, 260.70, 260.70])
    saved = np.cumsum(owned - rented)
    assert saved[[0, 10, 12, 24]] == pytest.approx([8600.0, -838.10, 2074.28, -6214.12])


def test_the_tiered_line_is_three_lines(golden: Study) -> None:
    tiers = [e for e in golden.plans[2].lines if e.sku == "egress"]
    assert [(e.quantity, e.usd_per_unit, round(e.usd_per_month, 2)) for e in tiers] == [
        (100.0, 0.0, 0.0),
        (10140.0, 0.09, 912.6),
        (100.0, 0.085, 8.5),
    ]


def test_the_document_is_plain_json(golden: Study) -> None:
    document = json.loads(json.dumps(golden.document(), allow_nan=False))
    assert all(set(p) >= PLAN_KEYS for p in document["plans"])
    assert all(set(e) >= LINE_KEYS for p in document["plans"] for e in p["lines"])
    assert {"tco_usd", "npv_usd", "payback_months", "irr", "rank", "model"} <= set(document["models"][0])
    assert document["plans"][0]["utilisation"] == {"cpu": 0.5, "memory": 0.5}
    once = [e for e in document["plans"][2]["lines"] if e["kind"] == "one-off"]
    assert [(e["usd_per_month"], e["usd_once"]) for e in once] == [(0.0, 1000.0)]


def test_what_is_left_out_ranks_behind_what_is_not(golden: Study) -> None:
    lacking = pd.DataFrame({"workload": ["w"], "reason": ["too big"]})
    plans = tuple(studies.replace(p, unplaced=lacking) if p.model == "physical" else p for p in golden.plans)
    owned, rented = Study(golden.question, plans).models()
    assert (owned["rank"], owned["complete"], rented["rank"]) == (2, False, 1)


def test_where_all_leave_something_out_the_rank_is_that_of_the_advice(golden: Study) -> None:
    """Rented costs more here and leaves one workload out, owned two."""
    left = {"physical": 2, "iaas": 1}
    lacking = pd.DataFrame({"workload": ["v", "w"], "reason": ["too big", "too big"]})
    plans = tuple(studies.replace(p, unplaced=lacking.head(left[p.model])) for p in golden.plans)
    document = Study(golden.question, plans).document()
    owned, rented = document["models"]
    assert owned["tco_usd"] < rented["tco_usd"]
    assert (owned["rank"], rented["rank"]) == (2, 1)
    facts = Facts(document)
    assert best_of(facts)["model"] == "iaas"
    assert {row[0]: row[1] for row in comparison(facts).rows} == {"iaas": "1", "physical": "2"}


def timeless(document: dict[str, Any]) -> str:
    told = copy.deepcopy(document)
    told.pop("created_at")
    return json.dumps(told)


@pytest.fixture(scope="module")
def functions() -> tuple[Scenario, dict[str, Any], Study]:
    asked = load(bundled("datasets", "scenarios", "functions.toml"))
    kinds = ("physical", "iaas", "functions", "serverless_containers")
    asked = asked.model_copy(update={"models": tuple(m for m in asked.models if m.kind in kinds)})
    scenario = with_settings(asked, {"horizon_years": 1})
    with Store(":memory:") as store:
        made = studies.complete(studies.prepare(scenario, store))
        return scenario, studies.keep(made, store), made


def test_the_same_question_gives_the_same_document(functions: tuple[Scenario, dict[str, Any], Study]) -> None:
    scenario, first, _ = functions
    with Store(":memory:") as store:
        planned: list[Plan] = []
        again = studies.answer(scenario, store, planned.append)
        assert timeless(again) == timeless(first)
        assert len(planned) == len(first["plans"])
        saved = studies.answer(scenario, store, planned.append)
        assert timeless(saved) == timeless(first)
        assert len(planned) == len(first["plans"]), "a saved study is read, not planned again"


def test_every_plan_keeps_its_word(functions: tuple[Scenario, dict[str, Any], Study]) -> None:
    _, document, made = functions
    workloads = set(made.question.demand.members["workload"])
    for told, planned in zip(document["plans"], made.plans, strict=True):
        assert sum(e["usd_per_month"] for e in told["lines"]) == pytest.approx(told["usd_per_month"], abs=0.005)
        assert all(e["source"] and e["as_of"] for e in told["lines"])
        assert told["usd_per_month"] >= told["certificate"]["bound_usd"] - 1e-6
        assert set(planned.placement["workload"]) | set(planned.unplaced["workload"]) == workloads
        for entry in told["lines"]:
            usd = entry["quantity"] * entry["usd_per_unit"] / (entry["lifetime_months"] or 1)
            assert entry["usd_per_month"] == pytest.approx(0.0 if entry["kind"] == "one-off" else usd)


def test_years_and_migration(functions: tuple[Scenario, dict[str, Any], Study]) -> None:
    scenario, document, made = functions
    for model in scenario.models:
        assert [p.year for p in made.of(model.kind)] == list(range(scenario.horizon_years))
    moved = {(p["model"], p["year"]) for p in document["plans"] for e in p["lines"] if e["kind"] == "one-off"}
    assert all(year == 0 and model != scenario.measured_against for model, year in moved)


def test_owned_boxes_are_kept(functions: tuple[Scenario, dict[str, Any], Study]) -> None:
    _, _, made = functions
    for model in ("physical", "hypervisor"):
        counts = [p.boxes.groupby("sku")["count"].sum() for p in made.of(model)]
        for before, after in itertools.pairwise(counts):
            assert (after.reindex(before.index).fillna(0) >= before).all()


def test_placements_name_every_model_and_year(functions: tuple[Scenario, dict[str, Any], Study]) -> None:
    _, _, made = functions
    placed = made.placements()
    assert list(placed.columns) == ["model", "year", "workload", "replica", "sku", "box"]
    assert set(zip(placed["model"], placed["year"], strict=True)) == {
        (p.model, p.year) for p in made.plans if len(p.placement)
    }


def test_rented_models_rent_where_the_scenario_says() -> None:
    asked = {"where": {"region": "eu-central-1"}, "trace": {"path": "sample:bitbrains"}, "horizon_years": 1}
    with Store(":memory:") as store:
        plans = list(studies.run(parse(asked | {"models": [{"kind": "iaas"}]}), store))
        own = {"kind": "iaas", "provider": "aws", "region": "eu-west-1"}
        other = list(studies.run(parse(asked | {"models": [own]}), store))
    assert {e.region for p in plans for e in p.lines if e.category == "compute"} == {"eu-central-1"}
    assert {e.region for p in other for e in p.lines if e.category == "compute"} == {"eu-west-1"}


@pytest.mark.slow
def test_the_same_recording_under_another_name_is_answered_with_that_name(tmp_path: Path) -> None:
    """The plans are the same; path and name are those that were asked about."""
    rows = [f"w,2026-03-02T{hour:02}:00:00,1,2,4,16" for hour in range(24)]
    head = "workload,sampled_at,cpu_cores,memory_gib,allocated_cpu_cores,allocated_memory_gib"
    paths = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for path in paths:
        path.write_text("\n".join([head, *rows]) + "\n")
    few = {"horizon_years": 1, "models": [{"kind": "iaas"}]}
    asked = [{"path": str(paths[0])}, {"path": str(paths[1])}, {"path": str(paths[1]), "name": "mine"}]
    with Store(":memory:") as store:
        told = [studies.answer(parse({"trace": trace, **few}), store) for trace in asked]
        stored = {"path": f"{STORED}{told[0]['trace']['trace_id']}", "name": "kept"}
        told.append(studies.answer(parse({"trace": stored, **few}), store))
        assert all(json.loads(store.document(d["study_id"]) or "")["scenario"] == d["scenario"] for d in told)
    assert [d["scenario"]["trace"]["path"] for d in told] == [str(t["path"]) for t in [*asked, stored]]
    assert [d["trace"]["name"] for d in told] == ["one", "two", "mine", "kept"]
    assert len({d["trace"]["trace_id"] for d in told}) == 1
    assert all(d["plans"] == told[0]["plans"] for d in told)


def test_another_edition_of_the_code_does_not_give_the_answers_of_this_one(
    golden: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = Question(
        golden.question.scenario,
        golden.question.trace,
        golden.question.demand,
        Catalog(golden.question.catalog.offers, golden.question.catalog.facts),
    )
    before = studies.identity(question)
    assert studies.identity(question) == before
    monkeypatch.setattr(studies, "edition", lambda: "another")
    assert studies.identity(question) != before


def test_rows_that_are_no_workload_can_be_told_from_workloads_of_that_name() -> None:
    names = ["(idle)", "(others)", "(idle)*", *(f"w{i}" for i in range(2000))]
    shares = {"compute": np.full(len(names), 0.5 / len(names))}
    costs = showback([line(offer("m", "hour", 0.1), 730, "compute")], names, shares)
    assert costs["workload"].is_unique
    assert costs["workload"].tolist()[:4] == ["(idle)**", "(others)*", "(idle)*", "w0"]
    assert costs["workload"].iloc[-1] == "(idle)"
    assert costs["usd_per_month"].iloc[-1] == pytest.approx(36.5)
    made = studies.replace(plan("iaas", 0, []), cost_by_workload=costs)
    rows = [row["workload"] for row in studies._costs(made)]
    assert len(rows) == len(set(rows)) == 2001
    assert rows[-1] == "(others)"


def test_what_may_not_leave_elsewhere_is_left_out_where_rented(tmp_path: Path) -> None:
    table = "workload,kind,cpu_cores,memory_gib,residency\nhome,vm,2,4,\nhere,vm,2,4,us-east-1\nmars,vm,2,4,mars\n"
    (tmp_path / "workloads.csv").write_text(table)
    asked = {
        "trace": {"path": str(tmp_path / "workloads.csv")},
        "demand": {"sizing": "allocated"},
        "horizon_years": 1,
        "models": [{"kind": "iaas"}, {"kind": "physical"}],
    }
    with Store(":memory:") as store:
        rented, owned = studies.run(parse(asked), store)
    assert rented.unplaced.to_dict("records") == [
        {"workload": "mars", "reason": "may not leave mars; iaas rents in us-east-1"}
    ]
    assert set(rented.placement["workload"]) == {"home", "here"}
    assert owned.unplaced.empty
