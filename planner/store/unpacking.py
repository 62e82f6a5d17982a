"""Containers: what the readers cannot read as it is, turned into plain files that they can.

Archives give their members, workbooks a CSV a sheet, compressed files what is in them; UTF-16 text, tables aligned by
blanks and text whose first line tells a spreadsheet the separator give a CSV. What comes out lies in a folder of ours
under numbers, so that no name in an archive can lead anywhere; the name is kept beside it. JSON stays as it is here,
see `documents`.
"""

from __future__ import annotations

import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from planner.errors import TraceError
from planner.store.containers import BROKEN, container, is_aside, plain_bytes
from planner.store.unpacked import CHUNK, Counted, Readable, Unpacked
from planner.store.workbooks import sheets

__all__ = ["unpack"]

_LOGGED: Final = re.compile(r"^[IWE]\d{4} \d\d:.*$", re.MULTILINE)

_WORDS: Final = {
    "zip": "zip archive",
    "tar": "tar archive",
    "packed": "compressed file",
    "workbook": "workbook",
    "utf16": "UTF-16 text",
    "aligned": "table",
    "separated": "table",
}
_BOXES: Final = frozenset({"zip", "tar", "packed"})
"""What may hold itself, however small it is, so that a limit must end it."""


def unpack(path: Path, kind: str, into: Unpacked) -> list[tuple[Path, str]]:
    """The plain files in a container that was given, each with its name inside; no name for what is the file itself.

    Raises:
        TraceError: it is broken, holds no data, or more comes out than may.
    """
    into.begin(path)
    noted = len(into.notes)
    found = _unpacked(path, kind, into)
    if not found:
        told = f": {into.notes[-1]}" if len(into.notes) > noted else ""
        raise TraceError(f"{path}: the {_WORDS[kind]} holds no data file{told}")
    return found


def _unpacked(path: Path, kind: str, into: Unpacked) -> list[tuple[Path, str]]:
    """The plain files in a container, which may lie in one that was given."""
    into.around += kind in _BOXES
    try:
        return list(_UNPACKERS[kind](path, into))
    except BROKEN as error:
        if isinstance(error, TraceError):
            raise _called(error, path, into) from error
        why = str(error) or type(error).__name__
        raise TraceError(f"{into.shown(path)}: is a broken {_WORDS[kind]}: {why}") from error
    finally:
        into.around -= kind in _BOXES


def _called(error: TraceError, path: Path, into: Unpacked) -> TraceError:
    """The error with the name that a container is known by, not that of ours."""
    return TraceError(str(error).replace(str(path), str(into.shown(path)), 1))


def _zip(path: Path, into: Unpacked) -> Iterator[tuple[Path, str]]:
    with zipfile.ZipFile(path) as archive:
        into.count(path, len(archive.infolist()))
        for member in archive.infolist():
            name = _safe(path, member.filename, into) if not member.is_dir() else None
            if name is None:
                continue
            if stat.S_ISLNK(member.external_attr >> 16):
                into.note(path, f"{name} is a link and not followed")
            elif member.flag_bits & 1:
                into.note(path, f"{name} is encrypted and not read")
            else:
                with archive.open(member) as stream:
                    yield from _kept(path, name, Counted(stream, into), into)


def _tar(path: Path, into: Unpacked) -> Iterator[tuple[Path, str]]:
    with plain_bytes(path) as stream:
        counted = Counted(stream, into)
        with tarfile.open(fileobj=counted, mode="r|") as archive:
            for member in archive:
                into.count(path)
                name = _safe(path, member.name, into) if not member.isdir() else None
                if name is None:
                    continue
                content = archive.extractfile(member) if member.isreg() else None
                if content is None:
                    into.note(path, f"{name} is a link or a device and not read")
                else:
                    # The holes of a sparse file are not in the archive, so they are counted as they come out.
                    read = Counted(content, into) if member.issparse() else content
                    yield from _kept(path, name, read, into)


