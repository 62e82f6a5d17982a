"""What owned hardware costs, however it is used: the settings and the bill that `physical` and `hypervisor` share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from planner.catalog import Catalog
from planner.models._charges import Charge, Load, monthly, unit_usd
from planner.models._licences import licences
from planner.models._servers import Servers, offered
from planner.models.base import DeploymentModel
from planner.plan import Line
from planner.quantities import HOURS_PER_MONTH, MONTHS_PER_YEAR

__all__ = ["Owned", "Site"]

Floats = NDArray[np.float64]

WEEKS_PER_YEAR: Final = 365.0 / 7.0


@dataclass(frozen=True)
class Site:
    """What is on offer for owned hardware, and what it costs."""

    catalog: Catalog
    servers: Servers
    charges: tuple[Charge, ...]
    """Every meter of the bill but the servers themselves."""

    @property
    def usd(self) -> Floats:
        """[type], what one more server costs in a month with all that comes with it, doing nothing."""
        return monthly(self.servers, self.charges)

    @property
    def work_usd(self) -> float:
        """What a kilowatt-hour costs that servers draw because they work, as price rows tell watts."""
        return float(sum(c.per_load.busy_kwh * unit_usd(c.tiers) for c in self.charges))


class Owned(DeploymentModel):
    """Servers that are bought ahead and never returned, in rented space. Guests' own software is left out, as in
    every model. Nothing is counted twice: see `labour`, `ports_per_server` and `space`."""

    rented: ClassVar[bool] = False

    provider: str = "onprem"
    """Whose price rows are used. Unit: name. Source: the user."""

    region: str = "all"
    """Where, as far as prices differ (electricity, say). Unit: name. Source: the user."""

    server_skus: tuple[str, ...] = ()
    """Servers that may be bought; none named: every one in the price books. Unit: names. Source: the user."""

    spares: int = Field(default=1, ge=0)
    """Servers that may fail at once without a workload being lost: so many stand by for each they can replace.
    Unit: servers. Source: VMware vSphere 6.7 Availability guide (host failures the cluster tolerates, dedicated
    failover hosts)."""

    lead_time_weeks: float = Field(default=12.0, ge=0)
    """From order to running server; what is bought must last through the growth of that time. Unit: weeks.
    Source: servnetuk.com/insights/uk-server-lead-times-2026 (12 weeks end to end)."""

    order_least: int = Field(default=1, ge=1)
    """The fewest servers in an order: what is bought beyond need waits for the growth of later years. Unit: servers.
    Source: the user."""

    order_multiple: int = Field(default=1, ge=1)
    """Servers of one type are sold in multiples of this (four to a chassis, say). Unit: servers. Source: the user."""

    look_ahead_years: int = Field(default=3, ge=1, le=30)
    """Growth of so many years is looked at to decide what is ordered now and what later. Unit: years.
    Source: the user."""

    server_price_growth_per_year: float = Field(default=0.0, gt=-1)
    """By how much servers are expected to become dearer in a year: decides what is bought ahead, while bills stay at
    the prices of the books. Unit: fraction. Source: the user."""

    interest_per_year: float = Field(default=0.07, ge=0)
    """What money costs that is spent ahead; decides what is bought ahead. Unit: fraction.
    Source: MicrosoftDocs/azure-docs@050c9345 concepts-business-case-calculation.md (cost of capital 7 %)."""

    warranty_months: float = Field(default=36.0, ge=0)
    """Hardware support costs nothing before; over a server's life it is spread evenly. Unit: months.
    Source: FROM MEMORY (three-year base warranty of server makers)."""

    pue: float = Field(default=1.54, ge=1)
    """Energy of the whole site per energy of its servers; multiplies the energy bill. Unit: ratio.
    Source: Uptime Institute survey 2025 via thefreesheet.com 2026-01-19 (Azure Migrate assumes 1.8)."""

    production_watts: float = Field(default=1.3, gt=0)
    """Power of a server in production per power of the tuned test system that price rows tell. Unit: ratio.
    Source: FROM MEMORY (20-40 % above SPECpower results: more memory, disks, untuned)."""

    memory_watts_per_gib: float = Field(default=0.0, ge=0)
    """Drawn by memory beyond what price rows and `production_watts` hold. Unit: W/GiB. Source: the user; Cloud Carbon
    Footprint methodology has 0.392 (cloud-carbon-footprint@b7a049c packages/core/src/memory)."""

    network_kwh_per_gb: float = Field(default=0.001, ge=0)
    """Drawn by switches for traffic sent out. Unit: kWh/GB.
    Source: cloud-carbon-footprint@b7a049c packages/core/src/networking (0.001 kWh/GB)."""

    grid: str | None = None
    """Whose electricity emits how much, by its name among the carbon facts ("aws eu-west-1", say); none:
    `grid_gco2e_per_kwh`. Unit: name. Source: the user."""

    grid_gco2e_per_kwh: float = Field(default=415.8, ge=0)
    """Emitted for electricity where no grid is named. Unit: gCO2e/kWh.
    Source: cloud-carbon-footprint/ccf-coefficients@b0032d92 data/grid-emissions-factors-aws.csv (us-east-1, EPA)."""

    embodied_kgco2e_per_server: float = Field(default=1000.0, ge=0)
    """Emitted by making a server, spread evenly over its life. Unit: kgCO2e.
    Source: cloud-carbon-footprint/ccf-coefficients@b0032d92 output/coefficients-aws-embodied.csv (base server)."""

    thread_performance: float = Field(default=1.0, gt=0)
    """What a thread of the servers on offer does per thread that the demand was measured on (SPECint weighting);
    multiplies what facts of topic `performance` tell of each server. Unit: ratio. Source: the user."""

    cpu_limit: float = Field(default=1.0, gt=0, le=1)
    """Share of the threads left for workloads that are planned for. Unit: fraction. Source: the user; Nutanix Sizer
    wiki has 0.95."""

    memory_limit: float = Field(default=1.0, gt=0, le=1)
    """Share of the memory left for workloads that is planned for. Unit: fraction. Source: the user; Nutanix Sizer
    wiki has 0.95."""

    storage_limit: float = Field(default=1.0, gt=0, le=1)
    """Share of the disks that is planned for. Unit: fraction. Source: the user; Nutanix Sizer wiki has 0.90 for hard
    disks and 0.98 for SSDs."""

    space: Literal["kilowatts", "rack_units"] = "kilowatts"
    """How space is paid: by contracted power, which includes floor, cooling and the power chain but no energy, or by
    rack unit. One of them, never both. Unit: name. Source: cbre.com North America Data Center Trends H2 2024."""

    space_sku: str | None = None
    """Which offer of that space; none: the first of the price books. Unit: name. Source: the user."""

    contracted_kw: float = Field(default=1.0, gt=0)
    """Contracted power per peak power of the servers: 1 where the price is for servers' power with cooling included,
    as CBRE's is; Azure's business case multiplies by the PUE. Unit: kW per kW.
    Source: MicrosoftDocs/azure-docs@050c9345 concepts-business-case-calculation.md, cbre.com H2 2024."""

    unused_power: float = Field(default=0.40, ge=0, lt=1)
    """Share of the contracted power that is kept free. Unit: fraction.
    Source: MicrosoftDocs/azure-docs@050c9345 concepts-business-case-calculation.md (40 %)."""

    rack_units_per_socket: float = Field(default=1.0, gt=0)
    """Height of a server per processor: one socket 1 U, two sockets 2 U. Unit: U.
    Source: FROM MEMORY (customary rack servers)."""

    rack_units_per_rack: float = Field(default=38.0, gt=0)
    """Height of a rack left for servers: 42 U less switches and patch panels. Unit: U.
    Source: EIA-310 (42 U), FROM MEMORY (4 U for the rest)."""

    ports_per_server: int = Field(default=2, ge=0)
    """Switch ports for each server. Network hardware is a share of compute and storage, and ports are part of that
    share: the line of the share covers what the ports do not. Unit: ports. Source: FROM MEMORY (two, on two
    switches), MicrosoftDocs/azure-docs@050c9345 concepts-business-case-calculation.md (share)."""

    storage_sku: str | None = None
    """Which disks are bought; none: the first of the price books. Unit: name. Source: the user."""

    storage_watts_per_tb: float = Field(default=1.2, ge=0)
    """Drawn by raw disks. Unit: W/TB. Source: FROM MEMORY (Cloud Carbon Footprint methodology, SSD 1.2 Wh/TB-h)."""

    labour: Literal["administrators", "per_server"] = "administrators"
    """Who is paid: administrators by full-time equivalents, whose work monitoring and patching are, or monitoring
    and patching by server as in Azure's business case. One of them, never both; protection software and backups
    are paid either way. Unit: name. Source: MicrosoftDocs/azure-docs@050c9345 concepts-business-case-calculation.md."""

    os_cores: float = Field(default=0.02, ge=0)
    """Used by the operating system of workloads that were recorded without one (functions, containers); others
    brought theirs along in what was measured. Unit: cores. Source: FROM MEMORY (an idle Linux server)."""

    os_memory_gib: float = Field(default=0.5, ge=0)
    """Memory of that operating system. Unit: GiB.
    Source: debian.org installation guide, table of minimum requirements (512 MiB recommended without desktop)."""

    admin_sku: str | None = None
    """What an administrator costs; none: the first of the price books. Unit: name. Source: the user."""

    electricity_sku: str | None = None
    """Whose electricity; none: the first of the price books. Unit: name. Source: the user."""

    os_licence: str | None = None
    """Operating system that every server must have a licence for; none: a free one. Unit: name. Source: the user."""

    os_licence_cores_per_socket: int = Field(default=8, ge=0)
    """The fewest cores of a processor that such a licence counts, where it counts cores. Unit: cores.
    Source: itnegotiationservices.com, licenseday.com, read 2026-11-23 (Windows Server: 8 cores per CPU)."""

    os_licence_cores_per_server: int = Field(default=16, ge=0)
    """The fewest cores of a server that such a licence counts. Unit: cores.
    Source: itnegotiationservices.com, licenseday.com, read 2026-11-23 (Windows Server: 16 cores per server)."""

    os_licence_machines: int = Field(default=0, ge=0)
    """Operating systems that one set of such licences allows on a server; more take another set. 0: without limit,
    as Windows Server Datacenter; 2 for Standard. Unit: operating systems.
    Source: itnegotiationservices.com, licenseday.com, read 2026-11-23 (Standard: 2 VMs)."""

    pack_by: Literal["hour_of_day", "peak"] = "hour_of_day"
    """What must fit together on a server: needs of the same hour of the day (the highest of all days of the week), or
    the highest needs of any hour. Only where workloads share servers. Unit: name. Source: the user; hour by hour, as
    those that are busy at different times share a server."""

    effort: float = Field(default=0.003, ge=0)
    """How long to look for a better packing: 0 tries mixed and uniform clusters by first fit decreasing, 1 is the
    engine's whole search; a thousandth of it suffices for hundreds of machines. Unit: ratio.
    Source: planner.optimise.packing, measured on the shipped sample of 300 machines."""

    @abstractmethod
    def own_charges(self, catalog: Catalog, servers: Servers) -> list[Charge]:
        """What this model pays besides hardware, space and services."""

    def raw_gib(self, usable_gib: float) -> float:
        """Raw disks that hold `usable_gib`."""
        return usable_gib / self.storage_limit

    def planned(self, room: Floats) -> Floats:
        """[type, 3], how far servers with so much `room` are filled."""
        return room * [self.cpu_limit, self.memory_limit, 1.0]

    def one_off(self, catalog: Catalog, workloads: int) -> list[Line]:
        """What moving so many workloads here costs once; nothing where things are today."""
        return []

    @property
    def lead_years(self) -> float:
        """How far ahead servers are bought."""
        return self.lead_time_weeks / WEEKS_PER_YEAR

    def site(
        self, catalog: Catalog, owned: Mapping[str, int], hours_per_month: float | np.floating = HOURS_PER_MONTH
    ) -> Site:
        """The servers of a catalog that may be bought or are owned, and all that is paid with them.

        Raises:
            PriceBookError: the catalog lacks servers or one of the prices that come with them.
        """
        here = catalog.at(self.provider, self.region)
        found = offered(here, self.server_skus, owned)
        # Without a period nothing runs, and any month will do.
        month = float(hours_per_month) or HOURS_PER_MONTH
        servers = replace(found, performance=found.performance * self.thread_performance, hours_per_month=month)
        charges = [*self._hardware(here, servers), *self._facilities(here, servers), *self._services(here, servers)]
        return Site(here, servers, (*charges, *self.own_charges(here, servers)))

    def _hardware(self, catalog: Catalog, servers: Servers) -> list[Charge]:
        usd, life = servers.column("usd_per_unit"), servers.column("lifetime_months")
        paid = np.clip(1 - self.warranty_months / life, 0, 1) / MONTHS_PER_YEAR
        disks = catalog.tiers("storage_hardware", self.storage_sku)
        gb_usd, none = float(disks["usd_per_unit"].iloc[0]), np.zeros_like(usd)
        kept = Load(storage_gb=gb_usd / MONTHS_PER_YEAR)
        return [
            Charge(catalog.tiers("server_maintenance"), "support", usd * paid),
            Charge(disks, "storage", none, Load(storage_gb=1.0)),
            Charge(catalog.tiers("storage_maintenance"), "storage", none, kept),
            *self._network(catalog, usd, gb_usd),
        ]

    def _network(self, catalog: Catalog, usd: Floats, gb_usd: float) -> list[Charge]:
        """Ports by the piece, and the rest of the share of compute and storage that network hardware is."""
        port, share = catalog.tiers("switch_port"), catalog.tiers("network_hardware")
        ports = np.full_like(usd, self.ports_per_server)
        ports_usd = ports * float(port["usd_per_unit"].iloc[0])
        fraction = float(share["usd_per_unit"].iloc[0])
        rest = np.clip(usd - ports_usd / fraction, 0, None)
        kept = (ports_usd + rest * fraction) / MONTHS_PER_YEAR
        disks = Load(storage_gb=gb_usd * fraction / MONTHS_PER_YEAR)
        return [
            Charge(port, "network", ports),
            Charge(share, "network", rest, Load(storage_gb=gb_usd)),
            Charge(catalog.tiers("network_maintenance"), "network", kept, disks),
        ]

    def _facilities(self, catalog: Catalog, servers: Servers) -> list[Charge]:
        height = servers.column("sockets") * self.rack_units_per_socket
        return [
            Charge(catalog.tiers("rack"), "facilities", height / self.rack_units_per_rack, whole=True),
            self._power(catalog, servers) if self.space == "kilowatts" else self._floor(catalog, height),
            self._energy(catalog, servers),
        ]

    def _power(self, catalog: Catalog, servers: Servers) -> Charge:
        contract = self.contracted_kw / (1 - self.unused_power)
        peak_kw = (servers.column("peak_watts") * self.production_watts + self._memory_watts(servers)) / 1000
        disks = Load(storage_gb=self._disk_kw * contract)
        return Charge(catalog.tiers("colocation", self.space_sku), "facilities", peak_kw * contract, disks)

    def _floor(self, catalog: Catalog, height: Floats) -> Charge:
        tiers = catalog.tiers("rack_space", self.space_sku)
        by_rack = str(tiers["unit"].iloc[0]).startswith("rack")
        return Charge(tiers, "facilities", height / (self.rack_units_per_rack if by_rack else 1.0))

    def _energy(self, catalog: Catalog, servers: Servers) -> Charge:
        site, month = self.production_watts * self.pue, servers.hours_per_month
        load = Load(
            busy_kwh=site,
            storage_gb=self._disk_kw * month * self.pue,
            network_gb=self.network_kwh_per_gb * self.pue,
        )
        memory = self._memory_watts(servers) * month / 1000 * self.pue
        tiers = catalog.tiers("electricity", self.electricity_sku)
        return Charge(tiers, "facilities", servers.idle_kwh * site + memory, load)

    def _memory_watts(self, servers: Servers) -> Floats:
        return servers.column("memory_gib") * self.memory_watts_per_gib

    @property
    def _disk_kw(self) -> float:
        """Drawn by one raw gigabyte."""
        return self.storage_watts_per_tb / 1e6

    def _services(self, catalog: Catalog, servers: Servers) -> list[Charge]:
        each = np.full(len(servers.sku), 1 / MONTHS_PER_YEAR)
        kinds = ["security", "backup", *(["monitoring", "patching"] if self.labour == "per_server" else [])]
        charges = [Charge(catalog.tiers(k), "support" if k == "security" else "labour", each) for k in kinds]
        if self.os_licence is None:
            return charges
        tiers = catalog.tiers("os_licence", self.os_licence)
        each = self.os_licences(servers, str(tiers["unit"].iloc[0]))
        return [*charges, Charge(tiers, "licence", each, Load(os_licences=1.0))]

    def os_licences(self, servers: Servers, unit: str) -> Floats:
        """[type], one set of operating system licences of a server."""
        return licences(servers, unit, (self.os_licence_cores_per_socket, self.os_licence_cores_per_server))
