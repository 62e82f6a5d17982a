"""Named studies, and the estate as it was recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from planner.bundle import bundled
from planner.demand import Policy
from planner.errors import InputError, TraceError
from planner.store import Store


@pytest.fixture
def store() -> Store:
    made = Store(":memory:")
    made.save("one", {}, '{"scenario": {"name": "a"}, "trace": {"name": "t"}, "created_at": "2026-01-02T03:04:05"}')
    return made


def test_a_study_has_names_until_they_are_forgotten(store: Store) -> None:
    store.name_scenario(" =cmd() ", "one")
    store.name_scenario("<script>", "one", "one")
    told = store.scenarios().set_index("name")
    assert set(told.index) == {"=cmd()", "<script>"}
    assert told.loc["<script>", "based_on"] == "one"
    store.forget_scenario("=cmd()")
    assert store.scenarios()["name"].tolist() == ["<script>"]
    assert store.document("one") is not None, "the study stays"


@pytest.mark.parametrize(("name", "study_id", "told"), [
    (" ", "one", "1 to 120 characters"), ("x" * 121, "one", "1 to 120"), ("x", "two", "not in this workspace"),
])  # fmt: skip
def test_a_name_that_cannot_be_is_refused(store: Store, name: str, study_id: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        store.name_scenario(name, study_id)


def test_a_name_is_given_once_and_forgotten_once(store: Store) -> None:
    store.name_scenario("base", "one")
    with pytest.raises(InputError, match="the name is taken"):
        store.name_scenario("base", "one")
    with pytest.raises(InputError, match="'base'"):
        store.forget_scenario("bse")


def test_a_study_is_called_what_its_document_says(store: Store) -> None:
    assert store.summary("one") == {"name": "a", "trace": "t", "created_at": "2026-01-02T03:04:05"}
    assert store.summary("two") == {}


def test_places_are_counted_by_workload_and_type(store: Store) -> None:
    rows = [
        ("iaas", 0, "a", 0, "m", 0),
        ("iaas", 0, "a", 1, "m", 1),
        ("iaas", 1, "a", 0, "m", 0),
        ("x", 0, "a", 0, "m", 0),
    ]
    seats = pd.DataFrame(rows, columns=["model", "year", "workload", "replica", "sku", "box"])
    store.save("two", {"placements": seats}, "{}")
    assert store.placed("two", "iaas").to_dict("records") == [{"workload": "a", "sku": "m", "replicas": 2}]


def test_the_estate_is_told_as_the_demand_tells_it(store: Store) -> None:
    trace_id = store.ingest(bundled("datasets", "samples", "planner")).trace_id
    hours = store.estate("hours", trace_id, Policy())
    used = store.demand(trace_id, Policy(headroom=0.0)).used
    rows = store.estate("consumers", trace_id, Policy())
    unread = rows.loc[rows["mean_cpu_cores"].isna(), "cpu_cores"].sum()
    assert unread > 0, "the demand sizes what has no samples by what was allocated"
    np.testing.assert_allclose(hours["cpu_cores"] + unread, used[:, 0], rtol=0.01)
    size = store.estate("allocated", trace_id, Policy()).iloc[0]
    assert len(rows) == size["workloads"] == 300
    assert rows["mean_cpu_cores"].dropna().is_monotonic_decreasing
    assert (rows["mean_cpu_cores"].dropna() <= rows["max_cpu_cores"].dropna()).all()
    assert rows["cpu_cores"].sum() == size["cpu_cores"]
    quality = store.estate("quality", trace_id, Policy())
    told = store.trace(trace_id).quality
    assert quality["activity"].value_counts().to_dict() == {k: told[k] for k in ("active", "idle", "zombie", "unknown")}
    assert quality["stars"].is_monotonic_increasing


def test_calls_have_a_week_of_requests(store: Store) -> None:
    trace_id = store.ingest(bundled("datasets", "samples", "azure_functions")).trace_id
    hours = store.estate("hours", trace_id, Policy())
    minutes = store._frame("select count(*) as n from minutes where trace_id = $id", {"id": trace_id})["n"][0]
    calls = store.trace(trace_id).calls
    assert hours["cpu_cores"].isna().all()
    assert hours["requests_per_s"].sum() * 3600 == pytest.approx(calls * 60 / (minutes / len(hours)), rel=1e-6)
    assert store.estate("consumers", trace_id, Policy())["calls"].sum() == pytest.approx(calls)


def test_an_unknown_recording_has_no_estate(store: Store) -> None:
    with pytest.raises(TraceError, match="nowhere"):
        store.estate("hours", "nowhere", Policy())


def test_a_study_that_is_deleted_loses_its_names(store: Store) -> None:
    store.name_scenario("base", "one")
    assert store.delete("one")
    assert store.scenarios().empty
