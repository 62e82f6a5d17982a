"""Kubernetes: pods packed onto nodes whose number follows the hour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from planner.catalog import Catalog
from planner.demand import Demand
from planner.models._clustered import Clustered
from planner.models._clusterplan import planned
from planner.models._pods import Burden
from planner.plan import Plan

__all__ = ["Kubernetes"]


class Kubernetes(Clustered):
    """Pods on a managed cluster: replicas follow the hour where a workload scales out, nodes follow the pods."""

    kind: Literal["kubernetes"] = "kubernetes"
    title: ClassVar[str] = "Kubernetes"

    def plan(self, demand: Demand, catalog: Catalog, owned: Mapping[str, int] | None = None) -> Plan:
        """Nodes of every period, on the best mix of terms.

        Raises:
            PriceBookError: nothing is sold there on these terms, or something that a cluster needs has no price.
        """
        return planned(self, demand, catalog, Burden(), owned)
