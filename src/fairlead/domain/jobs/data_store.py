"""Where data are kept, besides their bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Moment, Tx, mentions
from fairlead.domain.jobs.data_model import Data, DataStatus, Source
from fairlead.domain.jobs.job_model import ACTIVE
from fairlead.domain.jobs.tables import portal_data, portal_job_files, portal_job_inputs, portal_jobs

_data = portal_data.c
_input = portal_job_inputs.c
_LISTS = ("tags", "data_terms", "format_terms")
_own = sa.select(portal_data).where(_data.tenant_id == TENANT)
_one = _own.where(_data.number == sa.bindparam("number"))
_held = _one.with_for_update()
_active = [status.value for status in ACTIVE]
_readers = (
    sa.select(_input.job, portal_jobs.c.project)
    .distinct()
    .join(portal_jobs, sa.and_(portal_jobs.c.tenant_id == _input.tenant_id, portal_jobs.c.number == _input.job))
    .where(_input.tenant_id == TENANT, _input.data == sa.bindparam("of_data"))
    .order_by(_input.job)
)
_active_readers = _readers.where(portal_jobs.c.status.in_(_active))
_old = (
    sa.select(_data.tenant_id, _data.number)
    .where(
        _data.persistent.is_(False),
        _data.updated_at < sa.bindparam("before", type_=Moment),
        _data.status.in_([DataStatus.READY.value, DataStatus.ERROR.value]),
        ~sa.exists().where(
            _input.tenant_id == _data.tenant_id,
            _input.data == _data.number,
            portal_jobs.c.tenant_id == _input.tenant_id,
            portal_jobs.c.number == _input.job,
            sa.or_(portal_jobs.c.status.in_(_active), portal_jobs.c.created_at >= sa.bindparam("before", type_=Moment)),
        ),
    )
    .order_by(_data.updated_at)
    .limit(sa.bindparam("at_most"))
)


@dataclass(frozen=True, slots=True)
class Reader:
    """A job that reads data, and the project that it is of."""

    job: int
    project: int


def find(tx: Tx, number: int, *, hold: bool = False) -> Data | None:
    row = tx.one(_held if hold else _one, {"number": number})
    return row and _as_data(row)


def of_numbers(tx: Tx, numbers: Collection[int]) -> Mapping[int, Data]:
    if not numbers:
        return {}
    return {row.number: _as_data(row) for row in tx.all(_own.where(_data.number.in_(list(numbers))))}


def search(tx: Tx, projects: Collection[int], tag: str, text: str, skip: int, at_most: int) -> list[Data]:
    found = _own.where(_data.project.in_(list(projects))).order_by(_data.number.desc()).offset(skip)
    if tag:  # LIKE takes small letters for large ones on one engine only
        found = found.where(sa.func.replace(_data.tags, msgspec.json.encode(tag).decode(), "") != _data.tags)
    if text:
        found = found.where(mentions(_data.name, text))
    return [_as_data(row) for row in tx.all(found.limit(at_most))]


def add(tx: Tx, **values: Any) -> Data:
    now = clock.now()
    row = values | {name: _text(values[name]) for name in _LISTS} | {"created_at": now, "updated_at": now}
    tx.run(sa.insert(portal_data), row)
    found = find(tx, values["number"])
    if found is None:
        raise LookupError("data that were added just now")
    return found


def change(tx: Tx, number: int, **values: Any) -> None:
    written = values | {name: _text(values[name]) for name in _LISTS if name in values}
    own = (_data.tenant_id == TENANT, _data.number == number)
    tx.run(sa.update(portal_data).where(*own).values(**written, updated_at=clock.now()))


def change_status(tx: Tx, number: int, frm: Iterable[DataStatus], to: DataStatus, **values: Any) -> bool:
    """Only over one of these; whether it was."""
    own = (_data.tenant_id == TENANT, _data.number == number, _data.status.in_([each.value for each in frm]))
    changed = sa.update(portal_data).where(*own).values(status=to.value, updated_at=clock.now(), **values)
    return bool(tx.run(changed).rowcount)


def remove(tx: Tx, number: int) -> None:
    tx.run(sa.delete(portal_data).where(_data.tenant_id == TENANT, _data.number == number))


def used_by(tx: Tx, number: int, *, only_active: bool = False) -> list[Reader]:
    """The jobs that read it, first to last; or those that are under way and read it, or still will."""
    readers = _active_readers if only_active else _readers
    return [Reader(row.job, row.project) for row in tx.all(readers, {"of_data": number})]


def awaited_from(tx: Tx, job: int) -> bool:
    """Are there data for which an output of the job is still to be copied?"""
    waiting = (_data.produced_by == job, _data.status.in_([DataStatus.QUEUED.value, DataStatus.DOWNLOADING.value]))
    return tx.one(_own.where(*waiting).limit(1)) is not None


def used_bytes(tx: Tx, project: int) -> int:
    """By the data of a project, and by what its jobs have left behind. A file that is several outputs counts once."""
    own_data = sa.select(sa.func.coalesce(sa.func.sum(_data.size_bytes), 0))
    data = tx.scalar(own_data.where(_data.tenant_id == TENANT, _data.project == project))
    file, job = portal_job_files.c, portal_jobs.c
    each = (
        sa.select(file.blob_key, file.size_bytes)
        .join(portal_jobs, sa.and_(job.tenant_id == file.tenant_id, job.number == file.job))
        .where(file.tenant_id == TENANT, job.project == project)
        .distinct()
        .subquery()
    )
    files = tx.scalar(sa.select(sa.func.coalesce(sa.func.sum(each.c.size_bytes), 0)))
    return int(data) + int(files)


def keys_of_project(tx: Tx, project: int) -> list[str]:
    rows = tx.all(sa.select(_data.blob_key).where(_data.tenant_id == TENANT, _data.project == project))
    return [row.blob_key for row in rows if row.blob_key]


def all_keys(tx: Tx) -> set[str]:
    """Across tenants."""
    return {row.blob_key for row in tx.all(sa.select(_data.blob_key)) if row.blob_key}


def change_user(tx: Tx, old: int, new: int) -> None:
    tx.run(sa.update(portal_data).where(_data.tenant_id == TENANT, _data.added_by == old).values(added_by=new))


def old(tx: Tx, before: datetime, at_most: int) -> list[tuple[str, int]]:
    """Across tenants: data that nobody has changed or used since then. Tenant and number of each."""
    return [(row.tenant_id, row.number) for row in tx.all(_old, {"before": before, "at_most": at_most})]


def _text(values: Iterable[str]) -> str:
    return msgspec.json.encode(list(values)).decode()


def _as_data(row: sa.Row[Any]) -> Data:
    values = {name: getattr(row, name) for name in Data.__dataclass_fields__}
    values |= {name: tuple(msgspec.json.decode(values[name], type=list[str])) for name in _LISTS}
    return Data(**values | {"status": DataStatus(row.status), "source": Source(row.source)})
