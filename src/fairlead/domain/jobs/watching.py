"""How are the jobs that execution systems have? Looked at all at once, each second, and written where it has changed.

Every process does this for the jobs of its own node. A change is written only over the status that it was seen to
follow, so that several who see the same write it once; and whoever writes that a job has ended has its end dealt with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from fairlead.base import clock
from fairlead.base.database import Database, Tx
from fairlead.base.errors import Refusal
from fairlead.base.scope import system_scope
from fairlead.domain import workflows
from fairlead.domain.jobs import job_store
from fairlead.domain.jobs.execution import ExecutionSystem, Observation, State
from fairlead.domain.jobs.job_model import Status, Wish
from fairlead.domain.jobs.job_store import Watched
from fairlead.domain.jobs.tools import Tools

SCIENCE_JOB_END = "science job end"
MOST_AT_ONCE = 50
_SEEN = {State.PENDING: Status.PENDING, State.RUNNING: Status.RUNNING, State.PAUSED: Status.HOLD}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sighting:
    """A job of which something is different, and how it was seen."""

    job: Watched
    seen: Observation


def watch(database: Database, tools: Tools) -> int:
    """Do what was asked for with running jobs, look at all of them, and write what has changed; how many had."""
    with database.across_tenants("which jobs do execution systems have?", writing=False) as tx:
        watched = job_store.watched(tx, tools.node)
    by_system: dict[str, list[Watched]] = defaultdict(list)
    for job in watched:
        by_system[job.system].append(job)
    sightings: list[Sighting] = []
    for name, jobs in by_system.items():
        system = tools.systems.get(name)
        if system is None:
            log.warning("jobs.no_such_system", system=name, jobs=len(jobs))
        else:
            sightings += _look(system, jobs)
    return _write(database, tools, sightings)


def _look(system: ExecutionSystem, jobs: Sequence[Watched]) -> list[Sighting]:
    for job in jobs:
        _heed(system, job)
    try:
        seen = system.poll([job.native_id for job in jobs])
    except Refusal as refusal:
        log.warning("jobs.not_seen", reason=str(refusal))
        return []
    pairs = [Sighting(job, seen[job.native_id]) for job in jobs if job.native_id in seen]
    return [each for each in pairs if _is_news(each)]


def _heed(system: ExecutionSystem, job: Watched) -> None:
    """Ask for what is wished, each time until it has come about."""
    try:
        match job.wish:
            case Wish.KILL:
                system.kill(job.native_id)
            case Wish.PAUSE if job.status is not Status.HOLD:
                system.pause(job.native_id)
            case Wish.RESUME:
                system.resume(job.native_id)
            case _:
                pass
    except Refusal as refusal:
        log.warning("jobs.wish_not_granted", job=job.number, wish=job.wish.value, reason=str(refusal))


def _is_news(each: Sighting) -> bool:
    return _SEEN.get(each.seen.state) is not each.job.status or _is_granted(each)


def _is_granted(each: Sighting) -> bool:
    """Has it gone on, as was wished?"""
    return each.job.wish is Wish.RESUME and each.seen.state is not State.PAUSED


def _write(database: Database, tools: Tools, sightings: Iterable[Sighting]) -> int:
    """In pieces, so that nobody waits long for the writer's place."""
    by_tenant: dict[str, list[Sighting]] = defaultdict(list)
    for each in sightings:
        by_tenant[each.job.tenant_id].append(each)
    written = 0
    for tenant_id, of_tenant in by_tenant.items():
        for start in range(0, len(of_tenant), MOST_AT_ONCE):
            with database.begin(system_scope(tenant_id)) as tx:
                written += sum(_note(tx, tools, each) for each in of_tenant[start : start + MOST_AT_ONCE])
    return written


def _note(tx: Tx, tools: Tools, each: Sighting) -> bool:
    after = _SEEN.get(each.seen.state)
    if after is None:
        return _note_end(tx, tools, each)
    values: dict[str, Any] = {"wish": ""} if _is_granted(each) else {}
    if after is each.job.status:
        job_store.change(tx, each.job.number, **values)
        return True
    if after is Status.RUNNING and each.job.started_at is None:
        values["started_at"] = _moment(each.seen.usage.started_at) or clock.now()
    if not job_store.change_status(tx, each.job.number, each.job.status, Status.UPDATING, **values):
        return False
    return job_store.change_status(tx, each.job.number, Status.UPDATING, after, each.seen.message)


def _note_end(tx: Tx, tools: Tools, each: Sighting) -> bool:
    """It stays `updating` until all that it has left behind is kept."""
    seen = each.seen
    values: dict[str, Any] = {"outcome": outcome_of(seen), "exit_code": seen.exit_code}
    started, ended = _moment(seen.usage.started_at), _moment(seen.usage.ended_at)
    if started is not None:
        values["started_at"] = started
    values["ended_at"] = ended or clock.now()
    if not job_store.change_status(tx, each.job.number, each.job.status, Status.UPDATING, **values):
        return False
    number = str(each.job.number)
    workflows.start_own(tx, tools.seal, SCIENCE_JOB_END, {"number": number}, tenant_id=tx.tenant_id, key=number)
    return True


def outcome_of(seen: Observation) -> Mapping[str, Any]:
    return {
        "state": seen.state.value,
        "exit_code": seen.exit_code,
        "message": seen.message,
        "usage": asdict(seen.usage),
    }


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
