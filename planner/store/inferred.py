"""What a demand was measured by and what was inferred on the way, told as assumptions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.demand import Policy
from planner.quantities import CPU, HOURS_PER_WEEK, MEMORY, Assumption

__all__ = ["Case", "inferred"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One reduction: the workloads with their sizes settled, as recorded, and by which policy."""

    sized: pd.DataFrame
    recorded: pd.DataFrame
    policy: Policy
    functions: NDArray[np.bool_]
    """[W] sized by calls, not by samples."""
    hours: float
    """Hours of the clock from the first sample to the last."""

    @property
    def days(self) -> int:
        """Whole days of the recording, at least one: what a short one repeats by."""
        return max(1, int(self.hours // 24)) if np.isfinite(self.hours) else 1

    def summary(self, what: str) -> tuple[Floats, Floats]:
        """[W] percent to size by and on average, as the recording's own table tells; NaN where it does not.

        `what` is cpu or memory. One reading alone is what is used on average; more is planned for by the stated spread.
        """
        mean, p95, most = self._told(what)
        spread, level = getattr(self.policy, f"reading_{what}_spread"), getattr(self.policy, f"{what}_percentile")
        spread_out = np.minimum(mean * spread, np.maximum(mean, 100.0))
        order = (p95, most, spread_out) if level <= 95 else (most, p95, spread_out)
        return _first(*order), _first(mean, p95, most)

    def read_once(self, what: str) -> NDArray[np.bool_]:
        """[W] whether one reading is all that is told of CPU or memory."""
        mean, p95, most = self._told(what)
        return ~np.isnan(mean) & np.isnan(p95) & np.isnan(most)

    def _told(self, what: str) -> tuple[Floats, Floats, Floats]:
        mean, p95, most = (self._recorded(f"{what}_percent_{name}") for name in ("mean", "p95", "max"))
        return mean, p95, most

    def _recorded(self, name: str) -> Floats:
        return self.recorded[name].to_numpy(np.float64, na_value=np.nan)

    def measured(self, what: str) -> NDArray[np.bool_]:
        """[W] whether there are samples of CPU or memory."""
        return (self._recorded(f"{what}_amounts") + self._recorded(f"{what}_shares")) > 0


def _first(*columns: Floats) -> Floats:
    """The first of `columns` that is known."""
    best = columns[-1]
    for column in reversed(columns[:-1]):
        best = np.where(np.isnan(column), best, column)
    return best


def inferred(case: Case, busy: Floats) -> tuple[Assumption, ...]:
    """What was measured and what was inferred; `busy` [W, P, R] before folding."""
    return tuple(
        entry
        for entry in (
            *_sampled(case),
            *_assumed(case),
            *_told(case, "cpu", "CPU"),
            *_told(case, "memory", "memory"),
            *_unsampled(case),
            *_periods(case),
            *_calls(case),
            *_odd(case, busy),
        )
        if entry.value
    )


def _sampled(case: Case) -> list[Assumption]:
    told = [("cpu", "CPU", case.policy.cpu_percentile), ("memory", "memory", case.policy.memory_percentile)]
    return [
        Assumption(
            f"demand.{what}_measured", int((case.measured(what) & ~case.functions).sum()), "workloads",
            f"samples of the recording; {name} sized by their percentile {level:g}", measured=True,
        )
        for what, name, level in told
    ]  # fmt: skip


def _assumed(case: Case) -> list[Assumption]:
    told = []
    for column, unit, value in (
        ("cpu_cores", "cores", case.policy.assumed_cpu_cores),
        ("memory_gib", "GiB", case.policy.assumed_memory_gib),
    ):
        untold = case.recorded[column].isna() & case.sized[column].notna()
        count = int(untold.sum())
        shares = int((untold & case.recorded[f"{column.split('_')[0]}_share"].notna()).sum())
        parts = f", {shares:,} of them as shares of the largest machine, which is that large" if shares else ""
        source = f"stated by the scenario; {count:,} workloads whose size the recording does not tell{parts}"
        told.append(Assumption(f"demand.assumed_{column}", value if count else None, unit, source))
    return told


def _told(case: Case, what: str, name: str) -> list[Assumption]:
    """What a table tells of machines that have no samples: by figures over time, or by one reading."""
    unmeasured = ~case.functions & ~case.measured(what)
    once = unmeasured & case.read_once(what)
    summary = unmeasured & ~once & ~np.isnan(case.summary(what)[0])
    spread = getattr(case.policy, f"reading_{what}_spread")
    return [
        Assumption(f"demand.{what}_by_summary", int(summary.sum()), "workloads",
                   f"no samples: the recording's own average and P95 of {name} (maximum above percentile 95, or where "
                   "there is no P95) in every period"),
        Assumption(f"demand.{what}_by_one_reading", int(once.sum()), "workloads",
                   f"no samples: one reading of {name} in every period, {spread:g} times as much planned for "
                   f"(demand.reading_{what}_spread), at most all that is allocated"),
    ]  # fmt: skip


def _unsampled(case: Case) -> list[Assumption]:
    machine = ~case.functions
    cpu, memory = (machine & ~case.measured(w) & np.isnan(case.summary(w)[0]) for w in ("cpu", "memory"))
    born, died = case.recorded["created_at"], case.recorded["deleted_at"]
    ended = (born > born.min()) | (died < died.max())
    return [
        Assumption("demand.cpu_as_allocated", int(cpu.sum()), "workloads", "CPU not measured: needed as allocated"),
        Assumption("demand.memory_as_allocated", int(memory.sum()), "workloads",
                   "memory not measured: needed and used as allocated"),
        Assumption("demand.lifetimes_ignored", int((machine & ended.to_numpy(bool)).sum()), "workloads",
                   "created late or deleted early: planned as if they ran all the time"),
        Assumption("demand.as_allocated", case.policy.sizing == "allocated", "true or false",
                   "the scenario asks for sizes as allocated"),
    ]  # fmt: skip


def _periods(case: Case) -> list[Assumption]:
    if case.policy.periods == 1 or case.hours >= (HOURS_PER_WEEK if case.policy.periods == HOURS_PER_WEEK else 24):
        return []
    source = "shorter than the profile: repeated by whole days; hours never seen are the mean of those seen"
    return [Assumption("demand.recorded_hours", round(case.hours, 2), "h", source)]


def _calls(case: Case) -> list[Assumption]:
    count = int(case.functions.sum())
    policy = case.policy
    unknown = case.functions & case.recorded["seconds_unknown"].to_numpy(bool)
    blank = case.functions & case.recorded["memory_unknown"].to_numpy(bool)
    return [
        Assumption("demand.functions_by_calls", count, "functions",
                   "calls a minute, average duration and allocated memory of the recording", measured=True),
        Assumption("demand.mb_per_vcpu", policy.mb_per_vcpu if count else None, "MB",
                   "cores of a function from its memory; AWS Lambda documentation"),
        Assumption("demand.wait_probability", policy.wait_probability if count else None, "probability",
                   "instances by the square-root rule, Halfin-Whitt; Netflix service-capacity-modeling@dc69307"),
        Assumption("demand.function_seconds_inferred", int(unknown.sum()), "functions",
                   "duration unknown: the mean of the other calls, or as the scenario states"),
        Assumption("demand.assumed_seconds_per_request",
                   policy.assumed_seconds_per_request if count and unknown.all() else None, "s",
                   "stated by the scenario; the recording tells how many requests, not how long they run"),
        Assumption("demand.function_memory_inferred", int(blank.sum()), "functions",
                   "memory unknown: the mean of the other calls, or as the scenario states"),
    ]  # fmt: skip


def _odd(case: Case, busy: Floats) -> list[Assumption]:
    told = []
    for resource, column, name in ((CPU, "cpu_cores", "CPU"), (MEMORY, "memory_gib", "memory")):
        size = case.sized[column].to_numpy(np.float64, na_value=np.nan)
        above = int((busy[:, :, resource].max(axis=1, initial=0.0) > size * (1 + 1e-9)).sum())
        source = f"{name} needed with headroom is above what is allocated; not cut off"
        told.append(Assumption(f"demand.{column}_above_allocated", above, "workloads", source, measured=True))
    return told
