"""What is an artifact of any size, without a file of that size? A few small members, and one block again and again."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterator
from typing import Any

BLOCK = random.Random(2_6).randbytes(1024 * 1024)
DEVICE_TYPE = "fairlead-bench"
_FILE = "data/0000/image"
_TAR_END = bytes(2 * tarfile.BLOCKSIZE)


class Artifact:
    """An uncompressed artifact of format version 3 with one file of `blocks` MiB; `pieces` are its bytes in order."""

    def __init__(self, name: str, blocks: int) -> None:
        self._payload_bytes = blocks * len(BLOCK)
        self._blocks = blocks
        header = _tar({"header-info": _info(name), "headers/0000/type-info": _json({"type": "rootfs-image"})})
        version = _json({"format": "mender", "version": 3})
        manifest = _manifest({"version": version, "header.tar": header}, self._payload_digest())
        members = {"version": version, "manifest": manifest, "header.tar": header}
        self._start = b"".join(_member(each, content) for each, content in members.items())
        inner = _entry("image", self._payload_bytes)
        inner_bytes = len(inner) + self._payload_bytes + len(_TAR_END)
        self._start += _entry("data/0000.tar", inner_bytes) + inner
        self.size_bytes = len(self._start) + self._payload_bytes + 2 * len(_TAR_END)

    def pieces(self) -> Iterator[bytes]:
        yield self._start
        for _ in range(self._blocks):
            yield BLOCK
        yield _TAR_END + _TAR_END

    def _payload_digest(self) -> str:
        digest = hashlib.sha256()
        for _ in range(self._blocks):
            digest.update(BLOCK)
        return digest.hexdigest()


def _info(name: str) -> bytes:
    return _json(
        {
            "payloads": [{"type": "rootfs-image"}],
            "artifact_provides": {"artifact_name": name},
            "artifact_depends": {"device_type": [DEVICE_TYPE]},
        }
    )


def _manifest(members: dict[str, bytes], payload_digest: str) -> bytes:
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    digests[_FILE] = payload_digest
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode()


def _tar(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _entry(name: str, size_bytes: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size = size_bytes
    return entry.tobuf(tarfile.GNU_FORMAT)


def _member(name: str, content: bytes) -> bytes:
    return _entry(name, len(content)) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
