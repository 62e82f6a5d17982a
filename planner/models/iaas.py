"""Infrastructure as a service: one machine, one instance, on the best mix of terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from planner.catalog import Catalog
from planner.demand import Demand, by_application
from planner.models._instances import HELD, Types, bought, limiting, types
from planner.models._rented import (
    Rented,
    administrators,
    disks,
    egress,
    inferred,
    left_out,
    migration,
    month_hours,
    support,
)
from planner.models._units import names
from planner.optimise.buying import floor, middle_share
from planner.plan import Certificate, Line, Plan, showback
from planner.quantities import CPU, GPU, MEMORY, STORAGE, Assumption

__all__ = ["Iaas"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

AT_ONCE = 20_000
"""Unit: classes compared with all types at once. Source: keeps the tables below some hundred MB."""


class Iaas(Rented):
    """Each machine on the cheapest instance type that holds it; functions of one application share a machine."""

    kind: Literal["iaas"] = "iaas"
    title: ClassVar[str] = "Cloud instances"

    terms: tuple[str, ...] = ("on_demand", "1y_no_upfront")
    """Terms that instances may be had on. Unit: names. Source: the user; price book column term."""

    families: tuple[str, ...] = ()
    """Instance families to choose from; none: all. Unit: names. Source: the user."""

    categories: tuple[str, ...] = ()
    """Instance categories to choose from; none: all. Unit: names. Source: the user."""

    burstable_baseline: float = Field(default=0.2, ge=0, le=1)
    """Mean CPU, as a share of its cores, up to which a machine may be a burstable type, so that it earns the credits
    it spends. Unit: fraction. Source: AWS EC2 user guide, baseline per vCPU of t3.small and t3.medium (20 %)."""

    schedule: Literal["always", "when_used"] = "always"
    """Whether machines run all hours, or stop in the periods in which they do next to nothing. Unit: name.
    Source: the user."""

    idle_share: float = Field(default=0.05, ge=0, le=1)
    """Needed CPU, as a share of the machine's busiest period, below which a scheduled machine is stopped.
    Unit: fraction. Source: Azure Migrate business case (a server below 5 % is idle), MicrosoftDocs/azure-docs."""

    disk_gib: float = Field(default=64.0, ge=0)
    """Disk of a machine whose trace does not tell. Unit: GiB. Source: assumption of this planner; smallest common
    system disk with some data."""

    vms_per_admin: float | None = Field(default=80.0, gt=0)
    """Virtual machines that one full-time administrator looks after; none: no labour. Unit: machines.
    Source: IDC via itbenchmark.wordpress.com (small and medium businesses, 80), as for own hypervisors."""

    guest_os_memory_gib: float = Field(default=0.5, ge=0)
    """Memory for the operating system of a machine that takes over functions. Unit: GiB. Source: Debian 12
    installation guide, recommended memory without desktop."""

    def plan(self, demand: Demand, catalog: Catalog, owned: Mapping[str, int] | None = None) -> Plan:
        """One instance a machine: an exact choice, since machines do not share.

        Raises:
            PriceBookError: nothing is sold there on these terms, or traffic or disks have no price.
        """
        market = catalog.at(self.provider, self.region)
        kinds = types(market, self.terms, self.families, self.categories)
        machines, parts = _machines(demand, self.guest_os_memory_gib, kinds)
        fleet = _fleet(self, machines, kinds, parts)
        instances, boxes = bought(kinds, fleet.counts(machines), demand.hours)
        served = demand.select(fleet.placed[_rows(machines, demand)])
        traffic, guessed, _ = egress(self, market, served)
        hosted = machines.select(fleet.placed)
        size, more = _disk_sizes(hosted, self.disk_gib)
        lines = [*instances, *disks(market, size, hosted.count, ("gp3", "balanced")), *traffic]
        lines += support(self, market, lines)
        lines += administrators(catalog, float(hosted.count.sum()), self.vms_per_admin)
        lines += migration(catalog, self.provider, "rehost", int(hosted.count.sum()))
        return _plan(self, (machines, fleet, size), lines, boxes, (*demand.assumptions, *guessed, *more))


@dataclass(frozen=True)
class _Fleet:
    """Which class of machines runs on which type, and when."""

    kinds: Types
    chosen: Ints
    """[class], position of its type; -1 where none holds it."""
    running: Bools
    """[class, period]."""
    parts: Ints
    """[class], instances that one workload (or application) runs on."""
    floor_usd: float
    """What no choice goes below, a month."""

    @property
    def placed(self) -> Bools:
        """[class], whether some type holds it."""
        return self.chosen >= 0

    def counts(self, machines: Demand) -> Ints:
        """[period, type], instances that run."""
        out = np.zeros((len(machines.hours), len(self.kinds.sku)), np.int64)
        rows = np.flatnonzero(self.placed)
        np.add.at(out.T, self.chosen[rows], self.running[rows] * machines.count[rows, None])
        return out


def _machines(demand: Demand, guest_os_memory_gib: float, kinds: Types) -> tuple[Demand, Ints]:
    """What gets instances of its own, and how many each: machines as they are, functions by application.

    What scales out and is too large for any type runs as equal parts; functions bring no operating system along.
    """
    whole = by_application(demand)
    function = names(whole, "kind") == "function"
    system = np.where(function, guest_os_memory_gib, 0.0)
    parts = _parts(whole, kinds, system)
    parts[~(function | whole.workloads["scales_out"].fillna(False).to_numpy(bool))] = 1
    workloads = whole.workloads.assign(count=whole.count * parts)
    for column in ("storage_gib", "cpu_cores", "memory_gib"):
        workloads[column] = workloads[column].to_numpy(float) / parts
    busy, mean = (values / parts[:, None, None] for values in (whole.busy, whole.mean))
    busy[:, :, MEMORY] += system[:, None]
    requests = whole.requests_per_s / parts[:, None]
    return replace(whole, workloads=workloads, busy=busy, mean=mean, requests_per_s=requests), parts


def _parts(whole: Demand, kinds: Types, system: Floats) -> Ints:
    """[class], into how many equal parts it must be cut so that the largest type of its architecture holds one."""
    need, arch = whole.peak[:, : len(HELD)], _arch(whole)
    out = np.ones(len(need), np.int64)
    for i in np.flatnonzero((need > kinds.capacity.max(axis=0) - [0, 1, 0] * system[:, None]).any(axis=1)):
        room = kinds.capacity[kinds.arch == arch[i]] - [0.0, system[i], 0.0]
        fraction = (room[:, need[i] > 0] / need[i][need[i] > 0]).min(axis=1)
        most = float(fraction.max(initial=0.0)) if np.isfinite(need[i]).all() else 0.0
        out[i] = int(np.ceil(1.0 / most - 1e-9)) if most > 0 else 1
    return out


def _disk_sizes(hosted: Demand, unknown_gib: float) -> tuple[Floats, list[Assumption]]:
    """[class], GiB of disk: what the trace tells, else `unknown_gib`."""
    known = hosted.workloads["storage_gib"].to_numpy(float)
    guessed = int(hosted.count[np.isnan(known)].sum())
    told = [inferred("iaas: machines whose disk is assumed", guessed, "machines", "the trace lacks it")]
    return np.where(np.isnan(known), unknown_gib, known), told if guessed else []


def _rows(machines: Demand, demand: Demand) -> Ints:
    """[class of demand], the class of machines that it became."""
    out = np.zeros(len(demand.workloads), np.int64)
    out[demand.members["class"].to_numpy(np.int64)] = machines.members["class"].to_numpy(np.int64)
    return out


def _fleet(model: Iaas, machines: Demand, kinds: Types, parts: Ints) -> _Fleet:
    """The cheapest type that holds each class, block by block."""
    running = _running(model, machines)
    month = month_hours(machines.hours)
    runs = running @ machines.hours
    chosen = np.full(len(runs), -1)
    share = middle_share(kinds.used, kinds.committed)
    under = floor(kinds.used, kinds.committed, machines.count.astype(float) @ running, machines.hours, share)
    least = np.zeros(len(runs))
    for rows, fits in _blocks(model, machines, kinds):
        usd = np.minimum(runs[rows, None] * kinds.used, month * kinds.committed)
        usd = np.where(fits, usd, np.inf)
        best = np.argmin(usd, axis=1)
        chosen[rows] = np.where(fits.any(axis=1), best, -1)
        cheapest = np.where(fits, under.usd, np.inf).min(axis=1)
        least[rows] = np.where(fits.any(axis=1), cheapest, 0.0) * (running[rows] @ under.weight)
        if model.schedule == "always":
            least[rows] = np.where(fits.any(axis=1), usd[np.arange(len(rows)), best], 0.0)
    return _Fleet(kinds, chosen, running, parts, float(least @ machines.count) if len(runs) else 0.0)


def _running(model: Iaas, machines: Demand) -> Bools:
    """[class, period], whether the machine is on."""
    if model.schedule == "always":
        return np.ones(machines.requests_per_s.shape, bool)
    need = machines.busy[:, :, CPU]
    return np.asarray(need > model.idle_share * need.max(axis=1, initial=0.0)[:, None])


def _arch(machines: Demand) -> NDArray[np.str_]:
    """[class], x86_64 where the trace does not tell."""
    told = names(machines, "arch")
    return np.where(told == "", "x86_64", told)


def _blocks(model: Iaas, machines: Demand, kinds: Types) -> Iterator[tuple[Ints, Bools]]:
    """Rows of classes, and [row, type] whether the type holds the row's peak, is of its architecture and may burst."""
    need, arch = machines.peak[:, : len(HELD)], _arch(machines)
    month = max(month_hours(machines.hours), 1e-9)
    mean = (machines.hours @ machines.mean[:, :, CPU].T) / month if len(need) else np.zeros(0)
    burst = kinds.category == "burstable"
    steady = mean[:, None] > model.burstable_baseline * kinds.capacity[burst, CPU]
    for start in range(0, len(need), AT_ONCE):
        rows = np.arange(start, min(start + AT_ONCE, len(need)))
        fits = arch[rows, None] == kinds.arch
        for r in range(len(HELD)):
            fits &= need[rows, r, None] <= kinds.capacity[:, r] * (1 + 1e-12)
        fits[:, burst] &= ~steady[rows]
        yield rows, fits


