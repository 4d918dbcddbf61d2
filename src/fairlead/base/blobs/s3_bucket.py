"""How do we speak with one bucket, and what do its answers mean?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from fairlead.base.blobs.address import Place
from fairlead.base.blobs.model import BlobIsMissing, StoreCannotBeUsed, StoreIsAway, StoreIsFull, checked
from fairlead.base.errors import Refusal

CONNECTIONS = 64
_MISSING = {"NoSuchKey", "404", "NotFound"}
_FULL = {"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "507"}
_NOT_ALLOWED = "these credentials may not do that; let them read, write, list and delete in the bucket"
_REASONS = {
    "NoSuchBucket": "the bucket does not exist; create it or name another",
    "AccessDenied": _NOT_ALLOWED,
    "403": _NOT_ALLOWED,
    "InvalidAccessKeyId": "it does not know this access key; check the credentials",
    "SignatureDoesNotMatch": "the secret key does not belong to this access key; check the credentials",
}


class S3Bucket:
    """One bucket and a prefix in it, with the client that reaches it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.client = _client(place, place.endpoint)
        self.outside_client = _client(place, place.public_endpoint) if place.public_endpoint else self.client

    def describe(self) -> str:
        name = f"s3://{self._place.bucket}/{self._place.prefix}"
        return f"{name} at {self._place.endpoint}" if self._place.endpoint else name

    def named(self, key: str) -> dict[str, Any]:
        """What every call about one blob says."""
        return self.at(self._place.prefix + checked(key))

    def at(self, name: str) -> dict[str, Any]:
        return {"Bucket": self._place.bucket, "Key": name}

    def within(self) -> dict[str, Any]:
        """What every call about all blobs says."""
        return {"Bucket": self._place.bucket, "Prefix": self._place.prefix}

    def key_of(self, name: str) -> str:
        return name.removeprefix(self._place.prefix)

    @contextmanager
    def in_our_words(self, key: str = "") -> Iterator[None]:
        """Whatever goes wrong in here is refused as one of our own refusals."""
        try:
            yield
        except ClientError as error:
            raise self._refusal(code_of(error), key) from error
        except NoCredentialsError as error:
            reason = "we have no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            raise StoreCannotBeUsed(store=self.describe(), reason=reason) from error
        except BotoCoreError as error:
            raise StoreIsAway(store=self.describe(), reason=type(error).__name__) from error

    def _refusal(self, code: str, key: str) -> Refusal:
        if code in _MISSING:
            return BlobIsMissing(key=key)
        if code in _FULL:
            return StoreIsFull(store=self.describe())
        if code in _REASONS:
            return StoreCannotBeUsed(store=self.describe(), reason=_REASONS[code])
        return StoreIsAway(store=self.describe(), reason=code)


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "no code"))


def _client(place: Place, endpoint: str | None) -> Any:
    """Checksums only where S3 demands them: many stores that speak S3 do not know the newer ones."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=place.region,
        aws_access_key_id=place.access_key,
        aws_secret_access_key=place.secret_key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if place.path_style else "auto"},
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "max_attempts": 4},
            max_pool_connections=CONNECTIONS,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
