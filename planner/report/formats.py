"""What a study can be exported as: one entry a suffix, each written by one module that is imported when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

import pandas as pd

from planner.errors import InputError, near_miss
from planner.report.facts import Document

__all__ = ["FORMATS", "Format", "Source", "format_of", "suffix_of"]


@dataclass(frozen=True)
class Source:
    """What is exported: a study document, and which box holds which workload where that is at hand."""

    document: Document
    placements: pd.DataFrame | None = None


@dataclass(frozen=True)
class Format:
    """One kind of file: what people call it, its media type and ``module.function`` that writes it."""

    name: str
    mime: str
    writer: str
    placed: bool = False
    """Whether it tells which box holds which workload, where that is at hand."""

    def write(self, source: Source) -> bytes:
        """The file, whole; the same study gives the same bytes.

        Raises:
            InputError: see `load`; or the document is no study.
        """
        return self.load()(source)

    def load(self) -> Callable[[Source], bytes]:
        """What writes it.

        Raises:
            InputError: a library that only this format needs is not installed.
        """
        module, _, function = self.writer.partition(".")
        try:
            writer: Callable[[Source], bytes] = getattr(import_module(f"planner.report.{module}"), function)
        except ModuleNotFoundError as error:
            raise InputError(f"{self.name} needs {error.name}: pip install 'planner[report]'") from None
        return writer


FORMATS: Final[Mapping[str, Format]] = {
    ".html": Format("Report as a page (HTML)", "text/html", "html.written"),
    ".pdf": Format("Report on paper (PDF)", "application/pdf", "pdf.written"),
    ".md": Format("Report as text (Markdown)", "text/markdown", "markdown.written"),
    ".xlsx": Format(
        "Workbook with live totals (XLSX)",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx.written",
    ),
    ".focus.csv": Format("Planned charges (FOCUS 1.2, CSV)", "text/csv", "focus.as_csv"),
    ".focus.parquet": Format(
        "Planned charges (FOCUS 1.2, Parquet)", "application/vnd.apache.parquet", "focus.as_parquet"
    ),
    ".csv.zip": Format("Tables (CSV)", "application/zip", "tables.as_csv", placed=True),
    ".parquet.zip": Format("Tables (Parquet)", "application/zip", "tables.as_parquet", placed=True),
    ".json": Format("Study document (JSON)", "application/json", "plain.written"),
}
"""suffix -> the format it names."""


def suffix_of(path: Path) -> str:
    """The suffix of a file's name that names a format, in lower case; its last suffix where none does.

    >>> suffix_of(Path("a.b.FOCUS.csv")), suffix_of(Path("report.pdf")), suffix_of(Path("x.docx"))
    ('.focus.csv', '.pdf', '.docx')
    """
    name = path.name.lower()
    found = [suffix for suffix in FORMATS if name.endswith(suffix) and name != suffix]
    return max(found, key=len, default=path.suffix.lower())


def format_of(suffix: str) -> Format:
    """The format that a suffix names.

    Raises:
        InputError: none has it.
    """
    if suffix.lower() not in FORMATS:
        raise InputError(f"report format {suffix!r}: {near_miss(suffix.lower(), FORMATS)}")
    return FORMATS[suffix.lower()]
