"""How is a multipart upload of any size read? In one pass, in a worker thread, in bounded memory."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from typing import Any

from litestar.exceptions import InternalServerException
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from fairlead.api.mender.errors import BadBody
from fairlead.base.errors import Refusal
from fairlead.domain.artifacts import Upload, make_sure_description_is_good, make_sure_size_is_good

PIECE_BYTES = 1024 * 1024
LARGEST_FIELD_BYTES = 64 * 1024
MOST_PARTS = 32
DRAINED_BYTES = 64 * 1024 * 1024
DRAINED_SECONDS = 10.0
_DIGITS = re.compile(r"\s*\d{1,20}\s*")


class NoArtifactFile(Refusal):
    message = "request does not contain the artifact file"


class ClientLeft(Refusal):
    """Nobody reads this: it is how an upload that breaks off ends without looking like our mistake."""

    message = "the connection was closed before the request was complete"


class ArtifactForm:
    """The parts of `POST /artifacts`: texts first, the artifact last. What follows the artifact is never read.

    `begin_upload` is given the id that the artifact is to have, which is "" unless the form names one and may.
    """

    def __init__(self, content_type: str, begin_upload: Callable[[str], Upload], *, names_id: bool = False) -> None:
        kind, options = parse_options_header(content_type)
        if kind.lower() != "multipart/form-data" or not options.get("boundary"):
            raise NoArtifactFile
        try:
            self._parser = PushMultipartParser(options["boundary"], max_segment_count=MOST_PARTS, strict=True)
        except (MultipartError, ValueError) as problem:
            raise BadBody(what="multipart", reason=str(problem)) from None
        self._begin_upload = begin_upload
        self._texts = {"description", "size", "artifact_id"} if names_id else {"description", "size"}
        self._name = ""
        self._field = bytearray()
        self._fields: dict[str, str] = {}
        self.upload: Upload | None = None
        self.complete = False

    @property
    def description(self) -> str:
        return self._fields.get("description", "")

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the body. Nothing more is needed once `complete` is true."""
        try:
            for event in self._parser.parse(piece):
                if self.complete:
                    return
                self._take(event)
        except MultipartError as problem:
            raise BadBody(what="multipart", reason=str(problem)) from None

    def finish(self) -> Upload:
        """The upload, once its last byte was fed."""
        if self.upload is None:
            raise NoArtifactFile
        if not self.complete:
            raise BadBody(what="multipart", reason="the artifact file ends before the request says so")
        return self.upload

    def discard(self) -> None:
        if self.upload is not None:
            self.upload.discard()

    def _take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is None:
            self._end()
        elif self._name == "artifact" and self.upload is not None:
            self.upload.feed(memoryview(event))
        elif self._name in self._texts:
            self._field += event
            if len(self._field) > LARGEST_FIELD_BYTES:
                raise BadBody(what=self._name, reason=f"longer than {LARGEST_FIELD_BYTES} bytes")

    def _begin(self, segment: MultipartSegment) -> None:
        self._name = segment.name
        self._field = bytearray()
        if self._name == "artifact":
            make_sure_description_is_good(self.description)
            self.upload = self._begin_upload(
                self._fields.get("artifact_id", "") if "artifact_id" in self._texts else ""
            )

    def _end(self) -> None:
        if self._name == "artifact":
            self.complete = True
            return
        try:
            text = self._field.decode()
        except UnicodeDecodeError:
            raise BadBody(what=self._name, reason="is not UTF-8") from None
        if "\0" in text:
            raise BadBody(what=self._name, reason="NUL characters are not allowed")
        if self._name == "size" and text:
            if not _DIGITS.fullmatch(text):
                raise BadBody(what="size", reason="is not a number")
            make_sure_size_is_good(int(text))
        self._fields[self._name] = text


async def read_form(form: ArtifactForm, chunks: AsyncIterator[bytes], executor: Executor) -> None:
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
