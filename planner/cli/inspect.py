"""``planner inspect``: what a recording is, what is in it, what is wrong with it, what can be planned from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from planner.cli.ingest import FormatOption, quality_words
from planner.cli.screen import facts, say, show_table
from planner.cli.table import Head

if TYPE_CHECKING:
    from planner.demand import Demand
    from planner.quantities import Assumption
    from planner.store import Inspection

__all__ = ["inspect"]

_SHOWN_FILES: Final = 10
_SHOWN_COLUMNS: Final = 12
_FILES: Final[list[Head]] = [
    ("file", "left"),
    ("kind", "left"),
    ("MiB", "right"),
    ("rows", "right"),
    ("read", "right"),
    ("columns", "left"),
]


def inspect(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="A folder, or the files of one recording.")],
    format_: FormatOption = "auto",
) -> None:
    """Look into a recording for some seconds, whatever its size; nothing is kept."""
    from planner.store import inspect as look

    seen = look(paths[0] if len(paths) == 1 else paths, format_)
    say(f"What it is: {seen.format}, by {seen.reason}")
    partly = "" if seen.whole else " (rows are estimated where less than all was read)"
    show_table(f"Files{partly}", _FILES, _rows(seen))
    if len(seen.files) > _SHOWN_FILES:
        say(f"... and {len(seen.files) - _SHOWN_FILES:,} more files")
    say()
    say("What is in it" + ("" if seen.whole else ", as far as it was read"))
    facts(_contents(seen))
    say()
    say("What is wrong with it" + ("" if seen.whole else ", as far as it was read"))
    facts(_faults(seen))
    say()
    say("What can be planned from it")
    facts(_plannable(seen))


def _rows(seen: Inspection) -> list[tuple[str, ...]]:
    return [
        (
            file.name,
            file.kind,
            f"{file.size_bytes / (1 << 20):,.1f}",
            f"{'' if file.share == 1 else 'about '}{file.rows:,}" if file.share else "?",
            f"{file.share:.1%}" if file.share < 1 else "all",
            _short(file.columns),
        )
        for file in seen.files[:_SHOWN_FILES]
    ]


def _short(names: Sequence[str]) -> str:
    rest = len(names) - _SHOWN_COLUMNS
    return ", ".join(names[:_SHOWN_COLUMNS]) + (f" and {rest:,} more" if rest > 0 else "")


def _contents(seen: Inspection) -> list[tuple[str, str]]:
    from planner.report.show import count, instant

    info = seen.info
    told = [
        ("workloads", count(info.workloads)),
        ("samples", count(info.samples)),
        ("span", f"{instant(info.start)} to {instant(info.end)} UTC" if info.start else "not told"),
    ]
    if info.calls:
        told.append(("calls", count(info.calls)))
    told += [(name, count(n)) for name, n in (("charges", info.charges), ("pairs that call", info.flows)) if n]
    if seen.whole:
        told.append(("quality", quality_words(info.quality)))
    return told


def _faults(seen: Inspection) -> list[tuple[str, str]]:
    told = [("rejected", f"{count:,} rows: {reason}") for reason, count in seen.rejects]
    told += [("note", note) for note in seen.info.notes]
    return told or [("nothing", "every line is a good row")]


def _plannable(seen: Inspection) -> list[tuple[str, str]]:
    from planner.models import kinds

    calls = bool(seen.info.calls)
    if seen.demand is None:
        return [("none", "; ".join(seen.missing))]
    told = [(kind, _ready(kind, seen, calls)) for kind in kinds()]
    told += [("first state", line) for line in seen.missing]
    told += [
        ("measured" if a.measured else "inferred", f"{a.value:,} {a.unit}: {a.source}") for a in _figures(seen.demand)
    ]
    return told


def _ready(kind: str, seen: Inspection, calls: bool) -> str:
    if kind in {"functions", "serverless_containers"}:
        how = "ready: calls were recorded" if calls else "ready, by conversion: no calls were recorded"
    else:
        how = "ready, by conversion: calls become cores and GiB" if calls else "ready"
    return how.replace("ready", "once sizes are stated", 1) if seen.missing else how


def _figures(demand: Demand) -> list[Assumption]:
    return [a for a in demand.assumptions if isinstance(a.value, int | float) and not isinstance(a.value, bool)]
