"""Study: every model's answer to one question, side by side, as plans, tidy rows and one JSON document."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner import finance
from planner.bundle import edition
from planner.catalog import Catalog
from planner.demand import Demand, Policy
from planner.engine import HERE, Fanout
from planner.errors import ScenarioError
from planner.models.base import DeploymentModel, described
from planner.plan import OTHERS, Line, Plan
from planner.quantities import MONTHS_PER_YEAR, RESOURCES, Assumption
from planner.scenario import STORED, Scenario, Where
from planner.store import Store, TraceInfo
from planner.store.bills import today

__all__ = ["Question", "Study", "answer", "answer_plans", "complete", "identity", "keep", "prepare", "run"]

_SHOWN_WORKLOADS: Final = 2000
"""A document tells the cost of so many workloads by name; the rest are one row."""


@dataclass(frozen=True)
class Question:
    """A scenario with what it asks about: the recording, the demand in it and the prices."""

    scenario: Scenario
    trace: TraceInfo
    demand: Demand
    catalog: Catalog
    today: Mapping[str, Any] | None = None
    """What is paid now by the scenario's bill, see `_today`; None where it names none."""


def prepare(scenario: Scenario, store: Store, fanout: Fanout = HERE) -> Question:
    """Reads the scenario's recording and price books.

    Raises:
        InputError: the recording, the price books or the sizes cannot be had.
    """
    catalog = store.catalog([Path(book) for book in scenario.price_books] or None)
    trace = _recording(scenario, store)
    demand = store.demand(trace.trace_id, scenario.demand, scenario.growth_per_year, fanout)
    return Question(scenario, trace, demand, catalog, _today(scenario, store))


def _today(scenario: Scenario, store: Store) -> Mapping[str, Any] | None:
    """The bill's id, name and notes, and its cost a month: billed and effective, by service category and provider.

    Raises:
        InputError: the bill cannot be read, or is none.
    """
    path = scenario.bill_path()
    if path is None:
        return None
    stored = str(scenario.today.bill).startswith(STORED)
    info = (
        store.trace(str(scenario.today.bill).removeprefix(STORED))
        if stored
        else store.ingest(path, scenario.today.format)
    )
    if not info.charges:
        raise ScenarioError(f"today.bill: {info.name} is a recording of format {info.format}, expected a bill (focus)")
    notes = [*info.notes, *([f"{info.rejected:,} lines of the bill could not be read"] if info.rejected else [])]
    told = {"trace_id": info.trace_id, "name": info.name, "format": info.format, "notes": notes}
    return told | today(store.bill(info.trace_id), scenario.today.usd_per)


def _recording(scenario: Scenario, store: Store) -> TraceInfo:
    if scenario.trace.path.startswith(STORED):
        kept = store.trace(scenario.trace.path.removeprefix(STORED))
        return replace(kept, name=scenario.trace.name or kept.name)
    return store.ingest(scenario.trace_path(), scenario.trace.format, scenario.trace.name)


def run(scenario: Scenario, store: Store) -> Iterator[Plan]:
    """The plans of every model and year, as they are made; year y is planned for the demand at its end.

    Raises:
        InputError: see `prepare`; or a price that a model must have is missing.
    """
    yield from answer_plans(prepare(scenario, store))


def answer_plans(question: Question, fanout: Fanout = HERE) -> Iterator[Plan]:
    """`run` for a question whose recording has been read; on an engine, models are planned side by side."""
    if fanout.here:
        for model in question.scenario.models:
            yield from _plans_of(question, model)
        return
    for plans in fanout.map(_planned, [(question, number) for number in range(len(question.scenario.models))]):
        yield from plans


def _planned(asked: tuple[Question, int]) -> list[Plan]:
    question, number = asked
    return list(_plans_of(question, question.scenario.models[number]))


def _plans_of(question: Question, model: DeploymentModel) -> Iterator[Plan]:
    """One model's plans, year by year: what it owns in one it has in the next."""
    scenario = question.scenario
    placed, owned = _placed(_ahead(model, scenario), scenario.where), dict[str, int]()
    for year in range(scenario.horizon_years):
        here, away = _resident(placed, question.demand.grown(year + 1))
        plan = placed.plan(here, question.catalog, owned)
        if len(away):
            plan = replace(plan, unplaced=pd.concat([plan.unplaced, away], ignore_index=True))
        if placed.keeps:
            owned = {str(s): int(c) for s, c in zip(plan.boxes["sku"], plan.boxes["count"], strict=True)}
        moves = year == 0 and model.kind != scenario.measured_against
        lines = plan.lines if moves else tuple(e for e in plan.lines if e.kind != "one-off")
        yield replace(plan, year=year, lines=lines)


def _ahead(model: DeploymentModel, scenario: Scenario) -> DeploymentModel:
    """A model that weighs moving in over no time of its own does so over the horizon, as the comparison does."""
    weighs = "spread_months" in type(model).model_fields and "spread_months" not in model.model_fields_set
    if not weighs or model.kind == scenario.measured_against:
        return model
    return model.model_copy(update={"spread_months": float(MONTHS_PER_YEAR * scenario.horizon_years)})


