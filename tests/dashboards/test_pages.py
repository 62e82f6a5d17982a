"""Every page draws, with a study and without; says what it answers; forms follow the models' fields."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest
from pydantic import BaseModel
from streamlit.testing.v1 import AppTest

import charts
import data
import forms
import frames
import loads
import words
from planner.bundle import bundled
from planner.models import MODELS
from planner.study import answer

FRAME = bundled("dashboards", "app.py")
PAGES = sorted((FRAME.parent / "pages").glob("*.py"))
SECONDS = 120


@pytest.fixture(scope="module", autouse=True)
def workspace() -> Iterator[None]:
    """One store in memory that all pages of this process share, and one desk that plans for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLANNER_STORE", ":memory:")
        yield
        data.desk().close()


@pytest.fixture(scope="module")
def study(workspace: None) -> data.Document:
    """A small study, saved once."""
    kinds = ["physical", "iaas", "functions"]
    return answer(data.asked("sample:bitbrains", "auto", {"horizon_years": 2}, kinds), data._store())


def opened(path: str, study_id: str | None = None) -> AppTest:
    app = AppTest.from_file(str(FRAME), default_timeout=SECONDS)
    if study_id is not None:
        app.query_params["study"] = study_id
    app.run()
    return app.switch_page(f"pages/{path}").run()


def wait(app: AppTest, name: str) -> AppTest:
    """Until the study that was asked for is there, which the page notices by drawing itself again."""
    data.desk().wait(app.session_state[f"work.{name}"], seconds=SECONDS)
    app.run()
    assert f"work.{name}" not in app.session_state, "the study has ended"
    return app


def told(app: AppTest, name: str) -> str:
    """What the address of the page says."""
    found = app.query_params[name]
    return found if isinstance(found, str) else found[0]


def button(app: AppTest, label: str) -> AppTest:
    next(b for b in app.button if b.label == label).click()
    return app.run()


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_a_page_answers_one_question(path: Path) -> None:
    told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert told is not None
    assert "?" in told.splitlines()[0]
    assert f"pages/{path.name}" in FRAME.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_a_page_draws_with_a_study_and_without(path: Path, study: data.Document) -> None:
    app = opened(path.name)
    assert not app.exception
    assert app.title
    app.query_params["study"] = str(study["study_id"])
    app.run()
    assert not app.exception
    assert not app.error
    unnamed = [w for kind in ("selectbox", "text_input", "number_input") for w in app.get(kind) if not w.label]
    assert unnamed == [], "every input has a label"


def test_a_study_that_is_not_here_is_told_in_words() -> None:
    app = opened("compare.py", "0123456789abcdef")
    assert not app.exception
    assert "not in this workspace" in app.error[0].value.replace("\\", "")


@pytest.mark.slow
def test_a_sample_is_planned_and_opens() -> None:
    app = opened("data.py")
    app.selectbox(key="known.sample:planner").select("bitbrains (ships with planner)")
    app.multiselect(key="models").set_value(["iaas"]).run()
    assert not app.exception
    app.number_input(key="ask.horizon_years").set_value(1)
    app.button(key="plan").click().run()
    wait(app, "plan")
    assert not app.exception
    assert app.title[0].value == "What would it cost somewhere else?"
    document = data.saved(told(app, "study"))
    assert [m["model"] for m in document["models"]] == ["iaas"]
    assert document["scenario"]["horizon_years"] == 1


@pytest.mark.slow
def test_where_every_workload_is_active_none_is_listed_as_idle() -> None:
    app = opened("data.py")
    recording = next(box for box in app.selectbox if box.label == "Recording")
    recording.set_value("azure_functions (ships with planner)").run()
    assert not app.exception
    assert any("None of the workloads" in text.value for text in app.markdown)


def test_a_wrong_setting_is_told_in_words() -> None:
    app = opened("data.py")
    app.selectbox(key="known.sample:planner").select("bitbrains (ships with planner)")
    app.multiselect(key="models").set_value(["iaas"]).run()
    app.text_input(key="ask.where.region").set_value("us-esat-1")
    app.button(key="plan").click().run()
    wait(app, "plan")
    assert not app.exception
    assert "us-east-1" in app.error[0].value.replace("\\", "")


def test_money_is_answered_at_once_and_other_changes_are_planned(study: data.Document) -> None:
    study_id = str(study["study_id"])
    app = opened("what_if.py", study_id)
    before = data.desk().jobs()
    app.number_input(key=f"{study_id}.0.quick.discount_rate_per_year").set_value(0.2).run()
    assert data.desk().jobs() == before, "no plan is made"
    assert not app.exception
    assert any(s.value == "The difference" for s in app.subheader)
    app.number_input(key=f"{study_id}.0.quick.demand.headroom").set_value(2.0).run()
    button(app, "Plan with these changes")
    wait(app, "what_if")
    assert not app.exception
    tried = data.saved(told(app, "tried"))
    rows = frames.difference(study, tried).set_index("model")
    assert rows.loc["iaas", "difference (USD)"] > 0
    assert tried["scenario"]["demand"]["headroom"] == 2.0
    app.text_input(key="scenario_name").set_value("more room")
    button(app, "Save")
    assert "more room" in set(data.scenarios()["name"])


