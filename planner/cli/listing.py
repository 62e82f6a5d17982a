"""``planner list models | formats | prices | assumptions``: what there is to choose from, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from planner.cli.screen import show_table
from planner.cli.table import Head

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Models, formats, prices or assumptions, as a table or as JSON.")

AsJson = Annotated[bool, typer.Option("--json", help="As JSON on stdout.")]


def _tell(caption: str, heads: Sequence[Head], rows: Sequence[Sequence[str]], as_json: bool) -> None:
    if not as_json:
        show_table(caption, heads, rows)
        return
    names = [title for title, _ in heads]
    typer.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=1, ensure_ascii=False))


@app.command()
def models(as_json: AsJson = False) -> None:
    """The deployment models."""
    from planner.models import MODELS

    rows = [
        (kind, model.title, "rented" if model.rented else "owned", str(len(model.model_fields) - 1))
        for kind, model in MODELS.items()
    ]
    heads: list[Head] = [("kind", "left"), ("title", "left"), ("boxes", "left"), ("settings", "right")]
    _tell("Deployment models", heads, rows, as_json)


@app.command()
def formats(as_json: AsJson = False) -> None:
    """The trace formats that can be read."""
    from planner.store import formats as known

    _tell("Trace formats", [("format", "left"), ("what it is", "left")], sorted(known().items()), as_json)


@app.command()
def assumptions(as_json: AsJson = False) -> None:
    """Every number a plan rests on by default: models' settings and the demand policy, with unit and source."""
    from planner.demand import Policy
    from planner.models import MODELS
    from planner.models.base import told
    from planner.report.show import plain

    defaults = ((kind, model.model_validate({"kind": kind})) for kind, model in MODELS.items())
    owners: list[tuple[str, Any]] = [("demand", Policy()), *defaults]
    rows = [
        (f"{owner}.{name}", plain(value), unit, source, what)
        for owner, settings in owners
        for name, value, (what, unit, source) in told(settings, blank=True)
    ]
    heads: list[Head] = [("name", "left"), ("value", "right")]
    _tell("Assumptions", [*heads, *((h, "left") for h in ("unit", "source", "what it is"))], rows, as_json)


@app.command()
def prices(
    kind: Annotated[str | None, typer.Option(help="Only offers of this kind, row by row.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only what this provider sells.")] = None,
    region: Annotated[str | None, typer.Option(help="Only what holds in this region.")] = None,
    as_json: AsJson = False,
) -> None:
    """The price books: a summary by provider and kind, or with --kind every row."""
    from planner.store import Store

    with Store(":memory:") as store:
        offers = _chosen(store.catalog(), kind, (provider, region))
    if kind is None:
        _tell("Price rows (--kind KIND lists them)", _SUMMARY, _summary(offers), as_json)
    else:
        _tell(f"Price rows of kind {kind}", _ROWS, _rows(offers), as_json)


_SUMMARY: list[Head] = [
    ("provider", "left"),
    ("kind", "left"),
    ("rows", "right"),
    ("regions", "right"),
    ("from memory", "right"),
    ("newest", "left"),
]
_ROWS: list[Head] = [
    ("provider", "left"),
    ("region", "left"),
    ("sku", "left"),
    ("term", "left"),
    ("usd", "right"),
    ("per", "left"),
    ("range", "left"),
    ("status", "left"),
    ("as of", "left"),
    ("source", "left"),
]


def _chosen(catalog: Any, kind: str | None, where: tuple[str | None, str | None]) -> Any:
    from planner.errors import PriceBookError, near_miss

    offers = catalog.offers if kind is None else catalog.of(kind)
    for column, wanted in zip(("provider", "region"), where, strict=True):
        if wanted is not None and wanted not in set(offers[column]):
            raise PriceBookError(f"{column} {wanted!r}: no price row; {near_miss(wanted, offers[column])}")
        offers = offers if wanted is None else offers[offers[column] == wanted]
    return offers


def _summary(offers: Any) -> list[list[str]]:
    guessed = offers.assign(guessed=offers["status"].str.contains("FROM MEMORY"), day=_day(offers["as_of"]))
    found = guessed.groupby(["provider", "kind"], sort=True).agg(
        rows=("sku", "size"), regions=("region", "nunique"), guessed=("guessed", "sum"), newest=("day", "max")
    )
    return [[str(cell) for cell in row] for row in found.reset_index().itertuples(index=False)]


def _day(as_of: Any) -> Any:
    """The latest date named in each text; empty where none is."""
    return as_of.str.findall(r"\d{4}(?:-\d\d){0,2}").map(lambda dates: max(dates, default=""))


def _rows(offers: Any) -> list[tuple[str, ...]]:
    from planner.report.show import plain

    ordered = offers.sort_values(["provider", "region", "sku", "term", "tier_from"])
    return [
        (
            str(row["provider"]),
            str(row["region"]),
            str(row["sku"]),
            str(row["term"]),
            plain(row["usd_per_unit"]),
            str(row["unit"]) + (f" from {plain(row['tier_from'])}" if row["tier_from"] else ""),
            " to ".join(plain(row[end]) for end in ("low", "high") if row[end] == row[end]),
            str(row["status"]),
            str(row["as_of"]),
            str(row["source"]),
        )
        for row in ordered.to_dict("records")
    ]
