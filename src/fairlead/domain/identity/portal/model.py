"""Who are the users of a portal?"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from fairlead.base.errors import Kind, Refusal
from fairlead.domain.identity.portal.numbers import written
from fairlead.domain.identity.project_roles import Standing

LONGEST_NAME = 100
LONGEST_MESSAGE = 1000
LONGEST_GROUP = 100
MOST_GROUPS = 50
ACTOR = "portal:"
"""What the id of an actor begins with who is a user of a portal."""


class UserType(enum.StrEnum):
    ANONYMOUS = "anonymous"
    AUTHENTICATED = "authenticated"


class AuthenticationType(enum.StrEnum):
    """Who keeps the password."""

    LOCAL = "local"
    LDAP = "ldap"
    OIDC = "oidc"


@dataclass(frozen=True, slots=True)
class Notices:
    """Of what somebody wants to be told by mail."""

    project: bool = True
    job: bool = True
    data: bool = True


@dataclass(frozen=True, slots=True)
class User:
    """Someone on a portal. The anonymous have no e-mail.

    `account_id` is the user of the organization that they are, if they are one. `is_admin` is true as well for whoever
    may do everything in the organization.
    """

    tenant_id: str
    number: int
    type: UserType
    authentication_type: AuthenticationType | None
    email: str
    first_name: str
    last_name: str
    status: Standing
    status_message: str
    is_admin: bool
    groups: tuple[str, ...]
    notices: Notices
    default_project: int | None
    account_id: str
    created_at: datetime
    updated_at: datetime
    logged_in_at: datetime | None

    @property
    def id(self) -> str:
        return written(self.number)

    @property
    def is_anonymous(self) -> bool:
        return self.type is UserType.ANONYMOUS

    @property
    def name(self) -> str:
        """What people call them."""
        return self.email or self.id


class UserNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "There is no such user."


class EmailTaken(Refusal):
    kind = Kind.CONFLICT
    message = "There is a user with the e-mail {email} already."


class Suspended(Refusal):
    """All that somebody is told whose account was suspended: what the administrator wrote for them."""

    kind = Kind.FORBIDDEN
    message = "{status_message}"

    def __init__(self, status_message: str) -> None:
        super().__init__(status_message=status_message or "Your account is suspended.")


class BadName(Refusal):
    message = f"A name must be printable and have at most {LONGEST_NAME} characters."


class BadMessage(Refusal):
    message = f"A message must be printable, with line breaks at most, and have at most {LONGEST_MESSAGE} characters."


class BadGroups(Refusal):
    message = "groups: {reason}"


def make_sure_name_is_good(name: str) -> None:
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise BadName


def make_sure_message_is_good(message: str) -> None:
    if len(message) > LONGEST_MESSAGE or not message.replace("\n", "").isprintable():
        raise BadMessage


def make_sure_groups_are_good(groups: list[str]) -> None:
    if len(groups) > MOST_GROUPS:
        raise BadGroups(reason=f"nobody may belong to more than {MOST_GROUPS}")
    for group in groups:
        if not 1 <= len(group) <= LONGEST_GROUP or not group.isprintable() or group != group.strip():
            reason = f"a name is printable, without space around it, and has 1 to {LONGEST_GROUP} characters"
            raise BadGroups(reason=reason)
