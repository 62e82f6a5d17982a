"""What commands share on the terminal: errors in plain lines, tables, a progress bar."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import Any, Final, Literal

import typer
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid
from rich.text import Text
from typer.core import TyperGroup

from planner.errors import PlannerError

__all__ = ["Align", "ForgivingGroup", "Head", "facts", "progress", "say", "show_table", "waiting", "warn"]

Align = Literal["left", "right"]
Head = tuple[str, Align]
_WIDE: Final = 10_000
_WORDS: Final = 20


class ForgivingGroup(TyperGroup):
    """Commands whose planner errors end in plain lines on stderr and exit code 2, never in a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that was asked for.

        Raises:
            typer.Exit: with code 2, after the error was told.
        """
        try:
            return super().invoke(ctx)
        except PlannerError as error:
            for line in str(error).splitlines():
                warn(f"error: {line}")
            raise typer.Exit(2) from None


def say(text: str = "") -> None:
    """One line on stdout, as it is: no markup, never folded."""
    Console(highlight=False, markup=False, emoji=False, soft_wrap=True).print(Text(text))


def warn(text: str) -> None:
    """One line on stderr, as it is."""
    Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True).print(Text(text))


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """Names and what they are, one a line."""
    rows = list(pairs)
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        say(f"{name:<{width}}  {text}")


def show_table(
    caption: str, heads: Sequence[Head], rows: Sequence[Sequence[str]], droppable: Sequence[str] = ()
) -> None:
    """A table on stdout that never breaks a number over lines.

    Where the terminal is too narrow, `droppable` columns give way one by one (and are named), and if that does not
    do, each row is told as a list. Where stdout is no terminal, the table is as wide as it needs.
    """
    console = _console()
    title = Text(caption)
    for dropped in range(len(droppable) + 1):
        kept = [i for i, (head, _) in enumerate(heads) if head not in droppable[:dropped]]
        grid = _grid([heads[i] for i in kept], [[row[i] for i in kept] for row in rows])
        if grid.__rich_measure__(console, console.options).minimum <= console.width:
            console.print(title, grid, sep="\n")
            if dropped:
                say(f"(too narrow here for: {', '.join(droppable[:dropped])})")
            return
    console.print(title)
    for row in rows:
        say()
        facts((head, cell) for (head, _), cell in zip(heads, row, strict=True))


def _console() -> Console:
    free = not sys.stdout.isatty() and not os.environ.get("COLUMNS")
    return Console(highlight=False, markup=False, emoji=False, width=_WIDE if free else None)


def _grid(heads: Sequence[Head], rows: Sequence[Sequence[str]]) -> Grid:
    grid = Grid(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    for i, (title, align) in enumerate(heads):
        folded = wrap(title, 12) if align == "right" else [title]
        widest = max(cell_len(text) for text in [*folded, *(row[i] for row in rows)])
        least = widest if align == "right" else min(widest, _WORDS)
        grid.add_column(Text("\n".join(folded)), justify=align, vertical="top", min_width=least, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    return grid


@contextmanager
def progress(title: str, steps: int) -> Iterator[Any]:
    """A bar on stderr over so many steps; what it yields takes a word about the next step, and counts it done."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TaskProgressColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=steps)
        yield lambda text, done=1: bar.update(task, description=text, advance=done)


@contextmanager
def waiting(title: str) -> Iterator[None]:
    """A sign of life on stderr while something of unknown length is done; silent where stderr is no terminal."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    with console.status(Text(title)):
        yield
