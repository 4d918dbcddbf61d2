"""How fast could any server of ours be? A bare ASGI application on the server that `fairlead serve` uses."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
import uvloop

from fairlead.serve import _configured
from fairlead.settings import Settings, address_of

_START = {"type": "http.response.start", "status": 204, "headers": []}
_END = {"type": "http.response.body", "body": b""}


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    """204, whatever is asked."""
    await send(_START)
    await send(_END)


def serve(address: str) -> None:
    """Answer until killed."""
    listener = socket.create_server(address_of("floor", address), backlog=2048)
    server = uvicorn.Server(_configured(Settings(), nothing, tls=False))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(sockets=[listener]))
