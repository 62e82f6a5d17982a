"""Several sites at once: each workload where it is best off, under residency, latency, shares and affinity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from planner.catalog import Catalog
from planner.demand import Demand
from planner.models._between import crowded, flows
from planner.models._case import Case, Rules, grouped, homes, units_of
from planner.models._deals import Terms
from planner.models._marginal import first
from planner.models._portfolio import Found, assembled
from planner.models._search import Hunt, best, everywhere, hunted, singles
from planner.models._sites import PORTFOLIO, Site, Traffic
from planner.models._units import names
from planner.models.base import DeploymentModel
from planner.optimise.placement import MOST_PAIRS, Wishes
from planner.plan import Plan

__all__ = ["MultiCloud", "Site", "Traffic"]

Bools = NDArray[np.bool_]


class MultiCloud(DeploymentModel):
    """A portfolio of sites, each a model at a provider in a region; on-premises is a site too.

    Every site is first planned for all that it may hold. What each workload is shown to cost there is its price in an
    assignment, whose answer is planned again site by site, until that no longer pays. Every site by itself is always
    among the candidates, so a free choice never costs more than the cheapest site alone.
    """

    kind: Literal["multi_cloud"] = "multi_cloud"
    title: ClassVar[str] = "Several sites"

    sites: tuple[Site, ...] = PORTFOLIO
    """Where workloads can run. Unit: tables. Source: the user; three clouds and a machine room as an example."""

    max_provider_share: float = Field(default=1.0, gt=0, le=1)
    """Most that one provider may carry of the cores that placed workloads need at their busiest: cores, as a share of
    cost would move with every price. Unit: fraction. Source: the user."""

    min_providers: int = Field(default=1, ge=1)
    """So many providers carry something; 2 keeps an exit open. Unit: providers. Source: the user."""

    max_latency_ms: float | None = Field(default=None, ge=0)
    """Farther sites are not used; none: no limit. Unit: ms. Source: the user."""

    jurisdictions: tuple[str, ...] = ()
    """Jurisdictions or regions that nothing may leave; none: only what the recording says of each workload.
    Unit: names. Source: the user."""

    affinity: Literal["application", "traffic"] = "application"
    """Whether workloads of one application stay together, where a site takes them all, or part where that saves more
    than the traffic between them costs. Unit: name. Source: the user; tiers of one application call each other."""

    together: tuple[tuple[str, ...], ...] = ()
    """Groups of applications or workloads that share a site. Unit: names. Source: the user."""

    apart: tuple[tuple[str, ...], ...] = ()
    """Groups of applications or workloads that are each at a site of their own. Unit: names. Source: the user."""

    traffic: tuple[Traffic, ...] = ()
    """What applications or workloads send each other; what crosses sites is paid. Unit: tables. Source: the user."""

    east_west_gib_per_workload: float = Field(default=10.0, ge=0)
    """What a workload sends to the others of its application, where applications may part and no traffic is told.
    Unit: GiB-month. Source: assumption of this planner, no published figure."""

    fleet_from_clusters: int = Field(default=2, ge=1)
    """From so many clusters on, each has an agent that keeps it as it should be, and a fleet manager. Unit: clusters.
    Source: assumption of this planner: a single cluster is managed by itself."""

    fleet_sku: str = "karmada-argocd-flux"
    """What manages a fleet. Unit: sku. Source: the user; price rows of kind platform."""

    agent_cpu_cores: float = Field(default=0.4, ge=0)
    """What the GitOps agent of a cluster asks for, billed as pods. Unit: cores. Source: FROM MEMORY, fluxcd/flux2
    manifests (four controllers of 100m)."""

    agent_memory_gib: float = Field(default=0.25, ge=0)
    """Memory of that agent. Unit: GiB. Source: FROM MEMORY, fluxcd/flux2 manifests (four controllers of 64Mi)."""

    spread_months: float | None = Field(default=None, gt=0)
    """Months over which what moving in costs once is spread where sites are compared; none: only what falls due every
    month is compared. Unit: months. Source: the horizon of the scenario, where there is one."""

    max_rounds: int = Field(default=2, ge=1)
    """How often sites are planned again at most. Unit: rounds. Source: assumption of this planner; it stops earlier
    where another round does not pay."""

    least_gain: float = Field(default=0.002, ge=0)
    """What an assignment must promise to save, as a share of the best plan so far, for its sites to be planned: packing
    them again differs by more. Unit: fraction. Source: measured on the shipped sample of 300 machines."""

    thorough: bool = False
    """Whether every two sites are tried by themselves and workloads moved one by one, each time planning sites again:
    for small portfolios. Unit: yes or no. Source: the user; hundreds of plans."""

    moves: int = Field(default=8, ge=0)
    """Single workloads that such a search moves at most. Unit: moves. Source: assumption of this planner."""

    most_pairs: int = Field(default=MOST_PAIRS, ge=1)
    """Pairs of workload and site up to which each application moves by itself; beyond, those of like gain move in
    groups. Unit: pairs. Source: planner.optimise.placement."""

    effort: float = Field(default=1.0, ge=0)
    """How long sites look for better packings, as a multiple of their own budget. Unit: ratio.
    Source: planner.optimise.packing."""

    @field_validator("sites")
    @classmethod
    def _each_name_once(cls, sites: tuple[Site, ...]) -> tuple[Site, ...]:
        called = [site.name for site in sites]
        twice = sorted({name for name in called if called.count(name) > 1})
        if twice:
            raise ValueError(f"each site has a name of its own, but {', '.join(twice)} stands twice")
        if not sites:
            raise ValueError("at least one site")
        return sites

    @property
    def keeps(self) -> bool:
        """Whether a site keeps its boxes; those of rented sites are told beside them and not kept."""
        return any(site.model.keeps for site in self.sites)

    def plan(self, demand: Demand, catalog: Catalog, owned: Mapping[str, int] | None = None) -> Plan:
        """The cheapest placement found and the plans of its sites.

        Boxes are named by site (``site/sku``), in what is answered and in `owned`; those of rented sites are not kept.

        Raises:
            PriceBookError: a site lacks a price that its model must have.
            InputError: a group or a flow names what is not there.
        """
        case = self._case(demand, catalog, owned or {})
        legal, why = self._legal(case)
        hunt, wishes = self._hunt(case, legal)
        free = replace(wishes, max_provider_share=1.0, min_providers=1)
        leaving = replace(free, min_providers=max(2, wishes.min_providers))
        alone = singles(hunt)
        for asked in dict.fromkeys((free, leaving, wishes)):
            self._searched(hunt, asked)
        chosen = best(hunt, wishes) or hunt.add(np.zeros((len(hunt.whole), len(case.sites)), np.int64))
        found = Found(hunt, chosen, alone, {"split": best(hunt, free), "exit": best(hunt, leaving)}, why)
        return assembled(self, found)

    def _case(self, demand: Demand, catalog: Catalog, owned: Mapping[str, int]) -> Case:
        kept: list[dict[str, int]] = [{} for _ in self.sites]
        for s, site in enumerate(self.sites):
            mine = {sku.removeprefix(f"{site.name}/"): n for sku, n in owned.items() if sku.startswith(f"{site.name}/")}
            kept[s] = mine if site.model.keeps else {}
        models = tuple(site.placed(self.effort) for site in self.sites)
        agent, months = (self.agent_cpu_cores, self.agent_memory_gib), self.spread_months or np.inf
        return Case(demand, catalog, self.sites, models, tuple(kept), agent, months)

    def _legal(self, case: Case) -> tuple[Bools, NDArray[np.object_]]:
        """[class, site], whether a class may be at a site; and why not, as text."""
        rules = Rules(self.max_latency_ms, self.jurisdictions)
        residency = names(case.demand, "residency")
        kinds, which = np.unique(residency.astype(str), return_inverse=True)
        told = np.array([[rules.against(site, r) for site in self.sites] for r in kinds], dtype=object)
        why = told.reshape(len(kinds), len(self.sites))[which.ravel()]
        return np.asarray(why == "", bool), why

    def _hunt(self, case: Case, legal: Bools) -> tuple[Hunt, Wishes]:
        """The search as it begins, and what its answer must keep to."""
        market = first(case, legal)
        joined = self.affinity == "application"
        unit = units_of(case.demand, market.able, joined=joined)
        many = int(unit.max(initial=-1)) + 1
        whole = np.zeros(many, bool)
        whole[unit[homes(case.demand) != ""]] = joined
        ends = flows(case.demand, unit, self.traffic, 0.0 if joined else self.east_west_gib_per_workload)
        terms = Terms(ends, self.fleet_sku, self.fleet_from_clusters)
        near = () if joined else crowded(case.demand, unit)
        wishes = Wishes(
            together=(*grouped(case.demand, unit, self.together), *near),
            apart=grouped(case.demand, unit, self.apart),
            max_provider_share=self.max_provider_share,
            min_providers=self.min_providers,
        )
        return Hunt(case, market, unit, whole, terms, self.most_pairs), wishes

    def _searched(self, hunt: Hunt, wishes: Wishes) -> None:
        """Adds deals under `wishes`, unless a deal that is best without them keeps to them."""
        hunted(hunt, wishes, self.max_rounds, self.least_gain)
        if self.thorough:
            everywhere(hunt, wishes, self.moves)
