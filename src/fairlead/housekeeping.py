"""What does a server do by itself? One line each, every so many seconds; every process does it, twice does no harm."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from fairlead.api.mender.front_door import Tally
from fairlead.base import clock
from fairlead.base.blobs import Blobs
from fairlead.base.database import Database
from fairlead.base.http.metrics import Metrics
from fairlead.base.seal import Seal
from fairlead.base.smtp import Carrier
from fairlead.domain import artifacts, billing, catalog, deployments, devices, identity, jobs, mail, stacks, workflows
from fairlead.domain.identity import portal
from fairlead.schedule import Task

JOBS_KEPT = timedelta(days=30)


@dataclass
class Housekeeping:
    """What needs doing again and again, and what it is done with."""

    database: Database
    blobs: Blobs
    office: billing.Office
    seal: Seal
    carrier: Carrier
    stacks: stacks.Tools
    jobs: jobs.Tools
    federation: catalog.Federation
    memory: identity.TokenMemory
    agenda: deployments.Agenda
    tally: Tally
    metrics: Metrics
    _seen_until: int = field(default_factory=lambda: int(time.time()))
    _counted: dict[str, int] = field(default_factory=lambda: dict.fromkeys(Tally.__slots__, 0))

    def tasks(self) -> list[Task]:
        return [
            Task("look at scientific jobs", 1, partial(jobs.watch, self.database, self.jobs)),
            Task("end jobs whose work was given up", 60, partial(jobs.end_given_up, self.database, self.jobs)),
            Task("ask other portals", 5, self.federation.refresh_due),
            Task("forget sessions and letters of portals", 3600, self._forget_at_portals),
            Task("let anonymous users go", 3600, partial(portal.remove_abandoned, self.database)),
            Task("remove old scientific jobs and data", 3600, partial(jobs.remove_old, self.database, self.jobs)),
            Task("remove folders of jobs", 600, partial(jobs.remove_folders, self.database, self.jobs)),
            Task("sweep payloads of portals", 6 * 3600, partial(jobs.sweep_payloads, self.database, self.blobs)),
            Task("look after stacks", 5, partial(stacks.watch, self.database, self.stacks)),
            Task("write when devices were last seen", 30, self.write_last_seen),
            Task("count what was answered at the door", 1, self._count),
            Task("end expired sessions", 3600, self._end_expired_sessions),
            Task("send mail", 1, partial(mail.send_due, self.database, self.seal, self.carrier)),
            Task("forget old attempts and counts of calls", 600, self.forget_old_counts),
            Task("suspend ended trials", 600, partial(identity.suspend_ended_trials, self.database)),
            Task("take back abandoned sign-ups", 3600, partial(billing.remove_abandoned, self.office)),
            Task("forget old jobs", 3600, self._forget_old_jobs),
            Task("forget old changes", 600, self.database.changes.forget_old),
            Task("sweep payloads", 6 * 3600, partial(artifacts.sweep_payloads, self.database, self.blobs)),
        ]

    def write_last_seen(self) -> None:
        until = int(time.time())
        seen = self.memory.seen_since(self._seen_until)
        moments = [(tenant, device, datetime.fromtimestamp(at, UTC)) for tenant, device, at in seen]
        for start in range(0, len(moments), 2000):  # in pieces, so that nobody waits long for the writer's place
            with self.database.across_tenants("when were devices seen?") as tx:
                devices.write_last_seen(tx, moments[start : start + 2000])
        self._seen_until = until

    def _count(self) -> None:
        for name in Tally.__slots__:
            value = getattr(self.tally, name)
            self.metrics.at_the_door.labels(name).inc(value - self._counted[name])
            self._counted[name] = value
        self.metrics.remembered_tokens.set(len(self.memory))
        self.metrics.busy_devices.set(len(self.agenda))

    def forget_old_counts(self) -> None:
        """Of failed attempts and of calls."""
        with self.database.across_tenants("forget old attempts and calls") as tx:
            identity.forget_old_attempts(tx)
            identity.forget_old_counts(tx)

    def _forget_old_jobs(self) -> None:
        workflows.remove_old(self.database, clock.now() - JOBS_KEPT)
        with self.database.across_tenants("forget keys that were heard long ago") as tx:
            tx.forget_old_keys()

    def _forget_at_portals(self) -> None:
        with self.database.across_tenants("forget what has expired at portals") as tx:
            portal.remove_expired_tokens(tx)
            portal.remove_expired_letters(tx)

    def _end_expired_sessions(self) -> None:
        with self.database.across_tenants("end expired sessions") as tx:
            identity.remove_expired_sessions(tx)
