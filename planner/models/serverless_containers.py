"""Serverless containers: instances of allowed sizes, billed by the second; capacity follows within seconds."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from planner.catalog import Catalog
from planner.demand import Demand, by_application, concat
from planner.errors import PriceBookError, near_miss
from planner.models._container_bill import Tariff, bill, free_usd, tariffs
from planner.models._container_plan import (
    Fleet,
    boxes,
    certificate,
    details,
    placement,
    provisioned,
    shown,
    unplaced,
    used,
)
from planner.models._container_rules import RULES, Ladder, Mode, Rules, shapes
from planner.models._container_sizing import Asked, Manner, asked, choose
from planner.models._crossing import PerCall, figures
from planner.models._rented import (
    Rented,
    disks,
    egress,
    inferred,
    migration,
    month_hours,
    moved,
    offered,
    sent_gib,
    support,
)
from planner.models._units import names
from planner.plan import Line, Plan, metered
from planner.quantities import GPU, SECONDS_PER_HOUR, Assumption

__all__ = ["ServerlessContainers"]

Floats = NDArray[np.float64]


class ServerlessContainers(Rented):
    """Each workload in containers of the cheapest allowed size: by the request, by the job, or as long as they run."""

    kind: Literal["serverless_containers"] = "serverless_containers"
    title: ClassVar[str] = "Serverless containers"
    native: ClassVar[tuple[str, ...]] = ("container",)

    arch: Literal["workload", "x86_64", "arm64"] = "workload"
    """Processor that containers run on, or that of each workload. Unit: name. Source: the user."""

    windows: bool = False
    """Whether containers run Windows and pay for it by the core. Unit: yes or no. Source: the user."""

    billing: Literal["cheapest", "instance", "request", "job"] = "cheapest"
    """How what is called by requests is billed; what is not is billed as long as it runs. Unit: name.
    Source: the user."""

    service: Literal["provider", "function", "application"] = "provider"
    """What one service holds: a function, or all short ones of its application; by provider: applications where
    services never stop, functions where they do. Unit: name. Source: Shahrad et al. 2020, "Serverless in the Wild",
    section 2 (an application is the unit of deployment)."""

    spot: bool = True
    """Whether what may be interrupted runs on spot capacity where it is sold. Unit: yes or no. Source: the user."""

    free_tier: bool = True
    """Whether the free monthly amounts are left to this estate. Unit: yes or no. Source: the user."""

    kubernetes: bool = False
    """Whether containers are pods of a managed cluster, with its control plane. Unit: yes or no. Source: the user."""

    pod_overhead_gib: float = Field(default=0.25, ge=0)
    """Memory that components of Kubernetes take of each pod. Unit: GiB. Source: awsdocs/amazon-eks-user-guide
    fargate-pod-configuration.md (256 MB)."""

    pod_most_cores: float = Field(default=16.0, gt=0)
    """Largest pod of a managed cluster. Unit: cores. Source: awsdocs/amazon-eks-user-guide
    fargate-pod-configuration.md."""

    control_plane_sku: str = ""
    """Which control plane; empty: the provider's standard one. Unit: sku. Source: the user."""

    concurrency: float | None = Field(default=None, ge=1)
    """Requests that one instance takes at once; none: the provider's. Unit: requests. Source: see the rules listed with
    each plan."""

    target_utilisation: float = Field(default=0.7, gt=0, le=1)
    """Share of an instance's requests and cores that is filled before another starts. Unit: fraction.
    Source: knative/serving config-autoscaler (container-concurrency-target-percentage, 70 %)."""

    arrivals: Literal["random", "even"] = "random"
    """Whether requests come as they like, so the last instance is seldom full, or fill instances evenly, as published
    examples reckon. Unit: name. Source: the user."""

    min_instances: int = Field(default=0, ge=0)
    """Instances of each workload that are kept. Unit: instances. Source: the user."""

    schedule: Literal["always", "when_used"] = "always"
    """Whether what is not called by requests runs all hours, or stops in the periods in which it does next to nothing.
    Unit: name. Source: the user."""

    idle_share: float = Field(default=0.05, ge=0, le=1)
    """Needed CPU, as a share of the busiest period, below which what is scheduled is stopped. Unit: fraction.
    Source: Azure Migrate business case (a server below 5 % is idle), MicrosoftDocs/azure-docs."""

    job_seconds: float = Field(default=60.0, ge=0)
    """Length from which a request may be a job with an instance of its own. Unit: s. Source: the least time that
    Fargate and Cloud Run bill a job for."""

    ephemeral_storage_gib: float = Field(default=0.0, ge=0)
    """Scratch disk of each instance. Unit: GiB. Source: the user."""

    volume_gib: float = Field(default=16.0, ge=0)
    """Kept disk of a machine that becomes a container, where the trace does not tell. Unit: GiB. Source: assumption of
    this planner, no published figure."""

    load_balancers: int = Field(default=1, ge=0)
    """Load balancers before services, where the provider brings none. Unit: load balancers. Source: the user; one
    ingress."""

    gib_per_capacity_hour: float = Field(default=1.0, gt=0)
    """Traffic that one capacity unit of a load balancer passes in an hour. Unit: GiB/h.
    Source: infracost@95ba4f49 lb_test (1,000 GB a month are 1.3698 units)."""

    keep_alive_minutes: float = Field(default=15.0, ge=0)
    """How long an idle instance stays warm; shorter pauses start warm. Unit: min. Source: Cloud Run documentation,
    FROM MEMORY."""

    always_on_utilisation: float = Field(default=0.7, gt=0, le=1)
    """How full a machine that is always on may be, for the rate at which it costs the same. Unit: fraction.
    Source: as `target_utilisation`."""

    shapes: tuple[Ladder, ...] = ()
    """Sizes sold: cores, and the least and most GiB sold with them, and the step; none: the provider's. Unit: cores and
    GiB. Source: see the rules listed with each plan."""

    rounding_s: float | None = Field(default=None, ge=0)
    """Times are rounded up to it; none: the provider's. Unit: s. Source: see the rules listed with each plan."""

    minimum_s: float | None = Field(default=None, ge=0)
    """Least billed time; none: the provider's. Unit: s. Source: see the rules listed with each plan."""

    windows_minimum_s: float = Field(default=300.0, ge=0)
    """Least billed time of Windows. Unit: s. Source: vantage.sh/blog/fargate-pricing, FROM MEMORY."""

    cooldown_s: float | None = Field(default=None, ge=0)
    """How long the last instance is billed after it was last needed; none: the provider's. Unit: s. Source: see the
    rules listed with each plan."""

    request_limit_s: float | None = Field(default=None, gt=0)
    """Longest request, beyond which only a job will do; none: the provider's. Unit: s. Source: see the rules
    listed with each plan."""

    storage_free_gib: float | None = Field(default=None, ge=0)
    """Scratch disk that costs nothing; none: the provider's. Unit: GiB. Source: see the rules listed with each plan."""

    idle_cores: float | None = Field(default=None, ge=0)
    """Use below which an instance counts as idle; none: the provider's. Unit: cores. Source: see the rules listed with
    each plan."""

    @property
    def rules(self) -> Rules:
        """The provider's rules, with the fields that are set in their place.

        Raises:
            PriceBookError: no rules are known for the provider.
        """
        if self.provider not in RULES:
            known = near_miss(self.provider, RULES)
            raise PriceBookError(f"serverless containers of {self.provider!r}: no rules; {known}")
        least = max(self.minimum_s or 0.0, self.windows_minimum_s) if self.windows else self.minimum_s
        own = ("concurrency", "rounding_s", "cooldown_s", "request_limit_s", "storage_free_gib", "idle_cores")
        return RULES[self.provider].changed(minimum_s=least, **{name: getattr(self, name) for name in own})

    @property
    def sizes(self) -> Floats:
        """[shape, (cores, GiB)], all sizes that may be used."""
        ladders = self.shapes or RULES[self.provider].ladders
        return shapes(ladders, self.pod_most_cores if self.kubernetes else inf)

    def plan(self, demand: Demand, catalog: Catalog, owned: Mapping[str, int] | None = None) -> Plan:
        """Each workload on its cheapest size and way of billing: exact, since workloads share only free amounts.

        Raises:
            PriceBookError: nothing is sold there, or containers, traffic or disks have no price.
        """
        market = catalog.at(self.provider, self.region)
        services, rules = self._services(demand), self.rules
        work = asked(services, self.arch)
        sold, manner = self._tariffs(market, rules, work), self._manner(rules)
        chosen = choose(work, self.sizes, sold, manner)
        placed = (chosen.tariff >= 0) & (services.peak[:, GPU] <= 0)
        served, parts = services.select(placed), _parts(demand, services, placed)
        fleet = Fleet(served, work.only(placed), chosen.only(placed), self.sizes, tuple(sold), manner)
        toll = bill(market, fleet.meters(), self.free_tier)
        traffic, guessed, sent = egress(self, market, parts)
        volumes, more = self._volumes(served)
        lines = [*toll, *self._around(market, fleet, sent), *traffic]
        lines += disks(market, volumes, served.count, ("gp3", "balanced"))
        lines += support(self, market, lines)
        lines += migration(catalog, self.provider, "replatform", moved(served, self.native))
        return Plan(
            model=self.kind,
            lines=tuple(lines),
            hours=demand.hours,
            provisioned=provisioned(fleet, volumes),
            used=used(fleet),
            boxes=boxes(fleet, rules.plan, (self.provider, self.region)),
            placement=placement(fleet, rules.plan),
            cost_by_workload=shown(fleet, lines, sent_gib(self, served), volumes),
            unplaced=unplaced(services, work, placed, (self.sizes, manner)),
            certificate=certificate(fleet, toll, free_usd(market, sold, self.free_tier)),
            assumptions=(*self.settings(), *demand.assumptions, *_told(rules), *guessed, *more),
            details={**details(fleet, self.keep_alive_minutes), **self._crossing(fleet, market)},
        )

    def _services(self, demand: Demand) -> Demand:
        """The demand with short functions of one application as one workload, where they share a service."""
        stop = any(b.mode == "request" for b in RULES[self.provider].billings) if self.provider in RULES else True
        short = names(demand, "kind") == "function"
        short &= ~(demand.workloads["seconds_per_request"].to_numpy(float) >= self.job_seconds)
        if self.service == "function" or (self.service == "provider" and stop) or not short.any():
            return demand
        return concat([demand.select(~short), by_application(demand.select(short))])

    def _tariffs(self, market: Catalog, rules: Rules, work: Asked) -> list[Tariff]:
        """All tariffs that the setting allows; what is not called is billed as long as it runs in any case."""
        arches = sorted(set(work.arch.tolist()))
        sold = tariffs(market, rules, arches, self.windows, self.spot)
        only: set[Mode] = {"instance", "request", "job"} if self.billing == "cheapest" else {self.billing, "instance"}
        kept = [t for t in sold if t.billing.mode in only]
        offers = {t.billing.mode for t in kept}
        if sold and self.billing != "cheapest" and self.billing not in offers:
            raise PriceBookError(
                f"{self.provider} bills no containers by {self.billing}; {near_miss(self.billing, offers)}"
            )
        return kept

    def _manner(self, rules: Rules) -> Manner:
        return Manner(
            concurrency=rules.concurrency,
            target=self.target_utilisation,
            even=self.arrivals == "even",
            min_instances=self.min_instances,
            overhead_gib=self.pod_overhead_gib if self.kubernetes else 0.0,
            storage_gib=max(0.0, self.ephemeral_storage_gib - rules.storage_free_gib),
            job_s=0.0 if self.billing == "job" else self.job_seconds,
            request_limit_s=rules.request_limit_s,
            idle_cores=rules.idle_cores,
            idle_share=self.idle_share if self.schedule == "when_used" else 0.0,
            only_asked=self.billing in ("request", "job"),
        )

    def _volumes(self, served: Demand) -> tuple[Floats, list[Assumption]]:
        """[class], GiB that are kept: what the trace tells, else a disk for what was a machine."""
        known = served.workloads["storage_gib"].to_numpy(float)
        stateless = np.isin(names(served, "kind"), ("function", "container"))
        guess = np.isnan(known) & ~stateless
        told = inferred(f"{self.kind}: disks assumed", int(served.count[guess].sum()), "disks", "no reading")
        return np.where(np.isnan(known), np.where(stateless, 0.0, self.volume_gib), known), [
            told
        ] if guess.any() else []

    def _around(self, market: Catalog, fleet: Fleet, sent_gib: float) -> list[Line]:
        """Control plane, and the load balancer of services where the provider brings none."""
        month = month_hours(fleet.served.hours)
        lines: list[Line] = []
        if self.kubernetes and len(fleet.served.count):
            lines += metered(offered(market, "control_plane", ("standard",), self.control_plane_sku), month, "platform")
        if self.rules.balancer and fleet.services.any() and self.load_balancers:
            lines += metered(offered(market, "load_balancer"), self.load_balancers * month, "network")
            units = len(market.of("load_balancer_capacity")) > 0
            kind = "load_balancer_capacity" if units else "load_balancer_data"
            lines += metered(offered(market, kind), sent_gib / (self.gib_per_capacity_hour if units else 1), "network")
        return lines

    def _crossing(self, fleet: Fleet, market: Catalog) -> dict[str, float]:
        """From which rate on a machine that is always on costs less than what is billed by request or job."""
        rows = np.flatnonzero(fleet.work.called & (fleet.mode != "instance"))
        calls = (fleet.work.rate[rows] @ fleet.work.hours) * SECONDS_PER_HOUR
        asked_for = fleet.work.only(rows)
        usd = np.divide(fleet.chosen.usd[rows], calls, out=np.zeros(len(rows)), where=calls > 0)
        per_call = PerCall(usd, asked_for.seconds, asked_for.per_request[:, 0], asked_for.per_request[:, 1])
        often = calls / (SECONDS_PER_HOUR * month_hours(fleet.served.hours))
        arch = "x86_64" if self.arch == "workload" else self.arch
        return figures(
            per_call, (fleet.served.count[rows].astype(float), often), market, arch, self.always_on_utilisation
        )


def _parts(demand: Demand, services: Demand, placed: NDArray[np.bool_]) -> Demand:
    """The classes of `demand` that the placed classes of `services` are made of."""
    member = services.members.set_index("workload")["class"].reindex(demand.members["workload"])
    rows = demand.members["class"].to_numpy(np.int64)[placed[member.to_numpy(np.int64)]]
    return demand.select(np.isin(np.arange(len(demand.workloads)), rows))


def _told(rules: Rules) -> list[Assumption]:
    """The rules in force, those of the provider and those set."""
    what = "serverless_containers: {} in force"
    units = {"concurrency": "requests", "request_limit_s": "s", "storage_free_gib": "GiB", "idle_cores": "cores"}
    told = {n: (getattr(rules, n), unit) for n, unit in units.items()}
    for billing in rules.billings:
        for name in ("rounding_s", "minimum_s", "cooldown_s"):
            told[f"{billing.mode} {name}"] = getattr(billing, name), "s"
    return [
        inferred(what.format(n), v if isfinite(v) else "without end", unit, rules.source)
        for n, (v, unit) in told.items()
    ]
