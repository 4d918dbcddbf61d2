"""What may somebody do in a project, and on the portal that it belongs to? One table says it (mobyle.md §1.4)."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


class Role(enum.StrEnum):
    """What somebody is in a project. Each may do all that those before it may."""

    WATCHER = "watcher"
    CONTRIBUTOR = "contributor"
    MANAGER = "manager"
    OWNER = "owner"


def strongest(roles: Iterable[Role]) -> Role:
    """The one that may do most: for whoever has a role of their own and others through their groups."""
    return max(roles, key=list(Role).index)


class Act(enum.StrEnum):
    """One word for each thing that can be done. Values complete the sentence "You may not …"."""

    VIEW_PROJECT = "view this project"
    EDIT_PROJECT = "change this project"
    DELETE_PROJECT = "delete this project"
    CHANGE_MEMBERS = "change who belongs to this project"
    CREATE_PROJECT = "create projects"
    VIEW_NOTEBOOK = "read the notebook of this project"
    CREATE_NOTEBOOK = "begin a notebook in this project"
    EDIT_NOTEBOOK = "write into the notebook of this project"
    DELETE_NOTEBOOK = "delete the notebook of this project"
    VIEW_SERVICE = "see this service"
    CREATE_SERVICE = "add services here"
    EDIT_SERVICE = "change services here"
    DELETE_SERVICE = "delete services here"
    VIEW_JOB = "see the jobs of this project"
    CREATE_JOB = "prepare jobs in this project"
    RUN_JOB = "run jobs in this project"
    EDIT_JOB = "change jobs of this project"
    DELETE_JOB = "delete jobs of this project"
    VIEW_DATA = "see the data of this project"
    CREATE_DATA = "add data to this project"
    EDIT_DATA = "change data of this project"
    DELETE_DATA = "delete data of this project"
    MANAGE_SERVICES = "manage the services of this portal"
    MANAGE_SERVERS = "manage the servers that this portal knows"
    MANAGE_USERS = "manage the users of this portal"
    ADMINISTER = "administer this portal"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may: these roles in the project that it is about; and who needs none.

    `reads` marks what changes nothing: open to everybody in a public project, and to those whose account is pending.
    `on_server` is open to everybody where no project is meant, `to_registered` to whoever has an account.
    `thing` is what is not there for those who may not even see the project.
    """

    thing: str
    roles: frozenset[Role] = frozenset()
    reads: bool = False
    on_server: bool = False
    to_registered: bool = False


_ALL = frozenset(Role)
_WORKING = _ALL - {Role.WATCHER}
_LEADING = _WORKING - {Role.CONTRIBUTOR}

MATRIX: dict[Act, Rule] = {
    Act.VIEW_PROJECT: Rule("project", _ALL, reads=True),
    Act.EDIT_PROJECT: Rule("project", _LEADING),
    Act.DELETE_PROJECT: Rule("project", _LEADING),
    Act.CHANGE_MEMBERS: Rule("project", _LEADING),
    Act.CREATE_PROJECT: Rule("project", to_registered=True),
    Act.VIEW_NOTEBOOK: Rule("notebook", _ALL, reads=True),
    Act.CREATE_NOTEBOOK: Rule("notebook", _WORKING),
    Act.EDIT_NOTEBOOK: Rule("notebook", _WORKING),
    Act.DELETE_NOTEBOOK: Rule("notebook", _LEADING),
    Act.VIEW_SERVICE: Rule("service", _ALL, reads=True, on_server=True),
    Act.CREATE_SERVICE: Rule("service", _WORKING),
    Act.EDIT_SERVICE: Rule("service", _WORKING),
    Act.DELETE_SERVICE: Rule("service", _LEADING),
    Act.VIEW_JOB: Rule("job", _ALL, reads=True),
    Act.CREATE_JOB: Rule("job", _WORKING),
    Act.RUN_JOB: Rule("job", _WORKING),
    Act.EDIT_JOB: Rule("job", _WORKING),
    Act.DELETE_JOB: Rule("job", _LEADING),
    Act.VIEW_DATA: Rule("data", _ALL, reads=True),
    Act.CREATE_DATA: Rule("data", _WORKING),
    Act.EDIT_DATA: Rule("data", _WORKING),
    Act.DELETE_DATA: Rule("data", _LEADING),
    Act.MANAGE_SERVICES: Rule("portal"),
    Act.MANAGE_SERVERS: Rule("portal"),
    Act.MANAGE_USERS: Rule("portal"),
    Act.ADMINISTER: Rule("portal"),
}
"""Administrators may do everything, and what neither names a role nor anybody else is theirs alone."""


class Caller(enum.StrEnum):
    """What sort of caller it is that a portal hears."""

    VISITOR = "visitor"  # nobody has said who it is
    PEER = "peer"  # another server
    ANONYMOUS = "anonymous"  # has a session and no account
    AUTHENTICATED = "authenticated"


class Standing(enum.StrEnum):
    """How somebody stands with the portal."""

    PENDING = "pending"  # may look, and neither run nor change anything
    ACTIVE = "active"
    SUSPENDED = "suspended"  # may nothing at all


@dataclass(frozen=True, slots=True)
class ProjectRef:
    """What has to be known of a project to say who may do what in it."""

    number: int
    is_public: bool = False


class Ruling(enum.Enum):
    ALLOWED = "allowed"
    HIDDEN = "hidden"  # for this caller it is not there
    LOG_IN_FIRST = "log in first"
    NOT_YET = "not yet"  # their account is pending
    SHUT_OUT = "shut out"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class PortalGrants:
    """What a portal knows of a caller. `is_admin` is true only while an administrator acts as one.

    `roles` are those in projects, by the number of the project. Rules of services ask for `groups` and `address`.
    """

    caller: Caller
    number: int = 0
    standing: Standing = Standing.ACTIVE
    status_message: str = ""
    is_admin: bool = False
    roles: Mapping[int, Role] = field(default_factory=dict, hash=False)
    groups: frozenset[str] = frozenset()
    address: str = ""

    @property
    def can_run(self) -> bool:
        """May they run anything at all? Where, their roles say."""
        return self.standing is Standing.ACTIVE and self.caller in (Caller.ANONYMOUS, Caller.AUTHENTICATED)

    def judge(self, act: Act, project: ProjectRef | None) -> Ruling:
        """May they do this in the project, or on the portal itself where none is meant?"""
        if self.standing is Standing.SUSPENDED:
            return Ruling.SHUT_OUT
        if self.is_admin and self.standing is Standing.ACTIVE:
            return Ruling.ALLOWED
        if project is not None and not self._fits(MATRIX[Act.VIEW_PROJECT], project):
            return Ruling.HIDDEN
        rule = MATRIX[act]
        if not self._fits(rule, project):
            return Ruling.LOG_IN_FIRST if self.caller is Caller.VISITOR else Ruling.FORBIDDEN
        return Ruling.ALLOWED if rule.reads or self.standing is Standing.ACTIVE else Ruling.NOT_YET

    def _fits(self, rule: Rule, project: ProjectRef | None) -> bool:
        if rule.to_registered:
            return self.caller is Caller.AUTHENTICATED
        if project is None:
            return rule.on_server
        return self.roles.get(project.number) in rule.roles or (rule.reads and project.is_public)
