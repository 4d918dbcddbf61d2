"""What do we know of an artifact, and when do two of them get in each other's way?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fairlead.base.errors import Kind, Refusal

LARGEST_ARTIFACT_BYTES = 10 * 1024**3
LONGEST_DESCRIPTION = 4096
LONGEST_NAME_BYTES = 1024
LINK_SECONDS = 15 * 60
DEVICE_LINK_SECONDS = 24 * 3600
PAYLOADS = "artifacts/"
UPLOADED_FILES = "generate/"
ORPHAN_AGE = timedelta(days=1)
UNFETCHED_AGE = timedelta(days=2)

Depends = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A stored artifact. `updates`, `provides`, `depends` and `clears` are as its own header says."""

    id: str
    name: str
    description: str
    format: str
    version: int
    signed: bool
    device_types: tuple[str, ...]
    updates: tuple[dict[str, Any], ...]
    provides: dict[str, str]
    depends: dict[str, Any]
    clears: tuple[str, ...]
    size_bytes: int
    sha256: str
    blob_key: str
    modified_at: datetime

    @property
    def file_name(self) -> str:
        """What the file is called when someone downloads it."""
        return f"{self.name}.mender"

    def suits(self, provides: Mapping[str, str], *, mind_depends: bool) -> bool:
        """Can a device that provides this install the artifact? Plans below enterprise look at the type alone."""
        if provides.get("device_type") not in self.device_types:
            return False
        return not mind_depends or all(
            provides.get(key) in _choices(wanted) for key, wanted in self.depends.items() if key != "device_type"
        )


def _choices(wanted: str | Sequence[str]) -> Sequence[str]:
    return [wanted] if isinstance(wanted, str) else wanted


def conflicts(one: Depends, other: Depends) -> bool:
    """Would some device find both artifacts of the same name fit for it in the same way (mender.md §2.3)?"""
    if one.keys() != other.keys():
        return False
    return all(set(_choices(one[key])) & set(_choices(other[key])) for key in one)


class ArtifactNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "Resource not found"


class ArtifactIdTaken(Refusal):
    kind = Kind.CONFLICT
    message = "an artifact with this id is there already"


class ArtifactConflict(Refusal):
    kind = Kind.CONFLICT
    message = "An artifact with the same name has conflicting dependencies: {depends}"


class ArtifactInUse(Refusal):
    kind = Kind.CONFLICT
    message = "Artifact is used in active deployment"


class ArtifactWasUsed(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "Image has already been used in deployment"


class ArtifactTooLarge(Refusal):
    message = "Artifact file too large: at most {limit} bytes"


class DescriptionTooLong(Refusal):
    message = "description: the length must be no more than {limit}"


class StorageIsUsedUp(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "Storage limit reached: {used} of {limit} bytes are used; delete artifacts that no deployment needs"


def make_sure_size_is_good(size_bytes: int, largest_bytes: int = LARGEST_ARTIFACT_BYTES) -> None:
    if size_bytes > largest_bytes:
        raise ArtifactTooLarge(limit=largest_bytes)


def make_sure_description_is_good(description: str) -> None:
    if len(description) > LONGEST_DESCRIPTION:
        raise DescriptionTooLong(limit=LONGEST_DESCRIPTION)
