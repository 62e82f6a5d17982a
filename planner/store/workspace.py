"""Store: one workspace, one DuckDB file; tables and ids in, values out."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import pandas as pd

from planner.catalog import Catalog
from planner.demand import Demand, Policy
from planner.engine import HERE, Fanout
from planner.errors import TraceError, near_miss
from planner.store import bills, estate, prices, studies
from planner.store.adopting import adopt, forget
from planner.store.database import MAX_TEMP_SIZE, Confined, connect, default_path
from planner.store.estate import MOST_ROWS, View
from planner.store.ingest import Request, ingest
from planner.store.limits import Limits
from planner.store.profiles import build
from planner.store.reduction import reduce, replayed
from planner.store.repair import order
from planner.store.trace import TraceInfo, trace_of

__all__ = ["Store"]


class Store:
    """A workspace, open until it is closed; a context manager. One process at a time may hold it.

    Threads may share it: every call works on a cursor of its own.
    """

    def __init__(
        self,
        path: Path | str | None = None,
        memory_limit: str = "4GB",
        spill_limit: str = MAX_TEMP_SIZE,
        confined: Confined | None = None,
        *,
        in_order: bool = False,
    ) -> None:
        """Opens the workspace at `path`; None: in the user's data directory; ":memory:": kept nowhere.

        DuckDB takes at most `memory_limit`, and writes at most `spill_limit` to its temporary folder. A `confined`
        store reads and writes nothing but what that names; one `in_order` keeps rows as they came, on one core.

        Raises:
            InputError: it is no workspace, is open elsewhere, or was written by a newer planner.
        """
        self.path = default_path() if path is None else path
        self._locked = confined is not None
        self._connection = connect(self.path, memory_limit, spill_limit, confined)
        if in_order:
            self._connection.execute("set preserve_insertion_order = true")
            self._connection.execute("set threads = 1")
        self._writing = threading.Lock()  # two writers of one table would make one of them fail

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; another process may open it then."""
        self._connection.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self._connection.cursor()
        if not self._locked:
            cursor.execute("set TimeZone = 'UTC'")
            cursor.execute("set enable_progress_bar = false")
        return cursor

    def ingest(
        self,
        path: Path | str | Sequence[Path | str],
        format: str = "auto",  # noqa: A002
        name: str | None = None,
        limits: Limits | None = None,
    ) -> TraceInfo:
        """Reads a recording: a file, several, a folder, or a server; all of it or, where that fails, nothing.

        A text that begins with http:// or https:// names a Prometheus server, see `planner.store.prometheus`.

        A recording that is already there, by content, is not read again (`TraceInfo.repeated`). Files that nobody
        vouches for go through `planner.sandbox.ingest`, which does the same in a process of its own.

        Raises:
            TraceError: the files are missing, empty, larger than `limits`, of no known format, or hold no good row.
        """
        paths = [path] if isinstance(path, str | Path) else list(path)
        with self._writing:
            return ingest(self._cursor, Request(paths, format, name, limits or Limits()))

    def adopt(self, path: Path, trace_id: str) -> TraceInfo:
        """Copies a recording out of another workspace, in one transaction; one that is there already stays as it is.

        Raises:
            TraceError: the other workspace does not hold it.
        """
        with self._writing:
            return adopt(self._cursor, path, trace_id)

    def forget(self, trace_id: str) -> bool:
        """Takes a recording out, all that is known of it; whether there was one. Studies of it stay as documents."""
        with self._writing:
            return forget(self._cursor, trace_id)

    def traces(self) -> pd.DataFrame:
        """One row a recording, newest first, columns as the fields of `TraceInfo`."""
        return self._frame("select * from traces order by ingested_at desc, trace_id")

    def trace(self, trace_id: str) -> TraceInfo:
        """What is known of one recording.

        Raises:
            TraceError: there is none of that id; names what is near.
        """
        with self._cursor() as cursor:
            info = trace_of(cursor, trace_id)
            known = [str(row[0]) for row in cursor.execute("select trace_id from traces").fetchall()]
        if info is None:
            raise TraceError(f"trace {trace_id!r}: {near_miss(trace_id, known) if known else 'the store is empty'}")
        return info

    def rejects(self, trace_id: str) -> pd.DataFrame:
        """The bad rows of a recording: ``file``, ``line``, ``reason``, ``text``."""
        query = "select file, line, reason, text from rejects where trace_id = $id order by file, line"
        return self._frame(query, {"id": trace_id})

    def order(self, trace_id: str) -> list[str]:
        """A note on rows that came behind later ones of their workload; told by a store that is ``in_order``."""
        with self._cursor() as cursor:
            return order(cursor, trace_id)

    def demand(self, trace_id: str, policy: Policy, growth_per_year: float = 0.0, fanout: Fanout = HERE) -> Demand:
        """What the recording says must run, sized by `policy`; the same whatever engine works it out.

        Raises:
            TraceError: there is no such recording, or it is a bill without workloads.
            ScenarioError: sizes are needed that neither recording nor policy gives.
        """
        info = self.trace(trace_id)
        if not info.workloads:
            raise TraceError(
                f"{info.name}: is a bill of {info.charges:,} charges and tells no workloads to plan; name a recording "
                "of the machines as the trace, and the bill beside it as bill under [today]"
            )
        with self._cursor() as cursor:
            return build(reduce(cursor, trace_id, policy, fanout), policy, growth_per_year)

    def bill(self, trace_id: str) -> pd.DataFrame:
        """What a bill adds up to: one row a month, provider, service category, service, region and currency.

        Columns are `BILL_COLUMNS`, amounts in ``currency``; no rows where the recording is no bill.

        Raises:
            TraceError: there is no such recording.
        """
        self.trace(trace_id)
        with self._cursor() as cursor:
            return bills.bill(cursor, trace_id)

    def replay(self, trace_id: str, seats: pd.DataFrame, rooms: pd.DataFrame, policy: Policy) -> pd.DataFrame:
        """How often and how badly boxes were short of the raw samples, one row a box.

        `seats` says which ``share`` of a ``workload`` sits in which ``box`` of which ``sku``, `rooms` how many
        ``cpu_cores`` and ``memory_gib`` a box of each ``sku`` holds.

        Raises:
            TraceError: there is no such recording.
        """
        self.trace(trace_id)
        with self._cursor() as cursor:
            return replayed(cursor, trace_id, {"seats": seats, "rooms": rooms}, policy)

    def catalog(self, books: Sequence[Path] | None = None) -> Catalog:
        """What can be bought: the rows of the price `books`; None: of all that ship with planner.

        Raises:
            PriceBookError: a row is malformed; names file, line and field.
        """
        with self._writing, self._cursor() as cursor:
            return prices.catalog(cursor, prices.shipped_books() if books is None else books)

    def save(self, study_id: str, tables: Mapping[str, pd.DataFrame], document: str) -> None:
        """Keeps a study: its JSON and its tables plans, lines and placements; replaces what was under the id.

        Raises:
            ValueError: a table or column is none of ours.
        """
        with self._writing, self._cursor() as cursor:
            studies.save(cursor, study_id, tables, document)

    def document(self, study_id: str) -> str | None:
        """The JSON of a saved study; None where there is none."""
        with self._cursor() as cursor:
            return studies.document(cursor, study_id)

    def delete(self, study_id: str) -> bool:
        """Takes a study out, with its tables; whether there was one."""
        with self._writing, self._cursor() as cursor:
            return studies.delete(cursor, study_id)

    def studies(self) -> pd.DataFrame:
        """One row a saved study, newest first: ``study_id``, ``name``, ``saved_at``."""
        with self._cursor() as cursor:
            return studies.studies(cursor)

    def summary(self, study_id: str) -> dict[str, str]:
        """What a saved study is called: ``name``, ``trace``, ``created_at``; empty where there is none."""
        with self._cursor() as cursor:
            return studies.summary(cursor, study_id)

    def placed(self, study_id: str, model: str, most: int = MOST_ROWS) -> pd.DataFrame:
        """Where a model of a study puts each workload in the first year: ``workload``, ``sku``, ``replicas``."""
        with self._cursor() as cursor:
            return studies.placed(cursor, study_id, model, most)

    def placements(self, study_id: str) -> pd.DataFrame | None:
        """Which box of each plan of a study holds which workload; None where that was not kept."""
        with self._cursor() as cursor:
            return studies.placements(cursor, study_id)

    def scenarios(self) -> pd.DataFrame:
        """One row a named study, newest first: ``name``, ``study_id``, ``based_on``, ``saved_at``."""
        with self._cursor() as cursor:
            return studies.scenarios(cursor)

    def name_scenario(self, name: str, study_id: str, based_on: str | None = None) -> None:
        """Gives a saved study a name; `based_on` is the study it was made from by changing settings.

        Raises:
            InputError: the name is empty, too long or taken, or there is no such study.
        """
        with self._writing, self._cursor() as cursor:
            studies.name_scenario(cursor, name, study_id, based_on)

    def forget_scenario(self, name: str) -> None:
        """Takes a name away; the study stays.

        Raises:
            InputError: there is no scenario of that name.
        """
        with self._writing, self._cursor() as cursor:
            studies.forget_scenario(cursor, name)

    def estate(self, name: View, trace_id: str, policy: Policy) -> pd.DataFrame:
        """The estate as it was recorded; `name` says which question of sql/estate.sql is answered.

        Raises:
            TraceError: there is no such recording.
        """
        self.trace(trace_id)
        with self._cursor() as cursor:
            return estate.view(cursor, name, trace_id, policy)

    def _frame(self, query: str, values: Mapping[str, object] | None = None) -> pd.DataFrame:
        with self._cursor() as cursor:
            return cursor.execute(query, values or {}).df()
