"""A fleet of serverless containers as the columns of a plan: capacity, boxes, placement, cost by workload, bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._calls import cold_share
from planner.models._container_bill import Meters, Tariff, lowest_share
from planner.models._container_sizing import Asked, Chosen, Manner, room
from planner.models._instances import limiting
from planner.models._rented import left_out
from planner.plan import Category, Certificate, Line, in_proportion, showback
from planner.quantities import CPU, GPU, MEMORY, SECONDS_PER_HOUR, STORAGE

__all__ = ["Fleet", "boxes", "certificate", "details", "placement", "provisioned", "shown", "unplaced", "used"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_SIZED = [CPU, MEMORY]


@dataclass(frozen=True)
class Fleet:
    """The classes that are placed, and what was chosen for them."""

    served: Demand
    work: Asked
    chosen: Chosen
    sizes: Floats
    """[shape, (cores, GiB)]."""
    sold: tuple[Tariff, ...]
    manner: Manner

    @property
    def count(self) -> Floats:
        """[class], members."""
        return self.served.count.astype(float)

    @property
    def size(self) -> Floats:
        """[class, (cores, GiB)], of one instance."""
        return np.asarray(self.sizes[self.chosen.size])

    @property
    def mode(self) -> NDArray[np.str_]:
        """[class], how it is billed."""
        return np.array([*(t.billing.mode for t in self.sold), ""], dtype=str)[self.chosen.tariff]

    @property
    def services(self) -> Bools:
        """[class], whether several instances share what comes in."""
        return np.asarray((self.mode == "instance") & (self.work.called | self.work.scales))

    def meters(self) -> list[tuple[Tariff, Meters]]:
        """What all members take of each tariff in a month."""
        return [(t, self._taken(np.flatnonzero(self.chosen.tariff == i))) for i, t in enumerate(self.sold)]

    def _taken(self, rows: NDArray[np.int64]) -> Meters:
        count, size = self.count[rows], self.size[rows]
        running, idle = (
            count * (n[rows] @ self.work.hours) * SECONDS_PER_HOUR for n in (self.chosen.running, self.chosen.idle)
        )
        calls = np.where(self.work.called[rows], self.work.rate[rows] @ self.work.hours, 0.0) * SECONDS_PER_HOUR
        return Meters(
            cpu=float(running @ size[:, 0]),
            memory=float(running @ size[:, 1]),
            idle_cpu=float(idle @ size[:, 0]),
            idle_memory=float(idle @ size[:, 1]),
            storage=float((running + idle).sum()) * self.manner.storage_gib,
            requests=float(count @ calls),
        )

    @property
    def held(self) -> Floats:
        """[class, period, (cores, GiB)], of the instances of one member."""
        return np.asarray((self.chosen.running + self.chosen.idle)[:, :, None] * self.size[:, None, :])

    @property
    def needed(self) -> Floats:
        """[class, period, (cores, GiB)], what one member asks for at once."""
        flight = self.work.rate * self.work.seconds[:, None]
        calls = flight[:, :, None] * self.work.per_request[:, None, :]
        return np.asarray(np.where(self.work.called[:, None, None], calls, self.work.need))


def provisioned(fleet: Fleet, volumes_gib: Floats) -> Floats:
    """[period, resource], what runs on average, and the disks that are kept."""
    out = np.zeros((len(fleet.work.hours), 4))
    out[:, _SIZED] = np.einsum("c,cpr->pr", fleet.count, fleet.held)
    out[:, STORAGE] = float(fleet.count @ volumes_gib)
    return out


def used(fleet: Fleet) -> Floats:
    """[period, resource], what is used on average, never more than runs."""
    mean = fleet.served.mean.copy()
    mean[:, :, _SIZED] = np.minimum(mean[:, :, _SIZED], fleet.held)
    return np.asarray(np.einsum("c,cpr->pr", fleet.count, mean))


def _skus(fleet: Fleet, plan: str) -> NDArray[np.object_]:
    """[class], the size as a name."""
    told = np.array([f"{plan} {c:g} vCPU {m:g} GiB" for c, m in fleet.sizes.tolist()] or [""], dtype=object)
    return np.asarray(told[fleet.chosen.size])


def boxes(fleet: Fleet, plan: str, where: tuple[str, str]) -> pd.DataFrame:
    """Instances of each size and term at once."""
    terms = np.array([t.term for t in fleet.sold] or [""], dtype=object)[fleet.chosen.tariff]
    rows = pd.DataFrame({"sku": _skus(fleet, plan), "term": terms, "count": fleet.served.count * fleet.chosen.most})
    summed = rows.groupby(["sku", "term"], as_index=False, sort=True)["count"].sum()
    columns = ["sku", "provider", "region", "term", "count"]
    told: pd.DataFrame = summed.assign(provider=where[0], region=where[1])[columns]
    return told


def placement(fleet: Fleet, plan: str) -> pd.DataFrame:
    """Each workload in the instances of its service, numbered through within their size."""
    members, count, most = fleet.served.members, fleet.served.count, fleet.chosen.most
    owner = members["class"].to_numpy(np.int64)
    service = np.repeat(np.arange(len(count)), count)
    sku = _skus(fleet, plan)
    behind = pd.Series(most[service]).groupby(sku[service]).cumsum().to_numpy(np.int64) if len(service) else service
    first = behind - most[service]
    rank = members.groupby("class").cumcount().to_numpy(np.int64) if len(members) else owner
    own = np.cumsum(count)[owner] - count[owner] + np.minimum(rank, count[owner] - 1)
    row = np.repeat(np.arange(len(owner)), most[owner])
    replica = np.arange(len(row)) - np.repeat(np.cumsum(most[owner]) - most[owner], most[owner])
    named = members["workload"].to_numpy(object)[row]
    return pd.DataFrame(
        {"workload": named, "replica": replica, "sku": sku[owner][row], "box": first[own][row] + replica}
    )


def shown(fleet: Fleet, lines: Sequence[Line], sent_gib: Floats, volume_gib: Floats) -> pd.DataFrame:
    """By what each workload's instances cost; what of them it never needs is idle.

    Traffic goes by what a member of a class sends out, disks by its volume (both [class], GiB).
    """
    owner = fleet.served.members["class"].to_numpy(np.int64)
    inside = fleet.count / np.maximum(np.bincount(owner, minlength=len(fleet.count)), 1)
    hours = fleet.work.hours
    asked, held = (np.einsum("cpr,p->cr", table, hours) for table in (fleet.needed, fleet.held))
    filled = np.clip(asked / np.maximum(held, 1e-300), 0.0, 1.0).mean(axis=1)
    busy = np.divide(
        fleet.chosen.running @ hours,
        (fleet.chosen.running + fleet.chosen.idle) @ hours,
        out=np.ones(len(filled)),
        where=held[:, 0] > 0,
    )
    share = inside * fleet.chosen.usd * np.where(fleet.mode == "instance", filled, busy)
    part = share[owner] / max(float(fleet.count @ fleet.chosen.usd), 1e-300)
    shares: dict[Category, Floats] = {
        "compute": part,
        "storage": in_proportion((inside * volume_gib)[owner]),
        "network": in_proportion((inside * sent_gib)[owner]),
    }
    return showback(lines, fleet.served.members["workload"].tolist(), shares)


def unplaced(demand: Demand, work: Asked, placed: Bools, offered: tuple[Floats, Manner]) -> pd.DataFrame:
    """Why each class that is left out is."""
    sizes, manner = offered
    inside, gpus = room(sizes, manner), demand.peak[:, GPU]
    reasons = {}
    for i in np.flatnonzero(~placed).tolist():
        least = work.least[i]
        if gpus[i] > 0:
            reasons[i] = f"gpus: needs {gpus[i]:.4g}, serverless containers have none"
        elif not (least <= inside).all(axis=1).any():
            reasons[i] = limiting(least, inside)
        elif work.called[i] and work.seconds[i] > manner.request_limit_s:
            reasons[i] = f"duration: a request takes {work.seconds[i]:.5g} s, the limit is {manner.request_limit_s:g} s"
        else:
            reasons[i] = f"arch: needs {work.arch[i]}, no serverless container of it is sold"
    return left_out(demand, reasons)


def certificate(fleet: Fleet, toll: Sequence[Line], free_usd: float) -> Certificate:
    """Each class alone cannot cost less; together they save at most all free amounts and the lowest tier."""
    usd = sum(entry.usd_per_month for entry in toll)
    alone = float(fleet.count @ fleet.chosen.usd) * lowest_share(fleet.sold)
    form = "each workload on its cheapest allowed size and way of billing, less all that the free amounts can be worth"
    return Certificate(usd, min(max(alone - free_usd, 0.0), usd), form, {"version": 1, "closed_form": form})


def details(fleet: Fleet, keep_alive_minutes: float) -> dict[str, float]:
    """How many services are billed in which way, instances at once, and how seldom requests start cold."""
    calls = fleet.count * (fleet.work.rate @ fleet.work.hours)
    cold = cold_share(fleet.work.rate, fleet.work.hours, keep_alive_minutes)
    told = {f"services_by_{m}": float(fleet.count[fleet.mode == m].sum()) for m in ("instance", "request", "job")}
    return told | {
        "instances_at_peak": float(fleet.count @ fleet.chosen.most),
        "calls_per_month": float(calls.sum() * SECONDS_PER_HOUR),
        "cold_start_share": float(calls @ cold / calls.sum()) if calls.sum() > 0 else 0.0,
    }
