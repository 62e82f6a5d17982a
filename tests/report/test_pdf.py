"""The report on paper: everything is on it, nothing in it is markup, and no text runs off a page."""

from __future__ import annotations

import io
import shutil
import subprocess
from typing import Any

import pytest
from pypdf import PdfReader

from planner.report import export
from planner.report.facts import Facts
from planner.report.pdf import story


def pages(content: bytes) -> list[str]:
    return [page.extract_text().replace("\u200b", "") for page in PdfReader(io.BytesIO(content)).pages]


def test_cover_answer_comparison_models_risks_assumptions_and_sources_in_this_order(study: dict[str, Any]) -> None:
    text = "\n" + "\n".join(pages(export(study, ".pdf"))[2:])
    titles = [
        "In short",
        "Recommendation",
        "Comparison",
        "Cash flow",
        "Risks",
        "Assumptions",
        "Sources: the prices used",
    ]
    places = [text.index(f"\n{title}\n") for title in titles]
    assert places == sorted(places)
    assert all(f"Model: {entry['model']}" in text for entry in study["models"])


def _fonts(content: bytes) -> set[str]:
    found = (page["/Resources"]["/Font"].values() for page in PdfReader(io.BytesIO(content)).pages)
    return {str(font.get_object()["/BaseFont"]).split("+")[1] for fonts in found for font in fonts}


def test_letters_that_our_fonts_lack_are_set_in_one_of_the_machine(study: dict[str, Any]) -> None:
    if not shutil.which("fc-list") or not subprocess.check_output(["fc-list", ":lang=zh-cn"]):
        pytest.skip("no font of this machine has Chinese letters")
    ours = _fonts(export(study, ".pdf"))
    study["scenario"]["name"] = "数据中心"
    told = export(study, ".pdf")
    assert "数据中心" in "".join(pages(told))
    assert len(_fonts(told) - ours) == 1


def test_names_are_text_and_never_markup(study: dict[str, Any]) -> None:
    study["scenario"]["name"] = '#panic("no") $x^2$ *bold* _it_ @ref <label> = head'
    study["plans"][1]["unplaced"] = [{"workload": '#read("/etc/passwd")', "reason": '#include "x" // gone'}]
    text = "".join(pages(export(study, ".pdf")))
    assert study["scenario"]["name"] in text
    assert '#read("/etc/passwd")' in text
    assert '#include "x" // gone' in text


def test_nothing_runs_off_a_page(study: dict[str, Any]) -> None:
    """Every piece of text starts within the margins; long names are broken, and whole when joined again."""
    study["scenario"]["name"] = "n" * 300
    study["plans"][1]["boxes"] = [
        {"sku": "S" * 200, "provider": "p" * 60, "region": "r" * 60, "term": "t" * 60, "count": 10**9}
    ]
    reader = PdfReader(io.BytesIO(export(study, ".pdf")))
    for page in reader.pages:
        starts: list[float] = []
        page.extract_text(
            visitor_text=lambda text, _cm, tm, _font, _size, s=starts: s.append(tm[4]) if text.strip() else None
        )
        assert all(0 <= x <= float(page.mediabox.width) - 20 for x in starts)
    assert max(len(part) for cell in cells(study) for part in cell.replace("\u200b", " ").split()) <= 20


def cells(study: dict[str, Any]) -> list[str]:
    tables = [b for chapter in story(Facts(study))["chapters"] for b in chapter["blocks"] if b["kind"] == "table"]
    return [cell for t in tables for row in t["rows"] for cell, right in zip(row, t["right"], strict=True) if not right]


def test_numbers_stand_right_and_every_amount_has_a_unit(study: dict[str, Any]) -> None:
    blocks = [b for chapter in story(Facts(study))["chapters"] for b in chapter["blocks"] if b["kind"] == "table"]
    for table in blocks:
        for row in table["rows"]:
            for head, cell, right in zip(table["heads"], row, table["right"], strict=True):
                if cell.replace(",", "").replace(".", "").isdigit() and "." in cell:
                    assert right, (head, cell)
                    assert "USD" in head + table["caption"] or head in {"Quantity", "Value"}, (table["caption"], head)


def test_the_date_of_the_file_is_that_of_the_study(study: dict[str, Any]) -> None:
    study["created_at"] = "2026-03-04T05:06:07"
    told = PdfReader(io.BytesIO(export(study, ".pdf"))).metadata
    assert told is not None
    assert told.creation_date is not None
    assert told.creation_date.strftime("%Y-%m-%d %H:%M") == "2026-03-04 05:06"
