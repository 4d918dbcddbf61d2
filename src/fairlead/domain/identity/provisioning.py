"""What do other back-end services set up, and take away again, in an organization?"""

from __future__ import annotations

import re

from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError

from fairlead.base.database import Tx
from fairlead.base.errors import Refusal
from fairlead.base.scope import system_scope
from fairlead.domain import audit
from fairlead.domain.identity import store
from fairlead.domain.identity.accounts import NO_PASSWORD
from fairlead.domain.identity.model import (
    DEFAULT_TENANT_ID,
    SIGNED_OUT,
    Permission,
    User,
    make_sure_email_is_good,
)
from fairlead.domain.identity.tenants import TENANT_CHANGED, add_tenant, find_tenant
from fairlead.domain.identity.tokens import Tokens
from fairlead.domain.identity.users import UserChange, add_user, change_user

_TENANT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}")
_MOST_KIB, _MOST_ROUNDS, _MOST_LANES = 256 * 1024, 16, 16


class BadTenantId(Refusal):
    message = "tenant_id: must be 1 to 64 letters, digits, - or _"


class OneTenantOnly(Refusal):
    message = "This server has one organization, called {name}, and cannot be given another: see --multitenant."


class BadPasswordHash(Refusal):
    message = "password_hash: must be one of bcrypt or argon2, and not take for ever to compare"


def provision_tenant(tx: Tx, tokens: Tokens, tenant_id: str, by: str) -> None:
    """Make sure that there is an organization with this id. Across tenants; doing it again changes nothing."""
    if not tokens.multitenant:
        if tenant_id not in {"", DEFAULT_TENANT_ID}:
            raise OneTenantOnly(name=DEFAULT_TENANT_ID)
        return
    if not _TENANT_ID.fullmatch(tenant_id):
        raise BadTenantId
    tx.one_at_a_time("tenants")
    if store.find_tenant(tx, tenant_id) is None:
        add_tenant(tx, tokens, tenant_id, tenant_id=tenant_id, by=by)


def change_storage_limit(tx: Tx, tenant_id: str, limit_bytes: int, by: str) -> None:
    """How many bytes the tenant may store; 0 lifts the limit. What is stored stays."""
    tenant = find_tenant(tx, tenant_id)
    store.change_tenant(tx, tenant_id, storage_limit_bytes=limit_bytes)
    changed = {"storage_limit_bytes": (tenant.storage_limit_bytes, limit_bytes)}
    audit.record(tx.within(system_scope(tenant_id, by)), "tenant.limit", tenant_id, name=tenant.name, changed=changed)


def make_sure_hash_is_good(password_hash: str) -> None:
    """Refuse what nobody could log in with, or what would take a login minutes to compare."""
    if _BCRYPT.fullmatch(password_hash):
        return
    try:
        costs = extract_parameters(password_hash)
    except (InvalidHashError, ValueError):
        raise BadPasswordHash from None
    if costs.memory_cost > _MOST_KIB or costs.time_cost > _MOST_ROUNDS or costs.parallelism > _MOST_LANES:
        raise BadPasswordHash


def provision_user(tx: Tx, email: str, password_hash: str) -> User:
    """Give someone an account, or the password to one that was made without."""
    tx.require(Permission.MANAGE_USERS)
    make_sure_email_is_good(email)
    found = store.search_users(tx, (), (email,), {})
    if not found or found[0].password_hash != NO_PASSWORD:
        return add_user(tx, email, password_hash)
    change_user(tx, found[0].id, UserChange(password=password_hash))
    return found[0]


def end_sessions(tx: Tx, user_id: str | None = None) -> None:
    """Make every token of one user worthless, or those of all users. That there is no such user is no error."""
    tx.require(Permission.MANAGE_USERS)
    if user_id is None:
        store.remove_sessions(tx)
        tx.announce(TENANT_CHANGED, tx.tenant_id)
        audit.record(tx, "user.sign_out", "", all_users=True)
        return
    user = store.find_user(tx, user_id)
    if user is not None:
        store.remove_sessions_of(tx, user_id)
        tx.announce(SIGNED_OUT, user_id)
        audit.record(tx, "user.sign_out", user_id, name=user.email)
