"""Infrastructure as a service: one machine, one instance, on the best mix of terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from planner.catalog import Catalog
from planner.demand import Demand
from planner.models._chosen import Fleet, Rules, chosen
from planner.models._credits import credit_lines, earning
from planner.models._instances import HELD, limiting, types
from planner.models._machines import architecture, disk_needs, machine_of, machines
from planner.models._purchase import Purchase, purchase
from planner.models._rented import (
    Rented,
    administrators,
    egress,
    left_out,
    migration,
    month_hours,
    moved,
    sent_gib,
    support,
)
from planner.models._volumes import volumes
from planner.plan import Category, Certificate, Line, Plan, in_proportion, showback
from planner.quantities import CPU, GPU, MEMORY, STORAGE, Assumption

__all__ = ["Iaas"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


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

    size_flexible: bool = True
    """Whether a reservation covers other sizes of its family, where the books tell their sizes. Unit: yes or no.
    Source: Amazon EC2 user guide, "How Reserved Instances are applied" (regional, Linux, shared tenancy)."""

    burst: Literal["within_credits", "unlimited"] = "within_credits"
    """Whether a burstable type must live on the credits it earns, or buys more where they are sold. Unit: name.
    Source: Amazon EC2 user guide, standard and unlimited mode."""

    burstable_baseline: float = Field(default=0.2, ge=0, le=1)
    """Mean CPU, as a share of its cores, up to which a machine may be a burstable type whose credits the books do not
    tell, so that it earns what it spends. Unit: fraction. Source: AWS EC2 user guide, baseline per vCPU of t3.small
    and t3.medium (20 %)."""

    schedule: Literal["always", "when_used"] = "always"
    """Whether machines run all hours, or stop in the periods in which they do next to nothing. Unit: name.
    Source: the user."""

    idle_share: float = Field(default=0.05, ge=0, le=1)
    """Needed CPU, as a share of the machine's busiest period, below which a scheduled machine is stopped.
    Unit: fraction. Source: Azure Migrate business case (a server below 5 % is idle), MicrosoftDocs/azure-docs."""

    disk_gib: float = Field(default=64.0, ge=0)
    """Disk of a machine whose trace does not tell. Unit: GiB. Source: assumption of this planner; smallest common
    system disk with some data."""

    disk_kib_per_operation: float = Field(default=16.0, ge=0)
    """Size of an operation of a disk whose operations the trace tells, for its throughput. Unit: KiB. Source: Amazon
    EBS user guide (operations of volumes are stated at 16 KiB)."""

    disks_kept: Literal["always", "while_running"] = "always"
    """Whether the disk of a stopped machine is kept and paid for, or made anew when it starts. Unit: name.
    Source: the user."""

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
        kinds = types(market, self.terms, self.families, self.categories, month_hours(demand.hours))
        hosts, parts = machines(demand, self.guest_os_memory_gib, kinds)
        fleet = chosen(self._rules, hosts, kinds, earning(market, kinds), parts)
        paid = purchase(kinds, fleet.counts(hosts), demand.hours, self.size_flexible)
        served = demand.select(fleet.placed[machine_of(hosts, demand)])
        traffic, guessed, _ = egress(self, market, served)
        hosted = hosts.select(fleet.placed)
        need, more = disk_needs(hosted, self.disk_gib, self.disk_kib_per_operation)
        kept = self._disk_months(fleet.running[fleet.placed] @ demand.hours, demand.hours)
        lines = [*paid.lines, *credit_lines(market, kinds, fleet.credits(hosts))]
        lines += [*volumes(market, need, hosted.count * kept, ("gp3", "balanced")), *traffic]
        lines += support(self, market, lines)
        lines += administrators(catalog, float(hosted.count.sum()), self.vms_per_admin)
        lines += migration(catalog, self.provider, "rehost", moved(served, self.native))
        return _plan(self, (hosts, fleet, need.gib), lines, paid, (*demand.assumptions, *guessed, *more))

    @property
    def _rules(self) -> Rules:
        idle = self.idle_share if self.schedule == "when_used" else None
        return Rules(idle, self.burstable_baseline, self.burst == "unlimited")

    def _disk_months(self, runs: Floats, hours: Floats) -> Floats:
        """[class], share of the month that its disk is paid for."""
        always = np.ones(len(runs))
        return always if self.disks_kept == "always" else runs / max(month_hours(hours), 1e-9)


def _plan(
    model: Iaas,
    planned: tuple[Demand, Fleet, Floats],
    lines: list[Line],
    paid: Purchase,
    guessed: tuple[Assumption, ...],
) -> Plan:
    hosts, fleet, disk = planned
    usd = sum(entry.usd_per_month for entry in lines if entry.offer_kind in {"vm", "cpu_credits"})
    form = "each machine on the cheapest type that holds it; types and terms of one machine do not touch another's"
    if model.schedule == "when_used":
        form = "sum over periods of weight x cheapest hour of what runs, no mix of terms goes below it"
    bound = min(usd, fleet.floor_usd)
    return Plan(
        model=model.kind,
        lines=tuple(lines),
        hours=hosts.hours,
        provisioned=_provisioned(hosts, fleet, disk),
        used=_used(hosts, fleet),
        boxes=paid.boxes,
        placement=_placement(hosts, fleet),
        cost_by_workload=_shown(hosts, fleet, lines, (sent_gib(model, hosts), _over(fleet.placed, disk))),
        unplaced=_unplaced(hosts, fleet),
        certificate=Certificate(usd, bound, form, {"version": 1, "closed_form": form}),
        assumptions=(*model.settings(), *guessed),
        details={**fleet.limits(hosts), **paid.details},
    )


def _provisioned(hosts: Demand, fleet: Fleet, disk: Floats) -> Floats:
    out = np.zeros((len(hosts.hours), 4))
    out[:, [CPU, MEMORY, GPU]] = fleet.counts(hosts) @ fleet.kinds.capacity
    out[:, STORAGE] = float(disk @ hosts.count[fleet.placed])
    return out


def _used(hosts: Demand, fleet: Fleet) -> Floats:
    """[period, resource], what machines use on average while they are on."""
    on = fleet.running * (hosts.count * fleet.placed)[:, None]
    return np.asarray(np.einsum("wp,wpr->pr", on, np.where(fleet.placed[:, None, None], hosts.mean, 0.0)))


def _members(hosts: Demand, fleet: Fleet) -> tuple[pd.DataFrame, Ints]:
    """Members on instances, and the class of each."""
    owner = hosts.members["class"].to_numpy(np.int64)
    kept = fleet.placed[owner]
    return hosts.members[kept].reset_index(drop=True), owner[kept]


def _placement(hosts: Demand, fleet: Fleet) -> pd.DataFrame:
    """Each member on its instances; members of one application share theirs."""
    members, owner = _members(hosts, fleet)
    parts = fleet.parts[owner]
    rank = members.groupby("class").cumcount().to_numpy(np.int64) if len(members) else owner
    first = np.minimum(rank, hosts.count[owner] // parts - 1) * parts
    row = np.repeat(np.arange(len(owner)), parts)
    replica = np.arange(len(row)) - np.repeat(np.cumsum(parts) - parts, parts)
    sku = fleet.kinds.sku[fleet.chosen[owner]][row]
    number = owner[row] * (1 + int(hosts.count.max(initial=0))) + first[row] + replica
    instance = pd.Series(pd.factorize(number)[0])
    box = instance.groupby(sku).transform(lambda numbers: pd.factorize(numbers)[0]) if len(instance) else instance
    named = members["workload"].to_numpy(object)[row]
    return pd.DataFrame({"workload": named, "replica": replica, "sku": sku.astype(object), "box": box})


def _over(placed: Bools, amount: Floats) -> Floats:
    """[class], an amount of those that are placed; 0 for the others."""
    out = np.zeros(len(placed))
    out[placed] = amount
    return out


def _shown(hosts: Demand, fleet: Fleet, lines: list[Line], gib: tuple[Floats, Floats]) -> pd.DataFrame:
    """By what each machine's instance costs; the part of an instance that its machine never needs is idle.

    Traffic and disks go by what a machine of a class sends out and keeps, `gib` [class].
    """
    members, owner = _members(hosts, fleet)
    kinds, chosen = fleet.kinds, fleet.chosen[owner]
    price = np.minimum(kinds.used, kinds.committed)[chosen] * (fleet.running[owner] @ hosts.hours)
    inside = hosts.count[owner] / np.maximum(np.bincount(owner, minlength=len(hosts.workloads))[owner], 1)
    part = price * inside / max(float((price * inside).sum()), 1e-300)
    needed = (hosts.peak[owner][:, [CPU, MEMORY]] / kinds.capacity[chosen][:, [CPU, MEMORY]]).mean(axis=1)
    share = part * np.clip(needed, 0.0, 1.0)
    network, storage = (in_proportion(inside * each[owner]) for each in gib)
    shares: dict[Category, Floats] = {"compute": share, "storage": storage, "network": network}
    return showback(lines, members["workload"].tolist(), shares)


def _unplaced(hosts: Demand, fleet: Fleet) -> pd.DataFrame:
    kinds, arch, need = fleet.kinds, architecture(hosts), hosts.peak[:, : len(HELD)]
    left = np.flatnonzero(~fleet.placed).tolist()
    return left_out(hosts, {i: limiting(need[i], kinds.capacity[kinds.arch == arch[i]]) for i in left})
