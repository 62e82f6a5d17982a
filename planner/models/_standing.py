"""A cluster stands: which workloads its nodes take, what it runs itself, and the nodes that came of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.demand import Demand
from planner.errors import PriceBookError
from planner.models._clustered import Clustered
from planner.models._nodepools import Offer, pooled
from planner.models._podplan import Cluster, unplaced
from planner.models._pods import Burden, Pods, pods
from planner.models._units import names

__all__ = ["Standing", "standing", "volumes"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Standing:
    """A cluster, and what it was asked to hold."""

    cluster: Cluster
    asked: Pods
    placed: Bools
    """[class]."""
    offers: tuple[Offer, Offer]

    def unplaced(self, demand: Demand) -> pd.DataFrame:
        """Workloads that no node takes, with the reason."""
        return unplaced(demand, self.asked, self.placed, self.offers)


def standing(model: Clustered, demand: Demand, burden: Burden, offers: tuple[Offer, Offer]) -> Standing:
    """The nodes of every period for pods that carry a burden.

    Args:
        model: the cluster.
        demand: all workloads.
        burden: what pods and nodes carry, and what runs beside.
        offers: nodes that stay, and spot nodes.

    Raises:
        PriceBookError: no node that stays holds what the cluster itself runs.
    """
    asked = burden.laden(demand, pods(demand, model.rules))
    placed = _placeable(demand, asked, offers)
    served = demand.select(placed)
    own = burden.beside(served, asked.only(placed))
    _check(own, offers[0])
    cluster = Cluster(served, tuple(pooled(model, served, asked.only(placed), own, offers)))
    return Standing(cluster, asked, placed, offers)


def volumes(served: Demand, assumed_gib: float) -> tuple[Floats, Bools]:
    """[class] GiB of the volume of one member, as told or assumed, and [class] whether it is assumed; functions have
    none."""
    known = served.workloads["storage_gib"].to_numpy(float)
    stateless = names(served, "kind") == "function"
    gib = np.where(np.isnan(known), np.where(stateless, 0.0, assumed_gib), known)
    return gib, np.asarray(np.isnan(known) & ~stateless)


def _placeable(demand: Demand, asked: Pods, offers: tuple[Offer, Offer]) -> NDArray[np.bool_]:
    """[class], whether a node that it may run on holds its pod."""
    stay, spot = (np.asarray(offer.fits(asked).any(axis=1)) for offer in offers)
    may = demand.workloads["interruptible"].fillna(False).to_numpy(bool)
    return np.asarray(stay | (spot & may))


def _check(own: Pods | None, stay: Offer) -> None:
    """Says so where no node holds what the cluster itself runs."""
    if own is not None and not stay.fits(own).any(axis=1).all():
        raise PriceBookError("no node that stays on offer holds the cluster's own pods; expected a larger vm")