def _placed(model: DeploymentModel, where: Where) -> DeploymentModel:
    """A rented model that does not say where rents where the scenario says."""
    fields = type(model).model_fields
    says = model.model_fields_set & {"provider", "region"}
    if not model.rented or says or not {"provider", "region"} <= set(fields):
        return model
    return model.model_copy(update={"provider": where.provider, "region": where.region})


def _resident(model: DeploymentModel, demand: Demand) -> tuple[Demand, pd.DataFrame]:
    """What may run where a rented model rents, and the other workloads with the reason; a portfolio tells by itself."""
    place = [str(getattr(model, name, "")).lower() for name in ("provider", "region")]
    wish = demand.workloads["residency"].fillna("").astype(str)
    stays = wish.str.lower().isin(["", *place]).to_numpy(bool)
    if not model.rented or "region" not in type(model).model_fields or stays.all():
        return demand, pd.DataFrame(columns=["workload", "reason"], dtype=object)
    members = demand.members[~stays[demand.members["class"].to_numpy(np.int64)]]
    reasons = "may not leave " + members["class"].map(wish) + f"; {model.kind} rents in {place[1]}"
    away = pd.DataFrame({"workload": members["workload"].astype(object), "reason": reasons.astype(object)})
    return demand.select(stays), away


@dataclass(frozen=True)
class Study:
    """A question and all its plans."""

    question: Question
    plans: tuple[Plan, ...]

    def of(self, model: str) -> list[Plan]:
        """The plans of one model, year by year."""
        return [plan for plan in self.plans if plan.model == model]

    def cash(self, model: str) -> NDArray[np.float64]:
        """[12 x horizon + 1], what one model pays by month."""
        return finance.cash_flow([plan.lines for plan in self.of(model)])

    def models(self) -> list[dict[str, Any]]:
        """One entry a model: cost over the horizon, present value, payback and return against the baseline, rank.

        Ranked by `finance.merit`: the fewer workloads a model leaves out the better, then by total cost.
        """
        scenario = self.question.scenario
        baseline = self.cash(scenario.measured_against)
        entries = [self._entry(model.kind, baseline) for model in scenario.models]
        order = sorted(entries, key=lambda e: finance.merit(e["unplaced"], e["tco_usd"], e["model"]))
        ranks = {entry["model"]: rank for rank, entry in enumerate(order, 1)}
        return [entry | {"rank": ranks[entry["model"]]} for entry in entries]

    def _entry(self, model: str, baseline: NDArray[np.float64]) -> dict[str, Any]:
        scenario, cash = self.question.scenario, self.cash(model)
        left = max(len(plan.unplaced) for plan in self.of(model))
        is_baseline = model == scenario.measured_against
        monthly = None if is_baseline else finance.internal_rate(baseline - cash)
        return {
            "model": model,
            "tco_usd": finance.total(cash),
            "npv_usd": finance.present_value(cash, finance.monthly_rate(scenario.discount_rate_per_year)),
            "payback_months": None if is_baseline else finance.payback_months(cash, baseline),
            "irr": None if monthly is None else (1.0 + monthly) ** 12 - 1.0,
            "complete": left == 0,
            "unplaced": left,
            "cash_usd": cash.tolist(),
        }

    def placements(self) -> pd.DataFrame:
        """Every workload of every plan: model, year, workload, replica, sku, box."""
        joined = pd.concat([p.placement.assign(model=p.model, year=p.year) for p in self.plans], ignore_index=True)
        return joined.reindex(columns=["model", "year", "workload", "replica", "sku", "box"])

    def tables(self) -> dict[str, pd.DataFrame]:
        """The study as tables plans, lines and placements."""
        return {"plans": _plans(self.plans), "lines": _lines(self.plans), "placements": self.placements()}

    def document(self) -> dict[str, Any]:
        """The study as plain JSON values; the same question gives the same document but for `created_at`."""
        scenario = self.question.scenario
        asked = scenario.model_dump(mode="json") | {"baseline": scenario.measured_against}
        shared = _asked(scenario)
        document = {
            "version": 1,
            "study_id": identity(self.question),
            "created_at": datetime.now(UTC).replace(tzinfo=None, microsecond=0).isoformat(),
            "scenario": asked,
            "trace": _trace(self.question.trace),
            "today": self.question.today,
            "models": self.models(),
            "plans": [_plan(plan, shared) for plan in self.plans],
        }
        cleaned: dict[str, Any] = _finite(document)
        return cleaned


def complete(question: Question, progress: Callable[[Plan], None] | None = None, fanout: Fanout = HERE) -> Study:
    """All plans of a question; `progress` is called with each as it is made."""
    made = []
    for plan in answer_plans(question, fanout):
        made.append(plan)
        if progress is not None:
            progress(plan)
    return Study(question, tuple(made))


def keep(study: Study, store: Store) -> dict[str, Any]:
    """Saves a study under its identity; returns its document."""
    document = study.document()
    store.save(document["study_id"], study.tables(), json.dumps(document, allow_nan=False))
    return document


