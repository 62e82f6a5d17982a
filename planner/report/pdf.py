"""A study on paper: cover, the answer in plain words, comparison, a page a model, risks, assumptions and sources."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

import typst

from planner.report import plots
from planner.report.answer import comparison, facets, reading
from planner.report.blocks import Block, Facet, Note, Section, Table
from planner.report.costs import by_category, cash
from planner.report.derivation import assumptions, bounds, prices
from planner.report.facts import Facts
from planner.report.formats import Source
from planner.report.portrait import figures, portrait
from planner.report.question import asked, quality, title
from planner.report.show import instant
from planner.report.summary import advice, in_short, risks

__all__ = ["story", "written"]

_HERE: Final = Path(__file__).parent
_UNDATED: Final = "2000-01-01"
_WIDTH: Final = 620
_MOST_CHARACTERS: Final = 140
"""Wider tables of numbers are set smaller."""
_PAGE_CHARACTERS: Final = 150
"""What about fits on a line of a table."""
_SENTENCE: Final = 18
"""Longer cells of words may be set on several lines."""
_LONG: Final = 14
"""Longer runs of characters may break: after a mark, else after as many characters."""
_RUNS: Final = re.compile(rf"[^\s\u200b]{{{_LONG + 1},}}")
_MARKS: Final = re.compile(r"(?<=[-_./:,@;|])(?=\w)")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_FOREIGN: Final = re.compile(r"[^\u0000-\u05ff\u1e00-\u27ff]")
"""Letters that the fonts beside the template lack, such as Chinese; fonts of the machine are asked for them."""
Told = dict[str, Any]


def written(source: Source) -> bytes:
    """The report as PDF; the same study gives the same bytes.

    Raises:
        InputError: the document is no study.
    """
    facts = Facts(source.document)
    made = datetime.fromisoformat(str(source.document.get("created_at") or _UNDATED)).replace(tzinfo=UTC)
    text = json.dumps(story(facts), ensure_ascii=False).encode("utf-8", "replace").decode()
    compiler = typst.Compiler(
        str(_HERE / "report.typ"),
        root=str(_HERE),
        font_paths=[str(_HERE / "fonts")],
        ignore_system_fonts=_FOREIGN.search(text) is None,
        sys_inputs={"study": text},
    )
    return cast("bytes", compiler.compile(format="pdf", timestamp=made))


def story(facts: Facts) -> Told:
    """The report as plain values; what is in them is text to the template, never markup."""
    chapters = [*_chapters(facts), *(_model(facts, name) for name in facts.names), *_grounds(facts)]
    return {
        "title": _flat(title(facts)),
        "made": _made(facts),
        "asked": [[label, _breakable(text)] for label, text in asked(facts)],
        "facets": [_facet(facet) for facet in facets(facts)],
        "chapters": chapters,
    }


def _made(facts: Facts) -> str:
    when, study = facts.document.get("created_at"), facts.document.get("study_id")
    return _flat(", ".join([*([f"Made {instant(when)} UTC"] if when else []), *([f"study {study}"] if study else [])]))


def _chapters(facts: Facts) -> Iterator[Told]:
    yield _chapter(in_short(facts), fresh=True)
    yield _chapter(advice(facts))
    compared = _chapter(Section("Comparison", (comparison(facts), reading())), fresh=True)
    compared["blocks"].insert(1, _picture(plots.cost_by_category(facts), "USD a month, first year, by category"))
    yield compared
    yield _chapter(by_category(facts), fresh=True)
    paid = _chapter(cash(facts), fresh=True)
    if any(entry.get("cash_usd") for entry in facts.models):
        paid["blocks"].insert(1, _picture(plots.cash_so_far(facts), "Cumulative payments by month (USD)"))
    yield paid


def _picture(spec: plots.Spec, caption: str) -> Told:
    width = _WIDTH if spec["width"] == "container" else spec["width"]
    return {"kind": "picture", "svg": plots.svg(spec | {"width": width}), "caption": caption}


def _model(facts: Facts, name: str) -> Told:
    told = _chapter(Section(f"Model: {name}", portrait(facts, name)), fresh=True)
    picture = _picture(plots.one_model(facts, name), f"Cost of {name} by year (USD a month)")
    place = 1 if told["blocks"] and told["blocks"][0]["kind"] == "note" else 0
    blocks = [*told["blocks"][:place], picture, *told["blocks"][place:]]
    return told | {"blocks": blocks, "facets": [_facet(facet) for facet in figures(facts, name)]}


def _grounds(facts: Facts) -> Iterator[Told]:
    yield _chapter(risks(facts), fresh=True)
    yield _chapter(quality(facts))
    yield _chapter(bounds(facts))
    yield _chapter(assumptions(facts), fresh=True)
    sources = prices(facts)
    yield _chapter(Section("Sources: the prices used", sources.blocks), fresh=True)


def _chapter(section: Section, fresh: bool = False) -> Told:
    blocks = [told for block in section.blocks if (told := _block(block))]
    return {"title": _flat(section.title), "fresh": fresh, "facets": [], "blocks": blocks}


def _facet(facet: Facet) -> Told:
    return {"label": _flat(facet.label), "shown": _breakable(facet.shown), "remark": _flat(facet.remark)}


def _block(block: Block) -> Told | None:
    match block:
        case Note(text=text, warning=warning):
            return {"kind": "note", "text": _breakable(text), "warning": warning}
        case Table():
            return _table(block)
    return None


def _table(table: Table) -> Told:
    right = [column.align == "right" for column in table.columns]
    rows = [[_flat(cell) if r else _breakable(cell) for cell, r in zip(row, right, strict=True)] for row in table.rows]
    return {
        "kind": "table",
        "caption": _flat(table.caption),
        "heads": [_breakable(column.title) for column in table.columns],
        "right": right,
        "shares": _shares(table),
        "rows": rows,
        "dense": _width(table) > _MOST_CHARACTERS,
        "marked": sorted(table.marked),
        "total": table.total,
    }


def _shares(table: Table) -> list[float]:
    """What each column takes of the room that the others leave; 0: what its cells need.

    Columns of sentences share the room by their mean length, where a table is wider than a page: left to themselves,
    columns that are too wide get the same, and one of few words takes from one of many.
    """
    cells = list(zip(*table.rows, strict=True))
    longest = [max(map(len, column), default=0) for column in cells]
    long = [most > _SENTENCE and each.align != "right" for most, each in zip(longest, table.columns, strict=True)]
    rest = sum(most + 2 for most, is_long in zip(longest, long, strict=True) if not is_long)
    if not any(long) or sum(longest) <= _PAGE_CHARACTERS or rest > _PAGE_CHARACTERS * 2 // 3:
        return [0.0] * len(table.columns)
    means = [sum(map(len, column)) / len(column) for column in cells]
    return [max(_SENTENCE / 2, mean) ** 0.75 if is_long else 0.0 for mean, is_long in zip(means, long, strict=True)]


def _width(table: Table) -> int:
    """How many characters of numbers, which do not break, stand side by side at most."""
    columns = [i for i, column in enumerate(table.columns) if column.align == "right"]
    return sum(max((len(row[i]) for row in table.rows), default=0) + 2 for i in columns)


def _flat(text: str) -> str:
    return _CONTROLS.sub(" ", text)


def _breakable(text: str) -> str:
    r"""Text on one line whose long words may break, at marks or, where there are none, after some characters.

    >>> _breakable("Standard_E112ibds_v5").split("\u200b"), _breakable("a short text")
    (['Standard_', 'E112ibds_', 'v5'], 'a short text')
    >>> [len(part) for part in _breakable("w" * 30).split("\u200b")]
    [14, 14, 2]
    """
    return _RUNS.sub(_broken, _flat(text))


def _broken(found: re.Match[str]) -> str:
    parts = _MARKS.split(found.group())
    return "\u200b".join(part[i : i + _LONG] for part in parts for i in range(0, len(part), _LONG))
