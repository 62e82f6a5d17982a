"""A live server of the API for a test: started by name, ended with it, asked over a socket."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.api.access import new_token

PEOPLE = [f"person-{n}" for n in range(8)]


@dataclass(frozen=True)
class Server:
    """Where it listens, which process it is, and who may come in with which token."""

    port: int
    pid: int
    tokens: Mapping[str, str]

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, person: str, path: str, body: bytes | None = None, method: str | None = None) -> tuple[int, Any]:
        """The status and the JSON of an answer."""
        kind = "application/json" if (body or b"").startswith(b"{") else "application/octet-stream"
        headers = {"Authorization": f"Bearer {self.tokens.get(person, person)}", "Content-Type": kind}
        request = urllib.request.Request(self.base + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def peak_mib(self) -> float:
        """The most memory the server has held so far."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Server]:
    """A server with a token for each of `PEOPLE`; its stores are in `folder`."""
    made = {person: new_token(person) for person in PEOPLE}
    file = folder / "tokens"
    file.write_text("\n".join(line for _, line in made.values()))
    file.chmod(0o600)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = ["--store", str(folder / "planner.duckdb"), "--token-file", str(file)]
    command = [sys.executable, "-m", "planner", "serve", "--no-pages", "--port", str(port), *store, *options]
    process = subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield Server(port, process.pid, {person: secret for person, (secret, _) in made.items()})
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            assert process.poll() is None, "the server ended before it answered"
            time.sleep(0.25)
    raise AssertionError("the server did not come up")
