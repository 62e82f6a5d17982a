"""Files whose bytes depend on their content alone, and names as anonymised recordings have them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["base64_names", "hex_names", "write_gzip", "write_gzip_text", "write_text", "write_workbook"]

_SHEETS: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_LINK: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml."


def write_gzip(path: Path, frame: pd.DataFrame, *, header: bool) -> Path:
    """Writes a frame as gzipped CSV, without the time of day that gzip would put into it."""
    return write_gzip_text(path, frame.to_csv(index=False, header=header, lineterminator="\n"))


def write_gzip_text(path: Path, text: str) -> Path:
    """Writes text gzipped, without the time of day."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as file:
        file.write(text.encode())
    return path


def write_text(path: Path, text: str) -> Path:
    """Writes text with the line ends it has, on any system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def base64_names(kind: str, n: int) -> NDArray[np.str_]:
    """[n] hashes of 64 characters, in which `/` and `+` occur."""
    return np.array([base64.b64encode(hashlib.sha384(f"{kind} {i}".encode()).digest()).decode() for i in range(n)])


def hex_names(kind: str, n: int) -> NDArray[np.str_]:
    """[n] hashes of 64 hexadecimal digits."""
    return np.array([hashlib.sha256(f"{kind} {i}".encode()).hexdigest() for i in range(n)])


def write_workbook(path: Path, tabs: Mapping[str, pd.DataFrame]) -> Path:
    """Writes frames as the sheets of a workbook; parts are not compressed, so that no library's version shows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = range(1, len(tabs) + 1)
    kinds = [f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_MAIN}worksheet+xml"/>' for n in numbers]
    books = [f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in zip(numbers, tabs, strict=True)]
    links = [f'<Relationship Id="r{n}" Type="{_LINK}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers]
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType='
        f'"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{_MAIN}sheet.main+xml"/>{"".join(kinds)}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{_LINK}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_SHEETS}" xmlns:r="{_LINK}"><sheets>{"".join(books)}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{"".join(links)}'
        "</Relationships>",
        **{f"xl/worksheets/sheet{n}.xml": _sheet(tab) for n, tab in zip(numbers, tabs.values(), strict=True)},
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return path


def _sheet(tab: pd.DataFrame) -> str:
    rows = [list(tab.columns), *tab.itertuples(index=False, name=None)]
    return f'<worksheet xmlns="{_SHEETS}"><sheetData>{"".join(map(_row, rows))}</sheetData></worksheet>'


def _row(cells: Sequence[object]) -> str:
    return f"<row>{''.join(map(_cell, cells))}</row>"


def _cell(value: object) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>' if value else "<c/>"
    return f"<c><v>{value}</v></c>"
