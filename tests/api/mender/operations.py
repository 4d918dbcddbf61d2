"""Which operations does the reference have, and what does a good call of each look like?

The list is ours, so that the tests stand alone; `test_operations.py` compares it with the reference where that is.
A name in braces is spelled as in the reference, and `names` says in the same order what must be put there.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from house.devices import new_key, pem_of

DEVICES = "/api/devices/v1"
DEVAUTH = "/api/management/v2/devauth"
INVENTORY = "/api/management/v1/inventory"
FILTERS = "/api/management/v2/inventory/filters"
DEPLOYMENTS = "/api/management/v1/deployments"
USERADM = "/api/management/v1/useradm"
TENANTADM = "/api/management/v1/tenantadm"
TENANTADM_V2 = "/api/management/v2/tenantadm"
INTERNAL = "/api/internal/v1"


@dataclass(frozen=True)
class Operation:
    """`body` is a good one, with names in braces like the path. `changes` is what an observer may not do.

    `is_own` is what everybody does about themselves: how it is answered depends on who asks.
    """

    method: str
    path: str
    names: str = ""
    body: Any = None
    form: bool = False
    is_open: bool = False
    is_built: bool = True
    only_looks: bool = False
    is_own: bool = False

    @property
    def changes(self) -> bool:
        return self.method != "GET" and not self.only_looks and not self.is_own

    @property
    def shape(self) -> str:
        """The path without its names: the same for every operation on the same thing."""
        return re.sub(r"{\w+}", "{}", self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _built(prefix: str, *rows: tuple[Any, ...]) -> list[Operation]:
    return [Operation(method, prefix + path, *more) for method, path, *more in rows]


def _missing(prefix: str, *rows: str, is_open: bool = False) -> list[Operation]:
    pairs = [row.split() for row in rows]
    return [Operation(method, prefix + "".join(path), is_open=is_open, is_built=False) for method, *path in pairs]


_PROVIDES = {"artifact_name": "old", "device_type": "door-lock"}
_QUESTION = "deployments/device/deployments"
_LOG = {"messages": [{"timestamp": "2026-01-20T10:00:00Z", "level": "info", "message": "hello"}]}
_NEW_DEPLOYMENT = {"name": "more", "artifact_name": "release-1", "devices": ["{device}"]}
_NEW_ENTRY = {
    "actor": {"id": "1", "type": "user", "email": "carl@example.org"},
    "action": "update",
    "object": {"id": "2", "type": "user", "user": {"email": "carl@example.org"}},
}
_NEW_PASSWORD = {"secret": "of a letter", "password": "long enough to be one"}
_NEW_SINGLE_FILE = {
    "name": "motto",
    "device_types_compatible": "door-lock",
    "type": "single_file",
    "args": '{"filename": "motto.txt", "dest_dir": "/etc"}',
}
_NEW_USER = {"email": "carl@example.org", "password": "long enough to be one"}
_PROVISION = {"request_id": "r", "authorization": "", "device_id": "{device}", "tenant_id": "{tenant}"}
_NEW_ROLE = {"name": "taken", "permissions": [{"action": "VIEW_DEVICE", "object": {"type": "any", "value": "any"}}]}

DEVICE_SIDE = [
    Operation("POST", f"{DEVICES}/authentication/auth_requests", is_open=True),
    *_built(
        DEVICES,
        ("PATCH", "/inventory/device/attributes", "", [{"name": "a", "value": "b"}]),
        ("PUT", "/inventory/device/attributes", "", [{"name": "a", "value": "b"}]),
        ("GET", f"/{_QUESTION}/next?artifact_name=old&device_type=door-lock"),
        ("POST", f"/{_QUESTION}/next", "", _PROVIDES),
        ("PUT", f"/{_QUESTION}/{{id}}/status", "deployment", {"status": "installing"}),
        ("PUT", f"/{_QUESTION}/{{id}}/log", "deployment", _LOG),
    ),
    *_missing(DEVICES, "GET /deviceconnect/connect"),
]

MANAGEMENT = [
    *_built(
        DEVAUTH,
        ("GET", "/devices"),
        ("POST", "/devices", "", {"identity_data": {"mac": "new"}, "pubkey": "{key}"}),
        ("POST", "/devices/search", "", {"id": "{device}"}, False, False, True, True),
        ("GET", "/devices/{id}", "device"),
        ("DELETE", "/devices/{id}", "device"),
        ("DELETE", "/devices/{id}/auth/{aid}", "device auth_set"),
        ("PUT", "/devices/{id}/auth/{aid}/status", "device auth_set", {"status": "rejected"}),
        ("GET", "/devices/{id}/auth/{aid}/status", "device auth_set"),
        ("GET", "/devices/count"),
        ("DELETE", "/tokens/{id}", "auth_set"),
        ("GET", "/limits/max_devices"),
    ),
    *_built(
        INVENTORY,
        ("GET", "/devices"),
        ("GET", "/devices/{id}", "device"),
        ("DELETE", "/devices/{id}", "device"),
        ("GET", "/devices/{id}/group", "device"),
        ("PUT", "/devices/{id}/group", "device", {"group": "taken"}),
        ("DELETE", "/devices/{id}/group/{name}", "device group"),
        ("GET", "/groups"),
        ("GET", "/groups/{name}/devices", "group"),
        ("PATCH", "/groups/{name}/devices", "group", ["{device}"]),
        ("DELETE", "/groups/{name}/devices", "group", ["{device}"]),
    ),
    *_built(
        FILTERS,
        ("GET", "/attributes"),
        ("POST", "/search", "", {"device_ids": ["{device}"]}, False, False, True, True),
    ),
    *_missing(FILTERS, "GET", "POST", "GET /{id}", "DELETE /{id}"),
    *_missing(FILTERS, "GET /{id}/search"),
    *_built(
        DEPLOYMENTS,
        ("GET", "/deployments"),
        ("POST", "/deployments", "", _NEW_DEPLOYMENT),
        ("POST", "/deployments/group/{name}", "group", {"name": "more", "artifact_name": "release-1"}),
        ("GET", "/deployments/{id}", "deployment"),
        ("PUT", "/deployments/{deployment_id}/status", "deployment", {"status": "aborted"}),
        ("GET", "/deployments/{deployment_id}/statistics", "deployment"),
        ("GET", "/deployments/{deployment_id}/devices", "deployment"),
        ("GET", "/deployments/{id}/device_list", "deployment"),
        ("GET", "/deployments/{deployment_id}/devices/{device_id}/log", "deployment device"),
        ("DELETE", "/deployments/devices/{id}", "device"),
        ("GET", "/deployments/releases"),
        ("GET", "/artifacts"),
        ("POST", "/artifacts", "", {"description": "x"}, True),
        ("POST", "/artifacts/generate", "", _NEW_SINGLE_FILE, True),
        ("GET", "/artifacts/{id}", "artifact"),
        ("PUT", "/artifacts/{id}", "artifact", {"description": "taken"}),
        ("DELETE", "/artifacts/{id}", "artifact"),
        ("GET", "/artifacts/{id}/download", "artifact"),
        ("GET", "/limits/storage"),
    ),
    *_missing("/api/management/v2/deployments", "POST /deployments"),
    Operation("POST", f"{USERADM}/auth/login", is_open=True),
    *_built(
        USERADM,
        ("POST", "/auth/logout", "", None, False, False, True, True),
        ("GET", "/users"),
        ("POST", "/users", "", _NEW_USER),
        ("GET", "/users/{id}", "user"),
        ("PUT", "/users/{id}", "user", {"email": "taken@example.org"}),
        ("DELETE", "/users/{id}", "user"),
        ("GET", "/roles"),
        ("POST", "/roles", "", _NEW_ROLE),
        ("GET", "/roles/{id}", "role"),
        ("PUT", "/roles/{id}", "role", {"description": "taken", "permissions": []}),
        ("DELETE", "/roles/{id}", "role"),
    ),
    Operation("POST", f"{USERADM}/auth/password-reset/start", body={"email": "carl@example.org"}, is_open=True),
    Operation("POST", f"{USERADM}/auth/password-reset/complete", body=_NEW_PASSWORD, is_open=True),
    Operation("POST", f"{USERADM}/auth/plan-verify", is_own=True),
    Operation("GET", f"{USERADM}/settings"),
    Operation("POST", f"{USERADM}/settings", body={"columns": ["name"]}, is_own=True),
    Operation("GET", f"{USERADM}/2faqr", is_own=True),
    Operation("PUT", f"{USERADM}/2faverify", body={"token2fa": "123456"}, is_own=True),
    Operation("GET", f"{TENANTADM}/user/tenant"),
    Operation("POST", f"{TENANTADM}/tenants", is_open=True),
    Operation("POST", f"{TENANTADM_V2}/tenants", is_open=True),
    Operation("POST", f"{TENANTADM_V2}/tenants/trial", is_open=True),
    Operation("DELETE", f"{TENANTADM_V2}/tenants/{{id}}", "tenant", is_open=True),
    Operation("PUT", f"{TENANTADM_V2}/tenants/{{id}}/status", "tenant", {"status": "active"}, is_open=True),
    *_built(
        TENANTADM_V2,
        ("POST", "/tenants/{id}/cancel", "tenant", {"reason": "we have too few boats"}),
        ("POST", "/tenants/{id}/upgrade/start", "tenant"),
        ("POST", "/tenants/{id}/upgrade/complete", "tenant", {"plan": "os"}),
        ("POST", "/tenants/{id}/upgrade/cancel", "tenant"),
        ("POST", "/billing/secret"),
        ("POST", "/billing/card"),
        ("POST", "/billing/card/{id}/confirm", "intent"),
    ),
    Operation("GET", f"{TENANTADM_V2}/billing", is_own=True),
    *_built("/api/management/v1/auditlogs", ("GET", "/logs"), ("GET", "/logs/export")),
    *_missing("/api/management/v1/deviceconnect", "GET /devices/{id}", "GET /devices/{id}/connect"),
]

HEALTH = [
    Operation("GET", path, is_open=True)
    for path in (
        *(f"{INTERNAL}/{service}/alive" for service in ("devauth", "inventory", "deployments", "useradm")),
        *(f"{INTERNAL}/{service}/health" for service in ("devauth", "inventory", "deployments", "useradm")),
        *(f"{INTERNAL}/{service}/{word}" for service in ("tenantadm", "deviceconnect") for word in ("alive", "health")),
        f"{INTERNAL}/auditlogs/health/alive",
        "/status",
        "/health",
    )
]

INTERNAL_SIDE = [
    *HEALTH,
    *_built(
        f"{INTERNAL}/devauth",
        ("POST", "/tokens/verify"),
        ("DELETE", "/tokens?tenant_id={tenant_id}", "tenant"),
        ("GET", "/tenant/{tenant_id}/limits/max_devices", "tenant"),
        ("PUT", "/tenant/{tenant_id}/limits/max_devices", "tenant", {"limit": 5}),
        ("DELETE", "/tenant/{tenant_id}/limits/max_devices", "tenant"),
        ("POST", "/tenants", "", {"tenant_id": "{tenant}"}),
        ("GET", "/tenants/{tid}/devices/{did}/status", "tenant device"),
        ("GET", "/tenants/{tid}/devices", "tenant"),
        ("GET", "/tenants/{tid}/devices/count", "tenant"),
    ),
    *_built(
        f"{INTERNAL}/inventory",
        ("POST", "/tenants", "", {"tenant_id": "{tenant}"}),
        ("POST", "/devices", "", {"id": "new", "attributes": [{"name": "a", "value": "b"}]}),
        ("POST", "/tenants/{tenant_id}/devices/{status}", "tenant pending", [{"id": "{device}", "revision": 1}]),
        (
            "PATCH",
            "/tenants/{tenant_id}/device/{device_id}/attribute/scope/{scope}",
            "tenant device group",
            [{"name": "a", "value": "b"}],
        ),
    ),
    *_built(
        f"{INTERNAL}/deployments",
        ("GET", "/tenants/{id}/limits/storage", "tenant"),
        ("PUT", "/tenants/{id}/limits/storage", "tenant", {"limit": 5}),
        ("POST", "/tenants", "", {"tenant_id": "{tenant}"}),
        ("GET", "/tenants/{id}/deployments", "tenant"),
        ("POST", "/tenants/{id}/artifacts", "tenant", {"description": "x"}, True),
    ),
    *_built(
        f"{INTERNAL}/useradm",
        ("POST", "/auth/verify"),
        ("POST", "/tenants", "", {"tenant_id": "{tenant}"}),
        ("POST", "/tenants/{tenant_id}/users", "tenant", _NEW_USER),
        ("GET", "/tenants/{tenant_id}/users", "tenant"),
        ("DELETE", "/tokens?tenant_id={tenant_id}", "tenant"),
    ),
    *_built(
        f"{INTERNAL}/tenantadm",
        ("POST", "/tenants/verify"),
        ("GET", "/tenants"),
        ("GET", "/tenants/{tenant_id}", "tenant"),
        ("PUT", "/tenants/{tenant_id}", "tenant", {"name": "taken"}),
        ("POST", "/users", "", {"name": "carl@example.org", "tenant_id": "{tenant}"}),
        ("GET", "/users"),
        ("PUT", "/tenants/{tenant_id}/users/{user_id}", "tenant user", {"name": "taken@example.org"}),
        ("DELETE", "/tenants/{tenant_id}/users/{user_id}", "tenant user"),
        ("PUT", "/tenants/{id}/status", "tenant", {"status": "suspended"}),
    ),
    *_built(
        "/api/v1",
        ("POST", "/workflow/{name}", "workflow", _PROVISION),
        ("GET", "/workflow/{name}/{id}", "workflow job"),
        ("GET", "/metadata/workflows"),
        ("POST", "/metadata/workflows", "", {"name": "nothing_much", "version": 1, "tasks": []}),
    ),
    *_built(
        f"{INTERNAL}/auditlogs",
        ("GET", "/tenants/{tenant_id}/logs", "tenant"),
        ("POST", "/tenants/{tenant_id}/logs", "tenant", _NEW_ENTRY),
    ),
    *_missing(f"{INTERNAL}/deviceconnect", "POST /tenants", "POST /tenants/{tenantId}/devices"),
    *_missing(f"{INTERNAL}/deviceconnect", "DELETE /tenants/{tenantId}/devices/{deviceId}"),
]

PUBLIC_SIDE = DEVICE_SIDE + MANAGEMENT
EVERYTHING = PUBLIC_SIDE + INTERNAL_SIDE


def filled(operation: Operation, ids: dict[str, str]) -> tuple[str, Any]:
    """Path and body with these ids in place of the names; a name without an id becomes a word of its own."""
    names = iter(operation.names.split())
    path = re.sub(r"{\w+}", lambda _: ids.get(next(names, ""), "some"), operation.path)
    return path, _filled(operation.body, ids)


def _filled(body: Any, ids: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {name: _filled(value, ids) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(each, ids) for each in body]
    return ids.get(body.strip("{}"), body) if isinstance(body, str) and body.startswith("{") else body


def call(person: Any, operation: Operation, ids: dict[str, str]) -> httpx.Response:
    """A good call of the operation, by a person or by a device."""
    path, body = filled(operation, ids)
    if operation.form:
        name = "file" if path.endswith("/generate") else "artifact"
        files = {name: ("release.mender", b"not an artifact")}
        return person.request(operation.method, path, data=body, files=files)
    return person.request(operation.method, path, **({} if body is None else {"json": body}))


def unknown_ids() -> dict[str, str]:
    names = ("device", "auth_set", "deployment", "artifact", "user", "group", "role", "tenant", "intent")
    return {name: str(uuid.uuid4()) for name in names} | {"key": pem_of(new_key())}
