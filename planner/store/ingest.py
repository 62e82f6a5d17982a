"""One recording into the store: all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb

from planner.errors import TraceError, printable
from planner.store.detect import Found, understood
from planner.store.limits import Limits, refuse_large
from planner.store.loading import Title, loaded
from planner.store.prometheus import host_of, is_url, served
from planner.store.resident import RESIDENT, known
from planner.store.scratch import scratch
from planner.store.sources import Source, content_hash, find
from planner.store.trace import TraceInfo, trace_of

__all__ = ["Request", "ingest"]

_ID_LENGTH: Final = 16


@dataclass(frozen=True)
class Request:
    """What is to be read: which files, as what, under what name, how large at most."""

    paths: Sequence[Path | str]
    format: str = "auto"
    name: str | None = None
    limits: Limits = Limits()  # noqa: RUF009 - frozen


def ingest(cursor: Callable[[], duckdb.DuckDBPyConnection], request: Request) -> TraceInfo:
    """Reads a recording; `cursor` opens a fresh one to the store.

    Raises:
        TraceError: the files are missing, empty, too large, of no known format, or hold no good row.
    """
    first = request.paths[0]
    if isinstance(first, str) and first.startswith(RESIDENT):
        if len(request.paths) > 1:
            raise TraceError(f"{first}: a recording in Spark comes alone, not with {request.paths[1]}")
        return known(cursor, first, request.name)
    with scratch("unpacked") as folder:
        return _ingest(cursor, request, folder)


def _ingest(cursor: Callable[[], duckdb.DuckDBPyConnection], request: Request, folder: Path) -> TraceInfo:
    paths, form = request.paths, request.format
    with cursor() as connection:
        files, told = served(paths, folder)
        sources, notes = find(files, folder)
        notes = [*told, *notes]
        refuse_large(sources, request.limits)
        if all(source.empty for source in sources):
            raise TraceError(f"{paths[0]}: is empty" if len(sources) == 1 else f"{paths[0]}: all files are empty")
        found = understood(connection, sources, form, notes)
        digest, digests = content_hash(sources, found.format.name, _said_by_names(found))
        known = trace_of(connection, digest[:_ID_LENGTH], repeated=True)
    name = printable(request.name or _name(paths))
    if known is not None:
        return replace(known, name=name)
    names = [source.name for source in sources]
    found, copies = _without_copies(found, dict(zip(names, digests, strict=True)))
    notes = [*notes, *found.notes, *copies]
    title = Title(name, tuple(notes), request.limits)
    return loaded(cursor, found, digest[:_ID_LENGTH], title)


def _said_by_names(found: Found) -> list[str]:
    """What files' names say beside their contents: the same readings under another are of another machine or day."""
    kinds = [kind for kind in found.format.inputs if kind.named]
    files = [(kind, source) for kind in kinds for source in found.files.get(kind.name, ())]
    return [f"{source.label}\t{source.folder if kind.numbered else ''}" for kind, source in files]


def _name(paths: Sequence[Path | str]) -> str:
    if isinstance(paths[0], str) and is_url(paths[0]):
        return host_of(paths[0])
    first = Path(paths[0]).resolve()
    return first.name if first.is_dir() else first.name.split(".")[0] or first.name


def _without_copies(found: Found, digests: dict[str, str]) -> tuple[Found, list[str]]:
    """Files of the same content read once, unless their names say whose content it is, and say different things."""
    notes: list[str] = []
    files: dict[str, tuple[Source, ...]] = {}
    for kind in found.format.inputs:
        firsts: dict[tuple[str, str], Source] = {}
        for source in found.files.get(kind.name, ()):
            first = firsts.setdefault((source.label if kind.named else "", digests[source.name]), source)
            if first is not source:
                notes.append(f"{source.name}: has the same content as {first.name} and is read once")
        if firsts:
            files[kind.name] = tuple(firsts.values())
    return Found(found.format, found.reason, files, found.notes), notes
