"""What are services and servers called, and which service does a full name mean?

A full name has three parts, `name::project::server`. A service of the whole server has the project `public`, and may
be called `name::server` as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fairlead.base.errors import Refusal

SEPARATOR = "::"
PUBLIC = "public"
LONGEST_NAME = 100
LONGEST_VERSION = 50
LONGEST_FULL_NAME = 3 * LONGEST_NAME

_SERVER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}")


class BadServiceName(Refusal):
    message = "{name!r} cannot be the name of a service: {reason}"


class BadServiceVersion(Refusal):
    message = f"{{version!r}} cannot be a version: it must be printable and have at most {LONGEST_VERSION} characters"


class BadServerName(Refusal):
    message = (
        "{name!r} cannot be the name of a server: it is made of letters, digits, _ and -, has at most 63 of them, "
        f"does not begin with - and is not {PUBLIC}"
    )


@dataclass(frozen=True, slots=True)
class FullName:
    """The three parts. `project` is empty for a service of the whole server."""

    name: str
    project: str
    server: str

    def __str__(self) -> str:
        return SEPARATOR.join((self.name, self.project or PUBLIC, self.server))


def read_full_name(text: str) -> FullName | None:
    """The parts of a full name, None if it is none."""
    parts = text.split(SEPARATOR) if len(text) <= LONGEST_FULL_NAME else []
    if len(parts) == 2:
        parts.insert(1, PUBLIC)
    if len(parts) != 3 or not all(parts):
        return None
    name, project, server = parts
    return FullName(name, "" if project == PUBLIC else project, server)


def problem_of_name(name: str) -> str:
    """Why a service or a project of another server cannot be called this, "" if it can."""
    if not name or len(name) > LONGEST_NAME:
        return f"it must have 1 to {LONGEST_NAME} characters"
    if not name.isprintable() or name != name.strip():
        return "it must be printable, without spaces around it"
    if SEPARATOR in name or name.startswith(":") or name.endswith(":"):
        return f"{SEPARATOR} separates the parts of full names"
    if "/" in name or name in {".", ".."}:
        return "it could not stand in an address"
    return ""


def make_sure_name_is_good(name: str, version: str) -> None:
    problem = problem_of_name(name)
    if problem:
        raise BadServiceName(name=name[: LONGEST_NAME + 1], reason=problem)
    if len(version) > LONGEST_VERSION or not version.isprintable():
        raise BadServiceVersion(version=version[: LONGEST_VERSION + 1])


def is_server_name(name: str) -> bool:
    return name != PUBLIC and _SERVER_NAME.fullmatch(name) is not None


def make_sure_server_name_is_good(name: str) -> None:
    if not is_server_name(name):
        raise BadServerName(name=name[:LONGEST_NAME])


def in_order(version: str) -> tuple[tuple[int, int, str], ...]:
    """A key by which versions sort as people mean them: 2.9 before 2.10, and none before any.

    A number comes before a word in the same place: 1.0 before 1.0b. What is only written differently sorts by the text.
    """
    pieces = re.findall(r"[0-9]+|[^0-9.]+", version[:LONGEST_VERSION])
    ordered = [(1, int(each), "") if each[0] in "0123456789" else (2, 0, each) for each in pieces]
    return (*ordered, (0, 0, version))
