"""Which roles are there besides the built-in ones, and what do they add up to?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fairlead.base import clock
from fairlead.base.database import TENANT, Tx, list_of_strings
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import NotAllowed
from fairlead.domain import audit
from fairlead.domain.identity import store
from fairlead.domain.identity.model import (
    BUILT_IN_ROLES,
    SIGNED_OUT,
    LastAdministrator,
    Permission,
    UnknownRole,
    User,
)
from fairlead.domain.identity.plans import Plan, make_sure_plan_includes
from fairlead.domain.identity.policy import (
    Grant,
    OnDevices,
    OnRequests,
    Policy,
    Which,
    covers,
    make_sure_expression_is_good,
    policy_of,
)
from fairlead.domain.identity.store import roles

LONGEST_NAME = 256
LONGEST_DESCRIPTION = 4096
LONGEST_VALUE = 1024
MOST_GRANTS = 200
MOST_ROLES = 1000
MOST_ROLES_OF_A_USER = 100

ADMINISTRATORS = "administrators"
"""What is done one at a time by whoever may take the last administrator away: before the first look, and before any
other turn is waited for."""


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of grants. Built-in ones have their rights from `BUILT_IN_ROLES`, and no grants."""

    name: str
    description: str
    grants: tuple[Grant, ...]
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def is_built_in(self) -> bool:
        return self.name in BUILT_IN_ROLES

    @property
    def policy(self) -> Policy:
        return policy_of([self.name], self.grants)


BUILT_IN = (
    Role("RBAC_ROLE_PERMIT_ALL", "Full access", ()),
    Role("RBAC_ROLE_OBSERVER", "Sees devices, artifacts, deployments and users, and changes nothing", ()),
    Role("RBAC_ROLE_CI", "For build servers: uploads artifacts and deploys them", ()),
    Role("RBAC_ROLE_REMOTE_TERMINAL", "Sees devices and opens their terminals", ()),
)


class RoleNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "role not found"


class BadRole(Refusal):
    message = "{reason}"


