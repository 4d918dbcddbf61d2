"""What other services report, and read, of an organization's audit trail: `/api/internal/v1/auditlogs`."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post

from fairlead.api.mender.auditlog_wire import NewEntry, entry_told, wanted_of, wire_entry
from fairlead.api.mender.context import Context
from fairlead.api.mender.internal.tenancy import key_of, scope_of_tenant
from fairlead.api.mender.wire import add_links, add_total, empty, page_of
from fairlead.domain import audit

LARGEST_BODY = 64 * 1024
TAGS = ["Audit logs"]
_LOGS = "/api/internal/v1/auditlogs/tenants/{tenant_id:str}/logs"


@get(_LOGS, sync_to_thread=True, tags=TAGS, summary="Get Audit Logs")
def list_entries(request: Request[Any, Any, Any], context: Context, tenant_id: str) -> list[dict[str, Any]]:
    """What was done in the organization, whatever its plan, newest first."""
    page, wanted = page_of(request), wanted_of(request)
    with context.database.read(scope_of_tenant(context, tenant_id)) as tx:
        found = audit.search(tx, wanted, page.skip, page.size)
        total = audit.count(tx, wanted)
    add_total(request, total)
    add_links(request, page, has_next=total > page.skip + len(found))
    return [wire_entry(entry) for entry in found]


@post(
    _LOGS,
    sync_to_thread=True,
    tags=TAGS,
    request_max_body_size=LARGEST_BODY,
    opt={"decoding": "failed to decode audit log"},
    summary="Save Audit Log",
)
def add_entry(request: Request[Any, Any, Any], context: Context, tenant_id: str, data: NewEntry) -> Response[bytes]:
    """Put on record what another service says was done. It becomes part of the chain like our own entries."""
    entry = entry_told(data)
    with context.database.begin(scope_of_tenant(context, tenant_id)) as tx:
        if tx.once(key_of(request)):
            audit.record_for_others(tx, entry)
    return empty(201)


handlers = [list_entries, add_entry]
