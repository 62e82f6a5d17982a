"""What every deployment model keeps, run over whatever is found in the folder, with the price books that ship."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.books import read_facts, read_offers
from lanes import lanes
from models.catalogs import demand
from planner.bundle import bundled
from planner.catalog import Catalog
from planner.demand import Demand, Policy
from planner.models import MODELS, DeploymentModel
from planner.models._remembered import forget
from planner.plan import CATEGORIES, Plan
from planner.quantities import HOURS_PER_MONTH, SECONDS_PER_HOUR
from planner.store import Store

HOURS = (240.0, 490.0)
EVERY = pytest.mark.parametrize("model", list(MODELS.values()), ids=list(MODELS))
LONG = ("service_mesh", "multi_cloud")
"""Models that plan others beside themselves; what is asked of all of them is asked of these in the slow lane."""
SEARCHING = (*LONG, "kubernetes", "hypervisor")
"""Models that look for better packings for some seconds."""
LANES = pytest.mark.parametrize("kind", lanes(MODELS, slow=LONG))
TWICE = pytest.mark.parametrize("kind", lanes(MODELS, slow=SEARCHING))


@cache
def catalog() -> Catalog:
    return Catalog(read_offers().drop(columns="book"), read_facts().drop(columns="book"))


def quick(model: type[DeploymentModel]) -> DeploymentModel:
    """The model with its defaults, but for a search that takes the first answer."""
    return model(**{"effort": 0.0} if "effort" in model.model_fields else {})  # type: ignore[arg-type]


def estate() -> Demand:
    """Machines that breathe, an idle one, a large one, functions of two applications, one that fits nowhere."""
    call = {"kind": "function", "seconds_per_request": 0.4, "memory_gib_per_request": 0.25, "cores_per_request": 0.15}
    rps = 3e6 / (HOURS_PER_MONTH * SECONDS_PER_HOUR)
    function = {**call, "requests_per_s": rps, "busy": [0.3, 1.0], "mean": [rps * 0.06, rps * 0.1]}
    return demand(
        {"busy": [[4, 10], [1, 9]], "mean": [[2, 8], [0.3, 7]], "count": 5},
        {"busy": [[8, 16], [2, 8]], "mean": [[5, 12], [1, 6]], "scales_out": True, "count": 3},
        {"busy": [0.05, 0.5], "count": 4},
        {"busy": [30, 120], "storage_gib": 500.0, "network_gib_per_month": 900.0},
        {**function, "owner": "o", "application": "a", "count": 3},
        {**function, "owner": "o", "application": "b"},
        {"busy": [5000, 90_000]},
        hours=HOURS,
    )


def same(one: Plan, other: Plan) -> bool:
    """Whether two plans say the same, to the last digit."""
    frames = ("boxes", "placement", "cost_by_workload", "unplaced")
    return (
        one.lines == other.lines
        and all(getattr(one, f).equals(getattr(other, f)) for f in frames)
        and np.array_equal(one.provisioned, other.provisioned)
        and np.array_equal(one.used, other.used)
        and (one.certificate, one.assumptions, one.details) == (other.certificate, other.assumptions, other.details)
    )


def check(plan: Plan, asked: Demand) -> None:
    """Everything that holds for every plan."""
    total = sum(e.quantity * e.usd_per_unit / (e.lifetime_months or 1.0) for e in plan.lines if e.kind != "one-off")
    assert plan.usd_per_month == pytest.approx(total, abs=0.005)
    assert sum(plan.usd_by_category().values()) == pytest.approx(total, abs=0.005)
    for entry in plan.lines:
        assert entry.source
        assert entry.as_of
        assert entry.quantity > 0
        assert entry.category in CATEGORIES
        assert (entry.kind == "capex") == bool(entry.lifetime_months)
    assert all(a.name and a.unit and a.source for a in plan.assumptions)
    assert plan.certificate.bound_usd <= plan.certificate.usd * (1 + 1e-9)
    assert plan.certificate.usd <= plan.usd_per_month * (1 + 1e-9) + 1e-6
    placed, named = set(plan.placement["workload"]), set(plan.unplaced["workload"])
    assert placed | named == set(asked.members["workload"])
    assert not placed & named
    assert plan.unplaced["reason"].map(bool).all()
    shown = plan.cost_by_workload
    assert shown["usd_per_month"].sum() == pytest.approx(plan.usd_per_month, abs=0.005)
    assert "(idle)" in set(shown["workload"])
    assert plan.hours.tolist() == asked.hours.tolist()
    assert plan.provisioned.shape == plan.used.shape == (len(asked.hours), 4)
    assert np.isfinite(plan.provisioned).all()
    assert (plan.used[:, :2] <= plan.provisioned[:, :2] * (1 + 1e-9) + 1e-9).all()
    seats = plan.placement.merge(plan.boxes.groupby("sku")["count"].sum().rename("boxes"), on="sku", how="left")
    if "function" not in plan.model:
        assert (seats["box"] < seats["boxes"]).all()


def doubled(asked: Demand) -> Demand:
    """Twice the members of every class."""
    workloads = asked.workloads.assign(count=asked.workloads["count"] * 2)
    again = asked.members.assign(workload=asked.members["workload"] + " again")
    return replace(asked, workloads=workloads, members=pd.concat([asked.members, again], ignore_index=True))


@pytest.mark.parametrize("kind", lanes(MODELS, slow=["multi_cloud"]))
def test_plans_with_its_defaults_alone(kind: str) -> None:
    model = MODELS[kind]
    asked, fresh = estate(), estate()
    plan = (quick(model) if kind in LONG else model()).plan(asked, catalog())
    check(plan, asked)
    assert plan.model == kind
    assert "w6" in set(plan.unplaced["workload"])
    assert plan.usd_per_month > 0
    assert asked.workloads.equals(fresh.workloads), "a plan leaves the question as it was"
    assert np.array_equal(asked.busy, fresh.busy)
    assert np.array_equal(asked.mean, fresh.mean)


@TWICE
def test_the_same_question_has_the_same_answer(kind: str) -> None:
    once = MODELS[kind]().plan(estate(), catalog())
    forget()
    assert same(once, MODELS[kind]().plan(estate(), catalog()))


@EVERY
def test_nothing_to_run_costs_next_to_nothing(model: type[DeploymentModel]) -> None:
    for nothing in (demand(), demand(hours=HOURS)):
        plan = quick(model).plan(nothing, catalog())
        check(plan, nothing)
        assert plan.certificate.usd == 0


@EVERY
def test_every_setting_tells_its_unit_and_source(model: type[DeploymentModel]) -> None:
    told = model().settings()
    assert {a.name.split(".")[1] for a in told} == set(model.model_fields) - {"kind"}
    assert all(a.unit and a.source for a in told)
    assert model.title


@EVERY
def test_a_setting_that_does_not_exist_is_refused(model: type[DeploymentModel]) -> None:
    with pytest.raises(ValueError, match="no_such_setting"):
        model(no_such_setting=1)  # type: ignore[call-arg]


@LANES
def test_twice_the_estate_is_never_cheaper(kind: str) -> None:
    asked, model = estate(), quick(MODELS[kind])
    once, twice = model.plan(asked, catalog()), model.plan(doubled(asked), catalog())
    check(twice, doubled(asked))
    assert twice.usd_per_month >= once.usd_per_month * (1 - 1e-9)


@pytest.mark.slow
def test_the_closer_capacity_follows_demand_the_fuller_it_runs() -> None:
    """Mean CPU use of what is provisioned: servers below hosts below a cluster that breathes, on the shipped sample."""
    with Store(":memory:") as store:
        trace = store.ingest(bundled("datasets", "samples", "planner"))
        asked = store.demand(trace.trace_id, Policy())
        sold = store.catalog()
    used = {k: quick(MODELS[k]).plan(asked, sold).utilisation["cpu"] for k in ("physical", "hypervisor", "kubernetes")}
    assert used["physical"] < used["hypervisor"] < used["kubernetes"]


machine = st.fixed_dictionaries(
    {
        "busy": st.lists(st.tuples(st.floats(0.05, 20), st.floats(0.2, 80)), min_size=2, max_size=2),
        "count": st.integers(1, 3),
        "scales_out": st.booleans(),
    }
)


def _called(rps: float, seconds: float, gib: float, application: str) -> dict[str, object]:
    """A function as the store tells one: cores in proportion to memory, use by Little's law, a few to spare."""
    cores, flight = min(max(gib * 1024, 128) / 1769, 1.0), rps * seconds
    told = {"seconds_per_request": seconds, "memory_gib_per_request": gib, "cores_per_request": cores}
    busy = [(flight + 2) * cores * 1.15, np.ceil(flight + 2) * gib * 1.15]
    mean = [flight * cores, flight * gib]
    return {"kind": "function", "application": application, "requests_per_s": rps, "busy": busy, "mean": mean, **told}


