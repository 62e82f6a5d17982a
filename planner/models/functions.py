"""Functions: paid by the call and by the memory held while it runs; capacity follows every call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from math import ceil
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from planner.catalog import Catalog
from planner.demand import Demand, as_calls
from planner.errors import PriceBookError, near_miss
from planner.models._calls import METERS, Meter, in_flight
from planner.models._crossing import PerCall, figures
from planner.models._rented import (
    Rented,
    egress,
    inferred,
    left_out,
    migration,
    month_hours,
    moved,
    offered,
    sent_gib,
    support,
)
from planner.models._sized import Limits, Sized, sized
from planner.models._taken import Durable, Habits, cold, taken, warm_hours
from planner.models._tolls import Use, break_even, per_call_usd, tolls
from planner.plan import Category, Certificate, Line, Plan, in_proportion, metered, showback
from planner.quantities import CPU, MEMORY, SECONDS_PER_HOUR, Assumption

__all__ = ["Functions"]

Floats = NDArray[np.float64]

MB_PER_GIB = 1024.0


class Functions(Rented):
    """Every workload as calls: functions as they were measured, machines by the core-seconds they used."""

    kind: Literal["functions"] = "functions"
    title: ClassVar[str] = "Functions"
    native: ClassVar[tuple[str, ...]] = ("function",)

    arch: Literal["workload", "x86_64", "arm64"] = "workload"
    """Processor that functions run on, or that of each workload. Unit: name. Source: the user."""

    memory: Literal["measured", "optimised"] = "measured"
    """Whether functions keep the memory they were measured with, or get the size that costs least. Unit: name.
    Source: the user; alexcasalboni/aws-lambda-power-tuning for the second."""

    free_tier: bool = True
    """Whether the free monthly amounts are left to this estate. Unit: yes or no. Source: the user."""

    seconds_per_request: float = Field(default=0.1, gt=0)
    """Length of a call that a machine's work is cut into. Unit: s. Source: assumption of this planner, no published
    figure."""

    most_cores_per_call: float = Field(default=1.0, gt=0)
    """Threads that a call can keep busy, so memory above that many cores buys no speed. Unit: cores.
    Source: assumption of this planner: a call is one thread."""

    ephemeral_storage_mb: float = Field(default=512.0, ge=0)
    """Scratch disk of each running call. Unit: MB. Source: AWS Lambda documentation, FROM MEMORY."""

    ephemeral_free_mb: float = Field(default=512.0, ge=0)
    """Scratch disk that costs nothing. Unit: MB. Source: infracost@95ba4f49 lambda_function_test."""

    provisioned_concurrency: float = Field(default=0.0, ge=0)
    """Calls that each function is kept warm for. Unit: calls at once. Source: the user."""

    provisioned_hours: float = Field(default=730.0, ge=0)
    """How long they are kept warm, in the busiest periods first. Unit: hours a month. Source: the user."""

    concurrency_quota: float = Field(default=1000.0, gt=0)
    """Calls of one account at once before anyone asks for more. Unit: calls at once. Source: AWS Lambda documentation,
    FROM MEMORY."""

    quota_raised: bool = True
    """Whether more is asked for where needed; else what goes beyond the quota is not placed. Unit: yes or no.
    Source: AWS Lambda documentation (the quota is raised on request)."""

    requests_per_s_per_unit: float = Field(default=10.0, gt=0)
    """Calls a second that one unit of concurrency takes. Unit: calls/s. Source: AWS Lambda documentation,
    concurrency."""

    keep_alive_minutes: float = Field(default=10.0, ge=0)
    """How long an idle environment is kept; shorter pauses start warm. Unit: min. Source: Shahrad et al. 2020,
    "Serverless in the Wild" (fixed keep-alive of 10 to 20 minutes)."""

    cold_start_share: float | None = Field(default=None, ge=0, le=1)
    """Share of calls that start cold; none: by pauses between calls. Unit: fraction. Source: the user."""

    init_seconds: float = Field(default=0.0, ge=0)
    """Time that a cold start takes and is billed on top of the call. Unit: s. Source: the user; AWS bills it since
    2025-08-01, FROM MEMORY."""

    snapstart: bool = False
    """Whether functions start from a snapshot, which is kept all month and restored at each cold start.
    Unit: yes or no. Source: AWS Lambda pricing page (SnapStart)."""

    event_pollers: float = Field(default=0.0, ge=0)
    """Units that read queues and streams for the functions, on average over the month. Unit: pollers.
    Source: the user; AWS Lambda pricing page (provisioned mode of event source mappings)."""

    operations_per_call: float = Field(default=0.0, ge=0)
    """Steps, waits and checkpoints of durable functions. Unit: operations. Source: the user; AWS Lambda pricing page
    (durable functions)."""

    state_kib_per_call: float = Field(default=0.0, ge=0)
    """What a call of a durable function writes down. Unit: KiB. Source: the user."""

    state_days: float = Field(default=14.0, ge=0)
    """How long that is kept, the run itself included. Unit: days. Source: AWS Lambda pricing page (14 days after the
    run of a durable function)."""

    always_on_utilisation: float = Field(default=0.7, gt=0, le=1)
    """How full a machine that is always on may be, for the rate at which it costs the same. Unit: fraction.
    Source: knative/serving config-autoscaler (target of 70 %)."""

    duration_sku: str = ""
    """Meter of the run time; empty: the provider's first for the architecture. Unit: sku. Source: the user."""

    memory_min_mb: float | None = Field(default=None, gt=0)
    """Smallest size; none: the provider's. Unit: MB. Source: see the rules listed with each plan."""

    memory_max_mb: float | None = Field(default=None, gt=0)
    """Largest size; none: the provider's. Unit: MB. Source: see the rules listed with each plan."""

    memory_step_mb: float | None = Field(default=None, gt=0)
    """Step between sizes; none: the provider's. Unit: MB. Source: see the rules listed with each plan."""

    memory_sizes_mb: tuple[float, ...] = ()
    """The only sizes sold; none: the provider's. Unit: MB. Source: see the rules listed with each plan."""

    runtime_cores: float | None = Field(default=None, ge=0)
    """Cores that the runtime itself keeps busy, which slows small sizes down; none: the provider's. Unit: cores.
    Source: the user; the README of aws-lambda-power-tuning (35 s at 128 MB, 14 % cheaper in under 3 s at 1.5 GB) is met
    by 0.011."""

    mb_per_vcpu: float | None = Field(default=None, gt=0)
    """Memory that comes with a core; none: the provider's. Unit: MB. Source: see the rules listed with each plan."""

    rounding_ms: float | None = Field(default=None, gt=0)
    """Durations are rounded up to it; none: the provider's. Unit: ms. Source: see the rules listed with each plan."""

    minimum_ms: float | None = Field(default=None, ge=0)
    """Least billed duration; none: the provider's. Unit: ms. Source: see the rules listed with each plan."""

    duration_limit_s: float | None = Field(default=None, gt=0)
    """Longest call; none: the provider's. Unit: s. Source: see the rules listed with each plan."""

    @property
    def meter(self) -> Meter:
        """The provider's rules, with the fields that are set in their place.

        Raises:
            PriceBookError: no rules are known for the provider.
        """
        if self.provider not in METERS:
            raise PriceBookError(f"functions of {self.provider!r}: no rules; {near_miss(self.provider, METERS)}")
        own = {f.name: getattr(self, f.name, None) for f in fields(Meter)}
        changed = {name: value for name, value in own.items() if value is not None and value != ()}
        if self.memory_sizes_mb:
            sizes = tuple(sorted(self.memory_sizes_mb))
            changed |= {"memory_sizes_mb": sizes, "memory_min_mb": sizes[0], "memory_max_mb": sizes[-1], "ghz": ()}
        elif "memory_min_mb" in changed or "memory_max_mb" in changed or "memory_step_mb" in changed:
            changed |= {"memory_sizes_mb": (), "ghz": ()}
        return replace(METERS[self.provider], **changed)

    def plan(self, demand: Demand, catalog: Catalog, owned: Mapping[str, int] | None = None) -> Plan:
        """What all calls cost: exact, since calls do not share anything but the tiers of a month.

        Raises:
            PriceBookError: nothing is sold there, or functions, traffic or kept state have no price.
        """
        market = catalog.at(self.provider, self.region)
        asked = as_calls(demand, self.seconds_per_request)
        work = sized(asked, self.limits)
        served, run = asked.select(work.placed), work.only(work.placed)
        use = taken(self.habits, served, run)
        bill = tolls(market, use, self.duration_sku)
        traffic, guessed, _ = egress(self, market, served)
        lines = [*bill, *_state(market, served), *traffic]
        lines += support(self, market, lines)
        lines += migration(catalog, self.provider, "refactor", moved(served, self.native))
        least = tolls(market, replace(use, gb_seconds=use.least_gb_seconds), self.duration_sku)
        return Plan(
            model=self.kind,
            lines=tuple(lines),
            hours=demand.hours,
            provisioned=_provisioned(self, served, run),
            used=_used(self, served, run),
            boxes=_boxes(self, served, run, bill),
            placement=_placement(served, bill),
            cost_by_workload=_shown(served, use, lines, sent_gib(self, served)),
            unplaced=_unplaced(asked, work),
            certificate=_certificate(bill, least),
            assumptions=(*self.settings(), *asked.assumptions, *_rules(self.meter), *guessed),
            details=_details(self, (served, run, use), market),
        )

    @property
    def habits(self) -> Habits:
        """How functions start, are kept and keep."""
        return Habits(
            meter=self.meter,
            optimised=self.memory == "optimised",
            provisioned=(self.provisioned_concurrency, self.provisioned_hours),
            cold_start_share=self.cold_start_share,
            keep_alive_minutes=self.keep_alive_minutes,
            init_seconds=self.init_seconds,
            snapstart=self.snapstart,
            scratch_gb=max(0.0, self.ephemeral_storage_mb - self.ephemeral_free_mb) / MB_PER_GIB,
            durable=Durable(self.operations_per_call, self.state_kib_per_call, self.state_days),
            event_pollers=self.event_pollers,
            arch=self.arch,
            free=self.free_tier,
        )

    @property
    def limits(self) -> Limits:
        """What bounds the size and the number of calls."""
        quota = float("inf") if self.quota_raised else self.concurrency_quota
        sizing = (self.memory == "optimised", self.most_cores_per_call)
        return Limits(self.meter, *sizing, quota, self.requests_per_s_per_unit)


