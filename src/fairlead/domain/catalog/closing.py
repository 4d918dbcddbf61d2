"""Which services have the administrators closed for everybody, whatever each of them says?

As in Mobyle's configuration, a pattern is `SERVER.SERVICE` with `*` and `?`; `local` is this server by any name.
"""

from __future__ import annotations

import fnmatch
import re
from functools import lru_cache

import msgspec
import sqlalchemy as sa

from fairlead.base.database import TENANT, Tx, insert_or_ignore
from fairlead.base.errors import Refusal
from fairlead.domain import audit
from fairlead.domain.catalog.tables import catalog_closed
from fairlead.domain.identity import portal

LOCAL = "local"
MOST_PATTERNS = 200
LONGEST_PATTERN = 200
LONGEST_MESSAGE = 500

_own = sa.select(catalog_closed).where(catalog_closed.c.tenant_id == TENANT)


class BadPattern(Refusal):
    message = "{reason}"


class MessageTooLong(Refusal):
    message = f"A message has at most {LONGEST_MESSAGE} characters, and no control characters but line breaks."


class Closed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is closed. `message` is told to whoever calls a service that is."""

    everything: bool = False
    patterns: tuple[str, ...] = ()
    message: str = ""

    def covers(self, server: str, name: str, *, is_own: bool) -> bool:
        if self.everything:
            return True
        called = [f"{server}.{name}", f"{LOCAL}.{name}"] if is_own else [f"{server}.{name}"]
        return any(_compiled(pattern).match(each) for pattern in self.patterns for each in called)


def find_closed(tx: Tx) -> Closed:
    """What is closed, for those who close."""
    portal.make_sure_may(tx.scope, portal.Act.MANAGE_SERVICES)
    return closed_now(tx)


def closed_now(tx: Tx) -> Closed:
    row = tx.one(_own)
    if row is None:
        return Closed()
    return Closed(row.everything, tuple(msgspec.json.decode(row.patterns, type=list[str])), row.message)


def change_closed(tx: Tx, closed: Closed) -> None:
    """Close these services and no others. Jobs that run go on."""
    portal.make_sure_may(tx.scope, portal.Act.MANAGE_SERVICES)
    _make_sure_patterns_are_good(closed.patterns)
    make_sure_message_is_good(closed.message)
    if closed == closed_now(tx):
        return
    values = {
        "everything": closed.everything,
        "patterns": msgspec.json.encode(closed.patterns).decode(),
        "message": closed.message,
    }
    tx.run(insert_or_ignore(catalog_closed, on_sqlite=tx.is_sqlite), values)
    tx.run(sa.update(catalog_closed).where(catalog_closed.c.tenant_id == TENANT).values(**values))
    audit.record(tx, "portal.close_services", "", everything=closed.everything, patterns=list(closed.patterns))


def make_sure_message_is_good(message: str) -> None:
    if len(message) > LONGEST_MESSAGE or not message.replace("\n", "").isprintable():
        raise MessageTooLong


def _make_sure_patterns_are_good(patterns: tuple[str, ...]) -> None:
    if len(patterns) > MOST_PATTERNS:
        raise BadPattern(reason=f"There may be at most {MOST_PATTERNS} patterns.")
    for pattern in patterns:
        server, dot, name = pattern.partition(".")
        if not (server and dot and name) or len(pattern) > LONGEST_PATTERN or not pattern.isprintable():
            raise BadPattern(reason=f"{pattern[:LONGEST_PATTERN]!r} is not like portal.service*")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))
