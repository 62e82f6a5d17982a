"""A table as lines of text, for terminals of any width and for pipes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import Final, Literal

from rich.cells import cell_len

__all__ = ["Align", "Head", "flat", "table_lines"]

Align = Literal["left", "right"]
Head = tuple[str, Align]

_GAP: Final = "  "
_WORDS: Final = 16
"""Words are folded down to columns so narrow, and no further."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def flat(text: str) -> str:
    r"""Text on one line, without characters that a terminal would act on.

    >>> flat("a\x1b[31mb\nc")
    'a [31mb c'
    """
    return _CONTROL.sub(" ", text)


def table_lines(heads: Sequence[Head], rows: Sequence[Sequence[str]], width: int) -> list[str] | None:
    """The lines of a table at most `width` wide; words are folded, numbers never. None where that does not do.

    >>> table_lines([("name", "left"), ("usd", "right")], [["a", "1.00"], ["bc", "10.00"]], 80)
    ['name    usd', '-----------', 'a      1.00', 'bc    10.00']
    """
    titles = [wrap(title, 13) if align == "right" else [title] for title, align in heads]
    columns = [[flat(row[i]) for row in rows] for i in range(len(heads))]
    widths = [max(map(cell_len, [*title, *column])) for title, column in zip(titles, columns, strict=True)]
    least = [w if align == "right" else min(w, _WORDS) for w, (_, align) in zip(widths, heads, strict=True)]
    room = width - len(_GAP) * (len(heads) - 1)
    if sum(least) > room:
        return None
    widths = _shared_out(widths, least, room)
    places = list(zip(widths, (align for _, align in heads), strict=True))
    folded = ([_folded(text, w) for text, w in zip(row, widths, strict=True)] for row in zip(*columns, strict=True))
    body = [line for row in folded for line in _row(row, places)]
    return [*_row(titles, places), "-" * (sum(widths) + width - room), *body]


def _shared_out(widths: list[int], least: list[int], room: int) -> list[int]:
    """Widths that fit into `room`: the widest column that may give way does so first."""
    given = list(widths)
    while sum(given) > room:
        given[max((i for i in range(len(given)) if given[i] > least[i]), key=given.__getitem__)] -= 1
    return given


def _folded(text: str, width: int) -> list[str]:
    return [text] if cell_len(text) <= width else wrap(text, width)


def _row(cells: Sequence[Sequence[str]], places: Sequence[tuple[int, Align]]) -> list[str]:
    lines = zip_longest(*cells, fillvalue="")
    padded = (_GAP.join(_placed(text, *place) for text, place in zip(line, places, strict=True)) for line in lines)
    return [line.rstrip() for line in padded]


def _placed(text: str, width: int, align: Align) -> str:
    space = " " * (width - cell_len(text))
    return space + text if align == "right" else text + space
