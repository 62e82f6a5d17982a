"""Containers: what the readers cannot read as it is, turned into plain files that they can.

Archives give their members, workbooks a CSV a sheet, compressed files what is in them; UTF-16 text, tables aligned by
blanks and text whose first line tells a spreadsheet the separator give a CSV. What comes out lies in a folder of ours
under numbers, so that no name in an archive can lead anywhere; the name is kept beside it. JSON stays as it is here,
see `documents`.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final, Protocol

import pyarrow as pa

from planner.errors import TraceError
from planner.store.workbooks import is_workbook, sheets

__all__ = ["LIMITS", "Limits", "Unpacked", "container", "is_aside", "unpack"]

_CHUNK: Final = 1 << 20
_NO_DATA: Final = frozenset({".md", ".sql", ".toml", ".py", ".html", ".pdf", ".png", ".ipynb", ".docx", ".pptx"})
_OF_DESKTOPS: Final = frozenset({"thumbs.db", "desktop.ini"})
_OPENED: Final = "~$"
"""How Office calls the file that tells who has a workbook open."""
_SEPARATOR: Final = re.compile(rb"(?:\xef\xbb\xbf)?\"?sep=[,;|\t]\"?\r?\n", re.IGNORECASE)
"""A first line that tells Excel what separates fields."""
_TABLE: Final = re.compile(
    rb"([ \t\r]*\n|[IWE]\d{4} \d\d:[^\n]*\n)*"
    rb"[A-Z][A-Z0-9%_/-]*(\([a-z%]+\))?( {2,}[A-Z][A-Z0-9%_/-]*(\([a-z%]+\))?)+ *\r?\n"
)
"""The header of a table aligned by blanks, as kubectl prints them; blank lines and its log may stand before it."""
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
BROKEN: Final = (
    *(OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, pa.ArrowException),
    *(RuntimeError, NotImplementedError, ValueError, OverflowError, KeyError),
)
"""What the unpackers raise at broken files."""


@dataclass(frozen=True)
class Limits:
    """How much may come out of the containers of one recording."""

    total_bytes: int = 64 * 2**30
    """All files unpacked together. Unit: bytes. Source: our choice, six times the largest recording tested."""
    ratio: float = 250.0
    """Bytes out for a byte in, once more than `free_bytes` came out of the file that was given, of all its members.
    Unit: ratio. Source: our choice; published traces stay below 50, a bomb of zeros reaches 1,000."""
    free_bytes: int = 64 * 2**20
    """What may come out of a file that was given whatever its ratio. Unit: bytes. Source: our choice."""
    members: int = 100_000
    """Files in one archive, with those of the archives in it. Unit: files. Source: our choice; Google 2011 as VMs has
    1,600."""
    archives: int = 2
    """Archives and compressed files around a file that is unpacked as one more. Unit: files. Source: our choice; an
    archive of a site's exports holds those of its vCenters, one each."""
    workbook_bytes: int = 2**30
    """A workbook unpacked, which is read in memory. Unit: bytes. Source: our choice."""
    workbook_cells: int = 40_000_000
    """Rows times columns of a sheet. Unit: cells. Source: our choice; 400,000 rows of RVTools."""


LIMITS: Final = Limits()


@dataclass
class Unpacked:
    """A folder of ours for what comes out, how much may still come, and what was passed over."""

    folder: Path
    limits: Limits = LIMITS
    notes: list[str] = field(default_factory=list)
    spent_bytes: int = 0
    files: int = 0
    given: Path = Path()
    """The file that was given, out of which all comes for now."""
    came_bytes: int = 0
    """What was unpacked of it so far, with what is packed inside of it."""
    most_bytes: float = 0.0
    """What may come out of it."""
    members: int = 0
    """How many files it told so far, with those of the archives inside of it."""
    around: int = 0
    """How many archives and compressed files are open around what is unpacked now."""
    called: dict[Path, Path] = field(default_factory=dict)
    """What containers are called that lie in ours, as if those that hold them were folders."""

    def place(self) -> Path:
        """Where the next file goes: a number, whatever it is called inside."""
        self.files += 1
        return self.folder / f"{self.files:06d}"

    def begin(self, given: Path) -> None:
        """The next file that was given."""
        self.given, self.came_bytes, self.members = given, 0, 0
        self.most_bytes = max(self.limits.free_bytes, self.limits.ratio * given.stat().st_size)

    def shown(self, path: Path) -> Path:
        """What a message calls a container."""
        return self.called.get(path, path)

    def note(self, path: Path, words: str) -> None:
        """A note on something in a container."""
        self.notes.append(f"{self.shown(path).relative_to(self.given.parent)}: {words}")

    def count(self, path: Path) -> None:
        """One more file in an archive.

        Raises:
            TraceError: more than may be.
        """
        self.members += 1
        if self.members > self.limits.members:
            raise TraceError(f"{self.shown(path)}: holds more than {self.limits.members:,} files")

    def spend(self, out: int, *, packed: bool = False) -> None:
        """Counts `out` more bytes; `packed` ones took less room in the file that was given.

        Raises:
            TraceError: more than a limit.
        """
        self.spent_bytes += out
        self.came_bytes += out if packed else 0
        if self.spent_bytes > self.limits.total_bytes:
            raise TraceError(f"{self.given}: unpacks to more than {self.limits.total_bytes:,} bytes")
        if self.came_bytes > self.most_bytes:
            raise TraceError(f"{self.given}: unpacks to more than {self.limits.ratio:g} times its size")


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes | None: ...