def _plan(
    model: Iaas,
    planned: tuple[Demand, _Fleet, Floats],
    lines: list[Line],
    boxes: pd.DataFrame,
    guessed: tuple[Assumption, ...],
) -> Plan:
    machines, fleet, disk = planned
    usd = sum(entry.usd_per_month for entry in lines if entry.offer_kind == "vm")
    form = "each machine on the cheapest type that holds it; types and terms of one machine do not touch another's"
    if model.schedule == "when_used":
        form = "sum over periods of weight x cheapest hour of what runs, no mix of terms goes below it"
    bound = min(usd, fleet.floor_usd)
    return Plan(
        model=model.kind,
        lines=tuple(lines),
        hours=machines.hours,
        provisioned=_provisioned(machines, fleet, disk),
        used=_used(machines, fleet),
        boxes=boxes,
        placement=_placement(machines, fleet),
        cost_by_workload=_shown(machines, fleet, lines),
        unplaced=_unplaced(machines, fleet),
        certificate=Certificate(usd, bound, form, {"version": 1, "closed_form": form}),
        assumptions=(*model.settings(), *guessed),
        details=_limits(machines, fleet),
    )


def _provisioned(machines: Demand, fleet: _Fleet, disk: Floats) -> Floats:
    out = np.zeros((len(machines.hours), 4))
    out[:, [CPU, MEMORY, GPU]] = fleet.counts(machines) @ fleet.kinds.capacity
    out[:, STORAGE] = float(disk @ machines.count[fleet.placed])
    return out


