"""How does a payload reach whoever holds a signed link, on our own host and port?

Written against ASGI itself, for Mender's clients insist: a Content-Length always, never chunked, never encoded, and
ranges answered to the byte. A thread is busy only while it reads one chunk, and a chunk is read only when the client
has taken the one before: so a thousand slow clients cost a thousand small chunks and no threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar

import structlog

from fairlead.base.blobs import Blobs, Reading
from fairlead.base.blobs.naming import attachment
from fairlead.base.errors import Kind, Refusal
from fairlead.base.http.links import Download, LinkIsForged, Links
from fairlead.base.http.ranges import Verdict, decide, joined

T = TypeVar("T")
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

STATUS = {Kind.FORBIDDEN: 403, Kind.NOT_FOUND: 404, Kind.UNAVAILABLE: 503}
SMALLEST_CHUNK = 32 * 1024
LARGEST_CHUNK = 128 * 1024  # twice as much is hardly faster, and 800 stalled clients held 100 MB more
READING_THREADS = 16
NO_HEADERS: Mapping[str, str] = {}

_threads = ThreadPoolExecutor(READING_THREADS, "download")
_log = structlog.get_logger()


class DownloadIsGone(Refusal):
    kind = Kind.NOT_FOUND
    message = "What this link led to has been removed."


async def serve_download(
    scope: Message, receive: Receive, send: Send, blobs: Blobs, links: Links, now: datetime
) -> None:
    """Answer a GET or HEAD of a signed link, with whichever bytes were asked for; or a DELETE, if that was signed."""
    if scope["method"] == "DELETE":
        await _remove(scope, send, blobs, links, now)
        return
    if scope["method"] not in {"GET", "HEAD"}:
        await _say_what_is_taken(send)
        return
    try:
        download = links.verify(scope["path"], now)
        await _in_thread(_make_sure_it_is_there, blobs, download)
    except Refusal as refusal:
        await _say(send, STATUS[refusal.kind], str(refusal))
        return
    await serve(scope, receive, send, blobs, download)


async def serve(
    scope: Message, receive: Receive, send: Send, blobs: Blobs, download: Download, more: Mapping[str, str] = NO_HEADERS
) -> None:
    """Answer a GET or HEAD of a payload that is there, to somebody who may have it, with these headers besides."""
    verdict = decide(scope["method"], joined(scope["headers"]), download.version)
    await _start(send, verdict.status, answer_headers(download, verdict) | dict(more))
    if scope["method"] == "GET" and verdict.span.length:
        await _pour(receive, send, blobs, download, verdict)
    else:
        await send({"type": "http.response.body", "body": b""})


async def _remove(scope: Message, send: Send, blobs: Blobs, links: Links, now: datetime) -> None:
    """Removing what is not there any more is as good: whoever asks twice wants it gone."""
    try:
        blob_key = links.verify_removal(scope["path"], now)
        await _in_thread(blobs.remove, blob_key)
    except LinkIsForged:
        await _say_what_is_taken(send)
    except Refusal as refusal:
        await _say(send, STATUS[refusal.kind], str(refusal))
    else:
        await _start(send, 204, {})
        await send({"type": "http.response.body", "body": b""})


async def _say_what_is_taken(send: Send) -> None:
    await _say(send, 405, "A download link takes GET and HEAD.", {"allow": "GET, HEAD"})


def answer_headers(download: Download, verdict: Verdict) -> dict[str, str]:
    """`no-transform` keeps a proxy from compressing: Mender's clients refuse what comes without its length."""
    version = download.version
    headers = {
        "accept-ranges": "bytes",
        "cache-control": "private, no-transform",
        "etag": version.etag,
        "last-modified": version.last_modified,
    }
    if verdict.status == 304:
        return headers
    headers["content-length"] = str(verdict.span.length)
    if verdict.status in {200, 206}:
        headers["content-type"] = content_type(download.file_name)
        headers["content-disposition"] = attachment(download.file_name)
    if verdict.status == 206:
        headers["content-range"] = verdict.span.of(version.size_bytes)
    if verdict.status == 416:
        headers["content-range"] = f"bytes */{version.size_bytes}"
    return headers


def content_type(file_name: str) -> str:
    return "application/vnd.mender-artifact" if file_name.endswith(".mender") else "application/octet-stream"


def next_chunk_bytes(last: int, seconds: float) -> int:
    """More at a time for who takes it quickly, less for who does not: it is memory, once for each client."""
    return min(last * 2, LARGEST_CHUNK) if seconds < 0.05 else max(last // 2, SMALLEST_CHUNK)


async def _pour(receive: Receive, send: Send, blobs: Blobs, download: Download, verdict: Verdict) -> None:
    """Pass the bytes on until they end or nobody listens.

    When the store breaks off, so do we: short of the Content-Length, by which the client knows, and asks for the rest.
    """
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        reading = await _in_thread(blobs.open, download.blob_key, verdict.span.start, verdict.span.length)
        try:
            await _pass_on(send, reading, verdict.span.length, gone)
        finally:
            _threads.submit(reading.close)
    except Refusal as refusal:
        _log.warning("download.broken", blob=download.blob_key, reason=str(refusal))
    finally:
        gone.cancel()


async def _pass_on(send: Send, reading: Reading, left: int, gone: asyncio.Future[None]) -> None:
    now = asyncio.get_running_loop().time
    size = SMALLEST_CHUNK
    while left and not gone.done():
        chunk = await _in_thread(reading.read, min(size, left))
        if not chunk or gone.done():
            return
        left -= len(chunk)
        sent_at = now()
        await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
        if left:
            await send({"type": "http.response.body", "body": b"", "more_body": True})  # waits until that is taken
        size = next_chunk_bytes(size, now() - sent_at)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _in_thread(act: Callable[..., T], *given: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, act, *given)


def _make_sure_it_is_there(blobs: Blobs, download: Download) -> None:
    if blobs.size(download.blob_key) != download.size_bytes:
        raise DownloadIsGone


async def _say(send: Send, status: int, sentence: str, extra: dict[str, str] | None = None) -> None:
    body = sentence.encode()
    headers = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(body))}
    await _start(send, status, headers | (extra or {}))
    await send({"type": "http.response.body", "body": body})


async def _start(send: Send, status: int, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
