"""Replay: a finished plan against the raw recording. How often and how badly was capacity short?"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from planner.catalog import Catalog
from planner.demand import Policy
from planner.errors import PriceBookError
from planner.plan import Plan
from planner.store import SLOT_SECONDS, Store

__all__ = ["Replay", "replay"]


@dataclass(frozen=True)
class Replay:
    """What the samples say of a plan."""

    boxes: pd.DataFrame
    """One row a box that samples fell on: ``sku``, ``box``, ``slots``; of CPU ``cpu_short_slots`` (slots in which more
    was used than the box holds), ``cpu_worst`` and ``cpu_mean`` (use as a share of what it holds); of memory the same.
    """
    seconds: float
    """Length of a slot."""

    def short(self, resource: str) -> float:
        """Share of all slots of all boxes in which ``cpu`` or ``memory`` was short; 0 where nothing was replayed."""
        slots = float(self.boxes["slots"].sum())
        return float(self.boxes[f"{resource}_short_slots"].sum()) / slots if slots else 0.0

    def worst(self, resource: str) -> float:
        """The largest use of ``cpu`` or ``memory`` of any box as a share of what it holds; above 1 it was short."""
        return float(self.boxes[f"{resource}_worst"].max()) if len(self.boxes) else 0.0

    def hours_short(self, resource: str) -> float:
        """Box-hours in which ``cpu`` or ``memory`` was short."""
        return float(self.boxes[f"{resource}_short_slots"].sum()) * self.seconds / 3600


def replay(store: Store, trace_id: str, plan: Plan, catalog: Catalog, policy: Policy) -> Replay:
    """Puts every sample of the recording into the box where `plan` has its workload.

    A workload in several replicas loads each with an equal share. Boxes count with all they hold: what a platform keeps
    for itself is not taken off. Growth is not added, so replay plans of year 0.

    Raises:
        TraceError: there is no such recording.
        PriceBookError: the catalog does not tell what a box of the plan holds.
    """
    rooms = _rooms(plan, catalog)
    seats = plan.placement[["workload", "sku", "box"]].copy()
    seats["share"] = 1.0 / seats.groupby("workload")["workload"].transform("size")
    return Replay(store.replay(trace_id, seats, rooms, policy), SLOT_SECONDS)


def _rooms(plan: Plan, catalog: Catalog) -> pd.DataFrame:
    """What a box of each sku holds: ``sku`` (``site/sku`` in a portfolio), ``cpu_cores``, ``memory_gib``."""
    boxes = catalog.offers[catalog.offers["cpu_cores"].notna()].drop_duplicates("sku").set_index("sku")
    named = pd.Series(sorted(set(plan.placement["sku"].astype(str))), dtype=object)
    sold = named.where(named.isin(boxes.index), named.str.partition("/")[2]) if len(named) else named
    unknown = named[~sold.isin(boxes.index)]
    if len(unknown):
        raise PriceBookError(f"replay: no price row tells what {unknown.iloc[0]!r} holds")
    rooms = boxes[["cpu_cores", "memory_gib"]].reindex(sold.to_numpy())
    return rooms.reset_index(drop=True).assign(sku=named)
