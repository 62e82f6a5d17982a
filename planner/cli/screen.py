"""What commands share on the terminal: errors in plain lines, tables, a progress bar."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from typer.core import TyperGroup

from planner.cli.table import Head, flat, table_lines
from planner.errors import PlannerError

__all__ = ["ForgivingGroup", "facts", "heed_interrupts", "progress", "say", "show_table", "waiting", "warn"]

_ENDLESS: Final = 1_000_000
_interrupted: list[int] = []


class ForgivingGroup(TyperGroup):
    """Commands whose mistakes end in plain lines on stderr and exit code 2, never in a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that was asked for.

        Raises:
            typer.Exit: with code 2, after the error was told.
        """
        try:
            return super().invoke(ctx)
        except (BrokenPipeError, typer.Exit):
            raise
        except Exception as error:
            if _interrupted:
                raise KeyboardInterrupt from None
            told = _told(error)
            if not told:
                raise
            for line in told:
                warn(f"error: {line}")
            raise typer.Exit(2) from None


def _told(error: Exception) -> list[str]:
    """What a reader can mend, in lines; nothing where the mistake is ours."""
    if isinstance(error, PlannerError):
        return str(error).splitlines()
    if isinstance(error, OSError):
        return [f"{error.filename or 'system'}: {error.strerror or error}"]
    return []


def heed_interrupts() -> None:
    """Remembers that Ctrl-C was pressed, whatever the library in whose code it arrives makes of it."""
    signal.signal(signal.SIGINT, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _interrupted.append(number)
    signal.default_int_handler(number, frame)


def say(text: str = "") -> None:
    """One line on stdout; what a terminal would act on is taken out."""
    typer.echo(flat(text))


def warn(text: str) -> None:
    """One line on stderr; what a terminal would act on is taken out."""
    typer.echo(flat(text), err=True)


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """Names and what they are, one a line."""
    rows = list(pairs)
    width = max((len(name) for name, _ in rows), default=0)
    for name, text in rows:
        say(f"{name:<{width}}  {text}")


def show_table(
    caption: str, heads: Sequence[Head], rows: Sequence[Sequence[str]], droppable: Sequence[str] = ()
) -> None:
    """A table on stdout.

    Where the terminal is too narrow, `droppable` columns give way one by one (and are named), and if that does not
    do, each row is told as a list. Where stdout is no terminal, lines are as long as they need.
    """
    say(caption)
    for dropped in range(len(droppable) + 1):
        kept = [i for i, (head, _) in enumerate(heads) if head not in droppable[:dropped]]
        lines = table_lines([heads[i] for i in kept], [[row[i] for i in kept] for row in rows], _width())
        if lines is not None:
            typer.echo("\n".join(lines))
            if dropped:
                say(f"(too narrow here for: {', '.join(droppable[:dropped])})")
            return
    for row in rows:
        say()
        facts((head, cell) for (head, _), cell in zip(heads, row, strict=True))


def _width() -> int:
    free = not sys.stdout.isatty() and not os.environ.get("COLUMNS")
    return _ENDLESS if free else Console().width


@contextmanager
def progress(title: str, steps: int) -> Iterator[Any]:
    """A bar on stderr over so many steps, where that is a terminal; what it yields is called with each step done."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=steps)
        yield lambda text: bar.update(task, description=flat(text), advance=1)


@contextmanager
def waiting(title: str) -> Iterator[None]:
    """A sign of life on stderr, where that is a terminal, while something of unknown length is done."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        bar.add_task(flat(title), total=None)
        yield
