"""Which permission does a management request need?

The actions of the domain decide for themselves. These tables tell a gateway that asks in front of them (the internal
`useradm/auth/verify`) what they will decide; a test holds them against the routes. What stands in none of them takes
everything: a path that only looks like one that is known, or belongs to another service, opens no door.
"""

from __future__ import annotations

import re

from fairlead.base.scope import Scope
from fairlead.domain.identity import Permission, for_request

_V = "/api/management/v[12]"
_LOOKS = ("GET", "HEAD")

_TABLE: tuple[tuple[str, Permission, Permission], ...] = (
    (f"{_V}/devauth/devices/search", Permission.VIEW_DEVICES, Permission.VIEW_DEVICES),
    (f"{_V}/inventory/filters/search", Permission.VIEW_DEVICES, Permission.VIEW_DEVICES),
    (f"{_V}/(devauth|inventory)/.*", Permission.VIEW_DEVICES, Permission.MANAGE_DEVICES),
    (f"{_V}/deployments/deployments(/.*)?", Permission.VIEW_DEPLOYMENTS, Permission.MANAGE_DEPLOYMENTS),
    (f"{_V}/deployments/.*", Permission.VIEW_ARTIFACTS, Permission.MANAGE_ARTIFACTS),
    (f"{_V}/useradm/(users|roles)(/.*)?", Permission.VIEW_USERS, Permission.MANAGE_USERS),
    (f"{_V}/auditlogs/.*", Permission.VIEW_AUDIT_LOG, Permission.VIEW_AUDIT_LOG),
    (f"{_V}/tenantadm/(billing|tenants)(/.*)?", Permission.MANAGE_ORGANIZATION, Permission.MANAGE_ORGANIZATION),
    (f"{_V}/deviceconnect/devices/[^/]+", Permission.VIEW_DEVICES, Permission.VIEW_DEVICES),
    (f"{_V}/deviceconnect/.*", Permission.USE_TERMINAL, Permission.USE_TERMINAL),
)
_EVERYBODYS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("POST",), f"{_V}/useradm/auth/(login|logout|plan-verify|password-reset/(start|complete))"),
    ((*_LOOKS, "POST"), f"{_V}/useradm/settings"),
    (_LOOKS, f"{_V}/useradm/2faqr"),
    (("PUT",), f"{_V}/useradm/2faverify"),
    (_LOOKS, f"{_V}/tenantadm/user/tenant"),
    (("POST",), f"{_V}/tenantadm/tenants(/trial)?"),
    (("DELETE",), f"{_V}/tenantadm/tenants/[^/]+"),
    (("PUT",), f"{_V}/tenantadm/tenants/[^/]+/status"),
)
_NEEDS = tuple((re.compile(path, re.DOTALL), look, change) for path, look, change in _TABLE)
_NEED_NOTHING = tuple((methods, re.compile(path)) for methods, path in _EVERYBODYS)
_OWN_AFFAIRS = re.compile(f"{_V}/useradm/users/([^/]+)")

NOTHING: frozenset[Permission] = frozenset()
EVERYTHING = frozenset(Permission)


def needed(method: str, path: str) -> frozenset[Permission]:
    """The permissions: `NOTHING` for what everybody may do, `EVERYTHING` for what nobody here knows."""
    if any(method in methods and pattern.fullmatch(path) for methods, pattern in _NEED_NOTHING):
        return NOTHING
    for pattern, look, change in _NEEDS:
        if pattern.fullmatch(path):
            return frozenset({look if method in _LOOKS else change})
    return EVERYTHING


def may_request(scope: Scope, method: str, path: str) -> bool:
    """Would the request be allowed? Whose own device groups it is about, only the request itself can tell.

    The path is one as the router sees it: decoded, and with single slashes.
    """
    own = _OWN_AFFAIRS.fullmatch(path)
    if own and own.group(1) in ("me", scope.actor.id) and method in (*_LOOKS, "PUT"):
        return True
    allowed = for_request(scope, method, path).permissions
    return all(permission in allowed for permission in needed(method, path))
