"""Who may download what, and until when? The link itself says so, under our signature.

A link carries all that is needed to serve it: serving asks no database, and any process that holds the key can do it.
"""

from __future__ import annotations

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from urllib.parse import quote, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairlead.base.blobs.naming import safe_file_name
from fairlead.base.errors import Kind, Refusal
from fairlead.base.http.ranges import Version

PREFIX = "/api/downloads"
_DOWNLOAD = b"fairlead download 1\0"  # a signature made for one purpose never fits another
_REMOVAL = b"fairlead removal 1\0"
_SIGNATURE_BYTES = 64
_NUMBERS = struct.Struct(">QQQ")
_EXPIRY = struct.Struct(">Q")


class LinkIsForged(Refusal):
    kind = Kind.FORBIDDEN
    message = "This download link was not made here, or it has been changed: ask for a new one."


class LinkHasExpired(Refusal):
    kind = Kind.FORBIDDEN
    message = "This download link was good until {expired_at:%Y-%m-%d %H:%M:%S} UTC: ask for a new one."


@dataclass(frozen=True)
class Download:
    """What a link stands for."""

    blob_key: str
    file_name: str
    expires_at: datetime
    modified_at: datetime
    size_bytes: int

    @property
    def version(self) -> Version:
        """The same for every link to the same blob, so that a download can be taken up again under a newer link."""
        content = f"{self.blob_key} {self.size_bytes} {_seconds(self.modified_at)}"
        tag = blake2b(content.encode(), digest_size=16).hexdigest()
        return Version(f'"{tag}"', self.modified_at, self.size_bytes)


class Links:
    """Signs links with our key, and knows its own again."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public_key = key.public_key()

    def sign(
        self, blob_key: str, file_name: str, *, expires_at: datetime, modified_at: datetime, size_bytes: int
    ) -> str:
        """The path of a link, to be put behind our own host and port. The blob is served as `file_name`."""
        return self._path(_DOWNLOAD, Download(blob_key, safe_file_name(file_name), expires_at, modified_at, size_bytes))

    def sign_removal(self, blob_key: str, *, expires_at: datetime) -> str:
        """The path of a link at which DELETE removes the blob. It is good for nothing else, nor any other for this."""
        return self._path(_REMOVAL, Download(blob_key, "remove", expires_at, expires_at, 0))

    def verify(self, path: str, now: datetime) -> Download:
        """What the link at this path stands for. A query is none of ours: leave it out.

        Routers hand paths on in their own way: with or without what they are mounted at, and with a slash at the end.
        """
        return self._verified(_DOWNLOAD, path, now)

    def verify_removal(self, path: str, now: datetime) -> str:
        """The key of the blob that may be removed with the link at this path."""
        return self._verified(_REMOVAL, path, now).blob_key

    def ticket(self, purpose: str, subject: str, *, expires_at: datetime) -> str:
        """A text for a path or a query that stands for the subject until then, and for this purpose only."""
        content = _EXPIRY.pack(_seconds(expires_at)) + subject.encode()
        return _token(self._key.sign(_signed(_ticket(purpose), content, "")) + content)

    def redeem(self, purpose: str, ticket: str, now: datetime) -> str:
        """The subject of a ticket that was made for this purpose."""
        content = self._content(_ticket(purpose), ticket, "")
        expires_at = datetime.fromtimestamp(_EXPIRY.unpack_from(content)[0], UTC)
        if now >= expires_at:
            raise LinkHasExpired(expired_at=expires_at)
        return content[_EXPIRY.size :].decode()

    def _path(self, purpose: bytes, link: Download) -> str:
        numbers = _NUMBERS.pack(_seconds(link.expires_at), _seconds(link.modified_at), link.size_bytes)
        content = numbers + link.blob_key.encode()
        token = _token(self._key.sign(_signed(purpose, content, link.file_name)) + content)
        return f"{PREFIX}/{token}/{quote(link.file_name)}"

    def _verified(self, purpose: bytes, path: str, now: datetime) -> Download:
        *_, token, name = ("", *unquote(path).rstrip("/").split("/"))
        content = self._content(purpose, token, name)
        expires, modified, size_bytes = _NUMBERS.unpack_from(content)
        expires_at = datetime.fromtimestamp(expires, UTC)
        if now >= expires_at:
            raise LinkHasExpired(expired_at=expires_at)
        blob_key = content[_NUMBERS.size :].decode()
        return Download(blob_key, name, expires_at, datetime.fromtimestamp(modified, UTC), size_bytes)

    def _content(self, purpose: bytes, token: str, name: str) -> bytes:
        try:
            sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            signature, content = sealed[:_SIGNATURE_BYTES], sealed[_SIGNATURE_BYTES:]
            self._public_key.verify(signature, _signed(purpose, content, name))
        except (InvalidSignature, ValueError) as error:
            raise LinkIsForged from error
        if _token(sealed) != token:
            raise LinkIsForged  # the decoder forgives what we never write
        return content


def _ticket(purpose: str) -> bytes:
    return b"fairlead ticket 1 " + purpose.encode() + b"\0"


def _token(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _signed(purpose: bytes, content: bytes, name: str) -> bytes:
    """The length comes first, so that no byte can move from the content into the name."""
    return purpose + struct.pack(">I", len(content)) + content + name.encode()


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
