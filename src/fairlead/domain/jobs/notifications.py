"""What are users told, besides by mail? Short texts that wait until they are read."""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Tx
from fairlead.base.errors import Refusal
from fairlead.domain import audit
from fairlead.domain.identity import portal
from fairlead.domain.jobs.tables import portal_notifications

LONGEST_MESSAGE = 1000
MOST_KEPT = 500
MOST_TOLD = 100_000

_note = portal_notifications.c
_of_user = (_note.tenant_id == TENANT, _note.user_number == sa.bindparam("of_user"))


class NotificationType(enum.IntEnum):
    """What it is about: the portal, a project, a job, or data."""

    MOBYLE = 0
    PROJECT = 1
    JOB = 2
    DATA = 3


@dataclass(frozen=True, slots=True)
class Notification:
    """`about` is the id of what it is about."""

    number: int
    type: NotificationType
    message: str
    about: str
    read: bool
    created_at: datetime

    @property
    def id(self) -> str:
        return portal.written(self.number)


class BadNotification(Refusal):
    message = f"A notification has 1 to {LONGEST_MESSAGE} characters, and no control characters but line breaks."


def notify(tx: Tx, user: int, type_: NotificationType, message: str, about: str = "") -> None:
    """Tell a user something; nobody, if it is nobody's number. Of too many, the oldest are forgotten."""
    if user == portal.NOTHING:
        return
    number = portal.next_number(tx, "notification")
    row = {"number": number, "user_number": user, "type": int(type_), "message": message[:LONGEST_MESSAGE]}
    tx.run(sa.insert(portal_notifications), row | {"about": about, "read": False, "created_at": clock.now()})
    newest = sa.select(_note.number).where(*_of_user).order_by(_note.number.desc()).offset(MOST_KEPT).limit(1)
    last = tx.scalar(newest, {"of_user": user})
    if last is not None:
        tx.run(sa.delete(portal_notifications).where(*_of_user, _note.number <= last), {"of_user": user})


def announce(tx: Tx, message: str) -> int:
    """Have an administrator tell everybody who has an account; how many were told."""
    portal.make_sure_may(tx.scope, portal.Act.ADMINISTER)
    if not 0 < len(message) <= LONGEST_MESSAGE or not message.replace("\n", "").isprintable():
        raise BadNotification
    told = 0
    while users := _users_from(tx, told):
        for user in users:
            notify(tx, user.number, NotificationType.MOBYLE, message)
        told += len(users)
    audit.record(tx, "portal.announce", "", message=message, told=told)
    return told


def _users_from(tx: Tx, skip: int) -> list[portal.User]:
    wanted = portal.Search(type=portal.UserType.AUTHENTICATED, skip=skip)
    return portal.search_users(tx, wanted) if skip < MOST_TOLD else []


def list_notifications(tx: Tx, *, only_unread: bool = False) -> list[Notification]:
    """The caller's own, the newest first."""
    mine = sa.select(portal_notifications).where(*_of_user).order_by(_note.number.desc())
    if only_unread:
        mine = mine.where(_note.read.is_(False))
    return [_as_notification(row) for row in tx.all(mine, {"of_user": _caller(tx)})]


def mark_notifications(tx: Tx, numbers: Collection[int], *, read: bool = True) -> int:
    """How many of these the caller has."""
    chosen = (*_of_user, _note.number.in_(list(numbers)[:MOST_KEPT]))
    marked = sa.update(portal_notifications).where(*chosen).values(read=read)
    return int(tx.run(marked, {"of_user": _caller(tx)}).rowcount)


def remove_notifications(tx: Tx, numbers: Collection[int]) -> int:
    """How many of these the caller had."""
    chosen = (*_of_user, _note.number.in_(list(numbers)[:MOST_KEPT]))
    return int(tx.run(sa.delete(portal_notifications).where(*chosen), {"of_user": _caller(tx)}).rowcount)


def change_user(tx: Tx, old: int, new: int) -> None:
    tx.run(sa.update(portal_notifications).where(*_of_user).values(user_number=new), {"of_user": old})


def forget_all_of(tx: Tx, user: int) -> None:
    tx.run(sa.delete(portal_notifications).where(*_of_user), {"of_user": user})


def _caller(tx: Tx) -> int:
    """Whoever has no number has no notifications. Someone who is shut out is told why instead."""
    grants = portal.grants_of(tx.scope)
    if grants is not None and grants.standing is portal.Standing.SUSPENDED:
        raise portal.Suspended(grants.status_message)
    number = portal.number_of_caller(tx.scope)
    if number == portal.NOTHING:
        raise portal.LogInFirst(act="have notifications")
    return number


def _as_notification(row: sa.Row[Any]) -> Notification:
    values = {name: getattr(row, name) for name in Notification.__dataclass_fields__}
    return Notification(**values | {"type": NotificationType(row.type)})