called = st.builds(_called, st.floats(0.01, 20), st.floats(0.01, 5), st.floats(0.05, 2), st.sampled_from(["a", "b"]))


def holds(kind: str, work: list[dict[str, object]]) -> None:
    """A plan is sound, and twice the estate is never cheaper."""
    asked, model = demand(*work, hours=HOURS), quick(MODELS[kind])
    once = model.plan(asked, catalog())
    check(once, asked)
    assert model.plan(doubled(asked), catalog()).usd_per_month >= once.usd_per_month * (1 - 1e-9)


estates = st.lists(st.one_of(machine, called), min_size=1, max_size=5)


@pytest.mark.parametrize("kind", [k for k in MODELS if k not in LONG])
@settings(max_examples=2)
@given(estates)
def test_what_holds_for_any_small_estate(kind: str, work: list[dict[str, object]]) -> None:
    holds(kind, work)


@pytest.mark.slow
@pytest.mark.parametrize("kind", LONG)
@settings(max_examples=5)
@given(estates)
def test_what_holds_for_models_that_plan_others(kind: str, work: list[dict[str, object]]) -> None:
    holds(kind, work)


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(MODELS))
@settings(max_examples=200)
@given(st.lists(st.one_of(machine, called), min_size=1, max_size=8))
def test_what_holds_for_two_hundred_estates(kind: str, work: list[dict[str, object]]) -> None:
    holds(kind, work)
