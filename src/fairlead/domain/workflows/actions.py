"""What can be done with workflows from outside of the workers?"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from fairlead.base import clock
from fairlead.base.database import Database, Tx
from fairlead.base.seal import Seal
from fairlead.domain.workflows import store
from fairlead.domain.workflows.definition import Definition, read_file
from fairlead.domain.workflows.model import (
    OPEN,
    BadDefinition,
    BadInputs,
    Job,
    JobIsNotOver,
    JobIsOver,
    JobNotFound,
    MissingInputs,
    Status,
    TenantIdTooLong,
    WorkflowExists,
    WorkflowNotFound,
)

LARGEST_INPUTS = 1024 * 1024
MOST_INPUTS = 200
LONGEST_TENANT_ID = 128
REMOVED_AT_ONCE = 500
_KEYS = uuid.UUID("5f1f6c0e-6a57-4f7e-9a35-0d9a4a1b7f10")

log = structlog.get_logger()


def register(tx: Tx, definition: Definition) -> None:
    """Add a workflow, or put a higher version in the place of a lower one; otherwise `WorkflowExists`."""
    document = msgspec.json.encode(definition).decode()
    if not store.keep_definition(tx, definition.name, definition.version, document):
        raise WorkflowExists


def register_all(database: Database, definitions: Iterable[Definition]) -> None:
    """Add those that are new or newer, as at every start: what is there in the same version stays."""
    with database.across_tenants("which workflows are there?", writing=False) as tx:
        known = store.versions(tx)
    newer = [each for each in definitions if known.get(each.name, -1) < each.version]
    if newer:
        with database.across_tenants("workflows at the start") as tx:
            for each in newer:
                store.keep_definition(tx, each.name, each.version, msgspec.json.encode(each).decode())


def shipped() -> list[Definition]:
    """The workflows that Mender 2.6 ships (mender.md §2.9), in words of our own."""
    return list(read_folder(Path(__file__).parent / "shipped").values())


def read_folder(folder: Path) -> dict[Path, Definition]:
    """The definitions in the `*.json` files of a folder; `BadDefinition` names the file that is none."""
    definitions = {}
    for path in sorted(folder.glob("*.json")):
        try:
            definitions[path] = read_file(path)
        except (BadDefinition, OSError) as problem:
            raise BadDefinition(reason=f"{path}: {problem}") from None
    return definitions


def definitions(tx: Tx) -> list[Definition]:
    """All workflows that can be started, by name."""
    return [msgspec.json.decode(document, type=Definition) for document in store.definitions(tx)]


def start(
    tx: Tx, seal: Seal, name: str, inputs: Mapping[str, str], *, tenant_id: str = "", key: str = "", document: str = ""
) -> str:
    """Have a workflow run if, and only if, this transaction is committed; the job's id.

    The job is a row of this very transaction, so it cannot be lost or doubled. With a `key`, the same key and workflow
    are one job however often it is started. `document` stands for a workflow of our own (see `own`).
    """
    if not document:
        document = _definition_for(tx, name, inputs)
    if len(tenant_id) > LONGEST_TENANT_ID:  # jobs are found by it, and what is found by an index must fit into it
        raise TenantIdTooLong(limit=LONGEST_TENANT_ID)
    _make_sure_inputs_are_good(inputs)
    now = clock.now()
    job_id = job_id_of(tenant_id, name, key) if key else str(uuid.uuid4())
    store.add_job(tx, seal, Job(job_id, name, tenant_id, inputs, document, Status.PENDING, 0, 0, "", now, now))
    return job_id


def job_id_of(tenant_id: str, name: str, key: str) -> str:
    """The id of the job that is started with this key."""
    return str(uuid.uuid5(_KEYS, f"{tenant_id}\n{name}\n{key}"))


def _definition_for(tx: Tx, name: str, inputs: Mapping[str, str]) -> str:
    row = store.find_definition(tx, name)
    if row is None:
        raise WorkflowNotFound
    definition = msgspec.json.decode(row.document, type=Definition)
    missing = [each for each in definition.input_parameters if each not in inputs]
    if missing:
        raise MissingInputs(names=", ".join(missing))
    return str(row.document)


def _make_sure_inputs_are_good(inputs: Mapping[str, str]) -> None:
    if len(inputs) > MOST_INPUTS:
        raise BadInputs(reason=f"more than {MOST_INPUTS} input parameters")
    if sum(len(name) + len(value) for name, value in inputs.items()) > LARGEST_INPUTS:
        raise BadInputs(reason=f"the input parameters are larger than {LARGEST_INPUTS} characters together")


def find_job(tx: Tx, seal: Seal, name: str, job_id: str) -> Job:
    """The job with what came of its steps so far, or `JobNotFound`."""
    job = store.find_job(tx, seal, job_id)
    if job is None or name not in ("", job.workflow):
        raise JobNotFound
    return job


def list_jobs(tx: Tx, status: Status | None = None, workflow: str = "", at_most: int = 100) -> list[Job]:
    return store.list_jobs(tx, status, workflow, at_most)


def remove_old(database: Database, before: datetime) -> None:
    """Forget jobs that were over before this time. In pieces, so that nobody waits long for the writer's place."""
    removed = REMOVED_AT_ONCE
    while removed == REMOVED_AT_ONCE:
        with database.across_tenants("forget old jobs") as tx:
            removed = store.remove_old(tx, before, REMOVED_AT_ONCE)


def retry(tx: Tx, seal: Seal, job_id: str) -> None:
    """Go on with a job that failed or was cancelled, at the step that it did not get past."""
    store.hold(tx, job_id)
    job = find_job(tx, seal, "", job_id)
    if job.status not in (Status.FAILED, Status.CANCELLED):
        raise JobIsNotOver(status=job.status.value)
    store.let_go(tx, job_id, Status.PENDING, not_before=clock.now(), attempts=0, takeovers=0, problem="")


def cancel(tx: Tx, seal: Seal, job_id: str) -> None:
    """Have no further step of the job begun. A program that is under way is ended soon; what was done stays done."""
    store.hold(tx, job_id)
    job = find_job(tx, seal, "", job_id)
    if job.status not in OPEN:
        raise JobIsOver(status=job.status.value)
    store.let_go(tx, job_id, Status.CANCELLED, problem="cancelled")
