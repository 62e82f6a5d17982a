"""Questions to a deployment model: its plan, and what it makes of nodes and of pods on the way there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from planner.catalog import OFFER_KINDS, Catalog
from planner.conformance.question import Figures, Question, listed
from planner.conformance.tables import Fact, PriceRow, Work, as_catalog, as_demand
from planner.demand import Demand
from planner.errors import PriceBookError
from planner.models import DeploymentModel
from planner.models._clustered import Clustered
from planner.models._instances import types
from planner.models._pods import pods
from planner.models.service_mesh import ServiceMesh
from planner.optimise.buying import savings_rate
from planner.plan import Line, Plan
from planner.quantities import CPU, HOURS_PER_MONTH, MEMORY
from planner.report.show import rounded
from planner.scenario import parse

__all__ = ["NodesQuestion", "PlanQuestion", "PodsQuestion"]

GB_PER_GIB: Final = 2.0**30 / 1e9


class _Asked(Question):
    """What every question to a model has."""

    model: dict[str, Any]
    """The model's kind and settings, as in a scenario."""
    prices: tuple[PriceRow, ...] = ()
    """The price book of the example: its rates, never today's."""
    facts: tuple[Fact, ...] = ()
    """Figures that are no prices."""

    @model_validator(mode="after")
    def _is_a_model(self) -> Self:
        parse({"models": [self.model]})
        return self

    def chosen(self, changed: Mapping[str, Any] | None = None) -> DeploymentModel:
        """The deployment model, with some settings changed."""
        return parse({"models": [{**self.model, **(changed or {})}]}).models[0]

    def catalog(self) -> Catalog:
        """What can be bought in the example."""
        model = self.chosen()
        where = (str(getattr(model, "provider", "onprem")), str(getattr(model, "region", "all")))
        return as_catalog(self.prices, self.facts, where)


class PlanQuestion(_Asked):
    """What a model plans for a demand, and what that costs."""

    kind: Literal["plan"]
    hours: tuple[float, ...] = (HOURS_PER_MONTH,)
    """Of each period; together the month that is billed."""
    workloads: tuple[Work, ...] = Field(min_length=1)
    rounding: Literal["none", "line"] = "none"
    """Whether a bill rounds each line half up to a cent and then adds."""
    book: str = ""
    """Rows of the file's `books` that come behind `prices`."""
    owned: dict[str, int] = Field(default_factory=dict)
    """Boxes that are there already."""
    against: dict[str, Any] = Field(default_factory=dict)
    """Settings of a second plan that the first is compared with."""

    @property
    def demand(self) -> Demand:
        """What must run."""
        return as_demand(self.workloads, self.hours)

    def priced(self, books: Mapping[str, Sequence[PriceRow]]) -> Self:
        """The same question with the rows of its book."""
        more = books[self.book] if self.book else ()
        return self.model_copy(update={"prices": (*self.prices, *more), "book": ""})

    def figures(self) -> Figures:
        """Dollars, quantities and tiers by kind of offer; boxes, what each holds, and the model's own figures."""
        asked, catalog = self.demand, self.catalog()
        plan = self.chosen().plan(asked, catalog, self.owned)
        told = {**self._bill(plan), **_boxes(plan), **plan.details, **_hourly(plan.details, sum(self.hours))}
        if self.against:
            told |= _saved(told, self._bill(self.chosen(self.against).plan(asked, catalog, self.owned)))
        return told

    def _bill(self, plan: Plan) -> Figures:
        lines = [e for e in plan.lines if e.kind != "one-off"]
        usd = {id(e): self._usd(e) for e in lines}
        total = sum(usd.values())
        told: Figures = {"usd": total, "usd per hour": total / sum(self.hours)}
        for kind in OFFER_KINDS:
            of_kind = [e for e in lines if e.offer_kind == kind]
            paid = [e for e in of_kind if e.usd_per_unit > 0] or of_kind
            told[f"usd {kind}"] = sum(usd[id(e)] for e in of_kind)
            told[f"quantity {kind}"] = sum(e.quantity for e in paid)
            told[f"tiers {kind}"] = [usd[id(e)] for e in paid]
        for sku in dict.fromkeys(e.sku for e in lines):
            told[f"usd of {sku}"] = sum(usd[id(e)] for e in lines if e.sku == sku)
        return told

    def _usd(self, entry: Line) -> float:
        usd = entry.usd_per_month
        return float(rounded(usd, "0.01")) if self.rounding == "line" else usd


def _hourly(details: Mapping[str, float], month: float) -> Figures:
    """What the model tells by the month, by the hour."""
    ends = "_per_month"
    return {f"{n.removesuffix(ends)} per hour": value / month for n, value in details.items() if n.endswith(ends)}


