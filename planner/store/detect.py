"""Which format a recording has, told by its contents, and which kind of file each of its files is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from planner.errors import TraceError, near_miss
from planner.store.documents import Documents, flattened
from planner.store.fitting import fits_of
from planner.store.formats import Format, Input, formats, load
from planner.store.sources import Source
from planner.store.unfit import seen, unfit, why_not

__all__ = ["Found", "detect", "understood"]

_NAMED: Final = 3


@dataclass(frozen=True)
class Found:
    """A recording understood: its format, why, the files of each kind, and notes on files that are none of it."""

    format: Format
    reason: str
    files: Mapping[str, tuple[Source, ...]]
    notes: tuple[str, ...]


_Fit = tuple[Found, tuple[Source, ...]]
"""A format with the files of it, and the files that are of no kind of it."""


def understood(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], form: str, notes: Sequence[str]
) -> Found:
    """The files as format `form`, or as the one they have where it is ``auto``; `notes` tell what was passed over.

    Raises:
        TraceError: no format fits, or several do; what could not be read of the files may be why.
    """
    try:
        return detect(connection, sources) if form == "auto" else as_format(connection, sources, form)
    except TraceError as error:
        unread = [note for note in notes if "not read" in note]
        if not unread:
            raise
        more = f" (and {len(unread) - 1:,} more like that)" if len(unread) > 1 else ""
        raise TraceError(f"{unread[0]}{more}; {error}") from error


def detect(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> Found:
    """The one format that the files have.

    Raises:
        TraceError: none fits, or several do; tells what was seen and which formats are known.
    """
    forms = [load(name) for name in formats()]
    documents = flattened(connection, sources, forms)
    told = _with_names(connection, sources, forms)
    candidates = [_sorted(connection, form, sources, documents, told) for form in forms]
    fits = [(found, others) for found, others in candidates if _main(found) and not _lacks(found)]
    best = max((_read(found) for found, _ in fits), default=0)
    fits = [(found, others) for found, others in fits if _read(found) == best]
    fits = _closest(connection, [fit for fit in fits if _has_names(fit[0])] or fits)
    if not fits:
        raise TraceError(f"{_named(sources)}: {unfit(connection, sources, documents)}")
    if len(fits) > 1:
        names = " and ".join(found.format.name for found, _ in fits)
        raise TraceError(f"{_named(sources)}: could be {names}; name the format. Seen: {seen(connection, sources)}")
    found, others = fits[0]
    _refuse_mixture(found, others, [other for other, _ in candidates if other.format is not found.format])
    return found


def _with_names(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], forms: Sequence[Format]
) -> frozenset[Source]:
    """Files whose header some kind knows: their first lines need not be judged as rows of kinds without one."""
    texts = [source for source in sources if source.kind != "json"]
    kinds = [kind for form in forms for kind in form.inputs if kind.header and not kind.is_json]
    fits = (zip(texts, fits_of(connection, kind, texts), strict=True) for kind in kinds)
    return frozenset(source for of_kind in fits for source, fit in of_kind if fit > 0)


def as_format(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], name: str) -> Found:
    """The files understood as the named format.

    Raises:
        TraceError: there is no such format, or the files are not of it.
    """
    if name not in formats():
        raise TraceError(f"trace format {name!r}: {near_miss(name, formats())}")
    form = load(name)
    documents = flattened(connection, sources, [form])
    found, others = _sorted(connection, form, sources, documents)
    if others or not _main(found):
        why = "; ".join(
            f"{s.name}: {documents.silent.get(s) or why_not(connection, form, s)}" for s in list(others)[:3]
        )
        if not _main(found) or _lacks(found):
            raise TraceError(f"{_named(sources)}: is not of format {name}: {why}")
    if _lacks(found):
        raise TraceError(f"{_named(sources)}: format {name} needs {_lacks(found)}, which no file holds")
    return Found(found.format, "named by the user", found.files, found.notes)


def _sorted(
    connection: duckdb.DuckDBPyConnection,
    form: Format,
    sources: Sequence[Source],
    documents: Documents,
    told: frozenset[Source] | None = None,
) -> tuple[Found, tuple[Source, ...]]:
    """Each file to the kind of `form` that it is (JSON to every one it has rows of), and the files that are of none.

    Files that are `told` have a header, so they are of no kind without one. Without `told` the user says what they are.
    """
    texts = [source for source in sources if source.kind != "json"]
    fits = [fits_of(connection, kind, texts, told) for kind in form.inputs]
    kinds = [_best(form.inputs, of_source) for of_source in zip(*fits, strict=True)]
    files = {
        kind.name: tuple(s for s, k in zip(texts, kinds, strict=True) if k is kind)
        + tuple(documents.rows[s, kind] for s in sources if s.kind == "json" and (s, kind) in documents.rows)
        for kind in form.inputs
    }
    there = {name: found for name, found in files.items() if found}
    taken = {s.name for found in there.values() for s in found}
    others = tuple(s for s in sources if s.name not in taken)
    notes = _passed_over(others, documents) if there else ()
    return Found(form, _reason(form, there), there, notes), others


def _passed_over(others: Sequence[Source], documents: Documents) -> tuple[str, ...]:
    empty = [s.name for s in others if s.empty]
    strange = [s.name for s in others if not s.empty and s not in documents.silent]
    told = [f"{name}: empty" for name in empty]
    told += [f"{s.name}: {documents.silent[s]}" for s in others if s in documents.silent]
    if len(strange) > _NAMED:
        names = ", ".join(strange[:_NAMED])
        return (*told, f"{names} and {len(strange) - _NAMED:,} more: not read, they are no files of this format")
    return (*told, *(f"{name}: not read, it is no file of this format" for name in strange))


def _best(kinds: Sequence[Input], fits: Sequence[int]) -> Input | None:
    """The kind of file that fits best: the one most of whose columns it has."""
    best = max(fits, default=0)
    return kinds[fits.index(best)] if best > 0 else None


def _main(found: Found) -> bool:
    """Whether there is a file that is a sign of the format."""
    return any(kind.name in found.files for kind in found.format.inputs if not kind.aside)


def _has_names(found: Found) -> bool:
    """Whether all files name their columns: surer than values that are plausible."""
    return all(kind.header for kind in found.format.inputs if kind.name in found.files)


def _read(found: Found) -> int:
    return sum(map(len, found.files.values()))


def _closest(connection: duckdb.DuckDBPyConnection, fits: Sequence[_Fit]) -> list[_Fit]:
    """Of formats that read as many files those whose columns the headers name most of."""
    if len(fits) < 2:
        return list(fits)
    named = [_columns_named(connection, found) for found, _ in fits]
    return [fit for fit, count in zip(fits, named, strict=True) if count == max(named)]


def _columns_named(connection: duckdb.DuckDBPyConnection, found: Found) -> int:
    kinds = [kind for kind in found.format.inputs if kind.header and kind.name in found.files]
    return sum(sum(fits_of(connection, kind, found.files[kind.name])) for kind in kinds)


def _lacks(found: Found) -> str:
    """The kinds of files that the format needs and that are not there."""
    return ", ".join(kind.name for kind in found.format.inputs if kind.needed and kind.name not in found.files)


def _reason(form: Format, files: Mapping[str, Sequence[Source]]) -> str:
    parts = []
    for kind in form.inputs:
        if kind.name in files:
            how = "header" if kind.header else "fields, without a header,"
            parts.append(f"{len(files[kind.name])} file(s) with the {how} of {kind.name}")
    return "; ".join(parts)


def _refuse_mixture(found: Found, others: Sequence[Source], rivals: Sequence[Found]) -> None:
    for rival in rivals:
        strangers = {s.name for files in rival.files.values() for s in files} & {s.name for s in others}
        if strangers:
            name = sorted(strangers)[0]
            raise TraceError(
                f"{name} looks like {rival.format.name}, the other files like {found.format.name}: "
                "read them apart, or name the format"
            )


def _named(sources: Sequence[Source]) -> str:
    return sources[0].shown if len(sources) == 1 else f"{len(sources)} files in {_place(sources)}"


def _place(sources: Sequence[Source]) -> str:
    """The archive, or the folder, that all files lie in."""
    places = {source.path.parent if source.origin is None else source.origin for source in sources}
    return os.path.commonpath(places)
