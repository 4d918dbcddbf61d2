"""What is a service to those who look for it, and what may be asked of the catalogue?"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from fairlead.base.errors import Kind, Refusal
from fairlead.domain.catalog.names import FullName


class ServiceType(enum.StrEnum):
    PROGRAM = "program"
    WORKFLOW = "workflow"
    WIDGET = "widget"


class ServiceNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "There is no service {name}."


class VersionNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "{name} has no version {version}."


class ServiceIsDisabled(Refusal):
    kind = Kind.CONFLICT
    message = "{name} cannot be called at the moment. {why}"


class ServiceNotForYou(Refusal):
    kind = Kind.FORBIDDEN
    message = "You may not call {name}."


class TooManyServices(Refusal):
    kind = Kind.LIMIT
    message = "There may be at most {most} services here."


class TooManyVersions(Refusal):
    kind = Kind.LIMIT
    message = "{name} may have at most {most} versions: remove one of them first."


class DescriptionTooLarge(Refusal):
    kind = Kind.TOO_LARGE
    message = "A description may have at most {most} bytes."


class ProgramsAreForAdministrators(Refusal):
    kind = Kind.FORBIDDEN
    message = "A program says which command runs on this server, so only administrators register one."


@dataclass(frozen=True, slots=True)
class OwnServer:
    """This server, as others know it: what it is called, and by which address its portal is reached."""

    name: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A service as it is for whoever asks. `project` is empty for a service of the whole server.

    `disabled` and `authorized` are what they add up to; `message` says why it is disabled, where that is known.
    """

    name: str
    project: str
    server: str
    type: ServiceType
    exported: bool
    disabled: bool
    authorized: bool
    message: str = ""
    version: str = ""
    title: str = ""
    summary: str = ""
    package: str = ""
    topics: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    content_hash: str = ""
    project_number: int = 0

    @property
    def full_name(self) -> str:
        return str(FullName(self.name, self.project, self.server))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which services are wanted: all of these must be so, as far as they are said.

    `topic` and `operation` are EDAM terms, and mean those below them too; `text` is looked for in what people read of
    the service. `project` is a project's id, or `public`.
    """

    type: ServiceType | None = None
    topic: str = ""
    operation: str = ""
    text: str = ""
    server: str = ""
    project: str = ""
