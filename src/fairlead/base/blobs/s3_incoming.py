"""How does a blob get into an S3 store without filling our memory, or the store with what was given up?

What fits into one part is sent in one piece. Anything longer becomes a multipart upload, which S3 shows to nobody
before it is completed. Two parts travel while the third fills; then the writer waits.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from fairlead.base.blobs.s3_bucket import S3Bucket, code_of

PART_BYTES = 8 * 1024 * 1024
PARTS_IN_FLIGHT = 2


class S3Incoming:
    def __init__(self, bucket: S3Bucket, key: str, senders: ThreadPoolExecutor) -> None:
        self._bucket = bucket
        self._client = bucket.client
        self._key = key
        self._request = bucket.named(key)
        self._senders = senders
        self._filling = bytearray()
        self._upload_id: str | None = None
        self._flying: deque[Future[dict[str, Any]]] = deque()
        self._landed: list[dict[str, Any]] = []
        self._sent_bytes = 0

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        rest = memoryview(chunk)
        while rest:
            room = PART_BYTES - len(self._filling)
            self._filling += rest[:room]
            rest = rest[room:]
            if len(self._filling) == PART_BYTES:
                self._send_part()

    def keep(self) -> None:
        if self._upload_id is None:
            with self._bucket.in_our_words(self._key):
                self._client.put_object(**self._request, Body=bytes(self._filling))
            return
        if self._filling:
            self._send_part()
        while self._flying:
            self._land()
        self._complete(self._upload_id)
        self._upload_id = None

    def discard(self) -> None:
        """What cannot be aborted, because the store is away, is left to the sweeper."""
        if self._upload_id is None:
            return
        wait(self._flying)
        with suppress(ClientError, BotoCoreError):
            self._client.abort_multipart_upload(**self._request, UploadId=self._upload_id)
        self._upload_id = None

    def _send_part(self) -> None:
        if self._upload_id is None:
            with self._bucket.in_our_words(self._key):
                self._upload_id = self._client.create_multipart_upload(**self._request)["UploadId"]
        if len(self._flying) == PARTS_IN_FLIGHT:
            self._land()
        number = len(self._landed) + len(self._flying) + 1
        self._flying.append(self._senders.submit(self._upload, self._upload_id, number, self._filling))
        self._sent_bytes += len(self._filling)
        self._filling = bytearray()

    def _upload(self, upload_id: str, number: int, part: bytearray) -> dict[str, Any]:
        sent = self._client.upload_part(**self._request, UploadId=upload_id, PartNumber=number, Body=part)
        return {"PartNumber": number, "ETag": sent["ETag"]}

    def _land(self) -> None:
        with self._bucket.in_our_words(self._key):
            self._landed.append(self._flying.popleft().result())

    def _complete(self, upload_id: str) -> None:
        """A completion whose answer got lost is asked for again, and then the store no longer knows the upload."""
        with self._bucket.in_our_words(self._key):
            try:
                self._client.complete_multipart_upload(
                    **self._request, UploadId=upload_id, MultipartUpload={"Parts": self._landed}
                )
            except ClientError as error:
                if code_of(error) != "NoSuchUpload" or not self._is_there():
                    raise

    def _is_there(self) -> bool:
        return bool(self._client.head_object(**self._request)["ContentLength"] == self._sent_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()
