"""The case of a portfolio: units of a demand, who may go where, and plans of sites that are made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.catalog import Catalog
from planner.demand import Demand
from planner.errors import InputError, near_miss
from planner.models._portions import portion, with_agent, without_agent
from planner.models._sites import CLUSTERS, Site
from planner.models._units import names
from planner.models.base import DeploymentModel
from planner.plan import Plan

__all__ = ["Case", "Rules", "grouped", "homes", "named", "units_of"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Rules:
    """Where workloads may be, whatever it costs."""

    max_latency_ms: float | None
    jurisdictions: tuple[str, ...]

    def against(self, site: Site, residency: str) -> str:
        """Why a workload may not be at a site; empty where it may."""
        here = {site.place.lower(), site.jurisdiction.lower()}
        if residency and residency.lower() not in here:
            return f"may not leave {residency}"
        if self.jurisdictions and not here & {j.lower() for j in self.jurisdictions}:
            return f"is outside {', '.join(self.jurisdictions)}"
        if self.max_latency_ms is not None and site.latency_ms > self.max_latency_ms:
            return f"{site.latency_ms:g} ms are more than {self.max_latency_ms:g} ms"
        return ""


@dataclass(frozen=True)
class Case:
    """A demand, the sites it may go to, and what was planned so far."""

    demand: Demand
    catalog: Catalog
    sites: tuple[Site, ...]
    models: tuple[DeploymentModel, ...]
    """[site]."""
    owned: tuple[Mapping[str, int], ...]
    """[site], boxes by sku that are kept."""
    agent: tuple[float, float]
    """Cores and GiB of what a cluster of a fleet runs besides."""
    months: float = np.inf
    """Over which what is paid once is spread; without end: it is not weighed."""
    made: dict[tuple[int, bytes, bytes, bool], Plan] = field(default_factory=dict)

    def plan(self, site: int, first: Ints, count: Ints, *, agent: bool = False) -> Plan:
        """The plan of a site for members `first` to `first` + `count` [class] of each class."""
        agent = agent and self.sites[site].model.kind in CLUSTERS
        key = (site, np.where(count > 0, first, 0).tobytes(), count.tobytes(), agent)
        if key not in self.made:
            asked = portion(self.demand, first, count)
            asked = with_agent(asked, *self.agent) if agent else asked
            plan = self.models[site].plan(asked, self.catalog, self.owned[site])
            self.made[key] = without_agent(plan) if agent else plan
        return self.made[key]

    def moving_usd(self, plan: Plan) -> float:
        """What moving in costs, a month of those it is spread over."""
        return plan.usd_once / self.months

    def native(self, site: int) -> Bools:
        """[class], whether it lives the way of a site already."""
        return np.asarray(self.demand.workloads["kind"].isin(list(self.models[site].native)), bool)

    def kept(self, site: int, count: Ints, plan: Plan) -> None:
        """Remembers that `plan`, made for more, is also that of the `count` [class] workloads that it places."""
        key = (site, np.zeros_like(count).tobytes(), count.tobytes(), False)
        self.made.setdefault(key, replace(plan, unplaced=plan.unplaced.iloc[:0]))

    def smaller(self, demand: Demand) -> Case:
        """The same case for another demand; nothing is planned yet."""
        return replace(self, demand=demand, made={})


def homes(demand: Demand) -> NDArray[np.object_]:
    """[class], owner and application; empty where the trace names no application."""
    application, owner = names(demand, "application"), names(demand, "owner")
    return np.array([f"{o}/{a}" if a else "" for o, a in zip(owner, application, strict=True)], dtype=object)


def units_of(demand: Demand, able: Bools, *, joined: bool) -> Ints:
    """[class], the unit that it moves with: its application where they are `joined`, else alone.

    An application moves as one only where some site takes all of it that any site takes.
    """
    home, alone = homes(demand), np.arange(len(demand.workloads))
    some = np.asarray(able.any(axis=1), bool)
    if not joined or not len(home):
        return alone
    together = pd.Series(np.where((home != "") & some, home, [f"\0{i}" for i in alone]))
    label = pd.factorize(together)[0].astype(np.int64)
    shared = np.ones((int(label.max()) + 1, able.shape[1]), bool)
    np.logical_and.at(shared, label, able)
    whole = np.asarray(shared.any(axis=1), bool)[label] & some
    single = pd.Series(np.where(whole, together, [f"\0{i}" for i in alone]))
    return np.asarray(pd.factorize(single)[0], np.int64)


def named(demand: Demand, unit: Ints, names_: Sequence[str]) -> list[list[int]]:
    """For each name of an application or workload, the units that it stands for.

    Raises:
        InputError: nothing has that name; names what is near.
    """
    applications = names(demand, "application")
    owner = pd.Series(demand.members["class"].to_numpy(np.int64), demand.members["workload"].to_numpy(object))
    found = []
    for name in names_:
        classes = np.flatnonzero(applications == name)
        if not len(classes):
            classes = np.atleast_1d(owner.get(name, np.zeros(0, np.int64)))
        if not len(classes):
            known = {str(a) for a in applications if a} | {str(n) for n in owner.index}
            raise InputError(f"multi_cloud: {name!r} is no application or workload; {near_miss(name, known)}")
        found.append(sorted({int(unit[c]) for c in classes}))
    return found


def grouped(demand: Demand, unit: Ints, groups: Sequence[Sequence[str]]) -> tuple[tuple[int, ...], ...]:
    """Groups of names as groups of units."""
    return tuple(tuple(sorted({u for units in named(demand, unit, group) for u in units})) for group in groups)
