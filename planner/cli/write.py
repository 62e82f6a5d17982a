"""``planner report`` and ``planner sample``: files out of what is there already."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from planner.cli.ingest import StoreOption, store_path
from planner.cli.screen import say
from planner.errors import InputError, near_miss

__all__ = ["SUFFIXES", "document", "report", "sample"]

SUFFIXES: Final = ".html, .pdf, .md, .xlsx, .focus.csv, .focus.parquet, .csv.zip, .parquet.zip or .json"
"""What can be written, as told by the options; `planner.report.FORMATS` is imported only when something is."""


def report(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="A study as JSON, or the id of a saved one.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help=f"The file, its kind told by its suffix: {SUFFIXES}.")
    ],
    store: StoreOption = None,
) -> None:
    """Write the report of a study that was made before."""
    from planner.report import FORMATS, suffix_of, write

    kind = FORMATS.get(suffix_of(output))
    told = document(study, store)
    placed = _placements(study, store) if kind is not None and kind.placed and not _is_file(study) else None
    say(f"report: {write(told, output, placed)}")


def sample(
    format_: Annotated[str, typer.Argument(metavar="FORMAT", help="The format (planner list formats).")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write it; made if it is not there.")],
    *,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same recording.")] = 0,
    vms: Annotated[int | None, typer.Option(min=1, help="How many machines; else as the shipped sample.")] = None,
    functions: Annotated[int | None, typer.Option(min=1, help="How many functions; else as shipped.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Over how many days; else as shipped.")] = None,
) -> None:
    """Write a generated recording in the official layout of a format."""
    from planner.samples import SAMPLES, write

    if format_ not in SAMPLES:
        raise InputError(f"sample {format_!r}: {near_miss(format_, SAMPLES)}")
    wanted = {"vms": vms, "functions": functions, "days": days}
    size = replace(SAMPLES[format_], **{name: number for name, number in wanted.items() if number is not None})
    files = write(format_, folder, seed, size)
    say(f"sample: {folder} ({len(files)} file{'s' if len(files) != 1 else ''}, format {format_}, seed {seed})")


def document(study: str, store: str | None) -> Any:
    """A study document out of a JSON file, or the one saved under an id.

    Raises:
        InputError: there is neither, or it is no JSON.
    """
    text = _read(Path(study)) if _is_file(study) else _saved(study, store)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{study}:{error.lineno}: no JSON ({error.msg}), expected a study document") from None


def _is_file(study: str) -> bool:
    path = Path(study)
    return path.suffix == ".json" or path.exists()


def _placements(study: str, store: str | None) -> Any:
    """The frame of placements of a saved study; None where there is none."""
    from planner.store import Store

    with Store(store_path(store)) as opened:
        return opened.placements(study)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: no text, expected a study document as JSON") from None


def _saved(study: str, store: str | None) -> str:
    from planner.store import Store

    with Store(store_path(store)) as opened:
        text = opened.document(study)
        known = [str(i) for i in opened.studies()["study_id"]] if text is None else []
    if text is None:
        near = near_miss(study, known) if known else "no study is saved there yet"
        raise InputError(f"study {study!r}: no such file and no saved study; {near}")
    return text
