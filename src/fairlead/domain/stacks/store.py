"""Where are stacks kept, and the versions of their templates?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Tx
from fairlead.domain.identity import Resource
from fairlead.domain.stacks.model import StackNotFound, Status
from fairlead.domain.stacks.naming import is_stack_id
from fairlead.domain.stacks.tables import stack_versions, stacks

_stack = stacks.c
_version = stack_versions.c


@dataclass(frozen=True, slots=True)
class Record:
    """A stack's row. `auth_token`, `plan` and `settings` are sealed."""

    id: str
    nickname: str
    owner: str
    vendor: str
    region: str
    credential: str
    auth_token: str = field(repr=False)
    status: Status
    cause: str
    operation: int
    job_id: str
    version_id: str
    good_version_id: str
    plan: str = field(repr=False)
    planned_for: int
    settings: str = field(repr=False)
    began_at: datetime
    created_at: datetime
    updated_at: datetime

    @property
    def resource(self) -> Resource:
        return Resource.of_stack(self.id, owner=self.owner, vendor=self.vendor, credentials_id=self.credential)


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A version's row. `template` is sealed."""

    id: str
    stack_id: str
    number: int
    template: str = field(repr=False)
    size_bytes: int
    created_at: datetime


_own = sa.select(stacks).where(_stack.tenant_id == TENANT)
_by_id = _own.where(_stack.id == sa.bindparam("id"))
_held = _by_id.with_for_update()
_newest_first = (_stack.created_at.desc(), _stack.id)
_all_own = _own.order_by(*_newest_first)
_anyones = sa.select(stacks).where(_stack.id == sa.bindparam("id"))
_everyones = sa.select(stacks).order_by(_stack.tenant_id, *_newest_first)
_using = _all_own.where(_stack.vendor == sa.bindparam("of_vendor"), _stack.credential == sa.bindparam("of_credential"))
_versions = (
    sa.select(stack_versions)
    .where(_version.tenant_id == TENANT, _version.stack_id == sa.bindparam("stack_id"))
    .order_by(_version.number.desc())
)
_newest_version = _versions.limit(1)
_version_by_id = _versions.where(_version.id == sa.bindparam("id"))
_version_by_number = _versions.where(_version.number == sa.bindparam("number"))


def find(tx: Tx, stack_id: str, *, hold: bool = False) -> Record | None:
    """The stack; with `hold` nobody else changes it until the end of the transaction."""
    if not is_stack_id(stack_id):
        return None
    row = tx.one(_held if hold else _by_id, {"id": stack_id})
    return row and _as_record(row)


def find_anyones(tx: Tx, stack_id: str) -> tuple[str, Record] | None:
    """Across tenants: the stack, and whose it is."""
    row = tx.one(_anyones, {"id": stack_id}) if is_stack_id(stack_id) else None
    return row and (row.tenant_id, _as_record(row))


def search(tx: Tx) -> list[Record]:
    """All stacks of the tenant, newest first."""
    return [_as_record(row) for row in tx.all(_all_own)]


def search_everyones(tx: Tx) -> list[tuple[str, Record]]:
    """Across tenants: all stacks, and whose they are."""
    return [(row.tenant_id, _as_record(row)) for row in tx.all(_everyones)]


def users_of_credential(tx: Tx, vendor: str, credential_id: str) -> list[Record]:
    """The stacks that use these credentials of the vendor, newest first."""
    return [_as_record(row) for row in tx.all(_using, {"of_vendor": vendor, "of_credential": credential_id})]


def add(tx: Tx, record: Record) -> None:
    tx.run(sa.insert(stacks), {name: getattr(record, name) for name in Record.__dataclass_fields__})


def change(tx: Tx, stack_id: str, **values: Any) -> None:
    own = (_stack.tenant_id == TENANT, _stack.id == sa.bindparam("changed_id"))
    tx.run(sa.update(stacks).where(*own).values(updated_at=clock.now(), **values), {"changed_id": stack_id})


def disown(tx: Tx, username: str) -> None:
    """What belongs to this user belongs to nobody from now on: another one may come to have the name."""
    theirs = sa.update(stacks).where(_stack.tenant_id == TENANT, _stack.owner == username)
    tx.run(theirs.values(owner=""))


def remove(tx: Tx, stack_id: str) -> None:
    """The stack and everything that belongs to it."""
    own = (_stack.tenant_id == TENANT, _stack.id == sa.bindparam("removed_id"))
    tx.run(sa.delete(stacks).where(*own), {"removed_id": stack_id})


def add_version(tx: Tx, version: KeptVersion) -> None:
    tx.run(sa.insert(stack_versions), {name: getattr(version, name) for name in KeptVersion.__dataclass_fields__})


def versions(tx: Tx, stack_id: str) -> list[KeptVersion]:
    """All versions of the stack's template, newest first."""
    return [_as_version(row) for row in tx.all(_versions, {"stack_id": stack_id})]


def newest_version(tx: Tx, stack_id: str) -> KeptVersion:
    """Every stack has one, unless it has gone just now."""
    return _of_stack(stack_id, tx.one(_newest_version, {"stack_id": stack_id}))


def first_version(tx: Tx, stack_id: str) -> KeptVersion:
    """The one that the stack was created from."""
    return _of_stack(stack_id, tx.one(_version_by_number, {"stack_id": stack_id, "number": 1}))


def find_version(tx: Tx, stack_id: str, version_id: str) -> KeptVersion | None:
    row = tx.one(_version_by_id, {"stack_id": stack_id, "id": version_id})
    return row and _as_version(row)


def _of_stack(stack_id: str, row: sa.Row[Any] | None) -> KeptVersion:
    if row is None:
        raise StackNotFound(stack_id=stack_id)
    return _as_version(row)


def _as_record(row: sa.Row[Any]) -> Record:
    values = {name: getattr(row, name) for name in Record.__dataclass_fields__}
    return Record(**values | {"status": Status(row.status)})


def _as_version(row: sa.Row[Any]) -> KeptVersion:
    return KeptVersion(**{name: getattr(row, name) for name in KeptVersion.__dataclass_fields__})
