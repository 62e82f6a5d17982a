"""Lines of text files: of a large one some at a time, of small ones those of thousands."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from planner.store.sources import Source, open_bytes

__all__ = ["LONGEST_RECORD", "Batch", "batches"]

LONGEST_RECORD: Final = 20
"""Most lines that one record may span."""
_CHUNK: Final = 1 << 24
_LINES: Final = 1 << 20
"""Most lines of small files that are judged at a time."""


@dataclass(frozen=True)
class _Chunk:
    """Some lines of a file; `first` is the number of the first of them."""

    first: int
    lines: list[str]
    size_bytes: int


@dataclass
class Batch:
    """Lines of several files: for each stretch its file, the number of its first line, and how many they are."""

    texts: list[str] = field(default_factory=list)
    stretches: list[tuple[int, int, int]] = field(default_factory=list)
    size_bytes: int = 0

    def add(self, source: int, chunk: _Chunk) -> None:
        """Puts the lines of one more stretch behind the others."""
        self.texts += chunk.lines
        self.stretches.append((source, chunk.first, len(chunk.lines)))
        self.size_bytes += chunk.size_bytes

    def table(self) -> pa.Table:
        """Rows source, line, text."""
        source, line = self.places(np.arange(len(self.texts)))
        return pa.table({"source": source, "line": line, "text": pa.array(self.texts, pa.string())})

    def places(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The files, and the numbers in them, of lines that are told by their place in the batch."""
        source, first, count = np.array(self.stretches, np.int64).reshape(-1, 3).T
        start = np.cumsum(count) - count
        stretch = np.searchsorted(start, numbers, side="right") - 1
        return source[stretch], numbers + (first - start)[stretch]


def batches(sources: Sequence[Source], header: int, notes: list[str]) -> Iterator[Batch]:
    """The lines of the files, without headers; notes tell which are not UTF-8."""
    batch = Batch()
    for number, source in enumerate(sources):
        encoding = _encoding_of(source)
        if encoding != "utf-8":
            notes.append(f"{source.name}: is not UTF-8, read as Latin-1")
        for chunk in _chunks(source, encoding, header):
            if batch.texts and (batch.size_bytes + chunk.size_bytes > _CHUNK or len(batch.texts) > _LINES):
                yield batch
                batch = Batch()
            batch.add(number, chunk)
    if batch.texts:
        yield batch


def _encoding_of(source: Source) -> str:
    """utf-8 where a whole file is that, else latin-1."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with open_bytes(source.path, source.kind) as stream:
            while block := stream.read(_CHUNK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _chunks(source: Source, encoding: str, header: int) -> Iterator[_Chunk]:
    """The lines of a file, without its header and without line ends; records are not cut between chunks."""
    skip, first, rest = header, 1, b""
    with open_bytes(source.path, source.kind) as stream:
        start = stream.read(3)
        rest = b"" if start == b"\xef\xbb\xbf" else start
        while True:
            block = stream.read(_CHUNK)
            text = rest + block
            cut = len(text) if not block else _cut(text)
            lines = text[:cut].decode(encoding).replace("\r\n", "\n").split("\n")
            lines = lines[:-1] if text[:cut].endswith(b"\n") or not cut else lines
            while skip and lines:
                skip -= bool(lines[0].strip())
                lines, first = lines[1:], first + 1
            if lines:
                yield _Chunk(first, lines, cut)
            first += len(lines)
            if not block:
                return
            rest = text[cut:]


def _cut(text: bytes) -> int:
    """Where a chunk may end: behind a line without quotes, far enough from the end; or behind the last line."""
    end = text.rfind(b"\n") + 1
    at = end
    for _ in range(LONGEST_RECORD):
        before = text.rfind(b"\n", 0, max(at - 1, 0)) + 1
        if b'"' not in text[before:at]:
            return at
        at = before
    return end
