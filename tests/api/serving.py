"""A live server of the API for a test, in this process or started by name; asked over a socket."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from planner.api import Access, Doorkeeper, House, create
from planner.api.access import Token, new_token
from planner.jobs import Desk, Patience
from planner.sandbox import Guard
from planner.workspaces import Workspaces

PEOPLE = [f"person-{n}" for n in range(8)]


def recording(person: str) -> bytes:
    """Three machines of a person, a reading an hour over a week; nobody else has machines of that name."""
    size = 1 + PEOPLE.index(person)
    rows = ["workload,sampled_at,cpu_cores,memory_gib"]
    rows += [
        f"{person}-vm{n},2026-01-{5 + hour // 24:02}T{hour % 24:02}:00:00,{size * (1 + hour % 3) / 4},{size}"
        for n in range(3)
        for hour in range(168)
    ]
    return "\n".join(rows).encode()


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
def served_here(folder: Path, upload_mib: float, guard: Guard | None) -> Iterator[Server]:
    """A server in a thread of this process, as little to start as can be."""
    made = {person: new_token(person) for person in PEOPLE}
    tokens = tuple(Token(person=person, sha256=line.split("sha256:")[1]) for person, (_, line) in made.items())
    access = Access(tokens=tokens, upload_mib=upload_mib)
    rooms = House(Workspaces(folder / "planner.duckdb"), Desk(Patience(workers=1)), access, guard)
    config = uvicorn.Config(Doorkeeper(create(rooms), rooms.access), port=0, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Server(port, os.getpid(), {person: secret for person, (secret, _) in made.items()})
    finally:
        server.should_exit = True
        thread.join(60)
        rooms.desk.close()
        rooms.workspaces.close()


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
