"""``planner ingest``: a recording into the store, and what was found in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from planner.cli.screen import facts, say, waiting, warn
from planner.errors import InputError

__all__ = ["FormatOption", "MemoryOption", "SpillOption", "StoreOption", "ingest", "shown", "store_path"]

_SHOWN_REJECTS: Final = 10
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r")

StoreOption = Annotated[
    str | None,
    typer.Option("--store", metavar="FILE", help="The store: a file, or :memory:. Else one in the user's data folder."),
]
FormatOption = Annotated[
    str, typer.Option("--format", "-f", help="The trace's format (planner list formats); auto looks and tells why.")
]

MemoryOption = Annotated[
    str,
    typer.Option(
        "--memory", envvar="PLANNER_MEMORY", metavar="SIZE", help="Most memory for the database: 512MiB, 4GB."
    ),
]
SpillOption = Annotated[
    str,
    typer.Option("--spill", envvar="PLANNER_SPILL", metavar="SIZE", help="Most that it may write to temporary files."),
]


def store_path(store: str | None) -> Path | str | None:
    """The store as `Store` takes it."""
    return store if store is None or store == ":memory:" else Path(store)


def ingest(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="A folder, the files of one recording, a Prometheus server's URL, or a table of Spark.",
        ),
    ],
    *,
    format_: FormatOption = "auto",
    name: Annotated[str | None, typer.Option(help="What to call it; else the name of the file or folder.")] = None,
    store: StoreOption = None,
    rejects: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Write every rejected row here.")] = None,
    memory: MemoryOption = "4GB",
    spill: SpillOption = "20GB",
    guarded: Annotated[
        bool, typer.Option("--guarded", help="Parse in a process with limits, as uploads are: for files of strangers.")
    ] = False,
    limits: Annotated[
        list[str] | None, typer.Option("--limit", metavar="NAME=N", help="Change a limit: rows=1e9, seconds=3600.")
    ] = None,
) -> None:
    """Read a recording into the store. Exit code 1 if rows were rejected."""
    from planner.store import Store

    with Store(store_path(store), memory, spill) as opened:
        with waiting(f"reading {', '.join(shown(path) for path in paths)}"):
            info = _read(opened, paths, (format_, name), limits or [], guarded)
        _tell(info, opened.bill(info.trace_id) if info.charges else None)
        if info.rejected:
            _tell_rejects(opened.rejects(info.trace_id), rejects)
            raise typer.Exit(1)


def shown(path: str) -> str:
    """The name of a file, or of a server without what else its URL says.

    >>> shown("traces/a.csv"), shown("http://user:secret@host:9090?hours=1")
    ('a.csv', 'host:9090')
    """
    return urlsplit(path).netloc.rpartition("@")[2] if "://" in path else Path(path).name or path


def _read(store: Any, paths: list[str], how: tuple[str, str | None], limits: list[str], guarded: bool) -> Any:
    from planner import sandbox
    from planner.store import Limits, limits_from

    given: Any = paths[0] if len(paths) == 1 else paths
    if guarded:
        return sandbox.ingest(store, given, *how, limits_from(sandbox.Guard, limits))
    return store.ingest(given, *how, limits_from(Limits, limits))


def _tell(info: Any, bill: Any = None) -> None:
    from planner.report.show import count, instant, plain

    pairs = [
        ("trace", f"{info.name} ({info.trace_id})"),
        ("format", f"{info.format}: {info.reason}"),
        ("workloads", count(info.workloads)),
        ("samples", count(info.samples)),
        ("lines", f"{count(info.lines)} read, {count(info.rejected)} rejected"),
        ("span", f"{instant(info.start)} to {instant(info.end)} UTC" if info.start else "not told"),
    ]
    if info.calls:
        pairs.append(("calls", f"{count(info.calls)}, {plain(round(info.gb_seconds, 2))} GB-s"))
    if info.workloads:
        pairs.append(("quality", quality_words(info.quality)))
    if info.flows:
        pairs.append(("call graph", f"{count(info.flows)} pairs of a caller and a callee"))
    if bill is not None:
        pairs += bill_words(bill)
    facts([*pairs, *(("note", note) for note in info.notes)])
    if info.repeated:
        say("This recording is in the store already: nothing was added.")


def bill_words(bill: Any) -> list[tuple[str, str]]:
    """What a bill adds up to, by provider and currency; dearest first."""
    from planner.report.show import count, plain

    sums = bill.groupby(["provider", "currency"])[["billed_amount", "effective_amount", "charges"]].sum().reset_index()
    ordered = sums.sort_values(["billed_amount", "provider"], ascending=[False, True]).to_dict("records")
    return [
        (
            str(row["provider"]),
            "{} charges, billed {} {}, effective {}".format(
                count(row["charges"]),
                plain(round(row["billed_amount"], 6)),
                row["currency"],
                plain(round(row["effective_amount"], 6)),
            ),
        )
        for row in ordered
    ]


def quality_words(quality: dict[str, int]) -> str:
    """The classes that hold a workload, with their numbers.

    >>> quality_words({"stars_5": 2, "stars_1": 1, "active": 3, "zombie": 0})
    '5 stars 2, 1 star 1; active 3'
    """
    stars = [f"{n} star{'s' if n > 1 else ''} {quality[f'stars_{n}']:,}" for n in range(5, 0, -1) if _has(quality, n)]
    kinds = [f"{k} {quality[k]:,}" for k in ("active", "idle", "zombie", "unknown") if quality.get(k)]
    return "; ".join(", ".join(group) for group in (stars, kinds) if group) or "no workloads"


def _has(quality: dict[str, int], stars: int) -> bool:
    return bool(quality.get(f"stars_{stars}"))


def _tell_rejects(rows: Any, target: Path | None) -> None:
    for row in rows.head(_SHOWN_REJECTS).to_dict("records"):
        warn(f"{row['file']}:{row['line']}: {row['reason']}")
    if len(rows) > _SHOWN_REJECTS:
        rest = len(rows) - _SHOWN_REJECTS
        warn(f"... and {rest:,} more" + ("" if target else " (--rejects FILE.csv writes them all)"))
    if target is not None:
        write_rejects(rows, target)
        warn(f"all {len(rows):,} rejected rows: {target}")


def write_rejects(rows: Any, target: Path) -> None:
    """Writes rejected rows as CSV, with text that a spreadsheet would run as a formula made harmless.

    Raises:
        InputError: the file cannot be written.
    """
    texts = {name: rows[name].astype("string").fillna("") for name in ("file", "reason", "text") if name in rows}
    safe = rows.assign(**{name: text.where(~text.str.startswith(_RISKY), "'" + text) for name, text in texts.items()})
    try:
        safe.to_csv(target, index=False, lineterminator="\n")
    except OSError as error:
        raise InputError(f"{target}: cannot write the rejected rows ({error.strerror})") from None
