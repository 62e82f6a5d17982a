"""The command line: ``planner demo | ingest | inspect | run | report | serve`` and more; ``planner --help`` has all.

Commands import what they need when they run, so that ``--help`` is quick. Whatever a reader can mend is told in
plain lines on stderr, with exit code 2; an ingest that left rows out ends with 1.
"""

from __future__ import annotations

import logging
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from planner.cli import conformance, ingest, inspect, listing, run, serve, verify, write
from planner.cli.screen import ForgivingGroup, heed_interrupts

__all__ = ["app", "main"]

app = typer.Typer(
    name="planner",
    cls=ForgivingGroup,
    help="What a recorded estate would cost, and how full it would run, on every kind of infrastructure.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command()(run.demo)
app.command()(ingest.ingest)
app.command()(inspect.inspect)
app.command()(run.run)
app.add_typer(listing.app, name="list")
app.command()(write.sample)
app.command()(write.report)
app.command()(verify.verify)
app.command()(conformance.conformance)
app.command()(serve.serve)
app.command()(serve.token)


def _version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        typer.echo(f"planner {version('planner')}")
    except PackageNotFoundError:
        typer.echo("planner, run from a checkout that is not installed")
    raise typer.Exit


@app.callback()
def _options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell on stderr what is being done.")] = False,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Version, and exit.")] = False,
) -> None:
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )


def main() -> None:
    """Runs the command line; never returns."""
    heed_interrupts()
    app(prog_name="planner")
