"""Demand: what must run over a typical week, as arrays; and the policy that turns samples into sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from planner.quantities import HOURS_PER_MONTH, RESOURCES, Assumption

__all__ = ["QUALITY_COLUMNS", "WORKLOAD_COLUMNS", "Demand", "Policy", "concat"]

Floats = NDArray[np.float64]

WORKLOAD_COLUMNS = (
    "workload",  # name of the class: the name of its first member
    "count",  # members of the class
    "kind",  # vm | function | container | server
    "owner",
    "application",
    "cpu_cores",  # allocated, per member; NaN where unknown
    "memory_gib",  # allocated, per member; NaN where unknown
    "gpus",
    "storage_gib",  # allocated, per member; NaN where unknown
    "arch",  # x86_64 | arm64
    "residency",  # a region or jurisdiction it may not leave; empty: anywhere
    "spread_group",  # members of one group keep apart; empty: no such wish
    "interruptible",  # bool: may be stopped at two minutes' notice
    "scales_out",  # bool: known to run as replicas behind a load balancer
    "seconds_per_request",  # NaN where the trace has no requests
    "memory_gib_per_request",
    "cores_per_request",  # cores busy while one request runs
    "network_gib_per_month",  # sent out; NaN where unknown
    "disk_iops",  # NaN where unknown
)
"""Columns of `Demand.workloads`, one row a class of workloads that the policy makes identical."""

QUALITY_COLUMNS = ("workload", "stars", "activity", "samples", "expected_samples", "gaps")
"""Columns of `Demand.quality`, one row a workload (not a class)."""


class Policy(BaseModel):
    """How samples become sizes: the service level that every deployment model must meet alike."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    cpu_percentile: float = Field(default=95.0, ge=0, le=100)
    """Share of samples of a period that the planned CPU must cover. Unit: percent.
    Source: Azure Migrate assessment calculation (P95 of the history), MicrosoftDocs/azure-docs@050c9345."""

    memory_percentile: float = Field(default=100.0, ge=0, le=100)
    """Share of samples of a period that the planned memory must cover; short memory kills, so the maximum.
    Unit: percent. Source: robusta-dev/krr@d6baa74 strategies/simple.py (memory by maximum)."""

    headroom: float = Field(default=0.15, ge=0, le=10)
    """Room kept above the percentile, for CPU and memory. Unit: fraction.
    Source: robusta-dev/krr@d6baa74 strategies/simple.py (15 % buffer)."""

    window_days: float | None = Field(default=None, gt=0)
    """Only the last so many days of the trace count; none: all of it. Unit: days. Source: the user."""

    profile: Literal["hour_of_week", "hour_of_day", "single"] = "hour_of_week"
    """Periods that demand is told apart by: 168, 24 or 1. Unit: name. Source: DESIGN choice, set by the user."""

    sizing: Literal["measured", "allocated"] = "measured"
    """Sizes from what was used, or from what was allocated (as-is migration). Unit: name. Source: the user."""

    assumed_cpu_cores: float | None = Field(default=None, gt=0)
    """Size of machines whose trace tells percentages only. Unit: cores. Source: the user."""

    assumed_memory_gib: float | None = Field(default=None, gt=0)
    """Memory of machines whose trace tells percentages only. Unit: GiB. Source: the user."""

    wait_probability: Literal[0.01, 0.05, 0.2] = 0.05
    """Chance that a request waits, by which request-shaped workloads are staffed (square-root rule).
    Unit: probability. Source: Halfin-Whitt; Netflix service-capacity-modeling@dc69307 models/common.py."""

    mb_per_vcpu: float = Field(default=1769.0, gt=0)
    """Function memory that comes with one full vCPU; turns memory into cores and back. Unit: MB.
    Source: AWS Lambda documentation, quoted 2026-09-20 (datasets/prices facts, aws lambda memory per vCPU)."""

    @property
    def periods(self) -> int:
        """How many periods the profile has."""
        return {"hour_of_week": 168, "hour_of_day": 24, "single": 1}[self.profile]


