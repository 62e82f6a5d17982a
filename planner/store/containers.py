"""What kind of container a file is that the readers cannot read as it is, told by how it begins."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pyarrow as pa

from planner.errors import TraceError
from planner.store.workbooks import is_workbook

__all__ = ["BROKEN", "container", "is_aside", "plain_bytes"]

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

BROKEN: Final = (
    *(OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, pa.ArrowException),
    *(RuntimeError, NotImplementedError, ValueError, OverflowError, KeyError),
)
"""What the unpackers raise at broken files."""


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


def plain_bytes(path: Path) -> Any:
    """The plain bytes of a file."""
    with path.open("rb") as raw:
        start = raw.read(8)
    opened = next((how for magic, how in _COMPRESSED.items() if start.startswith(magic)), None)
    return path.open("rb") if opened is None else opened(path)
