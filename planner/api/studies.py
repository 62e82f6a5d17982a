"""Studies over HTTP: list, fetch, report, delete."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, Final

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from planner.api.callers import Caller, WhoAsks
from planner.api.problems import RefusedError, Utc, told
from planner.report import FORMATS, export

__all__ = ["router"]

router: Final = APIRouter(tags=["studies"])
Suffix = StrEnum("Suffix", {name.strip("."): name.strip(".") for name in FORMATS})  # type: ignore[misc]
_INERT: Final = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
"""A report that a browser opens from here may not act as a page of this server."""
_DOCUMENT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The study", "content": {"application/json": {"schema": {"type": "object"}}}}
}


def _kind(suffix: str) -> str:
    """The media type of a report.

    >>> _kind("html"), _kind("pdf")
    ('text/html; charset=utf-8', 'application/pdf')
    """
    kind = FORMATS[f".{suffix}"].mime
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The report", "content": {_kind(suffix).partition(";")[0]: {} for suffix in Suffix}}
}


class StudyEntry(BaseModel):
    """A study that is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    study_id: str
    name: str
    """The scenario's."""
    saved_at: Utc
    """UTC."""


@router.get("/studies", responses=told(401, 403))
def all_studies(caller: WhoAsks) -> list[StudyEntry]:
    """Every study of yours, the newest first."""
    rows = caller.store.studies()[list(StudyEntry.model_fields)].to_dict("records")
    return [StudyEntry.model_validate(row) for row in rows]


@router.get("/studies/{study_id}", responses={**_DOCUMENT, **told(401, 403, 404)}, response_class=Response)
def one_study(study_id: str, caller: WhoAsks) -> Response:
    """The document of a study: scenario, recording, models ranked, plans with every line, source and proof."""
    return Response(_document(study_id, caller), media_type="application/json")


@router.get(
    "/studies/{study_id}/report.{suffix}", responses={**_FILE, **told(401, 403, 404, 422)}, response_class=Response
)
def study_report(study_id: str, suffix: Suffix, caller: WhoAsks) -> Response:
    """The report of a study as a file; all formats tell the same figures."""
    document = _document(study_id, caller)
    headers = _INERT | {"Content-Disposition": f'attachment; filename="report.{suffix}"'}
    placed = caller.store.placements(study_id) if FORMATS[f".{suffix}"].placed else None
    return Response(export(json.loads(document), f".{suffix}", placed), media_type=_kind(suffix), headers=headers)


@router.delete("/studies/{study_id}", status_code=204, responses=told(401, 403, 404))
def delete_study(study_id: str, caller: WhoAsks) -> None:
    """Deletes a study, with its plans, lines and placements."""
    if not caller.store.delete(study_id):
        raise _unknown(study_id)


def _document(study_id: str, caller: Caller) -> str:
    found = caller.store.document(study_id)
    if found is None:
        raise _unknown(study_id)
    return found


def _unknown(study_id: str) -> RefusedError:
    return RefusedError(404, f"study {study_id[:80]!r}: there is none of that id")
