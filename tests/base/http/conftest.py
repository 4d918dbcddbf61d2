"""A blob, a link to it, and a server on a free port that hands it out."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairlead.base.blobs import Blobs, open_blobs
from fairlead.base.http.download import serve_download
from fairlead.base.http.links import Links

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
MADE_AT = datetime(2026, 2, 1, 8, 30, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def links() -> Links:
    return Links(Ed25519PrivateKey.generate())


@dataclass
class Host:
    """Our own host and port, with one blob store behind."""

    blobs: Blobs
    links: Links
    port: int = 0
    open_readings: int = 0
    read_bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, key: str, content: bytes, file_name: str = "door.mender") -> str:
        """Keep a blob, and make a link to it that is good for an hour."""
        with self.blobs.receive(key) as incoming:
            incoming.write(content)
            incoming.keep()
        expires_at = NOW + timedelta(hours=1)
        return self.links.sign(key, file_name, expires_at=expires_at, modified_at=MADE_AT, size_bytes=len(content))

    def ask(self, method: str, path: str, **headers: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        reply = Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        connection.close()
        return reply

    def call(self, path: str) -> socket.socket:
        """Ask, and leave the answer on the wire."""
        wire = socket.socket()
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        wire.settimeout(20)
        wire.connect(("127.0.0.1", self.port))
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".encode())
        return wire


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture
def host(tmp_path: Path, links: Links) -> Iterator[Host]:
    host = Host(open_blobs(f"{tmp_path}/blobs"), links)
    watched = Watched(host)

    async def app(scope, receive, send):
        await serve_download(scope, receive, send, watched, links, NOW)

    server = uvicorn.Server(
        uvicorn.Config(app, port=0, lifespan="off", loop="uvloop", http="httptools", log_config=None)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    host.port = server.servers[0].sockets[0].getsockname()[1]
    yield host
    server.should_exit = True
    thread.join(10)


class Watched:
    """The blobs of a host, counting what is open and what was read."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.size = host.blobs.size
        self.remove = host.blobs.remove

    def open(self, key: str, start: int, length: int) -> WatchedReading:
        with self._host.lock:
            self._host.open_readings += 1
        return WatchedReading(self._host, self._host.blobs.open(key, start, length))


class WatchedReading:
    def __init__(self, host: Host, reading) -> None:
        self._host = host
        self._reading = reading

    def read(self, size_bytes: int) -> bytes:
        chunk = self._reading.read(size_bytes)
        with self._host.lock:
            self._host.read_bytes += len(chunk)
        return chunk

    def close(self) -> None:
        self._reading.close()
        with self._host.lock:
            self._host.open_readings -= 1


@pytest.fixture(name="until")
def until_fixture() -> Callable[[Callable[[], bool]], None]:
    return until


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
