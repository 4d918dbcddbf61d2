"""How do bytes come that are not here yet? A workflow of one step gets them, and says so in the row of the data."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

import structlog

from fairlead.base.blobs import BlobIsMissing
from fairlead.base.database import Database
from fairlead.base.errors import Kind, Refusal
from fairlead.base.http.outgoing import Answer, NoAnswer
from fairlead.base.scope import Scope, system_scope
from fairlead.domain.identity import portal
from fairlead.domain.jobs import data_store, job_store
from fairlead.domain.jobs.data_model import Data, DataStatus, Source
from fairlead.domain.jobs.notifications import NotificationType, notify
from fairlead.domain.jobs.receiving import Upload, make_sure_there_is_room, open_upload
from fairlead.domain.jobs.tools import Tools
from fairlead.domain.workflows import Job, NotYet, Result, Run, Step

CONNECT_SECONDS = 15.0
READ_SECONDS = 600.0
TRIES = 3
WAIT_SECONDS = 1.0
MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_WORTH_ANOTHER_TRY = (429, 500, 502, 503, 504)
_AWAITED = (DataStatus.QUEUED, DataStatus.DOWNLOADING)

log = structlog.get_logger()


class CannotFetch(Refusal):
    message = "It could not be fetched: {reason}"


class _Again(Exception):
    """Another try may help."""


def fetch_steps(database: Database, tools: Tools) -> Callable[[Job], Sequence[Step]]:
    """What the workflow `FETCH` consists of."""

    def of(job: Job) -> Sequence[Step]:
        fetching = Fetching(database, tools, system_scope(job.tenant_id), int(job.inputs["number"]))

        def fetch(run: Run) -> Result:
            fetching.do(run.alive)
            return Result("fetch", "own", success=True)

        return [Step("fetch", "own", fetch)]

    return of


@dataclass(frozen=True, slots=True)
class Fetching:
    """The fetching of one piece of data. It may be done again: what came of it is written once."""

    database: Database
    tools: Tools
    scope: Scope
    number: int

    def do(self, alive: Callable[[], bool]) -> None:
        data = self._begin()
        if data is None:
            return
        try:
            self._get(data, alive)
        except Refusal as refusal:
            if refusal.kind is Kind.UNAVAILABLE:
                raise
            self._fail(str(refusal))
        except Exception as bug:
            log.error("data.fetching_failed", data=data.id, exc_info=bug)
            self._fail("internal error: the server's log says more")

    def _begin(self) -> Data | None:
        with self.database.begin(self.scope) as tx:
            begun = data_store.change_status(tx, self.number, _AWAITED, DataStatus.DOWNLOADING)
            return data_store.find(tx, self.number) if begun else None

    def _get(self, data: Data, alive: Callable[[], bool]) -> None:
        with self.database.read(self.scope) as tx:
            upload = open_upload(tx, self.tools, data.project)
            if data.source is Source.JOB:  # it was counted when it was promised
                upload.let_in(data.size_bytes)
        try:
            if data.source is Source.JOB:
                self._copy(data, upload, alive)
            else:
                upload = self._download(data, upload, alive)
            upload.finish()
        finally:
            upload.discard()
        if not self._keep(data, upload):
            self.tools.blobs.remove(upload.blob_key)

    def _copy(self, data: Data, upload: Upload, alive: Callable[[], bool]) -> None:
        with self.database.read(self.scope) as tx:
            file = job_store.find_file(tx, data.produced_by or portal.NOTHING, data.produced_as, data.position)
        if file is None:
            raise CannotFetch(reason="the output of the job is not there any more.")
        try:
            for chunk in self.tools.blobs.read(file.blob_key):
                _go_on(alive)
                upload.feed(chunk)
        except BlobIsMissing:
            raise CannotFetch(reason="the output of the job is not there any more.") from None

    def _download(self, data: Data, upload: Upload, alive: Callable[[], bool]) -> Upload:
        """What came of a try that broke off is thrown away."""
        for attempt in range(1, TRIES + 1):
            try:
                self._follow(data.url, upload, alive)
                return upload
            except (NoAnswer, _Again) as problem:
                upload.discard()
                if attempt == TRIES:
                    raise CannotFetch(reason=str(problem)) from None
                time.sleep(WAIT_SECONDS * attempt)
                with self.database.read(self.scope) as tx:
                    upload = open_upload(tx, self.tools, data.project)
        raise AssertionError("the last try returns or raises")

    def _follow(self, url: str, upload: Upload, alive: Callable[[], bool]) -> None:
        """Each address on the way is looked at like the first."""

        def take(chunk: bytes) -> None:
            _go_on(alive)
            upload.feed(chunk)

        for _ in range(MOST_REDIRECTS + 1):
            answer = self.tools.outgoing.download(url, take, connect_seconds=CONNECT_SECONDS, read_seconds=READ_SECONDS)
            if answer.status == 200:
                return
            if answer.status not in _REDIRECTS:
                raise _problem(answer)
            url = urljoin(url, _header(answer, "location"))
        raise CannotFetch(reason=f"it leads on more than {MOST_REDIRECTS} times.")

    def _keep(self, data: Data, upload: Upload) -> bool:
        """Only if nobody has got it meanwhile, or removed it."""
        with self.database.begin(self.scope) as tx:
            make_sure_there_is_room(tx, self.tools, data.project, upload.size_bytes - data.size_bytes)
            kept = data_store.change_status(
                tx,
                data.number,
                (DataStatus.DOWNLOADING,),
                DataStatus.READY,
                size_bytes=upload.size_bytes,
                sha256=upload.sha256,
                blob_key=upload.blob_key,
                message="",
            )
            if kept and data.source is Source.URL:
                notify(tx, data.added_by, NotificationType.DATA, f"{data.name} is there.", data.id)
            return kept

    def _fail(self, reason: str) -> None:
        with self.database.begin(self.scope) as tx:
            data = data_store.find(tx, self.number)
            failed = data_store.change_status(
                tx, self.number, _AWAITED, DataStatus.ERROR, message=reason[:1000], size_bytes=0
            )
            if failed and data is not None:
                notify(tx, data.added_by, NotificationType.DATA, f"{data.name}: {reason}", data.id)


def _go_on(alive: Callable[[], bool]) -> None:
    """A worker that is to stop, or that another has taken the place of, leaves it to the other."""
    if not alive():
        raise NotYet("another worker", WAIT_SECONDS)


def _problem(answer: Answer) -> Exception:
    reason = f"the other server has answered with {answer.status}."
    return _Again(reason) if answer.status in _WORTH_ANOTHER_TRY else CannotFetch(reason=reason)


def _header(answer: Answer, name: str) -> str:
    return next((value for key, value in answer.headers if key.lower() == name), "")
