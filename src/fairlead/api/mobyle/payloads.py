"""How do bytes leave? As a download with ranges, to whoever was found to be allowed to have them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.api.mobyle.errors import HEADERS
from fairlead.base.blobs import Blobs
from fairlead.base.http.download import DownloadIsGone, serve
from fairlead.base.http.links import Download
from fairlead.domain import jobs

_HEADERS = {name.lower(): value for name, value in HEADERS.items()} | {"content-security-policy": "sandbox"}
"""What people have uploaded is never a page of ours, whatever a browser takes it for."""


@dataclass(frozen=True, slots=True)
class Payload:
    """An ASGI application that is the answer: a GET or HEAD of these bytes."""

    blobs: Blobs
    download: Download

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await serve(scope, receive, send, self.blobs, self.download, _HEADERS)


def payload_of(blobs: Blobs, content: jobs.Content, made_at: datetime) -> Payload:
    """The answer, or a refusal while there is still time for one. Ends of downloads are not bound to a moment here."""
    if blobs.size(content.key) != content.size_bytes:
        raise DownloadIsGone
    return Payload(blobs, Download(content.key, content.name, made_at, made_at, content.size_bytes))
