"""Lines of a file counted beside its loading; whoever counts also sees lines too long, rows too many and bombs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from planner.store.limits import Limits, refuse_bomb, refuse_long, refuse_rows
from planner.store.sources import PIECE, Source, open_bytes

__all__ = ["count_lines"]

_PIECE: Final = 1 << 18


def count_lines(source: Source, limits: Limits) -> int:
    """Lines that are not blank, a header included.

    Raises:
        TraceError: the file is larger, in one of its measures, than `limits` allow.
    """
    ends = blanks = size = since = 0
    last = b"\n"
    for block in _blocks(source):
        size += len(block)
        refuse_bomb(source, size, limits)
        since = _since_line_end(block, since, limits.row_bytes)
        if since > limits.row_bytes:
            raise refuse_long(source, ends + 1 + block[: len(block) - since].count(b"\n"), limits)
        here, close = _line_ends(block)
        ends += here
        if close or block.startswith(b"\n") or b"\r" in block:
            blanks += _blank_lines(last, block)
        refuse_rows(source, ends - blanks, limits)
        last = block[-2:]
    return ends - blanks + (not last.endswith(b"\n"))


def _blocks(source: Source) -> Iterator[bytes]:
    with open_bytes(source.path, source.kind) as stream:
        first = stream.read(PIECE).removeprefix(b"\xef\xbb\xbf")
        while first:
            yield first
            first = stream.read(PIECE)


def _line_ends(block: bytes) -> tuple[int, bool]:
    """How many lines end in `block`, and whether one ends right behind another; by pieces that a core's cache holds."""
    text = np.frombuffer(block, np.uint8)
    ends, close = 0, False
    for start in range(0, len(text), _PIECE):
        at = text[start : start + _PIECE + 1] == ord("\n")
        ends += int(np.count_nonzero(at[:_PIECE]))
        close = close or bool(np.any(at[1:] & at[:-1]))
    return ends, close


def _since_line_end(block: bytes, since: int, most: int) -> int:
    """Bytes behind the last line end, `since` before the block; or more than `most` where a line is longer.

    Jumps from line end to line end as far as one may be apart, so it looks at a few bytes only.
    """
    at = 0
    while (end := block.rfind(b"\n", at, at + most + 1 - since)) >= 0:
        at, since = end + 1, 0
    return since + len(block) - at


def _blank_lines(last: bytes, block: bytes) -> int:
    """Line ends of `block` that follow a line end, with nothing or a carriage return between; mostly there is none."""
    whole = last + block
    if b"\n\n" not in whole and b"\n\r\n" not in whole:
        return 0
    text = np.frombuffer(whole, np.uint8)
    at = np.flatnonzero(text == ord("\n"))
    step = np.diff(at)
    blank = (step == 1) | ((step == 2) & (text[at[1:] - 1] == ord("\r")))
    return int(np.count_nonzero(blank & (at[1:] >= len(last))))
