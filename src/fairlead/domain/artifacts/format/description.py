"""What an artifact says about itself once every byte of it was checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class File:
    """One file of a payload; `checksum` is the SHA-256 of its uncompressed content, in hex."""

    name: str
    checksum: str
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Update:
    """One payload. `type` is None in a bootstrap artifact, which installs nothing; `meta_data` is None when empty."""

    type: str | None
    files: tuple[File, ...]
    meta_data: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Description:
    """A whole artifact. `provides` and `depends` are those of the header and of all payloads in one.

    In `depends` a single value stays a string, except `device_type`, which is always a list. `signed` says that there
    is a signature, not that it is a good one: only devices hold the key to tell. `sha256` and `size_bytes` are those
    of the file as it was uploaded.
    """

    name: str
    group: str | None
    version: int
    signed: bool
    device_types_compatible: tuple[str, ...]
    updates: tuple[Update, ...]
    provides: dict[str, str]
    depends: dict[str, str | list[str]]
    clears: tuple[str, ...]
    size_bytes: int
    sha256: str
    format: str = "mender"

    @property
    def payload_types(self) -> tuple[str | None, ...]:
        return tuple(update.type for update in self.updates)
