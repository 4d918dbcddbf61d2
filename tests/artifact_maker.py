"""Artifacts of every kind for tests, written independently of the code that reads them.

    make_artifact(name="release-1", device_types=["pi"], payloads=[Payload(files={"a.txt": b"hi"})])

What no argument of `make_artifact` can break, `Artifact` can: take one apart, change members, pack it again.

    broken = plan(name="release-1")
    broken.members["version"] = b"{}"
    broken.pack()
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import lzma
import tarfile
from dataclasses import dataclass, field
from typing import Any

import zstandard

SUFFIXES = {"none": "", "gzip": ".gz", "xz": ".xz", "zst": ".zst"}
DEVICE_TYPES = ("qemux86-64",)


@dataclass
class Payload:
    """`meta_data` may be bytes, to be written as they are; None leaves the file away."""

    type: str | None = "single-file"
    files: dict[str, bytes] = field(default_factory=dict)
    meta_data: dict[str, Any] | bytes | None = None
    provides: dict[str, str] = field(default_factory=dict)
    depends: dict[str, Any] = field(default_factory=dict)
    clears: list[str] = field(default_factory=list)


@dataclass
class Artifact:
    """Members in the order in which they will be packed; those of the inner archives are packed already."""

    members: dict[str, bytes]

    def pack(self) -> bytes:
        return tar(self.members)

    def put(self, name: str, content: bytes, before: str) -> None:
        """Put a new member in front of another one."""
        at = list(self.members).index(before)
        items = list(self.members.items())
        self.members = dict([*items[:at], (name, content), *items[at:]])

    def promise_again(self) -> None:
        """Write the manifest's checksums anew after its members were changed; those of the data stay."""
        lines = [line for line in self.members["manifest"].decode().splitlines() if "  data/" in line]
        outer = [name for name in self.members if name == "version" or name.startswith("header.tar")]
        lines += [f"{sha256(self.members[name])}  {name}" for name in outer]
        self.members["manifest"] = "".join(f"{line}\n" for line in lines).encode()


def make_artifact(**wishes: Any) -> bytes:
    """The bytes of an artifact; `plan` lists what can be wished for."""
    return plan(**wishes).pack()


def plan(
    name: str = "release-1",
    device_types: list[str] | tuple[str, ...] = DEVICE_TYPES,
    payloads: list[Payload] | None = None,
    *,
    version: int = 3,
    compression: str = "gzip",
    header_compression: str | None = None,
    group: str | None = None,
    provides: dict[str, str] | None = None,
    depends: dict[str, Any] | None = None,
    clears: list[str] | None = None,
    header_depends: dict[str, Any] | None = None,
    signed: bool = False,
    scripts: dict[str, bytes] | None = None,
    augments: list[Payload] | None = None,
    long_names_inside: bool = False,
    tar_format: int = tarfile.GNU_FORMAT,
) -> Artifact:
    """An artifact that can still be changed.

    `provides`, `depends` and `clears` are added to the first payload. `augments` lie over the payloads one by one,
    their files beside the payloads' files. With `long_names_inside` the files are named `data/0000/…` inside.
    """
    parts = [Payload(files={"a.txt": b"hello"})] if payloads is None else list(payloads)
    if parts:
        first = parts[0]
        parts[0] = Payload(
            first.type,
            first.files,
            first.meta_data,
            {**first.provides, **(provides or {})},
            {**first.depends, **(depends or {})},
            [*first.clears, *(clears or [])],
        )
    write = _Writer(version, compression, header_compression or compression, tar_format, long_names_inside)
    info = header_info(version, name, list(device_types), parts, group, header_depends or {})
    return write.artifact(info, parts, scripts or {}, augments, signed)


def header_info(
    version: int,
    name: str,
    device_types: list[str],
    payloads: list[Payload],
    group: str | None,
    depends: dict[str, Any],
) -> dict[str, Any]:
    types = [{"type": payload.type} for payload in payloads]
    if version < 3:
        return {"artifact_name": name, "updates": types, "device_types_compatible": device_types}
    provided = {"artifact_name": name} | ({"artifact_group": group} if group else {})
    return {
        "payloads": types,
        "artifact_provides": provided,
        "artifact_depends": {"device_type": device_types, **depends},
    }


