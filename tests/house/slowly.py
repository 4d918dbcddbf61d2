"""How does a client send whose bodies take their time?"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable

import httpx

LET_IN_SECONDS = 0.3
HEARD_SECONDS = 0.5


def in_two_halves(request: httpx.Request, meanwhile: Callable[[], object]) -> int:
    """The status of the answer when the second half of the body is sent after `meanwhile`."""
    body = request.read()
    connection = http.client.HTTPConnection(request.url.host, request.url.port or 80, timeout=30)
    connection.putrequest(request.method, request.url.raw_path.decode(), skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(body[: len(body) // 2])
    time.sleep(LET_IN_SECONDS)
    meanwhile()
    time.sleep(HEARD_SECONDS)
    connection.send(body[len(body) // 2 :])
    status = connection.getresponse().status
    connection.close()
    return status
