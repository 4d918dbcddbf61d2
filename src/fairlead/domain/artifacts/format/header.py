"""What stands in `header.tar` and in `header-augment.tar`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from .broken import BrokenArtifact, shown
from .documents import (
    AugmentedHeaderInfo,
    Depends,
    Documents,
    FileList,
    HeaderInfo2,
    HeaderInfo3,
    PayloadType,
    TypeInfo,
    make_sure_it_is_a_name,
)
from .limits import Limits
from .parts import Document, Part, Skipped
from .tar_header import Member

SCRIPT = re.compile(r"scripts/[^/]+")
OF_PAYLOAD = re.compile(r"headers/([0-9]{4})/(.+)")
UNREAD_IN_VERSION_1 = re.compile(r"signatures/[^/]+|scripts/(?:pre|post|check)/[^/]+")
CHECKSUM = re.compile(r"checksums/([^/]+)\.sha256sum")
SHA256 = re.compile(rb"([0-9a-f]{64})(?:\s.*)?", re.DOTALL)


@dataclass
class Payload:
    """What the header says of one payload."""

    type: str | None
    type_info: TypeInfo | None = None
    meta_data: dict[str, Any] | None = None
    files: list[str] | None = None
    checksums: dict[str, str] = field(default_factory=dict)

    def checksum_of(self, file: str) -> str:
        """Format version 1: by the file's name, or in the oldest artifacts by its name without the ending."""
        checksum = self.checksums.pop(file, None) or self.checksums.pop(PurePosixPath(file).stem, None)
        if checksum is None:
            raise BrokenArtifact(f"checksum missing for {shown(file)}")
        return checksum


@dataclass
class Header:
    """What the header says in every format version, in the words of the third."""

    name: str = ""
    group: str | None = None
    depends: dict[str, str | list[str]] = field(default_factory=dict)
    device_types: list[str] = field(default_factory=list)
    payloads: list[Payload] = field(default_factory=list)


class HeaderReader:
    """Opens the members of a header: `header-info` first, then scripts, then what belongs to the payloads.

    Inside one payload any order will do: the format documents call theirs "not strictly enforced".
    """

    def __init__(self, version: int, documents: Documents, limits: Limits, augments: bool = False) -> None:
        self.header = Header()
        self._version = version
        self._augments = augments
        self._documents = documents
        self._limits = limits
        self._seen: set[str] = set()
        self._scripts_may_come = not augments

    def open(self, member: Member) -> Part:
        name = member.name
        if name in self._seen:
            raise BrokenArtifact(f"{shown(name)} is there twice")
        if not self._seen and name != "header-info":
            raise BrokenArtifact(f"{shown(name)} found where header-info was expected")
        self._seen.add(name)
        if name == "header-info":
            return self._document(name, self._read_info)
        if member.is_folder or (self._scripts_may_come and SCRIPT.fullmatch(name)):
            return Skipped()
        self._scripts_may_come = False
        return self._open_of_payload(name)

    def finish(self) -> Header:
        if not self._seen:
            raise BrokenArtifact("header-info is missing")
        for index, payload in enumerate(self.header.payloads):
            self._make_sure_nothing_is_missing(index, payload)
        return self.header

    def _make_sure_nothing_is_missing(self, index: int, payload: Payload) -> None:
        if payload.type_info is None and not self._augments:
            raise BrokenArtifact(f"headers/{index:04}/type-info is missing")
        if payload.files is None and self._version < 3:
            raise BrokenArtifact(f"headers/{index:04}/files is missing")

    def _open_of_payload(self, name: str) -> Part:
        match = OF_PAYLOAD.fullmatch(name)
        if match is None or int(match[1]) >= len(self.header.payloads):
            raise BrokenArtifact(f"unexpected {shown(name)} in the header")
        payload, rest = self.header.payloads[int(match[1])], match[2]
        if rest == "type-info":
            return self._document(name, lambda content: self._read_type_info(name, payload, content))
        if rest == "meta-data":
            return self._document(name, lambda content: self._read_meta_data(name, payload, content))
        if rest == "files" and self._version < 3:
            return self._document(name, lambda content: self._read_files(name, payload, content))
        if self._version == 1 and UNREAD_IN_VERSION_1.fullmatch(rest):
            return Skipped()
        if self._version == 1 and (file := CHECKSUM.fullmatch(rest)):
            file_name = file[1]
            return self._document(name, lambda content: self._read_checksum(payload, file_name, content))
        raise BrokenArtifact(f"unexpected {shown(name)} in the header")

    def _document(self, name: str, then: Callable[[bytes], None]) -> Part:
        return Document(name, self._limits.document_bytes, then)

    def _read_info(self, content: bytes) -> None:
        if self._augments:
            augmented = self._documents.read("header-info", content, AugmentedHeaderInfo)
            self._take_payloads(augmented.payloads)
        elif self._version < 3:
            self._take_info_2(self._documents.read("header-info", content, HeaderInfo2))
        else:
            self._take_info_3(self._documents.read("header-info", content, HeaderInfo3))

    def _take_info_2(self, info: HeaderInfo2) -> None:
        self._take_identity(info.artifact_name, info.device_types_compatible or [])
        self._take_payloads(info.updates)
        if any(payload.type is None for payload in self.header.payloads):
            raise BrokenArtifact("a payload has no type")

    def _take_info_3(self, info: HeaderInfo3) -> None:
        depends = info.artifact_depends or Depends()
        types = [depends.device_type] if isinstance(depends.device_type, str) else depends.device_type or []
        self._take_identity(info.artifact_provides.artifact_name, types)
        self.header.group = info.artifact_provides.artifact_group or None
        others = {"artifact_name": depends.artifact_name, "artifact_group": depends.artifact_group}
        self.header.depends |= {key: value for key, value in others.items() if value}
        self._take_payloads(info.payloads)

    def _take_identity(self, name: str, device_types: list[str]) -> None:
        make_sure_it_is_a_name("the artifact's name", name)
        if not device_types:
            raise BrokenArtifact("no compatible device type")
        for device_type in device_types:
            make_sure_it_is_a_name("a device type", device_type)
        self.header.name = name
        self.header.device_types = device_types
        self.header.depends["device_type"] = device_types

    def _take_payloads(self, types: list[PayloadType] | None) -> None:
        if len(types or ()) > self._limits.payloads:
            raise BrokenArtifact("too many payloads")
        if not self._augments and any(payload.type == "" for payload in types or ()):
            raise BrokenArtifact("a payload has no type")
        self.header.payloads = [Payload(payload.type) for payload in types or ()]

    def _read_type_info(self, name: str, payload: Payload, content: bytes) -> None:
        payload.type_info = self._documents.read(name, content, TypeInfo)

    def _read_meta_data(self, name: str, payload: Payload, content: bytes) -> None:
        """An empty file is as good as none: mender-artifact writes one for every root file system."""
        if content.strip():
            payload.meta_data = self._documents.read(name, content, dict[str, Any])

    def _read_files(self, name: str, payload: Payload, content: bytes) -> None:
        payload.files = self._documents.read(name, content, FileList).files

    def _read_checksum(self, payload: Payload, file: str, content: bytes) -> None:
        match = SHA256.fullmatch(content)
        if match is None:
            raise BrokenArtifact(f"the checksum of {shown(file)} is not one")
        payload.checksums[file] = match[1].decode()