def _state(market: Catalog, served: Demand) -> list[Line]:
    """Disks of machines become objects: functions keep nothing between calls."""
    total = float(served.count @ np.nan_to_num(served.workloads["storage_gib"].to_numpy(float)))
    return metered(offered(market, "object_storage", ("standard", "hot")), total, "storage") if total > 0 else []


def _provisioned(model: Functions, served: Demand, run: Sized) -> Floats:
    """[period, resource], what is held while calls run, or kept warm for them."""
    kept = model.provisioned_concurrency * warm_hours(model.habits, served) / np.maximum(served.hours, 1e-12)
    flight = np.maximum(served.requests_per_s * run.billed[:, None], kept)
    held = (served.count * run.size_mb) @ flight
    out = np.zeros((len(served.hours), 4))
    out[:, CPU], out[:, MEMORY] = held / model.meter.mb_per_vcpu, held / MB_PER_GIB
    return out


def _used(model: Functions, served: Demand, run: Sized) -> Floats:
    """[period, resource], what is used on average, no more than calls get; memory only while a call runs."""
    flight = served.requests_per_s * run.seconds[:, None]
    got = served.requests_per_s * (run.billed * run.size_mb / model.meter.mb_per_vcpu)[:, None]
    memory = np.minimum(served.mean[:, :, MEMORY], flight * run.memory_gib[:, None])
    out = np.zeros((len(served.hours), 4))
    out[:, CPU], out[:, MEMORY] = served.count @ np.minimum(served.mean[:, :, CPU], got), served.count @ memory
    return out


