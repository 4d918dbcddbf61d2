"""On whose portal is this asked, and by whom? Answered by a guard in front of every route.

Tokens are looked up in the database at every request: what was taken away is gone at once. A session comes as
`Authorization: Bearer …`, or as a cookie. Browsers send cookies along whoever makes them ask; so for a change, a cookie
counts only with a sign that it was a page of ours that asked.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from fairlead.api.mobyle.context import Call, Context
from fairlead.base.errors import Kind, Refusal
from fairlead.base.http.hosts import host_of
from fairlead.base.scope import Scope
from fairlead.domain import catalog, identity
from fairlead.domain.identity import portal

COOKIE = "mobyle"
OWN_PAGE = "x-mobyle-request"
OPEN = "open"
"""Routes with `opt={OPEN: True}` are also for those whose session has ended: they are how one gets another."""

_READING = {"GET", "HEAD"}


class WhichPortal(Refusal):
    kind = Kind.NOT_FOUND
    message = "Each organization of this server has a portal of its own, at /mobyle/at/ and the organization's id."


@dataclass(frozen=True, slots=True)
class Asking:
    """What a request says of whoever makes it."""

    tenant_id: str
    token: str = field(repr=False)
    is_open: bool
    address: str
    host: str
    place: str


def verify(context: Context, asking: Asking) -> Call:
    """The call of a user, another server, or a visitor. Refuses a token that is not good, unless nobody needs one."""
    scope, signed_in = _who(context, asking)
    return Call(context, scope, signed_in, asking.address, asking.place, asking.host, lambda: _who(context, asking)[0])


def _who(context: Context, asking: Asking) -> tuple[Scope, portal.SignedIn | None]:
    signed_in = None
    scope = catalog.peer_of(context.database, asking.token, asking.address) if asking.token else None
    if scope is not None and scope.tenant_id != asking.tenant_id:
        raise identity.BadToken
    if scope is None and asking.token:
        signed_in = _session(context, asking)
        scope = signed_in.scope if signed_in is not None else None
    if scope is None:
        _make_sure_portal_is_open(context, asking.tenant_id)
        scope = portal.visitor(asking.tenant_id, asking.address)
    return scope, signed_in


def _session(context: Context, asking: Asking) -> portal.SignedIn | None:
    try:
        return portal.session_of(context.database, asking.tenant_id, asking.token, asking.address)
    except (identity.BadToken, portal.Suspended):
        if asking.is_open:
            return None
        raise


def _make_sure_portal_is_open(context: Context, tenant_id: str) -> None:
    with context.database.across_tenants("whose portal is it?", writing=False) as tx:
        if not identity.find_tenant(tx, tenant_id).is_active:
            raise identity.TenantSuspended


async def who_asks(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Make out the call. What they may do is asked where it is done."""
    context: Context = connection.app.state.mobyle
    tenant_id = str(connection.path_params.get("tenant_id", context.default_tenant_id))
    if not tenant_id:
        raise WhichPortal
    http = connection.scope
    place = f"/mobyle/at/{tenant_id}" if "tenant_id" in connection.path_params else "/mobyle"
    asking = Asking(
        tenant_id,
        token_of(http),
        bool(handler.opt.get(OPEN)),
        connection.client.host if connection.client else "",
        host_of(http),
        place,
    )
    state = http["state"]
    state["asking"] = asking
    state["call"] = await asyncio.get_running_loop().run_in_executor(context.executor, verify, context, asking)


def token_of(http: Any) -> str:
    """What the request shows; "" if it shows nothing, or nothing that counts."""
    headers = {bytes(name): bytes(value).decode("latin-1") for name, value in http["headers"]}
    if b"authorization" in headers:
        scheme, _, token = headers[b"authorization"].partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    if http["method"] not in _READING and not _is_asked_by_own_page(headers):
        return ""
    return _cookie(headers.get(b"cookie", ""))


def _is_asked_by_own_page(headers: dict[bytes, str]) -> bool:
    """No other site can have a browser send such headers."""
    return OWN_PAGE.encode() in headers or headers.get(b"sec-fetch-site") == "same-origin"


def _cookie(header: str) -> str:
    try:
        cookies = SimpleCookie(header)
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""
