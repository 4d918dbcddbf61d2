"""Where jobs are kept, what they read, what they have left behind, and every status that they have had."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Moment, Tx, insert_or_ignore, mentions
from fairlead.domain.identity import portal
from fairlead.domain.jobs.job_model import (
    ACTIVE,
    LONGEST_MESSAGE,
    QUERYABLE,
    TERMINAL,
    Event,
    Job,
    JobFile,
    JobInput,
    JobKind,
    Status,
    Wish,
    make_sure_may_follow,
)
from fairlead.domain.jobs.tables import (
    portal_job_events,
    portal_job_files,
    portal_job_inputs,
    portal_job_services,
    portal_jobs,
)

_job = portal_jobs.c
_event = portal_job_events.c
_input = portal_job_inputs.c
_file = portal_job_files.c
_service = portal_job_services.c
_DOCUMENTS = ("inputs", "plan", "spec", "outcome")
_active = [status.value for status in ACTIVE]
_own = sa.select(portal_jobs).where(_job.tenant_id == TENANT)
_one = _own.where(_job.number == sa.bindparam("number"))
_held = _one.with_for_update()
_is_one = (_job.tenant_id == TENANT, _job.number == sa.bindparam("of_job"))
_watched = (
    sa.select(_job.tenant_id, _job.number, _job.status, _job.system, _job.native_id, _job.wish, _job.started_at)
    .where(
        _job.status.in_([status.value for status in QUERYABLE]),
        _job.kind == JobKind.PROGRAM.value,
        _job.node == sa.bindparam("on_node"),
    )
    .order_by(_job.tenant_id, _job.number)
)
_under_way = sa.select(_job.tenant_id, _job.number, _job.kind, _job.status, _job.runs).where(_job.status.in_(_active))
_count = sa.select(sa.func.count()).select_from(portal_jobs).where(_job.tenant_id == TENANT)
_old = (
    sa.select(_job.tenant_id, _job.number)
    .where(
        _job.ended_at < sa.bindparam("before", type_=Moment),
        _job.status.in_([status.value for status in TERMINAL]),
        _job.parent_job.is_(None),
    )
    .order_by(_job.ended_at)
    .limit(sa.bindparam("at_most"))
)


@dataclass(frozen=True, slots=True)
class Watched:
    """A job that an execution system has."""

    tenant_id: str
    number: int
    status: Status
    system: str
    native_id: str
    wish: Wish
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A job that has not ended; `runs` is how often the work on it was begun again."""

    tenant_id: str
    number: int
    kind: JobKind
    status: Status
    runs: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Jobs of these projects that are no tasks; None is any."""

    projects: tuple[int, ...]
    statuses: tuple[Status, ...] | None = None
    service: str = ""
    text: str = ""
    user: int | None = None


def find(tx: Tx, number: int, *, hold: bool = False) -> Job | None:
    row = tx.one(_held if hold else _one, {"number": number})
    return row and _as_job(row)


def find_asked(tx: Tx, user: int, key: str) -> Job | None:
    """The job that this user has submitted with this key."""
    row = tx.one(_own.where(_job.user_number == user, _job.asked_key == key))
    return row and _as_job(row)


def search(tx: Tx, wanted: Filter, skip: int, at_most: int) -> list[Job]:
    """The newest first."""
    found = _own.where(*_conditions(wanted)).order_by(_job.number.desc()).offset(skip).limit(at_most)
    return [_as_job(row) for row in tx.all(found)]


def count(tx: Tx, wanted: Filter) -> int:
    return int(tx.scalar(_count.where(*_conditions(wanted))))


def _conditions(wanted: Filter) -> list[Any]:
    conditions: list[Any] = [_job.parent_job.is_(None), _job.project.in_(wanted.projects)]
    if wanted.statuses is not None:
        conditions.append(_job.status.in_([status.value for status in wanted.statuses]))
    if wanted.service:
        conditions.append(_job.service == wanted.service)
    if wanted.text:
        conditions.append(mentions(_job.name, wanted.text))
    if wanted.user is not None:
        conditions.append(_job.user_number == wanted.user)
    return conditions


def tasks_of(tx: Tx, parent: int) -> list[Job]:
    return [_as_job(row) for row in tx.all(_own.where(_job.parent_job == parent).order_by(_job.number))]


def active_tasks_of(tx: Tx, parent: int) -> list[Job]:
    return [task for task in tasks_of(tx, parent) if not task.status.is_terminal]


def count_active(tx: Tx, *, project: int = portal.NOTHING, user: int = portal.NOTHING) -> int:
    """Those under way in a project, or of a user. Tasks count with the job that they belong to."""
    found = _count.where(_job.status.in_(_active), _job.parent_job.is_(None))
    if project:
        found = _count.where(_job.status.in_(_active), _job.project == project)
    if user:
        found = found.where(_job.user_number == user)
    return int(tx.scalar(found))


def similar(tx: Tx, user: int, likeness: str) -> list[int]:
    """The jobs of the user that are under way and do the same."""
    alike = (_job.user_number == user, _job.likeness == likeness, _job.status.in_(_active), _job.parent_job.is_(None))
    found = sa.select(_job.number).where(_job.tenant_id == TENANT, *alike).order_by(_job.number)
    return [row.number for row in tx.all(found)]


def add(tx: Tx, **values: Any) -> Job:
    """A job that is `init`. With its parent and task there may be one only, which is given back then."""
    now = clock.now()
    row = values | {name: _text(values[name]) for name in ("inputs", "plan")}
    row |= {
        "status": Status.INIT.value,
        "events": 1,
        "runs": 1,
        "spec": "",
        "outcome": "",
        "created_at": now,
        "updated_at": now,
    }
    tx.run(sa.insert(portal_jobs), row)
    _add_event(tx, values["number"], 1, Status.INIT, "")
    return there(find(tx, values["number"]))


def there(job: Job | None) -> Job:
    if job is None:
        raise LookupError("a job that was there just now")
    return job


def change(tx: Tx, number: int, **values: Any) -> None:
    written = values | {name: _text(values[name]) for name in _DOCUMENTS if name in values}
    changed = sa.update(portal_jobs).where(*_is_one).values(**written, updated_at=clock.now())
    tx.run(changed, {"of_job": number})


def change_status(tx: Tx, number: int, before: Status, after: Status, message: str = "", **values: Any) -> bool:
    """Write the new status only over the one that it was decided from, and note it. Whether it was still that."""
    make_sure_may_follow(before, after)
    written = values | {name: _text(values[name]) for name in _DOCUMENTS if name in values}
    said = message.replace("\0", "").encode(errors="replace").decode()[:LONGEST_MESSAGE]
    if after in TERMINAL:
        written = {"ended_at": clock.now(), "wish": ""} | written
    changed = (
        sa.update(portal_jobs)
        .where(*_is_one, _job.status == before.value)
        .values(status=after.value, message=said, events=_job.events + 1, updated_at=clock.now(), **written)
        .returning(_job.events)
    )
    event = tx.scalar(changed, {"of_job": number})
    if event is None:
        return False
    _add_event(tx, number, event, after, said)
    return True


def _add_event(tx: Tx, job: int, number: int, status: Status, message: str) -> None:
    row = {"job": job, "number": number, "at": clock.now(), "status": status.value, "message": message}
    tx.run(sa.insert(portal_job_events), row)


def events_since(tx: Tx, job: int, number: int, at_most: int) -> list[Event]:
    since = (_event.tenant_id == TENANT, _event.job == job, _event.number > number)
    rows = tx.all(sa.select(portal_job_events).where(*since).order_by(_event.number).limit(at_most))
    return [Event(row.number, row.at, Status(row.status), row.message) for row in rows]


def keep_service(tx: Tx, content_hash: str, document: str) -> None:
    row = {"content_hash": content_hash, "document": document}
    tx.run(insert_or_ignore(portal_job_services, on_sqlite=tx.is_sqlite), row)


def service_document(tx: Tx, content_hash: str) -> str:
    found = sa.select(_service.document).where(_service.tenant_id == TENANT, _service.content_hash == content_hash)
    return str(tx.scalar(found))


def forget_unused_services(tx: Tx) -> None:
    """Across tenants: descriptions of which no job is left, and no workflow that has it among its tasks."""
    of_job = sa.exists().where(_job.tenant_id == _service.tenant_id, _job.service_hash == _service.content_hash)
    in_plan = sa.exists().where(
        _job.tenant_id == _service.tenant_id,
        _job.kind == JobKind.WORKFLOW.value,
        _job.plan.contains(_service.content_hash),
    )
    tx.run(sa.delete(portal_job_services).where(~of_job, ~in_plan))


def add_inputs(tx: Tx, job: int, inputs: Iterable[JobInput]) -> None:
    rows = [{"job": job, **asdict(each)} for each in inputs]
    if rows:
        tx.run(sa.insert(portal_job_inputs), rows)


def inputs_of(tx: Tx, job: int) -> list[JobInput]:
    own = sa.select(portal_job_inputs).where(_input.tenant_id == TENANT, _input.job == job)
    rows = tx.all(own.order_by(_input.parameter, _input.position))
    return [JobInput(**{name: getattr(row, name) for name in JobInput.__dataclass_fields__}) for row in rows]


def note_read(tx: Tx, job: int, each: JobInput) -> None:
    own = (_input.tenant_id == TENANT, _input.job == job, _input.parameter == each.parameter)
    noted = sa.update(portal_job_inputs).where(*own, _input.position == each.position)
    tx.run(noted.values(size_bytes=each.size_bytes, sha256=each.sha256))


def replace_files(tx: Tx, job: int, files: Sequence[JobFile]) -> None:
    tx.run(sa.delete(portal_job_files).where(_file.tenant_id == TENANT, _file.job == job))
    rows = [{"job": job, **asdict(each)} for each in files]
    if rows:
        tx.run(sa.insert(portal_job_files), rows)


def files_of(tx: Tx, job: int) -> list[JobFile]:
    own = sa.select(portal_job_files).where(_file.tenant_id == TENANT, _file.job == job)
    return [_as_file(row) for row in tx.all(own.order_by(_file.parameter, _file.position))]


def find_file(tx: Tx, job: int, parameter: str, position: int) -> JobFile | None:
    return next((each for each in files_of(tx, job) if (each.parameter, each.position) == (parameter, position)), None)


def keys_of(tx: Tx, numbers: Collection[int]) -> list[str]:
    own = (_file.tenant_id == TENANT, _file.job.in_(list(numbers)))
    return [row.blob_key for row in tx.all(sa.select(_file.blob_key).where(*own).distinct())]


def keys_of_project(tx: Tx, project: int) -> list[str]:
    numbers = tx.all(sa.select(_job.number).where(_job.tenant_id == TENANT, _job.project == project))
    return keys_of(tx, [row.number for row in numbers])


def all_keys(tx: Tx) -> set[str]:
    """Across tenants."""
    return {row.blob_key for row in tx.all(sa.select(_file.blob_key).distinct())}


def watched(tx: Tx, node: str) -> list[Watched]:
    """Across tenants: the jobs of this node that execution systems have."""
    return [
        Watched(
            row.tenant_id,
            row.number,
            Status(row.status),
            row.system,
            row.native_id,
            Wish(row.wish),
            row.started_at,
        )
        for row in tx.all(_watched, {"on_node": node})
    ]


def under_way(tx: Tx) -> list[UnderWay]:
    """Across tenants: all jobs that have not ended."""
    return [
        UnderWay(row.tenant_id, row.number, JobKind(row.kind), Status(row.status), row.runs)
        for row in tx.all(_under_way)
    ]


def old(tx: Tx, before: datetime, at_most: int) -> list[tuple[str, int]]:
    """Across tenants: jobs that ended before that moment. Tenant and number of each."""
    return [(row.tenant_id, row.number) for row in tx.all(_old, {"before": before, "at_most": at_most})]


def ended_since(tx: Tx, moment: datetime) -> list[tuple[str, int]]:
    """Across tenants: the jobs that are under way, or have ended since then."""
    recent = sa.or_(_job.status.in_(_active), _job.ended_at >= moment)
    return [(row.tenant_id, row.number) for row in tx.all(sa.select(_job.tenant_id, _job.number).where(recent))]


def count_by_service(tx: Tx, projects: Collection[int] | None) -> list[tuple[str, Status, int]]:
    """How many jobs of each service have which status."""
    own = [_job.tenant_id == TENANT] + ([] if projects is None else [_job.project.in_(list(projects))])
    found = sa.select(_job.service, _job.status, sa.func.count().label("jobs")).where(*own)
    rows = tx.all(found.group_by(_job.service, _job.status).order_by(_job.service, _job.status))
    return [(row.service, Status(row.status), row.jobs) for row in rows]


def remove(tx: Tx, number: int) -> None:
    """With its tasks."""
    tx.run(sa.delete(portal_jobs).where(_job.tenant_id == TENANT, _job.parent_job == number))
    tx.run(sa.delete(portal_jobs).where(*_is_one), {"of_job": number})


def change_user(tx: Tx, old: int, new: int) -> None:
    """Keys are forgotten: the other may have used the same."""
    own = (_job.tenant_id == TENANT, _job.user_number == old)
    tx.run(sa.update(portal_jobs).where(*own).values(user_number=new, asked_key=None))


def _text(document: Any) -> str:
    return msgspec.json.encode(document).decode()


def _as_file(row: sa.Row[Any]) -> JobFile:
    return JobFile(**{name: getattr(row, name) for name in JobFile.__dataclass_fields__})


def _as_job(row: sa.Row[Any]) -> Job:
    values = {name: getattr(row, name) for name in Job.__dataclass_fields__}
    values |= {name: msgspec.json.decode(values[name] or "{}") for name in _DOCUMENTS}
    return Job(**values | {"status": Status(row.status), "wish": Wish(row.wish), "kind": JobKind(row.kind)})
