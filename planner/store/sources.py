"""The files of a recording: found, looked into, hashed and counted, before anything is read from them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import zlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

import xxhash
from isal import igzip, isal_zlib

from planner.errors import TraceError, printable
from planner.store.containers import container, is_aside
from planner.store.naming import apart, labelled
from planner.store.unpacked import Unpacked
from planner.store.unpacking import unpack

__all__ = ["PIECE", "Source", "content_hash", "find", "open_bytes"]

BLOCK: Final = 1 << 23
PIECE: Final = 1 << 20
"""What is read at once; a core's cache holds it."""
BROKEN: Final[tuple[type[Exception], ...]] = (OSError, EOFError, zlib.error, cast("type[Exception]", isal_zlib.error))
"""What a file raises that ends too early or is no gzip at all."""

_PEEK: Final = 1 << 18
_LONGEST_LINE: Final = 1 << 21
"""A first line longer than that is no header."""
_GZIP: Final = b"\x1f\x8b"
_STRANGE: Final = {
    b"PK\x03\x04": "a zip archive inside a gzip file; unpack it first",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"SQLite format 3": "an SQLite database; export its tables as CSV",
}


_JSON: Final = re.compile(rb"(\xef\xbb\xbf)?\s*(\{\s*[\"}]|\[\s*[\[{\]])")
"""How an object begins, or a list of objects or lists."""


@dataclass(frozen=True)
class Source:
    """One file: where it is, what it is called inside the recording, and how it begins."""

    path: Path
    name: str
    """Path below the folder that all files share; ``/`` between folders. No other file of the recording has it."""
    kind: str
    """csv | gzip | parquet | json"""
    head: tuple[str, ...]
    """The first lines, without line ends and blank ones; none for Parquet."""
    origin: Path | None = None
    """The file that was given, where this one came out of it."""
    scratch: Path | None = None
    """A folder of ours, which ends with the ingest."""
    folder: str = ""
    """The name of the folder that the file lies in, in its archive where it came out of one."""

    def __hash__(self) -> int:
        """By its name alone, which no other has: files stand in many tables while a format is looked for."""
        return hash(self.name)

    @property
    def shown(self) -> str:
        """What a message calls the file."""
        if self.origin is not None:
            return f"{self.origin} ({self.name})"
        ours = self.scratch is not None and self.path.is_relative_to(self.scratch)
        return self.name if ours else str(self.path)

    @property
    def label(self) -> str:
        """The name without endings such as .csv.gz; files of one name in an archive share it."""
        return labelled(self.name)

    @property
    def empty(self) -> bool:
        """Whether there is not one line."""
        return self.kind not in ("parquet", "json") and not self.head


def find(paths: Sequence[Path], scratch: Path) -> tuple[list[Source], list[str]]:
    """The files that `paths` name (folders searched), each once, and notes on those named twice or not read.

    What is in archives and workbooks is unpacked into folder `scratch` and named as in a folder called as they are.

    Raises:
        TraceError: a path does not exist, holds no file, or is of a kind that cannot be read.
    """
    named = [file for path in paths for file in _files(Path(path))]
    files = list(dict.fromkeys(file.resolve() for file in named))
    notes = (
        [f"{len(named) - len(files)} files were given more than once and read once"] if len(named) > len(files) else []
    )
    if not files:
        raise TraceError(f"{', '.join(map(str, paths))}: no file to read")
    into = Unpacked(scratch)
    plain = [one for file in files for one in _plain(file, into)]
    folder = Path(os.path.commonpath([one.called.parent for one in plain]))
    names = [printable(one.called.relative_to(folder).as_posix()) for one in plain]
    looked = [_look(one, name, scratch) for one, name in zip(plain, apart(names), strict=True)]
    told = [printable(note) for note in notes + into.notes]
    return sorted(looked, key=lambda source: source.name), told + _alike(names)


