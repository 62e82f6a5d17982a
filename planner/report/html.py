"""A report as one HTML file: nothing loaded, light and dark, for narrow screens and for paper.

Every figure stands in tables and in charts that need no script. Where the libraries of ``planner[report]`` are
installed, charts to explore stand beside them; the only scripts that may run are those, named by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from planner.report.blocks import Bars, Curves, Note, Report, Table
from planner.report.colours import COLOURS
from planner.report.facts import Facts
from planner.report.formats import Source
from planner.report.told import tell

__all__ = ["html", "written"]

_KINDS: Final = {"table": Table, "bars": Bars, "curves": Curves, "note": Note}
_DRAW: Final = """
for (const place of document.querySelectorAll("[data-chart]")) {
  const spec = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  vegaEmbed(place, spec, {actions: false, renderer: "svg", ast: true});
}
"""
"""Draws every chart of the page; `ast`: expressions are interpreted, so that no text is ever run as code."""


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


def _json(value: object) -> str:
    r"""JSON that cannot leave the element it stands in.

    >>> print(_json({"a": "</script>"}))
    {"a": "\u003c/script\u003e"}
    """
    return Markup(json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def _digest(text: str) -> str:
    """What a content security policy knows a script by."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def html(report: Report, charts: Mapping[str, object] | None = None, scripts: Sequence[str] = ()) -> str:
    """The report as HTML text; every text of the study is escaped.

    Args:
        report: what is told.
        charts: section title -> a chart in Vega-Lite that is drawn there.
        scripts: what draws them, and nothing else may run.
    """
    loader = PackageLoader("planner.report", ".")
    room = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    room.filters |= {"percent": _percent, "anchor": _anchor, "path": _path, "json": _json, "digest": _digest}
    room.tests |= {name: lambda block, kind=kind: isinstance(block, kind) for name, kind in _KINDS.items()}
    page = room.get_template("report.html.j2")
    return page.render(report=report, colours=COLOURS, charts=charts or {}, scripts=scripts)


def written(source: Source) -> bytes:
    """The report of a study, in UTF-8; with charts to explore where the libraries for them are installed."""
    charts, scripts = _explored(Facts(source.document))
    return html(tell(source.document), charts, scripts).encode("utf-8", "replace")


def _explored(facts: Facts) -> tuple[dict[str, object], tuple[str, ...]]:
    try:
        plots = import_module("planner.report.plots")
    except ModuleNotFoundError:
        return {}, ()
    charts = {
        "What it costs, by category": plots.cost_by_category(facts),
        "Cash flow": plots.cash_so_far(facts),
        "How full it runs": plots.utilisation(facts),
    }
    return charts, (plots.libraries(), _DRAW)
