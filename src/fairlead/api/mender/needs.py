"""Which permission does a management request need?

The actions of the domain decide for themselves. This table tells a gateway that asks in front of them (the internal
`useradm/auth/verify`) what they will decide; a test holds it against the routes.
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
_NEEDS = tuple((re.compile(path), look, change) for path, look, change in _TABLE)
_OWN_AFFAIRS = re.compile(f"{_V}/useradm/users/(me|([^/]+))")


def needed(method: str, path: str) -> Permission | None:
    """The permission, None for what everybody who is logged in may do."""
    for pattern, look, change in _NEEDS:
        if pattern.fullmatch(path):
            return look if method in _LOOKS else change
    return None


def may_request(scope: Scope, method: str, path: str) -> bool:
    """Would the request be allowed? Whose own device groups it is about, only the request itself can tell."""
    permission = needed(method, path)
    own = _OWN_AFFAIRS.fullmatch(path)
    if own and own.group(1) in ("me", scope.actor.id) and method in ("GET", "HEAD", "PUT"):
        return True
    return permission is None or permission in for_request(scope, method, path).permissions
