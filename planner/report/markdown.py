"""A report as Markdown (GitHub's tables). Text of a trace stays text: nothing in it becomes markup."""

from __future__ import annotations

import re
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from planner.report.blocks import Report, Table
from planner.report.formats import Source
from planner.report.told import tell

__all__ = ["inert", "markdown", "written"]

_MARKUP: Final = re.compile(r"([\\`*\[\]|~]|(?<!\w)_|_(?!\w))")
_ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LEADING: Final = re.compile(r"^(#|[-+](?=\s)|\d+(?=[.)]\s))")


def inert(text: str) -> str:
    r"""Text that no Markdown reader takes for markup, on one line.

    >>> print(inert("web|01\n<b>*big*</b> vm_7 & co"))
    web\|01 &lt;b&gt;\*big\*&lt;/b&gt; vm_7 &amp; co
    >>> print(inert("# no heading"), inert("_x_"))
    \# no heading \_x\_
    """
    flat = _BREAKS.sub(" ", text).strip()
    return _LEADING.sub(r"\\\1", _MARKUP.sub(r"\\\1", flat).translate(_ENTITIES))


def _rule(table: Table) -> str:
    return "|".join("---:" if column.align == "right" else "---" for column in table.columns)


def markdown(report: Report) -> str:
    """The report as Markdown text; charts are left to HTML, their figures are in the tables."""
    # autoescape would write HTML entities into Markdown: every text passes the filter `inert` instead
    loader = PackageLoader("planner.report", ".")
    room = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701
    room.filters |= {"inert": inert, "rule": _rule}
    room.tests |= {"table": lambda block: isinstance(block, Table)}
    return room.get_template("report.md.j2").render(report=report)


def written(source: Source) -> bytes:
    """The report of a study, in UTF-8."""
    return markdown(tell(source.document)).encode("utf-8", "replace")
