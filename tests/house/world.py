"""Who are the people, and what can a test do in their name?"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from argon2 import PasswordHasher

from artifact_maker import make_artifact
from fairlead.base.scope import Scope, system_scope
from fairlead.domain import artifacts, audit, devices, identity
from house.devices import Device
from house.server import RunningServer

ADA, BEN, ZOE = "ada", "ben", "zoe"
PASSWORD = "correct horse battery staple"
LOGIN = "/api/management/v1/useradm/auth/login"
DEVAUTH = "/api/management/v2/devauth"
INVENTORY = "/api/management/v1/inventory"
DEPLOYMENTS = "/api/management/v1/deployments"
USERADM = "/api/management/v1/useradm"

_numbers = itertools.count(1)
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)  # weak, so that logins are quick


class Mender:
    """Speaks to the server as anyone, or as one of the cast."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.client = httpx.Client(base_url=server.url, verify=False, timeout=30)
        self.tokens: dict[str, str] = {}

    def __enter__(self) -> Mender:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def as_(self, who: str) -> Person:
        return Person(self.client, self.tokens[who])


@dataclass(frozen=True)
class Person:
    """Someone who is logged in."""

    client: httpx.Client
    token: str

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **arguments.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **arguments)

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("POST", path, **arguments)

    def put(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("PUT", path, **arguments)

    def patch(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("PATCH", path, **arguments)

    def delete(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("DELETE", path, **arguments)

    def upload(self, artifact: bytes, description: str = "") -> httpx.Response:
        """Upload an artifact as mender-cli does: texts first, the file last."""
        return self.post(
            f"{DEPLOYMENTS}/artifacts",
            data={"size": str(len(artifact)), "description": description},
            files={"artifact": ("release.mender", artifact)},
        )


@dataclass
class Organization:
    """A tenant of a test, with shortcuts for what a test takes for granted."""

    server: RunningServer
    mender: Mender
    tenant: identity.Tenant
    admin: str
    devices: dict[str, Device] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        return system_scope(self.tenant.id)

    def ask(self, name: str, **identity_data: Any) -> Device:
        """A device that has asked once, and is pending."""
        device = Device(self.mender.client, {"mac": name, **identity_data}, self.tenant.token)
        assert device.ask().status_code == 401
        with self.server.fairlead.database.read(self.scope) as tx:
            found = next(d for d in devices.search(tx, at_most=500) if d.identity == device.identity)
        device.id, device.auth_set = found.id, found.auth_sets[-1].id
        self.devices[name] = device
        return device

    def device(self, name: str, **identity_data: Any) -> Device:
        """A device that is accepted and holds a token."""
        device = self.ask(name, **identity_data)
        self.change_status(device, "accepted")
        assert device.ask().status_code == 200
        return device

    def change_status(self, device: Device, status: str) -> None:
        path = f"{DEVAUTH}/devices/{device.id}/auth/{device.auth_set}/status"
        reply = self.mender.as_(self.admin).put(path, json={"status": status})
        assert reply.status_code == 204, reply.text

    def status(self, name: str) -> str:
        reply = self.mender.as_(self.admin).get(f"{DEVAUTH}/devices/{self.devices[name].id}")
        return str(reply.json()["status"])

    def artifact(self, name: str = "release-1", device_types: tuple[str, ...] = ("door-lock",), **wishes: Any) -> str:
        """An artifact that is uploaded; its id."""
        content = make_artifact(name=name, device_types=list(device_types), **wishes)
        reply = self.mender.as_(self.admin).upload(content)
        assert reply.status_code == 201, reply.text
        return reply.headers["location"].rsplit("/", 1)[1]

    def deploy(self, artifact_name: str = "release-1", **wishes: Any) -> str:
        """A deployment of the release, to all accepted devices unless `devices` says otherwise; its id."""
        body = {"name": "rollout", "artifact_name": artifact_name, **wishes}
        if "devices" not in body:
            body["all_devices"] = True
        reply = self.mender.as_(self.admin).post(f"{DEPLOYMENTS}/deployments", json=body)
        assert reply.status_code == 201, reply.text
        return reply.headers["location"].rsplit("/", 1)[1]

    def offers(self, device: Device, **said: str) -> str:
        """The id of the deployment that the device is offered now, "" if there is none."""
        reply = device.next(**said)
        assert reply.status_code in {200, 204}, reply.text
        return str(reply.json()["id"]) if reply.status_code == 200 else ""

    def traces(self) -> list[str]:
        """What uploads have left: names of artifacts, files kept, files that are still coming in."""
        with self.server.fairlead.database.read(self.scope) as tx:
            names = [artifact.name for artifact in artifacts.search(tx)]
        blobs = self.server.settings.data / "blobs"
        kept, incoming = blobs / "kept" / "artifacts" / self.tenant.id, blobs / "incoming"
        return names + [f"{folder.name}/{each.name}" for folder in (kept, incoming) for each in folder.glob("*")]

    def deployment(self, deployment_id: str) -> dict[str, Any]:
        return self.mender.as_(self.admin).get(f"{DEPLOYMENTS}/deployments/{deployment_id}").json()

    def statistics(self, deployment_id: str) -> dict[str, int]:
        """The counters of a deployment that are not zero."""
        found = self.mender.as_(self.admin).get(f"{DEPLOYMENTS}/deployments/{deployment_id}/statistics").json()
        return {status: count for status, count in found.items() if count}

    def log(self) -> list[str]:
        """What people did, oldest first: `ada device.accept`."""
        with self.server.fairlead.database.read(self.scope) as tx:
            entries = audit.recent(tx, 500)
        people = [entry for entry in reversed(entries) if entry.actor_kind == "user"]
        return [f"{entry.actor_name.split('@')[0]} {entry.action}" for entry in people]


def settle(
    server: RunningServer, mender: Mender, name: str, people: dict[str, str], plan: str = "enterprise"
) -> Organization:
    """Found an organization with these people in these roles, and log them in."""
    number = next(_numbers)
    database, tokens = server.fairlead.database, server.fairlead.tokens
    with database.across_tenants("a new organization") as tx:
        tenant = identity.add_tenant(tx, tokens, name, plan)
    for who, role in people.items():
        email = f"{who}@{name}{number}.example"
        with database.begin(system_scope(tenant.id)) as tx:
            identity.add_user(tx, email, HASH, [role])
        reply = mender.client.post(LOGIN, auth=(email, PASSWORD))
        assert reply.status_code == 200, reply.text
        mender.tokens[who] = reply.text
    return Organization(server, mender, tenant, next(iter(people)))


@contextlib.contextmanager
def settled(
    server: RunningServer, name: str, people: dict[str, str], plan: str = "enterprise"
) -> Iterator[Organization]:
    """An organization with a client of its own, for tests that share one because they leave it as it was."""
    with Mender(server) as client:
        yield settle(server, client, name, people, plan)