def answer(
    scenario: Scenario, store: Store, progress: Callable[[Plan], None] | None = None, fanout: Fanout = HERE
) -> dict[str, Any]:
    """The document of a study: read where the same question was answered before, else planned and kept.

    Raises:
        InputError: see `prepare`.
    """
    question = prepare(scenario, store, fanout)
    saved = store.document(identity(question))
    if saved is not None:
        document: dict[str, Any] = json.loads(saved)
        return document
    return keep(complete(question, progress, fanout), store)


def identity(question: Question) -> str:
    """The hash of scenario, recording, prices and code: the same question to the same planner, the same id."""
    scenario = question.scenario.model_dump(mode="json")
    digest = hashlib.sha256(json.dumps([scenario, edition()], sort_keys=True).encode())
    digest.update(question.trace.trace_id.encode())
    digest.update(str((question.today or {}).get("trace_id", "")).encode())
    for frame in (question.catalog.offers, question.catalog.facts):
        digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]


def _asked(scenario: Scenario) -> list[Assumption]:
    """The scenario's and the policy's own numbers, with unit and source."""
    own = [
        Assumption(f"scenario.{n}", getattr(scenario, n), *described(Scenario, n)[1:])
        for n in ("horizon_years", "growth_per_year", "discount_rate_per_year")
    ]
    sizing = [
        Assumption(f"demand.{n}", getattr(scenario.demand, n), *described(Policy, n)[1:]) for n in Policy.model_fields
    ]
    return own + sizing


def _trace(trace: TraceInfo) -> dict[str, Any]:
    told = asdict(trace)
    told.pop("repeated")
    return told | {"start": _instant(trace.start), "end": _instant(trace.end), "notes": list(trace.notes)}


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _plan(plan: Plan, shared: list[Assumption]) -> dict[str, Any]:
    certificate = plan.certificate
    told = dict.fromkeys([*shared, *plan.assumptions])
    return {
        "model": plan.model,
        "year": plan.year,
        "usd_per_month": plan.usd_per_month,
        "usd_once": plan.usd_once,
        "utilisation": plan.utilisation,
        "hours": plan.hours.tolist(),
        "provisioned": _by_resource(plan.provisioned),
        "used": _by_resource(plan.used),
        "boxes": plan.boxes.to_dict("records"),
        "unplaced": plan.unplaced.to_dict("records"),
        "certificate": {
            "usd": certificate.usd,
            "bound_usd": certificate.bound_usd,
            "gap": certificate.gap,
            "method": certificate.method,
            "proof": certificate.proof,
        },
        "lines": [_line(e) for e in plan.lines],
        "assumptions": [asdict(a) for a in told],
        "cost_by_workload": _costs(plan),
        "details": plan.details,
    }


def _by_resource(amounts: NDArray[np.float64]) -> dict[str, list[float]]:
    return {name: amounts[:, r].tolist() for r, name in enumerate(RESOURCES)}


def _line(entry: Line) -> dict[str, Any]:
    told = asdict(entry)
    return told | {"usd_per_month": entry.usd_per_month, "usd_once": entry.usd if entry.kind == "one-off" else 0.0}


def _costs(plan: Plan) -> list[dict[str, Any]]:
    """What each workload costs, dearest first; beyond the first thousands in one row."""
    rows = plan.cost_by_workload
    if len(rows) > _SHOWN_WORKLOADS:
        rows = rows.sort_values(["usd_per_month", "workload"], ascending=[False, True], kind="stable")
        rest = rows.iloc[_SHOWN_WORKLOADS:]
        others = pd.DataFrame({"workload": [OTHERS], "usd_per_month": [rest["usd_per_month"].sum()]})
        rows = pd.concat([rows.iloc[:_SHOWN_WORKLOADS], others], ignore_index=True)
    return [{str(k): v for k, v in row.items()} for row in rows.to_dict("records")]


def _plans(plans: tuple[Plan, ...]) -> pd.DataFrame:
    rows = [
        {
            "model": p.model,
            "year": p.year,
            "usd_per_month": p.usd_per_month,
            "cpu_utilisation": p.utilisation["cpu"],
            "memory_utilisation": p.utilisation["memory"],
            "certificate_usd": p.certificate.usd,
            "bound_usd": p.certificate.bound_usd,
            "gap": p.certificate.gap,
            "method": p.certificate.method,
        }
        for p in plans
    ]
    return pd.DataFrame(rows)


def _lines(plans: tuple[Plan, ...]) -> pd.DataFrame:
    return pd.DataFrame([_line(e) | {"model": p.model, "year": p.year} for p in plans for e in p.lines])


def _finite(value: Any) -> Any:
    """The value with plain Python numbers, and null where a number is none."""
    match value:
        case Mapping():
            return {str(k): _finite(v) for k, v in value.items()}
        case list() | tuple():
            return [_finite(v) for v in value]
        case bool() | int() | str() | None:
            return value
        case float():
            return float(value) if math.isfinite(value) else None
        case np.generic():
            return _finite(value.item())
    return str(value)
