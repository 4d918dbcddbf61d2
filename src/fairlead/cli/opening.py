"""Which organization is a command about, and is it there?"""

from __future__ import annotations

from fairlead.base.database import Database
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import Scope, system_scope
from fairlead.domain import identity
from fairlead.parts import bring_up_to_date, prepare
from fairlead.settings import Settings

OPERATOR = "command line"


class NoneIsMeant(Refusal):
    kind = Kind.NOT_FOUND
    message = (
        "--tenant-id: say which organization is meant, because this server has none that goes without saying; "
        "see: fairlead tenant list"
    )


def open_for(settings: Settings, tenant_id: str) -> tuple[Database, Scope]:
    """The database, and the scope of an organization that is there: that of a server of one is made when it is not."""
    return _within(prepare(settings), tenant_id)


def look_into(settings: Settings, tenant_id: str) -> tuple[Database, Scope]:
    """The same for those who only look: they make nothing."""
    return _within(bring_up_to_date(settings), tenant_id)


def _within(database: Database, tenant_id: str) -> tuple[Database, Scope]:
    try:
        with database.across_tenants("is there such a tenant?", writing=False) as tx:
            identity.find_tenant(tx, tenant_id)
    except identity.TenantNotFound:
        if tenant_id == identity.DEFAULT_TENANT_ID:
            raise NoneIsMeant from None
        raise
    return database, system_scope(tenant_id, OPERATOR)
