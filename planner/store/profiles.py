"""From reduced columns to a Demand: periods filled, sizes settled, equal workloads folded. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.demand import TRAFFIC_COLUMNS, Demand, Policy
from planner.errors import ScenarioError
from planner.quantities import CPU, GPU, HOURS_PER_WEEK, MEMORY, RESOURCES, SECONDS_PER_HOUR, STORAGE
from planner.store.folding import averaged, folded
from planner.store.inferred import Case, inferred

__all__ = ["Reduced", "build", "fill_periods"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

STAFFING: Final = {0.01: 2.375, 0.05: 1.761, 0.2: 1.16}
"""Q of the square-root rule by the chance that a request waits. Unit: number.
Source: Halfin and Whitt 1981; Netflix service-capacity-modeling@dc69307 models/common.py."""

LEAST_MB: Final = 128.0
"""Smallest function memory. Unit: MB. Source: AWS Lambda documentation, memory from 128 MB."""

LEAST_STAFF: Final = 1e-6
"""Keeps the need of a function that is never called above nothing. Unit: requests at once. Source: DESIGN choice."""


@dataclass(frozen=True)
class Reduced:
    """A recording reduced by SQL: W workloads, each named by its row number."""

    workloads: pd.DataFrame
    """[W] rows of table workloads, with the whole-recording columns of sql/demand.sql beside them."""
    usage: pd.DataFrame
    """Rows number, period, cpu_busy, cpu_mean, memory_busy, memory_mean, requests_per_s."""
    calls: pd.DataFrame
    """Rows number, period, concurrency, requests_per_s."""
    quality: pd.DataFrame
    hours: float
    """Hours of the clock from the first sample to the last, inside the window."""
    traffic: pd.DataFrame | None = None
    """Rows caller, callee, requests_per_s, mib_per_s; None where none is told."""

    def column(self, name: str) -> Floats:
        """[W] one column of `workloads` as numbers, NaN where unknown."""
        return self.workloads[name].to_numpy(np.float64, na_value=np.nan).copy()


def build(reduced: Reduced, policy: Policy, growth_per_year: float) -> Demand:
    """The demand that a reduced recording tells, sized by `policy`.

    Raises:
        ScenarioError: sizes are needed that neither recording nor policy gives.
    """
    sampled = (reduced.column("cpu_amounts") + reduced.column("cpu_shares")) > 0
    functions = (reduced.workloads["kind"] == "function").to_numpy(bool) & ~sampled
    cores, gib = (_size(reduced, policy, what, functions) for what in ("cpu", "memory"))
    sized = reduced.workloads.assign(cpu_cores=cores, memory_gib=gib)
    case = Case(sized, reduced.workloads, policy, functions, reduced.hours)
    busy, mean, requests = _machines(reduced, policy, case)
    if functions.any():
        sized = _staffed(reduced, policy, case, (busy, mean, requests))
    assumptions = inferred(case, busy)
    workloads, of = folded(sized, busy, requests, policy.hours_per_month)
    if len(workloads) < len(of):
        busy = busy[np.unique(of, return_index=True)[1]]
    return Demand(
        workloads=workloads,
        members=pd.DataFrame({"workload": sized["workload"].to_numpy(), "class": of}),
        hours=np.full(policy.periods, policy.hours_per_month / policy.periods),
        busy=busy,
        mean=averaged(mean, of),
        requests_per_s=averaged(requests, of),
        traffic=_traffic(reduced.traffic, policy),
        growth_per_year=growth_per_year,
        quality=reduced.quality,
        assumptions=assumptions,
    )


def _traffic(rows: pd.DataFrame | None, policy: Policy) -> pd.DataFrame | None:
    """Mebibytes a second as GiB of the month that is planned."""
    if rows is None:
        return None
    gib = rows["mib_per_s"] * policy.hours_per_month * SECONDS_PER_HOUR / 1024
    return rows.assign(gib_per_month=gib)[list(TRAFFIC_COLUMNS)]


def _size(reduced: Reduced, policy: Policy, what: Literal["cpu", "memory"], functions: Mask) -> Floats:
    """[W] allocated cores or GiB; where only the assumed size can tell, the workload's share of it, by default all;
    NaN where unknown and not needed."""
    column, assumed = (
        ("cpu_cores", policy.assumed_cpu_cores) if what == "cpu" else ("memory_gib", policy.assumed_memory_gib)
    )
    size = reduced.column(column)
    shares = reduced.column(f"{what}_shares") > 0
    unmeasured = reduced.column(f"{what}_amounts") == 0
    needed = np.isnan(size) & ~functions & (shares | unmeasured | (policy.sizing == "allocated"))
    if needed.any() and assumed is None:
        how = f"tells the {what} of {needed.sum():,} workloads " + ("in percent only" if shares.any() else "nowhere")
        hint = f"state {'cores' if what == 'cpu' else 'GiB'} as assumed_{column} under [demand]"
        raise ScenarioError(f"[demand] assumed_{column}: missing; the recording {how} and no size of them; {hint}")
    share = np.nan_to_num(reduced.column(f"{what}_share"), nan=1.0)
    size[needed] = np.nan if assumed is None else assumed * share[needed]
    return size


def fill_periods(values: Floats, days: int) -> Floats:
    """Periods never seen, filled along the last axis of [W, P].

    A recording of fewer than 7 `days` repeats: the same hour `days`, or a multiple, before. What was not seen then
    either is the mean of what was. Rows without any value stay NaN.

    >>> fill_periods(np.array([[1.0, np.nan, 3.0]]), 7)
    array([[1., 2., 3.]])
    """
    if not np.isnan(values).any():
        return values
    filled = values
    for step in range(days, 7, days) if values.shape[1] == HOURS_PER_WEEK else ():
        filled = np.where(np.isnan(filled), np.roll(values, 24 * step, axis=1), filled)
    seen = ~np.isnan(values)
    count = seen.sum(axis=1, keepdims=True)
    total = np.where(seen, values, 0.0).sum(axis=1, keepdims=True)
    mean = np.divide(total, count, where=count > 0, out=np.full(total.shape, np.nan))
    return np.where(np.isnan(filled), mean, filled)


def _scatter(rows: pd.DataFrame, column: str, shape: tuple[int, int]) -> Floats:
    """Rows of (number, period, value) as an array [W, P], NaN where there is no row."""
    values = np.full(shape, np.nan)
    told = rows[column].to_numpy(np.float64, na_value=np.nan)
    if not np.isnan(told).all():
        values[rows["number"].to_numpy(), rows["period"].to_numpy()] = told
    return values


def _machines(reduced: Reduced, policy: Policy, case: Case) -> tuple[Floats, Floats, Floats]:
    """busy and mean [W, P, R] and requests [W, P] of all that is no function; zeros where it is."""
    shape = (len(reduced.workloads), policy.periods)
    busy, mean = np.zeros((*shape, len(RESOURCES))), np.zeros((*shape, len(RESOURCES)))
    busy[:, :, CPU], mean[:, :, CPU] = _measured(reduced, policy, case, "cpu")
    busy[:, :, MEMORY], mean[:, :, MEMORY] = _measured(reduced, policy, case, "memory")
    for resource, column in ((GPU, "gpus"), (STORAGE, "storage_gib")):
        if (told := np.nan_to_num(reduced.column(column))).any():
            busy[:, :, resource] = mean[:, :, resource] = told[:, None]
    requests = fill_periods(_scatter(reduced.usage, "requests_per_s", shape), case.days)
    return busy, mean, _first_told(requests, reduced.column("told_requests_per_s"), np.zeros(shape[0]))


def _measured(reduced: Reduced, policy: Policy, case: Case, what: Literal["cpu", "memory"]) -> tuple[Floats, Floats]:
    """busy and mean [W, P] of CPU or memory: by samples, else by the recording's summary, else as allocated."""
    shape = (len(reduced.workloads), policy.periods)
    size = case.sized["cpu_cores" if what == "cpu" else "memory_gib"].to_numpy(np.float64)
    room = 1.0 + policy.headroom
    high, average = (share / 100 * size for share in case.summary(what))
    none = np.zeros(shape[0])
    if policy.sizing == "allocated":
        need = _first_told(np.full(shape, np.nan), size, none)
    else:
        seen = fill_periods(_scatter(reduced.usage, f"{what}_busy", shape), case.days)
        need = _first_told(np.multiply(seen, room, out=seen), high * room, size, none)
    use = fill_periods(_scatter(reduced.usage, f"{what}_mean", shape), case.days)
    return need, _first_told(use, average, size, none)


