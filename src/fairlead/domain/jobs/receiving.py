"""How do data come into a project? Uploaded, as text, from an address, or from what a job has left behind.

What has to be fetched is a row at once, and its bytes come by a workflow: see `fetching`.
"""

from __future__ import annotations

import hashlib
import uuid

from fairlead.base.database import Tx
from fairlead.domain import audit, workflows
from fairlead.domain.identity import portal
from fairlead.domain.jobs import data_store, job_store
from fairlead.domain.jobs.data_model import (
    LARGEST_TEXT,
    BadData,
    Data,
    DataStatus,
    DataTooLarge,
    Draft,
    ProjectIsFull,
    Source,
    checked,
)
from fairlead.domain.jobs.job_model import Job, JobFile, NoSuchOutput
from fairlead.domain.jobs.projects import find_project
from fairlead.domain.jobs.tools import Tools

FETCH = "fetch data"
PAYLOADS = "portal/"
LONGEST_URL = 2000


class Upload:
    """Data on their way in. Feed them from one thread at a time, then `finish`, then `add_upload`.

    `discard` at any time leaves nothing behind, and does nothing once the upload is finished.
    """

    def __init__(self, tools: Tools, tenant_id: str, project: int, largest_bytes: int, room_bytes: int | None) -> None:
        self.project = project
        self.blob_key = new_key(tenant_id)
        self.size_bytes = 0
        self._largest_bytes = largest_bytes
        self._room_bytes = room_bytes
        self._limit = tools.quotas.project_bytes
        self._hash = hashlib.sha256()
        self._incoming = tools.blobs.receive(self.blob_key)

    def let_in(self, size_bytes: int) -> None:
        """Room for so many bytes was kept for it before."""
        if self._room_bytes is not None:
            self._room_bytes += size_bytes

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Take the next bytes; refuses as soon as they are too many."""
        self.size_bytes += len(chunk)
        if self._largest_bytes and self.size_bytes > self._largest_bytes:
            raise DataTooLarge(most=self._largest_bytes)
        if self._room_bytes is not None and self.size_bytes > self._room_bytes:
            raise ProjectIsFull(limit=self._limit, room=self._room_bytes)
        self._hash.update(chunk)
        self._incoming.write(chunk)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def finish(self) -> None:
        self._incoming.keep()

    def discard(self) -> None:
        self._incoming.discard()


def begin_upload(tx: Tx, tools: Tools, project: int) -> Upload:
    """Refuses before the first byte what would be refused after the last."""
    find_project(tx, project, portal.Act.CREATE_DATA)
    return open_upload(tx, tools, project)


def open_upload(tx: Tx, tools: Tools, project: int) -> Upload:
    return Upload(tools, tx.tenant_id, project, tools.quotas.file_bytes, room_in(tx, tools, project))


def room_in(tx: Tx, tools: Tools, project: int) -> int | None:
    """How many more bytes the project may hold; None for any number."""
    limit = tools.quotas.project_bytes
    return max(0, limit - data_store.used_bytes(tx, project)) if limit else None


def make_sure_there_is_room(tx: Tx, tools: Tools, project: int, more_bytes: int) -> None:
    """Until the end of the transaction nobody else fills it."""
    tx.one_at_a_time("portal data")
    room = room_in(tx, tools, project)
    if room is not None and more_bytes > room:
        raise ProjectIsFull(limit=tools.quotas.project_bytes, room=room)


def add_upload(tx: Tx, tools: Tools, upload: Upload, draft: Draft) -> Data:
    """Make a finished upload data of its project."""
    find_project(tx, upload.project, portal.Act.CREATE_DATA, hold=True)
    make_sure_there_is_room(tx, tools, upload.project, upload.size_bytes)
    return _add(
        tx,
        upload.project,
        checked(draft),
        Source.UPLOAD,
        size_bytes=upload.size_bytes,
        sha256=upload.sha256,
        blob_key=upload.blob_key,
        status=DataStatus.READY,
    )


def add_text(tx: Tx, tools: Tools, project: int, draft: Draft, text: str) -> Data:
    """Data that somebody has typed or pasted."""
    find_project(tx, project, portal.Act.CREATE_DATA, hold=True)
    good = checked(draft)
    content = encoded(text)
    make_sure_there_is_room(tx, tools, project, len(content))
    key = new_key(tx.tenant_id)
    with tools.blobs.receive(key) as incoming:
        incoming.write(content)
        incoming.keep()
    digest = hashlib.sha256(content).hexdigest()
    ready = DataStatus.READY
    return _add(tx, project, good, Source.TEXT, size_bytes=len(content), sha256=digest, blob_key=key, status=ready)


def encoded(text: str) -> bytes:
    try:
        content = text.encode()
    except UnicodeEncodeError:
        raise BadData(reason="content: it is not text.") from None
    if len(content) > LARGEST_TEXT:
        raise DataTooLarge(most=LARGEST_TEXT)
    return content


def add_from_url(tx: Tx, tools: Tools, project: int, draft: Draft, url: str) -> Data:
    """Data that this server fetches. Whether it may, and gets them, turns out later: see the status."""
    find_project(tx, project, portal.Act.CREATE_DATA, hold=True)
    good = checked(draft)
    make_sure_url_is_good(tools, url)
    make_sure_there_is_room(tx, tools, project, 1)
    data = _add(tx, project, good, Source.URL, url=url)
    _fetch(tx, tools, data)
    return data


def make_sure_url_is_good(tools: Tools, url: str) -> None:
    if len(url) > LONGEST_URL:
        raise BadData(reason=f"url: it has at most {LONGEST_URL} characters.")
    tools.outgoing.check(url)


def add_from_output(
    tx: Tx, tools: Tools, project: int, draft: Draft, job: Job, parameter: str, position: int = 0
) -> Data:
    """Data that are a copy of what a job, which the caller has found before, has left behind."""
    find_project(tx, project, portal.Act.CREATE_DATA, hold=True)
    file = job_store.find_file(tx, job.number, parameter, position)
    if file is None:
        raise NoSuchOutput(name=parameter[:100])
    return copy_output(tx, tools, project, checked(draft), job, file)


def copy_output(tx: Tx, tools: Tools, project: int, draft: Draft, job: Job, file: JobFile, added_by: int = 0) -> Data:
    make_sure_there_is_room(tx, tools, project, file.size_bytes)
    data = _add(
        tx,
        project,
        draft,
        Source.JOB,
        added_by=added_by,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        produced_by=job.number,
        produced_as=file.parameter,
        position=file.position,
    )
    _fetch(tx, tools, data)
    return data


def new_key(tenant_id: str) -> str:
    return f"{PAYLOADS}{tenant_id}/{uuid.uuid4()}"


def _fetch(tx: Tx, tools: Tools, data: Data) -> None:
    inputs = {"number": str(data.number)}
    workflows.start_own(tx, tools.seal, FETCH, inputs, tenant_id=tx.tenant_id, key=data.id)


def _add(
    tx: Tx,
    project: int,
    draft: Draft,
    source: Source,
    *,
    status: DataStatus = DataStatus.QUEUED,
    added_by: int = 0,
    size_bytes: int = 0,
    sha256: str = "",
    blob_key: str = "",
    url: str = "",
    produced_by: int | None = None,
    produced_as: str = "",
    position: int = 0,
) -> Data:
    data = data_store.add(
        tx,
        number=portal.next_number(tx, "data"),
        project=project,
        name=draft.name,
        description=draft.description,
        tags=draft.tags,
        data_terms=draft.data_terms,
        format_terms=draft.format_terms,
        public=draft.public,
        persistent=draft.persistent,
        source=source.value,
        status=status.value,
        added_by=added_by or portal.number_of_caller(tx.scope),
        size_bytes=size_bytes,
        sha256=sha256,
        blob_key=blob_key,
        url=url,
        produced_by=produced_by,
        produced_as=produced_as,
        position=position,
        message="",
    )
    shown = _without_query(url)
    audit.record(tx, "data.add", data.id, name=data.name, source=source.value, size_bytes=size_bytes, url=shown)
    return data


def _without_query(url: str) -> str:
    """What may stand in the audit trail: no secret of an address."""
    return url.partition("?")[0].rpartition("@")[2]