@pytest.mark.slow
def test_scenarios_are_named_copied_stacked_compared_and_deleted(study: data.Document) -> None:
    study_id, bad = str(study["study_id"]), "<script>alert(1)</script> ![x](http://a.b/c.png)"
    other = answer(data.changed(study, {"growth_per_year": 0.5}), data._store())
    data.name_scenario("growing", str(other["study_id"]), study_id)
    app = opened("scenarios.py", study_id)
    app.text_input(key="new_name").set_value(bad)
    button(app, "Save")
    assert not app.exception
    assert bad in set(data.scenarios()["name"])
    shown = [m.value for m in [*app.markdown, *app.success]]
    assert not any("![x](" in text or re.search(r"(?<!\\)<script", text) for text in shown)
    app.selectbox(key="source").select(bad)
    app.text_input(key="copy_name").set_value("copy")
    button(app, "Duplicate")
    app.selectbox(key="ground").select("copy").run()
    app.multiselect(key="upper").set_value(["growing"]).run()
    button(app, "Plan the stack")
    wait(app, "stack")
    assert not app.exception
    names = data.scenarios().set_index("name")["study_id"]
    assert data.saved(names["copy + growing"])["scenario"]["growth_per_year"] == 0.5
    app.multiselect(key=f"beside.{len(names)}").set_value(["copy", "growing"]).run()
    assert any("growth_per_year" in str(frame.value.to_numpy()) for frame in app.dataframe)
    app.selectbox(key="gone").select(bad)
    app.checkbox(key="sure").check()
    button(app, "Delete")
    assert bad not in set(data.scenarios()["name"])


def test_an_assumption_is_overridden_on_what_if(study: data.Document) -> None:
    study_id = str(study["study_id"])
    app = opened("assumptions.py", study_id)
    app.text_input(key="find").set_value("headroom").run()
    assert all(app.dataframe[0].value["name"].str.contains("headroom"))
    app.selectbox(key=f"setting.{study_id}").select("demand.headroom").run()
    app.toggle(key="override.demand.headroom").set_value(True).run()
    app.number_input(key=f"value.{study_id}.demand.headroom").set_value(0.6).run()
    button(app, "Try it on What-if")
    assert not app.exception
    assert app.title[0].value == "What if?"
    assert app.session_state["changes"] == {"demand.headroom": 0.6}


def test_a_study_is_cancelled() -> None:
    job_id = data.start(data.asked("sample:planner", "auto", {"horizon_years": 10}, ["hypervisor"]))
    data.cancel(job_id)
    assert data.job(job_id).status is data.Status.CANCELLED


@pytest.mark.parametrize("kind", list(MODELS))
def test_every_field_of_every_model_has_an_input_or_is_a_table(kind: str) -> None:
    fields = set(MODELS[kind].model_fields) - {"kind"}
    tables = {name for name in fields if forms.choice(MODELS[kind].model_fields[name].annotation).kind == "tables"}
    assert set(forms.fields(MODELS[kind])) == fields - tables


def test_inputs_follow_annotations() -> None:
    assert forms.choice(bool).kind == "bool"
    assert forms.choice(int | None) == forms.Choice("int", optional=True)
    assert forms.choice(tuple[Literal["a", "b"], ...]).options == ("a", "b")
    assert forms.choice(tuple[float, ...]).kind == "numbers"
    assert forms.choice(tuple[BaseModel, ...]).kind == "tables"
    assert forms.choice(str).kind == "text"


def test_charts_name_units_and_keep_a_models_colour(study: data.Document) -> None:
    assert "US dollars" in str(charts.cost_by_category(frames.categories(study)).to_dict())
    assert "share of provisioned" in str(loads.utilisation(frames.utilisation(study)).to_dict())
    assert charts.MODEL_COLOURS["iaas"] in str(charts.cash_flow(frames.cash(study)).to_dict())
    assert set(MODELS) <= set(charts.MODEL_COLOURS)


def test_frames_add_up_to_the_plans(study: data.Document) -> None:
    for plan in (p for p in study["plans"] if p["year"] == 0):
        model = plan["model"]
        by = frames.categories(study).query("model == @model")["usd_per_month"].sum()
        assert by == pytest.approx(plan["usd_per_month"])
        assert frames.workloads(study, model)["usd_per_month"].sum() == pytest.approx(plan["usd_per_month"])
        assert frames.lines(study, model)["usd_per_month"].sum() == pytest.approx(plan["usd_per_month"])
        assert len(frames.week(study, model)) % 168 == 0
    flow = frames.cash(study).groupby("model")["usd"].sum()
    assert all(flow[m["model"]] == pytest.approx(m["tco_usd"]) for m in study["models"])


def test_a_crossing_is_where_a_line_falls_below_the_baseline() -> None:
    models = [
        {"model": "physical", "rank": 1, "cash_usd": [0.0, 10.0, 10.0]},
        {"model": "iaas", "rank": 2, "cash_usd": [15.0, 1.0, 1.0]},
        {"model": "functions", "rank": 3, "cash_usd": [-1.0, 1.0, 1.0]},
    ]
    found = frames.crossings({"models": models, "scenario": {"baseline": "physical"}})
    assert found.to_dict("records") == [{"model": "iaas", "month": 2, "cumulative_usd": 17.0}]


def test_no_cell_of_a_saved_table_is_a_formula() -> None:
    frame = words.neutral(pd.DataFrame({"workload": ["=cmd()", "@x", "-y", "web"], "usd": [-1.0, 2, 3, 4]}))
    assert frame["workload"].tolist() == ["'=cmd()", "'@x", "'-y", "web"]
    assert frame["usd"].tolist() == [-1, 2, 3, 4]
