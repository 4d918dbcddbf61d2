"""How do we know that an e-mail address is somebody's? They show the secret that was sent there.

A secret is good once and for an hour; only a digest of it is kept. How often one is sent to an address, and how often
somebody makes us send one, is counted: nobody's mailbox is filled from here.
"""

from __future__ import annotations

import enum
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Database, Moment, Tx
from fairlead.base.errors import Refusal
from fairlead.domain.identity import attempts
from fairlead.domain.identity.attempts import Counter
from fairlead.domain.identity.portal.tables import portal_letters as letters
from fairlead.domain.identity.portal.tables import portal_users
from fairlead.domain.identity.portal.tokens import LONGEST_SECRET, SECRET_BYTES, digest_of

GOOD_FOR = timedelta(hours=1)
MOST_TO_ONE = 3
MOST_FROM_ONE = 30

_good = (
    letters.c.tenant_id == TENANT,
    letters.c.digest == sa.bindparam("wanted"),
    letters.c.purpose == sa.bindparam("for_what"),
    letters.c.expires_at > sa.bindparam("now", type_=Moment),
)
_letter = sa.select(letters.c.user_number, letters.c.password_hash).where(*_good)
_use = sa.delete(letters).where(*_good)
_add = sa.insert(letters).from_select(
    ["digest", "tenant_id", "user_number", "purpose", "password_hash", "expires_at"],
    sa.select(
        sa.bindparam("new_digest", type_=sa.Text),
        TENANT,
        portal_users.c.number,
        sa.bindparam("for_what", type_=sa.Text),
        sa.bindparam("new_hash", type_=sa.Text),
        sa.bindparam("until", type_=Moment),
    ).where(portal_users.c.tenant_id == TENANT, portal_users.c.number == sa.bindparam("of_user")),
)


class Purpose(enum.StrEnum):
    CONFIRM = "confirm"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Sent:
    """Whose secret it was, and the password that was given when it was asked for."""

    number: int
    password_hash: str = field(repr=False)


class BadSecret(Refusal):
    """Never sent, used, or too old: which of these is not said."""

    message = "The link is not valid, or not valid any more: ask for another letter."


def letters_to(tenant_id: str, email: str) -> Counter:
    return Counter(f"portal letter\0{tenant_id}\0{email.lower()}", MOST_TO_ONE, GOOD_FOR)


def letters_by(address: str) -> Counter:
    return Counter(f"portal letter by\0{address}", MOST_FROM_ONE, GOOD_FOR)


def may_send(database: Database, tenant_id: str, email: str, address: str) -> bool:
    """Count one more letter. Refuses with `TooManyAttempts` whoever asks for too many; False if too many go there."""
    with database.across_tenants("how many letters were asked for?") as tx:
        attempts.make_sure_more_are_allowed(tx, [letters_by(address)])
        attempts.note(tx, [letters_by(address)])
        return attempts.note(tx, [letters_to(tenant_id, email)])


def new_secret(tx: Tx, number: int, purpose: Purpose, password_hash: str = "") -> tuple[str, datetime]:
    """A secret for the user, and until when it is good. For nobody's number, in the same time, none is kept."""
    secret, until = secrets.token_urlsafe(SECRET_BYTES), clock.now() + GOOD_FOR
    values = {"new_digest": digest_of(secret), "of_user": number, "for_what": purpose.value, "until": until}
    tx.run(_add, {**values, "new_hash": password_hash})
    return secret, until


def sent_with(tx: Tx, secret: str, purpose: Purpose) -> Sent:
    """What was sent with the secret, if it is still good; otherwise `BadSecret`."""
    values = {"wanted": digest_of(secret[: LONGEST_SECRET + 1]), "for_what": purpose.value, "now": clock.now()}
    row = tx.one(_letter, values)
    if row is None:
        raise BadSecret
    return Sent(row.user_number, row.password_hash)


def use_up(tx: Tx, secret: str, purpose: Purpose) -> Sent:
    """The same, for one only of all who show it."""
    found = sent_with(tx, secret, purpose)
    values = {"wanted": digest_of(secret), "for_what": purpose.value, "now": clock.now()}
    if not tx.run(_use, values).rowcount:
        raise BadSecret
    return found


def forget_letters_to(tx: Tx, number: int) -> None:
    gone = sa.delete(letters).where(letters.c.tenant_id == TENANT, letters.c.user_number == sa.bindparam("of_user"))
    tx.run(gone, {"of_user": number})


def remove_expired_letters(tx: Tx) -> None:
    """Across tenants."""
    tx.run(sa.delete(letters).where(letters.c.expires_at <= sa.bindparam("now", type_=Moment)), {"now": clock.now()})
