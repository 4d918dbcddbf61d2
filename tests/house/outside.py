"""The world outside, as far as workflows see it: an HTTP server that writes down who told it what, and how often.

with Outside() as outside:
    outside.answers("/devices", 503, times=1)
    outside.answers("/devices", 201, {"id": "door"}, after=server.kill)
    …
    assert outside.told("/devices") == {"a-key": 2}
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOR_EVER = 10**9


@dataclass(frozen=True)
class Asked:
    """A request as it came. The names of its headers are in small letters."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def key(self) -> str:
        return self.headers.get("idempotency-key", "")

    @property
    def json(self) -> object:
        return json.loads(self.body)


def nothing() -> None:
    """What happens besides."""


@dataclass
class Reply:
    """How the next `times` requests are answered. `before` and `after` are called with the answer not yet, or sent."""

    status: int = 200
    body: bytes | str | dict | list = b""
    headers: dict[str, str] = field(default_factory=dict)
    times: int = FOR_EVER
    seconds: float = 0
    """So long it takes until the answer begins."""
    drip_seconds: float = 0
    """So long it takes from one byte of the body to the next."""
    never: bool = False
    endless: bool = False
    hangs_up: bool = False
    before: Callable[[], object] = nothing
    after: Callable[[], object] = nothing

    @property
    def bytes(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class Outside:
    """The server, on a free port of 127.0.0.1 between `with` and its end. Says 200 to whatever nothing was said about.

    With a certificate (certificate and key in one file) it speaks TLS.
    """

    def __init__(self, certificate: str = "", address: str = "127.0.0.1") -> None:
        self.asked: list[Asked] = []
        self._replies: dict[str, list[Reply]] = {}
        self._closed = threading.Event()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"outside": self})
        self._server = (_ServerV6 if ":" in address else _Server)((address, 0), handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.host = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"
        self.url = f"{'https' if certificate else 'http'}://{self.host}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Outside:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()

    def answers(self, path: str, status: int = 200, body: bytes | str | dict | list = b"", **more: object) -> Reply:
        """From now on this path is answered like this; after the replies that were asked for before are used up."""
        reply = Reply(status, body, **more)
        with self._lock:
            self._replies.setdefault(path, []).append(reply)
        return reply

    def told(self, path: str | None = None) -> Counter[str]:
        """How often the outside was told of each key, at this path or at all."""
        with self._lock:
            return Counter(asked.key for asked in self.asked if path in (None, asked.path))

    def wait_for(self, number: int, path: str | None = None, seconds: float = 20) -> list[Asked]:
        """The requests, when so many have come."""
        until = time.monotonic() + seconds
        while len(found := [asked for asked in self.asked if path in (None, asked.path)]) < number:
            assert time.monotonic() < until, f"{len(found)} requests at {path or 'all'}, not {number}"
            time.sleep(0.01)
        return found

    def reply_to(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            replies = self._replies.get(asked.path, [])
            while replies and replies[0].times <= 0:
                replies.pop(0)
            if not replies:
                return Reply()
            replies[0].times -= 1
            return replies[0]

    def pause(self, seconds: float) -> None:
        """Wait, though not beyond the end of the test."""
        self._closed.wait(seconds)

    @property
    def is_closed(self) -> bool:
        return self._closed.is_set()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Clients that leave in the middle are what some tests are about."""


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    outside: Outside
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.outside.reply_to(Asked(self.command, self.path, headers, body))
        self.outside.pause(reply.seconds)
        reply.before()
        if reply.never:
            self.outside.pause(FOR_EVER)
        if reply.never or reply.hangs_up:
            self.close_connection = True
            return
        with suppress(OSError):
            self._say(reply)
        reply.after()

    def _say(self, reply: Reply) -> None:
        body = reply.bytes
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if not reply.endless and reply.status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.close_connection = reply.endless or self.close_connection
        self.end_headers()
        if self.command == "HEAD":
            return
        if reply.endless:
            while not self.outside.is_closed:
                self.wfile.write(body or bytes(65536))
                self.outside.pause(reply.drip_seconds)
        elif reply.drip_seconds:
            for number in range(len(body)):
                self.wfile.write(body[number : number + 1])
                self.outside.pause(reply.drip_seconds)
        else:
            self.wfile.write(body)
