"""What is the account of a tenant called in ids, and how does an id in it come about?"""

from __future__ import annotations

import secrets
import string

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Tx, insert_or_ignore
from fairlead.domain.identity.member_tables import accounts

DIGITS = 13
CHARACTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase

_user_id = sa.select(accounts.c.user_id).where(accounts.c.tenant_id == TENANT)


def account_id(tx: Tx) -> str:
    """What the tenant's account is called, always the same. Made on first need, in a transaction that may write."""
    found: str | None = tx.scalar(_user_id)
    while found is None:
        row = {"user_id": secrets.token_hex(DIGITS)[:DIGITS], "created_at": clock.now()}
        tx.run(insert_or_ignore(accounts, on_sqlite=tx.is_sqlite), row)  # others may have been quicker
        found = tx.scalar(_user_id)
    return found


def new_id(tx: Tx, prefix: str, suffix: str = "") -> str:
    """An id of something in the account: `morole-5447820c870e1-ZgNTSRM8K`, with a suffix where there is one."""
    parts = [prefix, account_id(tx), random_text(9), *([suffix] if suffix else [])]
    return "-".join(parts)


def random_text(length: int) -> str:
    """Letters and digits that nobody can foretell."""
    return "".join(secrets.choice(CHARACTERS) for _ in range(length))
