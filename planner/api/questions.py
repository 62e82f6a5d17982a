"""Questions over HTTP: a scenario becomes a job, which is watched and can be cancelled."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, ValidationError

from planner.api.callers import WhoAsks
from planner.api.problems import RefusedError, Utc, told
from planner.api.uploads import read_small
from planner.errors import InputError
from planner.jobs import Job, Status
from planner.scenario import SAMPLE, STORED, Scenario, parse

__all__ = ["components", "router"]

router: Final = APIRouter(tags=["studies"])
_TOML: Final = "application/toml"
_SCENARIO: Final = {"schema": {"$ref": "#/components/schemas/Scenario"}}
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/json": _SCENARIO, _TOML: {"schema": {"type": "string"}, "example": 'name = "study"'}},
    }
}


class JobState(BaseModel):
    """A study that was asked for, as it stands now."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    job_id: str
    name: str
    """The scenario's."""
    status: Status
    done: int
    """Plans made so far."""
    total: int
    """Plans to make: one a model and year."""
    doing: str
    """What was done last, in words."""
    error: str | None
    """Why it failed, in words."""
    study_id: str | None
    """The study, once it is done: /studies/{study_id}."""
    asked_at: Utc
    ended_at: Utc | None
    """UTC."""


@router.post("/jobs", status_code=202, responses=told(400, 401, 403, 413, 415, 422, 429), openapi_extra=_BODY)
async def ask(request: Request, response: Response, caller: WhoAsks) -> JobState:
    """Asks a question: a scenario as JSON or TOML. It is planned beside; the answer says where to look how far it is.

    Its recording is one that ships (``sample:NAME``) or one of yours (``trace:ID``); its prices are those that ship.
    """
    body = await read_small(request, caller.house.access.question_mib)
    scenario = _here(_parsed(body, request.headers.get("content-type", "")))
    try:
        job = caller.house.desk.start(scenario, caller.store, caller.person)
    except InputError as error:
        raise RefusedError(429, str(error), {"Retry-After": "5"}) from None
    response.headers["Location"] = f"{request.scope.get('root_path', '')}/jobs/{job.job_id}"
    return _state(job)


@router.get("/jobs", responses=told(401, 403))
def all_jobs(caller: WhoAsks) -> list[JobState]:
    """Every job of yours, the last asked for first."""
    return [_state(job) for job in caller.house.desk.jobs(caller.person)]


@router.get("/jobs/{job_id}", responses=told(401, 403, 404))
def one_job(job_id: str, caller: WhoAsks) -> JobState:
    """How far a job is."""
    try:
        return _state(caller.house.desk.job(job_id, caller.person))
    except InputError as error:
        raise RefusedError(404, str(error)) from None


@router.delete("/jobs/{job_id}", status_code=204, responses=told(401, 403, 404))
def cancel(job_id: str, caller: WhoAsks) -> None:
    """Cancels a job and forgets it: its work stops at once and nothing of it is kept. A study that is done stays."""
    try:
        caller.house.desk.forget(job_id, caller.person)
    except InputError as error:
        raise RefusedError(404, str(error)) from None


def components() -> dict[str, Any]:
    """The schemas of a scenario and all that it holds, for the description of the API."""
    schema = Scenario.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Scenario": schema}


def _parsed(body: bytes, content_type: str) -> Scenario:
    """The scenario in a body.

    Raises:
        RefusedError: it is neither JSON nor TOML, or no table.
        ScenarioError: all mistakes in it.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in {"application/json", _TOML, "text/toml"}:
        raise RefusedError(415, f"Content-Type: expected application/json or {_TOML}, found {kind[:80]!r}")
    try:
        text = body.decode("utf-8")
        table = json.loads(text) if kind == "application/json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"body: no valid {kind.rpartition('/')[2].upper()}: {error}") from None
    if not isinstance(table, dict):
        raise RefusedError(422, "body: expected a table of settings")
    if kind != "application/json":
        return parse(table, text, "body")
    scenario = parse(table, origin="body")
    _refuse_coerced(text)
    return scenario


def _refuse_coerced(text: str) -> None:
    """Stops where a value of another type would be taken for one that is meant: the description says which are.

    Raises:
        RefusedError: there is one, such as "3" for a number.
    """
    try:
        Scenario.model_validate_json(text, strict=True)
    except ValidationError as error:
        mistakes = [f"body: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)]
        raise RefusedError(422, "\n".join(mistakes)) from None


def _here(scenario: Scenario) -> Scenario:
    """A scenario that reads no file of the server.

    Raises:
        RefusedError: it names one.
    """
    if not scenario.trace.path.startswith((SAMPLE, STORED)):
        raise RefusedError(422, f"trace.path: expected {SAMPLE}NAME, or {STORED}ID of a recording sent to /traces")
    if scenario.price_books:
        raise RefusedError(
            422, "price_books: files of the server are not read over HTTP; planner run takes price books"
        )
    scenario.trace_path()
    return scenario


def _state(job: Job) -> JobState:
    return JobState.model_validate(asdict(job))
