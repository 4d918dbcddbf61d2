"""What is in an instance's folder? What its agent is told, what the agent has told, and its log."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fairlead.base import lasting
from fairlead.domain.stacks.vendors.driver import AgentBrief, Instance

from .planning import Planned

AGENT_CONFIG, INSTANCE, AGENT_STATUS, CONTAINERS = "alm-agent.cfg", "instance.json", "last_agent_status", "containers"
"""The agent's own names for these files: see `fairlead.cli.local_agent`, which no part of the domain may import."""
_ENDING = "ending"
_STATES = {"pending": "0", "running": "16", "shutting-down": "32", "terminated": "48"}
_STACK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,200}")
_LAST_LINES = 5
_LOG_BYTES = 4096
_ENGINE_SECONDS = 20
SECONDS_TO_BEGIN = 60.0
"""An agent that has not begun so long after it was started never will."""


def folder_of_stack(folder: Path, stack_id: str) -> Path:
    """Ids are ours, and none of them leads anywhere else."""
    if not _STACK_ID.fullmatch(stack_id):
        raise ValueError(f"{stack_id!r} is no stack's id")
    return folder / stack_id


def furnish(folder: Path, brief: AgentBrief, planned: Planned, round_: int, wishes: dict[str, Any]) -> None:
    """Make the folder, and put into it what the agent must know. What is there already and right is left alone."""
    for each in (folder.parent.parent, folder.parent, folder):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(folder / INSTANCE, _about(planned, round_) | wishes)
    tell(folder, brief, planned.flag)


def tell(folder: Path, brief: AgentBrief, flag: str) -> None:
    """Tell the agent whom it works for, in the words of `alm-agent.cfg`. It looks again whenever it calls us."""
    config = {
        "UserId": brief.account,
        "StackId": brief.stack_id,
        "APIHost": brief.api_url,
        "AuthorizationToken": brief.auth_token,
        "Flag": flag,
    }
    if folder.is_dir():
        _write(folder / AGENT_CONFIG, config)


def _about(planned: Planned, round_: int) -> dict[str, Any]:
    return {"id": planned.id, "is_spot": planned.is_spot, "address": planned.address, "round": round_}


def _write(path: Path, content: dict[str, Any]) -> None:
    """All of it or nothing, and only where it says something new."""
    text = json.dumps(content)
    with contextlib.suppress(OSError):
        if path.read_text() == text:
            return
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)


def must_start(folder: Path, round_: int) -> bool:
    """Not what runs, nor what has begun in this round and ended: that has failed, unless the machine went down."""
    holder = lasting.last_holder(folder)
    if holder is None:
        return not lasting.is_running(folder)
    has_failed = holder.round == round_ and holder.boot == lasting.boot()
    return not has_failed and not lasting.is_running(folder)


def seen(folder: Path, planned: Planned) -> Instance:
    state = _state(folder)
    details = {
        "InstanceId": planned.id,
        "InstanceType": planned.type or "local",
        "State": {"Code": _STATES[state], "Name": state},
        "PrivateIpAddress": planned.address,
        "PublicIpAddress": planned.address,
    }
    holder = lasting.last_holder(folder)
    if holder is not None:
        details["LaunchTime"] = datetime.fromtimestamp(holder.began_at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    if planned.is_spot:
        details["InstanceLifecycle"] = "spot"
    return Instance(planned.id, planned.flag, planned.is_spot, state, has_agent=True, details=details)


def _state(folder: Path) -> str:
    if lasting.is_running(folder):
        return "shutting-down" if (folder / _ENDING).exists() else "running"
    return "pending" if _may_still_begin(folder) else "terminated"


def _may_still_begin(folder: Path) -> bool:
    """What was started has its lock soon, or never; and never in a folder that does not say what is to be there."""
    if lasting.last_holder(folder) is not None or not (folder / INSTANCE).exists():
        return False
    try:
        return time.time() < (folder / lasting.LOG).stat().st_mtime + SECONDS_TO_BEGIN
    except OSError:  # it was not started yet
        return True


def is_up_to_date(folder: Path) -> bool:
    """Has its agent told the server that all is as it should be?"""
    with contextlib.suppress(OSError):
        return (folder / AGENT_STATUS).read_text() == "uptodate"
    return False


def last_words(folder: Path, brief: AgentBrief) -> str:
    """The end of its log, in which no secret is told."""
    try:
        with (folder / lasting.LOG).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_BYTES))
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    lines = text.replace(brief.auth_token or "\0", "***").split("\n")
    return " / ".join(line.strip() for line in lines[-_LAST_LINES - 1 :] if line.strip())


def ask_to_end(folder: Path) -> float:
    """Tell its agent to end; when it was first told so, as seconds since 1970."""
    asked = folder / _ENDING
    if not asked.exists():
        with contextlib.suppress(OSError):
            asked.touch()
            lasting.ask_to_end(folder)
    with contextlib.suppress(OSError):
        return asked.stat().st_mtime
    return 0.0


def is_ending(folder: Path) -> bool:
    return (folder / _ENDING).exists()


def remove_containers(folder: Path) -> None:
    """Remove containers that an agent which was killed has left with its engine."""
    with contextlib.suppress(OSError, ValueError):
        for engine, name in json.loads((folder / CONTAINERS).read_text()):
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(  # noqa: S603 - an argument list of our own agent's
                    [engine, "rm", "--force", name],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=_ENGINE_SECONDS,
                )
