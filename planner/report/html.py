"""A report as one HTML file: no script, nothing loaded, light and dark, for narrow screens and for paper."""

from __future__ import annotations

import re
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from planner.report.blocks import Bars, Curves, Note, Report, Table
from planner.report.formats import Source
from planner.report.told import tell

__all__ = ["html", "written"]

_KINDS: Final = {"table": Table, "bars": Bars, "curves": Curves, "note": Note}


def _percent(share: float) -> str:
    """A share as an SVG length.

    >>> _percent(0.123456), _percent(1)
    ('12.346%', '100%')
    """
    return f"{round(share * 100, 3):g}%"


def _anchor(title: str) -> str:
    """A section's title as the name of a place in the page.

    >>> _anchor("What did not fit, and why")
    'what-did-not-fit-and-why'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _path(points: tuple[tuple[float, float], ...]) -> str:
    return " ".join(f"{round(x * 1000, 2):g},{round(y * 1000, 2):g}" for x, y in points)


def html(report: Report) -> str:
    """The report as HTML text; every text of the study is escaped."""
    loader = PackageLoader("planner.report", ".")
    room = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    room.filters |= {"percent": _percent, "anchor": _anchor, "path": _path}
    room.tests |= {name: lambda block, kind=kind: isinstance(block, kind) for name, kind in _KINDS.items()}
    return room.get_template("report.html.j2").render(report=report)


def written(source: Source) -> bytes:
    """The report of a study, in UTF-8."""
    return html(tell(source.document)).encode("utf-8", "replace")
