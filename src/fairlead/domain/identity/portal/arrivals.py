"""How does somebody become a user of a portal, and what else happens then, or when they go?

Packages that know of projects and jobs have their part done in the same transaction: a new user gets a project, the
anonymous user's jobs become those of the account, and what belongs to somebody goes with them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog

from fairlead.base import clock
from fairlead.base.database import Database, Tx
from fairlead.base.errors import Refusal
from fairlead.base.scope import system_scope
from fairlead.domain import audit
from fairlead.domain.identity.portal import store
from fairlead.domain.identity.portal.deciding import is_visitor, scope_of
from fairlead.domain.identity.portal.model import AuthenticationType, EmailTaken, User, UserType
from fairlead.domain.identity.portal.numbers import next_number
from fairlead.domain.identity.portal.store import Found
from fairlead.domain.identity.project_roles import Standing

ANONYMOUS_KEPT = timedelta(days=10)
MOST_AT_ONCE = 200

Deed = Callable[[Tx, User], None]
Merge = Callable[[Tx, User, User], None]

log = structlog.get_logger()

_when_added: list[Deed] = []
_when_merged: list[Merge] = []
_before_removal: list[Deed] = []


def when_added(welcome: Deed) -> Deed:
    """Have something done for each new user, as that user, in the transaction that adds them."""
    _when_added.append(welcome)
    return welcome


def when_merged(move: Merge) -> Merge:
    """Have what an anonymous user has moved to the account by which they logged in: `move(tx, anonymous, user)`."""
    _when_merged.append(move)
    return move


def before_removal(clean_up: Deed) -> Deed:
    """Have what a user has removed before them, or their removal refused."""
    _before_removal.append(clean_up)
    return clean_up


def add(
    tx: Tx,
    type_: UserType,
    authentication_type: AuthenticationType | None = None,
    email: str = "",
    status: Standing = Standing.ACTIVE,
    **values: Any,
) -> Found:
    """A new user, put on record as a deed of whoever calls: their own, if nobody did yet. Refuses with `EmailTaken`."""
    number = next_number(tx, "user")
    kind = authentication_type and authentication_type.value
    is_new = store.add(
        tx,
        number,
        type=type_.value,
        authentication_type=kind,
        email=email or None,
        status=status.value,
        **values,
    )
    found = store.find(tx, number)
    if not is_new or found is None:
        raise EmailTaken(email=email)
    own = tx.within(scope_of(found.user))
    by = own if is_visitor(tx.scope) else tx
    audit.record(by, "portal.user.create", found.user.id, name=found.user.name, type=type_.value, password=kind)
    for welcome in _when_added:
        welcome(own, found.user)
    return store.find(tx, number) or found


def merge(tx: Tx, anonymous: User, user: User) -> None:
    """Give all that an anonymous user has to the account, and let the anonymous one go."""
    for move in _when_merged:
        move(tx, anonymous, user)
    store.remove(tx, anonymous.number)
    audit.record(tx, "portal.user.merge", user.id, name=user.name, anonymous=anonymous.id)


def remove(tx: Tx, user: User) -> None:
    """With all that belongs to them. Refuses as those who keep it do."""
    for clean_up in _before_removal:
        clean_up(tx, user)
    store.remove(tx, user.number)
    audit.record(tx, "portal.user.delete", user.id, name=user.name)


def set_default_project(tx: Tx, number: int, project: int | None) -> None:
    """Which project a user works in unless they say otherwise; for those who know whether it is theirs."""
    store.change(tx, number, default_project=project)


def remove_abandoned(database: Database) -> int:
    """Let those anonymous users go who have no session any more, so that nobody can be them; how many went."""
    with database.across_tenants("which anonymous users cannot come back?", writing=False) as tx:
        found = store.abandoned(tx, clock.now() - ANONYMOUS_KEPT, MOST_AT_ONCE)
    for tenant_id, number in found:
        try:
            with database.begin(system_scope(tenant_id)) as tx:
                abandoned = store.find(tx, number)
                if abandoned is not None:
                    remove(tx, abandoned.user)
        except Refusal as refusal:
            log.warning("portal.user_kept", tenant=tenant_id, user=number, reason=str(refusal))
    return len(found)
