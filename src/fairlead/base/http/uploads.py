"""How is a multipart upload of any size read? In one pass, in a worker thread, in bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Container
from concurrent.futures import Executor
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from litestar import Request
from litestar.exceptions import InternalServerException
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from fairlead.base.errors import Refusal

PIECE_BYTES = 1024 * 1024
LARGEST_FIELD_BYTES = 64 * 1024
MOST_PARTS = 32
DRAINED_BYTES = 64 * 1024 * 1024
DRAINED_SECONDS = 10.0


class NoFile(Refusal):
    message = "The body must be a multipart form with the file in it."


class BadUpload(Refusal):
    """A form that cannot be read as what the operation takes."""

    message = "{what}: {reason}"


class ClientLeft(Refusal):
    """Nobody reads this: it is how an upload that breaks off ends without looking like our mistake."""

    message = "the connection was closed before the request was complete"


class Receiver(Protocol):
    """What takes the file of a form."""

    def feed(self, chunk: memoryview) -> None: ...

    def discard(self) -> None: ...


R = TypeVar("R", bound=Receiver)
T = TypeVar("T")


class UploadForm(Generic[R]):
    """A form of texts first and a file last. What follows the file is never read, unless the form `reads_on`.

    `begin` is given the form when the file begins, and refuses texts that make no sense. Each API has its own words for
    a form that `no_file` is in, or that is a `bad` one otherwise.
    """

    no_file: ClassVar[type[Refusal]] = NoFile
    bad: ClassVar[type[Refusal]] = BadUpload
    called: ClassVar[str] = "file"
    reads_on: ClassVar[bool] = False

    def __init__(
        self, content_type: str, file: str, texts: Container[str], begin: Callable[[UploadForm[R]], R]
    ) -> None:
        kind, options = parse_options_header(content_type)
        if kind.lower() != "multipart/form-data" or not options.get("boundary"):
            raise self.no_file
        try:
            self._parser = PushMultipartParser(
                options["boundary"], max_segment_count=MOST_PARTS, strict=not self.reads_on
            )
        except (MultipartError, ValueError) as problem:
            raise self.bad(what="multipart", reason=str(problem)) from None
        self._file = file
        self._names = texts
        self._begin_file = begin
        self._name = ""
        self.file_name = ""
        self._field = bytearray()
        self._texts: dict[str, list[str]] = {}
        self.receiver: R | None = None
        self.complete = False
        self._has_file = False

    def text(self, name: str) -> str:
        """The text of this name, the last if there are several, "" if there is none."""
        return (self.texts(name) or [""])[-1]

    def texts(self, name: str) -> list[str]:
        return self._texts.get(name, [])

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the body. Nothing more is needed once `complete` is true."""
        try:
            for event in self._parser.parse(piece):
                if self.complete:
                    return
                self._take(event)
        except MultipartError as problem:
            raise self.bad(what="multipart", reason=str(problem)) from None

    def finish(self) -> R:
        """What has taken the file, once its last byte was fed."""
        if self.receiver is None:
            raise self.no_file
        if self.reads_on:
            self._read_to_the_end()
        if not self.complete:
            raise self.bad(what="multipart", reason=f"the {self.called} ends before the request says so")
        return self.receiver

    def discard(self) -> None:
        if self.receiver is not None:
            self.receiver.discard()

    def _read_to_the_end(self) -> None:
        try:
            self._parser.close()
        except MultipartError as problem:
            raise self.bad(what="multipart", reason=str(problem)) from None
        self.complete = self._has_file

    def _take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is None:
            self._end()
        elif self._name == self._file and self.receiver is not None:
            self.receiver.feed(memoryview(event))
        elif self._name in self._names:
            self._field += event
            if len(self._field) > LARGEST_FIELD_BYTES:
                raise self.bad(what=self._name, reason=f"longer than {LARGEST_FIELD_BYTES} bytes")

    def _begin(self, segment: MultipartSegment) -> None:
        self._name = segment.name
        self._field = bytearray()
        if self._name == self._file:
            if self._has_file:
                raise self.bad(what=self._file, reason="there is more than one")
            self.file_name = segment.filename or ""
            self.receiver = self._begin_file(self)

    def _end(self) -> None:
        if self._name == self._file:
            self._has_file, self.complete = True, not self.reads_on
            return
        try:
            text = self._field.decode()
        except UnicodeDecodeError:
            raise self.bad(what=self._name, reason="is not UTF-8") from None
        if "\0" in text:
            raise self.bad(what=self._name, reason="NUL characters are not allowed")
        self._texts.setdefault(self._name, []).append(text)


async def receive(
    request: Request[Any, Any, Any],
    executor: Executor,
    make_sure_it_is_allowed: Callable[[], None],
    make_form: Callable[[str], UploadForm[R]],
    store: Callable[[UploadForm[R]], T],
) -> T:
    """Read the form of the request to the end of its file, and store it. What is refused leaves nothing behind.

    All three are plain functions for worker threads; the form is made for the request's Content-Type.
    """
    in_thread: Callable[..., Any] = request.app.state.in_thread
    chunks = request.stream()
    form: UploadForm[R] | None = None
    try:
        await in_thread(make_sure_it_is_allowed)
        form = make_form(request.headers.get("content-type", ""))
        await read_form(form, chunks, executor)
        await drain(chunks)
        stored: T = await in_thread(store, form)
    except Refusal:
        await drain(chunks)
        raise
    finally:
        if form is not None:
            await in_thread(form.discard)
    return stored


async def read_form(form: UploadForm[R], chunks: AsyncIterator[bytes], executor: Executor) -> None:
    """Feed the form from the request, parsing and storing one piece while the next one arrives."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Future[Any] | None = None
    try:
        async for piece in _pieces(chunks):
            if under_way is not None:
                await under_way
            if form.complete:
                break
            under_way = loop.run_in_executor(executor, form.feed, piece)
        if under_way is not None:
            await under_way
    finally:
        if under_way is not None and not under_way.done():
            await asyncio.wait([under_way])


async def _pieces(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body in larger pieces, each put together with a single copy."""
    gathered: list[bytes] = []
    size = 0
    try:
        async for chunk in chunks:
            gathered.append(chunk)
            size += len(chunk)
            if size >= PIECE_BYTES:
                yield b"".join(gathered)
                gathered, size = [], 0
    except InternalServerException:  # the framework's word for a client that has gone
        raise ClientLeft from None
    if size:
        yield b"".join(gathered)


async def drain(chunks: AsyncIterator[bytes]) -> None:
    """Read what a client goes on sending after we have said no: many only listen once they are done."""
    left = DRAINED_BYTES
    try:
        async with asyncio.timeout(DRAINED_SECONDS):
            async for chunk in chunks:
                left -= len(chunk)
                if left < 0:
                    return
    except Exception:  # noqa: S110 - the answer matters, not the rest of a body that was refused
        pass
