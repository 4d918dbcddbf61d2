"""What the JSON documents of an artifact may say, and how they are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from .broken import BrokenArtifact, shown
from .limits import Allowance, Limits

Shape = TypeVar("Shape")
MOST_NAME_CHARACTERS = 4096  # as the reference allows for the names of artifacts and device types


class VersionDocument(msgspec.Struct, frozen=True):
    format: str
    version: int


class PayloadType(msgspec.Struct, frozen=True):
    """`null` since mender-artifact 3.9: a payload that only changes what the device says it has."""

    type: str | None = None


class HeaderInfo2(msgspec.Struct, frozen=True):
    """`header-info` of format versions 1 and 2."""

    artifact_name: str
    device_types_compatible: list[str] | None = None
    updates: list[PayloadType] | None = None


class Provides(msgspec.Struct, frozen=True):
    artifact_name: str
    artifact_group: str | None = None


class Depends(msgspec.Struct, frozen=True):
    device_type: str | list[str] | None = None
    artifact_name: str | list[str] | None = None
    artifact_group: str | list[str] | None = None


class HeaderInfo3(msgspec.Struct, frozen=True):
    """`header-info` of format version 3 (mender.md §2.10). Other keys are ignored, as devices do."""

    artifact_provides: Provides
    artifact_depends: Depends | None = None
    payloads: list[PayloadType] | None = None


class AugmentedHeaderInfo(msgspec.Struct, frozen=True):
    """Of `header-info` in the unsigned header only the payload types count; an empty one changes nothing."""

    payloads: list[PayloadType] | None = None


class TypeInfo(msgspec.Struct, frozen=True):
    """`type-info`. Its type does not count: mender-artifact itself writes an empty one for root file systems."""

    type: str | None = None
    artifact_provides: dict[str, str] | None = None
    artifact_depends: dict[str, str | list[str]] | None = None
    clears_artifact_provides: list[str] | None = None


class FileList(msgspec.Struct, frozen=True):
    """`files` of format versions 1 and 2."""

    files: list[str]


class Documents:
    """Reads documents so that what they unfold to in memory is bounded over the whole artifact."""

    def __init__(self, limits: Limits) -> None:
        self._most_depth = limits.document_depth
        self._values = Allowance("values in the header's documents", limits.document_values)

    def read(self, name: str, content: bytes, shape: type[Shape]) -> Shape:
        try:
            plain = msgspec.json.decode(content)
        except (ValueError, RecursionError) as wrong:
            raise BrokenArtifact(f"{shown(name)} is not JSON: {shown(str(wrong))}") from None
        self._make_sure_it_is_harmless(name, plain)
        try:
            return msgspec.convert(plain, shape)
        except msgspec.ValidationError as wrong:
            raise BrokenArtifact(f"{shown(name)} does not say what it must: {shown(str(wrong))}") from None

    def _make_sure_it_is_harmless(self, name: str, plain: Any) -> None:
        """Refuse what a database or another JSON library downstream would choke on."""
        level = [plain]
        for _ in range(self._most_depth):
            self._values.take(len(level))
            if any(is_harmful(value) for value in level):
                raise BrokenArtifact(f"{shown(name)} has a zero byte in a text or a number beyond 64 bits")
            level = [inner for value in level for inner in contents(value)]
            if not level:
                return
        raise BrokenArtifact(f"{shown(name)} is nested too deeply")


def contents(value: Any) -> Iterator[Any]:
    match value:
        case dict():
            yield from value
            yield from value.values()
        case list():
            yield from value


def is_harmful(value: Any) -> bool:
    match value:
        case str():
            return "\0" in value
        case int():
            return not -(1 << 63) <= value < 1 << 64
    return False


def make_sure_it_is_a_name(what: str, name: str) -> None:
    if not 0 < len(name) <= MOST_NAME_CHARACTERS:
        raise BrokenArtifact(f"{what} is empty or too long")
