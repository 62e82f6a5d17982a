"""One application, one server: the way estates begin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from planner.catalog import Catalog
from planner.demand import Demand
from planner.models._ask import Ask
from planner.models._assembly import Deal, assembled
from planner.models._certificates import certified
from planner.models._charges import Charge
from planner.models._cluster import packed, working_and_idle
from planner.models._dedicated import dedicated
from planner.models._energy import alone_kwh
from planner.models._owned import Owned, Site
from planner.models._servers import Servers
from planner.models._spares import least_usd
from planner.models._units import Units, gathered, names, spread_apart
from planner.plan import Plan
from planner.quantities import MONTHS_PER_YEAR

__all__ = ["Physical"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEAST: Final = (1e-3, 0.0, 0.0)
"""Unit: threads, GiB, GPUs. Source: a workload that was never seen to do anything still takes a place."""

CLOSED_FORM: Final = (
    "one application, one server: the cheapest that holds it, application by application, owned servers handed out "
    "such that the least is bought"
)
CONSOLIDATED: Final = "applications packed onto servers"


class Physical(Owned):
    """Each application on a server of its own: the cheapest that holds its busiest hour through the lead time.

    Workloads of one application share its server; one that no server holds is spread over several that hold nothing
    else, each workload whole, and so is one whose workloads want to keep apart.
    """

    kind: Literal["physical"] = "physical"
    title: ClassVar[str] = "Physical servers"

    consolidate: bool = False
    """Applications share servers, packed as tightly as they fit, without a hypervisor. Unit: yes or no.
    Source: the user."""

    servers_per_admin: float = Field(default=30.0, gt=0)
    """Physical servers that one full-time administrator looks after. Unit: servers.
    Source: IDC via Computerworld AU 2010-07-09 (SMB average)."""

    def own_charges(self, catalog: Catalog, servers: Servers) -> list[Charge]:
        """Administrators by the number of servers."""
        if self.labour != "administrators":
            return []
        each = np.full(len(servers.sku), 1 / (self.servers_per_admin * MONTHS_PER_YEAR))
        return [Charge(catalog.tiers("admin_labour", self.admin_sku), "labour", each)]

    def plan(self, demand: Demand, catalog: Catalog, owned: Mapping[str, int] | None = None) -> Plan:
        """A server for every application, and those that stand by.

        Raises:
            PriceBookError: the catalog lacks servers or one of the prices that come with them.
        """
        site = self.site(catalog, owned or {}, demand.hours.sum())
        together = (names(demand, "application") != "") & ~np.isnan(demand.peak).any(axis=1)
        whole = self._asked(gathered(demand, together, self.lead_years), site)
        crowd = together & _must_split(demand, whole)
        ask = self._asked(gathered(demand, together & ~crowd, self.lead_years), site)
        home = np.full(len(ask.units.count), -1, np.int64)
        home[ask.units.of_class[crowd]] = whole.units.of_class[crowd]
        energy = alone_kwh(site.servers, ask.units.cores, demand.hours) * site.work_usd
        deal = _shared(ask) if self.consolidate else _alone(ask, energy, home)
        return assembled(self, demand, site, deal)

    def _asked(self, units: Units, site: Site) -> Ask:
        system = np.where(units.bare[:, None], [self.os_cores, self.os_memory_gib, 0.0], 0.0)
        need = np.maximum(units.peak + system, LEAST)
        shared = self.consolidate and self.pack_by == "hour_of_day"
        by_hour = np.maximum(units.by_hour + system[:, None], LEAST) if shared else None
        room = self.planned(site.servers.room)
        return Ask(units, need, site.servers, room, site.usd, self.spares, self.effort, by_hour=by_hour)


def _must_split(demand: Demand, ask: Ask) -> Bools:
    """[class], whether it is part of an application that no server holds, or whose workloads want to keep apart."""
    of_class = ask.units.of_class
    apart = np.bincount(of_class, spread_apart(demand), minlength=len(ask.units.count)) > 0
    return np.asarray((apart | ~ask.able.any(axis=1))[of_class])


def _shared(ask: Ask) -> Deal:
    """Applications packed onto servers."""
    found = packed(ask)
    held = float(ask.servers.owned @ ask.usd)
    certificate = certified(found.parts, (held + found.idle_usd(ask), held), found.bound_usd, CONSOLIDATED + found.told)
    seats = (found.server, found.number)
    return Deal(
        ask.units,
        ask.need,
        ask.servers,
        ask.room,
        *seats,
        found.working,
        found.idle,
        certificate,
        found.figures(ask),
    )


def _alone(ask: Ask, energy_usd: Floats, home: Ints) -> Deal:
    """Every application on its own."""
    found = dedicated(ask, energy_usd, home)
    seats = (found.server, found.number)
    working, idle = working_and_idle(ask, seats)
    held = float(ask.servers.owned @ ask.usd)
    new = float(np.clip(working + idle - ask.servers.owned, 0, None) @ ask.usd)
    besides = max(new - found.new_usd(ask.usd), 0.0)
    least = 0.0 if held else least_usd(ask.able[home < 0], ask.usd, ask.spares)
    fixed = (held + besides + found.singles.usd, held + min(least, besides) + found.singles.bound_usd)
    certificate = certified(found.parts, fixed, found.bound_usd, CLOSED_FORM)
    return Deal(ask.units, ask.need, ask.servers, ask.room, *seats, working, idle, certificate)
