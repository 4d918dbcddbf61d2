"""What is an agent told? Who it is and whom it calls (files in its folder), and what it is to run (the server)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

INSTANCE, CONFIG = "instance.json", "alm-agent.cfg"
_SHORTEST_SECRET = 3
"""Shorter ones, like 80 or 1, would blot out half of what there is to read."""


class Unfurnished(Exception):
    """The folder is gone, or somebody has made it who does not know what we need."""


@dataclass(frozen=True, slots=True)
class Instance:
    """What the driver has written. `round` says for which of a stack's plans we were started."""

    folder: Path
    id: str
    address: str
    round: int
    is_spot: bool
    engine: str
    poll_seconds: float


@dataclass(frozen=True, slots=True)
class Employer:
    """What stands in `alm-agent.cfg`."""

    account: str
    stack_id: str
    url: str
    secret: str = field(repr=False)
    flag: str


def read_instance(folder: Path) -> Instance:
    said = _read(folder / INSTANCE)
    try:
        return Instance(
            folder,
            str(said["id"]),
            str(said["address"]),
            int(said["round"]),
            bool(said["is_spot"]),
            str(said.get("engine", "auto")),
            float(said.get("poll_seconds", 1.0)),
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise Unfurnished(f"{INSTANCE} in {folder} cannot be used") from problem


def read_employer(folder: Path) -> Employer:
    """Its keys may be in whatever case, as the real agent reads them."""
    said = {key.lower(): value for key, value in _read(folder / CONFIG).items()}
    try:
        return Employer(
            str(said["userid"]),
            str(said["stackid"]),
            str(said["apihost"]).rstrip("/"),
            str(said["authorizationtoken"]),
            str(said["flag"]),
        )
    except KeyError as problem:
        raise Unfurnished(f"{CONFIG} in {folder} does not say {problem}") from problem


def _read(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text())
    except (OSError, ValueError) as problem:
        raise Unfurnished(f"{path} cannot be read") from problem
    if not isinstance(said, dict):
        raise Unfurnished(f"{path} holds no object")
    return said


@dataclass(frozen=True, slots=True)
class Container:
    """The container section of our layer, which the server writes in the words of all generations of agents."""

    stamp: int
    image: str = ""
    registry_username: str = ""
    registry_password: str = field(default="", repr=False)
    code_dir: str = ""
    git_repo: str = ""
    git_reference: str = ""
    git_private_key: str = field(default="", repr=False)
    command: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be told to anybody."""
        values = [*self.environment.values(), self.registry_password, self.git_private_key]
        values += _secrets_in(self.git_repo)
        lines = {line for value in values for line in (value, *value.splitlines())}
        return tuple(sorted((line for line in lines if len(line) >= _SHORTEST_SECRET), key=len, reverse=True))


def _secrets_in(address: str) -> Iterator[str]:
    """Where a token stands in a repository's address: in the query, or before the host. The user of ssh is none."""
    before, _, query = address.partition("?")
    scheme, _, rest = before.partition("://")
    if scheme in ("http", "https"):
        user, _, password = rest.partition("/")[0].rpartition("@")[0].partition(":")
        yield from _as_written_and_meant(password or user)
    yield query
    for pair in re.split("[&;#]", query):
        yield from _as_written_and_meant(pair.partition("=")[2])


def _as_written_and_meant(text: str) -> tuple[str, str]:
    return text, unquote(text)


def read_container(config: Mapping[str, Any]) -> Container | None:
    """`None`: there is nothing to run."""
    if not config:
        return None
    texts = {
        name: str(config.get(f"container_{name}") or "")
        for name in (
            "image",
            "registry_username",
            "registry_password",
            "code_dir",
            "git_repo",
            "git_reference",
            "git_private_key",
        )
    }
    return Container(
        stamp=int(config.get("container_updated") or 0),
        command=tuple(str(word) for word in config.get("container_command") or ()),
        ports=tuple(int(port) for port in config.get("container_ports") or ()),
        environment={str(name): str(value) for name, value in (config.get("container_env_vars") or {}).items()},
        **texts,
    )
