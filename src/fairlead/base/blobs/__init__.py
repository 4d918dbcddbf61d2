"""Payloads: large, opaque, written once, read often, in a folder or in an S3 store."""

from fairlead.base.blobs.address import BadBlobUrl, open_blobs
from fairlead.base.blobs.model import (
    BadBlobKey,
    BlobIsMissing,
    Blobs,
    Incoming,
    Kept,
    Reading,
    StoreCannotBeUsed,
    StoreIsAway,
    StoreIsFull,
)

__all__ = [
    "BadBlobKey",
    "BadBlobUrl",
    "BlobIsMissing",
    "Blobs",
    "Incoming",
    "Kept",
    "Reading",
    "StoreCannotBeUsed",
    "StoreIsAway",
    "StoreIsFull",
    "open_blobs",
]
