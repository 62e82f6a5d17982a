"""The same demand, digit for digit, wherever it is worked out."""

from __future__ import annotations

import hashlib

import pytest

from lanes import lanes
from planner.bundle import bundled
from planner.demand import Demand, Policy
from planner.engine import Fanout
from planner.scenario import parse
from planner.store import Store
from planner.study import complete, prepare


def digest(demand: Demand) -> str:
    text = hashlib.sha256(demand.workloads.to_json().encode())
    for array in (demand.busy, demand.mean, demand.requests_per_s):
        text.update(array.tobytes())
    return text.hexdigest()


@pytest.mark.parametrize("name", lanes(["bitbrains", "azure_functions"], slow=["azure_functions"]))
@pytest.mark.parametrize("fanout", [Fanout("local", 2), Fanout("dask", 2)], ids=lambda f: f.engine)
def test_the_demand_is_the_same_on_each_engine(fanout: Fanout, name: str) -> None:
    with Store(":memory:", "256MiB") as store:
        info = store.ingest(bundled("datasets", "samples", name))
        demands = [store.demand(info.trace_id, Policy(), fanout=each) for each in (Fanout(), fanout)]
    assert digest(demands[0]) == digest(demands[1])


@pytest.mark.slow
def test_plans_are_the_same_where_models_are_planned_side_by_side() -> None:
    asked = {
        "trace": {"path": "sample:bitbrains"},
        "horizon_years": 2,
        "models": [{"kind": "physical"}, {"kind": "iaas"}],
    }
    with Store(":memory:") as store:
        question = prepare(parse(asked), store)
    documents = [complete(question, fanout=each).document() for each in (Fanout(), Fanout("local", 2))]
    assert documents[0] | {"created_at": ""} == documents[1] | {"created_at": ""}
