"""What do jobs need that is not in the database?"""

from __future__ import annotations

import functools
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from fairlead.base.blobs import Blobs
from fairlead.base.http.outgoing import Outgoing
from fairlead.base.seal import Seal
from fairlead.domain.catalog import OwnServer
from fairlead.domain.identity import portal
from fairlead.domain.jobs.execution import ExecutionSystem, Limits, Routes

_NODE = ".node"


@dataclass(frozen=True, slots=True)
class Quotas:
    """How much there may be of what people send and start. 0 is no limit.

    `similar_jobs` is how many of a user may do the same at the same time.
    """

    jobs_per_user: int = 500
    similar_jobs: int = 1
    project_bytes: int = 10 * 1024**3
    file_bytes: int = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Kept:
    """For how long things are kept that nobody removes. A job's folder is for looking what went wrong."""

    jobs: timedelta = timedelta(days=30)
    data: timedelta = timedelta(days=90)
    folders: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Tools:
    """`folder` holds the folders of jobs, `systems` run them; `own` is what a tenant's portal is called.

    Whoever submits a job that takes longer than `mail_after_seconds` is told of its end by mail.
    """

    seal: Seal
    blobs: Blobs
    outgoing: Outgoing
    folder: Path
    systems: Mapping[str, ExecutionSystem]
    own: Callable[[str], OwnServer]
    routes: Routes = field(default_factory=Routes)
    quotas: Quotas = field(default_factory=Quotas)
    kept: Kept = field(default_factory=Kept)
    limits: Limits = field(default_factory=Limits)
    environment: Mapping[str, str] = field(default_factory=dict)
    mail_after_seconds: float = 60

    @property
    def node(self) -> str:
        """The name of the folder, by which its jobs are known wherever the records are read."""
        return _node_of(self.folder)

    def folder_of(self, tenant_id: str, number: int) -> Path:
        return self.folder / tenant_id / portal.written(number)


@functools.cache
def _node_of(folder: Path) -> str:
    """Made up once, by whichever process comes first."""
    path = folder / _NODE
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        aside = folder / f"{_NODE}.{os.getpid()}.{secrets.token_hex(4)}"
        aside.write_text(secrets.token_hex(8))
        with suppress(FileExistsError):
            os.link(aside, path)
        aside.unlink()
    return path.read_text()
