"""The HTTP door: recordings in, questions asked, studies and reports out; OpenAPI at ``/openapi.json``.

Mounted at ``/api`` beside the dashboard, in the same process because one process writes a store; or alone, as
``planner serve --no-pages`` does. `access` says who may come in and `doorkeeper` stands before everything.
"""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.types import ASGIApp

from planner.api import questions, studies, traces
from planner.api.access import Access
from planner.api.callers import House
from planner.api.doorkeeper import Doorkeeper
from planner.api.problems import Problem, answer_problems
from planner.jobs import desk
from planner.sandbox import Guard
from planner.store import limits_from
from planner.workspaces import workspaces

__all__ = ["Access", "Doorkeeper", "House", "alone", "create", "house"]

_ABOUT: Final = """Send a recording, ask a question about it, fetch the study and its report.

A question is a job: it is planned beside, tells how far it is, and can be cancelled. What one person sends and asks is
never another's. Every error is a problem+json whose detail says what to do."""


_PARTS: Final = (traces, questions, studies)


class Health(BaseModel):
    """The server answers."""

    status: Literal["ok"] = "ok"
    version: str


def house() -> House:
    """The stores and jobs of this process, under the rules that its environment tells.

    Raises:
        InputError: the rules cannot be had, see `Access.from_environment`, or ``PLANNER_UPLOAD_LIMITS`` are none.
    """
    guard = limits_from(Guard, os.environ.get("PLANNER_UPLOAD_LIMITS", "").split())
    return House(workspaces(), desk(), Access.from_environment(), guard)


def create(rooms: House) -> FastAPI:
    """The API over stores and jobs; whoever mounts it stands a `Doorkeeper` before it."""
    app = FastAPI(title="planner", version=_version(), description=_ABOUT, docs_url=None, redoc_url=None)
    app.state.house = rooms
    for part in _PARTS:
        app.include_router(part.router)
    app.add_api_route("/health", health, tags=["server"], summary="Whether the server answers")
    answer_problems(app, [route for part in _PARTS for route in part.router.routes] + app.routes)
    app.openapi = lambda: _described(app, rooms.access)  # type: ignore[method-assign]
    return app


def alone() -> ASGIApp:
    """The API by itself, as uvicorn starts it.

    Raises:
        InputError: see `house`.
    """
    rooms = house()
    return Doorkeeper(create(rooms), rooms.access)


def health() -> Health:
    """Whether the server answers; says nothing else, and to everybody."""
    return Health(version=_version())


def _version() -> str:
    try:
        return version("planner")
    except PackageNotFoundError:
        return "0"


def _described(app: FastAPI, access: Access) -> dict[str, Any]:
    """The description of the API: every setting of a scenario, one form of error, tokens where they are asked."""
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        parts = found.setdefault("components", {})
        parts["schemas"] = {
            name: schema
            for name, schema in (
                parts.get("schemas", {}) | questions.components() | {"Problem": Problem.model_json_schema()}
            ).items()
            if name not in {"HTTPValidationError", "ValidationError"}
        }
        for methods in found["paths"].values():
            for endpoint in methods.values():
                _without_fastapis_own_error(endpoint)
        if access.asks:
            parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            found["security"] = [{"token": []}]
            found["paths"]["/health"]["get"]["security"] = []
        app.openapi_schema = found
    return app.openapi_schema


def _without_fastapis_own_error(endpoint: dict[str, Any]) -> None:
    answers = endpoint["responses"]
    if "application/json" in answers.get("422", {}).get("content", {}):
        answers["422"]["content"] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
