"""How does somebody use a portal who has no account? As a user of their own, for as long as their session lasts."""

from __future__ import annotations

from datetime import timedelta

from fairlead.base.database import Database
from fairlead.base.errors import Kind, Refusal
from fairlead.domain.identity import attempts
from fairlead.domain.identity import store as organization
from fairlead.domain.identity.attempts import Counter
from fairlead.domain.identity.model import TenantNotFound, TenantSuspended
from fairlead.domain.identity.portal import arrivals
from fairlead.domain.identity.portal.deciding import visitor
from fairlead.domain.identity.portal.model import UserType
from fairlead.domain.identity.portal.tokens import Opened, open_session

MOST_FROM_ONE = 60


class AccountNeeded(Refusal):
    kind = Kind.FORBIDDEN
    message = "This portal is used with an account: log in, or register."


def enter_anonymously(database: Database, tenant_id: str, *, allowed: bool, address: str = "") -> Opened:
    """A session for a new anonymous user, if the portal takes them. From one address there cannot come too many."""
    if not allowed:
        raise AccountNeeded
    counter = Counter(f"portal anonymous\0{address}", MOST_FROM_ONE, timedelta(hours=1))
    with database.across_tenants("who comes from there?") as tx:
        attempts.make_sure_more_are_allowed(tx, [counter])
        attempts.note(tx, [counter])
    with database.begin(visitor(tenant_id, address)) as tx:
        tenant = organization.find_tenant(tx, tenant_id)
        if tenant is None:
            raise TenantNotFound
        if not tenant.is_active:
            raise TenantSuspended
        found = arrivals.add(tx, UserType.ANONYMOUS)
        return open_session(tx, found, as_admin=False, address=address)
