"""What is a stack, and what state can it be in?"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fairlead.base.errors import Kind, Refusal
from fairlead.domain.stacks.templates import Comparison
from fairlead.domain.stacks.vendors.driver import Instance


class Status(enum.StrEnum):
    """Where a stack stands: what is being done, and how that ended."""

    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS"
    CREATE_COMPLETE = "CREATE_COMPLETE"
    CREATE_FAILED = "CREATE_FAILED"
    UPDATE_IN_PROGRESS = "UPDATE_IN_PROGRESS"
    UPDATE_COMPLETE = "UPDATE_COMPLETE"
    UPDATE_FAILED = "UPDATE_FAILED"
    UPDATE_ROLLBACK_IN_PROGRESS = "UPDATE_ROLLBACK_IN_PROGRESS"
    UPDATE_ROLLBACK_COMPLETE = "UPDATE_ROLLBACK_COMPLETE"
    UPDATE_ROLLBACK_FAILED = "UPDATE_ROLLBACK_FAILED"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS"
    DELETE_FAILED = "DELETE_FAILED"

    @property
    def is_settled(self) -> bool:
        """Is nothing being done at the moment?"""
        return not self.value.endswith("_IN_PROGRESS")

    @property
    def is_complete(self) -> bool:
        """Is everything there as it should be?"""
        return self.value.endswith("_COMPLETE")

    @property
    def is_kept_up(self) -> bool:
        """Are instances that die or are taken away replaced? Also where an update has failed: the others serve."""
        return self.is_settled and self is not Status.DELETE_FAILED


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as people see it. `template` is the document of the version in force, without its vendor's secret."""

    id: str
    nickname: str
    owner: str
    """The name of the user who created it."""
    account: str
    """The account's id of 13 digits, `user_id` in the API."""
    vendor: str
    region: str
    credential: str
    auth_token: str = field(repr=False)
    status: Status
    cause: str
    version_id: str
    created_at: datetime
    updated_at: datetime
    template: Mapping[str, Any]
    instances: Mapping[str, Sequence[Instance]] = field(default_factory=dict)
    """By flag. Every layer has its flag here, also while it has no instance."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a stack's template. `size_bytes` is the length of the text as it was given."""

    id: str
    stack_id: str
    size_bytes: int
    created_at: datetime
    is_latest: bool


@dataclass(frozen=True, slots=True)
class VersionRef:
    """A version of a stack's template; "" and "latest" are the newest."""

    stack_id: str
    version_id: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """What has begun with a template that was accepted."""

    stack_id: str
    version_id: str
    status: Status


@dataclass(frozen=True, slots=True)
class Compared:
    """Two templates, without their vendors' secrets, and how the target differs from the source."""

    source: Mapping[str, Any]
    target: Mapping[str, Any]
    difference: Comparison


@dataclass(frozen=True, slots=True)
class AgentReport:
    """What an agent says of itself. Statuses are free text."""

    stack_id: str
    agent_id: str
    status: str
    instance_id: str = ""
    message: str = ""

    @property
    def announces_end(self) -> bool:
        """Will the vendor take the agent's instance away?"""
        return self.status == "spot_terminate"


@dataclass(frozen=True, slots=True)
class ContainerReport:
    """What an agent says of the container that it runs."""

    stack_id: str
    agent_id: str
    container_id: str
    status: str
    instance_id: str = ""

    @property
    def begins(self) -> bool:
        """Does the agent turn to what it has just been told to run? What it says from then on is about that."""
        return self.status in ("starting", "updating")


@dataclass(frozen=True, slots=True)
class Container:
    """A container that an agent has told of."""

    id: str
    stack_id: str
    agent_id: str
    instance_id: str
    status: str
    updated_at: datetime
    begun_at: datetime | None = None
    """When its agent last turned to what it was told to run; `None` if it has never said so."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What is told of credentials that we keep for a vendor. The secret is never told."""

    vendor: str
    id: str
    account: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """Keys for a vendor's own services, for as long as a session lasts."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What agents run on the instances of a stack, in words from before there were templates.

    `environment` is what was laid over that of every layer, `code` where its code comes from; the rest is told of the
    first layer that has a container.
    """

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    code: str = ""
    code_dir: str = ""
    image: str = ""
    ports: Sequence[int] = ()
    updated: int = 0
    version_id: str = ""
    git_reference: str = ""
    git_private_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ServerConfigChange:
    """None leaves things as they are; an empty value takes away what was said before, so that templates count."""

    environment: Mapping[str, str] | None = field(default=None, repr=False)
    file_path: str | None = None


class StackNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "there is no stack {stack_id}"


class VersionNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "the stack {stack_id} has no template version {version_id}"


class StackIsBusy(Refusal):
    kind = Kind.CONFLICT
    message = "the stack {stack_id} is {status}: wait until that is over, then try again"


class NoDriver(Refusal):
    """The template is good, and there is nothing here that could run it."""

    kind = Kind.UNPROCESSABLE
    message = (
        "The template is valid, but no driver for the vendor {vendor} is installed. This server can run stacks on: "
        "{drivers}. To try the template out on the server's own host, start it with --run-on-local {vendor}."
    )


class NoRoomOnHost(Refusal):
    kind = Kind.LIMIT
    message = (
        "The stacks on this server's own host may have {most} instances together (--local-instances): {there}, and the "
        "template asks for {wanted}. Ask for fewer, delete a stack that is not needed, or have the limit raised."
    )


class InstanceNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "the stack {stack_id} has no instance {instance_id}"


class KeyNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "the stack {stack_id} has no key pair for the layer {flag}"


class BadReport(Refusal):
    message = "{name}: {problem}"


class TooManyReports(Refusal):
    kind = Kind.LIMIT
    message = "{most} agents and as many containers have reported to the stack already, and no others are taken"


class ContainerNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "there is no container {container_id}"


class CredentialNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "there are no {vendor} credentials {id}"


class CredentialExists(Refusal):
    kind = Kind.CONFLICT
    message = "there are {vendor} credentials {id} already"


class CredentialInUse(Refusal):
    kind = Kind.CONFLICT
    message = "the {vendor} credentials {id} are used by {user}"


class BadCredential(Refusal):
    message = "{name}: {problem}"


class UnknownVendor(Refusal):
    kind = Kind.NOT_FOUND
    message = "there is no vendor {vendor}: it is one of {vendors}"