@dataclass
class _Writer:
    version: int
    compression: str
    header_compression: str
    tar_format: int
    long_names_inside: bool

    def artifact(
        self,
        info: dict[str, Any],
        payloads: list[Payload],
        scripts: dict[str, bytes],
        augments: list[Payload] | None,
        signed: bool,
    ) -> Artifact:
        versioned = as_json({"format": "mender", "version": self.version})
        suffix = SUFFIXES[self.header_compression]
        header = {f"header.tar{suffix}": self.header(info, payloads, scripts)}
        augmented = {}
        if augments is not None:
            types = {"payloads": [{"type": augment.type} for augment in augments]}
            augmented = {f"header-augment.tar{suffix}": self.header(types, augments, {})}
        members = {"version": versioned}
        if self.version > 1:
            members["manifest"] = manifest({"version": versioned, **header, **named(payloads)})
        if signed:
            members["manifest.sig"] = base64.b64encode(
                b"a signature of 64 bytes, or what looks like one to a server....."
            )
        if augmented:
            members["manifest-augment"] = manifest({**augmented, **named(augments or [])})
        return Artifact({**members, **header, **augmented, **self.data(payloads, augments or [])})

    def header(self, info: dict[str, Any], payloads: list[Payload], scripts: dict[str, bytes]) -> bytes:
        members = {"header-info": as_json(info)}
        members |= {f"scripts/{name}": content for name, content in scripts.items()}
        for index, payload in enumerate(payloads):
            of_payload = self.header_of_payload(payload)
            members |= {f"headers/{index:04}/{name}": content for name, content in of_payload.items()}
        return compress(self.header_compression, tar(members, self.tar_format))

    def header_of_payload(self, payload: Payload) -> dict[str, bytes]:
        members = {}
        if self.version < 3:
            members["files"] = as_json({"files": list(payload.files)})
        members["type-info"] = as_json(self.type_info(payload))
        if isinstance(payload.meta_data, bytes):
            members["meta-data"] = payload.meta_data
        elif payload.meta_data is not None:
            members["meta-data"] = as_json(payload.meta_data)
        if self.version == 1:
            members |= {f"checksums/{name}.sha256sum": sha256(file).encode() for name, file in payload.files.items()}
        return members

    def type_info(self, payload: Payload) -> dict[str, Any]:
        more = {
            "artifact_provides": payload.provides,
            "artifact_depends": payload.depends,
            "clears_artifact_provides": payload.clears,
        }
        return {"type": payload.type} | (
            {key: value for key, value in more.items() if value} if self.version > 2 else {}
        )

    def data(self, payloads: list[Payload], augments: list[Payload]) -> dict[str, bytes]:
        members = {}
        for index, payload in enumerate(payloads):
            files = payload.files | (augments[index].files if index < len(augments) else {})
            folder = f"data/{index:04}/" if self.long_names_inside else ""
            packed = tar({folder + name: content for name, content in files.items()}, self.tar_format)
            members[f"data/{index:04}.tar{SUFFIXES[self.compression]}"] = compress(self.compression, packed)
        return members


def named(payloads: list[Payload]) -> dict[str, bytes]:
    return {
        f"data/{index:04}/{name}": content
        for index, payload in enumerate(payloads)
        for name, content in payload.files.items()
    }


def manifest(members: dict[str, bytes]) -> bytes:
    lines = [f"{sha256(content)}  {name}\n" for name, content in members.items()]
    return "".join(sorted(lines, key=lambda line: line[66:])).encode()


def tar(members: dict[str, bytes], tar_format: int = tarfile.GNU_FORMAT) -> bytes:
    """Members as they are; a name that ends in `/` is a folder."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tar_format) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def compress(how: str, content: bytes) -> bytes:
    match how:
        case "gzip":
            return gzip.compress(content, mtime=0)
        case "xz":
            return lzma.compress(content, preset=0)
        case "zst":
            return zstandard.ZstdCompressor(write_checksum=True).compress(content)
    return content


def as_json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
