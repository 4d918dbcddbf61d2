"""What do the handlers work with? Made once by `app.py`, handed to all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from litestar import Request

from fairlead.base.database import Database, Tx
from fairlead.base.http.links import Links
from fairlead.base.scope import Scope
from fairlead.domain import catalog, jobs
from fairlead.domain.identity import portal


@dataclass(frozen=True, slots=True)
class Rules:
    """Who is let in. Without a `directory` nobody is asked for in one."""

    anonymous: bool = True
    registration: bool = True
    directory: portal.Ldap | None = None


@dataclass(slots=True)
class Listening:
    """How many listen to jobs in this process now."""

    most: int = 200
    now: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of the server that this API uses. `public_url` is "" where clients are to use the host they know.

    `default_tenant_id` is whose portal it is where none is named; "" where each organization has its own.
    """

    database: Database
    tools: jobs.Tools
    federation: catalog.Federation
    links: Links
    public_url: str
    default_tenant_id: str
    executor: Executor
    rules: Rules = field(default_factory=Rules)
    listening: Listening = field(default_factory=Listening)


GOOD_FOR_SECONDS = 0.5
"""How long what somebody may do is not asked again."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a portal: who asks, and the transactions that may be opened for them.

    `at_first` is what they might do when the request began, `by_now` asks for it again. `signed_in` is None for
    visitors and other servers. `place` is the path of the portal.
    """

    context: Context
    at_first: Scope
    signed_in: portal.SignedIn | None
    address: str
    place: str
    host: str
    by_now: Callable[[], Scope]
    began: float = field(default_factory=time.monotonic)

    @property
    def scope(self) -> Scope:
        """Who asks, with what they may do by now; refuses who was put out while a body took its time to come in."""
        return self.at_first if time.monotonic() < self.began + GOOD_FOR_SECONDS else self.by_now()

    @property
    def tenant_id(self) -> str:
        return self.at_first.tenant_id

    @property
    def tools(self) -> jobs.Tools:
        """What jobs and their data are kept and run with."""
        return self.context.tools

    @property
    def own(self) -> catalog.OwnServer:
        """This server among portals."""
        return self.tools.own(self.tenant_id)

    def begin(self) -> AbstractContextManager[Tx]:
        """A transaction that may write."""
        return self.context.database.begin(self.scope)

    def read(self) -> AbstractContextManager[Tx]:
        """A transaction that only looks."""
        return self.context.database.read(self.scope)

    def url(self, path: str) -> str:
        """The path on this portal, as whoever calls can reach it."""
        return (self.context.public_url or self.host) + self.place + path

    def session(self) -> portal.SignedIn:
        """Who is signed in; refuses those who are not."""
        if self.signed_in is None:
            raise portal.LogInFirst(act="do this")
        return self.signed_in


def provide_call(request: Request[Any, Any, Any]) -> Call:
    """The call that the guard has made out."""
    call: Call = request.scope["state"]["call"]
    return call
