"""On whose behalf is this done? Every transaction is opened for one scope."""

from __future__ import annotations

import enum
from collections.abc import Container
from dataclasses import dataclass

from fairlead.base.errors import Kind, Refusal


class NotAllowed(Refusal):
    kind = Kind.FORBIDDEN
    message = "You may not do this: the permission to {permission} is missing."


class ActorKind(enum.StrEnum):
    USER = "user"
    DEVICE = "device"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `name` is what people call them (a user's e-mail), `id` never changes."""

    kind: ActorKind
    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """A tenant, an actor in it, and what the actor may do there."""

    tenant_id: str
    actor: Actor
    permissions: Container[enum.Enum] = frozenset()

    def require(self, permission: enum.Enum) -> None:
        """Refuse with `NotAllowed` unless the actor holds the permission."""
        if permission not in self.permissions:
            raise NotAllowed(permission=permission.value)


class Everything:
    """Holds every permission there is: for the system itself and for operators at the shell."""

    def __contains__(self, permission: object) -> bool:
        return True


def system_scope(tenant_id: str, name: str = "fairlead") -> Scope:
    """The server acting on its own within one tenant: scheduled work, the command line."""
    return Scope(tenant_id, Actor(ActorKind.SYSTEM, name, name), Everything())
