"""An upload is parsed in a child process with limits: whatever it does to the parser, the workspace stays as it is.

    files ──> child: rlimits, a DuckDB shut in, a workspace of its own in a fresh folder ──> rows ──> our workspace

DuckDB takes data files for trusted; one that is crafted may crash the process that reads it. So the child reads, under
limits of memory, time and disk, with no more access than to the files at hand and its folder; the parent copies the
finished recording in one transaction. A child that dies, hangs or meets a limit is one `TraceError`.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from planner.errors import PlannerError, TraceError
from planner.store import Confined, Limits, Store, TraceInfo
from planner.store.scratch import scratch

__all__ = ["Guard", "ingest"]

_WORKSPACE: Final = "upload.duckdb"
_KEPT: Final = ("LANG", "LC_ALL", "PATH", "SYSTEMROOT")
"""Of the environment the child sees these and no secrets."""


class Guard(Limits):
    """Limits of an upload, and of the process that reads it."""

    rows: int | None = Field(default=200_000_000, gt=0)
    """Most rows of all files. Unit: rows. Source: four times the 50 million readings of 5,800 machines over a month."""

    file_mib: float | None = Field(default=2048.0, gt=0)
    """Size of all files as they came. Unit: MiB. Source: 50 million readings as CSV, measured."""

    expansion: float | None = Field(default=200.0, gt=1)
    """How many times its size a packed file may become. Unit: times.
    Source: recordings in CSV pack to between a fifth and a fiftieth, measured; deflate reaches 1,032."""

    seconds: float = Field(default=600.0, gt=0)
    """Longest time to read it, and so much processor time a core. Unit: s. Source: the 2 GiB of `file_mib` take 60."""

    memory_mib: float = Field(default=512.0, ge=64)
    """Memory that DuckDB may take in the child. Unit: MiB.
    Source: loads of 50 million rows, measured with DuckDB 2.0."""

    address_mib: float = Field(default=4096.0, ge=1024)
    """Address space of the child: libraries, threads and data. Unit: MiB.
    Source: 1,300 before the first row, measured."""

    written_mib: float = Field(default=20480.0, ge=16)
    """Most that the child may write to one file, and spill. Unit: MiB. Source: ten times `file_mib`."""


def ingest(
    store: Store,
    path: Path | Sequence[Path],
    format: str = "auto",  # noqa: A002
    name: str | None = None,
    guard: Guard | None = None,
) -> TraceInfo:
    """`Store.ingest` for files that nobody vouches for; the same recording, row for row.

    Raises:
        TraceError: as `Store.ingest`; or a limit of `guard` was met (tells which), or the reader died.
    """
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(each) for each in path]
    limits = guard or Guard()
    files = [*map(_inside, paths)]
    with scratch("upload") as place:
        folder = place.resolve()
        request = {
            "paths": [str(file) for file in files], "format": format, "name": name, "scratch": str(folder),
            "guard": limits.model_dump(),
        }  # fmt: skip
        told = _answer(_run(request, limits, files[0]), files[0])
        info = store.adopt(folder / _WORKSPACE, told["trace_id"])
    return replace(info, name=name or told["name"]) if info.repeated else info


def _inside(path: Path) -> Path:
    """A path without links; a folder none of whose files lies elsewhere.

    Raises:
        TraceError: a link leads out of the folder.
    """
    folder = Path(os.path.realpath(path))
    for file in folder.rglob("*") if folder.is_dir() else ():
        if file.is_symlink() and file.is_file() and not file.resolve().is_relative_to(folder):
            raise TraceError(f"{file}: is a link that leads out of {path}; give the file it names instead")
    return folder


def _run(request: Mapping[str, Any], guard: Guard, file: Path) -> subprocess.CompletedProcess[str]:
    """The child, to its end.

    Raises:
        TraceError: it took too long.
    """
    place = str(request["scratch"])
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    python_path = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path)
    with subprocess.Popen(
        [sys.executable, "-m", "planner.sandbox"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        cwd=place, env={**kept, "PYTHONPATH": python_path, "TMPDIR": place, "HOME": place},
    ) as child:  # fmt: skip
        try:
            out, err = child.communicate(json.dumps(request), timeout=guard.seconds)
        except subprocess.TimeoutExpired:
            raise TraceError(f"{file}: {_too_slow(guard)}") from None
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
    if child.returncode in {-signal.SIGXCPU, -signal.SIGKILL} and not out:
        raise TraceError(f"{file}: {_too_slow(guard) if child.returncode == -signal.SIGXCPU else _killed(guard)}")
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def _too_slow(guard: Guard) -> str:
    return f"took longer than {guard.seconds:g} s to read; limit seconds: --limit seconds=N raises it"


def _killed(guard: Guard) -> str:
    return f"its reader was killed, with {guard.memory_mib:g} MiB to work in; limit memory_mib: --limit memory_mib=N"


def _answer(child: subprocess.CompletedProcess[str], file: Path) -> dict[str, str]:
    """What the child found.

    Raises:
        TraceError: what it told, or that it died.
    """
    try:
        answer = json.loads(child.stdout)
    except ValueError:
        answer = {}
    if isinstance(answer.get("error"), str):
        raise TraceError(answer["error"])
    if child.returncode or not isinstance(answer.get("trace_id"), str) or not isinstance(answer.get("name"), str):
        words = (child.stderr.strip().splitlines() or ["without a word"])[-1]
        raise TraceError(f"{file}: its reader died ({_cause(child.returncode)}): {words[:300]}")
    return {name: answer[name] for name in ("trace_id", "name")}


def _cause(code: int) -> str:
    return f"signal {-code}, {signal.strsignal(-code)}" if code < 0 else f"exit code {code}"


def _confine(guard: Guard) -> None:
    """Takes the limits of the system upon this process; of processor time a warning, then the end."""
    mib = 1 << 20
    seconds = int(guard.seconds * (os.cpu_count() or 1)) + 1
    _limit(resource.RLIMIT_CPU, seconds, seconds + 5)
    _limit(resource.RLIMIT_AS, int(guard.address_mib * mib))
    _limit(resource.RLIMIT_FSIZE, int(guard.written_mib * mib))
    _limit(resource.RLIMIT_CORE, 0)


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    most = resource.getrlimit(kind)[1]
    wanted = soft if hard is None else hard
    high = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(kind, (min(soft, high), high))


def _parse(request: Mapping[str, Any]) -> dict[str, str]:
    """The child's work: the recording into a workspace of its own."""
    guard, folder = Guard.model_validate(request["guard"]), Path(request["scratch"])
    paths = [Path(path) for path in request["paths"]]
    memory, spill = f"{guard.memory_mib:.0f}MiB", f"{guard.written_mib:.0f}MiB"
    with Store(folder / _WORKSPACE, memory, spill, Confined(folder, tuple(paths))) as store:
        info = store.ingest(paths if len(paths) > 1 else paths[0], request["format"], request["name"], guard)
    return {"trace_id": info.trace_id, "name": info.name}


def _child() -> None:
    request = json.loads(sys.stdin.read())
    _confine(Guard.model_validate(request["guard"]))
    try:
        answer = _parse(request)
    except PlannerError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {
            "error": f"{request['paths'][0]}: needs more memory; limit address_mib: --limit address_mib=N raises it"
        }
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _child()
