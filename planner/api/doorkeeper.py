"""Doorkeeper: refuses, before any page or endpoint, what does not come from where it should."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from planner.api.access import Access, is_loopback
from planner.api.problems import problem

__all__ = ["Doorkeeper"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Doorkeeper:
    """ASGI middleware over pages and API, HTTP and web sockets alike."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], access: Access) -> None:
        """Stands before `app`."""
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request in, or answers it with the reason why not."""
        wrong = refusal(scope, self._access) if scope["type"] in {"http", "websocket"} else None
        if wrong is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": wrong[:120]})
        else:
            await problem(403, wrong)(scope, receive, send)


def refusal(scope: Scope, access: Access) -> str | None:
    """Why a request may not come in, in words; None: it may.

    >>> here = {"client": ("127.0.0.1", 5), "headers": [(b"host", b"localhost:8501")]}
    >>> refusal(here, Access())
    >>> refusal({**here, "headers": [(b"host", b"evil.example")]}, Access())
    "host 'evil.example' is not this server's; --allow-host names another one"
    """
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host, origin = headers.get("host", ""), headers.get("origin")
    client = (scope.get("client") or ("", 0))[0]
    if not (access.asks or access.anybody or is_loopback(client)):
        return "only this machine may come in without saying who it is; tokens or a login let others in"
    if not access.knows(host):
        return f"host {host[:80]!r} is not this server's; --allow-host names another one"
    if origin is not None and not access.same_origin(origin, host):
        return f"origin {origin[:80]!r} is another site's; requests come from pages of this server, or from no page"
    return None
