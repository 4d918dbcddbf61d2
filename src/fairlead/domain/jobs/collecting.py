"""What has a job left behind? Kept as payloads with their digests, and then the job has come to its end."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fairlead.base.database import Database
from fairlead.base.scope import system_scope
from fairlead.domain import workflows
from fairlead.domain.jobs import commands, job_store
from fairlead.domain.jobs.building import NobodysTurn, Sources, sources_of
from fairlead.domain.jobs.data_model import ProjectIsFull
from fairlead.domain.jobs.endings import end
from fairlead.domain.jobs.execution import WORK, State
from fairlead.domain.jobs.job_inputs import stderr_of, stdout_of
from fairlead.domain.jobs.job_model import OTHER_FILES, Job, JobFile, Status
from fairlead.domain.jobs.left_files import open_left
from fairlead.domain.jobs.receiving import PAYLOADS, make_sure_there_is_room
from fairlead.domain.jobs.tools import Tools
from fairlead.domain.jobs.work import WAIT_FOR_OTHERS_SECONDS, Work
from fairlead.domain.workflows import NotYet, Step

MOST_FILES = 5000
CHUNK_BYTES = 256 * 1024
_STREAMS = ("stdout", "stderr")
_ENDS = {
    State.FINISHED.value: Status.FINISHED,
    State.FAILED.value: Status.ERROR,
    State.KILLED.value: Status.KILLED,
}


@dataclass(frozen=True, slots=True)
class Left:
    """A file in a job's folder, and as which output it counts."""

    parameter: str
    position: int
    name: str


def end_steps(database: Database, tools: Tools) -> Callable[[workflows.Job], Sequence[Step]]:
    """What the workflow `SCIENCE_JOB_END` consists of."""

    def of(job: workflows.Job) -> Sequence[Step]:
        work = Work(database, tools, system_scope(job.tenant_id), int(job.inputs["number"]))
        return [work.step("collect", Collecting(work).collect)]

    return of


@dataclass(frozen=True, slots=True)
class Collecting:
    """The end of one job. Payloads have names that are the same each time, so that none is kept twice."""

    work: Work

    def collect(self, alive: Callable[[], bool]) -> None:
        job = self.work.look()
        if job is None or job.status is not Status.UPDATING:
            return
        if job.node != self.work.tools.node:
            raise NotYet("the server that has its files", WAIT_FOR_OTHERS_SECONDS)
        with self.work.database.read(self.work.scope) as tx:
            sources = sources_of(tx, job)
        files = self._keep(sources, alive)
        self._end(job, files)

    def _keep(self, sources: Sources, alive: Callable[[], bool]) -> list[JobFile]:
        """Those that have something in them, and are not what the job was given."""
        folder = self.work.tools.folder_of(self.work.scope.tenant_id, self.work.number) / WORK
        given = {each.file_name: each.sha256 for each in sources.inputs}
        kept: dict[str, JobFile | None] = {}
        found: list[JobFile] = []
        positions: dict[str, int] = {}
        for left in _left_behind(sources, folder):
            if left.name not in kept:
                number = len(kept)
                kept[left.name] = self._keep_one(folder, left, number, given, alive)
            file = kept[left.name]
            if file is not None:
                position = positions.get(left.parameter, 0)
                positions[left.parameter] = position + 1
                found.append(
                    JobFile(left.parameter, position, _as_text(file.name), file.size_bytes, file.sha256, file.blob_key)
                )
        return found

    def _keep_one(
        self, folder: Path, left: Left, number: int, given: dict[str, str], alive: Callable[[], bool]
    ) -> JobFile | None:
        tools, tenant_id = self.work.tools, self.work.scope.tenant_id
        key = f"{PAYLOADS}{tenant_id}/job/{self.work.number}/{number}"
        digest, size = hashlib.sha256(), 0
        with tools.blobs.receive(key) as incoming:
            for chunk in _read(folder / left.name):
                if not alive():
                    raise NobodysTurn
                digest.update(chunk)
                size += len(chunk)
                incoming.write(chunk)
            if not size or given.get(left.name) == digest.hexdigest():
                return None
            incoming.keep()
        return JobFile(left.parameter, left.position, left.name, size, digest.hexdigest(), key)

    def _end(self, job: Job, files: list[JobFile]) -> None:
        status = _ENDS.get(job.outcome.get("state", ""), Status.UNKNOWN)
        message = str(job.outcome.get("message", ""))
        lost: list[str] = []
        with self.work.database.begin(self.work.scope) as tx:
            try:
                size = sum({each.blob_key: each.size_bytes for each in files}.values())
                make_sure_there_is_room(tx, self.work.tools, job.project, size)
            except ProjectIsFull as full:
                status, message = Status.ERROR, f"What it has left behind could not be kept. {full}"
                files, lost = [], list({each.blob_key for each in files})
            ended_at = job.ended_at
            if end(tx, self.work.tools, job, status, message, ended_at=ended_at):
                job_store.replace_files(tx, job.number, files)
                tx.afterwards(lambda: self._forget(lost))

    def _forget(self, keys: list[str]) -> None:
        for key in keys:
            self.work.tools.blobs.remove(key)


def _as_text(name: str) -> str:
    """A program may call its files by bytes that are no text, which nobody can keep or be sent."""
    return os.fsencode(name).decode(errors="replace")


def _left_behind(sources: Sources, folder: Path) -> Iterator[Left]:
    """What the rules of the outputs find, in their order, and then what none of them does."""
    streams = {"stdout": stdout_of(sources.program), "stderr": stderr_of(sources.program)}
    seen = {*streams.values(), *sources.job.spec.get("paramfiles", ())}
    rules = commands.outputs(sources.program, sources.checked)
    told: list[Left] = []
    for rule in rules:
        if rule.kind in _STREAMS:
            names = [streams[rule.kind]]
        else:
            names = sorted({name for pattern in rule.patterns for name in glob.glob(pattern, root_dir=folder)})
        told += [Left(rule.name, position, name) for position, name in enumerate(names)]
    seen.update(left.name for left in told)
    if OTHER_FILES not in {rule.name for rule in rules}:
        others = sorted(name for name in _files_in(folder) if name not in seen)
        told += [Left(OTHER_FILES, position, name) for position, name in enumerate(others)]
    yield from told[:MOST_FILES]


def _files_in(folder: Path) -> list[str]:
    """Those at the top that do not hide."""
    try:
        with os.scandir(folder) as entries:
            return [each.name for each in entries if each.is_file(follow_symlinks=False) and each.name[0] != "."]
    except OSError:
        return []


def _read(path: Path) -> Iterator[bytes]:
    """Nothing of what is not there, or is no file."""
    file = open_left(path)
    if file is not None:
        with file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