def _first_told(values: Floats, *others: Floats) -> Floats:
    """[W, P] values, and where there is none the first of the `others` [W] that tells one."""
    for other in others:
        if (unknown := np.isnan(values)).any():
            values = np.where(unknown, other[:, None], values)
    return values


def _staffed(reduced: Reduced, policy: Policy, case: Case, arrays: tuple[Floats, Floats, Floats]) -> pd.DataFrame:
    """Writes the functions' rows of busy, mean and requests; the workloads with what a request takes."""
    busy, mean, requests = arrays
    rows = case.functions
    shape = (len(reduced.workloads), policy.periods)
    rate = np.nan_to_num(fill_periods(_scatter(reduced.calls, "requests_per_s", shape), case.days))[rows]
    concurrency = np.nan_to_num(fill_periods(_scatter(reduced.calls, "concurrency", shape), case.days))[rows]
    seconds = np.nan_to_num(reduced.column("seconds_per_request"))[rows, None]
    gib = reduced.column("memory_gib_per_request")[rows, None]
    share = np.clip(np.maximum(gib * 1024, LEAST_MB) / policy.mb_per_vcpu, 0.0, 1.0)
    cores = np.where(np.isnan(known := reduced.column("cores_per_request")[rows, None]), share, known)
    staff = concurrency + STAFFING[policy.wait_probability] * np.sqrt(concurrency)
    room = 1.0 + policy.headroom
    busy[rows, :, CPU] = np.maximum(staff, LEAST_STAFF) * cores * room
    busy[rows, :, MEMORY] = np.maximum(1.0, np.ceil(staff)) * gib * room
    mean[rows, :, CPU] = rate * seconds * cores
    mean[rows, :, MEMORY] = rate * seconds * gib
    requests[rows] = rate
    whole = reduced.column("cores_per_request")
    whole[rows] = cores[:, 0]
    return case.sized.assign(cores_per_request=whole)
