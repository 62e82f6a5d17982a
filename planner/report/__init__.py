"""A study as a report: one document in, Markdown or self-contained HTML out.

A format is one function from a `Report` to text; `FORMATS` chooses it by suffix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from planner.errors import InputError, near_miss
from planner.report.advice import recommendation
from planner.report.answer import comparison, facets, reading
from planner.report.blocks import Report, Section
from planner.report.capacity import boxes, unplaced, utilisation
from planner.report.costs import bills, by_category, cash
from planner.report.derivation import assumptions, bounds, prices
from planner.report.facts import Document, Facts
from planner.report.html import html
from planner.report.markdown import markdown
from planner.report.question import asked, quality, title
from planner.report.today import today

__all__ = ["FORMATS", "check", "check_writable", "render", "tell", "write"]

FORMATS: Final[Mapping[str, Callable[[Report], str]]] = {".md": markdown, ".html": html}
"""suffix -> how a report is written with it."""


def tell(document: Document) -> Report:
    """What there is to say about a study document, in the order a reader asks.

    Raises:
        InputError: the document is no study.
    """
    facts = Facts(document)
    sections = (
        recommendation(facts),
        Section("Comparison", (comparison(facts), reading())),
        *today(facts),
        *(part(facts) for part in (by_category, cash, utilisation, boxes, unplaced, quality)),
        *(part(facts) for part in (bounds, assumptions, prices, bills)),
    )
    return Report(title(facts), asked(facts), facets(facts), sections)


def render(document: Document, suffix: str) -> str:
    """A study document as text of the format that `suffix` names; the same document gives the same text.

    Raises:
        InputError: no format has that suffix, or the document is no study.
    """
    return _format(suffix)(tell(document))


def _format(suffix: str) -> Callable[[Report], str]:
    if suffix.lower() not in FORMATS:
        raise InputError(f"report format {suffix!r}: {near_miss(suffix, FORMATS)}")
    return FORMATS[suffix.lower()]


def check(path: Path) -> None:
    """Makes sure, before long work begins, that a report could be written to `path`.

    Raises:
        InputError: no format has its suffix, or the file cannot be written.
    """
    _format(path.suffix)
    check_writable(path, "report")


def check_writable(path: Path, what: str) -> None:
    """Makes sure that `what` could be written to `path`; leaves no file behind, and one that is there as it is.

    Raises:
        InputError: its folder does not exist, it is a folder itself, or the system forbids it.
    """
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.absolute().parent}")
    there = path.exists()
    if there and not (path.is_file() or path.is_dir()):
        return  # a pipe or a device: who reads it would take the trial for the end
    try:
        path.open("ab").close()
    except OSError as error:
        raise InputError(f"{path}: cannot write the {what} ({error.strerror})") from None
    if not there:
        path.unlink(missing_ok=True)


def write(document: Document, path: Path) -> Path:
    """Writes the report of a study document to `path`, in the format of its suffix; returns the path.

    Raises:
        InputError: no format has that suffix, the document is no study, or the file cannot be written.
    """
    text = render(document, path.suffix)
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"{path}: cannot write the report ({error.strerror})") from None
    return path
