"""What does the rest of the server ask of whatever carries out jobs? This machine does today, a batch system may later.

A system is given a folder, in whose subfolder `WORK` the job's files are and where its programs run and leave what
they make. Everything else in the folder is the system's own. What a system has taken it knows again after a restart,
by the id that it gave: `submit` may be called again by whoever does not know whether it was called before.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fairlead.base.errors import Kind, Refusal
from fairlead.domain.jobs.execution.runner.records import WORK
from fairlead.domain.jobs.execution.spec import JobSpec

__all__ = ["WORK", "ExecutionSystem", "NotSubmitted", "Observation", "State", "Usage", "WrongFolder"]


class NotSubmitted(Refusal):
    """The system has no job of that id."""

    kind = Kind.NOT_FOUND
    message = "There is no job {native_id!r} here."


class WrongFolder(Refusal):
    """The folder is not one that the system may use."""

    message = "A job cannot run in {folder}: {reason}."


class State(enum.Enum):
    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    KILLED = "killed"
    UNKNOWN = "unknown"

    @property
    def is_over(self) -> bool:
        return self in (State.FINISHED, State.FAILED, State.KILLED)


@dataclass(frozen=True, slots=True)
class Usage:
    """What the job has used. `seconds` is how long it ran, pauses left out; memory is the largest process's."""

    started_at: float | None = None
    ended_at: float | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    output_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Observation:
    """How a job is. It has an exit code if its programs came to an end by themselves; `message` is for people."""

    state: State
    exit_code: int | None = None
    message: str = ""
    usage: Usage = field(default_factory=Usage)


class ExecutionSystem(Protocol):
    """Takes jobs, says how they are, and stops them."""

    def submit(self, folder: Path, spec: JobSpec) -> str:
        """Take the job, once: the same folder is the same job. The answer is the system's own id of it."""

    def poll(self, native_ids: Iterable[str]) -> Mapping[str, Observation]:
        """How each of them is. It must be asked now and then, for a system may use the occasion to go on."""

    def kill(self, native_id: str) -> None:
        """End the job with everything that it has started. One that is over stays as it is."""

    def pause(self, native_id: str) -> None:
        """Hold the job, wherever it is. Its time stands still."""

    def resume(self, native_id: str) -> None:
        """Let it go on."""

    def describe(self) -> str:
        """How jobs are run here, in a sentence for the operator."""
