"""Who are the people and the organizations, and what may they do?"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fairlead.base.errors import Kind, Refusal
from fairlead.domain.identity.api_limits import NO_LIMITS, TenantApiLimits

DEFAULT_TENANT_ID = "default"
"""The one tenant of a server that is not multitenant."""

SIGNED_OUT = "signed-out"
"""The change that tells every process to verify a user's tokens anew."""

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1024
LONGEST_EMAIL = 254


class Permission(enum.StrEnum):
    """One word for each thing that a role may allow. Values complete the sentence "the permission to …"."""

    VIEW_DEVICES = "view devices"
    MANAGE_DEVICES = "manage devices"
    VIEW_ARTIFACTS = "view artifacts"
    MANAGE_ARTIFACTS = "manage artifacts"
    VIEW_DEPLOYMENTS = "view deployments"
    MANAGE_DEPLOYMENTS = "manage deployments"
    VIEW_USERS = "view users"
    MANAGE_USERS = "manage users"
    USE_TERMINAL = "use the remote terminal"
    VIEW_AUDIT_LOG = "view the audit log"
    MANAGE_ORGANIZATION = "manage the organization"


_VIEW = frozenset({Permission.VIEW_DEVICES, Permission.VIEW_ARTIFACTS, Permission.VIEW_DEPLOYMENTS})

BUILT_IN_ROLES: dict[str, frozenset[Permission]] = {
    "RBAC_ROLE_PERMIT_ALL": frozenset(Permission),
    "RBAC_ROLE_OBSERVER": _VIEW | {Permission.VIEW_USERS},
    "RBAC_ROLE_CI": _VIEW | {Permission.MANAGE_ARTIFACTS, Permission.MANAGE_DEPLOYMENTS},
    "RBAC_ROLE_REMOTE_TERMINAL": frozenset({Permission.VIEW_DEVICES, Permission.USE_TERMINAL}),
}
"""The roles that Mender 2.6 ships (mender.md §2.5)."""

DEFAULT_ROLES = ("RBAC_ROLE_PERMIT_ALL",)


class TenantStatus(enum.StrEnum):
    INACTIVE = "inactive"  # founded, and not let in yet
    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organization. `device_limit` 0 means that there is none; `billing` is what the billing package notes down."""

    id: str
    name: str
    status: TenantStatus
    plan: str
    token: str
    device_limit: int
    storage_limit_bytes: int
    trial_ends_at: datetime | None = None
    api_limits: TenantApiLimits = NO_LIMITS
    billing: Mapping[str, str] = field(default_factory=dict)
    cancelled_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        return self.status is TenantStatus.ACTIVE

    @property
    def is_trial(self) -> bool:
        return self.trial_ends_at is not None


@dataclass(frozen=True, slots=True)
class User:
    id: str
    tenant_id: str
    email: str
    password_hash: str
    roles: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    logged_in_at: datetime | None


class UserNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "user not found"


class TenantNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "tenant not found"


class EmailTaken(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "user with a given email already exists"


class BadEmail(Refusal):
    message = "{reason}"


class PasswordTooShort(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "password too short"


class PasswordTooLong(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "password too long: at most {limit} characters"


class UnknownRole(Refusal):
    message = "there is no role {role!r}"


class NothingToUpdate(Refusal):
    message = "no update information provided"


class LastAdministrator(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "this is the last user who may manage users: make another one first"


class WrongLogin(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = "unauthorized"


class TenantSuspended(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = "tenant account suspended"


class BadToken(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = "unauthorized"


class TokenExpired(BadToken):
    """One of ours whose time has run out: its bearer may apply for a new one."""

    message = "token has expired"


_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


def make_sure_email_is_good(email: str) -> None:
    """Refuse what is not an address of ASCII letters (useradm UserNew: "Non-ascii characters are invalid")."""
    if not email:
        raise BadEmail(reason="email can't be empty")
    if len(email) > LONGEST_EMAIL:
        raise BadEmail(reason=f"email: longer than {LONGEST_EMAIL} characters")
    if not email.isascii():
        raise BadEmail(reason="email: must contain ASCII characters only")
    if not _EMAIL.fullmatch(email) or ".." in email:
        raise BadEmail(reason=f"email: {email[:60]} does not validate as email")


def make_sure_password_is_good(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise PasswordTooShort
    if len(password) > LONGEST_PASSWORD:
        raise PasswordTooLong(limit=LONGEST_PASSWORD)
