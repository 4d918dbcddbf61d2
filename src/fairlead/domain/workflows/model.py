"""What is a workflow, and what becomes of one that was started?"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fairlead.base.errors import Kind, Refusal


class Status(enum.StrEnum):
    """Pending until a worker takes it; then it is processed step by step until it is done, or has failed."""

    PENDING = "pending"
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (Status.PENDING, Status.PROCESSING)


@dataclass(frozen=True, slots=True)
class Result:
    """What one step left behind. `data` is what later steps and the API read of it."""

    step: str
    type: str
    success: bool
    skipped: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a workflow.

    `step` is the number of the next one, `attempts` how often that was tried already, and `takeovers` how many workers
    have died while they were at it.
    """

    id: str
    workflow: str
    tenant_id: str
    inputs: Mapping[str, str]
    document: str
    status: Status
    step: int
    attempts: int
    problem: str
    created_at: datetime
    updated_at: datetime
    results: Sequence[Result] = ()
    takeovers: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """What a step is given. Its `key` is the same at every attempt: whoever is told twice can see that it is once."""

    job_id: str
    tenant_id: str
    inputs: Mapping[str, str]
    results: Mapping[str, Result]
    key: str
    alive: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `do` is called again after a power cut unless its result was already written down.

    It raises `StepFailed` for what may go better at the next attempt.
    """

    name: str
    type: str
    do: Callable[[Run], Result]
    retries: int = 0
    retry_delay: timedelta = timedelta(0)


class StepFailed(Exception):
    """The step did not succeed. `result` is what is shown of it; `for_good`: another attempt would not help."""

    def __init__(self, reason: str, result: Result, *, for_good: bool = False) -> None:
        self.result = result
        self.for_good = for_good
        super().__init__(reason)


class NotYet(Refusal):
    """What the step waits for has not come about. The job gives its thread back and looks again after `seconds`."""

    kind = Kind.UNAVAILABLE
    message = "waiting for {what}"

    def __init__(self, what: str, seconds: float) -> None:
        self.delay = timedelta(seconds=seconds)
        super().__init__(what=what)


class WorkflowNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "Workflow not found"


class JobNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "Workflow job not found"


class WorkflowExists(Refusal):
    kind = Kind.CONFLICT
    message = "Workflow already exists"


class BadDefinition(Refusal):
    message = "{reason}"


class MissingInputs(Refusal):
    message = "Missing input parameters: [{names}]"


class BadInputs(Refusal):
    message = "{reason}"


class TenantIdTooLong(Refusal):
    message = "tenant_id may have at most {limit} characters"


class JobIsOver(Refusal):
    kind = Kind.CONFLICT
    message = "the job is {status} already"


class JobIsNotOver(Refusal):
    kind = Kind.CONFLICT
    message = "only a job that has failed or was cancelled can be tried again; this one is {status}"
