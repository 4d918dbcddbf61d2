"""How is a version run as a container? By the command line of Docker or Podman, whichever answers.

The container is started attached, so that its output, its end and its restarts are seen like those of any program;
it is removed when the version ends. Its name is written down before it is made, so that whoever removes the instance
after its agent was killed can remove it, too.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.cli.local_agent.files import write
from fairlead.cli.local_agent.told import Container
from fairlead.cli.local_agent.warden import Failed, Ward

if TYPE_CHECKING:
    from fairlead.cli.local_agent.work import Place

CONTAINERS = "containers"
_ENGINES = ("docker", "podman")
_ANSWER_SECONDS = 5.0
_STOP_SECONDS = 3
_DEFAULT_CODE_DIR = "/var/www/html"
_SCRIPT_INSIDE = "/tmp/init/init.sh"  # noqa: S108 - where Mobingi's images look for it, in their own file system
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_DOCKER_HUB = "https://index.docker.io/v1/"


def find_engine(wish: str) -> str:
    """The path of an engine that answers; "" if there is none, or none is wanted."""
    for name in _ENGINES:
        if wish in ("auto", name) and (program := shutil.which(name)) and _answers(program):
            return program
    return ""


def _answers(program: str) -> bool:
    command = [program, "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(  # noqa: S603 - a path that we looked up, and fixed words
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_ANSWER_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def run_container(
    engine: str, place: Place, container: Container, release: Path | None, script: Path | None, ward: Ward
) -> None:
    """Pull the image, make the container, and keep it going."""
    name = f"fairlead-{place.stack_id}-{place.instance.id}-{place.name}"
    private = place.made("tmp")
    environment = {**os.environ, **_registry_login(container, private, place.name)}
    variables = _env_file(place, container, private / f"env-{place.name}")

    def clear_away() -> None:
        ward.code_of([engine, "stop", "--time", str(_STOP_SECONDS), name], "stop", environment, private)
        ward.code_of([engine, "rm", "--force", name], "rm", environment, private)
        _forget(place.folder, engine, name)

    ward.run([engine, "pull", "--quiet", container.image], f"pulling {container.image}", environment, private)
    _remember(place.folder, engine, name)
    ward.at_the_end(clear_away)
    created = [engine, "create", "--name", name, *_labels(place), "--env-file", str(variables)]
    created += [*_ports(place, container), *_mounts(container, release, script), container.image, *container.command]
    ward.run(created, f"making a container of {container.image}", environment, private)
    variables.unlink(missing_ok=True)
    ward.keep([engine, "start", "--attach", name], f"the container of {container.image}", environment, private)


def _labels(place: Place) -> Iterator[str]:
    for key, value in (("stack", place.stack_id), ("instance", place.instance.id)):
        yield from ("--label", f"fairlead.{key}={value}")


def _ports(place: Place, container: Container) -> Iterator[str]:
    """At the instance's own address: two instances have the same ports."""
    for port in container.ports:
        yield from ("--publish", f"{place.instance.address}:{port}:{port}")


def _mounts(container: Container, release: Path | None, script: Path | None) -> Iterator[str]:
    if release is None:
        return
    inside = container.code_dir or _DEFAULT_CODE_DIR
    if ":" in inside:
        raise Failed(f"the code directory {inside!r} cannot be told to a container engine, which reads ':' otherwise")
    yield from ("--volume", f"{release}:{inside}")
    if script is not None:
        yield from ("--volume", f"{script}:{_SCRIPT_INSIDE}:ro")


def _env_file(place: Place, container: Container, path: Path) -> Path:
    """One variable a line: what would be read as something else is refused."""
    lines = []
    for key, value in {**container.environment, **place.identity}.items():
        if not _VARIABLE.fullmatch(key):
            raise Failed(f"the variable {key!r} cannot be given to a container: engines would read its name otherwise")
        if any(each in value for each in "\n\r\0"):
            raise Failed(f"the variable {key} has several lines, which cannot be given to a container")
        lines.append(f"{key}={value}\n")
    write(path, "".join(lines))
    return path


def _registry_login(container: Container, private: Path, name: str) -> dict[str, str]:
    """A configuration of its own for the engine's command, where the registry wants to know who asks."""
    if not container.registry_username:
        return {}
    folder = private / f"registry-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    login = f"{container.registry_username}:{container.registry_password}".encode()
    auths = {_registry(container.image): {"auth": base64.b64encode(login).decode()}}
    write(folder / "config.json", json.dumps({"auths": auths}))
    return {"DOCKER_CONFIG": str(folder), "REGISTRY_AUTH_FILE": str(folder / "config.json")}


def _registry(image: str) -> str:
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else _DOCKER_HUB


def _known(folder: Path) -> list[list[str]]:
    try:
        return [list(each) for each in json.loads((folder / CONTAINERS).read_text())]
    except (OSError, ValueError):
        return []


def _remember(folder: Path, engine: str, name: str) -> None:
    write(folder / CONTAINERS, json.dumps([*_known(folder), [engine, name]]))


def _forget(folder: Path, engine: str, name: str) -> None:
    write(folder / CONTAINERS, json.dumps([each for each in _known(folder) if each != [engine, name]]))
