"""Organizations, for operators and other services: `/api/internal/v1/tenantadm`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, delete, get, post, put

from fairlead.api.mender.auth import bearer_token
from fairlead.api.mender.context import Context
from fairlead.api.mender.errors import BadBody, BadParameter
from fairlead.api.mender.internal.tenancy import CALLER, scope_of_tenant
from fairlead.api.mender.tenantadm import WireTenant, wire_tenant
from fairlead.api.mender.wire import add_header, add_links, empty, page_of, parameter, parameters
from fairlead.base.scope import system_scope
from fairlead.domain import identity

TAGS = ["Tenant administration (internal)"]


class NoTenantToken(BadParameter):
    message = "missing or malformed Authorization header"


@post("/tenants/verify", sync_to_thread=True, status_code=200, summary="Verify JWT")
def verify_token(request: Request[Any, Any, Any], context: Context) -> WireTenant:
    """The tenant whose token this is. It takes a good signature and an active tenant."""
    token = bearer_token(request.scope)
    if token is None:
        raise NoTenantToken
    tenant_id = context.tokens.read_tenant(token.decode("ascii", "replace"))
    with context.database.across_tenants("whose token is this?", writing=False) as tx:
        return wire_tenant(identity.tenant_with_token(tx, tenant_id))


@get("/tenants", sync_to_thread=True, summary="List Tenants")
def list_tenants(request: Request[Any, Any, Any], context: Context) -> list[WireTenant]:
    """Tenants by age: the one of a user (`username`), those that a text leads to (`q`), or all."""
    page = page_of(request)
    username, text = parameter(request, "username") or "", parameter(request, "q") or ""
    with context.database.across_tenants("which tenants are there?", writing=False) as tx:
        found = identity.search_tenants(tx, username, text, page.skip, page.size + 1)
    add_links(request, page, has_next=len(found) > page.size)
    return [wire_tenant(tenant) for tenant in found[: page.size]]


@get("/tenants/{tenant_id:str}", sync_to_thread=True, summary="Show Tenant")
def show_tenant(context: Context, tenant_id: str) -> WireTenant:
    with context.database.across_tenants("which tenant is this?", writing=False) as tx:
        return wire_tenant(identity.find_tenant(tx, tenant_id))


class TenantUpdate(msgspec.Struct):
    """What is left out stays as it is; so does the plan when it is empty, as the reference allows."""

    name: str | None = None
    plan: str | None = None
    trial: bool | None = None
    trial_expiration: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    api_limits: identity.TenantApiLimits | None = None


@put("/tenants/{tenant_id:str}", sync_to_thread=True, status_code=204, summary="Update Tenant")
def change_tenant(context: Context, tenant_id: str, data: TenantUpdate) -> None:
    """Change name, plan, trial or limits. A new plan brings its device limit, unless another had been set."""
    change = identity.TenantChange(data.name, data.plan or None, data.trial, data.trial_expiration, data.api_limits)
    with context.database.begin(scope_of_tenant(context, tenant_id)) as tx:
        identity.change_organization(tx, change)


class NewStatus(msgspec.Struct):
    status: Literal["active", "suspended"]


@put("/tenants/{tenant_id:str}/status", sync_to_thread=True, status_code=200, summary="Set Account Status")
def change_status(context: Context, tenant_id: str, data: NewStatus) -> Response[bytes]:
    """Lock a tenant out, or let it in again. Its tokens are refused within a second."""
    change = identity.suspend_tenant if data.status == "suspended" else identity.activate_tenant
    with context.database.across_tenants("the operator decides about a tenant") as tx:
        change(tx, tenant_id, CALLER)
    return empty(200)


class NewAccount(msgspec.Struct):
    """`name` is the user's e-mail."""

    name: str
    tenant_id: str
    id: str = ""
    login: dict[str, Any] | None = None


@post("/users", sync_to_thread=True, status_code=201, summary="Create User")
def add_account(request: Request[Any, Any, Any], context: Context, data: NewAccount) -> Response[bytes]:
    """An account without a password: its owner gets in after a password reset."""
    if data.login:
        raise BadBody(what="login", reason="there are no other ways to log in than by e-mail and password")
    with context.database.begin(scope_of_tenant(context, data.tenant_id)) as tx:
        user = identity.add_account(tx, data.name, data.id)
    add_header(request, "location", f"users/{user.id}")
    return empty(201)


class WireAccount(msgspec.Struct):
    id: str
    tenant_id: str
    name: str
    plan: str


@get("/users", sync_to_thread=True, summary="List Users")
def list_accounts(request: Request[Any, Any, Any], context: Context) -> list[WireAccount]:
    """Users of all tenants by age. Nobody has another way to log in, so no `login` finds anyone."""
    page = page_of(request)
    email, tenant_id, user_id = (parameter(request, name) or "" for name in ("name", "tenant_id", "id"))
    at_most = 0 if parameters(request, "login") else page.size + 1
    with context.database.across_tenants("which users are there?", writing=False) as tx:
        found = identity.search_accounts(tx, email, tenant_id, user_id, page.skip, at_most)
    add_links(request, page, has_next=len(found) > page.size)
    return [WireAccount(row.id, row.tenant_id, row.email, row.plan) for row in found[: page.size]]


class AccountUpdate(msgspec.Struct):
    name: str


@put("/tenants/{tenant_id:str}/users/{user_id:str}", sync_to_thread=True, status_code=204, summary="Update User")
def change_account(context: Context, tenant_id: str, user_id: str, data: AccountUpdate) -> None:
    """Give a user another e-mail."""
    with context.database.begin(scope_of_tenant(context, tenant_id)) as tx:
        identity.change_user(tx, user_id, identity.UserChange(email=data.name))


@delete("/tenants/{tenant_id:str}/users/{user_id:str}", sync_to_thread=True, summary="Delete User")
def remove_account(context: Context, tenant_id: str, user_id: str) -> None:
    """Take an account away. That of nobody, or in no tenant, is away already."""
    with context.database.begin(system_scope(tenant_id, CALLER)) as tx:
        identity.remove_user(tx, user_id)


routes = Router(
    "/api/internal/v1/tenantadm",
    tags=TAGS,
    route_handlers=[
        verify_token,
        list_tenants,
        show_tenant,
        change_tenant,
        change_status,
        add_account,
        list_accounts,
        change_account,
        remove_account,
    ],
)
