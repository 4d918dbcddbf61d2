"""What does another server say of itself and of its services, as far as we believe it?

A peer speaks for itself only: what it lists of others is left out, so nothing goes round in circles, and so is
whatever it does not export or has disabled. All of it is bounded, and none of it is trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from fairlead.base.http.outgoing import LARGEST_ANSWER, Answer
from fairlead.domain.catalog.model import ServiceType
from fairlead.domain.catalog.names import FullName, is_server_name, problem_of_name

MOST_OF_A_PEER = 5000

Said = TypeVar("Said")


class ServerSaid(msgspec.Struct, frozen=True):
    """What is listed of a server."""

    url: str = ""


class ServiceSaid(msgspec.Struct, frozen=True):
    """What is listed of a service."""

    name: str
    server: str
    type: ServiceType
    project: str = ""
    exported: bool = False
    disabled: bool = False
    authorized: bool = True


@dataclass(frozen=True, slots=True)
class Offered:
    """A service that a peer lets others call. `authorized` is whether it lets us."""

    name: str
    project: str
    type: ServiceType
    authorized: bool


class Unusable(Exception):
    """The answer is not what such a server says."""


def own_name_of(answer: Answer, url: str, registered_as: str) -> str:
    """Which of the servers that the peer lists it is itself: the one with its address, or with the name we know it by.

    If it lists a single one, that is it.
    """
    listed = _listed(answer, "servers", ServerSaid)
    names = [name for name in listed if is_server_name(name)]
    by_address = [name for name in names if _same(listed[name].url, url)]
    for found in (by_address, [name for name in names if name == registered_as], names):
        if len(found) == 1:
            return found[0]
    raise Unusable("which of the servers that it lists it is cannot be told: register it with its own name")


def offered_by(answer: Answer, own_name: str) -> list[Offered]:
    """The services of that server itself that it exports and has not disabled."""
    found = {}
    for key, service in _listed(answer, "services", ServiceSaid).items():
        full = FullName(service.name, "" if service.project == "public" else service.project, service.server)
        if service.server == own_name and service.exported and not service.disabled and _is_named_well(key, full):
            found[key] = Offered(full.name, full.project, service.type, service.authorized)
    if len(found) > MOST_OF_A_PEER:
        raise Unusable(f"it offers more than {MOST_OF_A_PEER} services")
    return list(found.values())


def _is_named_well(key: str, full: FullName) -> bool:
    project_is_good = not full.project or not problem_of_name(full.project)
    return key == str(full) and not problem_of_name(full.name) and project_is_good


def _listed(answer: Answer, what: str, kind: type[Said]) -> dict[str, Said]:
    """What is listed by name. An entry that cannot be read is left out: it may be of a kind that came after us."""
    if len(answer.body) >= LARGEST_ANSWER:
        raise Unusable(f"its list of {what} is larger than {LARGEST_ANSWER} bytes")
    try:
        entries = msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Unusable(f"its list of {what} is not what such a server says") from None
    found = {}
    for name, entry in entries.items():
        try:
            found[name] = msgspec.json.decode(entry, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
    return found


def _same(one: str, other: str) -> bool:
    return one.rstrip("/").lower() == other.rstrip("/").lower()
