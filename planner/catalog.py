"""Catalog: what can be bought, one offer a row; and the facts that are no prices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.errors import PriceBookError, near_miss

__all__ = ["FACT_COLUMNS", "OFFER_COLUMNS", "OFFER_KINDS", "OFFER_NUMBERS", "TERMS", "UNITS", "Catalog"]

OFFER_COLUMNS: Final = (
    "sku",  # what it is: an instance type, a server, a meter
    "kind",  # one of OFFER_KINDS
    "provider",  # aws | azure | gcp | onprem
    "region",  # 'all' where one price holds everywhere
    "term",  # one of TERMS
    "unit",  # what usd_per_unit buys, one of UNITS
    "usd_per_unit",
    "tier_from",  # first unit of the month this price holds for; 0 without tiers
    "tier_to",  # NaN: no end
    "cpu_cores",  # capacity in schedulable threads (vCPU); NaN: metered, no box
    "memory_gib",
    "gpus",
    "storage_gib",
    "physical_cores",  # what licences per core count; NaN where not a server
    "sockets",
    "family",
    "category",  # general | compute | memory | storage | gpu | burstable; empty where not an instance
    "arch",  # x86_64 | arm64
    "max_pods",
    "lifetime_months",  # bought and written off over so many months; NaN: rented
    "idle_watts",
    "peak_watts",
    "low",  # of a range whose middle is usd_per_unit
    "high",
    "status",  # VERIFIED | VERIFIED (...) | FROM MEMORY
    "source",
    "as_of",
    "note",
)
"""Columns of `Catalog.offers`. Unique by sku, provider, region, term and tier_from."""

OFFER_NUMBERS: Final = frozenset(
    {
        *("usd_per_unit", "low", "high", "tier_from", "tier_to"),
        *("cpu_cores", "memory_gib", "gpus", "storage_gib", "physical_cores", "sockets", "max_pods"),
        *("lifetime_months", "idle_watts", "peak_watts"),
    }
)
"""The numeric ones of `OFFER_COLUMNS`, NaN where a row does not tell; the others are texts, empty where not told."""

TERMS: Final = {
    "on_demand": "paid as used, given up at will",
    "sustained_use": "paid as used, cheaper the longer it runs in a month; tiers by hours of one instance",
    "spot": "paid as used, taken back at short notice",
    "1y_no_upfront": "promised for a year, paid by the hour",
    "1y_partial_upfront": "promised for a year, the part paid by the hour",
    "1y_partial_upfront_fee": "its part paid at once; unit each, with a lifetime",
    "1y_all_upfront": "a year paid at once; unit each, with a lifetime",
    "3y_no_upfront": "promised for three years, paid by the hour",
    "3y_partial_upfront": "promised for three years, the part paid by the hour",
    "3y_partial_upfront_fee": "its part paid at once; unit each, with a lifetime",
    "3y_all_upfront": "three years paid at once; unit each, with a lifetime",
    "1y_family_plan": "an hourly spend promised for a year, on any size of one family",
    "3y_family_plan": "an hourly spend promised for three years, on any size of one family",
    "1y_savings_plan": "an hourly spend promised for a year, on any instance",
    "3y_savings_plan": "an hourly spend promised for three years, on any instance",
    "purchase": "bought; with a lifetime",
}
"""On what terms an offer holds."""

UNITS: Final = {
    "each": "one piece",
    "hour": "an hour of one",
    "month": "a month of one",
    "VM-hour": "an hour of one virtual machine",
    "vCPU-hour": "an hour of one schedulable thread",
    "vCPU-second": "a second of one schedulable thread",
    "vCPU-month": "a month of one schedulable thread",
    "GHz-second": "a second of one gigahertz",
    "GB": "2^30 bytes where a cloud meters (clouds write GB and GiB for it), 10^9 bytes of disks that are bought",
    "GB-hour": "2^30 bytes for an hour",
    "GB-second": "2^30 bytes for a second",
    "GB-month": "2^30 bytes for a month",
    "IOPS-month": "one operation a second, for a month",
    "MB/s-month": "2^20 bytes a second, for a month",
    "disk-month": "a disk of fixed size for a month",
    "thousand requests": "1,000 requests",
    "million requests": "1,000,000 requests",
    "capacity-hour": "an hour of one capacity unit of a load balancer",
    "cluster-hour": "an hour of one cluster",
    "kWh": "energy",
    "kW-month": "a kilowatt for a month",
    "U-month": "a rack unit for a month",
    "rack-month": "a rack for a month",
    "core-year": "a physical core for a year",
    "16-core": "a licence for 16 physical cores",
    "2-core-year": "two physical cores for a year",
    "2-socket-year": "two processors for a year",
    "server-year": "a server for a year",
    "FTE-year": "a full-time employee for a year",
    "usd of spend": "a share of what else is paid",
    "usd of spend-year": "a share, each year, of what was paid once",
    "fraction of on-demand": "a share of the on-demand price",
    "workload": "one workload, once",
}
"""What a price may be for: one name for one meaning. A month is 730 hours, a year twelve months."""

FACT_COLUMNS: Final = ("topic", "key", "metric", "value", "unit", "low", "high", "status", "source", "as_of", "note")
"""Columns of `Catalog.facts`: sourced technical figures that are no prices (carbon, watts, mesh, limits)."""

OFFER_KINDS: Final = {
    "server": "a physical server; unit each, bought",
    "vm": "an instance; unit hour, or each where paid at once",
    "cpu_credits": "processor of a burstable instance above what it earns; unit vCPU-hour",
    "block_storage": "provisioned disk; unit GB-month",
    "block_iops": "provisioned operations; unit IOPS-month",
    "block_throughput": "provisioned throughput; unit MB/s-month",
    "disk": "a managed disk of fixed size; unit disk-month",
    "object_storage": "stored objects; unit GB-month",
    "object_requests": "requests to stored objects; unit thousand requests",
    "file_storage": "shared files; unit GB-month",
    "snapshot": "disk snapshots; unit GB-month",
    "egress": "traffic to the internet; unit GB, tiers",
    "inter_az": "traffic between zones, each direction; unit GB",
    "inter_region": "traffic between regions; unit GB",
    "nat_gateway": "address translation; unit hour or VM-hour",
    "nat_data": "translated traffic; unit GB",
    "load_balancer": "a load balancer; unit hour",
    "load_balancer_capacity": "its capacity units; unit capacity-hour",
    "load_balancer_data": "its traffic; unit GB",
    "ipv4": "a public address; unit hour",
    "private_network": "tunnels, peering, dedicated lines and their traffic; unit as given",
    "logs": "log ingestion and keeping; unit GB or GB-month",
    "control_plane": "a managed Kubernetes control plane; unit cluster-hour",
    "pod_cpu": "processor of pods on managed nodes; unit vCPU-hour",
    "pod_memory": "their memory; unit GB-hour",
    "pod_storage": "their scratch disk; unit GB-hour",
    "platform": "platform fees and subscriptions; unit as given",
    "function_requests": "calls of functions; unit million requests",
    "function_duration": "run time of functions; unit GB-second, tiers",
    "function_allowance": "free monthly amount of a function meter; price 0 up to tier_to",
    "function_storage": "scratch disk above the free part; unit GB-second",
    "function_provisioned": "capacity kept warm; unit GB-second",
    "function_provisioned_duration": "run time on warm capacity; unit GB-second",
    "function_snapshot_cache": "snapshots kept to start from; unit GB-second",
    "function_snapshot_restore": "starts from a snapshot; unit GB",
    "function_operations": "steps of durable functions; unit million requests",
    "function_state_written": "what they write down; unit GB",
    "function_state": "what of it is kept; unit GB-month",
    "function_poller": "readers of queues and streams; unit hour",
    "function_cpu": "processor time where billed apart; unit GHz-second or vCPU-hour",
    "function_memory": "memory where billed apart; unit GB-second or GB-hour",
    "function_egress": "traffic of functions; unit GB",
    "container_cpu": "processor of serverless containers; unit vCPU-hour or vCPU-second",
    "container_memory": "memory of serverless containers; unit GB-hour or GB-second",
    "container_idle_cpu": "processor while idle; unit vCPU-second",
    "container_idle_memory": "memory while idle; unit GB-second",
    "container_requests": "requests to serverless containers; unit million requests",
    "container_storage": "scratch disk above the free part; unit GB-hour",
    "container_licence": "operating system of serverless containers; unit vCPU-hour",
    "container_allowance": "free monthly amount of a container meter; price 0 up to tier_to",
    "server_maintenance": "hardware support; unit usd of spend-year",
    "storage_hardware": "disks and arrays; unit GB, bought",
    "storage_maintenance": "their support; unit usd of spend-year",
    "network_hardware": "switches as a share of compute and storage; unit usd of spend, bought",
    "network_maintenance": "their support; unit usd of spend-year",
    "switch_port": "a port; unit each, bought",
    "switch": "a switch; unit each, bought",
    "rack": "a rack with power strips; unit each, bought",
    "memory_module": "server memory; unit GB",
    "rack_space": "colocated space without power; unit U-month or rack-month",
    "colocation": "space, power chain and cooling; unit kW-month",
    "electricity": "energy; unit kWh",
    "security": "protection software; unit server-year",
    "monitoring": "monitoring labour; unit server-year",
    "patching": "patching labour; unit server-year",
    "backup": "backup labour and disks; unit server-year",
    "admin_labour": "administrators; unit FTE-year",
    "hypervisor_licence": "virtualisation; unit core-year",
    "os_licence": "operating systems; unit as given",
    "support": "provider support; unit usd of spend, tiers",
    "support_minimum": "least monthly support fee; unit month",
    "migration": "moving one workload once; unit workload",
    "committed_discount": "share of the on-demand price saved by a term; unit fraction of on-demand",
}
"""Every kind of offer and its unit. Models look offers up by kind, so a new book needs no new code."""


@dataclass(frozen=True, eq=False)
class Catalog:
    """What can be bought: offers with prices, and facts without. The same only as itself: frames are not compared."""

    offers: pd.DataFrame
    facts: pd.DataFrame

    def at(self, provider: str, region: str) -> Catalog:
        """Only what `provider` sells in `region`, prices that hold everywhere included.

        Raises:
            PriceBookError: nothing is sold there; names the regions that are known.
        """
        if (provider, region) not in self._markets:
            self._markets[provider, region] = self._at(provider, region)
        return self._markets[provider, region]

    def _at(self, provider: str, region: str) -> Catalog:
        of_provider = self.offers[self.offers["provider"] == provider]
        if of_provider.empty:
            raise PriceBookError(f"provider {provider!r}: no price row; {near_miss(provider, self.offers['provider'])}")
        known = set(of_provider["region"])
        if region not in known and known != {"all"}:
            raise PriceBookError(f"region {region!r} of {provider}: no price row; {near_miss(region, known - {'all'})}")
        # An exact region outranks 'all' for the same sku and term.
        here = of_provider[of_provider["region"].isin({region, "all"})]
        exact = (here["region"] == region).to_numpy(bool)
        name = here["sku"] + "\n" + here["term"]
        return replace(self, offers=here[exact | ~name.isin(name[exact]).to_numpy(bool)])

    def of(self, kind: str, term: str | None = None) -> pd.DataFrame:
        """The offers of one kind (and term), in the order of the books; may be empty.

        Raises:
            PriceBookError: `kind` is no kind of offer.
        """
        if kind not in OFFER_KINDS:
            raise PriceBookError(f"offer kind {kind!r}: {near_miss(kind, OFFER_KINDS)}")
        if (kind, term) not in self._offers_of:
            self._offers_of[kind, term] = self._of(kind, term)
        return self._offers_of[kind, term]

    def _of(self, kind: str, term: str | None) -> pd.DataFrame:
        if term is None:
            return self.offers.iloc[self._places.get(kind, [])]
        rows = self.of(kind)
        return rows[rows["term"] == term]

    @cached_property
    def _markets(self) -> dict[tuple[str, str], Catalog]:
        """What has been asked for by provider and region: many models rent at the same place."""
        return {}

    @cached_property
    def _tiers(self) -> dict[tuple[str, str | None, str | None], pd.DataFrame]:
        """Tiers that have been asked for."""
        return {}

    @cached_property
    def _places(self) -> dict[str, NDArray[np.intp]]:
        """The places of the offers of each kind, in the order of the books."""
        found = self.offers.groupby("kind", sort=False).indices
        return {str(kind): np.asarray(places, np.intp) for kind, places in found.items()}

    @cached_property
    def _offers_of(self) -> dict[tuple[str, str | None], pd.DataFrame]:
        """Offers that have been asked for by kind and term."""
        return {}

    def tiers(self, kind: str, sku: str | None = None, term: str | None = None) -> pd.DataFrame:
        """All tiers of one offer, lowest first: the first sku of the kind, or the one named.

        Raises:
            PriceBookError: there is no such offer; names what is near.
        """
        if (kind, sku, term) not in self._tiers:
            self._tiers[kind, sku, term] = self._one(kind, sku, term)
        return self._tiers[kind, sku, term]

    def _one(self, kind: str, sku: str | None, term: str | None) -> pd.DataFrame:
        rows = self.of(kind, term)
        if rows.empty:
            where = ", ".join(sorted(set(self.offers["provider"]))) or "an empty price book"
            raise PriceBookError(f"no {kind} price for {where} in the chosen region" + (f" ({term})" if term else ""))
        if sku is not None and sku not in set(rows["sku"]):
            raise PriceBookError(f"{kind} {sku!r}: {near_miss(sku, rows['sku'])}")
        if len(rows) > 1:
            rows = rows[rows["sku"] == (sku if sku is not None else rows["sku"].iloc[0])]
        if len(rows) > 1:
            rows = rows[rows["term"] == rows["term"].iloc[0]].sort_values("tier_from")
        return rows

    def fact(self, topic: str, key: str, metric: str) -> pd.Series:
        """One sourced figure as a row of `FACT_COLUMNS`.

        Raises:
            PriceBookError: there is no such figure; names what is near.
        """
        rows = self.facts
        for column, wanted in (("topic", topic), ("key", key), ("metric", metric)):
            hit = rows[rows[column] == wanted]
            if hit.empty:
                raise PriceBookError(
                    f"fact {topic}/{key}/{metric}: no {column} {wanted!r}; {near_miss(wanted, rows[column])}"
                )
            rows = hit
        return rows.iloc[0]
