"""How are instances made of processes on this host? See `base/lasting.py` for how these are started and seen.

Everything that a call finds half done it completes: folders, files and processes are looked at, and nothing else is
believed. `observe` also does what has to wait: what is leaving is ended when the others are up to date, and what does
not end by itself is killed.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fairlead.base import lasting
from fairlead.domain.stacks.vendors.driver import AgentBrief, Instance, Observation, Order, Plan, Progress, VendorFailed

from . import folders
from .planning import LocalPlan, Planned, next_plan

PROGRAM = (sys.executable, "-m", "fairlead", "local-agent")
SECONDS_TO_END = 10.0
"""So long may an agent take to end its workload and to say goodbye."""
_HANDED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "PYTHONPATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "DOCKER_HOST",
    "CONTAINER_HOST",
    "XDG_RUNTIME_DIR",
)
"""Of our environment agents get no more: settings of the server hold secrets."""


class LocalDriver:
    """`engine` is `auto`, `off`, `docker` or `podman`; agents ask for their configuration every `poll_seconds`."""

    name = "local"

    def __init__(
        self,
        folder: Path,
        program: Sequence[str] = PROGRAM,
        *,
        engine: str = "auto",
        poll_seconds: float = 1.0,
        seconds_to_end: float = SECONDS_TO_END,
    ) -> None:
        self._folder = Path(os.path.abspath(folder))
        self._program = tuple(program)
        self._wishes: dict[str, Any] = {"engine": engine, "poll_seconds": poll_seconds}
        self._seconds_to_end = seconds_to_end

    def plan(self, order: Order, before: Plan | None) -> Plan:
        return next_plan(order, self._as_it_stands(order.stack_id, LocalPlan.of(before))).as_json

    def _as_it_stands(self, stack_id: str, plan: LocalPlan) -> LocalPlan:
        """What has left is forgotten, and what is being ended is not taken back."""
        stack = self._stack(stack_id)
        left = _still_there(stack, plan.leaving)
        going = [replace(each, must_go=each.must_go or folders.is_ending(stack / each.id)) for each in left]
        return replace(plan, leaving=tuple(going))

    def create(self, order: Order, plan: Plan) -> None:
        self._bring_up(order.brief, LocalPlan.of(plan))

    def change(self, order: Order, plan: Plan, before: Plan) -> None:
        self._bring_up(order.brief, LocalPlan.of(plan))

    def _bring_up(self, brief: AgentBrief, plan: LocalPlan) -> None:
        stack = self._stack(brief.stack_id)
        absent = []
        try:
            for planned in plan.staying:
                folder = stack / planned.id
                folders.furnish(folder, brief, planned, plan.round, self._wishes)
                if folders.must_start(folder, plan.round):
                    absent.append(folder)
            lasting.start(absent, self._program, self._environment())
        except OSError as problem:
            raise VendorFailed(cause=f"an instance cannot be started on this host: {problem.strerror}") from problem

    def delete(self, brief: AgentBrief, plan: Plan) -> None:
        with contextlib.suppress(OSError):  # told of when it is observed
            self._end(self._all_of(brief.stack_id))

    def observe(self, brief: AgentBrief, plan: Plan, *, deleted: bool = False) -> Observation:
        if deleted:
            return self._observe_end(brief, plan)
        local = LocalPlan.of(plan)
        stack = self._stack(brief.stack_id)
        for planned in local.staying:
            folders.tell(stack / planned.id, brief, planned.flag)
        staying = [folders.seen(stack / each.id, each) for each in local.staying]
        ended = [each for each in staying if each.state not in ("running", "pending")]
        if ended:
            progress = Progress.FAILED
        elif any(each.state == "pending" for each in staying):
            progress = Progress.UNDER_WAY
        else:
            progress = self._leave(stack, local)
        left = [] if progress is Progress.DONE else _still_there(stack, local.leaving)
        leaving = [folders.seen(stack / each.id, each) for each in left]
        return Observation(progress, (*staying, *leaving), self._why(brief, ended) if ended else "")

    def _leave(self, stack: Path, plan: LocalPlan) -> Progress:
        """End what is leaving once all others are up to date."""
        left = _still_there(stack, plan.leaving)
        if not left:
            return Progress.DONE
        if not all(folders.is_up_to_date(stack / each.id) for each in plan.staying):
            return Progress.UNDER_WAY
        try:
            is_over = self._end([stack / each.id for each in left])
        except OSError:  # nothing of them runs; that their files cannot be removed is told when the stack is deleted
            is_over = True
        return Progress.DONE if is_over else Progress.UNDER_WAY

    def _observe_end(self, brief: AgentBrief, plan: Plan) -> Observation:
        why = ""
        try:
            if self._end(self._all_of(brief.stack_id)):
                return Observation(Progress.DONE)
        except OSError as problem:
            why = f"all instances have ended, but not all files can be removed: {problem.strerror}: {problem.filename}"
        stack, local = self._stack(brief.stack_id), LocalPlan.of(plan)
        there = _still_there(stack, (*local.staying, *local.leaving))
        seen = tuple(folders.seen(stack / each.id, each) for each in there)
        return Observation(Progress.FAILED if why else Progress.UNDER_WAY, seen, why)

    def _end(self, instances: list[Path]) -> bool:
        """Take the next step to the end of these; is nothing left of them?

        Raises `OSError` when all have ended, and there are files that cannot be removed.
        """
        ended = []
        overdue = []
        for folder in instances:
            if not lasting.is_running(folder):
                ended.append(folder)
            elif time.time() > folders.ask_to_end(folder) + self._seconds_to_end:
                overdue.append(folder)
        if ended or overdue:
            lasting.end_all([*ended, *overdue])
        for folder in ended:
            folders.remove_containers(folder)
        gone, troubles = [], []
        for folder in ended:
            try:
                gone.append(lasting.is_cleared_away(folder))
            except OSError as problem:
                troubles.append(problem)
        for stack in {folder.parent for folder in instances}:
            _remove_if_empty(stack)
        if troubles and len(ended) == len(instances) and all(gone):
            raise troubles[0]
        return len(gone) == len(instances) and all(gone)

    def _why(self, brief: AgentBrief, ended: list[Instance]) -> str:
        first = ended[0]
        words = folders.last_words(self._stack(brief.stack_id) / first.id, brief)
        others = f" (and {len(ended) - 1} more)" if len(ended) > 1 else ""
        said = f"; its log ends with: {words}" if words else ""
        return f"instance {first.id} of layer {first.flag}{others} has ended without being asked to{said}"

    def _stack(self, stack_id: str) -> Path:
        return folders.folder_of_stack(self._folder, stack_id)

    def _all_of(self, stack_id: str) -> list[Path]:
        """All instances of the stack that there is anything of, whichever plan named them."""
        stack = self._stack(stack_id)
        if not stack.is_dir():
            return []
        found = [each for each in sorted(stack.iterdir()) if each.is_dir()]
        if not found:
            _remove_if_empty(stack)
        return found

    def _environment(self) -> dict[str, str]:
        handed_on = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
        return {"PATH": os.defpath, "LANG": "C.UTF-8", **handed_on}


def _still_there(stack: Path, instances: Iterable[Planned]) -> list[Planned]:
    return [each for each in instances if (stack / each.id).is_dir()]


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        """Something is left of the stack, or nothing ever was."""
