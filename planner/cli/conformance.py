"""``planner conformance``: other people's published numbers beside this planner's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from planner.cli.screen import progress, say, show_table, warn
from planner.cli.table import Head
from planner.errors import InputError

if TYPE_CHECKING:
    from planner.conformance import Examined, Outcome

__all__ = ["conformance"]

_FIGURES: Final[list[Head]] = [
    ("id", "left"),
    ("what", "left"),
    ("theirs", "right"),
    ("ours", "right"),
    ("off by", "right"),
    ("source", "left"),
]
_SLIPS: Final[list[Head]] = [
    ("id", "left"),
    ("what the source got wrong", "left"),
    ("printed", "left"),
    ("corrected", "left"),
    ("ours", "right"),
    ("source", "left"),
]
_SKIPPED: Final[list[Head]] = [("id", "left"), ("why nothing here answers it", "left"), ("source", "left")]


def conformance(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="Example files (.toml); none: those that ship.")
    ] = None,
    document: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all figures as JSON.")] = None,
) -> None:
    """Run other people's published examples through the models. Exit code 1 if a figure disagrees."""
    from planner.conformance import examined, load, shipped

    if document is not None and not document.absolute().parent.is_dir():
        raise InputError(f"{document}: there is no folder {document.absolute().parent}")
    collections = [load(path) for path in files or shipped()]
    with progress("asking", sum(len(c.example) for c in collections)) as step:
        found = examined(collections, step)
    _tell(found)
    if document is not None:
        text = json.dumps(found.document(), indent=1, ensure_ascii=False)
        try:
            document.write_text(text + "\n", encoding="utf-8", newline="\n")
        except OSError as error:
            raise InputError(f"{document}: cannot write the figures ({error.strerror})") from None
        say(f"figures: {document}")
    raise typer.Exit(1 if found.disagreeing else 0)


def _tell(found: Examined) -> None:
    show_table("Published figures, each with the digits that its source prints", _FIGURES, _figures(found))
    if found.slips:
        say()
        show_table("Slips found in the sources", _SLIPS, _slips(found))
    if found.not_applicable:
        say()
        rows = [(s.id, s.reason, s.source) for s in found.not_applicable]
        show_table("Published numbers that do not apply", _SKIPPED, rows)
    say()
    show_table("Sources", [("key", "left"), ("where", "left")], sorted(found.sources.items()))
    say()
    for outcome in found.disagreeing:
        reason = outcome.problem or f"{_number(outcome, outcome.ours)}, not {_number(outcome, outcome.theirs)}"
        warn(f"{outcome.id}: {outcome.figure}: disagrees: {reason}")
    wrong, figures = len({o.id for o in found.disagreeing}), sum(o.compared for o in found.outcomes)
    say(f"{len(found.reproduced)} published examples reproduced, {wrong} disagree ({figures} figures in all)")
    say(f"{len(found.not_applicable)} do not apply, {len(found.slips)} slips in the sources")


def _figures(found: Examined) -> list[tuple[str, ...]]:
    """One row a figure; the first of an example tells what it is."""
    rows: list[tuple[str, ...]] = []
    before = ("", "")
    for o in found.outcomes:
        here = (o.id, o.what)
        figure = f"{o.figure} ({o.compared})" if o.compared > 1 else o.figure
        first = ("", figure) if here == before else (o.id, f"{o.what}: {figure}")
        source = "" if here == before else o.source
        rows.append((*first, _number(o, o.theirs), _number(o, o.ours) or "?", _gap(o), source))
        before = here
    return rows


def _number(outcome: Outcome, value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.{outcome.decimals}f}"


def _gap(outcome: Outcome) -> str:
    """0 where both are the same once rounded; else with a digit more."""
    if not outcome.agrees:
        return "DISAGREES" if outcome.difference is None else f"!{outcome.difference:+,.{outcome.decimals}f}"
    if outcome.difference is None or abs(outcome.difference) < 0.5 * 10.0**-outcome.decimals:
        return "0"
    return f"{outcome.difference:+,.{outcome.decimals}f}"


def _slips(found: Examined) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for slip in found.slips:
        ours = found.recomputed(slip)
        told = "" if ours is None else _number(ours, ours.ours)
        rows.append((slip.id, slip.what, slip.printed, slip.corrected, told, slip.source))
    return rows
