"""Durable work of our own: workflows that are code, and not a JSON definition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog

from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.seal import Seal
from fairlead.domain.workflows.actions import start
from fairlead.domain.workflows.model import Job, Result, Run, Step

OWN = "own"
"""Stands where other jobs have their definition."""

log = structlog.get_logger()


class NotKnownHere(Refusal):
    """Started by another version of Fairlead. The job waits until a worker of that version takes it."""

    kind = Kind.UNAVAILABLE
    message = "this version has no workflow {name}"


class Catalogue:
    """What every job consists of: those of our own by their name, all others by their definition."""

    def __init__(self, defined: Callable[[Job], Sequence[Step]]) -> None:
        self._defined = defined
        self._own: dict[str, Callable[[Job], Sequence[Step]]] = {}

    def add(self, name: str, steps: Callable[[Job], Sequence[Step]]) -> None:
        self._own[name] = steps

    def steps(self, job: Job) -> Sequence[Step]:
        if job.document != OWN:
            return self._defined(job)
        if job.workflow not in self._own:
            raise NotKnownHere(name=job.workflow)
        return self._own[job.workflow](job)


def own_step(name: str, deed: Callable[[Run], None], fail: Callable[[str], None], event: str, **facts: object) -> Step:
    """A step of which whatever goes wrong for good is told to `fail`; what may go better later is tried again.

    Bugs are logged as this event with these facts.
    """

    def do(run: Run) -> Result:
        try:
            deed(run)
        except Refusal as refusal:
            if refusal.kind is Kind.UNAVAILABLE:
                raise
            fail(str(refusal))
        except Exception as bug:
            log.error(event, **facts, exc_info=bug)
            fail("internal error: the server's log says more")
        return Result(name, OWN, success=True)

    return Step(name, OWN, do)


def start_own(tx: Tx, seal: Seal, name: str, inputs: Mapping[str, str], *, tenant_id: str = "", key: str = "") -> str:
    """Have a workflow of our own run if, and only if, this transaction is committed; the job's id."""
    return start(tx, seal, name, inputs, tenant_id=tenant_id, key=key, document=OWN)
