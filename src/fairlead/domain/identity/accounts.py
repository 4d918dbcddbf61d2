"""How does another service give someone an account? Under an id that it chooses, and without a password."""

from __future__ import annotations

import re
import uuid

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.domain import audit
from fairlead.domain.identity import store
from fairlead.domain.identity.model import DEFAULT_ROLES, EmailTaken, Permission, User, make_sure_email_is_good

NO_PASSWORD = ""
"""No password has this hash. Whoever has it gets in after a password reset only."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


_WHOEVER_ASKS = "me"


class BadUserId(Refusal):
    message = "id: must be 1 to 64 letters, digits, - or _, and not me, which is whoever asks"


class AccountTaken(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "user with a given name or id already exists"


def add_account(tx: Tx, email: str, user_id: str = "") -> User:
    """An account with this id (or a new one) for someone who has no password yet."""
    tx.require(Permission.MANAGE_USERS)
    make_sure_email_is_good(email)
    user_id = user_id or str(uuid.uuid4())
    if not _ID.fullmatch(user_id) or user_id == _WHOEVER_ASKS:
        raise BadUserId
    now = clock.now()
    user = User(
        id=user_id,
        tenant_id=tx.tenant_id,
        email=email,
        password_hash=NO_PASSWORD,
        roles=DEFAULT_ROLES,
        created_at=now,
        updated_at=now,
        logged_in_at=None,
    )
    try:
        store.add_user(tx, user)
    except EmailTaken:
        raise AccountTaken from None
    audit.record(tx, "user.create", user.id, name=email, roles=list(DEFAULT_ROLES))
    return user
