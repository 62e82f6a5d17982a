"""Demand: what must run over a typical week, as arrays; and the policy that turns samples into sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from planner.quantities import CPU, HOURS_PER_MONTH, LONGEST_MONTH, MEMORY, RESOURCES, SHORTEST_MONTH, Assumption

__all__ = [
    "QUALITY_COLUMNS",
    "TRAFFIC_COLUMNS",
    "WORKLOAD_COLUMNS",
    "Demand",
    "Policy",
    "as_calls",
    "by_application",
    "concat",
    "core_seconds",
    "gb_seconds",
]

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


TRAFFIC_COLUMNS = ("caller", "callee", "requests_per_s", "gib_per_month")
"""Columns of `Demand.traffic`: names of workloads or applications, what the one asks of the other on average and what
goes between them both ways; NaN where unknown."""


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
    """Periods that demand is told apart by: 168, 24 or 1. Unit: name. Source: the user."""

    sizing: Literal["measured", "allocated"] = "measured"
    """Sizes from what was used, or from what was allocated (as-is migration). Unit: name. Source: the user."""

    assumed_cpu_cores: float | None = Field(default=None, gt=0)
    """Size of machines whose trace tells percentages only. Unit: cores. Source: the user."""

    assumed_memory_gib: float | None = Field(default=None, gt=0)
    """Memory of machines whose trace tells percentages only. Unit: GiB. Source: the user."""

    assumed_seconds_per_request: float | None = Field(default=None, gt=0, le=1e6)
    """How long a request runs where the recording tells how many there are and not how long. Unit: s.
    Source: the user."""

    reading_cpu_spread: float = Field(default=2.0, ge=1, le=100)
    """CPU to plan for over the one reading of an inventory that has no time series, at most all that is allocated.
    Unit: ratio. Source: Bitbrains GWA-T-12, P95 over mean of 50 machines in a month, median (2.00; its quartiles are
    1.23 and 2.20)."""

    reading_memory_spread: float = Field(default=1.57, ge=1, le=100)
    """Memory to plan for over the one reading of an inventory that has no time series, at most all that is allocated.
    Unit: ratio. Source: Google 2011 as VMs, maximum over mean in a day: 90 % of 800 machines stay below it."""

    wait_probability: Literal[0.01, 0.05, 0.2] = 0.05  # type: ignore[valid-type]  # pydantic takes numbers here
    """Chance that a request waits, by which request-shaped workloads are staffed (square-root rule).
    Unit: probability. Source: Halfin-Whitt; Netflix service-capacity-modeling@dc69307 models/common.py."""

    hours_per_month: float = Field(default=HOURS_PER_MONTH, ge=SHORTEST_MONTH, le=LONGEST_MONTH)
    """Length of the month that is planned and billed. Unit: h. Source: a year of 8,760 h over twelve months, as in the
    AWS and Azure price calculators; bills of a month of 30 or 31 days have 720 or 744."""

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
    """[period], hours a month; they sum to the length of the month that is billed, 730 unless the policy says."""
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
    traffic: pd.DataFrame | None = None
    """One row a pair that the recording tells of, columns `TRAFFIC_COLUMNS`; None where it tells no traffic."""

    def __post_init__(self) -> None:
        """Checks that the arrays agree.

        Raises:
            ValueError: shapes differ or the hours are no month.
        """
        w, p, r = len(self.workloads), len(self.hours), len(RESOURCES)
        if self.busy.shape != (w, p, r) or self.mean.shape != (w, p, r) or self.requests_per_s.shape != (w, p):
            raise ValueError(f"demand: expected arrays over {w} classes, {p} periods and {r} resources")
        if p and not SHORTEST_MONTH - 1e-6 <= float(self.hours.sum()) <= LONGEST_MONTH + 1e-6:
            raise ValueError(
                f"demand: hours sum to {self.hours.sum()}, expected a month of {SHORTEST_MONTH:g} to {LONGEST_MONTH:g}"
            )

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
        return np.asarray(np.einsum("w,wpr->pr", self.count.astype(float), self.mean))

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
            traffic=None if self.traffic is None else self.traffic.assign(**_times(self.traffic, factor)),
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


def _times(traffic: pd.DataFrame, factor: float) -> dict[str, pd.Series[float]]:
    return {name: traffic[name] * factor for name in ("requests_per_s", "gib_per_month")}


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
    traffic = [d.traffic for d in demands if d.traffic is not None]
    return replace(
        demands[0],
        workloads=pd.concat([d.workloads for d in demands], ignore_index=True),
        members=pd.concat(members, ignore_index=True),
        busy=np.concatenate([d.busy for d in demands]),
        mean=np.concatenate([d.mean for d in demands]),
        requests_per_s=np.concatenate([d.requests_per_s for d in demands]),
        quality=pd.concat(qualities, ignore_index=True) if qualities else None,
        traffic=pd.concat(traffic, ignore_index=True).drop_duplicates(ignore_index=True) if traffic else None,
        assumptions=tuple(dict.fromkeys(a for d in demands for a in d.assumptions)),
    )


def gb_seconds(core_seconds: Floats | float, memory_mb: Floats | float, mb_per_vcpu: float) -> Floats | float:
    """GB-seconds of calls that keep one thread busy for `core_seconds` and hold `memory_mb` the while.

    A thread gets a whole core only where the memory comes with one, so less than `mb_per_vcpu` is never taken.
    Source: AWS Lambda documentation (CPU in proportion to memory, one vCPU at 1,769 MB; 1 GB = 1,024 MB).

    >>> float(gb_seconds(1024.0, 512.0, 1769.0))
    1769.0
    """
    return core_seconds * np.maximum(memory_mb, mb_per_vcpu) / 1024.0


def core_seconds(gb_seconds: Floats | float, mb_per_vcpu: float) -> Floats | float:
    """Core-seconds that come with `gb_seconds` of a function: the reverse, where memory is all that was told.

    >>> core_seconds(1769.0, 1769.0)
    1024.0
    """
    return gb_seconds * 1024.0 / mb_per_vcpu


def as_calls(demand: Demand, seconds_per_request: float) -> Demand:
    """Workloads without requests as calls of one busy core each, `seconds_per_request` long; others unchanged.

    The working set of every call is the most memory the workload needs in any period; calls a second are its mean
    cores over `seconds_per_request`, since a call keeps one thread busy. Both are inferred and say so.
    Source: Little's law (requests in flight = requests a second x seconds).
    """
    rows = demand.workloads["seconds_per_request"].isna().to_numpy()
    if not rows.any():
        return demand
    workloads = demand.workloads.copy()
    workloads.loc[rows, "seconds_per_request"] = seconds_per_request
    workloads.loc[rows, "memory_gib_per_request"] = demand.peak[rows, MEMORY]
    workloads.loc[rows, "cores_per_request"] = 1.0
    rate = np.where(rows[:, None], demand.mean[:, :, CPU] / seconds_per_request, demand.requests_per_s)
    told = Assumption(
        "machines read as calls", int(demand.count[rows].sum()), "workloads", "core-seconds / seconds per request"
    )
    return replace(demand, workloads=workloads, requests_per_s=rate, assumptions=(*demand.assumptions, told))


def by_application(demand: Demand) -> Demand:
    """Functions of one application as one workload that needs what they need together; others unchanged.

    Members keep their names: several then belong to the same class of one. Source: an application is the unit of
    deployment (Shahrad et al. 2020, "Serverless in the Wild", section 2).
    """
    kinds, names = demand.workloads["kind"], demand.workloads["application"].fillna("").astype(str)
    merged = ((kinds == "function") & (names != "")).to_numpy()
    if not merged.any():
        return demand
    alone = pd.Series(np.arange(len(names))).astype(str).radd("\0")
    own = pd.Series(np.where(merged, demand.workloads["owner"].fillna("").astype(str) + "/" + names, alone))
    group, first = pd.factorize(own)[0], ~own.duplicated().to_numpy()
    workloads = demand.workloads[first].reset_index(drop=True)
    together = merged[first]
    workloads.loc[together, "workload"] = names[first][together].to_numpy()
    workloads.loc[together, "count"] = 1
    weight = np.where(merged, demand.count, 1).astype(float)
    workloads = _summed(workloads, demand.workloads, (group, weight, together))
    return replace(
        demand,
        workloads=workloads,
        members=demand.members.assign(**{"class": group[demand.members["class"].to_numpy(np.int64)]}),
        busy=_added(demand.busy, group, weight),
        mean=_added(demand.mean, group, weight),
        requests_per_s=_added(demand.requests_per_s, group, weight),
    )


def _added(values: Floats, group: NDArray[np.int64], weight: Floats) -> Floats:
    """Rows of `values` times `weight`, added up by `group`."""
    out = np.zeros((int(group.max()) + 1, *values.shape[1:]))
    np.add.at(out, group, values * weight.reshape(-1, *([1] * (values.ndim - 1))))
    return out


def _summed(
    into: pd.DataFrame, rows: pd.DataFrame, groups: tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]
) -> pd.DataFrame:
    """`into` with allocated sizes of the joined rows added up; what is unknown of one is unknown of all."""
    group, weight, together = groups
    for column in ("cpu_cores", "memory_gib", "storage_gib", "network_gib_per_month", "disk_iops"):
        added = _added(rows[column].to_numpy(float), group, weight)
        into[column] = np.where(together, added, into[column].to_numpy(float))
    for column in ("seconds_per_request", "memory_gib_per_request", "cores_per_request"):
        into[column] = np.where(together, np.nan, into[column].to_numpy(float))
    return into
