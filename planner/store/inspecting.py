"""What a recording is, holds and lacks, told from bounded parts of its files: seconds, however large it is.

Small files are read whole. Of a large text its beginning, middle and end are read, of a packed one its beginning, of
Parquet its first rows; those parts go in as a recording of their own, kept nowhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb

from planner.demand import Demand, Policy
from planner.errors import ScenarioError, TraceError
from planner.store.database import sql
from planner.store.detect import Found, understood
from planner.store.excerpts import document, excerpt
from planner.store.formats import Input
from planner.store.judge import cells_of
from planner.store.limits import MIB, Limits, refuse_large
from planner.store.parquet import parquet_headers
from planner.store.scratch import scratch
from planner.store.sources import BROKEN, Source, find
from planner.store.trace import TraceInfo
from planner.store.workspace import Store

__all__ = ["FileSeen", "Inspection", "inspect"]

_WHOLE: Final = 16 * MIB
"""Files that are together no larger are read whole; of larger ones so much in all, unpacked."""
_FILES: Final = 200
"""Most files of a kind that are read."""

_UNREADABLE: Final[tuple[type[Exception], ...]] = (*BROKEN, duckdb.Error)


@dataclass(frozen=True)
class FileSeen:
    """One file: what kind of the format it is, its columns as they are named, its size and how much was read."""

    name: str
    kind: str
    columns: tuple[str, ...]
    size_bytes: int
    rows: int
    """Data rows: exact for Parquet and for a file that was read whole, else estimated from the part that was."""
    share: float
    """Part of the file that was read, 0 .. 1."""


@dataclass(frozen=True)
class Inspection:
    """What was found; `info`, `rejects` and `demand` speak of the part that was read."""

    format: str
    reason: str
    files: tuple[FileSeen, ...]
    info: TraceInfo
    rejects: tuple[tuple[str, int], ...]
    """Why rows were rejected, with the number of them, most frequent first."""
    demand: Demand | None
    missing: tuple[str, ...]
    """What a scenario must state before anything can be planned."""

    @property
    def whole(self) -> bool:
        """Whether everything was read."""
        return all(file.share == 1 for file in self.files)


def inspect(path: Path | Sequence[Path], format: str = "auto", memory_limit: str = "1GB") -> Inspection:  # noqa: A002
    """Looks into a recording; nothing is kept.

    Raises:
        TraceError: the files are missing, empty, of no known format, or what was read of them holds no good row.
    """
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(each) for each in path]
    with (
        scratch("inspect") as place,
        Store(":memory:", memory_limit, in_order=True) as store,
    ):
        folder = place.resolve()
        (folder / "parts").mkdir()
        (folder / "unpacked").mkdir()
        sources, passed = find(paths, folder / "unpacked")
        refuse_large(sources, Limits())
        if all(source.empty for source in sources):
            raise TraceError(f"{paths[0]}: is empty")
        with duckdb.connect(":memory:") as aside:
            aside.execute(sql("functions.sql"))
            found = understood(aside, sources, format, passed)
            documents = {source.name: source.path for source in sources if source.kind == "json"}
            seen = _excerpted(aside, found, documents, folder / "parts")
        info = _read(store, folder / "parts", found.format.name, paths[0].name)
        info = replace(info, notes=(*passed, *found.notes, *info.notes, *store.order(info.trace_id)))
        return _told(store, found, info, seen)


def _read(store: Store, parts: Path, form: str, name: str) -> TraceInfo:
    """The parts of the files as a recording; errors call them as they are called in the one that was given."""
    try:
        return store.ingest(parts, form, name)
    except TraceError as error:
        raise TraceError(str(error).replace(f"{parts}{os.sep}", "")) from error


def _told(store: Store, found: Found, info: TraceInfo, seen: Sequence[FileSeen]) -> Inspection:
    reasons = store.rejects(info.trace_id)["reason"].str.replace(r", found .*", "", regex=True).value_counts()
    demand, missing = _demand(store, info.trace_id)
    return Inspection(
        format=found.format.name,
        reason=found.reason,
        files=tuple(seen),
        info=info,
        rejects=tuple((str(reason), int(count)) for reason, count in reasons.items()),
        demand=demand,
        missing=missing,
    )


def _demand(store: Store, trace_id: str) -> tuple[Demand | None, tuple[str, ...]]:
    """The demand of what was read, with one core and one GiB where a scenario must say; and what it must say."""
    policy, missing = Policy(), list[str]()
    for name in ("assumed_cpu_cores", "assumed_memory_gib"):
        try:
            return store.demand(trace_id, policy), tuple(missing)
        except ScenarioError as error:
            missing.append(str(error))
            short = next((each for each in ("assumed_cpu_cores", "assumed_memory_gib") if each in str(error)), name)
            policy = policy.model_copy(update={short: 1.0})
        except TraceError as error:
            return None, (*missing, str(error))
    return store.demand(trace_id, policy), tuple(missing)


def _excerpted(
    aside: duckdb.DuckDBPyConnection, found: Found, documents: Mapping[str, Path], folder: Path
) -> list[FileSeen]:
    try:
        return _parts(aside, found, documents, folder)
    except _UNREADABLE as error:
        raise TraceError(f"{found.format.name}: cannot be read: {str(error).splitlines()[0]}") from error


def _parts(
    aside: duckdb.DuckDBPyConnection, found: Found, documents: Mapping[str, Path], folder: Path
) -> list[FileSeen]:
    """Bounded parts of the files, each under its name in `folder`; of very many files, some.

    Rows that came out of JSON are no file of a format: the document itself, one of `documents`, is taken, whole.
    """
    seen = []
    for kind in (each for each in found.format.inputs if each.name in found.files):
        files = found.files[kind.name]
        step = -(-len(files) // _FILES)
        room = _WHOLE // len(files[::step])
        for number, source in enumerate(files):
            path = documents.get(source.name, source.path)
            size = path.stat().st_size
            if number % step:
                seen.append(FileSeen(source.name, kind.name, (), size, 0, 0.0))
                continue
            target = folder / source.name
            if source.name in documents:
                part = document(aside, path, source.path, target)
            else:
                part = excerpt(aside, source, target, room)
            rows = part.rows - int(kind.header and source.kind != "parquet")
            seen.append(FileSeen(source.name, kind.name, _columns(aside, kind, source), size, rows, part.share))
    return seen


def _columns(aside: duckdb.DuckDBPyConnection, kind: Input, source: Source) -> tuple[str, ...]:
    """The columns of a file as they are named, or as the format names them where it has no header."""
    if source.kind == "parquet":
        return tuple(parquet_headers(aside, source))
    return tuple(
        cells_of(source.head[0], kind.separated(source.head[0]).delimiter)
        if kind.header
        else (each.name for each in kind.columns)
    )
