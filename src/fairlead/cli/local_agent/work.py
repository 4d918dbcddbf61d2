"""How is a version of the container section brought up? This runs in the warden of the version.

As a container where an engine answers; else from a git repository, whose script prepares what is then run by the
command; else by the command alone. No text of a template ever meets a shell of ours.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fairlead.base import lasting
from fairlead.cli.local_agent.engine import find_engine, run_container
from fairlead.cli.local_agent.git import check_out
from fairlead.cli.local_agent.told import Container, Instance
from fairlead.cli.local_agent.warden import Failed, Ward

SCRIPTS = ("mobingi-init.sh", "mobingi-install.sh")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a version runs, and for whom. `name` is told of no other version of the instance."""

    instance: Instance
    account: str
    stack_id: str
    name: str

    @property
    def folder(self) -> Path:
        return self.instance.folder

    def made(self, name: str) -> Path:
        """A folder beside the files of the agent."""
        folder = self.folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @property
    def identity(self) -> dict[str, str]:
        return {
            "MO_USER_ID": self.account,
            "MO_STACK_ID": self.stack_id,
            "MO_INSTANCE_ID": self.instance.id,
        }


def bring_up(place: Place, container: Container, ward: Ward) -> None:
    ward.hide(container.secrets)
    ward.say("installing")
    engine = find_engine(place.instance.engine) if container.image else ""
    release = check_out(place.folder, place.name, container, ward, place.made) if container.git_repo else None
    if engine:
        run_container(engine, place, container, release, _script(release), ward)
        return
    script = _script(release)
    if container.image and script is None and not container.command:
        raise Failed(
            f"the image {container.image} needs Docker or Podman, and neither answers on this host: start one, or give "
            f"the container section a 'command', or a git repository with a {SCRIPTS[0]}"
        )
    environment = _environment(place, container)
    folder = release or place.made("work")
    if script is not None:
        ward.run(_as_program(script), script.name, environment, folder)
    if container.command:
        ward.keep(container.command, f"the command {container.command[0]!r}", environment, folder)


def _script(release: Path | None) -> Path | None:
    if release is None:
        return None
    return next((release / name for name in SCRIPTS if (release / name).is_file()), None)


def _as_program(script: Path) -> list[str]:
    """By itself if it says what it is to be run by, else by the shell, as images do it."""
    with script.open("rb") as file:
        says_so = file.read(2) == b"#!"
    return [str(script)] if says_so and os.access(script, os.X_OK) else ["/bin/sh", str(script)]


def _environment(place: Place, container: Container) -> dict[str, str]:
    """What the template says wins over what is usual, and who the instance is over both."""
    usual = {
        "PATH": _PATH,
        "HOME": str(place.made("home")),
        "TMPDIR": str(place.made("tmp")),
        "LANG": "C.UTF-8",
        "HOST": place.instance.address,
    }
    if container.ports:
        usual["PORT"] = str(container.ports[0])
    return {**usual, **container.environment, **place.identity, lasting.MARK: str(place.folder)}
