"""What is a project, and what may be said of one?"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from fairlead.base.errors import Kind, Refusal
from fairlead.domain.identity import portal

LONGEST_NAME = 100
LONGEST_DESCRIPTION = 4000
LONGEST_NOTEBOOK = 512 * 1024
LONGEST_FAVORITE = 300
MOST_FAVORITES = 200
MOST_PROJECTS = 200
MOST_MEMBERS = 500


class MemberKind(enum.StrEnum):
    USER = "user"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Member:
    """A user, by their id, or all who belong to a group, by its name."""

    kind: MemberKind
    name: str

    @classmethod
    def user(cls, number: int) -> Member:
        return cls(MemberKind.USER, portal.written(number))

    @classmethod
    def group(cls, name: str) -> Member:
        return cls(MemberKind.GROUP, name)


@dataclass(frozen=True, slots=True)
class Project:
    number: int
    name: str
    description: str
    owner: int
    public: bool
    notebook: str
    created_at: datetime
    updated_at: datetime

    @property
    def id(self) -> str:
        return portal.written(self.number)

    @property
    def ref(self) -> portal.ProjectRef:
        return portal.ProjectRef(self.number, self.public)


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a project, each by number, and who belongs to it. `favorites` are the caller's own."""

    members: tuple[tuple[Member, portal.Role], ...] = ()
    jobs: tuple[int, ...] = ()
    data: tuple[int, ...] = ()
    favorites: tuple[str, ...] = ()

    def with_role(self, role: portal.Role) -> list[Member]:
        return [member for member, has in self.members if has is role]


@dataclass(frozen=True, slots=True)
class ProjectChange:
    """What becomes different; None stays. A notebook that becomes empty is deleted."""

    name: str | None = None
    description: str | None = None
    public: bool | None = None
    notebook: str | None = None


class BadProject(Refusal):
    message = "{reason}"


class TooManyProjects(Refusal):
    kind = Kind.LIMIT
    message = f"Nobody may own more than {MOST_PROJECTS} projects."


class TooManyMembers(Refusal):
    kind = Kind.LIMIT
    message = f"A project may have at most {MOST_MEMBERS} members."


class ProjectIsBusy(Refusal):
    kind = Kind.CONFLICT
    message = "Jobs of this project are under way: wait for their end, or kill them first."


class NoSuchMember(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "There is no such user."


class OwnerIsNoMember(Refusal):
    kind = Kind.CONFLICT
    message = "The owner of a project has no other role in it: hand the project over first."


class OnlyTheOwnerHandsOver(Refusal):
    kind = Kind.FORBIDDEN
    message = "Only the owner of a project may hand it over."


def make_sure_words_are_good(name: str, description: str) -> None:
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise BadProject(
            reason=f"name: it is printable, without space around it, and has 1 to {LONGEST_NAME} characters."
        )
    if "::" in name or "/" in name:
        raise BadProject(reason="name: it has neither '::' nor '/' in it.")
    if len(description) > LONGEST_DESCRIPTION or "\0" in description:
        raise BadProject(reason=f"description: it has at most {LONGEST_DESCRIPTION} characters.")


def make_sure_notebook_is_good(text: str) -> None:
    if len(text) > LONGEST_NOTEBOOK or "\0" in text:
        raise BadProject(reason=f"notebook: it has at most {LONGEST_NOTEBOOK} characters.")


def make_sure_member_is_good(member: Member) -> None:
    if member.kind is MemberKind.GROUP and not (0 < len(member.name) <= LONGEST_NAME and member.name.isprintable()):
        raise BadProject(reason=f"The name of a group is printable and has 1 to {LONGEST_NAME} characters.")


def make_sure_favorites_are_good(services: list[str]) -> None:
    if len(services) > MOST_FAVORITES:
        raise BadProject(reason=f"favorites: there are at most {MOST_FAVORITES}.")
    for service in services:
        if not 0 < len(service) <= LONGEST_FAVORITE or not service.isprintable():
            raise BadProject(reason=f"favorites: each is printable and has 1 to {LONGEST_FAVORITE} characters.")
