"""Uploads: a body as it streams in, onto the disk beside the asker's store and never further than the limit."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from anyio import to_thread
from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.types import Message

from planner.api.problems import RefusedError
from planner.workspaces import inert_name

__all__ = ["land", "read_small"]

_MIB: Final = 1 << 20
_MOST_FILES: Final = 10_000
"""Unit: files. Source: eight times the 1,250 machines of the larger Bitbrains recording, a file each."""


async def land(request: Request, folder: Path, name: str, most_mib: float) -> list[Path]:
    """Writes a body into `folder`: one file called `name`, or each part of a form by its own name.

    Names are made inert. Nothing is held in memory but what is on its way to the disk.

    Raises:
        RefusedError: the body says it is larger than `most_mib`, or turns out to be; or it is packed for the way.
    """
    most = int(most_mib * _MIB)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RefusedError(415, "send the file as it is, without Content-Encoding; a .gz file is read as one")
    _refuse_announced(request, most)
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return await _parts(request, folder, most)
    path = folder / inert_name(name)
    buffer = bytearray()
    with path.open("xb") as file:
        async for chunk in _counted(request, most):
            buffer += chunk
            if len(buffer) >= _MIB:
                await to_thread.run_sync(file.write, bytes(buffer))
                buffer.clear()
        await to_thread.run_sync(file.write, bytes(buffer))
    return [path]


async def read_small(request: Request, most_mib: float) -> bytes:
    """A body that is read whole.

    Raises:
        RefusedError: it is larger than `most_mib`.
    """
    most = int(most_mib * _MIB)
    _refuse_announced(request, most)
    return b"".join([chunk async for chunk in _counted(request, most)])


def _refuse_announced(request: Request, most: int) -> None:
    length = request.headers.get("content-length", "0")
    if not length.isdecimal():
        raise RefusedError(400, f"Content-Length: expected a number, found {length[:40]!r}")
    if int(length) > most:
        raise _too_large(most)


def _too_large(most: int) -> RefusedError:
    words = f"larger than the {most / _MIB:,.6g} MiB that are taken here; planner ingest reads larger files by path"
    return RefusedError(413, words, {"Connection": "close"})


async def _counted(request: Request, most: int) -> AsyncIterator[bytes]:
    """The chunks of a body, up to a limit.

    Raises:
        RefusedError: there are more.
    """
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen > most:
            raise _too_large(most)
        yield chunk


async def _parts(request: Request, folder: Path, most: int) -> list[Path]:
    """The files of a form, each written to `folder`.

    Raises:
        RefusedError: the form is too large, or holds no file.
        HTTPException: it is no form, or holds fields.
    """
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise _too_large(most)
        return message

    form = await Request(request.scope, counted).form(max_files=_MOST_FILES, max_fields=0)
    try:
        return await to_thread.run_sync(_write_parts, form, folder)
    finally:
        await form.close()


def _write_parts(form: FormData, folder: Path) -> list[Path]:
    paths = []
    for number, part in enumerate(part for _, part in form.multi_items() if isinstance(part, UploadFile)):
        name = inert_name(part.filename or "upload")
        path = folder / name
        if path.exists():
            path = folder / f"{number}-{name}"
        with path.open("xb") as file:
            shutil.copyfileobj(part.file, file, _MIB)
        paths.append(path)
    if not paths:
        raise RefusedError(422, "body: a form without a file")
    return paths
