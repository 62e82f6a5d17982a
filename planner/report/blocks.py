"""What a report is made of, whatever it is written in: sections of text, tables and charts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Bar",
    "Bars",
    "Block",
    "Column",
    "Curve",
    "Curves",
    "Facet",
    "Note",
    "Report",
    "Section",
    "Segment",
    "Table",
]


@dataclass(frozen=True)
class Column:
    """The head of a column; numbers stand right, words left."""

    title: str
    align: Literal["left", "right"] = "left"
    free: bool = False
    """Long words, such as paths, may break anywhere."""


@dataclass(frozen=True)
class Table:
    """Rows of text as it is to be shown. `marked` rows rest on unconfirmed figures, a `total` row comes last."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: frozenset[int] = frozenset()
    total: bool = False
    folded: bool = False
    """Long derivations may be folded away on a screen; they are always printed."""


@dataclass(frozen=True)
class Segment:
    """A part of a bar: `share` of the chart's width, `shown` in words."""

    label: str
    share: float
    shown: str
    hue: int


@dataclass(frozen=True)
class Bar:
    """One bar: its name, what it adds up to, and its parts from left to right."""

    label: str
    shown: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Bars:
    """Horizontal bars over one scale; `legend` names the hues where the segments are not named by the bar."""

    caption: str
    bars: tuple[Bar, ...]
    legend: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Curve:
    """A line over time; `points` are shares of the chart's width and height from its top left."""

    label: str
    shown: str
    hue: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Curves:
    """Lines over one pair of axes; ticks are (share of the axis, label)."""

    caption: str
    curves: tuple[Curve, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    y_unit: str


@dataclass(frozen=True)
class Note:
    """A paragraph; a `warning` is something the reader must weigh."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class Facet:
    """A figure that stands for itself: its name, value and a word beside it."""

    label: str
    shown: str
    remark: str = ""


Block = Table | Bars | Curves | Note


@dataclass(frozen=True)
class Section:
    """One question the report answers."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Report:
    """A study as it is told: title, what was asked, the figures that matter, sections."""

    title: str
    asked: tuple[tuple[str, str], ...]
    facets: tuple[Facet, ...]
    sections: tuple[Section, ...]