class RoleExists(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "role with a given name already exists"


class RoleIsBuiltIn(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "the role {name} is built in and cannot be changed"


class TooManyRoles(Refusal):
    message = "roles: one user may have {limit}, and these are {count}."


class RoleInUse(Refusal):
    """Removing it could free its holders from the device groups that it restricts them to."""

    kind = Kind.UNPROCESSABLE
    message = "{count} users have the role {name}: take it from them first"


class BeyondOwn(NotAllowed):
    message = "You may not do this: it takes more permissions than you have yourself."


_own = sa.select(roles).where(roles.c.tenant_id == TENANT)
_role = _own.where(roles.c.name == sa.bindparam("name"))
_count = sa.select(sa.func.count()).select_from(roles).where(roles.c.tenant_id == TENANT)
_grants = msgspec.json.Decoder(tuple[Grant, ...])


def list_roles(tx: Tx) -> list[Role]:
    """The built-in roles, then the tenant's own by name."""
    tx.require(Permission.VIEW_USERS)
    make_sure_plan_includes(tx, Plan.ENTERPRISE)
    return [*BUILT_IN, *(_as_role(row) for row in tx.all(_own.order_by(roles.c.name)))]


def find_role(tx: Tx, name: str) -> Role:
    tx.require(Permission.VIEW_USERS)
    make_sure_plan_includes(tx, Plan.ENTERPRISE)
    return _find(tx, name)


def add_role(tx: Tx, name: str, description: str, grants: Sequence[Grant]) -> Role:
    """Make a role, with no more rights than the actor's own."""
    tx.require(Permission.MANAGE_USERS)
    make_sure_plan_includes(tx, Plan.ENTERPRISE)
    now = clock.now()
    role = Role(name, description, tuple(grants), now, now)
    _make_sure_it_is_good(role)
    if role.is_built_in:
        raise RoleExists
    _make_sure_actor_covers(tx, [role.policy])
    tx.one_at_a_time("roles")
    if tx.scalar(_count) >= MOST_ROLES:
        raise BadRole(reason=f"there are {MOST_ROLES} roles, and more are not possible: remove one first")
    try:
        tx.run(sa.insert(roles), _values(role) | {"name": name, "created_at": now})
    except IntegrityError:
        raise RoleExists from None
    audit.record(tx, "role.create", name, name=name, description=description, grants=_written(role))
    return role


def change_role(tx: Tx, name: str, description: str, grants: Sequence[Grant]) -> None:
    """Give a role other grants; they are in force within a second for whoever holds it."""
    tx.require(Permission.MANAGE_USERS)
    make_sure_plan_includes(tx, Plan.ENTERPRISE)
    tx.one_at_a_time(ADMINISTRATORS)
    tx.one_at_a_time("roles")
    old = _find(tx, name)
    if old.is_built_in:
        raise RoleIsBuiltIn(name=name)
    role = Role(name, description, tuple(grants), old.created_at, clock.now())
    _make_sure_it_is_good(role)
    holders = _holders(tx, name)
    before = [policy_of_roles(tx, holder.roles) for holder in holders]
    tx.run(sa.update(roles).where(roles.c.tenant_id == TENANT, roles.c.name == name).values(**_values(role)))
    after = [policy_of_roles(tx, holder.roles) for holder in holders]
    _make_sure_actor_covers(tx, [old.policy, role.policy, *before, *after])
    if any(map(_administers, before)) and not any(map(_administers, after)):
        make_sure_someone_administers(tx)
    for holder in holders:
        tx.announce(SIGNED_OUT, holder.id)
    audit.record(tx, "role.update", name, name=name, changed=_difference(old, role))


def remove_role(tx: Tx, name: str) -> None:
    """Remove a role that nobody has. Removing one that is not there is no error."""
    tx.require(Permission.MANAGE_USERS)
    make_sure_plan_includes(tx, Plan.ENTERPRISE)
    tx.one_at_a_time("roles")
    if name in BUILT_IN_ROLES:
        raise RoleIsBuiltIn(name=name)
    row = tx.one(_role, {"name": name})
    if row is None:
        return
    _make_sure_actor_covers(tx, [_as_role(row).policy])
    holders = _holders(tx, name)
    if holders:
        raise RoleInUse(name=name, count=len(holders))
    tx.run(sa.delete(roles).where(roles.c.tenant_id == TENANT, roles.c.name == name))
    audit.record(tx, "role.delete", name, name=name)


def policy_of_roles(tx: Tx, names: Iterable[str]) -> Policy:
    """What roles of these names add up to."""
    names = list(names)
    own = [name for name in names if name not in BUILT_IN_ROLES]
    grants: list[Grant] = []
    if own:
        for row in tx.all(_own.where(roles.c.name.in_(list_of_strings(own)))):
            grants += _grants.decode(row.permissions)
    return policy_of(names, grants)


def each_once(names: Iterable[str]) -> tuple[str, ...]:
    """The roles as they are kept."""
    return tuple(dict.fromkeys(names))


def make_sure_roles_may_be_given(tx: Tx, names: Sequence[str]) -> None:
    """Refuse roles that are too many or do not exist, and those that come to more than the actor has (`BeyondOwn`)."""
    if len(names) > MOST_ROLES_OF_A_USER:
        raise TooManyRoles(limit=MOST_ROLES_OF_A_USER, count=len(names))
    own = {name for name in names if name not in BUILT_IN_ROLES}
    if own:
        tx.one_at_a_time("roles")  # none of them goes before this is committed
        known = {row.name for row in tx.all(_own.where(roles.c.name.in_(list_of_strings(own))))}
        if own - known:
            raise UnknownRole(role=min(own - known)[:100])
    _make_sure_actor_covers(tx, [policy_of_roles(tx, names)])


def make_sure_actor_covers_user(tx: Tx, user: User) -> None:
    """Refuse to act on somebody who may do more than the actor: a new password would be a way to their rights."""
    if user.id != tx.scope.actor.id:
        _make_sure_actor_covers(tx, [policy_of_roles(tx, user.roles)])


def make_sure_someone_administers(tx: Tx) -> None:
    """Refuse to leave the tenant, as it now is, without anyone who may manage its users.

    Asked in one's turn as `ADMINISTRATORS`.
    """
    if not any(_administers(policy_of_roles(tx, user.roles)) for user in store.search_users(tx, (), (), {})):
        raise LastAdministrator


def _administers(policy: Policy) -> bool:
    return Permission.MANAGE_USERS in policy


def _make_sure_actor_covers(tx: Tx, policies: Iterable[Policy]) -> None:
    if not all(covers(tx.scope, policy) for policy in policies):
        raise BeyondOwn


def _difference(old: Role, new: Role) -> dict[str, tuple[str, str]]:
    """What is put on record of a change: old and new of whatever is not the same any more."""
    written = [(role.description, _written(role)) for role in (old, new)]
    pairs = zip(("description", "grants"), *written, strict=True)
    return {name: (before, after) for name, before, after in pairs if before != after}


def _written(role: Role) -> str:
    return msgspec.json.encode(role.grants).decode()


def _holders(tx: Tx, name: str) -> list[User]:
    return [user for user in store.search_users(tx, (), (), {}) if name in user.roles]


def _find(tx: Tx, name: str) -> Role:
    built_in = next((role for role in BUILT_IN if role.name == name), None)
    if built_in is not None:
        return built_in
    row = tx.one(_role, {"name": name})
    if row is None:
        raise RoleNotFound
    return _as_role(row)


def _make_sure_it_is_good(role: Role) -> None:
    if not role.name or len(role.name) > LONGEST_NAME:
        raise BadRole(reason=f"name: the length must be between 1 and {LONGEST_NAME}.")
    if "/" in role.name or not role.name.isprintable():
        raise BadRole(reason="name: must be printable and without slashes")
    if role.name in (".", "..") or role.name != role.name.strip():  # clients lose these on the way
        raise BadRole(reason="name: must not be . or .. and not begin or end with a space")
    if len(role.description) > LONGEST_DESCRIPTION:
        raise BadRole(reason=f"description: the length must be no more than {LONGEST_DESCRIPTION}.")
    if len(role.grants) > MOST_GRANTS:
        raise BadRole(reason=f"permissions: at most {MOST_GRANTS} are allowed.")
    for grant in role.grants:
        if isinstance(grant, OnRequests):
            if not grant.expression:  # it would match every path
                raise BadRole(reason=f"object value: the length must be between 1 and {LONGEST_VALUE}.")
            make_sure_expression_is_good(grant.expression)
        if isinstance(grant, OnDevices) and grant.which is not Which.ANY and not 1 <= len(grant.value) <= LONGEST_VALUE:
            raise BadRole(reason=f"object value: the length must be between 1 and {LONGEST_VALUE}.")


def _values(role: Role) -> dict[str, Any]:
    return {
        "description": role.description,
        "permissions": _written(role),
        "updated_at": role.updated_at,
    }


def _as_role(row: sa.Row[Any]) -> Role:
    return Role(row.name, row.description, _grants.decode(row.permissions), row.created_at, row.updated_at)
