"""What endpoints work with: the stores, the jobs, the rules of access; and who a request is from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, cast

from anyio import CapacityLimiter
from fastapi import Depends, Request

from planner.api.access import Access
from planner.api.problems import RefusedError
from planner.jobs import Desk
from planner.sandbox import Guard
from planner.store import Store
from planner.workspaces import Workspaces

__all__ = ["Caller", "House", "WhoAsks"]

_CHALLENGE = {"WWW-Authenticate": "Bearer"}


@dataclass(frozen=True)
class House:
    """One for each server; pages and API share it."""

    workspaces: Workspaces
    desk: Desk
    access: Access
    guard: Guard | None
    """Limits of the process that reads an upload; None: whoever sends vouches for the files."""

    @cached_property
    def reading(self) -> CapacityLimiter:
        """A seat for each upload that may be read at once."""
        return CapacityLimiter(self.access.uploads_at_once)


@dataclass(frozen=True)
class Caller:
    """Whoever a request is from, and what is theirs."""

    person: str
    """Empty: whoever sits at this machine."""
    house: House

    @property
    def store(self) -> Store:
        """Their store."""
        return self.house.workspaces.store(self.person)


def caller(request: Request) -> Caller:
    """Who a request is from.

    Raises:
        RefusedError: it should say so and does not, or its token is nobody's.
    """
    house = cast("House", request.app.state.house)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not house.access.asks:
        return Caller("", house)
    if scheme.lower() != "bearer" or not token.strip():
        raise RefusedError(401, "say who you are: Authorization: Bearer TOKEN", _CHALLENGE)
    person = house.access.person(token.strip())
    if person is None:
        raise RefusedError(401, "the token is not known here; planner token makes one", _CHALLENGE)
    return Caller(person, house)


WhoAsks = Annotated[Caller, Depends(caller)]