def _saved(told: Figures, other: Figures) -> Figures:
    """What the first bill saves against the other, as a share of it."""
    both = {name: (told[name], usd) for name, usd in other.items() if name in told and name.startswith("usd")}
    return {
        f"saved share of {name}": savings_rate(theirs, ours)
        for name, (ours, theirs) in both.items()
        if isinstance(ours, float) and isinstance(theirs, float) and theirs > 0
    }


def _boxes(plan: Plan) -> Figures:
    """How many of each, what the fullest holds, and what has none."""
    held = plan.placement.groupby(["sku", "box"]).size() if len(plan.placement) else pd.Series(dtype=int)
    told: Figures = {
        "boxes": float(plan.boxes["count"].sum()),
        "most in a box": float(held.max()) if len(held) else 0.0,
        "unplaced": float(len(plan.unplaced)),
        "most cores": float(plan.provisioned[:, CPU].max(initial=0.0)),
        "most gib": float(plan.provisioned[:, MEMORY].max(initial=0.0)),
    }
    counts = plan.boxes.groupby("sku")["count"].sum()
    return told | {f"boxes of {sku}": float(count) for sku, count in counts.items()}


class NodesQuestion(_Asked):
    """What nodes of a cluster keep for themselves, and what they leave for pods."""

    kind: Literal["nodes"]
    cpu_cores: tuple[float, ...]
    memory_gb: tuple[float, ...]
    """In units of 10^9 bytes, or where `binary` of 2^30."""
    binary: bool = False
    max_pods: float = np.nan

    def figures(self) -> Figures:
        """Cores, memory and slots of each node, in the order given."""
        model = self.chosen()
        if not isinstance(model, Clustered):
            raise PriceBookError(f"{model.kind} has no nodes with pods")
        gib = np.array(self.memory_gb) / (1.0 if self.binary else GB_PER_GIB)
        kinds = types(self._sold(gib).at(model.provider, model.region), ("on_demand",), (), ())
        room, per = model.room(kinds), 1.0 if self.binary else GB_PER_GIB
        left, memory = room[:, MEMORY] * per, np.array(self.memory_gb)
        return {
            "cores kept": listed(np.array(self.cpu_cores) - room[:, CPU]),
            "memory kept": listed(memory - left),
            "memory left": listed(left),
            "share of memory kept": listed(1 - left / memory),
            "share of memory left": listed(left / memory),
            "slots": listed(model.slots(kinds)),
            "slots left": listed(room[:, -1]),
        }

    def _sold(self, gib: NDArray[np.float64]) -> Catalog:
        rows: list[dict[str, float | str]] = [
            {"sku": f"node {n:04d}", "kind": "vm", "unit": "hour", "usd_per_unit": 1.0, "cpu_cores": cores,
             "memory_gib": float(size), "gpus": 0.0, "max_pods": self.max_pods}
            for n, (cores, size) in enumerate(zip(self.cpu_cores, gib, strict=True))
        ]  # fmt: skip
        model = self.chosen()
        return as_catalog(rows, (), (str(getattr(model, "provider", "")), str(getattr(model, "region", ""))))


class PodsQuestion(_Asked):
    """What pods a cluster makes of workloads, and what a mesh puts beside them."""

    kind: Literal["pods"]
    hours: tuple[float, ...] = (HOURS_PER_MONTH,)
    workloads: tuple[Work, ...] = Field(min_length=1)

    def figures(self) -> Figures:
        """Requests and replicas, class by class and period by period; memory in GiB and in 10^6 bytes."""
        model = self.chosen()
        if not isinstance(model, Clustered):
            raise PriceBookError(f"{model.kind} has no pods")
        asked = as_demand(self.workloads, self.hours)
        made = pods(asked, model.rules)
        told: Figures = {
            "cores": listed(made.size[:, :, CPU]),
            "gib": listed(made.size[:, :, MEMORY]),
            "replicas": listed(made.replicas),
        }
        return told | _meshed(model, asked) if isinstance(model, ServiceMesh) else told


def _meshed(model: ServiceMesh, asked: Demand) -> Figures:
    mesh, made = model.mesh, pods(asked, model.rules)
    carried, beside = mesh.on_pods(asked, made), mesh.beside(asked, made)
    per = GB_PER_GIB * 1000
    told: Figures = {
        "cores beside a pod": listed(carried[:, :, CPU]),
        "mb beside a pod": listed(carried[:, :, MEMORY] * per),
        "cores on a node": mesh.on_nodes[0],
        "mb on a node": mesh.on_nodes[1] * per,
    }
    if beside is None:
        return told
    cores, mb = beside.peak[:, CPU], beside.peak[:, MEMORY] * per
    return told | {
        "cores of a control plane": listed(cores[:1]),
        "mb of a control plane": listed(mb[:1]),
        "cores of waypoints": listed(cores[1:]),
        "mb of waypoints": listed(mb[1:]),
    }