def _peak(model: Functions, served: Demand, run: Sized) -> float:
    """Calls at once: the mean of the busiest period."""
    flight = in_flight(served.requests_per_s, run.seconds, model.requests_per_s_per_unit)
    return float((served.count @ flight).max(initial=0.0))


def _details(model: Functions, ran: tuple[Demand, Sized, Use], market: Catalog) -> dict[str, float]:
    served, run, use = ran
    peak = _peak(model, served, run)
    calls = served.count * (served.requests_per_s @ served.hours)
    told = {
        "calls_per_month": float(calls.sum() * SECONDS_PER_HOUR),
        "gb_seconds_measured": float(calls @ (run.seconds * run.memory_gib) * SECONDS_PER_HOUR),
        "gb_seconds_billed": float(calls @ (run.billed * run.size_mb) * SECONDS_PER_HOUR / MB_PER_GIB),
        "peak_concurrency": peak,
        "concurrency_above_quota": max(0.0, peak - model.concurrency_quota),
        "cold_start_share": float(calls @ cold(model.habits, served) / calls.sum()) if calls.sum() > 0 else 0.0,
    }
    arch = str(use.arch[0]) if len(use.arch) else "x86_64"
    return told | break_even(market, arch, model.duration_sku) | _crossing(model, (served, use), market, arch)