def _safe(path: Path, name: str, into: Unpacked) -> str | None:
    """A member's name, with ``/`` between folders; None for what is no data or would lead out of the archive."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in parts.parts[:1] or re.match(r"[A-Za-z]:", name):
        into.note(path, f"a member whose name leads out of the archive is not read: {name[:80]!r}")
        return None
    return None if is_aside(parts) or not parts.parts else str(parts)


def _kept(path: Path, name: str, stream: Readable, into: Unpacked) -> Iterator[tuple[Path, str]]:
    """A member as a file of ours, or what is in it: containers in it are unpacked too, archives one deep."""
    place = into.place()
    _copy(stream, place)
    into.called[place] = into.shown(path) / name
    yield from ((inner, f"{name}/{more}" if more else name) for inner, more in _opened(place, into))


def _opened(place: Path, into: Unpacked) -> Iterator[tuple[Path, str]]:
    """A file of ours that came out of a container, or what is in it; nothing where it is empty."""
    try:
        kind = container(place)
    except TraceError as error:
        raise _called(error, place, into) from error
    if kind is None:
        yield from [(place, "")] if place.stat().st_size else []
    elif kind in _BOXES and into.around >= into.limits.archives + (kind == "packed"):
        into.note(place, "is packed inside archives and not read; unpack that first")
    else:
        noted = len(into.notes)
        found = _unpacked(place, kind, into)
        if not found and len(into.notes) == noted:
            into.note(place, f"the {_WORDS[kind]} holds no data file")
        yield from found


def _copy(stream: Readable, place: Path) -> None:
    with place.open("wb") as out:
        while block := stream.read(CHUNK):
            out.write(block)


def _packed(path: Path, into: Unpacked) -> Iterator[tuple[Path, str]]:
    place = into.place()
    with plain_bytes(path) as stream:
        _copy(Counted(stream, into), place)
    into.called[place] = into.shown(path)
    yield from _opened(place, into)


def _workbook(path: Path, into: Unpacked) -> Iterator[tuple[Path, str]]:
    for name, rows in sheets(path, into.limits.workbook_bytes, into.limits.workbook_cells):
        if rows is None:
            into.note(path, f"sheet {name} is broken and not read; export it anew")
            continue
        place = into.place()
        written = False
        with place.open("wb") as out:
            for line in rows:
                into.spend(len(line))
                out.write(line)
                written = True
        if written:
            yield place, f"{name}.csv"


def _utf16(path: Path, into: Unpacked) -> Iterator[tuple[Path, str]]:
    place = into.place()
    with path.open(encoding="utf-16", newline="") as text, place.open("w", encoding="utf-8", newline="") as out:
        while block := text.read(CHUNK):
            into.spend(len(block))
            out.write(block)
    kind = container(place)
    if kind in ("aligned", "separated"):
        yield from _UNPACKERS[kind](place, into)
    else:
        yield place, ""


def _separated(path: Path, into: Unpacked) -> Iterator[tuple[Path, str]]:
    """The text without its first line; an empty one stays in its place, so that lines keep their numbers."""
    place = into.place()
    with path.open("rb") as raw, place.open("wb") as out:
        raw.readline()
        out.write(b"\n")
        while block := raw.read(CHUNK):
            into.spend(len(block))
            out.write(block)
    yield place, ""


def _aligned(path: Path, into: Unpacked) -> Iterator[tuple[Path, str]]:
    """A table aligned by blanks: two or more of them are a border between fields."""
    place = into.place()
    with path.open(encoding="utf-8-sig", errors="replace") as text, place.open("w", encoding="utf-8") as out:
        while lines := text.readlines(CHUNK):
            block = "".join(line.rstrip() + "\n" for line in lines)
            out.write(re.sub(" {2,}", ",", _LOGGED.sub("", block).replace(",", ";")))
            into.spend(len(block))
    yield place, ""


_UNPACKERS: Final[Mapping[str, Callable[[Path, Unpacked], Iterator[tuple[Path, str]]]]] = {
    "zip": _zip,
    "tar": _tar,
    "packed": _packed,
    "workbook": _workbook,
    "utf16": _utf16,
    "aligned": _aligned,
    "separated": _separated,
}
