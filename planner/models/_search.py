"""Search: assign at marginal prices, plan every site for what it got, price again, as long as it pays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from planner.models._between import prices
from planner.models._case import Case
from planner.models._deals import Deal, Terms, deal, per_class
from planner.models._marginal import Market, updated
from planner.optimise.placement import Flows, Placement, Sites, Units, Wishes, admitted, assign
from planner.quantities import CPU, MEMORY

__all__ = ["Hunt", "best", "everywhere", "hunted", "singles"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Hunt:
    """What is searched, and the deals that were found."""

    case: Case
    market: Market
    unit: Ints
    """[class], the unit that it moves with."""
    whole: Bools
    """[unit]."""
    terms: Terms
    most_pairs: int
    deals: dict[bytes, Deal] = field(default_factory=dict)
    placements: list[Placement] = field(default_factory=list)
    """Answers of the assignment, in the order in which they were had."""

    @property
    def sites(self) -> Sites:
        """Fixed costs, providers and rooms."""
        owners = [site.owner for site in self.case.sites]
        provider = np.array([sorted(set(owners)).index(o) for o in owners], np.int64)
        limits = [(site.max_cpu_cores, site.max_memory_gib) for site in self.case.sites]
        room = np.array([[np.inf if most is None else most for most in pair] for pair in limits])
        return Sites(self.market.fixed, provider, room.reshape(len(owners), 2))

    def units(self, market: Market) -> Units:
        """Units at the prices of a market: one of several classes has one copy that is all of them."""
        many = len(self.whole)
        several = np.bincount(self.unit, minlength=many) > 1
        demand = self.case.demand
        weight = np.where(several[self.unit], demand.count, 1).astype(float)
        usd, size = np.zeros((many, len(self.case.sites))), np.zeros((many, 2))
        np.add.at(usd, self.unit, np.where(market.able, market.usd, 0.0) * weight[:, None])
        barred = np.zeros(usd.shape, bool)
        np.logical_or.at(barred, self.unit, ~market.able)
        np.add.at(size, self.unit, demand.peak[:, [CPU, MEMORY]] * weight[:, None])
        count = np.where(several, 1, np.bincount(self.unit, demand.count, minlength=many)).astype(np.int64)
        return Units(np.where(barred, np.inf, usd), count, size, self.whole)

    def priced(self, wishes: Wishes) -> Wishes:
        """The wishes with what traffic between units costs."""
        caller, callee, gib = self.terms.ends
        if not len(gib):
            return wishes
        usd = prices(self.case.catalog, self.case.sites, self.market.sent_gib)
        return replace(wishes, flows=Flows(caller, callee, gib, usd))

    def refused(self, site: int, row: int) -> str:
        """What a site says of a class that it does not take."""
        case = self.case
        some = case.demand.members.loc[case.demand.members["class"] == row, "workload"].iloc[0]
        for (s, *_), plan in case.made.items():
            hit = plan.unplaced[plan.unplaced["workload"] == some] if s == site else plan.unplaced.iloc[:0]
            if len(hit):
                return str(hit["reason"].iloc[0])
        return "does not take it"

    def add(self, copies: Ints) -> Deal:
        """The deal of a placement; planned once."""
        key = copies.tobytes()
        if key not in self.deals:
            self.deals[key] = deal(self.case, self.unit, copies, self.terms)
        return self.deals[key]


def singles(hunt: Hunt) -> list[Deal]:
    """Everything that a site takes at this one site, for each that has room for it."""
    units, found = hunt.units(hunt.market), []
    for s in range(len(hunt.case.sites)):
        where = np.zeros((len(units.count), len(hunt.case.sites)), np.int64)
        where[:, s] = np.where(np.isfinite(units.usd[:, s]), units.count, 0)
        if admitted(hunt.sites, units, Wishes(), where):
            found.append(hunt.add(where))
    return found


def hunted(hunt: Hunt, wishes: Wishes, rounds: int, least_gain: float) -> None:
    """Adds the deals of a search under `wishes`: no more than `rounds`, fewer where another does not pay.

    A placement is planned only where its prices promise to save the share `least_gain` of the best deal so far.
    """
    market = hunt.market
    for _ in range(rounds):
        placed, reached = _assigned(hunt, market, wishes), best(hunt, wishes)
        promised = (_left(hunt, placed), placed.usd + float(market.base.sum()))
        if reached is not None and promised >= (reached.left, reached.usd * (1 - least_gain)):
            return
        found = hunt.add(placed.copies)
        if reached is not None and found.rank >= reached.rank:
            return
        market = updated(hunt.case, market, found)


def _left(hunt: Hunt, placed: Placement) -> int:
    """Workloads that a placement leaves out."""
    return int(hunt.case.demand.count.sum() - per_class(hunt.case.demand, hunt.unit, placed.copies).sum())


def _assigned(hunt: Hunt, market: Market, wishes: Wishes) -> Placement:
    """The cheapest placement at the prices of a market."""
    placed = assign(hunt.units(market), hunt.sites, hunt.priced(wishes), hunt.most_pairs)
    hunt.placements.append(placed)
    return placed


def best(hunt: Hunt, wishes: Wishes) -> Deal | None:
    """The best of all deals found that keeps to `wishes`: fewest left out, then cheapest."""
    units, sites = hunt.units(hunt.market), hunt.sites
    fitting = [d for d in hunt.deals.values() if admitted(sites, units, wishes, d.copies)]
    return min(fitting, key=lambda d: d.rank, default=None)


def everywhere(hunt: Hunt, wishes: Wishes, moves: int) -> None:
    """Adds the deals of a thorough search: any two sites by themselves, then unit by unit to any other site."""
    units = hunt.units(hunt.market)
    for pair in combinations(range(len(hunt.case.sites)), 2):
        shut = np.isin(np.arange(len(hunt.case.sites)), pair, invert=True)
        usd = np.where(shut, np.inf, hunt.market.usd)
        able = hunt.market.able & ~shut
        if able.any():
            hunt.add(_assigned(hunt, replace(hunt.market, usd=usd, able=able), wishes).copies)
    reached = best(hunt, wishes)
    for _ in range(moves):
        if reached is None:
            return
        better = next((d for d in _moved(hunt, units, wishes, reached) if d.rank < reached.rank), None)
        if better is None:
            return
        reached = better


def _moved(hunt: Hunt, units: Units, wishes: Wishes, start: Deal) -> Iterator[Deal]:
    """The deals that differ by where one unit is."""
    for u, s in np.argwhere(np.isfinite(units.usd) & (start.copies < units.count[:, None])).tolist():
        copies = start.copies.copy()
        copies[u] = 0
        copies[u, s] = units.count[u]
        if admitted(hunt.sites, units, wishes, copies):
            yield hunt.add(copies)
