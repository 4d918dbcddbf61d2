"""What do the handlers work with? Made once by `app.py`, handed to all of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from litestar import Request

from fairlead.base import clock
from fairlead.base.blobs import Blobs
from fairlead.base.database import Database, Tx
from fairlead.base.grouped import Grouped
from fairlead.base.http.links import Links
from fairlead.base.http.outgoing import Outgoing
from fairlead.base.http.recaptcha import Recaptcha
from fairlead.base.scope import Scope
from fairlead.base.seal import Seal
from fairlead.domain import billing, deployments, devices, identity


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of the server that this API uses. `home` is the address that links in letters begin with.

    `makes_artifacts` says whether those that are made of files have somewhere to go.
    """

    database: Database
    blobs: Blobs
    tokens: identity.Tokens
    memory: identity.TokenMemory
    agenda: deployments.Agenda
    admissions: Grouped[devices.AuthRequest, str]
    reports: Grouped[devices.Report, None]
    calls: Grouped[identity.CountedCall, None]
    links: Links
    public_url: str
    home: str
    seal: Seal
    outgoing: Outgoing
    programs: frozenset[str]
    makes_artifacts: bool
    office: billing.Office
    recaptcha: Recaptcha
    executor: Executor


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request: who asks, and the transactions that may be opened for them.

    `at_first` is what they might do when the request began, `by_now` asks for it again.
    """

    context: Context
    bearer: identity.Bearer
    at_first: Scope
    host: str
    by_now: Callable[[], Scope] | None = None

    @property
    def scope(self) -> Scope:
        """Who asks, with what they may do by now; refuses who was put out since the request began.

        A body may take hours to come in, and an answer to be read. Not for the loop: it may ask the database.
        """
        if self.by_now is None or self.context.memory.knows(self.bearer):
            return self.at_first
        return self.by_now()

    @property
    def device_id(self) -> str:
        """The device that asks; only on routes for devices."""
        return self.bearer.subject

    def begin(self) -> AbstractContextManager[Tx]:
        """A transaction that may write."""
        return self.context.database.begin(self.scope)

    def read(self) -> AbstractContextManager[Tx]:
        """A transaction that only looks."""
        return self.context.database.read(self.scope)

    def link(self, blob_key: str, file_name: str, modified_at: Any, size_bytes: int, seconds: int) -> tuple[str, Any]:
        """A signed download address on the host that the client has reached us at, and until when it is good."""
        expires_at = clock.now() + timedelta(seconds=seconds)
        path = self.context.links.sign(
            blob_key, file_name, expires_at=expires_at, modified_at=modified_at, size_bytes=size_bytes
        )
        return (self.context.public_url or self.host) + path, expires_at


def provide_call(request: Request[Any, Any, Any]) -> Call:
    """The call that the guard has authenticated."""
    call: Call = request.scope["state"]["call"]
    return call
