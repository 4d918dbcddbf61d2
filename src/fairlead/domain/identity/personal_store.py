"""Where is kept what concerns one person only: settings, second factor, password resets, failed attempts?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Moment, Tx
from fairlead.domain.identity.store import failed_logins, password_resets, users


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """A sealed secret; `is_on` once a code of it was shown. `step` is that of the code that logged in last."""

    sealed: str | None
    is_on: bool
    step: int
    verified_step: int


_own = (users.c.tenant_id == TENANT, users.c.id == sa.bindparam("user_id"))
_settings = sa.select(users.c.settings).where(*_own)
_change_settings = sa.update(users).where(*_own).values(settings=sa.bindparam("new_settings"))

_second_factor = sa.select(
    users.c.second_factor, users.c.second_factor_on, users.c.second_factor_step, users.c.second_factor_verified_step
).where(*_own)
_change_second_factor = (
    sa.update(users)
    .where(*_own)
    .values(
        second_factor=sa.bindparam("sealed"),
        second_factor_on=sa.false(),
        second_factor_step=0,
        second_factor_verified_step=0,
    )
)
_turn_on = (
    sa.update(users)
    .where(
        *_own,
        users.c.second_factor == sa.bindparam("sealed"),
        users.c.second_factor_verified_step < sa.bindparam("new_step"),
    )
    .values(second_factor_on=sa.true(), second_factor_verified_step=sa.bindparam("new_step"))
)

_as_compared = (
    *_own,
    users.c.password_hash == sa.bindparam("compared_hash"),
    users.c.second_factor_on == sa.bindparam("seen_on"),
)
_note_login = sa.update(users).where(*_as_compared).values(logged_in_at=sa.bindparam("now", type_=Moment))
_note_login_with_code = (
    sa.update(users)
    .where(*_as_compared, users.c.second_factor_step < sa.bindparam("new_step"))
    .values(logged_in_at=sa.bindparam("now", type_=Moment), second_factor_step=sa.bindparam("new_step"))
)

_add_reset = sa.insert(password_resets).from_select(
    ["digest", "tenant_id", "user_id", "expires_at"],
    sa.select(
        sa.bindparam("digest", type_=sa.Text), TENANT, users.c.id, sa.bindparam("expires_at", type_=Moment)
    ).where(*_own),
)
_reset = sa.select(password_resets.c.user_id, password_resets.c.tenant_id).where(
    password_resets.c.digest == sa.bindparam("digest"),
    password_resets.c.expires_at > sa.bindparam("now", type_=Moment),
)
_use_reset = sa.delete(password_resets).where(
    password_resets.c.tenant_id == TENANT,
    password_resets.c.digest == sa.bindparam("digest"),
    password_resets.c.expires_at > sa.bindparam("now", type_=Moment),
)
_remove_resets = sa.delete(password_resets).where(
    password_resets.c.tenant_id == TENANT, password_resets.c.user_id == sa.bindparam("user_id")
)

_failures = sa.select(failed_logins.c.failures, failed_logins.c.since).where(
    failed_logins.c.digest == sa.bindparam("digest")
)
_is_over = failed_logins.c.since <= sa.bindparam("horizon", type_=Moment)
_count_failure = (
    sa.update(failed_logins)
    .where(failed_logins.c.digest == sa.bindparam("counted"))
    .values(
        failures=sa.case((_is_over, 1), else_=failed_logins.c.failures + 1),
        since=sa.case((_is_over, sa.bindparam("now", type_=Moment)), else_=failed_logins.c.since),
    )
)
_first_failure = sa.insert(failed_logins)
_forget_failures = sa.delete(failed_logins).where(failed_logins.c.digest == sa.bindparam("digest"))


def find_settings(tx: Tx, user_id: str) -> str | None:
    """The user's settings as JSON text; None if there is no such user."""
    found: str | None = tx.scalar(_settings, {"user_id": user_id})
    return found


def change_settings(tx: Tx, user_id: str, settings: str) -> None:
    tx.run(_change_settings, {"user_id": user_id, "new_settings": settings})


def find_second_factor(tx: Tx, user_id: str) -> SecondFactor:
    row = tx.one(_second_factor, {"user_id": user_id})
    if row is None:
        return SecondFactor(None, False, 0, 0)
    return SecondFactor(
        row.second_factor, row.second_factor_on, row.second_factor_step, row.second_factor_verified_step
    )


def change_second_factor(tx: Tx, user_id: str, sealed: str | None) -> None:
    """A secret that is not in force yet, or none any more."""
    tx.run(_change_second_factor, {"user_id": user_id, "sealed": sealed})


def turn_second_factor_on(tx: Tx, user_id: str, sealed: str, step: int) -> bool:
    """Put this secret in force, if it is still the one and no code of this step was shown before."""
    return bool(tx.run(_turn_on, {"user_id": user_id, "sealed": sealed, "new_step": step}).rowcount)


def note_login(tx: Tx, user_id: str, compared_hash: str, seen_on: bool, step: int | None) -> bool:
    """Note a login over what it was decided from, and use up the step of its code, if it took one.

    False when the password or the second factor changed meanwhile, or the code was used by somebody quicker.
    """
    values: dict[str, Any] = {"user_id": user_id, "compared_hash": compared_hash, "seen_on": seen_on}
    values["now"] = clock.now()
    if step is None:
        return bool(tx.run(_note_login, values).rowcount)
    return bool(tx.run(_note_login_with_code, {**values, "new_step": step}).rowcount)


def add_reset(tx: Tx, digest: str, user_id: str, expires_at: datetime) -> None:
    """Nothing is added, in the same time, when there is no such user."""
    tx.run(_add_reset, {"digest": digest, "user_id": user_id, "expires_at": expires_at})


def find_reset(tx: Tx, digest: str) -> tuple[str, str] | None:
    """Across tenants: the ids of the user and the tenant whose secret this is, if it is still good."""
    row = tx.one(_reset, {"digest": digest, "now": clock.now()})
    return (row.user_id, row.tenant_id) if row else None


def use_reset(tx: Tx, digest: str) -> bool:
    """Use the secret up. True for one only of all who try it."""
    return bool(tx.run(_use_reset, {"digest": digest, "now": clock.now()}).rowcount)


def remove_resets_of(tx: Tx, user_id: str) -> None:
    tx.run(_remove_resets, {"user_id": user_id})


def remove_expired_resets(tx: Tx) -> None:
    """Across tenants."""
    tx.run(sa.delete(password_resets).where(password_resets.c.expires_at <= clock.now()))


def find_failures(tx: Tx, digest: str) -> tuple[int, datetime]:
    """How many were counted, and since when."""
    row = tx.one(_failures, {"digest": digest})
    return (row.failures, row.since) if row else (0, clock.now())


def count_failure(tx: Tx, digest: str, now: datetime, horizon: datetime) -> int:
    """Count one more, or begin anew when counting began before the horizon. The number of failures now."""
    tx.one_at_a_time("failed attempts")
    if not tx.run(_count_failure, {"counted": digest, "now": now, "horizon": horizon}).rowcount:
        tx.run(_first_failure, {"digest": digest, "failures": 1, "since": now})
    return find_failures(tx, digest)[0]


def forget_failures(tx: Tx, digest: str) -> None:
    tx.run(_forget_failures, {"digest": digest})


def forget_failures_before(tx: Tx, moment: datetime) -> None:
    tx.run(sa.delete(failed_logins).where(failed_logins.c.since <= moment))
