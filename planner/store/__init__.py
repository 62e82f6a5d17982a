"""The store: recordings, price books and studies in one DuckDB file; the only place that imports duckdb.

    files ──detect──> format ──declared inputs──> views over typed CSV ──sql/traces/FORMAT.sql──> our tables
    our tables ──sql/demand.sql──> classes x periods ──> Demand

`Store` is the door; the other modules are its rooms: `database` opens and migrates, `formats` reads what a format
declares, `sources` and `detect` look at files, `reading` and `exact` load rows and find the bad ones, `ingest` makes
one transaction of it, `reduction` makes demand, `prices` the catalog and `studies` keeps what was decided.
"""

from planner.store.database import Confined
from planner.store.formats import formats
from planner.store.inspecting import Inspection, inspect
from planner.store.limits import Limits, limits_from
from planner.store.reduction import SLOT_SECONDS
from planner.store.trace import TraceInfo
from planner.store.workspace import Store

__all__ = [
    "SLOT_SECONDS",
    "Confined",
    "Inspection",
    "Limits",
    "Store",
    "TraceInfo",
    "formats",
    "inspect",
    "limits_from",
]
