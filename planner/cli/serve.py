"""``planner serve``: the dashboard, started by name in a process of its own."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import Annotated

import typer

from planner.bundle import bundled
from planner.cli.screen import say
from planner.errors import PlannerError

__all__ = ["command", "serve"]


def command(address: str, port: int) -> list[str]:
    """The command that starts the dashboard.

    Raises:
        PlannerError: the extra that holds Streamlit is not installed.
        InputError: the dashboard was not shipped.
    """
    if find_spec("streamlit") is None:
        raise PlannerError("the dashboard needs the extra 'ui': pip install 'planner[ui]'")
    settings = {
        "server.address": address,
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "client.toolbarMode": "minimal",
        "browser.gatherUsageStats": "false",
    }
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(bundled("dashboards", "app.py")), *options]


def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where to listen.")] = 8501,
    address: Annotated[str, typer.Option(help="Which address to bind; loopback unless told otherwise.")] = "127.0.0.1",
) -> None:
    """Open the dashboard in a browser: upload a trace, compare, download the report."""
    starting = command(address, port)
    say(f"dashboard on http://{address}:{port} (stop with Ctrl-C)")
    sys.stdout.flush()
    # The dashboard takes this process's place, so that a signal to stop reaches it and nothing is left behind.
    os.execv(starting[0], starting)  # noqa: S606
