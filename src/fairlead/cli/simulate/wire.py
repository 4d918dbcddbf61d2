"""How do requests get to the server and answers back? A small HTTP/1.1 client for many devices over few connections.

Each request carries its device's own token, so connections are shared: whoever speaks next takes one that is open.
"""

import asyncio
import contextlib
import socket
import ssl
import zlib
from collections import defaultdict
from collections.abc import Callable
from typing import BinaryIO, cast

import httptools
from msgspec import Struct

from fairlead.cli.simulate.address import Origin
from fairlead.cli.simulate.device import Answer, Lost, Reply

LARGEST_BODY_BYTES = 4 * 1024 * 1024
OPENING_BYTES = 512
DROPPED = "connection lost"
LOOK_EVERY_SECONDS = 0.5


class Intake:
    """How to take a download: nothing is kept but the opening, unless there is a file to put it in."""

    def __init__(self, hang_up_at: Callable[[int], int | None], file: BinaryIO | None = None) -> None:
        self.hang_up_at = hang_up_at
        self.file = file


class Heard(Struct, gc=False):
    """What has come of the answer to one request."""

    status: int = 0
    is_final: bool = False
    is_chunked: bool = False
    length: int | None = None
    encoding: str = ""
    content_range: str = ""
    location: str = ""
    body: bytes = b""
    opening: bytes = b""
    received_bytes: int = 0
    hang_up_at: int | None = None
    cut: bool = False

    @property
    def ends_with_the_connection(self) -> bool:
        return self.is_final and self.length is None and not self.is_chunked

    def reply(self) -> Reply:
        return Reply(
            status=self.status,
            body=unpack(self.body, self.encoding) if self.encoding else self.body,
            length=self.length,
            encoding=self.encoding,
            content_range=self.content_range,
            location=self.location,
            received_bytes=self.received_bytes,
            opening=self.opening,
            cut=self.cut,
        )


class Connection(asyncio.Protocol):
    """One request at a time; an answer is a Reply or the reason why there is none."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.parser = httptools.HttpResponseParser(self)
        self.transport: asyncio.Transport | None = None
        self.waiting: asyncio.Future[Answer] | None = None
        self.intake: Intake | None = None
        self.heard = Heard()
        self.heard_at = 0.0
        self.uses = 0

    @property
    def is_open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def ask(self, request: bytes, intake: Intake | None = None) -> asyncio.Future[Answer]:
        assert self.transport
        self.heard = Heard()
        self.intake = intake
        self.uses += 1
        self.heard_at = self.loop.time()
        self.waiting = self.loop.create_future()
        self.transport.write(request)
        return self.waiting

    def give_up(self, reason: str) -> None:
        """Nothing was heard for too long, or the run is over."""
        self._answer(self._partial() or Lost(reason))
        self.close()

    def close(self) -> None:
        if self.transport:
            self.transport.abort()

    # What asyncio tells us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Nobody asked and something comes: such a connection cannot be trusted with the next request."""
        self.heard_at = self.loop.time()
        if self.waiting is None:
            self.close()
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._answer(Lost("an answer that is not HTTP"))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.heard.ends_with_the_connection and not exc:
            self._answer(self.heard.reply())
        self._answer(self._partial() or Lost(DROPPED))

    # What httptools tells us

    def on_header(self, name: bytes, value: bytes) -> None:
        heard = self.heard
        match name.lower():
            case b"content-length":
                heard.length = int(value)
            case b"content-encoding":
                heard.encoding = value.decode("latin-1")
            case b"content-range":
                heard.content_range = value.decode("latin-1")
            case b"location":
                heard.location = value.decode("latin-1")
            case b"transfer-encoding":
                heard.is_chunked = True

    def on_headers_complete(self) -> None:
        heard = self.heard
        heard.status = self.parser.get_status_code()
        heard.is_final = heard.status >= 200
        if self.intake and heard.status == 200 and heard.length:
            heard.hang_up_at = self.intake.hang_up_at(heard.length)

    def on_body(self, data: bytes) -> None:
        if self.intake and self.heard.status in (200, 206):
            self._take_in(data, self.intake)
        elif len(self.heard.body) + len(data) <= LARGEST_BODY_BYTES:
            self.heard.body += data
        else:
            self.give_up("an answer too large")

    def on_message_complete(self) -> None:
        if self.heard.is_final:
            keeps = self.parser.should_keep_alive()
            self._answer(self.heard.reply())
            if not keeps:
                self.close()

    # Taking it in

    def _take_in(self, data: bytes, intake: Intake) -> None:
        heard = self.heard
        if heard.cut:
            return
        if heard.hang_up_at is not None and heard.received_bytes + len(data) >= heard.hang_up_at:
            data = data[: heard.hang_up_at - heard.received_bytes]
            heard.cut = True
        if len(heard.opening) < OPENING_BYTES:
            heard.opening += data[: OPENING_BYTES - len(heard.opening)]
        if intake.file:
            intake.file.write(data)
        heard.received_bytes += len(data)
        if heard.cut:
            self._answer(heard.reply())
            self.close()

    def _partial(self) -> Reply | None:
        """A download that broke off is an answer too: what came so far need not be fetched again."""
        heard = self.heard
        return heard.reply() if self.intake and heard.is_final and heard.length is not None else None

    def _answer(self, answer: Answer) -> None:
        waiting, self.waiting = self.waiting, None
        if waiting and not waiting.done():
            waiting.set_result(answer)


