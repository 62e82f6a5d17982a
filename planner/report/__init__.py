"""Exports of a study: one document in, a report, a workbook, tables or charges out.

`FORMATS` names what there is by suffix; `export` writes it. Every format tells the same figures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

import pandas as pd

from planner.errors import InputError
from planner.report.facts import Document
from planner.report.formats import FORMATS, Format, Source, format_of, suffix_of
from planner.report.told import tell

__all__ = ["FORMATS", "Format", "check", "check_writable", "export", "render", "suffix_of", "tell", "write"]


@runtime_checkable
class _Answered(Protocol):
    """A study as `planner.study.run` returns it; its module loads models and solvers, which takes a second."""

    def document(self) -> Document: ...
    def placements(self) -> pd.DataFrame: ...


def export(study: Document | _Answered, suffix: str, placements: pd.DataFrame | None = None) -> bytes:
    """A study as a file of the format that `suffix` names; the same study gives the same bytes.

    Args:
        study: its document (saved, or read from JSON), or the study itself.
        suffix: a key of `FORMATS`.
        placements: which box holds which workload; only tables tell it. A study brings its own.

    Raises:
        InputError: no format has that suffix, its library is not installed, or the document is no study.
    """
    chosen = format_of(suffix)
    if isinstance(study, _Answered):
        placements = study.placements() if placements is None else placements
        study = study.document()
    return chosen.write(Source(study, placements))


def render(document: Document, suffix: str) -> str:
    """A study document as text of a format that is text; see `export`."""
    return export(document, suffix).decode("utf-8")


def check(path: Path) -> None:
    """Makes sure, before long work begins, that a report could be written to `path`.

    Raises:
        InputError: no format has its suffix, its library is not installed, or the file cannot be written.
    """
    format_of(suffix_of(path)).load()
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


def write(document: Document, path: Path, placements: pd.DataFrame | None = None) -> Path:
    """Writes a study document to `path`, in the format of its suffix; returns the path.

    Raises:
        InputError: see `export`; or the file cannot be written.
    """
    content = export(document, suffix_of(path), placements)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path}: cannot write the report ({error.strerror})") from None
    return path
