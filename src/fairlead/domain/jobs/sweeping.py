"""What goes by itself? Jobs and data that are old, folders of jobs, and payloads that belong to nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import structlog

from fairlead.base import clock
from fairlead.base.blobs import Blobs
from fairlead.base.database import Database
from fairlead.base.errors import Refusal
from fairlead.base.scope import system_scope
from fairlead.domain import audit
from fairlead.domain.identity import portal
from fairlead.domain.jobs import data_store, job_store
from fairlead.domain.jobs.controlling import forget_job
from fairlead.domain.jobs.data import remove_data
from fairlead.domain.jobs.execution.runner import tidying
from fairlead.domain.jobs.receiving import PAYLOADS
from fairlead.domain.jobs.tools import Tools

MOST_AT_ONCE = 500
ORPHAN_AGE = timedelta(days=1)

log = structlog.get_logger()


def remove_old(database: Database, tools: Tools) -> int:
    """Remove jobs that ended long ago, and data that nobody has kept, changed or used for long; how many went."""
    now = clock.now()
    with database.across_tenants("which jobs and data are old?", writing=False) as tx:
        jobs = job_store.old(tx, now - tools.kept.jobs, MOST_AT_ONCE) if tools.kept.jobs else []
        data = data_store.old(tx, now - tools.kept.data, MOST_AT_ONCE) if tools.kept.data else []
    removed = sum(_remove_job(database, tools, tenant_id, number) for tenant_id, number in jobs)
    removed += sum(_remove_data(database, tools, tenant_id, number) for tenant_id, number in data)
    if jobs:
        with database.across_tenants("which descriptions has no job any more?") as tx:
            job_store.forget_unused_services(tx)
    return removed


def _remove_job(database: Database, tools: Tools, tenant_id: str, number: int) -> bool:
    with database.begin(system_scope(tenant_id)) as tx:
        job = job_store.find(tx, number, hold=True)
        if job is None:
            return False
        try:
            forget_job(tx, tools, job)
        except Refusal as refusal:
            log.info("jobs.kept", tenant=tenant_id, job=number, reason=str(refusal))
            return False
        audit.record(tx, "job.expire", job.id, name=job.name, service=job.service)
        return True


def _remove_data(database: Database, tools: Tools, tenant_id: str, number: int) -> bool:
    try:
        with database.begin(system_scope(tenant_id)) as tx:
            remove_data(tx, tools, number)
    except Refusal as refusal:
        log.info("data.kept", tenant=tenant_id, data=number, reason=str(refusal))
        return False
    return True


def remove_folders(database: Database, tools: Tools) -> int:
    """Remove the folders of this node's jobs that ended a while ago, or are gone; how many went."""
    there = {(path.parent.name, path.name): path for path in tools.folder.glob("*/*") if _is_of_a_job(path)}
    with database.across_tenants("which folders of jobs are in use?", writing=False) as tx:
        used = job_store.ended_since(tx, clock.now() - tools.kept.folders)
    in_use = {(tenant_id, portal.written(number)) for tenant_id, number in used}
    gone = [path for place, path in there.items() if place not in in_use]
    for path in gone:
        tidying.remove(str(path))
    return len(gone)


def _is_of_a_job(path: Path) -> bool:
    return path.is_dir() and portal.number_of(path.name) != portal.NOTHING


def sweep_payloads(database: Database, blobs: Blobs) -> int:
    """Remove payloads that belong to no data and no job: what a power cut, or a user who went, leaves behind."""
    end = clock.now() - ORPHAN_AGE
    old = [kept.key for kept in blobs.kept() if kept.key.startswith(PAYLOADS) and kept.modified_at < end]
    with database.across_tenants("which payloads are in use?", writing=False) as tx:
        used = data_store.all_keys(tx) | job_store.all_keys(tx)
    lost = [key for key in old if key not in used]
    for key in lost:
        blobs.remove(key)
    return len(lost)
