"""The call graph of a recording, as far as it names what is in the demand: class by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.demand import Demand
from planner.models._units import names

__all__ = ["Graph", "graph"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Graph:
    """Calls between classes of workloads, all members together."""

    caller: Ints
    """[flow], a class."""
    callee: Ints
    requests_per_s: Floats
    """NaN where only bytes are told."""
    gib_per_month: Floats
    """NaN where only requests are told."""

    def made(self, classes: int) -> Floats:
        """[class], requests a second that it makes; NaN where the graph does not tell."""
        told = ~np.isnan(self.requests_per_s)
        out = np.bincount(self.caller[told], self.requests_per_s[told], minlength=classes).astype(float)
        return np.where(np.bincount(self.caller[told], minlength=classes) > 0, out, np.nan)


def graph(demand: Demand) -> Graph | None:
    """The recorded traffic between classes; None where there is none. Names are workloads or applications.

    What an application sends or receives is shared out evenly over its members. Rows that name what is not in the
    demand are left out.
    """
    if demand.traffic is None or demand.traffic.empty:
        return None
    ends = _ends(demand)
    rows = demand.traffic.merge(ends.add_prefix("caller_"), left_on="caller", right_on="caller_name")
    rows = rows.merge(ends.add_prefix("callee_"), left_on="callee", right_on="callee_name")
    if rows.empty:
        return None
    share = (rows["caller_share"] * rows["callee_share"]).to_numpy(float)
    return Graph(
        rows["caller_class"].to_numpy(np.int64),
        rows["callee_class"].to_numpy(np.int64),
        rows["requests_per_s"].to_numpy(float) * share,
        rows["gib_per_month"].to_numpy(float) * share,
    )


def _ends(demand: Demand) -> pd.DataFrame:
    """Rows (name, class, share): what a name stands for. A workload's name goes before an application's."""
    owner = demand.members["class"].to_numpy(np.int64)
    alone = pd.DataFrame({"name": demand.members["workload"].astype(object), "class": owner, "share": 1.0})
    together = pd.DataFrame({"name": names(demand, "application")[owner].astype(object), "class": owner})
    together = together[(together["name"] != "") & ~together["name"].isin(alone["name"])]
    each = together.groupby(["name", "class"], sort=True).size().rename("members").reset_index()
    each["share"] = each["members"] / each.groupby("name")["members"].transform("sum")
    return pd.concat([alone.drop_duplicates("name"), each[["name", "class", "share"]]], ignore_index=True)
