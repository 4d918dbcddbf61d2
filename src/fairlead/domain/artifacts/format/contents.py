"""What is done with each member of an artifact, and what all of them say in the end."""

from __future__ import annotations

import hashlib

from . import merging
from .broken import BrokenArtifact, shown
from .compression import unfold
from .description import Description, Update
from .documents import Documents, VersionDocument
from .header import Header, HeaderReader, Payload
from .limits import Allowance, Limits
from .manifest import Manifest
from .parts import Checked, Document, Followed, Metered, Part, check
from .payload import PayloadReader
from .sequence import Place, Sequence
from .tar import Tar
from .tar_header import Member


class Contents:
    """Opens the members of an artifact one after the other and remembers what they said."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._sequence = Sequence()
        self._documents = Documents(limits)
        self._manifest = Manifest(limits.files)
        self._version = 0
        self._version_sha256 = ""
        self._signed = False
        self._header = Header()
        self._payloads: dict[int, PayloadReader] = {}
        self._unfolded = Allowance("bytes in the payloads", limits.payload_expanded_bytes)

    def open(self, member: Member) -> Part:
        place = Place(member.name)
        if member.is_folder:
            raise BrokenArtifact(f"{shown(member.name)} is a folder")
        self._sequence.admit(place)
        match place.kind:
            case "version":
                return Document("version", self._limits.version_bytes, self._read_version)
            case "manifest.sig":
                return Document(place.name, self._limits.signature_bytes, self._note_signature)
            case "header" | "header-augment":
                return self._open_header(place)
            case "data":
                return self._open_payload(place)
        return Document(
            place.name, self._limits.manifest_bytes, lambda content: self._read_manifest(place.kind, content)
        )

    def describe(self, size_bytes: int, sha256: str) -> Description:
        self._sequence.finish()
        self._manifest.finish()
        header = self._header
        updates = tuple(self._update(index, payload) for index, payload in enumerate(header.payloads))
        return Description(
            name=header.name,
            group=header.group,
            version=self._version,
            signed=self._signed,
            device_types_compatible=tuple(header.device_types),
            updates=updates,
            provides=merging.provides(header),
            depends=merging.depends(header),
            clears=merging.clears(header),
            size_bytes=size_bytes,
            sha256=sha256,
        )

    def _update(self, index: int, payload: Payload) -> Update:
        files = tuple(self._payloads[index].files) if index in self._payloads else ()
        if payload.type is None and files:
            raise BrokenArtifact("a payload without a type has files")
        if payload.files is not None and sorted(payload.files) != sorted(file.name for file in files):
            raise BrokenArtifact(f"headers/{index:04}/files does not list the files that are there")
        return Update(payload.type, files, payload.meta_data or None)

    def _read_version(self, content: bytes) -> None:
        document = self._documents.read("version", content, VersionDocument)
        if document.format != "mender":
            raise BrokenArtifact(f"unsupported format: {shown(document.format)}")
        self._version = document.version
        self._version_sha256 = hashlib.sha256(content).hexdigest()
        self._sequence.continue_as(document.version)

    def _read_manifest(self, name: str, content: bytes) -> None:
        self._manifest.read(name, content)
        if name == "manifest":
            check("version", self._manifest.claim("version"), self._version_sha256)
        elif not self._manifest.promises_one_of("header-augment.tar"):
            raise BrokenArtifact("manifest-augment does not list header-augment.tar")

    def _note_signature(self, content: bytes) -> None:
        self._signed = True

    def _open_header(self, place: Place) -> Part:
        augments = place.kind == "header-augment"
        reader = HeaderReader(self._version, self._documents, self._limits, augments)
        take = self._take_augment if augments else self._take_header
        tar: Part = Tar(place.name, reader.open, self._limits.members)
        tar = Followed(tar, lambda: take(reader.finish()))
        tar = unfold(place.suffix, Allowance("bytes in the header", self._limits.header_expanded_bytes), tar)
        if self._version > 1:
            tar = Checked(place.name, self._manifest.claim(place.name), tar)
        return Metered(Allowance("bytes in the header", self._limits.header_bytes), tar)

    def _take_header(self, header: Header) -> None:
        self._header = header
        if self._version == 1:
            self._promise_what_the_header_lists()

    def _take_augment(self, augment: Header) -> None:
        self._header.payloads = merging.augmented(self._header.payloads, augment.payloads)

    def _promise_what_the_header_lists(self) -> None:
        """Format version 1 has no manifest: each payload's part of the header has its checksums."""
        for index, payload in enumerate(self._header.payloads):
            for file in payload.files or ():
                self._manifest.promise(f"data/{index:04}/{file}", payload.checksum_of(file))
            for file in payload.checksums:
                raise BrokenArtifact(f"a checksum for {shown(file)}, which is not listed")

    def _open_payload(self, place: Place) -> Part:
        if place.index >= len(self._header.payloads):
            raise BrokenArtifact(f"{shown(place.name)} belongs to no payload")
        reader = self._payloads[place.index] = PayloadReader(place.index, self._manifest)
        tar = Tar(place.name, reader.open, self._limits.members)
        return unfold(place.suffix, self._unfolded, tar)
