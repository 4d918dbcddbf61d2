"""How is an object read, when whoever reads it may take an hour?"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from fairlead.base.blobs.s3_bucket import S3Bucket, code_of

_BEYOND_THE_END = {"InvalidRange", "416"}


class S3Reading:
    """One GET, taken up where it broke off: a store hangs up on a slow reader, and a download waits for its client."""

    def __init__(self, bucket: S3Bucket, key: str, start: int, length: int | None) -> None:
        self._bucket = bucket
        self._key = key
        self._request = bucket.named(key)
        self._at = start
        self._end = None if length is None else start + length
        self._body: Any = None

    def read(self, size_bytes: int) -> bytes:
        if self._at == self._end:
            return b""
        with self._bucket.in_our_words(self._key):
            try:
                chunk = self._next(size_bytes)
            except BotoCoreError:
                if self._body is None:
                    raise
                self.close()
                chunk = self._next(size_bytes)
        self._at += len(chunk)
        return chunk

    def close(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None

    def _next(self, size_bytes: int) -> bytes:
        if self._body is None and not self._open():
            return b""
        return bytes(self._body.read(size_bytes))

    def _open(self) -> bool:
        """False when there is nothing left: S3 refuses a range that begins at the end."""
        try:
            found = self._bucket.client.get_object(**self._request, **self._range())
        except ClientError as error:
            if code_of(error) in _BEYOND_THE_END:
                return False
            raise
        self._body = found["Body"]
        self._request["IfMatch"] = found["ETag"]  # the same bytes, should we have to ask again
        return True

    def _range(self) -> dict[str, str]:
        if self._end is not None:
            return {"Range": f"bytes={self._at}-{self._end - 1}"}
        return {"Range": f"bytes={self._at}-"} if self._at else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
