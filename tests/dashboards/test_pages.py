"""Every page draws, says what it answers, and is in the navigation; forms follow the models' fields."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import forms
from charts import MODEL_COLOURS, cash_flow, cost_by_category, utilisation
from planner.bundle import bundled
from planner.models import MODELS

FRAME = bundled("dashboards", "app.py")
PAGES = sorted((FRAME.parent / "pages").glob("*.py"))


@pytest.fixture(autouse=True)
def workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_STORE", ":memory:")


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_a_page_answers_one_question(path: Path) -> None:
    told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert told is not None
    assert "?" in told.splitlines()[0]
    assert f"pages/{path.name}" in FRAME.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_a_page_draws_before_anything_is_planned(path: Path) -> None:
    app = AppTest.from_file(str(FRAME), default_timeout=60).run()
    app.switch_page(f"pages/{path.name}").run()
    assert not app.exception
    assert app.title


def test_a_sample_is_planned_and_a_setting_changes_the_answer() -> None:
    app = AppTest.from_file(str(FRAME), default_timeout=120).run()
    app.selectbox(key="known").select("bitbrains")
    app.multiselect(key="models").set_value(["iaas"]).run()
    assert not app.exception
    app.sidebar.button[0].click().run()
    assert not app.exception
    before = app.session_state["document"]["models"][0]["tco_usd"]
    app.number_input(key="demand.headroom").set_value(2.0).run()
    app.sidebar.button[0].click().run()
    assert not app.exception
    assert app.session_state["document"]["models"][0]["tco_usd"] > before
    assert len(app.dataframe) >= 1


def test_a_wrong_setting_is_told_in_words() -> None:
    app = AppTest.from_file(str(FRAME), default_timeout=120).run()
    app.selectbox(key="known").select("bitbrains")
    app.multiselect(key="models").set_value(["iaas"]).run()
    app.text_input(key="where.region").set_value("us-esat-1").run()
    app.sidebar.button[0].click().run()
    assert not app.exception
    assert "us-east-1" in app.error[0].value


@pytest.mark.parametrize("kind", list(MODELS))
def test_every_field_of_every_model_has_an_input(kind: str) -> None:
    fields = MODELS[kind].model_fields
    assert all(forms.choice(field.annotation).kind for name, field in fields.items() if name != "kind")


def test_inputs_follow_annotations() -> None:
    assert forms.choice(bool).kind == "bool"
    assert forms.choice(int | None) == forms.Choice("int", optional=True)
    assert forms.choice(tuple[Literal["a", "b"], ...]).options == ("a", "b")
    assert forms.choice(str).kind == "text"


def test_charts_name_units_and_keep_a_models_colour() -> None:
    costs = pd.DataFrame({"model": ["iaas"], "category": ["compute"], "usd_per_month": [1.0]})
    assert "US dollars" in str(cost_by_category(costs).to_dict())
    shares = pd.DataFrame({"model": ["iaas"], "resource": ["cpu"], "share": [0.5]})
    assert "share of provisioned" in str(utilisation(shares).to_dict())
    flow = pd.DataFrame({"model": ["iaas", "iaas"], "month": [0, 1], "cumulative_usd": [1.0, 2.0]})
    assert MODEL_COLOURS["iaas"] in str(cash_flow(flow).to_dict())
    assert set(MODELS) <= set(MODEL_COLOURS)
