"""Which requests are refused before the router is asked? Those for what cannot be the name of anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fairlead.api.mobyle.errors import NothingHere, is_ours, say

App = Callable[[Any, Any, Any], Awaitable[None]]


class Door:
    """Stands in front of an ASGI application. PostgreSQL could not even be asked for a name with a NUL in it."""

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        if scope["type"] == "http" and "\0" in scope["path"] and is_ours(scope["path"]):
            return _refuse(send)
        return self._app(scope, receive, send)


async def _refuse(send: Any) -> None:
    refused = say(404, NothingHere.message)
    headers = [(name.lower().encode(), value.encode()) for name, value in refused.headers.items()]
    headers.append((b"content-type", str(refused.media_type).encode()))
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": refused.content})
