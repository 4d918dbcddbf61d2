"""How does somebody get in again who forgot the password? With a secret that is sent to their e-mail address.

Only a digest of the secret is kept. It is good once, for an hour, and only the newest of a user.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from fairlead.base import clock
from fairlead.base.database import Database, Tx
from fairlead.base.errors import Refusal
from fairlead.base.scope import Actor, ActorKind, Scope, system_scope
from fairlead.base.seal import Seal
from fairlead.domain import audit, mail
from fairlead.domain.identity import attempts, store
from fairlead.domain.identity import personal_store as personal
from fairlead.domain.identity.model import SIGNED_OUT, User, make_sure_email_is_good
from fairlead.domain.identity.users import prepare_password

GOOD_FOR = timedelta(hours=1)
SECRET_BYTES = 32
LONGEST_SECRET = 256


class BadResetSecret(Refusal):
    """Never given out, used, expired, or replaced by a newer one: which of these is not said."""

    message = "the secret is not valid, or not valid any more: start the password reset again"


def start_password_reset(database: Database, seal: Seal, email: str, home: str) -> None:
    """Send a link to set a new password, if the e-mail is a user's.

    It is not told whether it is, neither in words nor by the time that it takes: for an unknown e-mail the same
    statements are run, and a letter to nobody is written. `home` is the address that the link begins with. It comes
    from the settings and never from the request: otherwise whoever asks could have somebody else's secret sent in a
    link to a host of their own.
    """
    make_sure_email_is_good(email)
    secret, expires_at = secrets.token_urlsafe(SECRET_BYTES), clock.now() + GOOD_FOR
    with database.across_tenants("whose e-mail is this?") as tx:
        if not attempts.note(tx, [attempts.resets_of(email)]):
            return
        user = _who_may_reset(tx, email)
        user_id, tenant_id = (user.id, user.tenant_id) if user else ("", "")
        own = tx.within(system_scope(tenant_id))
        personal.remove_resets_of(own, user_id)
        personal.add_reset(own, _digest(secret), user_id, expires_at)
        mail.post(own, seal, _letter(user.email if user else mail.NOBODY, home, secret, expires_at))


def _who_may_reset(tx: Tx, email: str) -> User | None:
    user = store.find_user_by_email(tx, email)
    tenant = store.find_tenant(tx, user.tenant_id if user else "")
    return user if tenant is not None and tenant.is_active else None


def _letter(to: str, home: str, secret: str, expires_at: datetime) -> mail.Letter:
    """Its link leads to a page that asks for the password; who calls the API needs the secret alone."""
    text = (
        "Somebody, most likely you, asked for a new password for this e-mail address.\n\n"
        f"Set it here, within an hour:\n\n{home}/ui/#/password/{secret}\n\n"
        f"or through the API, with this secret:\n\n{secret}\n\n"
        "If it was not you, there is nothing to do: the password stays as it is.\n"
    )
    return mail.Letter(to, "Set a new password", text, worthless_after=expires_at)


def complete_password_reset(database: Database, secret: str, password: str, address: str = "") -> None:
    """Set the new password with the secret of the letter. All sessions of the user end.

    Takes the database, not a transaction: hashing takes long on purpose. A password that is refused does not use the
    secret up. Whoever had the letter may try to log in again at once from this address.
    """
    digest = _digest(secret)
    with database.across_tenants("whose secret is this?", writing=False) as tx:
        found = personal.find_reset(tx, digest) if len(secret) <= LONGEST_SECRET else None
    if found is None:
        raise BadResetSecret
    password_hash = prepare_password(password)
    user_id, tenant_id = found
    scope = Scope(tenant_id, Actor(ActorKind.USER, user_id))
    with database.begin(scope) as tx:
        _set_password(tx, digest, password_hash, address)


def _set_password(tx: Tx, digest: str, password_hash: str, address: str) -> None:
    user = store.find_user(tx, tx.scope.actor.id)
    if user is None or not personal.use_reset(tx, digest):
        raise BadResetSecret
    store.change_user(tx, user.id, password_hash=password_hash, updated_at=clock.now())
    store.remove_sessions_of(tx, user.id)
    personal.remove_resets_of(tx, user.id)
    attempts.forget(tx, attempts.logins_from(user.email, address))
    tx.announce(SIGNED_OUT, user.id)
    own = tx.within(Scope(tx.tenant_id, Actor(ActorKind.USER, user.id, user.email)))
    audit.record(own, "user.update", user.id, name=user.email, changed=["password"], by="password reset")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
