"""What is in the payload store that nobody needs any more?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fairlead.base import clock
from fairlead.base.blobs import Blobs, Kept
from fairlead.base.database import Database, Tx
from fairlead.domain import workflows
from fairlead.domain.artifacts import store
from fairlead.domain.artifacts.generating import job_id_of
from fairlead.domain.artifacts.model import ORPHAN_AGE, PAYLOADS, UNFETCHED_AGE, UPLOADED_FILES


def sweep_payloads(database: Database, blobs: Blobs) -> int:
    """Remove payloads that belong to no artifact: what a power cut between storing and noting one leaves behind.

    And uploaded files that no artifact was made of in time, and that none will be made of.
    """
    with database.across_tenants("which payloads are in use?", writing=False) as tx:
        used = store.blob_keys(tx)
    ages = {PAYLOADS: ORPHAN_AGE, UPLOADED_FILES: UNFETCHED_AGE}
    ends = {folder: clock.now() - age for folder, age in ages.items()}
    old = [kept.key for kept in blobs.kept() for folder, end in ends.items() if _is_old(kept, folder, end)]
    with database.across_tenants("which files are still waited for?", writing=False) as tx:
        used |= _waited_for(tx, old)
    lost = [key for key in old if key not in used]
    for key in lost:
        blobs.remove(key)
    return len(lost) + blobs.sweep(ORPHAN_AGE.total_seconds())


def _is_old(kept: Kept, folder: str, end: datetime) -> bool:
    return kept.key.startswith(folder) and kept.modified_at < end


def _waited_for(tx: Tx, keys: Iterable[str]) -> set[str]:
    """Those of the uploaded files of which an artifact will be made as soon as a worker has time."""
    jobs = {job_id_of(key): key for key in keys if key.startswith(UPLOADED_FILES)}
    return {jobs[job_id] for job_id in workflows.open_among(tx, jobs)}
