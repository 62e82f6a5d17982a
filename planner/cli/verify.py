"""``planner verify``: the proofs in a study, checked without a solver."""

from __future__ import annotations

from typing import Annotated

import typer

from planner.cli.ingest import StoreOption
from planner.cli.screen import say, warn
from planner.cli.write import document

__all__ = ["verify"]


def verify(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="A study or proof as JSON, or a saved study's id.")],
    store: StoreOption = None,
) -> None:
    """Re-derive feasibility, cost and bounds of a study in integers. Exit code 1 if a proof does not hold."""
    from planner.verify import verify as findings

    found = findings(document(study, store))
    for where in dict.fromkeys(f.where for f in found):
        here = [f for f in found if f.where == where]
        told = [f.what for f in here if f.what.startswith(("the bound rests", "closed form"))]
        say(f"{where}: {sum(f.holds for f in here)} of {len(here)} hold; {'; '.join(told) or 'no bound is claimed'}")
    broken = [f for f in found if not f.holds]
    for finding in broken:
        warn(f"{finding.where}: does not hold: {finding.what}")
    say(f"verified: {len(found) - len(broken)} of {len(found)} statements hold")
    raise typer.Exit(1 if broken else 0)
