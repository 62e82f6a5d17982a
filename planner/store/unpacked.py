"""The account of what comes out of containers: where it goes, what it is called, and how much may still come."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from planner.errors import TraceError

__all__ = ["CHUNK", "LIMITS", "Counted", "Limits", "Readable", "Unpacked"]

CHUNK: Final = 1 << 20
"""What is unpacked at once. Unit: bytes."""


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
    members: int = 30_000
    """Files in one archive, with those of the archives in it; a folder may have more. Unit: files. Source: our choice;
    all days of PlanetLab are 11,746, Google 2011 as VMs 1,600, and a file takes a millisecond to unpack."""
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

    def count(self, path: Path, more: int = 1) -> None:
        """So many `more` files in an archive.

        Raises:
            TraceError: more than may be.
        """
        self.members += more
        if self.members > self.limits.members:
            most = f"holds more than {self.limits.members:,} files"
            raise TraceError(f"{self.shown(path)}: {most}; unpack it, and give the folder")

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


class Readable(Protocol):
    """What gives its bytes piece by piece."""

    def read(self, size: int = -1, /) -> bytes | None:
        """The next bytes, at most `size`; none at the end."""


class Counted(io.RawIOBase):
    """A stream that stops where more comes out of a file than may."""

    def __init__(self, stream: Any, into: Unpacked) -> None:
        super().__init__()
        self._stream, self._into = stream, into

    def read(self, size: int = -1) -> bytes:
        """The next bytes, counted.

        Raises:
            TraceError: more came than may.
        """
        block = bytes(self._stream.read(size if 0 <= size < CHUNK else CHUNK))
        self._into.spend(len(block), packed=True)
        return block