@dataclass(frozen=True)
class Demand:
    """What must run: W classes of workloads over P periods in R resources (`RESOURCES`).

    Sizes are per member of a class and already hold percentile and headroom (`busy`); `mean` is what is used
    on average and holds neither. A VM-shaped workload has ``requests_per_s`` 0.
    """

    workloads: pd.DataFrame
    """One row a class, columns `WORKLOAD_COLUMNS`."""
    members: pd.DataFrame
    """One row a workload: ``workload`` (its name) and ``class`` (row of `workloads`)."""
    hours: Floats
    """[period], hours a month; they sum to 730."""
    busy: Floats
    """[class, period, resource], what must be provided for one member."""
    mean: Floats
    """[class, period, resource], what one member uses on average."""
    requests_per_s: Floats
    """[class, period], mean requests a second of one member."""
    growth_per_year: float = 0.0
    """Fraction by which demand grows in a year: lead times and commitments look ahead with it."""
    quality: pd.DataFrame | None = None
    """One row a workload, columns `QUALITY_COLUMNS`."""
    assumptions: tuple[Assumption, ...] = ()
    """What was measured and what was inferred on the way here."""

    def __post_init__(self) -> None:
        """Checks that the arrays agree.

        Raises:
            ValueError: shapes differ or the hours are no month.
        """
        w, p, r = len(self.workloads), len(self.hours), len(RESOURCES)
        if self.busy.shape != (w, p, r) or self.mean.shape != (w, p, r) or self.requests_per_s.shape != (w, p):
            raise ValueError(f"demand: expected arrays over {w} classes, {p} periods and {r} resources")
        if p and abs(float(self.hours.sum()) - HOURS_PER_MONTH) > 1e-6:
            raise ValueError(f"demand: hours sum to {self.hours.sum()}, expected {HOURS_PER_MONTH}")

    @property
    def count(self) -> NDArray[np.int64]:
        """[class], members of each class."""
        return self.workloads["count"].to_numpy(np.int64)

    @property
    def peak(self) -> Floats:
        """[class, resource], the busiest period of one member: what a box that never changes must hold."""
        if not self.busy.shape[1]:
            return np.zeros((self.busy.shape[0], self.busy.shape[2]))
        return np.asarray(self.busy.max(axis=1))

    @property
    def used(self) -> Floats:
        """[period, resource], what the whole estate uses on average."""
        return np.einsum("w,wpr->pr", self.count.astype(float), self.mean)

    def grown(self, years: float) -> Demand:
        """The same estate `years` later: every workload uses, needs and serves more by the growth rate."""
        factor = (1.0 + self.growth_per_year) ** years
        scale = np.array([factor, factor, 1.0, factor])
        workloads = self.workloads.copy()
        for column in ("cpu_cores", "memory_gib", "storage_gib", "network_gib_per_month", "disk_iops"):
            workloads[column] = workloads[column] * factor
        return replace(
            self,
            workloads=workloads,
            busy=self.busy * scale,
            mean=self.mean * scale,
            requests_per_s=self.requests_per_s * factor,
        )

    def select(self, rows: Sequence[int] | NDArray[np.int64] | NDArray[np.bool_]) -> Demand:
        """Only the classes of `rows` (positions or a mask), members renumbered."""
        position = np.arange(len(self.workloads))[np.asarray(rows)]
        renumber = pd.Series(np.arange(len(position)), index=position)
        members = self.members[self.members["class"].isin(position)]
        return replace(
            self,
            workloads=self.workloads.iloc[position].reset_index(drop=True),
            members=members.assign(**{"class": members["class"].map(renumber)}).reset_index(drop=True),
            busy=self.busy[position],
            mean=self.mean[position],
            requests_per_s=self.requests_per_s[position],
        )


def concat(demands: Sequence[Demand]) -> Demand:
    """One demand out of several over the same periods.

    Raises:
        ValueError: there is none, or their periods differ.
    """
    if not demands or any(not np.array_equal(d.hours, demands[0].hours) for d in demands):
        raise ValueError("demands to join must exist and share their periods")
    offsets = np.cumsum([0, *(len(d.workloads) for d in demands[:-1])])
    members = [d.members.assign(**{"class": d.members["class"] + o}) for d, o in zip(demands, offsets, strict=True)]
    qualities = [d.quality for d in demands if d.quality is not None]
    return replace(
        demands[0],
        workloads=pd.concat([d.workloads for d in demands], ignore_index=True),
        members=pd.concat(members, ignore_index=True),
        busy=np.concatenate([d.busy for d in demands]),
        mean=np.concatenate([d.mean for d in demands]),
        requests_per_s=np.concatenate([d.requests_per_s for d in demands]),
        quality=pd.concat(qualities, ignore_index=True) if qualities else None,
        assumptions=tuple(dict.fromkeys(a for d in demands for a in d.assumptions)),
    )
