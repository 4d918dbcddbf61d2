"""May this caller do this on the portal? Asked of the one table; and who is it that calls?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import Actor, ActorKind, Everything, Scope
from fairlead.domain.identity.policy import Policy
from fairlead.domain.identity.portal.model import ACTOR, Suspended, User
from fairlead.domain.identity.portal.numbers import NOTHING
from fairlead.domain.identity.project_roles import (
    MATRIX,
    Act,
    Caller,
    PortalGrants,
    ProjectRef,
    Role,
    Ruling,
    Standing,
    strongest,
)

VISITOR = "visitor"
NO_ROLES: Mapping[int, Role] = {}

RolesOf = Callable[[Tx, User], Mapping[int, Role]]

_tell_roles: list[RolesOf] = []


class NotThere(Refusal):
    """It does not exist, or the caller may not know that it does."""

    kind = Kind.NOT_FOUND
    message = "There is no such {thing}."


class LogInFirst(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = "You may not {act}: log in first."


class AccountPending(Refusal):
    kind = Kind.FORBIDDEN
    message = "You may not {act} yet: your account is pending. Confirm your e-mail address, or ask an administrator."


class NotPermitted(Refusal):
    kind = Kind.FORBIDDEN
    message = "You may not {act}."


def may(scope: Scope, act: Act, project: ProjectRef | None = None) -> bool:
    """Without a project: on the portal itself, as with the services of the server."""
    return _ruling(scope, act, project) is Ruling.ALLOWED


def make_sure_may(scope: Scope, act: Act, project: ProjectRef | None = None) -> None:
    """Refuse as the caller is to be told: a project that they may not see is not there, nor anything in it."""
    match _ruling(scope, act, project):
        case Ruling.ALLOWED:
            return
        case Ruling.HIDDEN:
            raise NotThere(thing=MATRIX[act].thing)
        case Ruling.LOG_IN_FIRST:
            raise LogInFirst(act=act.value)
        case Ruling.NOT_YET:
            raise AccountPending(act=act.value)
        case Ruling.SHUT_OUT:
            grants = grants_of(scope)
            raise Suspended(grants.status_message if grants else "")
        case Ruling.FORBIDDEN:
            raise NotPermitted(act=act.value)


def _ruling(scope: Scope, act: Act, project: ProjectRef | None) -> Ruling:
    if isinstance(scope.permissions, Everything) or (
        isinstance(scope.permissions, Policy) and scope.permissions.everything
    ):
        return Ruling.ALLOWED
    grants = grants_of(scope)
    return grants.judge(act, project) if grants else Ruling.FORBIDDEN


def grants_of(scope: Scope) -> PortalGrants | None:
    """What the portal knows of the caller; None for whoever did not come through a portal."""
    return scope.permissions.portal if isinstance(scope.permissions, Policy) else None


def number_of_caller(scope: Scope) -> int:
    """The number of the user who calls; `NOTHING` for everybody else."""
    grants = grants_of(scope)
    return grants.number if grants else NOTHING


def is_visitor(scope: Scope) -> bool:
    grants = grants_of(scope)
    return grants is not None and grants.caller is Caller.VISITOR


def roles_told_by(tell: RolesOf) -> RolesOf:
    """Have somebody's roles in projects told by a package that knows of projects."""
    _tell_roles.append(tell)
    return tell


def roles_of(tx: Tx, user: User) -> Mapping[int, Role]:
    """The strongest role of the user in each project in which they have one, as themselves or through their groups."""
    found: dict[int, Role] = {}
    for tell in _tell_roles:
        for project, role in tell(tx, user).items():
            found[project] = strongest({role, found.get(project, role)})
    return found


def scope_of(user: User, roles: Mapping[int, Role] = NO_ROLES, *, as_admin: bool = False, address: str = "") -> Scope:
    """The user with what they may do. They have an administrator's powers only if they are one and act as one."""
    grants = PortalGrants(
        caller=Caller.ANONYMOUS if user.is_anonymous else Caller.AUTHENTICATED,
        number=user.number,
        standing=user.status,
        status_message=user.status_message,
        is_admin=as_admin and user.is_admin and user.status is Standing.ACTIVE,
        roles=roles,
        groups=frozenset(user.groups),
        address=address,
    )
    return Scope(user.tenant_id, Actor(ActorKind.USER, ACTOR + user.id, user.name), Policy(portal=grants))


def visitor(tenant_id: str, address: str = "") -> Scope:
    """Whoever has not said who they are: sees what is public."""
    grants = PortalGrants(Caller.VISITOR, address=address)
    return Scope(tenant_id, Actor(ActorKind.USER, ACTOR + VISITOR, VISITOR), Policy(portal=grants))


def peer(tenant_id: str, name: str, address: str = "") -> Scope:
    """Another server that has shown who it is."""
    grants = PortalGrants(Caller.PEER, address=address)
    return Scope(tenant_id, Actor(ActorKind.SYSTEM, f"peer:{name}", name), Policy(portal=grants))
