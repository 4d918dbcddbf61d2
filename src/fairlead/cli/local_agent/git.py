"""How does the code of a version come from its repository into a folder? By git, which is told to do nothing else."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from fairlead.cli.local_agent.files import write
from fairlead.cli.local_agent.told import Container
from fairlead.cli.local_agent.warden import Failed, Ward

MOST_RELEASES = 5
_PROTOCOLS = "https:http:ssh:git:file"
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
_GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "advice.detachedHead=false")
_OLD_GITHUB = "git://github.com/"
_BRANCHES, _TAGS = "refs/remotes/origin/", "refs/tags/"
_KINDS = {"refs/heads/": _BRANCHES, "heads/": _BRANCHES, "refs/tags/": _TAGS, "tags/": _TAGS}
"""What branches and tags are called in their repository, and what in our copy of it."""


def check_out(folder: Path, name: str, container: Container, ward: Ward, made: Callable[[str], Path]) -> Path:
    """The code of the wanted branch, tag or commit, in a folder of its own."""
    releases = made("releases")
    release = releases / name
    shutil.rmtree(release, ignore_errors=True)
    key = made("tmp") / f"key-{name}"
    environment = _environment(made("home"), container, key)
    try:
        if container.git_private_key:
            write(key, container.git_private_key.rstrip("\n") + "\n")
        clone = [*_GIT, "clone", "--quiet", "--no-checkout", "--", _address(container), str(release)]
        ward.run(clone, "git clone", environment, releases)
        _switch(release, container.git_reference, environment, ward)
    finally:
        key.unlink(missing_ok=True)
    _forget_old(releases, release)
    return release


def _address(container: Container) -> str:
    """A key is of use with ssh only: GitHub's oldest addresses mean the same repositories."""
    address = container.git_repo
    if container.git_private_key and address.startswith(_OLD_GITHUB):
        return f"ssh://git@github.com/{address.removeprefix(_OLD_GITHUB)}"
    return address


def _switch(release: Path, reference: str, environment: Mapping[str, str], ward: Ward) -> None:
    git = [*_GIT, "-C", str(release)]
    for found in _meant(reference):
        exact = ["show-ref", "--verify", "--quiet", "--"] if found.startswith("refs/") else ["cat-file", "-e"]
        if ward.code_of([*git, *exact, found], "git", environment, release) == 0:
            ward.run([*git, "checkout", "--quiet", "--detach", found, "--"], "git checkout", environment, release)
            return
    raise Failed(
        f"the repository has no branch, tag or commit {reference!r}" if reference else "the repository is empty"
    )


def _meant(reference: str) -> list[str]:
    """Full names, which git takes for nothing else: `main^` is none. "" is the repository's own choice."""
    if not reference:
        return [f"{_BRANCHES}HEAD", f"{_BRANCHES}master"]
    names = [f"{_BRANCHES}{reference}", f"{_TAGS}{reference}"]
    names += [f"{ours}{reference.removeprefix(kind)}" for kind, ours in _KINDS.items() if reference.startswith(kind)]
    return [*names, reference] if _COMMIT.fullmatch(reference) else names


def _environment(home: Path, container: Container, key: Path) -> dict[str, str]:
    ssh = ["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new"]
    ssh += ["-o", f"UserKnownHostsFile={home / 'known_hosts'}"]
    if container.git_private_key:
        ssh += ["-i", str(key), "-o", "IdentitiesOnly=yes"]
    return {
        **os.environ,
        "HOME": str(home),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_SSH_COMMAND": shlex.join(ssh),
    }


def _forget_old(releases: Path, newest: Path) -> None:
    found = sorted((each for each in releases.iterdir() if each != newest), key=lambda each: each.stat().st_mtime)
    for old in found[: max(0, len(found) + 1 - MOST_RELEASES)]:
        shutil.rmtree(old, ignore_errors=True)
