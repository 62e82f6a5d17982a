"""Recordings over HTTP: send one, see what is there and which rows were rejected."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from planner import sandbox
from planner.api.callers import Caller, WhoAsks
from planner.api.problems import RefusedError, Utc, told
from planner.api.uploads import land
from planner.errors import TraceError
from planner.scenario import STORED
from planner.store import TraceInfo

__all__ = ["router"]

router: Final = APIRouter(tags=["recordings"])
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_FILES: Final = {
    "schema": {
        "type": "object",
        "properties": {"files": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}},
        "required": ["files"],
        "additionalProperties": False,
    }
}
_BODY: Final = {
    "requestBody": {"required": True, "content": {"application/octet-stream": _BINARY, "multipart/form-data": _FILES}}
}


class Recording(BaseModel):
    """What is known of one recording."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    trace_id: str
    path: str
    """What a scenario calls it in ``trace.path``."""
    name: str
    format: str
    reason: str
    """Why this format was taken."""
    workloads: int
    samples: int
    rejected: int
    """Bad rows; /traces/{trace_id}/rejects tells each."""
    lines: int
    """Rows read: good ones and rejected ones."""
    start: Utc | None
    end: Utc | None
    """First and last sample, UTC."""
    calls: int
    gb_seconds: float
    charges: int
    """Lines of a bill."""
    flows: int
    """Pairs of a caller and a callee whose traffic is told."""
    notes: list[str]
    quality: dict[str, int]
    """Workloads by stars and by activity."""
    repeated: bool
    """True where it was there before and nothing was added."""


class Reject(BaseModel):
    """A bad row."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    file: str
    line: int
    reason: str
    text: str | None
    """The row, as it stood in the file."""


@router.post("/traces", status_code=201, responses=told(400, 401, 403, 413, 415, 422), openapi_extra=_BODY)
async def send(
    request: Request,
    caller: WhoAsks,
    filename: Annotated[
        str, Query(max_length=255, description="What the file is called; .gz is unpacked.")
    ] = "upload.csv",
    format: Annotated[str, Query(max_length=80, description="Its format; auto: found out by content.")] = "auto",  # noqa: A002
    name: Annotated[str | None, Query(max_length=200, description="What to call the recording.")] = None,
) -> Recording:
    """Sends a recording: the raw bytes of a file, or a form with several files. It is read before this is answered.

    The same content twice adds nothing. Rows that are wrong are counted and told, they stop nothing.
    """
    house = caller.house
    with house.workspaces.landing(caller.person) as folder:
        paths = await land(request, folder, filename, house.access.upload_mib)
        async with house.reading:
            info = await to_thread.run_sync(_read, caller, paths, format, name)
    return _recording(info)


def _read(caller: Caller, paths: list[Path], format_name: str, name: str | None) -> TraceInfo:
    """The recording in files that arrived.

    Raises:
        RefusedError: they are of no known format, or hold no good row; the words name files as they were sent.
    """
    given, guard = paths if len(paths) > 1 else paths[0], caller.house.guard
    try:
        if guard is None:
            return caller.store.ingest(given, format_name, name)
        return sandbox.ingest(caller.store, given, format_name, name, guard)
    except TraceError as error:
        raise RefusedError(422, str(error).replace(f"{paths[0].parent}/", "")) from None


@router.get("/traces", responses=told(401, 403))
def all_recordings(caller: WhoAsks) -> list[Recording]:
    """Every recording of yours, the newest first."""
    store = caller.store
    return [_recording(store.trace(str(trace_id))) for trace_id in store.traces()["trace_id"]]


@router.get("/traces/{trace_id}", responses=told(401, 403, 404))
def one_recording(trace_id: str, caller: WhoAsks) -> Recording:
    """One recording of yours."""
    return _recording(_found(trace_id, caller))


@router.delete("/traces/{trace_id}", status_code=204, responses=told(401, 403, 404))
def delete_recording(trace_id: str, caller: WhoAsks) -> None:
    """Deletes a recording of yours; studies of it stay, and can no longer be planned anew."""
    _found(trace_id, caller)
    caller.store.forget(trace_id)


@router.get("/traces/{trace_id}/rejects", responses=told(401, 403, 404, 422))
def rejects(trace_id: str, caller: WhoAsks, most: Annotated[int, Query(ge=1, le=10_000)] = 100) -> list[Reject]:
    """The first rejected rows of a recording, each with its file, line and reason."""
    _found(trace_id, caller)
    rows = caller.store.rejects(trace_id).head(most)
    known = rows.astype(object).where(rows.notna(), None)
    return [Reject.model_validate(row) for row in known.to_dict("records")]


def _found(trace_id: str, caller: Caller) -> TraceInfo:
    try:
        return caller.store.trace(trace_id)
    except TraceError as error:
        raise RefusedError(404, str(error)) from None


def _recording(info: TraceInfo) -> Recording:
    facts = asdict(info) | {"path": STORED + info.trace_id, "notes": list(info.notes)}
    return Recording.model_validate({name: facts[name] for name in Recording.model_fields})
