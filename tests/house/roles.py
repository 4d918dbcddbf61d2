"""How does a test give somebody roles of their own? Through the domain, as the system: nothing else is needed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from fairlead.domain import identity
from house.world import HASH, LOGIN, PASSWORD, USERADM, Organization, Person

_numbers = itertools.count(1)
ALL, OBSERVER, CI, TERMINAL = "RBAC_ROLE_PERMIT_ALL", "RBAC_ROLE_OBSERVER", "RBAC_ROLE_CI", "RBAC_ROLE_REMOTE_TERMINAL"


def permission(action: str, type_: str, value: str) -> dict[str, Any]:
    """As the API writes it."""
    return {"action": action, "object": {"type": type_, "value": value}}


def http(method: str, expression: str) -> dict[str, Any]:
    return permission("http", method, expression)


def view(group: str) -> dict[str, Any]:
    return permission("VIEW_DEVICE", "DEVICE_GROUP", group)


def deploy(group: str) -> dict[str, Any]:
    return permission("CREATE_DEPLOYMENT", "DEVICE_GROUP", group)


def view_any() -> dict[str, Any]:
    return permission("VIEW_DEVICE", "any", "any")


def role(organization: Organization, name: str, *permissions: dict[str, Any]) -> str:
    """A role that the administrator makes; its name."""
    body = {"name": name, "permissions": list(permissions)}
    reply = organization.mender.as_(organization.admin).post(f"{USERADM}/roles", json=body)
    assert reply.status_code == 201, reply.text
    return name


@dataclass(frozen=True)
class Someone(Person):
    """A person whose id and e-mail are known."""

    id: str = ""
    email: str = ""


def log_in(organization: Organization, email: str, password: str = PASSWORD) -> str:
    reply = organization.mender.client.post(LOGIN, auth=(email, password))
    assert reply.status_code == 200, reply.text
    return reply.text


def someone(organization: Organization, *roles: str, name: str = "carl") -> Someone:
    """A person with exactly these roles, logged in."""
    email = f"{name}{next(_numbers)}@{organization.tenant.id}.example"
    with organization.server.fairlead.database.begin(organization.scope) as tx:
        user = identity.add_user(tx, email, HASH, list(roles))
    return Someone(organization.mender.client, log_in(organization, email), user.id, email)


def with_role(organization: Organization, *permissions: dict[str, Any], besides: tuple[str, ...] = ()) -> Someone:
    """A person with a role of these permissions, and with other roles besides."""
    return someone(organization, role(organization, f"role{next(_numbers)}", *permissions), *besides)