class Pool:
    """Open connections by where they lead; the one used last is used next, so a quiet fleet holds only a few."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_seconds: float, tls: ssl.SSLContext) -> None:
        self.loop = loop
        self.timeout_seconds = timeout_seconds
        self.tls = tls
        self.idle: dict[Origin, list[Connection]] = defaultdict(list)
        self.busy: set[Connection] = set()
        self.clock = loop.call_later(LOOK_EVERY_SECONDS, self._look_around)

    async def ask(self, origin: Origin, request: bytes, intake: Intake | None = None) -> Answer:
        """Ask once more when an old connection turns out to be dead: servers may close what is idle at any time."""
        while True:
            connection = self._open_connection(origin)
            if connection is None:
                try:
                    connection = await self.connect(origin)
                except OSError as error:
                    return Lost(explain(error))
            was_used = connection.uses > 0
            self.busy.add(connection)
            answer = await connection.ask(request, intake)
            self.busy.discard(connection)
            if connection.is_open:
                self.idle[origin].append(connection)
            if answer != Lost(DROPPED) or not was_used or connection.heard.status:
                return answer

    async def connect(self, origin: Origin) -> Connection:
        tls = self.tls if origin.secure else None
        async with asyncio.timeout(self.timeout_seconds):
            _, connection = await self.loop.create_connection(
                lambda: Connection(self.loop),
                origin.host,
                origin.port,
                ssl=tls,
                server_hostname=origin.host if tls else None,
            )
        return connection

    def close(self) -> None:
        self.clock.cancel()
        for connections in (list(self.busy), *self.idle.values()):
            for connection in connections:
                connection.give_up("the simulation ended")

    def _open_connection(self, origin: Origin) -> Connection | None:
        idle = self.idle[origin]
        while idle:
            connection = idle.pop()
            if connection.is_open:
                return connection
        return None

    def _look_around(self) -> None:
        """One look at all of them twice a second is cheaper than a timer for each request."""
        long_ago = self.loop.time() - self.timeout_seconds
        for connection in [each for each in self.busy if each.heard_at < long_ago]:
            connection.give_up("timed out")
        self.clock = self.loop.call_later(LOOK_EVERY_SECONDS, self._look_around)


def unpack(body: bytes, encoding: str) -> bytes:
    """Devices say that they take gzip, so they may be given it; never more than a bounded amount of it."""
    if encoding != "gzip":
        return body
    with contextlib.suppress(zlib.error):
        return zlib.decompressobj(wbits=31).decompress(body, LARGEST_BODY_BYTES)
    return b""


def explain(error: OSError) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"certificate not trusted ({error.verify_message})"
        case ssl.SSLError():
            return f"TLS failed ({error.reason or 'no reason given'})"
        case ConnectionRefusedError():
            return "connection refused"
        case TimeoutError():
            return "timed out while connecting"
        case socket.gaierror():
            return "host name not found"
        case _:
            return f"no connection ({error.strerror or type(error).__name__})"


def tls_context(insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
