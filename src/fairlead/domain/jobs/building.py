"""What does a job run, and in which folder? Made from its row and its data alone, the same each time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fairlead.base.blobs import BlobIsMissing
from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.domain import catalog
from fairlead.domain.identity import portal
from fairlead.domain.jobs import commands, data_store, job_store
from fairlead.domain.jobs.data_model import Data, DataStatus
from fairlead.domain.jobs.execution import WORK, Asked, JobSpec
from fairlead.domain.jobs.execution.runner import tidying
from fairlead.domain.jobs.job_inputs import stderr_of, stdout_of, values_again
from fairlead.domain.jobs.job_model import Job, JobInput
from fairlead.domain.jobs.tools import Tools


class DataGone(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "The data {id} cannot be read: {reason}"


@dataclass(frozen=True, slots=True)
class Sources:
    """A job with all that is kept of what it needs."""

    job: Job
    service: catalog.Service
    inputs: Sequence[JobInput]
    data: Mapping[int, Data]

    @property
    def program(self) -> catalog.Program:
        if not isinstance(self.service, catalog.Program):
            raise TypeError("only programs are built")
        return self.service

    @property
    def checked(self) -> commands.Checked:
        return values_again(self.service, self.job.inputs, self.inputs)

    def awaited(self) -> list[Data]:
        """What is not here yet. Data that will never be refuse."""
        found = []
        for each in self.inputs:
            data = self.data.get(each.data)
            if data is None:
                raise DataGone(id=portal.written(each.data), reason="they were removed.")
            if data.status is DataStatus.ERROR:
                raise DataGone(id=data.id, reason=data.message)
            if data.status.is_awaited:
                found.append(data)
        return found


@dataclass(frozen=True, slots=True)
class Built:
    """What is handed to an execution system, and how people would type it."""

    spec: JobSpec
    command_line: str
    paramfiles: Mapping[str, str]
    system: str

    @property
    def shown(self) -> dict[str, Any]:
        return {**self.spec.as_document(), "paramfiles": dict(self.paramfiles), "system": self.system}


def sources_of(tx: Tx, job: Job) -> Sources:
    service = catalog.read_json(job_store.service_document(tx, job.service_hash).encode())
    inputs = job_store.inputs_of(tx, job.number)
    return Sources(job, service, inputs, data_store.of_numbers(tx, {each.data for each in inputs}))


def built(tools: Tools, sources: Sources) -> Built:
    """Refuses as `commands.build` does."""
    program = sources.program
    command = commands.build(program, sources.checked)
    spec = JobSpec(
        pipes=command.pipes,
        stdout=stdout_of(program),
        stderr=stderr_of(program),
        environment={**tools.environment, **command.environment},
        limits=tools.limits,
        network=program.network,
        cpus=program.cpu or 1,
    )
    return Built(spec, command.line, command.paramfiles, tools.routes.choose(_asked(sources, spec)))


def _asked(sources: Sources, spec: JobSpec) -> Asked:
    job = sources.job
    return Asked(
        service=job.service,
        topics=_with_those_above(sources.service.topics),
        project=portal.written(job.project),
        user=portal.written(job.user_number),
        input_bytes=sum(data.size_bytes for data in sources.data.values()),
        cpus=spec.cpus,
    )


def _with_those_above(topics: Iterable[str]) -> list[str]:
    found: dict[str, None] = {}
    waiting = list(topics)
    while waiting:
        term = catalog.find_term(waiting.pop())
        if term is not None and term.id not in found:
            found[term.id] = None
            waiting += term.parents
    return list(found)


def fill_folder(
    tools: Tools, tenant_id: str, sources: Sources, made: Built, alive: Callable[[], bool]
) -> list[JobInput]:
    """Put what the job reads into its folder, which is begun anew; the files as they are there."""
    folder = tools.folder_of(tenant_id, sources.job.number)
    work = folder / WORK
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not alive():  # another has taken our place, and the programs may be at work there
        raise NobodysTurn
    tidying.remove(str(work))
    work.mkdir(mode=0o700)
    for name, text in made.paramfiles.items():
        _write(work / name, [text.encode()])
    return [_copy(tools, work, sources.data[each.data], each, alive) for each in sources.inputs]


def _copy(tools: Tools, work: Path, data: Data, each: JobInput, alive: Callable[[], bool]) -> JobInput:
    digest, size = hashlib.sha256(), 0

    def chunks() -> Iterable[bytes]:
        nonlocal size
        for chunk in tools.blobs.read(data.blob_key):
            if not alive():
                raise NobodysTurn
            digest.update(chunk)
            size += len(chunk)
            yield chunk

    try:
        _write(work / each.file_name, chunks())
    except BlobIsMissing:
        raise DataGone(id=data.id, reason="their bytes are not there.") from None
    if digest.hexdigest() != data.sha256:
        raise DataGone(id=data.id, reason="their bytes are not those that were received.")
    return replace(each, size_bytes=size, sha256=digest.hexdigest())


class NobodysTurn(Refusal):
    """The worker is to stop, or another has taken its place: the step is done again."""

    kind = Kind.UNAVAILABLE
    message = "another worker goes on"


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(file, "wb") as written:
        for chunk in chunks:
            written.write(chunk)
