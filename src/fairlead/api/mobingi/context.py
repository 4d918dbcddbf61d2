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
from fairlead.base.http.registry_tokens import RegistryTokens
from fairlead.base.scope import Scope
from fairlead.base.seal import Seal
from fairlead.domain import identity, stacks


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of the server that this API uses. `public_url` is "" where clients are to use the host they know."""

    database: Database
    tokens: identity.Tokens
    seal: Seal
    stacks: stacks.Tools
    links: Links
    public_url: str
    registry: RegistryTokens
    executor: Executor


GOOD_FOR_SECONDS = 0.5
"""How long what somebody may do is not asked again."""


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request: who asks, and the transactions that may be opened for them.

    `at_first` is what they might do when the request began, `by_now` asks for it again.
    """

    context: Context
    claims: identity.AccessClaims
    at_first: Scope
    host: str
    by_now: Callable[[], Scope]
    began: float = field(default_factory=time.monotonic)

    @property
    def scope(self) -> Scope:
        """Who asks, with what they may do by now; refuses who was put out while a body took its time to come in."""
        return self.at_first if time.monotonic() < self.began + GOOD_FOR_SECONDS else self.by_now()

    @property
    def tools(self) -> stacks.Tools:
        """What stacks are made with."""
        return self.context.stacks

    def begin(self) -> AbstractContextManager[Tx]:
        """A transaction that may write."""
        return self.context.database.begin(self.scope)

    def read(self) -> AbstractContextManager[Tx]:
        """A transaction that only looks."""
        return self.context.database.read(self.scope)

    def url(self, path: str) -> str:
        """The path behind our own host, as whoever calls can reach it."""
        return (self.context.public_url or self.host) + path


def provide_call(request: Request[Any, Any, Any]) -> Call:
    """The call that the guard has authenticated."""
    call: Call = request.scope["state"]["call"]
    return call


async def provide_context(request: Request[Any, Any, Any]) -> Context:
    """For routes that are open to all."""
    context: Context = request.app.state.mobingi
    return context
