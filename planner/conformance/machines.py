"""Questions about recordings, replicas, boxes and shipped figures."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from planner.conformance.question import Figures, Question, Table, listed
from planner.demand import Demand
from planner.models._autoscaler import desired_replicas, for_requests
from planner.optimise.packing import Boxes, Items, pack
from planner.quantities import CPU, MEMORY
from planner.scenario import parse
from planner.store import Store

__all__ = ["FactsQuestion", "PackingQuestion", "RecordingQuestion", "ReplicasQuestion"]

_START: Final = datetime(2024, 1, 1, tzinfo=UTC)
_MEASURES: Final = ("cpu_cores", "memory_gib", "cpu_percent", "memory_percent", "requests_per_s")


class Series(Table):
    """Samples of one workload, one after the other, over and over."""

    name: str
    every_s: float = Field(default=300.0, gt=0)
    samples: int = Field(default=288, ge=0, le=100_000)
    """How many there are; 0: none, the workload is listed only."""
    cpu_cores: tuple[float, ...] = ()
    memory_gib: tuple[float, ...] = ()
    cpu_percent: tuple[float, ...] = ()
    memory_percent: tuple[float, ...] = ()
    requests_per_s: tuple[float, ...] = ()
    allocated_cpu_cores: float | None = None
    allocated_memory_gib: float | None = None

    def rows(self) -> list[dict[str, Any]]:
        """One row a sample, in the columns of planner's own format."""
        told = {m: getattr(self, m) for m in _MEASURES if getattr(self, m)}
        return [
            {"workload": self.name, "sampled_at": (_START + timedelta(seconds=n * self.every_s)).isoformat()}
            | {m: values[n % len(values)] for m, values in told.items()}
            for n in range(self.samples)
        ]

    def listed(self) -> dict[str, Any]:
        """Its row among the workloads."""
        return {"workload": self.name, "kind": "vm", "cpu_cores": self.allocated_cpu_cores,
                "memory_gib": self.allocated_memory_gib}  # fmt: skip


class Calls(Table):
    """Calls of one function, minute by minute, over and over."""

    name: str
    minutes: int = Field(default=60, ge=1, le=100_000)
    calls: tuple[float, ...]
    seconds_per_call: float
    memory_mb: float

    def rows(self) -> list[dict[str, Any]]:
        """One row a minute."""
        return [
            {"workload": self.name, "minute": (_START + timedelta(minutes=n)).isoformat(),
             "calls": self.calls[n % len(self.calls)], "seconds_per_call": self.seconds_per_call,
             "memory_mb": self.memory_mb}
            for n in range(self.minutes)
        ]  # fmt: skip


class RecordingQuestion(Question):
    """What a recording becomes: sizes by a policy, and how far it can be trusted."""

    kind: Literal["recording"]
    policy: dict[str, Any] = Field(default_factory=dict)
    """Settings of the demand, as in a scenario."""
    series: tuple[Series, ...] = ()
    functions: tuple[Calls, ...] = ()

    @model_validator(mode="after")
    def _is_a_policy(self) -> Self:
        parse({"demand": self.policy})
        return self

    def figures(self) -> Figures:
        """Sizes in the busiest period, stars and activity, in the order in which workloads are told."""
        names = [*(each.name for each in self.series), *(each.name for each in self.functions)]
        with TemporaryDirectory() as folder, Store(":memory:") as store:
            self._write(Path(folder))
            trace = store.ingest(Path(folder), "planner")
            asked = store.demand(trace.trace_id, parse({"demand": {"profile": "single", **self.policy}}).demand)
        return _sized(asked, names)

    def _write(self, folder: Path) -> None:
        _table(folder / "workloads.csv", [each.listed() for each in self.series])
        _table(folder / "samples.csv", [row for each in self.series for row in each.rows()])
        _table(folder / "calls.csv", [row for each in self.functions for row in each.rows()])


def _table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _sized(asked: Demand, names: list[str]) -> Figures:
    owner = asked.members.set_index("workload")["class"].reindex(names).to_numpy(int)
    told: Figures = {"cores": listed(asked.peak[owner, CPU]), "gib": listed(asked.peak[owner, MEMORY])}
    if asked.quality is None:
        return told
    quality = asked.quality.set_index("workload").reindex(names)
    return told | {"stars": listed(quality["stars"]), "activity": [str(a) for a in quality["activity"]]}


class ReplicasQuestion(Question):
    """How many replicas an autoscaler wants."""

    kind: Literal["replicas"]
    current: tuple[float, ...] = ()
    metric: tuple[float, ...] = ()
    target: float = 1.0
    tolerance: float = 0.1
    in_flight: tuple[float, ...] = ()
    """Requests at once, instead of a metric."""
    at_once: float = 1.0
    """Requests that one replica takes; `target` is the share of them that is filled."""

    def figures(self) -> Figures:
        """By the metric, and by requests in flight."""
        wanted = desired_replicas(np.array(self.current), np.array(self.metric), self.target, self.tolerance)
        called = for_requests(np.array(self.in_flight), self.at_once, self.target)
        return {"replicas": listed(wanted), "replicas for requests": listed(called)}


class PackingQuestion(Question):
    """How many boxes hold all items, and how few could."""

    kind: Literal["packing"]
    size: tuple[tuple[float, ...], ...]
    """[item][resource]."""
    count: tuple[int, ...] = ()
    """[item], none: one each."""
    room: tuple[tuple[float, ...], ...]
    """[box][resource]."""
    usd: tuple[float, ...] = ()
    """[box], none: 1 each."""
    effort: float = 1.0
    """0: first fit decreasing only."""

    def figures(self) -> Figures:
        """Boxes, what they cost, the proved bound, and what is left over."""
        count = np.array(self.count or [1] * len(self.size), np.int64)
        boxes = Boxes(np.array(self.room), np.array(self.usd or [1.0] * len(self.room)))
        found = pack(Items(np.array(self.size), count), boxes, effort=self.effort)
        opened, left = float(found.opened.sum()), float(found.unplaced.sum())
        return {"boxes": opened, "usd": found.usd, "bound": found.bound_usd, "left over": left}


class FactKey(Table):
    """Which figure of the shipped books."""

    topic: str
    key: str
    metric: str


class FactsQuestion(Question):
    """What the shipped books say of figures that are no prices."""

    kind: Literal["facts"]
    facts: tuple[FactKey, ...] = Field(min_length=1)

    def figures(self) -> Figures:
        """The values, in order."""
        with Store(":memory:") as store:
            books = store.catalog()
        return {"values": [float(books.fact(f.topic, f.key, f.metric)["value"]) for f in self.facts]}
