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
from planner.errors import TraceError, near_miss
from planner.store import prices, studies
from planner.store.database import connect, default_path
from planner.store.ingest import ingest, trace_of
from planner.store.profiles import build
from planner.store.reduction import reduce, replayed
from planner.store.trace import TraceInfo

__all__ = ["Store"]


class Store:
    """A workspace, open until it is closed; a context manager. One process at a time may hold it.

    Threads may share it: every call works on a cursor of its own.
    """

    def __init__(self, path: Path | str | None = None, memory_limit: str = "4GB") -> None:
        """Opens the workspace at `path`; None: in the user's data directory; ":memory:": kept nowhere.

        Raises:
            InputError: it is no workspace, is open elsewhere, or was written by a newer planner.
        """
        self.path = default_path() if path is None else path
        self._connection = connect(self.path, memory_limit)
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
        cursor.execute("set TimeZone = 'UTC'")
        cursor.execute("set enable_progress_bar = false")
        return cursor

    def ingest(
        self,
        path: Path | str | Sequence[Path | str],
        format: str = "auto",  # noqa: A002
        name: str | None = None,
    ) -> TraceInfo:
        """Reads a recording: a file, several, a folder, or a server; all of it or, where that fails, nothing.

        A text that begins with http:// or https:// names a Prometheus server, see `planner.store.prometheus`.

        A recording that is already there, by content, is not read again (`TraceInfo.repeated`).

        Raises:
            TraceError: the files are missing, empty, of no known format, or hold no good row.
        """
        paths = [path] if isinstance(path, str | Path) else list(path)
        with self._writing:
            return ingest(self._cursor, paths, format, name)

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

    def demand(self, trace_id: str, policy: Policy, growth_per_year: float = 0.0) -> Demand:
        """What the recording says must run, sized by `policy`.

        Raises:
            TraceError: there is no such recording.
            ScenarioError: sizes are needed that neither recording nor policy gives.
        """
        self.trace(trace_id)
        with self._cursor() as cursor:
            return build(reduce(cursor, trace_id, policy), policy, growth_per_year)

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

    def studies(self) -> pd.DataFrame:
        """One row a saved study, newest first: ``study_id``, ``saved_at``."""
        with self._cursor() as cursor:
            return studies.studies(cursor)

    def _frame(self, query: str, values: Mapping[str, object] | None = None) -> pd.DataFrame:
        with self._cursor() as cursor:
            return cursor.execute(query, values or {}).df()
