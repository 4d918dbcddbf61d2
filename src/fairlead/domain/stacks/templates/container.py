"""What runs on a layer's instances? Three generations of templates have three names for most of it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from .model import Addon, Container, Storage, User
from .problems import WRONG, Place
from .shapes import Field, Said, choice, integer, many, record, text

LONGEST_VALUE = 64 * 1024
LONGEST_WORD = 8 * 1024
"""Of a command: all of it where it is one text."""
LARGEST_STAMP = 2**53 - 1
"""More would not stay a whole number in everybody's JSON."""

_NO_OPTION = r"(?!-)(?s:.*)"
"""These are handed to programs, which take a leading dash for something else."""
_REPOSITORY = r"(?!-|[A-Za-z0-9]*::)(?s:.*)"
"""Nor for git a program that it would run: `ext::…`."""
_NAME = re.compile(r"[^=\x00-\x1f\x7f]{1,255}")
_MOST_USERS = 200
_PORT = integer(1, 65535)
_LISTED_PORTS = many(_PORT, most=1000)
_USER_NAME = text(32, matching=r"[A-Za-z_][A-Za-z0-9_.-]*", like="the name of a Linux user")
_PUBLIC_KEY = text(16 * 1024)
_SECRET = text(LONGEST_VALUE, lines=True)
_WORD = text(LONGEST_WORD, lines=True)
_WORDS = many(_WORD, most=256)


def _environment(value: Any, at: Place) -> Any:
    """Variables for programs: names, and texts that are never looked into."""
    if value == []:  # how PHP writes an object with nothing in it
        return {}
    if not isinstance(value, Mapping):
        return at.problem("must be an object")
    read = {name: _variable(name, given, at / name) for name, given in value.items() if given is not None}
    return WRONG if WRONG in read.values() else read


def _variable(name: str, value: Any, at: Place) -> Any:
    if not _NAME.fullmatch(name):
        return at.problem("is no name for a variable")
    if isinstance(value, bool):
        return "true" if value else "false"
    return _SECRET(value, at)


def _ports(value: Any, at: Place) -> Any:
    if not isinstance(value, list):
        port = _PORT(value, at)
        return port if port is WRONG else (port,)
    ports = _LISTED_PORTS(value, at)
    return ports if ports is WRONG else tuple(dict.fromkeys(ports))


def _command(value: Any, at: Place) -> Any:
    """A program and its arguments: a list, or a text in which quotes keep words together. There is no shell."""
    if isinstance(value, str):
        if _WORD(value, at) is WRONG:
            return WRONG
        try:
            value = shlex.split(value)
        except ValueError:
            return at.problem("must be a command whose quotes are closed")
    words = _WORDS(value, at)
    if words is WRONG or (words and words[0]):
        return words
    return words if words == () else at.problem("must begin with the name of a program")


def _users(value: Any, at: Place) -> Any:
    """A list of users; older templates have an object of keys by name."""
    if not isinstance(value, Mapping):
        users = _listed_users(value, at)
    elif len(value) > _MOST_USERS:
        return at.problem(f"must have at most {_MOST_USERS} users")
    else:
        users = tuple(_keyed_user(name, said, at / name) for name, said in value.items())
    if users is WRONG or WRONG in users:
        return WRONG
    if len({user.name for user in users}) < len(users):
        return at.problem("has a user twice")
    return users


def _keyed_user(name: str, said: Any, at: Place) -> Any:
    if isinstance(said, Mapping):
        return _user_rule({"name": name} | dict(said), at)
    checked, key = _USER_NAME(name, at), _PUBLIC_KEY(said, at)
    return WRONG if WRONG in (checked, key) else User(checked, key)


def _user(said: Said) -> Any:
    return WRONG if said.is_wrong else User(said.get("name"), said.get("public_key"))


def _addon(said: Said) -> Any:
    return WRONG if said.is_wrong else Addon(said.get("name"), said.get("api_key", ""))


def _storage(said: Said) -> Any:
    return WRONG if said.is_wrong else Storage(said.get("type"), said.get("id", ""), said.get("mount_path"))


def _container(said: Said) -> Any:
    if said.is_wrong:
        return WRONG
    return Container(**said.values)


_user_rule = record(
    {
        "name": Field(_USER_NAME, required=True),
        "public_key": Field(_PUBLIC_KEY, required=True, spellings=("publickey",)),
    },
    _user,
)
_listed_users = many(_user_rule, most=_MOST_USERS)

_FIELDS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "image": (text(512, matching=_NO_OPTION, like="the name of an image"), ()),
    "registry_username": (text(255), ("docker_hub_user_name", "docker_hub_username")),
    "registry_password": (_SECRET, ("docker_hub_password",)),
    "code_dir": (text(1024, matching=r"(/.*)?", like="a path from the root"), ()),
    "git_repo": (text(2048, matching=_REPOSITORY, like="the address of a repository"), ("container_code_repo",)),
    "git_reference": (text(255, matching=_NO_OPTION, like="a branch, a tag or a commit"), ()),
    "git_private_key": (_SECRET, ()),
    "command": (_command, ()),
    "ports": (_ports, ()),
    "environment": (_environment, ("environment_variables", "env_vars", "container_env_vars")),
    "users": (_users, ()),
    "addons": (
        many(
            record(
                {"name": Field(text(64, shortest=1), required=True), "api_key": Field(text(1024))},
                _addon,
            ),
            most=50,
        ),
        ("addon", "container_addon"),
    ),
    "storage": (
        record(
            {
                "type": Field(choice("efs", "local"), required=True),
                "id": Field(text(255)),
                "mount_path": Field(
                    text(1024, matching=r"/.*", like="a path from the root"),
                    required=True,
                    spellings=("mountpath",),
                ),
            },
            _storage,
        ),
        (),
    ),
    "updated": (integer(0, LARGEST_STAMP), ()),
}

container = record(
    {name: Field(rule, spellings=(f"container_{name}", *others)) for name, (rule, others) in _FIELDS.items()},
    _container,
)

KEYS = {name: (name, f"container_{name}", *others) for name, (_, others) in _FIELDS.items()}
"""All names of what a container section says."""
FOR_PROGRAMS = frozenset({"environment", *_FIELDS["environment"][1], "command", "container_command"})
"""Under these stand values for programs, which may look like expressions and are none of ours."""
