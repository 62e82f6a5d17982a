"""An estate as it was recorded: when it is busy, who uses most, and how well each workload was recorded."""

from __future__ import annotations

import re
from typing import Final, Literal

import duckdb
import pandas as pd

from planner.demand import Policy
from planner.store.database import statements
from planner.store.samples import look_at

__all__ = ["MOST_ROWS", "View", "view"]

MOST_ROWS: Final = 5000
"""Most workloads that are told one by one: the largest consumers, or the worst recorded."""

View = Literal["hours", "consumers", "quality", "allocated"]
"""Queries of sql/estate.sql; its comments say what each tells."""


def view(connection: duckdb.DuckDBPyConnection, name: View, trace_id: str, policy: Policy) -> pd.DataFrame:
    """The rows of one query about a recording, sizes it does not tell taken from `policy`."""
    look_at(connection, trace_id)
    (statement,) = statements("estate.sql", name)
    values = {
        "trace_id": trace_id, "cores": policy.assumed_cpu_cores, "gib": policy.assumed_memory_gib, "most": MOST_ROWS,
    }  # fmt: skip
    named = {key: value for key, value in values.items() if re.search(rf"\${key}\b", statement)}
    return connection.execute(statement, named).df()
