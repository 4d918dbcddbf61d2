"""How are all outputs of a job handed out as one file? A zip that is made while it is sent."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from fairlead.base.blobs import Blobs
from fairlead.base.blobs.naming import safe_file_name
from fairlead.base.database import Tx
from fairlead.domain.jobs import job_store
from fairlead.domain.jobs.job_model import JobFile
from fairlead.domain.jobs.looking import find_job, provenance
from fairlead.domain.jobs.tools import Tools

_EARLIEST = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Archive:
    """A job's outputs and where they come from. Its chunks can be read once the transaction is over."""

    name: str
    files: Sequence[JobFile]
    told: Mapping[str, Any]
    blobs: Blobs

    def chunks(self) -> Iterator[bytes]:
        """Each file stands in a folder that is called after its output."""
        passed = _Passed()
        with zipfile.ZipFile(passed, "w", zipfile.ZIP_DEFLATED) as made:
            for name, file in _named(self.files).items():
                with made.open(zipfile.ZipInfo(name, _EARLIEST), "w", force_zip64=True) as entry:
                    for chunk in self.blobs.read(file.blob_key):
                        entry.write(chunk)
                        yield from passed.take()
                yield from passed.take()
            made.writestr("provenance.json", msgspec.json.format(msgspec.json.encode(self.told), indent=2))
        yield from passed.take()


def archive(tx: Tx, tools: Tools, number: int) -> Archive:
    job = find_job(tx, number)
    name = safe_file_name(f"{job.service.partition('::')[0]}-{job.id}.zip")
    return Archive(name, job_store.files_of(tx, number), provenance(tx, number), tools.blobs)


def _named(files: Sequence[JobFile]) -> dict[str, JobFile]:
    """No two alike, and none that leads out of the folder in which somebody unpacks them."""
    named: dict[str, JobFile] = {}
    for file in files:
        folder, own = safe_file_name(file.parameter), safe_file_name(file.name)
        name, number = f"{folder}/{own}", 2
        while name in named:
            name, number = f"{folder}/{number}_{own}", number + 1
        named[name] = file
    return named


class _Passed(io.RawIOBase):
    """Takes what is written, until it is taken away. There is no way back in it."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, chunk: Any) -> int:
        self._chunks.append(bytes(chunk))
        return len(chunk)

    def take(self) -> Iterator[bytes]:
        waiting, self._chunks = self._chunks, []
        yield from waiting
