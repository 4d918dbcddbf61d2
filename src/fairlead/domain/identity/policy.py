"""May this actor do this to that? The one place that decides.

Whatever dialect a role is written in, it is made of grants, and the grants of all roles that somebody holds add up to
one policy. Two rules go beyond adding up. A grant that names device groups also *restricts*: whoever holds one sees
and changes no device outside of the groups that their roles name, whatever else they may do (mender.md §2.5). And
nobody may hand out, or take over, more than they have themselves: see `Policy.covers`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import msgspec
import re2

from fairlead.base.errors import Refusal
from fairlead.base.scope import Scope
from fairlead.domain.identity.judging import NOTHING_SAID, Statements, Verdict
from fairlead.domain.identity.model import BUILT_IN_ROLES, Permission
from fairlead.domain.identity.project_roles import PortalGrants
from fairlead.domain.identity.resources import Resource

LONGEST_EXPRESSION = 1024
ANY = "any"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_EVERY_PATH = frozenset({".*", "^.*", ".*$", "^.*$", "", "^"})


class Deed(enum.StrEnum):
    """What a grant on devices allows."""

    VIEW = "view"
    DEPLOY = "deploy"
    TERMINAL = "terminal"


class Which(enum.StrEnum):
    """Which devices a grant is about."""

    ANY = "any"
    GROUP = "group"
    DEVICE = "device"


class Everything(msgspec.Struct, frozen=True, tag="everything"):
    """All that there is to do."""


class OnRequests(msgspec.Struct, frozen=True, tag="requests"):
    """Whatever a request needs whose method is this one (or `any`) and whose path the expression matches.

    The expression is RE2's, as in Mender, and matches from the start of the path: end it with `$` for this path only.
    """

    method: str
    expression: str

    def matches(self, method: str, path: str) -> bool:
        return self.method in (ANY, method) and _compiled(self.expression).match(path) is not None

    def covers(self, other: OnRequests) -> bool:
        """Is all that the other matches certainly matched by this one?"""
        if self.method not in (ANY, other.method):
            return False
        return self.expression in _EVERY_PATH or self.expression == other.expression


class OnDevices(msgspec.Struct, frozen=True, tag="devices"):
    """One deed, on any device, on the members of one group, or on one device."""

    deed: Deed
    which: Which
    value: str = ""


Grant = Everything | OnRequests | OnDevices

_ALLOWED_BY: dict[Deed, frozenset[Permission]] = {
    Deed.VIEW: frozenset({Permission.VIEW_DEVICES}),
    Deed.DEPLOY: frozenset(
        {
            Permission.VIEW_DEVICES,
            Permission.VIEW_ARTIFACTS,
            Permission.VIEW_DEPLOYMENTS,
            Permission.MANAGE_DEPLOYMENTS,
        }
    ),
    Deed.TERMINAL: frozenset({Permission.VIEW_DEVICES, Permission.USE_TERMINAL}),
}
_ON_DEVICES = frozenset(
    {
        Permission.VIEW_DEVICES,
        Permission.MANAGE_DEVICES,
        Permission.VIEW_DEPLOYMENTS,
        Permission.MANAGE_DEPLOYMENTS,
        Permission.USE_TERMINAL,
    }
)


class BadExpression(Refusal):
    message = "{expression!r} is not an expression that matches paths: {reason}"


@dataclass(frozen=True, slots=True)
class DeviceLimit:
    """Only the members of these groups, and these devices."""

    groups: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    def covers(self, other: DeviceLimit | None) -> bool:
        return other is not None and other.groups <= self.groups and other.ids <= self.ids


@dataclass(frozen=True, slots=True)
class Policy:
    """What somebody may do. It holds `Permission`s, so it serves as the permissions of a `Scope`.

    `sight`, `deploys_to` and `terminals` limit the devices; None is no limit. `opened` is true for a request that
    one of the `requests` matches: for as long as it lasts, everything that it needs is allowed. `documents` is what
    scope documents say; it allows what they know, and holds no permission. `portal` is what a portal of scientific
    services knows of the caller, and holds none either.
    """

    everything: bool = False
    permissions: frozenset[Permission] = frozenset()
    requests: frozenset[OnRequests] = frozenset()
    sight: DeviceLimit | None = None
    deploys_to: DeviceLimit | None = None
    terminals: DeviceLimit | None = None
    opened: bool = False
    documents: Statements = NOTHING_SAID
    portal: PortalGrants | None = None

    NOBODY: ClassVar[Policy]

    def __contains__(self, permission: object) -> bool:
        return self.everything or self.opened or permission in self.permissions

    def at(self, method: str, path: str) -> Policy:
        """The policy for one request."""
        if self.everything or not any(rule.matches(method, path) for rule in self.requests):
            return self
        return replace(self, opened=True)

    def verdict(self, act: str, resource: Resource, caller: str) -> Verdict:
        """Do scope documents allow whoever is called this to do it? Those who may do everything need none."""
        return Verdict.ALLOWED if self.everything else self.documents.verdict(act, resource, caller)

    def covers(self, other: Policy) -> bool:
        """May whoever has this policy give the other one to somebody, or act on somebody who has it?

        In doubt no: of two expressions that are not the same nobody can say whether one matches all the other does.
        Documents that allow anything are covered by everything alone: even the same ones would mean other people's own.
        So is what a portal grants, which nobody is given by a role.
        """
        if not self.everything:
            if other.documents.allow_anything() or other.portal is not None:
                return False
            if other.everything or not other.permissions <= self.permissions:
                return False
            if not all(any(own.covers(rule) for own in self.requests) for rule in other.requests):
                return False
        if not (other.everything or other.requests or other.permissions & _ON_DEVICES):
            return True  # it is not about devices, so that limits do not matter
        pairs = (
            (self.sight, other.sight),
            (self.deploys_to, other.deploys_to),
            (self.terminals, other.terminals),
        )
        return all(own is None or own.covers(others) for own, others in pairs)


Policy.NOBODY = Policy()


def policy_of(built_in: Iterable[str], grants: Iterable[Grant]) -> Policy:
    """All that these built-in roles and these grants add up to."""
    grants = list(grants)
    on_devices = [grant for grant in grants if isinstance(grant, OnDevices)]
    names = [name for name in built_in if name in BUILT_IN_ROLES]
    permissions = frozenset().union(
        *(BUILT_IN_ROLES[name] for name in names), *(_ALLOWED_BY[grant.deed] for grant in on_devices)
    )
    sight = _limit(on_devices, lift=Deed.VIEW)
    return Policy(
        everything=permissions >= frozenset(Permission) or any(isinstance(grant, Everything) for grant in grants),
        permissions=permissions,
        requests=frozenset(grant for grant in grants if isinstance(grant, OnRequests)),
        sight=sight,
        deploys_to=_limit(on_devices, only=Deed.DEPLOY) or sight,
        terminals=_limit(on_devices, only=Deed.TERMINAL) or sight,
    )


def _limit(grants: Iterable[OnDevices], only: Deed | None = None, lift: Deed | None = None) -> DeviceLimit | None:
    """The devices that the grants (for one deed) name. One for any device lifts the limit of its deed."""
    counted = [grant for grant in grants if only is None or grant.deed is only]
    if any(grant.which is Which.ANY and grant.deed is (only or lift) for grant in counted):
        return None
    groups = frozenset(grant.value for grant in counted if grant.which is Which.GROUP)
    ids = frozenset(grant.value for grant in counted if grant.which is Which.DEVICE)
    return DeviceLimit(groups, ids) if groups or ids else None


def make_sure_expression_is_good(expression: str) -> None:
    """Refuse what is no RE2 expression, or an enormous one."""
    if len(expression) > LONGEST_EXPRESSION:
        raise BadExpression(expression=expression[:40], reason=f"longer than {LONGEST_EXPRESSION} characters")
    try:
        _compiled(expression)
    except re2.error as problem:
        reason = problem.args[0] if problem.args else "unreadable"
        raise BadExpression(
            expression=expression[:100],
            reason=reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason,
        ) from None


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True  # so that `.*$` really is every path
    options.max_mem = 1 << 20
    return re2.compile(expression, options)


def sight(scope: Scope) -> DeviceLimit | None:
    """The only devices that the actor may see and change; None is no limit."""
    return scope.permissions.sight if isinstance(scope.permissions, Policy) else None


def deployment_limit(scope: Scope) -> DeviceLimit | None:
    """The only devices that the actor may roll anything out to."""
    return scope.permissions.deploys_to if isinstance(scope.permissions, Policy) else None


def terminal_limit(scope: Scope) -> DeviceLimit | None:
    """The only devices whose terminal the actor may open."""
    return scope.permissions.terminals if isinstance(scope.permissions, Policy) else None


def for_request(scope: Scope, method: str, path: str) -> Scope:
    """The scope for one request: with what the actor's request rules open for it."""
    if not isinstance(scope.permissions, Policy) or not scope.permissions.requests:
        return scope
    return replace(scope, permissions=scope.permissions.at(method, path))


def covers(scope: Scope, other: Policy) -> bool:
    """Does the actor have all that the other policy allows? The system has."""
    return not isinstance(scope.permissions, Policy) or scope.permissions.covers(other)