def _alike(names: Sequence[str]) -> list[str]:
    """A note on files of one name, which an archive may hold."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    more = f" and of {len(twice) - 1:,} other names" if len(twice) > 1 else ""
    return [f"there are {names.count(twice[0]):,} files called {twice[0]}{more}: each is read"] if twice else []


@dataclass(frozen=True)
class _Plain:
    """A file that needs no unpacking (any more)."""

    path: Path
    called: Path
    """Its own path, or the one it would have were the container a folder."""
    origin: Path | None


def _plain(file: Path, into: Unpacked) -> list[_Plain]:
    try:
        kind = container(file)
    except OSError as error:
        raise TraceError(f"{file}: cannot be read: {error}") from error
    if kind is None:
        return [_Plain(_nameable(file, into), file, None)]
    return [_Plain(path, file / name if name else file, file) for path, name in unpack(file, kind, into)]


def _nameable(file: Path, into: Unpacked) -> Path:
    """The file, or one of ours where its name is no text: DuckDB and Arrow take none that is not UTF-8.

    A hard link where there may be one, else a copy: a confined DuckDB looks where a symbolic link leads.
    """
    if printable(str(file)) == str(file):
        return file
    ours = into.place()
    try:
        ours.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, ours)
    return ours


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(f for f in path.rglob("*") if f.is_file() and not is_aside(f.relative_to(path)))
        if not found:
            raise TraceError(f"{path}: the folder holds no data file")
        return found
    if not path.exists():
        raise TraceError(f"{path}: there is no such file or folder")
    if not path.is_file():
        raise TraceError(f"{path}: is neither a file nor a folder")
    return [path]


def _look(plain: _Plain, name: str, scratch: Path) -> Source:
    file, shown, folder = plain.path, plain.called, printable(plain.called.parent.name)
    try:
        with file.open("rb") as stream:
            start = stream.read(16)
            stream.seek(0)
            peek = b"" if start.startswith((b"PAR1", _GZIP)) else _first_lines(stream)
        if start.startswith(b"PAR1"):
            return Source(file, name, "parquet", (), plain.origin, scratch, folder)
        kind = "gzip" if start.startswith(_GZIP) else "csv"
        if kind == "gzip":
            with open_bytes(file, kind) as packed:
                peek = _first_lines(packed)
    except BROKEN as error:
        raise TraceError(f"{shown}: cannot be read: {error}") from error
    if _JSON.match(peek):  # mostly on one line, however large
        return Source(file, name, "json", _lines(peek), plain.origin, scratch, folder)
    _refuse_strange(shown, peek)
    return Source(file, name, kind, _lines(peek), plain.origin, scratch, folder)


def _first_lines(stream: IO[bytes]) -> bytes:
    """The beginning of a file: so much, or more where the first line needs it."""
    peek = stream.read(_PEEK)
    while len(peek) % _PEEK == 0 and b"\n" not in peek and len(peek) < _LONGEST_LINE and (more := stream.read(_PEEK)):
        peek += more
    return peek


def _refuse_strange(file: Path, peek: bytes) -> None:
    for magic, what in _STRANGE.items():
        if peek.startswith(magic):
            raise TraceError(f"{file}: is {what}")
    if b"\x00" in peek:
        raise TraceError(f"{file}: is no text (it has zero bytes) and no Parquet file")
    if len(peek) >= _LONGEST_LINE and b"\n" not in peek:
        raise TraceError(f"{file}, line 1: is longer than {_LONGEST_LINE:,} bytes; this is no table")
    if b"\r" in peek and b"\n" not in peek:
        raise TraceError(f"{file}: its lines end in a carriage return alone; save it with line feeds")


def _lines(peek: bytes) -> tuple[str, ...]:
    """The whole lines of the beginning that are not blank; up to 50."""
    end = peek.rfind(b"\n") + 1
    whole = peek if len(peek) < _PEEK or not end else peek[:end]
    text = whole.decode("utf-8-sig", errors="replace")
    return tuple(line for line in text.replace("\r\n", "\n").split("\n") if line.strip())[:50]


def open_bytes(path: Path, kind: str) -> IO[bytes]:
    """The plain bytes of a file, unpacked where it is gzipped."""
    if kind == "gzip":
        return cast("IO[bytes]", igzip.GzipFile(path))  # type: ignore[no-untyped-call]
    return path.open("rb")


def content_hash(sources: Sequence[Source], format_name: str, names: Sequence[str]) -> tuple[str, list[str]]:
    """A hash over the format, the contents of all files as given, in order, and what their names say, and the hash of
    each plain file."""
    given = dict.fromkeys(source.origin or source.path for source in sources)
    with ThreadPoolExecutor(2) as pool:
        known = {path: _digest(path, pool) for path in {**given, **dict.fromkeys(s.path for s in sources)}}
    whole = hashlib.sha256("\n".join([format_name, *names]).encode())
    for path in given:
        whole.update(known[path].encode())
    return whole.hexdigest(), [known[source.path] for source in sources]


def _digest(path: Path, pool: ThreadPoolExecutor) -> str:
    """A hash over the hashes of a file's blocks, which several cores compute at once."""
    size = path.stat().st_size
    tree = hashlib.sha256(str(size).encode())
    # A small file is read sooner than a core is asked to do it.
    each = map if size <= BLOCK else pool.map
    for digest in each(lambda offset: _block_digest(path, offset), range(0, size, BLOCK)):
        tree.update(digest)
    return tree.hexdigest()


def _block_digest(path: Path, offset: int) -> bytes:
    digest = xxhash.xxh3_128()  # tells files apart as surely as it is asked to here, eight times as fast as SHA-256
    with path.open("rb") as stream:
        stream.seek(offset)
        for _ in range(BLOCK // PIECE):
            digest.update(stream.read(PIECE))
    return digest.digest()
