"""A Prometheus server as a recording: its answers to range queries, as the JSON files that format prometheus reads.

    http://host:9090                                    the last week of the metrics that the format knows
    http://host:9090?hours=48&step=60s                  two days, a sample a minute
    http://host:9090?start=2026-03-02&end=2026-03-09&query=node_cpu_seconds_total&query=sum by (pod) (rate(..))

A user and a password stand in the URL; a token, which must not, in the environment: PLANNER_PROMETHEUS_TOKEN.
Nothing is followed that the server names: one host, answers of a limited size, a limited time.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from planner.errors import TraceError, near_miss

__all__ = ["METRICS", "TOKEN", "Server", "download", "host_of", "is_url", "served", "server_of"]

METRICS: Final = (
    'container_cpu_usage_seconds_total{container!="",container!="POD"}',
    'container_memory_working_set_bytes{container!="",container!="POD"}',
    "kube_pod_container_resource_requests",
    'node_cpu_seconds_total{mode!="idle"}',
    "node_memory_MemTotal_bytes",
    "node_memory_MemAvailable_bytes",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "http_requests_total",
)
"""What is asked where the URL asks for nothing: series as they were scraped; sql/traces/prometheus.sql knows them."""

TOKEN: Final = "PLANNER_PROMETHEUS_TOKEN"  # noqa: S105 - a name
"""The variable of the environment that holds the token of a server that asks for one."""

_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_EMPTY: Final = re.compile(rb'"result"\s*:\s*\[\s*\]')
_BLOCK: Final = 1 << 20
_TOO_MUCH: Final = ("too many samples", "exceeded maximum resolution", "timed out", "query timed out")


@dataclass(frozen=True)
class Server:
    """Which server is asked for what, and how much of it."""

    scheme: str
    address: str
    """host:port"""
    path: str
    """What stands before /api/v1 where the server has a prefix."""
    authorization: str | None
    """The header for a user and password in the URL, or for a token in the environment."""
    queries: tuple[str, ...]
    start_s: int
    end_s: int
    """First and last sample. Unit: seconds since 1970. Source: the URL; else the last `hours` = 168."""
    step_s: int = 300
    """Time between samples. Unit: seconds. Source: the URL; our choice, as Azure and Bitbrains record."""
    chunk_samples: int = 1440
    """Samples of a series in one answer. Unit: samples. Source: our choice; Prometheus refuses more than 11,000."""
    answer_bytes: int = 200 * 2**20
    """Largest answer taken; beyond it a shorter stretch is asked for. Unit: bytes. Source: our choice."""
    timeout_s: float = 60.0
    """How long an answer may keep silent. Unit: seconds. Source: our choice."""
    total_s: float = 1800.0
    """How long all answers may take. Unit: seconds. Source: our choice."""


class _TooMuchError(Exception):
    """An answer is larger than may be, for the server or for us; a shorter stretch may do."""


def is_url(text: object) -> bool:
    """Whether a recording is named by the URL of a server.

    >>> is_url("http://host:9090"), is_url("traces/http.csv")
    (True, False)
    """
    return isinstance(text, str) and text.lower().startswith(("http://", "https://"))


def host_of(url: str) -> str:
    """The server's name, without user and password.

    >>> host_of("https://user:secret@metrics.example:9090/prometheus?hours=2")
    'metrics.example:9090'
    """
    return urlsplit(url).netloc.rpartition("@")[2]


def server_of(url: str, now_s: float | None = None) -> Server:
    """What a URL asks for.

    Raises:
        TraceError: it names no server, or a parameter is unknown or malformed.
    """
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    known = ("query", "start", "end", "step", "hours")
    for name, _ in given:
        if name not in known:
            raise TraceError(f"{host_of(url)}, parameter {name!r}: {near_miss(name, known)}")
    if not parts.hostname:
        raise TraceError(f"{url}: names no server")
    last = dict(given)
    step = _duration(last.get("step", "300"), host_of(url))
    end = _moment(last["end"], host_of(url)) if "end" in last else int(time.time() if now_s is None else now_s)
    end = end if "end" in last else end // step * step
    hours = _number(last.get("hours", "168"), host_of(url))
    start = _moment(last["start"], host_of(url)) if "start" in last else end - round(hours * 3600)
    if not start < end:
        raise TraceError(f"{host_of(url)}: start is not before end")
    queries = tuple(value for name, value in given if name == "query") or METRICS
    path = re.sub(r"/(api/v1(/query(_range)?)?|graph|query)?/*$", "", parts.path)
    return Server(parts.scheme.lower(), host_of(url), path, _authorization(parts), queries, start, end, step)


def _authorization(parts: SplitResult) -> str | None:
    """The header for the user and password of a URL, else for the token of the environment."""
    if parts.username:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return f"Basic {base64.b64encode(login.encode()).decode()}"
    token = os.environ.get(TOKEN, "").strip()
    if not (token.isascii() and token.isprintable()):
        raise TraceError(f"{TOKEN}: expected a token of plain characters")
    return f"Bearer {token}" if token else None


def _duration(words: str, host: str) -> int:
    found = re.fullmatch(r"([0-9]+)([smhdw]?)", words)
    if not found or not int(found[1]):
        raise TraceError(f"{host}, parameter 'step': expected a time such as 60s or 5m, found {words!r}")
    return int(found[1]) * _SECONDS[found[2]]


def _number(words: str, host: str) -> float:
    try:
        hours = float(words)
    except ValueError:
        hours = 0.0
    if not 0 < hours < 1e6:
        raise TraceError(f"{host}, parameter 'hours': expected a number above 0, found {words!r}")
    return hours


def _moment(words: str, host: str) -> int:
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        try:
            return int(float(words))
        except (ValueError, OverflowError):
            raise TraceError(f"{host}: expected a time (ISO 8601 or seconds since 1970), found {words!r}") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def download(server: Server, folder: Path) -> tuple[list[Path], list[str]]:
    """The answers as files in `folder`, a file a query and stretch of time; and notes on queries without an answer.

    Raises:
        TraceError: the server cannot be reached, refuses, or has nothing of what is asked for.
    """
    until = time.monotonic() + server.total_s
    paths: list[Path] = []
    silent: list[str] = []
    for query in server.queries:
        answers = [answer for answer in _answers(server, query, until) if not _EMPTY.search(answer[:300])]
        name = re.sub(r"[^A-Za-z0-9_:]+", "_", query).strip("_")[:100] or "query"
        for number, answer in enumerate(answers):
            place = folder / f"{len(paths):04d}" / f"{name}.{number}.json"
            place.parent.mkdir(parents=True)
            place.write_bytes(answer)
            paths.append(place)
        silent += [] if answers else [query]
    if not paths:
        raise TraceError(f"{server.address}: has no series for {', '.join(server.queries)} in that time")
    told = [f"{server.address} has no series for {', '.join(silent)}"] if silent else []
    return paths, told


def _answers(server: Server, query: str, until: float) -> Iterator[bytes]:
    """The whole stretch, in pieces that are halved where they are too much."""
    reach = server.chunk_samples * server.step_s
    pieces = [(s, min(s + reach - server.step_s, server.end_s)) for s in range(server.start_s, server.end_s + 1, reach)]
    pieces.reverse()
    while pieces:
        start, end = pieces.pop()
        if time.monotonic() > until:
            raise TraceError(f"{server.address}: took longer than {server.total_s:g} s; ask for fewer hours or queries")
        try:
            yield _answer(server, query, (start, end))
        except _TooMuchError as error:
            middle = start + (end - start) // server.step_s // 2 * server.step_s
            if middle + server.step_s > end:
                raise TraceError(f"{server.address}: {query}: {error}") from error
            pieces += [(middle + server.step_s, end), (start, middle)]


def _answer(server: Server, query: str, stretch: tuple[int, int]) -> bytes:
    form = urlencode({"query": query, "start": stretch[0], "end": stretch[1], "step": server.step_s})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    headers |= {"Authorization": server.authorization} if server.authorization else {}
    kind = http.client.HTTPSConnection if server.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(server.address, timeout=server.timeout_s)
        try:
            connection.request("POST", f"{server.path}/api/v1/query_range", form, headers)
            response = connection.getresponse()
            body = _read(response, server.answer_bytes)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TraceError(f"{server.address}: cannot be asked: {str(error) or type(error).__name__}") from error
    if response.status != 200:
        _refused(server, query, response, body)
    return body


def _read(response: http.client.HTTPResponse, most: int) -> bytes:
    blocks: list[bytes] = []
    size = 0
    while block := response.read(_BLOCK):
        blocks.append(block)
        size += len(block)
        if size > most:
            raise _TooMuchError(f"one answer has more than {most:,} bytes")
    return b"".join(blocks)


def _refused(server: Server, query: str, response: http.client.HTTPResponse, body: bytes) -> None:
    try:
        said = str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError, RecursionError):
        said = f"{response.status} {response.reason}"
    if any(words in said for words in _TOO_MUCH):
        raise _TooMuchError(said[:200])
    raise TraceError(f"{server.address}: {query}: {said[:200]}")


def served(paths: Sequence[Path | str], folder: Path) -> tuple[list[Path], list[str]]:
    """Paths of files as they are, and servers among them as the files they answer with; notes on what they lack."""
    found: list[Path] = []
    notes: list[str] = []
    for number, path in enumerate(paths):
        if isinstance(path, str) and is_url(path):
            files, told = download(server_of(path), folder / f"server-{number}")
            found += files
            notes += told
        else:
            found.append(Path(path))
    return found, notes
