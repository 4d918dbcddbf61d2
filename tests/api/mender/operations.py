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
    """`body` is a good one, with names in braces like the path. `changes` is what an observer may not do."""

    method: str
    path: str
    names: str = ""
    body: Any = None
    form: bool = False
    is_open: bool = False
    is_built: bool = True
    only_looks: bool = False

    @property
    def changes(self) -> bool:
        return self.method != "GET" and not self.only_looks

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
_NEW_USER = {"email": "carl@example.org", "password": "long enough to be one"}

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
    *_missing(FILTERS, "GET /attributes", "POST /search", "GET", "POST", "GET /{id}", "DELETE /{id}"),
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
        ("GET", "/artifacts/{id}", "artifact"),
        ("PUT", "/artifacts/{id}", "artifact", {"description": "taken"}),
        ("DELETE", "/artifacts/{id}", "artifact"),
        ("GET", "/artifacts/{id}/download", "artifact"),
        ("GET", "/limits/storage"),
    ),
    *_missing(DEPLOYMENTS, "POST /artifacts/generate"),
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
    ),
    *_missing(USERADM, "POST /auth/password-reset/start", "POST /auth/password-reset/complete", is_open=True),
    *_missing(USERADM, "POST /auth/plan-verify", "GET /roles", "POST /roles", "GET /roles/{id}", "PUT /roles/{id}"),
    *_missing(USERADM, "DELETE /roles/{id}", "GET /settings", "POST /settings", "GET /2faqr", "PUT /2faverify"),
    *_missing(TENANTADM, "GET /user/tenant"),
    *_missing(TENANTADM, "POST /tenants", is_open=True),
    *_missing(TENANTADM_V2, "POST /tenants", "POST /tenants/trial", is_open=True),
    *_missing(TENANTADM_V2, "DELETE /tenants/{id}", "PUT /tenants/{id}/status", is_open=True),
    *_missing(TENANTADM_V2, "POST /tenants/{id}/cancel", "POST /tenants/{id}/upgrade/start"),
    *_missing(TENANTADM_V2, "POST /tenants/{id}/upgrade/complete", "POST /tenants/{id}/upgrade/cancel"),
    *_missing(TENANTADM_V2, "GET /billing", "POST /billing/secret", "POST /billing/card"),
    *_missing(TENANTADM_V2, "POST /billing/card/{id}/confirm"),
    *_missing("/api/management/v1/auditlogs", "GET /logs", "GET /logs/export"),
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
    *_missing(
        f"{INTERNAL}/devauth",
        "POST /tokens/verify",
        "DELETE /tokens?tenant_id=string",
        "GET /tenant/{tenant_id}/limits/max_devices",
        "PUT /tenant/{tenant_id}/limits/max_devices",
        "DELETE /tenant/{tenant_id}/limits/max_devices",
        "POST /tenants",
        "GET /tenants/{tid}/devices/{did}/status",
        "GET /tenants/{tid}/devices",
        "GET /tenants/{tid}/devices/count",
    ),
    *_missing(f"{INTERNAL}/inventory", "POST /tenants", "POST /devices", "POST /tenants/{tenant_id}/devices/{status}"),
    *_missing(f"{INTERNAL}/inventory", "PATCH /tenants/{tenant_id}/device/{device_id}/attribute/scope/{scope}"),
    *_missing(f"{INTERNAL}/deployments", "GET /tenants/{id}/limits/storage", "PUT /tenants/{id}/limits/storage"),
    *_missing(f"{INTERNAL}/deployments", "POST /tenants", "GET /tenants/{id}/deployments"),
    *_missing(f"{INTERNAL}/deployments", "POST /tenants/{id}/artifacts"),
    *_missing(f"{INTERNAL}/useradm", "POST /auth/verify", "POST /tenants", "POST /tenants/{tenant_id}/users"),
    *_missing(f"{INTERNAL}/useradm", "GET /tenants/{tenant_id}/users", "DELETE /tokens?tenant_id=string"),
    *_missing(
        f"{INTERNAL}/tenantadm",
        "POST /tenants/verify",
        "GET /tenants",
        "GET /tenants/{tenant_id}",
        "PUT /tenants/{tenant_id}",
        "POST /users",
        "GET /users",
        "PUT /tenants/{tenant_id}/users/{user_id}",
        "DELETE /tenants/{tenant_id}/users/{user_id}",
        "PUT /tenants/{id}/status",
    ),
    *_missing("/api/v1", "POST /workflow/{name}", "GET /workflow/{name}/{id}"),
    *_missing("/api/v1", "GET /metadata/workflows", "POST /metadata/workflows"),
    *_missing(f"{INTERNAL}/auditlogs", "GET /tenants/{tenant_id}/logs", "POST /tenants/{tenant_id}/logs"),
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
        files = {"artifact": ("release.mender", b"not an artifact")}
        return person.request(operation.method, path, data=body, files=files)
    return person.request(operation.method, path, **({} if body is None else {"json": body}))


def unknown_ids() -> dict[str, str]:
    names = ("device", "auth_set", "deployment", "artifact", "user", "group")
    return {name: str(uuid.uuid4()) for name in names} | {"key": pem_of(new_key())}