def _crossing(model: Functions, ran: tuple[Demand, Use], market: Catalog, arch: str) -> dict[str, float]:
    """From which rate on a machine that is always on costs less than the calls do."""
    served, use = ran
    told = served.workloads[["seconds_per_request", "cores_per_request", "memory_gib_per_request"]].to_numpy(float)
    calls = PerCall(per_call_usd(market, use, model.duration_sku), *told.T)
    rate = served.requests_per_s @ served.hours / month_hours(served.hours)
    return figures(calls, (served.count.astype(float), rate), market, arch, model.always_on_utilisation)


def _sku(bill: list[Line]) -> str:
    kinds = ("function_duration", "function_provisioned_duration", "function_memory")
    return next((e.sku for kind in kinds for e in bill if e.offer_kind == kind), "function")


def _boxes(model: Functions, served: Demand, run: Sized, bill: list[Line]) -> pd.DataFrame:
    """Environments at once: for calls as they come, and those kept warm."""
    flight, kept = ceil(_peak(model, served, run) - 1e-9), model.provisioned_concurrency * float(served.count.sum())
    counts = {"on_demand": flight, "provisioned": ceil(kept)}
    rows = [(_sku(bill), model.provider, model.region, term, n) for term, n in counts.items() if n > 0]
    return pd.DataFrame(rows, columns=["sku", "provider", "region", "term", "count"])


def _placement(served: Demand, bill: list[Line]) -> pd.DataFrame:
    """Each workload has environments of its own, numbered like the workloads."""
    named = served.members["workload"].reset_index(drop=True)
    return pd.DataFrame({"workload": named, "replica": 0, "sku": _sku(bill), "box": np.arange(len(named))})


def _shown(served: Demand, use: Use, lines: list[Line], sent: Floats) -> pd.DataFrame:
    """By what each workload's calls take of the meters; capacity kept warm but not used is idle.

    Traffic goes by what a member of a class sends out, `sent` [class].
    """
    owner = served.members["class"].to_numpy(np.int64)
    weight = (use.weight(lines) / np.maximum(served.count, 1))[owner]
    kept = np.nan_to_num(served.workloads["storage_gib"].to_numpy(float))[owner]
    shares: dict[Category, Floats] = {
        "compute": weight,
        "network": in_proportion(sent[owner]),
        "storage": in_proportion(kept),
    }
    return showback(lines, served.members["workload"].tolist(), shares)


def _unplaced(asked: Demand, work: Sized) -> pd.DataFrame:
    return left_out(asked, {i: str(work.reason[i]) for i in np.flatnonzero(~work.placed).tolist()})


def _certificate(bill: list[Line], least: list[Line]) -> Certificate:
    usd, bound = (sum(e.usd_per_month for e in lines) for lines in (bill, least))
    form = "every call is billed at the size it was given; where sizes are chosen, no size takes fewer GB-seconds"
    return Certificate(usd, min(bound, usd), form, {"version": 1, "closed_form": form})


def _rules(meter: Meter) -> list[Assumption]:
    """The rules in force, those of the provider and those set."""
    units = {"mb": "MB", "ms": "ms", "s": "s", "vcpu": "MB", "cores": "cores"}
    told = [
        (f.name, getattr(meter, f.name)) for f in fields(Meter) if f.name not in ("source", "memory_sizes_mb", "ghz")
    ]
    return [inferred(f"functions: {n} in force", v, units[n.rsplit("_", 1)[1]], meter.source) for n, v in told]