class _Counted(io.RawIOBase):
    """A stream that stops where more comes out of a file than may."""

    def __init__(self, stream: Any, into: Unpacked) -> None:
        super().__init__()
        self._stream, self._into = stream, into

    def read(self, size: int = -1) -> bytes:
        block = bytes(self._stream.read(size if 0 <= size < _CHUNK else _CHUNK))
        self._into.spend(len(block), packed=True)
        return block


def _zstd(path: Path) -> Any:
    return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")


_COMPRESSED: Final[Mapping[bytes, Callable[[Path], Any]]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
    b"\x28\xb5\x2f\xfd": _zstd,
}


_OTHER_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0", b"PAR1")
"""How zip archives and workbooks begin, old workbooks, and Parquet, none of which can be read through gzip."""


def container(path: Path) -> str | None:
    """What kind of container a file is: zip, workbook, tar, packed (one file), utf16, aligned, separated; or None."""
    with path.open("rb") as stream:
        start = stream.read(4096)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "workbook" if is_workbook(path) else "zip"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return "workbook"
    for magic, opened in _COMPRESSED.items():
        if start.startswith(magic):
            return _inside(start, magic, _beginning(opened, path))
    return "tar" if _is_tar(start) else _text_kind(start)


def _text_kind(start: bytes) -> str | None:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf16"
    if _SEPARATOR.match(start):
        return "separated"
    return "aligned" if _TABLE.match(start.removeprefix(b"\xef\xbb\xbf")) else None


def _beginning(opened: Callable[[Path], Any], path: Path) -> bytes:
    try:
        with opened(path) as stream:
            return bytes(stream.read(512))
    except BROKEN as error:
        raise TraceError(f"{path}: cannot be read: {error}") from error


def _inside(start: bytes, magic: bytes, inner: bytes) -> str | None:
    """A gzipped table is read as it is, unless it needs unpacking itself or is JSON."""
    if _is_tar(inner):
        return "tar"
    boxed = inner.startswith((*_OTHER_MAGIC, *_COMPRESSED)) or _text_kind(inner) is not None
    return "packed" if magic != b"\x1f\x8b" or boxed or inner.lstrip()[:1] in (b"{", b"[") else None


def _is_tar(start: bytes) -> bool:
    return start[257:262] == b"ustar"


def is_aside(path: PurePosixPath | Path) -> bool:
    """Hidden files, papers that lie beside data, and what desktops leave in folders."""
    papers = ("LICENSE", "README", "NOTES", "CITATION", "__MACOSX")
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts) or path.name.startswith(_OPENED)
    left = path.suffix.lower() in _NO_DATA or path.name.lower() in _OF_DESKTOPS
    return hidden or left or path.name.upper().startswith(papers)


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
        for member in archive.infolist():
            into.count(path)
            name = _safe(path, member.filename, into) if not member.is_dir() else None
            if name is None:
                continue
            if stat.S_ISLNK(member.external_attr >> 16):
                into.note(path, f"{name} is a link and not followed")
            elif member.flag_bits & 1:
                into.note(path, f"{name} is encrypted and not read")
            else:
                with archive.open(member) as stream:
                    yield from _kept(path, name, _Counted(stream, into), into)


def _tar(path: Path, into: Unpacked) -> Iterator[tuple[Path, str]]:
    with _stream(path) as stream:
        counted = _Counted(stream, into)
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
                    read = _Counted(content, into) if member.issparse() else content
                    yield from _kept(path, name, read, into)


def _stream(path: Path) -> Any:
    """The plain bytes of a file."""
    with path.open("rb") as raw:
        start = raw.read(8)
    opened = next((how for magic, how in _COMPRESSED.items() if start.startswith(magic)), None)
    return path.open("rb") if opened is None else opened(path)


def _safe(path: Path, name: str, into: Unpacked) -> str | None:
    """A member's name, with ``/`` between folders; None for what is no data or would lead out of the archive."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in parts.parts[:1] or re.match(r"[A-Za-z]:", name):
        into.note(path, f"a member whose name leads out of the archive is not read: {name[:80]!r}")
        return None
    return None if is_aside(parts) or not parts.parts else str(parts)


def _kept(path: Path, name: str, stream: _Readable, into: Unpacked) -> Iterator[tuple[Path, str]]:
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


def _copy(stream: _Readable, place: Path) -> None:
    with place.open("wb") as out:
        while block := stream.read(_CHUNK):
            out.write(block)


def _packed(path: Path, into: Unpacked) -> Iterator[tuple[Path, str]]:
    place = into.place()
    with _stream(path) as stream:
        _copy(_Counted(stream, into), place)
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
        while block := text.read(_CHUNK):
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
        while block := raw.read(_CHUNK):
            into.spend(len(block))
            out.write(block)
    yield place, ""


def _aligned(path: Path, into: Unpacked) -> Iterator[tuple[Path, str]]:
    """A table aligned by blanks: two or more of them are a border between fields."""
    place = into.place()
    with path.open(encoding="utf-8-sig", errors="replace") as text, place.open("w", encoding="utf-8") as out:
        while lines := text.readlines(_CHUNK):
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
