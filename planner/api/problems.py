"""Problem: every error of the API in one form, as RFC 9457 has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from planner.errors import InputError, PlannerError

__all__ = ["Problem", "RefusedError", "Utc", "answer_problems", "problem", "told"]

MEDIA_TYPE: Final = "application/problem+json"

Utc = Annotated[
    datetime, BeforeValidator(lambda told: told.replace(tzinfo=UTC) if isinstance(told, datetime) else told)
]
"""A time of ours, which is UTC and does not say so, as one that does."""


class Problem(BaseModel):
    """What is wrong, and what to do about it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    type: str = "about:blank"
    """Always the same: the status says the kind."""
    title: str
    """The status in words."""
    status: int
    """The HTTP status."""
    detail: str
    """What is wrong, in words for whoever asked; a line for each mistake."""


class RefusedError(Exception):
    """A request that is answered with a problem."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        """With an HTTP status, the words, and headers of the answer."""
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that tells a problem."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(body.model_dump(), status, dict(headers or {}), MEDIA_TYPE)


def told(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems an endpoint may answer with, for its description."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def answer_problems(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Has every error of `app` answered in this form; `routes` are its endpoints."""
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(PlannerError, _planner)
    app.add_exception_handler(HTTPException, partial(_http, routes))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _fault)


async def _refused(_: Request, error: Exception) -> Response:
    known = cast("RefusedError", error)
    return problem(known.status, known.detail, known.headers)


async def _planner(_: Request, error: Exception) -> Response:
    return problem(422 if isinstance(error, InputError) else 500, str(error))


async def _http(routes: Sequence[BaseRoute], request: Request, error: Exception) -> Response:
    known = cast("HTTPException", error)
    headers = dict(known.headers or {})
    if known.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(routes, request))
    return problem(known.status_code, str(known.detail), headers)


def _methods(routes: Sequence[BaseRoute], request: Request) -> list[str]:
    """Every method that the path of a request knows; the framework tells those of the first endpoint only."""
    elsewhere = {**request.scope, "method": ""}
    fits = [route for route in routes if route.matches(elsewhere)[0] is Match.PARTIAL]
    return sorted({method for route in fits for method in getattr(route, "methods", None) or ()})


async def _invalid(_: Request, error: Exception) -> Response:
    found = cast("RequestValidationError", error).errors()
    mistakes = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in found]
    return problem(422, "\n".join(mistakes))


async def _fault(_: Request, error: Exception) -> Response:
    return problem(500, f"a fault of planner's own, not of the request: {type(error).__name__}")
