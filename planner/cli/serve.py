"""``planner serve`` and ``planner token``: the dashboard and the API, started by name in a process of their own."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import typer

from planner.bundle import bundled
from planner.cli.ingest import MemoryOption, StoreOption
from planner.cli.screen import say, warn
from planner.errors import InputError, PlannerError

__all__ = ["alone", "command", "serve", "token"]

_ANYWHERE: Final = ("0.0.0.0", "::", "")  # noqa: S104 - addresses to look out for, none is bound
_HOW_TO_GUARD: Final = (
    "planner token NAME >> tokens, then --token-file tokens; or [auth] in .streamlit/secrets.toml for a login; "
    "or --insecure-no-authentication, which lets everybody in who reaches this address"
)


def command(address: str, port: int, upload_mib: float = 200) -> list[str]:
    """The command that starts the dashboard with the API beside it.

    Raises:
        PlannerError: the extra that holds Streamlit is not installed.
        InputError: the dashboard was not shipped.
    """
    if find_spec("streamlit") is None:
        raise PlannerError("the dashboard needs the extra 'ui': pip install 'planner[ui]'")
    settings = {
        "server.address": address,
        "browser.serverAddress": "localhost" if address in _ANYWHERE else address,  # else Streamlit asks the internet
        "server.port": str(port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "runner.postScriptGC": "false",  # a full collection after each drawing takes longer than the drawing
        "server.maxUploadSize": str(int(min(upload_mib, 200))),
        "client.toolbarMode": "minimal",
        "browser.gatherUsageStats": "false",
    }
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(bundled("dashboards", "asgi.py")), *options]


def alone(address: str, port: int) -> list[str]:
    """The command that starts the API without pages.

    Raises:
        PlannerError: the extra that holds FastAPI is not installed.
    """
    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        raise PlannerError("the API needs the extra 'api': pip install 'planner[api]'")
    where = ["--host", address, "--port", str(port)]
    quiet = ["--no-server-header", "--log-level", "warning", "--timeout-graceful-shutdown", "10"]
    return [sys.executable, "-m", "uvicorn", "--factory", "planner.api:alone", *where, *quiet]


def serve(
    *,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where to listen.")] = 8501,
    address: Annotated[
        str,
        typer.Option("--host", "--address", help="Which address to bind; others than loopback need a way to sign in."),
    ] = "127.0.0.1",
    pages: Annotated[
        bool, typer.Option("--pages/--no-pages", help="The dashboard and the API, or the API alone.")
    ] = True,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Who may come in: lines that planner token writes. PLANNER_TOKEN holds a single one."
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A host name this server is reached by, as behind a proxy.")
    ] = None,
    upload_mib: Annotated[
        float, typer.Option(min=0.001, help="Largest upload over HTTP, in MiB; pages take up to 200.")
    ] = 2048,
    insecure: Annotated[
        bool, typer.Option("--insecure-no-authentication", help="Let everybody in who reaches the address.")
    ] = False,
    store: StoreOption = None,
    memory: MemoryOption = "4GB",
) -> None:
    """Open the dashboard, and the HTTP API at /api: upload a trace, compare, download the report.

    On loopback nobody is asked who it is. On any other address everybody is: by a token, or by Streamlit's login where
    .streamlit/secrets.toml configures it. Each person has recordings and studies of their own.
    """
    told = {
        "PLANNER_TOKEN_FILE": str(token_file.absolute()) if token_file else "",
        "PLANNER_HOSTS": ",".join(allow_host or ()),
        "PLANNER_UPLOAD_MIB": str(upload_mib),
        "PLANNER_LOGIN": "1" if pages and _login_configured() else "",
        "PLANNER_ANYBODY": "1" if insecure else "",
        "PLANNER_STORE": store or "",
        "PLANNER_MEMORY": memory,
    }
    environment = {**os.environ, **{name: value for name, value in told.items() if value}}
    starting = command(address, port, upload_mib) if pages else alone(address, port)
    _refuse_unguarded(address, environment)
    base = f"http://{f'[{address}]' if ':' in address else address}:{port}"
    say((f"dashboard on {base}, API on {base}/api" if pages else f"API on {base}") + " (stop with Ctrl-C)")
    sys.stdout.flush()
    # The server takes this process's place, so that a signal to stop reaches it and nothing is left behind.
    os.execve(starting[0], starting, environment)  # noqa: S606


def token(
    person: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is: a name, or the address of their login.")],
) -> None:
    """Make a token for a person: the line for the file of tokens on stdout, the token itself on stderr, once."""
    from planner.api.access import new_token

    secret, line = new_token(person)
    warn(f"token of {person}, told only now: {secret}")
    say(line)


def _refuse_unguarded(address: str, environment: Mapping[str, str]) -> None:
    """Stops before a door opens to others that asks nobody who it is.

    Raises:
        InputError: it would; or its tokens cannot be read.
    """
    from planner.api.access import Access, is_loopback

    access = Access.from_environment(environment)
    if access.login and find_spec("authlib") is None:
        raise PlannerError("Streamlit's login needs the extra 'login': pip install 'planner[login]'")
    if not (is_loopback(address) or access.asks or access.anybody):
        raise InputError(f"--host {address}: others could come in and nobody is asked who it is; {_HOW_TO_GUARD}")
    if access.anybody and not access.asks and not is_loopback(address):
        warn(f"note: everybody who reaches {address} may read, add and delete all that is here")


def _login_configured() -> bool:
    """Whether Streamlit's own secrets hold a login."""
    folders = (Path.cwd(), Path.home(), bundled("dashboards"))
    return any(_has_auth(folder / ".streamlit" / "secrets.toml") for folder in folders)


def _has_auth(secrets: Path) -> bool:
    try:
        return "auth" in tomllib.loads(secrets.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
