"""Where the users of portals are kept, and the groups that they belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Moment, Tx, insert_or_ignore, mentions
from fairlead.domain.identity.portal.model import AuthenticationType, Notices, User, UserType
from fairlead.domain.identity.portal.tables import portal_groups, portal_tokens, portal_users
from fairlead.domain.identity.project_roles import Standing
from fairlead.domain.identity.roles import policy_of_roles
from fairlead.domain.identity.store import users as accounts


@dataclass(frozen=True, slots=True)
class Found:
    """A user, and what only we may know: the hash of the password that they log in with, theirs or their account's."""

    user: User
    password_hash: str = field(repr=False)
    is_admin_by_account: bool


_users = (
    sa.select(portal_users, accounts.c.roles.label("account_roles"), accounts.c.password_hash.label("account_hash"))
    .join(
        accounts,
        sa.and_(accounts.c.tenant_id == TENANT, accounts.c.id == portal_users.c.account_id),
        isouter=True,
    )
    .where(portal_users.c.tenant_id == TENANT)
)
_user = _users.where(portal_users.c.number == sa.bindparam("wanted"))
_by_email = _users.where(sa.func.lower(portal_users.c.email) == sa.bindparam("wanted"))
_by_account = _users.where(portal_users.c.account_id == sa.bindparam("wanted"))
_by_directory = _users.where(portal_users.c.directory_id == sa.bindparam("wanted"))
_may_administer = _users.where(
    portal_users.c.status == Standing.ACTIVE.value,
    sa.or_(portal_users.c.is_admin, accounts.c.roles.is_not(None)),
)
_own = (portal_users.c.tenant_id == TENANT, portal_users.c.number == sa.bindparam("of_user"))
_groups = sa.select(portal_groups).where(portal_groups.c.tenant_id == TENANT).order_by(portal_groups.c.name)
_groups_of = _groups.where(portal_groups.c.user_number == sa.bindparam("of_user"))
_leave_groups = sa.delete(portal_groups).where(
    portal_groups.c.tenant_id == TENANT, portal_groups.c.user_number == sa.bindparam("of_user")
)
_abandoned = (
    sa.select(portal_users.c.tenant_id, portal_users.c.number)
    .where(
        portal_users.c.type == UserType.ANONYMOUS.value,
        portal_users.c.created_at < sa.bindparam("before", type_=Moment),
        ~sa.exists().where(
            portal_tokens.c.tenant_id == portal_users.c.tenant_id,
            portal_tokens.c.user_number == portal_users.c.number,
            portal_tokens.c.expires_at > sa.bindparam("now", type_=Moment),
        ),
    )
    .order_by(portal_users.c.created_at)
    .limit(sa.bindparam("at_most"))
)


def find(tx: Tx, number: int) -> Found | None:
    return _found(tx, _user, number)


def find_by_email(tx: Tx, email: str) -> Found | None:
    """Whatever its capitals."""
    return _found(tx, _by_email, email.lower())


def find_by_account(tx: Tx, account_id: str) -> Found | None:
    return _found(tx, _by_account, account_id)


def find_by_directory(tx: Tx, directory_id: str) -> Found | None:
    return _found(tx, _by_directory, directory_id)


def _found(tx: Tx, statement: Any, wanted: Any) -> Found | None:
    row = tx.one(statement, {"wanted": wanted})
    return row and _as_found(tx, row, groups_of(tx, row.number))


def groups_of(tx: Tx, number: int) -> tuple[str, ...]:
    return tuple(row.name for row in tx.all(_groups_of, {"of_user": number}))


def search(tx: Tx, text: str, status: Standing | None, type_: UserType | None, skip: int, at_most: int) -> list[User]:
    """By number; those whose e-mail has the text in it, if one is given."""
    found = _users.order_by(portal_users.c.number).offset(skip).limit(at_most)
    if text:
        found = found.where(mentions(portal_users.c.email, text))
    if status:
        found = found.where(portal_users.c.status == status.value)
    if type_:
        found = found.where(portal_users.c.type == type_.value)
    rows = tx.all(found)
    groups: dict[int, list[str]] = defaultdict(list)
    if rows:
        between = portal_groups.c.user_number.between(rows[0].number, rows[-1].number)
        for row in tx.all(_groups.where(between)):
            groups[row.user_number].append(row.name)
    return [_as_found(tx, row, tuple(groups[row.number])).user for row in rows]


def administrators(tx: Tx) -> list[User]:
    """Those who can act as administrators at this moment."""
    found = [_as_found(tx, row, ()).user for row in tx.all(_may_administer)]
    return [user for user in found if user.is_admin]


def add(tx: Tx, number: int, **values: Any) -> bool:
    """Whether there was no user yet with this e-mail, account or entry in the directory."""
    now = clock.now()
    row = {"number": number, "created_at": now, "updated_at": now, **values}
    return bool(tx.run(insert_or_ignore(portal_users, on_sqlite=tx.is_sqlite), row).rowcount)


def change(tx: Tx, number: int, **values: Any) -> None:
    changed = sa.update(portal_users).where(*_own).values(**values, updated_at=clock.now())
    tx.run(changed, {"of_user": number})


def note_login(tx: Tx, number: int) -> None:
    tx.run(sa.update(portal_users).where(*_own).values(logged_in_at=clock.now()), {"of_user": number})


def change_groups(tx: Tx, number: int, groups: Iterable[str]) -> None:
    tx.run(_leave_groups, {"of_user": number})
    rows = [{"name": group, "user_number": number} for group in groups]
    if rows:
        tx.run(sa.insert(portal_groups), rows)


def remove(tx: Tx, number: int) -> bool:
    """With their sessions, tokens, letters and groups."""
    return bool(tx.run(sa.delete(portal_users).where(*_own), {"of_user": number}).rowcount)


def abandoned(tx: Tx, before: datetime, at_most: int) -> list[tuple[str, int]]:
    """Across tenants: the anonymous who came before that moment and can never come back. Tenant and number of each."""
    found = tx.all(_abandoned, {"before": before, "now": clock.now(), "at_most": at_most})
    return [(row.tenant_id, row.number) for row in found]


def _as_found(tx: Tx, row: sa.Row[Any], groups: tuple[str, ...]) -> Found:
    by_account = row.account_roles is not None and _may_do_everything(tx, row.account_roles)
    user = User(
        tenant_id=row.tenant_id,
        number=row.number,
        type=UserType(row.type),
        authentication_type=row.authentication_type and AuthenticationType(row.authentication_type),
        email=row.email or "",
        first_name=row.first_name,
        last_name=row.last_name,
        status=Standing(row.status),
        status_message=row.status_message,
        is_admin=row.is_admin or by_account,
        groups=groups,
        notices=Notices(row.notify_project, row.notify_job, row.notify_data),
        default_project=row.default_project,
        account_id=row.account_id if row.account_hash is not None else "",
        created_at=row.created_at,
        updated_at=row.updated_at,
        logged_in_at=row.logged_in_at,
    )
    return Found(user, row.password_hash if row.account_hash is None else row.account_hash, by_account)


def _may_do_everything(tx: Tx, roles: str) -> bool:
    return policy_of_roles(tx, msgspec.json.decode(roles)).everything
