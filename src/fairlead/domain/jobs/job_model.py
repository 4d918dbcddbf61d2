"""What is a job, and which status may follow which? (mobyle.md §1.2)"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fairlead.base.errors import Kind, Refusal
from fairlead.domain.identity import portal

LONGEST_NAME = 200
LONGEST_MESSAGE = 1000
LONGEST_KEY = 200
OTHER_FILES = "other_files"
"""The output that holds what no output of the description does: many descriptions forget what their program writes."""


class Status(enum.StrEnum):
    INIT = "init"
    TO_BE_BUILT = "to be built"
    BUILDING = "building"
    TO_BE_SUBMITTED = "to be submitted"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    UPDATING = "updating"
    PENDING = "pending"
    RUNNING = "running"
    HOLD = "hold"  # its execution system holds it
    PAUSE = "pause"  # it is held before any execution system has it
    FINISHED = "finished"
    ERROR = "error"
    KILLED = "killed"
    UNKNOWN = "unknown"  # what became of it, nobody can say

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL

    @property
    def is_queryable(self) -> bool:
        """Does its execution system know how it is?"""
        return self in QUERYABLE

    @property
    def group(self) -> Group:
        return next(group for group, members in _GROUPS.items() if self in members)


class Group(enum.StrEnum):
    """The few words in which people think of jobs."""

    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"


TERMINAL = (Status.FINISHED, Status.ERROR, Status.KILLED, Status.UNKNOWN)
ACTIVE = tuple(status for status in Status if status not in TERMINAL)
QUERYABLE = (Status.SUBMITTED, Status.PENDING, Status.RUNNING, Status.HOLD)
UNSUBMITTED = (Status.INIT, Status.TO_BE_BUILT, Status.TO_BE_SUBMITTED, Status.PAUSE)
"""Nobody is at such a job, so that it can be ended at once."""

_GROUPS = {
    Group.PREPARING: (Status.INIT, Status.TO_BE_BUILT, Status.BUILDING, Status.TO_BE_SUBMITTED, Status.SUBMITTING),
    Group.RUNNING: (Status.SUBMITTED, Status.UPDATING, Status.RUNNING, Status.PENDING),
    Group.PAUSED: (Status.PAUSE, Status.HOLD),
    Group.FINISHED: TERMINAL,
}
_SEEN = {Status.RUNNING, Status.PENDING, Status.HOLD, *TERMINAL}
_ENDED_EARLY = {Status.ERROR, Status.KILLED, Status.UNKNOWN}
_NEXT: dict[Status, set[Status]] = {
    Status.INIT: {Status.TO_BE_BUILT},
    Status.TO_BE_BUILT: {Status.BUILDING},
    Status.BUILDING: {Status.TO_BE_SUBMITTED},
    Status.TO_BE_SUBMITTED: {Status.SUBMITTING, Status.PAUSE},
    Status.SUBMITTING: {Status.SUBMITTED},
    Status.SUBMITTED: {Status.UPDATING},
    Status.UPDATING: _SEEN,
    Status.PENDING: {Status.UPDATING},
    Status.RUNNING: {Status.UPDATING},
    Status.HOLD: {Status.UPDATING},
    Status.PAUSE: {Status.TO_BE_SUBMITTED},
}
TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    status: frozenset(_NEXT[status] | _ENDED_EARLY if status in _NEXT else ()) for status in Status
}


class Wish(enum.StrEnum):
    """What was asked for, and has not come about yet."""

    NOTHING = ""
    PAUSE = "pause"
    RESUME = "resume"
    KILL = "kill"


class JobKind(enum.StrEnum):
    PROGRAM = "program"
    WORKFLOW = "workflow"


@dataclass(frozen=True, slots=True)
class Job:
    """`inputs` are the values as they were given, with data by their ids; `service` is the full name that it had then.

    `spec` is what was run, `outcome` how its execution system saw it end. A task of a workflow has a parent.
    """

    number: int
    project: int
    user_number: int
    name: str
    kind: JobKind
    service: str
    service_version: str
    service_hash: str
    inputs: Mapping[str, Any]
    plan: Mapping[str, Any]
    likeness: str
    status: Status
    message: str
    wish: Wish
    events: int
    runs: int
    node: str
    system: str
    native_id: str
    command_line: str
    spec: Mapping[str, Any]
    outcome: Mapping[str, Any]
    exit_code: int | None
    parent_job: int | None
    parent_task: str | None
    asked_key: str | None
    asked_hash: str
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def id(self) -> str:
        return portal.written(self.number)


@dataclass(frozen=True, slots=True)
class Event:
    """A status that a job has had, the first numbered 1."""

    number: int
    at: datetime
    status: Status
    message: str


@dataclass(frozen=True, slots=True)
class JobInput:
    """Data that a job reads. Size and digest are those that it has read, once it has."""

    parameter: str
    position: int
    data: int
    file_name: str
    size_bytes: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class JobFile:
    """A file that a job has left behind, and as which of its outputs."""

    parameter: str
    position: int
    name: str
    size_bytes: int
    sha256: str
    blob_key: str


@dataclass(frozen=True, slots=True)
class Submission:
    """What is to be run with which values.

    A file is `{"data": id}`, `{"content": text, "filename": name}` or `{"url": address}`. With the same key, the same
    submission is one job however often it comes.
    """

    project: int
    service: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    key: str = ""


class ServiceNotHere(Refusal):
    kind = Kind.NOT_BUILT
    message = "{name} is a service of another server, and cannot be called from here yet."


class NotAJob(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "{reason}"


class BadJobName(Refusal):
    message = f"The name of a job is printable and has at most {LONGEST_NAME} characters."


class BadKey(Refusal):
    message = f"An idempotency key is printable and has at most {LONGEST_KEY} characters."


class KeyUsedForAnother(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "This idempotency key was used for another job."


class TooManyJobs(Refusal):
    kind = Kind.LIMIT
    message = "You have {most} jobs under way, as many as you may: wait for the end of one, or kill one."


class TooManySimilarJobs(Refusal):
    kind = Kind.LIMIT
    message = "The job {job} does the same and is under way."


class JobIsOver(Refusal):
    kind = Kind.CONFLICT
    message = "The job is {status}."


class JobIsNotOver(Refusal):
    kind = Kind.CONFLICT
    message = "The job is {status}: it has to end first."


class TaskIsNotOver(Refusal):
    kind = Kind.CONFLICT
    message = "The task {task} is {status}: it has to end first."


class JobIsATask(Refusal):
    kind = Kind.CONFLICT
    message = "This is a task of the job {parent}, with which it goes."


class JobIsNeeded(Refusal):
    kind = Kind.CONFLICT
    message = "An output of this job is being copied."


class NoSuchOutput(Refusal):
    kind = Kind.NOT_FOUND
    message = "The job has left no {name} behind."


def make_sure_name_is_good(name: str) -> None:
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise BadJobName


def make_sure_may_follow(before: Status, after: Status) -> None:
    """Another order would be a bug of ours."""
    if after not in TRANSITIONS[before]:
        raise ValueError(f"a job that is {before.value} cannot become {after.value}")
