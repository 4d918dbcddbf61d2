"""How is something begun with a stack, and how does it end?

Whatever is begun raises the stack's `operation` and starts a job that knows its number: a job whose number is not
the stack's any more is void, and does nothing. A job waits until the one before it is over, so that a driver is called
by one of them at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.base.seal import Seal
from fairlead.domain import audit, workflows
from fairlead.domain.stacks import store
from fairlead.domain.stacks.model import Status
from fairlead.domain.stacks.store import Record

WORKFLOW = "stack"
LONGEST_CAUSE = 2000

_DONE = {
    Status.CREATE_IN_PROGRESS: Status.CREATE_COMPLETE,
    Status.UPDATE_IN_PROGRESS: Status.UPDATE_COMPLETE,
    Status.UPDATE_ROLLBACK_IN_PROGRESS: Status.UPDATE_ROLLBACK_COMPLETE,
}
_FAILED = {
    Status.CREATE_IN_PROGRESS: Status.CREATE_FAILED,
    Status.UPDATE_IN_PROGRESS: Status.UPDATE_FAILED,
    Status.UPDATE_ROLLBACK_IN_PROGRESS: Status.UPDATE_ROLLBACK_FAILED,
    Status.DELETE_IN_PROGRESS: Status.DELETE_FAILED,
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Operation:
    """What a job is about. `after` is the job that has to be over first."""

    stack_id: str
    number: int
    after: str
    removes: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """How an operation is written into the stack's row."""

    number: int
    job_id: str
    began_at: datetime

    @property
    def values(self) -> dict[str, Any]:
        return {"operation": self.number, "job_id": self.job_id, "began_at": self.began_at}


def start_job(tx: Tx, seal: Seal, operation: Operation) -> Begun:
    inputs = {
        "stack_id": operation.stack_id,
        "operation": str(operation.number),
        "after": operation.after,
        "removes": "yes" if operation.removes else "",
    }
    key = f"{operation.stack_id} {operation.number}"
    job_id = workflows.start_own(tx, seal, WORKFLOW, inputs, tenant_id=tx.tenant_id, key=key)
    return Begun(operation.number, job_id, clock.now())


def operation_of(job: workflows.Job) -> Operation:
    inputs = job.inputs
    return Operation(inputs["stack_id"], int(inputs["operation"]), inputs["after"], inputs["removes"] == "yes")


def begin(tx: Tx, seal: Seal, record: Record, status: Status, **values: Any) -> None:
    """Begin the next operation on a stack that is held. What was under way is void."""
    removes = status is Status.DELETE_IN_PROGRESS
    begun = start_job(tx, seal, Operation(record.id, record.operation + 1, record.job_id, removes))
    store.change(tx, record.id, status=status.value, **begun.values, **values)


def replace_instances(tx: Tx, seal: Seal, record: Record, instance_ids: list[str]) -> None:
    """Have others in the place of these. The status stays as it is: people may go on with the stack meanwhile."""
    audit.record(tx, "stack.replace", target=record.id, name=record.nickname, instances=sorted(instance_ids))
    begin(tx, seal, record, record.status)


def complete(tx: Tx, record: Record) -> None:
    """What was begun is done: the version is a good one.

    A stack that was rolled back still says why, and one that had failed does when its instances were replaced.
    """
    status = _DONE.get(record.status, record.status)
    cause = record.cause if status is Status.UPDATE_ROLLBACK_COMPLETE or not status.is_complete else ""
    store.change(tx, record.id, status=status.value, cause=cause, job_id="", good_version_id=record.version_id)
    log.info("stacks.complete", stack=record.id, status=status.value)


def fail(tx: Tx, seal: Seal, record: Record, cause: str) -> None:
    """What was begun did not work out. After an update, the version that was good comes back, if there is one."""
    log.warning("stacks.failed", stack=record.id, status=record.status.value, cause=cause)
    if record.status is Status.UPDATE_IN_PROGRESS and record.good_version_id:
        begin(
            tx,
            seal,
            record,
            Status.UPDATE_ROLLBACK_IN_PROGRESS,
            version_id=record.good_version_id,
            cause=_bounded(cause),
        )
    elif record.status.is_settled:
        said = _bounded(f"instances could not be replaced: {cause}") if record.status.is_complete else record.cause
        store.change(tx, record.id, cause=said, job_id="", planned_for=0)
    else:
        if record.status is Status.UPDATE_ROLLBACK_IN_PROGRESS:
            cause = f"{record.cause} And the way back failed: {cause}"
        status = _FAILED[record.status]
        store.change(tx, record.id, status=status.value, cause=_bounded(cause), job_id="")


def _bounded(cause: str) -> str:
    """What a vendor says may be anything."""
    return cause.replace("\0", "").encode(errors="replace").decode()[:LONGEST_CAUSE]


def is_over(tx: Tx, job_id: str) -> bool:
    """Will the job do no more?"""
    return not workflows.open_among(tx, [job_id])
