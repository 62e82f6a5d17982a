"""``planner run`` and ``planner demo``: a question in, every model's answer out."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from planner.cli.ingest import MemoryOption, StoreOption, shown, store_path
from planner.cli.screen import progress, say, show_table, warn
from planner.cli.write import SUFFIXES
from planner.errors import InputError, ScenarioError

__all__ = ["demo", "run", "setting"]

_DEMO: Final = ("datasets", "scenarios", "demo.toml")
_FIRST_TO_GO: Final = ("IRR", "Rank", "Present value (USD)", "Memory used", "Gap to bound", "Payback")
"""Columns of the comparison that give way on a narrow terminal."""

ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help=f"Write the report here, its kind told by its suffix: {SUFFIXES}."
    ),
]
JsonOption = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the study as JSON.")]


@dataclass(frozen=True)
class Targets:
    """Where the answer is to be written."""

    report: Path | None = None
    study: Path | None = None
    placements: Path | None = None

    @property
    def placed(self) -> bool:
        """Whether anything asks which box holds which workload: the file of its own, or an archive of tables."""
        from planner.report import FORMATS, suffix_of

        kind = FORMATS.get(suffix_of(self.report)) if self.report is not None else None
        return self.placements is not None or (kind is not None and kind.placed)


@dataclass(frozen=True)
class Means:
    """What may be used to answer."""

    memory: str = "4GB"
    engine: str = "serial"
    workers: int = -1


PLAIN: Final = Means()


def demo(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help=f"The report, its kind told by its suffix: {SUFFIXES}."),
    ] = Path("planner-demo.html"),
    study: JsonOption = None,
    store: StoreOption = ":memory:",
) -> None:
    """Plan the recording that ships with planner on every model, and write the report."""
    from planner.bundle import bundled
    from planner.scenario import load

    _answer(load(bundled(*_DEMO)), store, Targets(output, study))


def run(
    question: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="A scenario file (.toml), a recording, or sample:NAME.")
    ],
    *,
    output: ReportOption = None,
    study: JsonOption = None,
    placements: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write which box holds which workload, as Parquet.")
    ] = None,
    store: StoreOption = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting: demand.headroom=0.3")
    ] = None,
    format_: Annotated[str | None, typer.Option("--format", "-f", help="The recording's format.")] = None,
    cores: Annotated[
        float | None, typer.Option("--assume-cores", help="Cores of a machine whose recording tells percentages only.")
    ] = None,
    memory: Annotated[
        float | None, typer.Option("--assume-memory-gib", help="Memory of such a machine, in GiB.")
    ] = None,
    cap: MemoryOption = "4GB",
    engine: Annotated[
        str,
        typer.Option("--engine", metavar="ENGINE", help="serial, local, or dask://host:port, ray://..., spark://..."),
    ] = "serial",
    workers: Annotated[int, typer.Option("--workers", help="Processes of the engine; -1: all it has.")] = -1,
) -> None:
    """Answer a scenario: plan every model in it, compare them, write what is asked for."""
    short = {"trace.format": format_, "demand.assumed_cpu_cores": cores, "demand.assumed_memory_gib": memory}
    changed = {key: value for key, value in short.items() if value is not None}
    scenario = _asked(question, changed | dict(setting(text) for text in settings or ()))
    _answer(scenario, store, Targets(output, study, placements), Means(cap, engine, workers))


def setting(text: str) -> tuple[str, Any]:
    """A ``key=value`` of the command line; the value is read as TOML, and as plain text where it is none.

    Raises:
        ScenarioError: there is no ``=`` or no key.

    >>> setting("demand.headroom=0.3"), setting("where.region=eu-west-1"), setting("name=a=b")
    (('demand.headroom', 0.3), ('where.region', 'eu-west-1'), ('name', 'a=b'))
    """
    key, found, value = text.partition("=")
    if not found or not key.strip():
        raise ScenarioError(f"--set {text!r}: expected KEY=VALUE, such as demand.headroom=0.3")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def _asked(question: str, settings: Mapping[str, Any]) -> Any:
    from planner.scenario import SAMPLE, load, parse, with_settings

    if question.endswith(".toml"):
        scenario = load(Path(question))
    else:
        file = shown(question) if "://" in question else Path(question).resolve().name
        name = question.removeprefix(SAMPLE) if question.startswith(SAMPLE) else file
        scenario = parse({"name": name, "trace": {"path": question}})
    return with_settings(scenario, settings) if settings else scenario


def _answer(scenario: Any, store: str | None, targets: Targets, means: Means = PLAIN) -> None:
    from planner.engine import Fanout
    from planner.store import Store
    from planner.study import answer, complete, keep, prepare

    _check(targets)
    placed, fanout = None, Fanout(means.engine, means.workers)
    steps = len(scenario.models) * scenario.horizon_years
    with Store(store_path(store), means.memory) as opened, progress("reading the recording", steps) as step:
        if not targets.placed:
            document = answer(scenario, opened, lambda plan: step(f"{plan.model}, year {plan.year}"), fanout)
        else:
            question = prepare(scenario, opened, fanout)
            study = complete(question, lambda plan: step(f"{plan.model}, year {plan.year}"), fanout)
            document, placed = keep(study, opened), study.placements()
    _tell(document)
    _write(document, placed, targets)


def _check(targets: Targets) -> None:
    """Stops before the work begins where a target cannot be written."""
    from planner.report import check, check_writable

    if targets.report is not None:
        check(targets.report)
    for path, what in ((targets.study, "study"), (targets.placements, "placements")):
        if path is not None:
            check_writable(path, what)


def _tell(document: Mapping[str, Any]) -> None:
    from planner.report.advice import recommendation
    from planner.report.answer import comparison
    from planner.report.blocks import Note
    from planner.report.facts import Facts

    facts, trace = Facts(document), document["trace"]
    for note in trace.get("notes") or ():
        warn(f"note: {note}")
    if trace["rejected"]:
        warn(f"note: {trace['rejected']:,} rows of the recording were rejected (planner ingest tells which)")
    for block in recommendation(facts).blocks:
        if isinstance(block, Note):
            say(f"{'Mind: ' if block.warning else ''}{block.text}")
    say()
    table = comparison(facts)
    show_table(table.caption, [(c.title, c.align) for c in table.columns], table.rows, _FIRST_TO_GO)


def _write(document: Mapping[str, Any], placed: Any, targets: Targets) -> None:
    """Writes what was asked for; `placed` is the frame of placements, None where nobody asked."""
    from planner.report import write

    say()
    if targets.study is not None:
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        with _writing(targets.study, "study"):
            targets.study.write_text(text + "\n", encoding="utf-8", newline="\n")
    if targets.placements is not None:
        with _writing(targets.placements, "placements"), targets.placements.open("wb") as file:
            placed.to_parquet(file, index=False)
    if targets.report is not None:
        say(f"report: {write(document, targets.report, placed).absolute()}")


@contextmanager
def _writing(path: Path, what: str) -> Iterator[None]:
    """Tells that `what` was written, or why not."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot write the {what} ({error.strerror or error})") from None
    say(f"{what}: {path}")
