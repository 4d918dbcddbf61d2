"""How do the letters of the outbox get to where they are sent from, each once if nothing goes wrong?"""

from __future__ import annotations

from datetime import timedelta

import msgspec
import structlog

from fairlead.base import clock
from fairlead.base.database import Database
from fairlead.base.seal import Seal, SealBroken
from fairlead.base.smtp import Carrier, NotTaken
from fairlead.domain.mail import store
from fairlead.domain.mail.model import NOBODY, Letter, Waiting, message_of, wait_after

CLAIMED_FOR = timedelta(minutes=5)
"""Longer than sending can take: until then no other process tries the same letter."""

MOST_AT_ONCE = 200

log = structlog.get_logger()


def send_due(database: Database, seal: Seal, carrier: Carrier) -> int:
    """Send what is due, and say how many letters went out. Any process may do this at any time.

    No transaction is open while a letter is under way. After one that was not taken the others wait for the next
    time, so that a server that does not answer holds nobody up for long.
    """
    for sent in range(MOST_AT_ONCE):
        waiting = _claim(database)
        if waiting is None or not _send(database, seal, carrier, waiting):
            return sent
    return MOST_AT_ONCE


def _claim(database: Database) -> Waiting | None:
    with database.across_tenants("is a letter due?", writing=False) as tx:
        if not store.is_any_due(tx):
            return None
    with database.across_tenants("take the letter that is due") as tx:
        return store.claim(tx, clock.now() + CLAIMED_FOR)


def _send(database: Database, seal: Seal, carrier: Carrier, waiting: Waiting) -> bool:
    """Whether the letter is dealt with. Log lines name it by its id: what it says and for whom is nobody's business."""
    try:
        letter = msgspec.json.decode(seal.open(waiting.sealed, waiting.purpose), type=Letter)
        if letter.to != NOBODY:
            _carry(carrier, letter, waiting)
    except NotTaken as problem:
        _try_again(database, waiting, str(problem), for_good=problem.for_good)
        return problem.for_good
    except (SealBroken, msgspec.DecodeError, ValueError) as problem:
        _try_again(database, waiting, f"it cannot be written: {type(problem).__name__}")
        return True
    _remove(database, waiting)
    return True


def _carry(carrier: Carrier, letter: Letter, waiting: Waiting) -> None:
    if letter.worthless_after is not None and letter.worthless_after <= clock.now():
        raise NotTaken("it came too late to be of use", for_good=True)
    name = f"{waiting.created_at:%Y%m%dT%H%M%S.%fZ}-{waiting.id}"
    where = carrier.carry(message_of(letter, waiting, carrier.sender), name)
    log.info("mail.sent", letter=waiting.id, to=where)


def _try_again(database: Database, waiting: Waiting, reason: str, *, for_good: bool = False) -> None:
    next_try_at = clock.now() + wait_after(waiting.attempts)
    if for_good or next_try_at >= waiting.given_up_at:
        log.error("mail.given_up", letter=waiting.id, attempts=waiting.attempts, reason=reason)
        _remove(database, waiting)
        return
    log.warning("mail.delayed", letter=waiting.id, attempts=waiting.attempts, reason=reason)
    with database.across_tenants("try the letter again later") as tx:
        store.put_back(tx, waiting.id, next_try_at)


def _remove(database: Database, waiting: Waiting) -> None:
    with database.across_tenants("the letter is dealt with") as tx:
        store.remove(tx, waiting.id)
