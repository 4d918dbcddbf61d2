"""What is the agent on an instance told about the container it is to run?

Each generation of agents knows one generation of names and takes no notice of the others, so all of them are said.
"""

from __future__ import annotations

from typing import Any

from .model import Container

_SPELLINGS: dict[str, tuple[str, ...]] = {
    "image": ("image", "container_image"),
    "registry_username": ("dockerHubUserName", "container_registry_username"),
    "registry_password": ("dockerHubPassword", "container_registry_password"),
    "code_dir": ("codeDir", "container_code_dir"),
    "git_repo": ("gitRepo", "container_git_repo", "container_code_repo"),
    "git_reference": ("gitReference", "container_git_reference"),
    "git_private_key": ("gitPrivateKey", "container_git_private_key"),
    "command": ("command", "container_command"),
    "ports": ("ports", "container_ports"),
    "environment": ("environment_variables", "environmentVariables", "container_env_vars"),
    "keys": ("users",),
    "users": ("container_users",),
    "addons": ("addon", "container_addons"),
    "storage": ("container_storage",),
    "updated": ("updated", "container_updated"),
}


def agent_config(container: Container | None, stamp: int) -> dict[str, Any]:
    """The answer for a layer; empty where there is nothing to run. Texts that nobody wrote are left out."""
    if container is None:
        return {}
    said = _said(container) | {"updated": stamp}
    return {key: said[name] for name, keys in _SPELLINGS.items() for key in keys if said[name] is not None}


def _said(container: Container) -> dict[str, Any]:
    texts = ("image", "registry_username", "registry_password", "code_dir")
    git = ("git_repo", "git_reference", "git_private_key")
    storage = container.storage
    return {name: getattr(container, name) for name in (*texts, *git)} | {
        "command": list(container.command) or None,
        "ports": list(container.ports),
        "environment": dict(container.environment),
        "keys": {user.name: {"publicKey": user.public_key} for user in container.users},
        "users": [{"name": user.name, "publicKey": user.public_key} for user in container.users],
        "addons": [{"name": addon.name, "apiKey": addon.api_key} for addon in container.addons],
        "storage": storage and {"type": storage.type, "id": storage.id, "mountpath": storage.mount_path},
    }


def next_stamp(old: int | None, *, changed: bool, now: int, written: int | None = None) -> int:
    """The stamp of a layer's container section, in seconds since 1970.

    An agent deploys when it is told a larger one than it has deployed, so it grows with each change, a return to an
    older version included, and with nothing else. `written` is one that the template has by itself.
    """
    if old is None:
        return now if written is None else written
    if not changed:
        return old
    return max(old + 1, now if written is None else written)
