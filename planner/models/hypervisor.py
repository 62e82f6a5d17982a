"""Virtual machines on hosts of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from planner.catalog import Catalog
from planner.demand import Demand
from planner.models._admission import Admission
from planner.models._admitted import told
from planner.models._ask import Ask
from planner.models._assembly import Deal, assembled
from planner.models._certificates import certified
from planner.models._charges import Charge, Load
from planner.models._cluster import packed
from planner.models._licences import least_order, licences
from planner.models._owned import Owned, Site
from planner.models._servers import Servers
from planner.models._units import Units, bare, gathered, names, spread_apart
from planner.plan import Line, Plan, line
from planner.quantities import CPU, MEMORY, MONTHS_PER_YEAR

__all__ = ["Hypervisor"]

Floats = NDArray[np.float64]
Protection = Literal["none", "ftt1_raid1", "ftt1_raid5", "ftt2_raid1", "ftt2_raid6", "ftt3_raid1"]

RAW_PER_USABLE: Final[dict[str, float]] = {
    "none": 1.0,
    "ftt1_raid1": 2.0,
    "ftt1_raid5": 4.0 / 3.0,
    "ftt2_raid1": 3.0,
    "ftt2_raid6": 1.5,
    "ftt3_raid1": 4.0,
}
"""Unit: raw GB per GB.
Source: MicrosoftDocs/azure-docs@00f13a9e concepts-azure-vmware-solution-assessment-calculation.md (100 GB take 200,
133.33, 300, 150, 400)."""

LEAST_HOSTS: Final[dict[str, int]] = {
    "none": 1,
    "ftt1_raid1": 3,
    "ftt1_raid5": 4,
    "ftt2_raid1": 5,
    "ftt2_raid6": 6,
    "ftt3_raid1": 7,
}
"""Unit: hosts. Source: MicrosoftDocs/azure-docs@00f13a9e concepts-azure-vmware-solution-assessment-calculation.md."""

LEAST: Final = 1e-3
"""Unit: threads. Source: a virtual machine that was never seen to do anything still takes a place."""


class Hypervisor(Owned):
    """Virtual machines packed onto hosts of mixed types, with hosts standing by for any that fail.

    Machines of the trace stay machines, of the size that the demand policy gives them; functions of one application
    share a machine with an operating system of its own.
    """

    kind: Literal["hypervisor"] = "hypervisor"
    title: ClassVar[str] = "Virtual machines on own hosts"

    cpu_overcommit: float = Field(default=1.0, gt=0)
    """Virtual CPUs per thread of a host; never so many that average use would not fit. 1 where sizes are measured,
    customarily 4 per core (2 per thread) where they are as allocated. Unit: vCPU per thread.
    Source: MicrosoftDocs/azure-docs@00f13a9e concepts-azure-vmware-solution-assessment-calculation.md (4:1)."""

    memory_overcommit: float = Field(default=1.0, gt=0)
    """Memory of virtual machines per memory of a host; never so much that average use would not fit. Unit: ratio.
    Source: MicrosoftDocs/azure-docs@00f13a9e concepts-azure-vmware-solution-assessment-calculation.md (100 %)."""

    vm_memory_overhead_gib: float = Field(default=0.03, ge=0)
    """What the hypervisor keeps for a machine, whatever its size. Unit: GiB.
    Source: VMware vSphere 6.7 Resource Management, sample overhead memory (20-60 MB for small machines)."""

    vm_memory_overhead_share: float = Field(default=0.0074, ge=0)
    """What it keeps besides, per memory of the machine. Unit: fraction.
    Source: VMware vSphere 6.7 Resource Management, sample overhead memory (48.64 MB at 4 GB, 139.62 MB at 16 GB)."""

    host_cpu_share: float = Field(default=0.10, ge=0, lt=1)
    """Threads of a host that the hypervisor and its storage take. Unit: fraction.
    Source: FROM MEMORY (VMware vSAN design guide: no more than 10 % of a host's CPU)."""

    host_memory_gib: float = Field(default=32.0, ge=0)
    """Memory of a host that the hypervisor and its storage take. Unit: GiB.
    Source: FROM MEMORY (VMware vSAN hardware requirements: 32 GB for the largest number of disk groups)."""

    host_cpu_cores: float = Field(default=0.0, ge=0)
    """Threads of a host that a controller machine takes besides (4 for desktops and servers, 6 for databases on
    Nutanix; the weighted mean where mixed). Unit: cores. Source: the user; Nutanix Sizer wiki."""

    admission: Literal["hosts", "slots", "percentage"] = "hosts"
    """Who says that `spares` hosts may fail: hosts stand by that can take over what any failed one held; or vSphere's
    admission control by what machines reserve in their busiest hour, in slots as large as the largest reservations
    or as a share of the cluster kept free (packed by peak then, as reservations hold at any hour). Unit: name.
    Source: VMware vSphere 6.7 Availability guide (dedicated failover hosts, slot policy, cluster resource percentage).
    """

    failover_share: float | None = Field(default=None, ge=0, lt=1)
    """Share of CPU and memory kept free under admission by percentage; none: the share of
    the `spares` largest hosts. Unit: fraction. Source: VMware vSphere 6.7 Availability guide."""

    slot_cpu_cores: float | None = Field(default=None, gt=0)
    """CPU of a slot under admission by slots; none: that of the largest machine. Unit: cores.
    Source: VMware vSphere 6.7 Availability guide (fixed slot size)."""

    slot_memory_gib: float | None = Field(default=None, gt=0)
    """Memory of a slot; none: that of the largest machine. Unit: GiB.
    Source: VMware vSphere 6.7 Availability guide (fixed slot size)."""

    protection: Protection = "ftt1_raid1"
    """How often data is kept: failures to tolerate and the layout; sets raw disks per usable ones and the fewest
    hosts. none: disks outside the hosts that protect themselves. Unit: name.
    Source: MicrosoftDocs/azure-docs@00f13a9e concepts-azure-vmware-solution-assessment-calculation.md."""

    raw_per_usable: float | None = Field(default=None, ge=1)
    """Raw disks per usable ones; none: as `protection` says. Unit: ratio. Source: the user."""

    least_hosts: int | None = Field(default=None, ge=1)
    """The fewest hosts of a cluster; none: as `protection` says. Unit: hosts. Source: the user."""

    storage_slack: float = Field(default=0.25, ge=0, lt=1)
    """Share of raw disks kept free for rebuilds. Unit: fraction.
    Source: MicrosoftDocs/azure-docs@00f13a9e concepts-azure-vmware-solution-assessment-calculation.md (25 % slack)."""

    storage_reduction: float = Field(default=1.0, ge=1)
    """What deduplication and compression shrink data by. Unit: ratio.
    Source: MicrosoftDocs/azure-docs@00f13a9e concepts-azure-vmware-solution-assessment-calculation.md (1 is none)."""

    storage_sku: str | None = "nvme-ssd-raw"
    """Which disks are bought: raw ones, since `protection` says how often data is kept on them; none: the first of
    the price books. Unit: name. Source: the user."""

    licence_sku: str | None = None
    """Which hypervisor (kvm-openstack costs nothing); none: the first of the price books. Unit: name.
    Source: the user."""

    licence_cores_per_socket: int = Field(default=16, ge=0)
    """The fewest cores a processor is licensed for. Unit: cores.
    Source: redresscompliance.com 2026-06 (VMware: 16 cores per CPU)."""

    licence_cores_per_order: int = Field(default=72, ge=0)
    """The fewest cores that are sold. Unit: cores.
    Source: redresscompliance.com 2026-06 (VMware: 72 cores per order since 2025-04-10)."""

    vms_per_admin: float = Field(default=80.0, gt=0)
    """Virtual machines that one full-time administrator looks after, their hosts included. Unit: machines.
    Source: IDC via Computerworld AU 2010-07-09 (SMB average)."""

    migration_sku: str = "rehost"
    """What moving a workload costs once. Unit: name. Source: the user."""

    def plan(self, demand: Demand, catalog: Catalog, owned: Mapping[str, int] | None = None) -> Plan:
        """Hosts for all machines, and those that stand by.

        Raises:
            PriceBookError: the catalog lacks servers or one of the prices that come with them.
        """
        site = self.site(catalog, owned or {}, demand.hours.sum())
        together = bare(demand) & (names(demand, "application") != "") & ~spread_apart(demand)
        together &= ~np.isnan(demand.peak).any(axis=1)
        whole = self._asked(gathered(demand, together, self.lead_years), site)
        together &= np.asarray(whole.able.any(axis=1))[whole.units.of_class]
        ask = self._asked(gathered(demand, together, self.lead_years), site)
        return assembled(self, demand, site, _hosted(ask))

    def _asked(self, units: Units, site: Site) -> Ask:
        keep = np.array([1 - self.host_cpu_share, 1.0, 1.0])
        room = np.clip(site.servers.room * keep - [self.host_cpu_cores, self.host_memory_gib, 0.0], 0, None)
        peak = self._need(units, units.peak[:, None])[:, 0]
        ask = Ask(
            units, peak, site.servers, self.planned(room), site.usd, self.spares, self.effort, self.hosts_at_least
        )
        if self.admission != "hosts":
            slot = (self.slot_cpu_cores, self.slot_memory_gib)
            policy = Admission(self.admission, self.spares, self.failover_share, slot)
            return replace(ask, spares=0, admission=policy)
        by_hour = self._need(units, units.by_hour) if self.pack_by == "hour_of_day" else None
        return replace(ask, by_hour=by_hour)

    def _need(self, units: Units, wanted: Floats) -> Floats:
        """[unit, hour, 3], what a machine takes of its host where its load wants so much."""
        shrunk = wanted / [self.cpu_overcommit, self.memory_overcommit, 1.0]
        need = np.maximum(shrunk, np.where([True, True, False], units.mean, 0.0)[:, None])
        need = need + np.where(units.bare[:, None], [self.os_cores, self.os_memory_gib, 0.0], 0.0)[:, None]
        need[..., MEMORY] = need[..., MEMORY] * (1 + self.vm_memory_overhead_share) + self.vm_memory_overhead_gib
        need[..., CPU] = np.maximum(need[..., CPU], LEAST)
        return need

    def raw_gib(self, usable_gib: float) -> float:
        """Raw disks that hold `usable_gib` through the failures to tolerate, with slack."""
        copies = RAW_PER_USABLE[self.protection] if self.raw_per_usable is None else self.raw_per_usable
        return usable_gib / self.storage_reduction * copies / (1 - self.storage_slack) / self.storage_limit

    @property
    def hosts_at_least(self) -> int:
        """The fewest hosts of a cluster."""
        return LEAST_HOSTS[self.protection] if self.least_hosts is None else self.least_hosts

    def own_charges(self, catalog: Catalog, servers: Servers) -> list[Charge]:
        """Licences by core or socket, as they are sold, and administrators by the number of machines."""
        tiers = catalog.tiers("hypervisor_licence", self.licence_sku)
        unit = str(tiers["unit"].iloc[0])
        each = licences(servers, unit, (self.licence_cores_per_socket, 0.0))
        charges = [Charge(tiers, "licence", each, least=least_order(unit, self.licence_cores_per_order))]
        if self.labour == "administrators":
            nothing = np.zeros(len(servers.sku))
            people = Load(guests=1 / self.vms_per_admin / MONTHS_PER_YEAR)
            charges.append(Charge(catalog.tiers("admin_labour", self.admin_sku), "labour", nothing, people))
        return charges

    def one_off(self, catalog: Catalog, workloads: int) -> list[Line]:
        """Moving every workload as it is."""
        if not workloads:
            return []
        return [line(catalog.tiers("migration", self.migration_sku).iloc[0], workloads, "migration", "one-off")]


def _hosted(ask: Ask) -> Deal:
    """Machines packed onto hosts."""
    found = packed(ask)
    there = np.maximum(found.working + found.idle, ask.servers.owned)
    held = float(ask.servers.owned @ ask.usd)
    certificate = certified(
        found.parts, (held + found.idle_usd(ask), held), found.bound_usd, "machines packed onto hosts" + found.told
    )
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
        {**found.figures(ask), **told(ask, there)},
    )