def _used(machines: Demand, fleet: _Fleet) -> Floats:
    """[period, resource], what machines use on average while they are on."""
    on = fleet.running * (machines.count * fleet.placed)[:, None]
    return np.asarray(np.einsum("wp,wpr->pr", on, np.where(fleet.placed[:, None, None], machines.mean, 0.0)))


def _members(machines: Demand, fleet: _Fleet) -> tuple[pd.DataFrame, Ints]:
    """Members on instances, and the class of each."""
    owner = machines.members["class"].to_numpy(np.int64)
    kept = fleet.placed[owner]
    return machines.members[kept].reset_index(drop=True), owner[kept]


def _placement(machines: Demand, fleet: _Fleet) -> pd.DataFrame:
    """Each member on its instances; members of one application share theirs."""
    members, owner = _members(machines, fleet)
    parts = fleet.parts[owner]
    rank = members.groupby("class").cumcount().to_numpy(np.int64) if len(members) else owner
    first = np.minimum(rank, machines.count[owner] // parts - 1) * parts
    row = np.repeat(np.arange(len(owner)), parts)
    replica = np.arange(len(row)) - np.repeat(np.cumsum(parts) - parts, parts)
    sku = fleet.kinds.sku[fleet.chosen[owner]][row]
    number = owner[row] * (1 + int(machines.count.max(initial=0))) + first[row] + replica
    instance = pd.Series(pd.factorize(number)[0])
    box = instance.groupby(sku).transform(lambda numbers: pd.factorize(numbers)[0]) if len(instance) else instance
    named = members["workload"].to_numpy(object)[row]
    return pd.DataFrame({"workload": named, "replica": replica, "sku": sku.astype(object), "box": box})


def _shown(machines: Demand, fleet: _Fleet, lines: list[Line]) -> pd.DataFrame:
    """By what each machine's instance costs; the part of an instance that its machine never needs is idle."""
    members, owner = _members(machines, fleet)
    kinds, chosen = fleet.kinds, fleet.chosen[owner]
    price = np.minimum(kinds.used, kinds.committed)[chosen] * (fleet.running[owner] @ machines.hours)
    inside = machines.count[owner] / np.maximum(np.bincount(owner, minlength=len(machines.workloads))[owner], 1)
    part = price * inside / max(float((price * inside).sum()), 1e-300)
    needed = (machines.peak[owner][:, [CPU, MEMORY]] / kinds.capacity[chosen][:, [CPU, MEMORY]]).mean(axis=1)
    share = part * np.clip(needed, 0.0, 1.0)
    disk = inside / max(float(inside.sum()), 1e-300)
    return showback(lines, members["workload"].tolist(), {"compute": share, "storage": disk, "network": disk})


def _unplaced(machines: Demand, fleet: _Fleet) -> pd.DataFrame:
    kinds, arch, need = fleet.kinds, _arch(machines), machines.peak[:, : len(HELD)]
    left = np.flatnonzero(~fleet.placed).tolist()
    return left_out(machines, {i: limiting(need[i], kinds.capacity[kinds.arch == arch[i]]) for i in left})


def _limits(machines: Demand, fleet: _Fleet) -> dict[str, float]:
    """How many instances each resource decided: the one that fills most of its instance."""
    rows = np.flatnonzero(fleet.placed)
    capacity = np.maximum(fleet.kinds.capacity[fleet.chosen[rows]], 1e-12)
    share = machines.peak[rows, : len(HELD)] / capacity * (fleet.kinds.capacity[fleet.chosen[rows]] > 0)
    decided = (
        np.bincount(np.argmax(share, axis=1), machines.count[rows], minlength=len(HELD)) if len(rows) else [0.0] * 3
    )
    names = ("instances_limited_by_cpu", "instances_limited_by_memory", "instances_limited_by_gpu")
    return {name: float(n) for name, n in zip(names, decided, strict=True)}
