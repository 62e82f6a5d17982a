"""Another price of money needs no new plans: the answer is that of planning again."""

from __future__ import annotations

from typing import Any

import pytest

from planner.errors import InputError
from planner.report.asking import again, settings_of
from planner.report.revalued import revalued
from planner.scenario import parse, with_settings
from planner.store import Store
from planner.study import answer

KINDS = ("physical", "iaas", "functions")


def asked(**settings: Any) -> dict[str, Any]:
    models = [{"kind": kind} for kind in KINDS]
    return {"trace": {"path": "sample:bitbrains"}, "horizon_years": 2, "models": models} | settings


@pytest.fixture(scope="module")
def store() -> Store:
    return Store(":memory:")


@pytest.fixture(scope="module")
def document(store: Store) -> dict[str, Any]:
    return answer(parse(asked()), store)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [
    {}, {"discount_rate_per_year": 0.25}, {"horizon_years": 1}, {"horizon_years": 1, "discount_rate_per_year": 0.0},
])  # fmt: skip
def test_as_if_planned_again(store: Store, document: dict[str, Any], settings: dict[str, Any]) -> None:
    found, planned = revalued(document, settings), answer(parse(asked(**settings)), store)
    assert found["models"] == planned["models"]
    assert found["scenario"] == planned["scenario"]
    assert len(found["plans"]) == len(planned["plans"])


@pytest.mark.parametrize("settings", [{"horizon_years": 3}, {"growth_per_year": 0.1}, {"discount_rate_per_year": -1.0}])
def test_what_needs_plans_is_refused(document: dict[str, Any], settings: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="need new plans"):
        revalued(document, settings)


def test_a_document_is_asked_again_as_it_was(document: dict[str, Any]) -> None:
    scenario = again(document["scenario"], document["trace"]["trace_id"])
    assert scenario == parse(asked())
    assert scenario.models[1].model_fields_set == {"kind"}, "what was left at its default follows the scenario"


def test_settings_survive_the_way_through_a_document() -> None:
    changes = {"growth_per_year": 0.2, "demand.headroom": 0.4, "iaas.terms": ["on_demand"], "baseline": "iaas"}
    scenario = with_settings(parse(asked()), changes)
    told = scenario.model_dump(mode="json")
    assert again(told, "x") == scenario
    assert settings_of(told)["iaas.terms"] == ["on_demand"]
    assert settings_of(told)["demand.headroom"] == 0.4


def test_a_file_that_may_be_gone_is_asked_of_the_workspace(document: dict[str, Any]) -> None:
    told = {**document["scenario"], "trace": {"path": "gone/away.csv", "format": "bitbrains", "name": "mine"}}
    scenario = again(told, "abc")
    assert (scenario.trace.path, scenario.trace.name) == ("trace:abc", "mine")
