"""How does a test speak to /mobyle? As everybody who may come to the portal of an organization."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from fairlead.base.scope import Scope, system_scope
from fairlead.domain import audit, catalog, identity
from fairlead.domain.identity import portal
from house.server import RunningServer
from house.world import HASH, PASSWORD

ROLES = ("watcher", "contributor", "manager")
SHOUT = {
    "_type": "Program",
    "name": "shout",
    "version": "1.0",
    "title": "Writes a text in capitals",
    "topics": ["EDAM_topic:0080"],
    "operations": ["EDAM_operation:2409"],
    "command": "tr a-z A-Z",
    "inputs": {
        "children": [
            {
                "_type": "InputProgramParameter",
                "name": "text",
                "prompt": "Text",
                "mandatory": True,
                "type": {"_type": "FormattedType", "data_terms": ["EDAM_data:2044"]},
                "format": '" < " + str(value)',
                "argpos": 1,
            }
        ]
    },
}
_numbers = itertools.count(1)


def new_address() -> str:
    number = next(_numbers)
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


@dataclass(frozen=True)
class Visitor:
    """Someone at a portal; nobody in particular without a token."""

    client: httpx.Client
    place: str
    token: str = ""
    id: str = ""
    address: str = field(default_factory=lambda: new_address())

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Each from an address of their own: how often somebody may try is counted by it."""
        shown = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers = {"X-Forwarded-For": self.address, **shown, **arguments.pop("headers", {})}
        return self.client.request(method, self.place + path, headers=headers, **arguments)

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

    def told(self, path: str, **arguments: Any) -> Any:
        """What is at the path."""
        reply = self.get(path, **arguments)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def make(self, path: str, **body: Any) -> Any:
        """What was made there."""
        reply = self.post(path, json=body)
        assert reply.status_code in {200, 201}, reply.text
        return reply.json()


@dataclass
class Place:
    """An organization with a portal, and its people by what they are."""

    server: RunningServer
    client: httpx.Client
    tenant_id: str
    people: dict[str, Visitor] = field(default_factory=dict)
    project: str = ""

    @property
    def path(self) -> str:
        return f"/mobyle/at/{self.tenant_id}"

    @property
    def system(self) -> Scope:
        return system_scope(self.tenant_id)

    @property
    def own(self) -> catalog.OwnServer:
        return self.server.fairlead.jobs.own(self.tenant_id)

    def email(self, who: str) -> str:
        return f"{who}@{self.tenant_id}.example"

    def as_(self, who: str) -> Visitor:
        return self.people[who]

    def add(self, who: str, **wishes: Any) -> Visitor:
        """A user with an account, who is logged in."""
        with self.server.fairlead.database.begin(self.system) as tx:
            portal.add_user(tx, self.email(who), HASH, **wishes)
        return self.log_in(who)

    def log_in(self, who: str, **more: Any) -> Visitor:
        visitor = Visitor(self.client, self.path)
        told = visitor.make("/session", username=self.email(who), password=PASSWORD, **more)
        self.people[who] = Visitor(self.client, self.path, told["token"], told["user"])
        return self.people[who]

    def register(self, *documents: dict[str, Any], exported: bool = False) -> None:
        """Services of the whole server."""
        with self.server.fairlead.database.begin(self.system) as tx:
            for document in documents:
                service = catalog.read_json(json.dumps(document).encode())
                catalog.register_service(tx, self.own, service, exported=exported)

    def service(self, name: str = "shout") -> str:
        return f"{name}::public::{self.own.name}"

    def log(self) -> list[str]:
        """What was done, oldest first."""
        with self.server.fairlead.database.read(self.system) as tx:
            return [f"{entry.action} {entry.object_id}".strip() for entry in reversed(audit.recent(tx, 500))]


def settle_in(server: RunningServer, client: httpx.Client) -> Place:
    """A new organization, with nobody at its portal."""
    database, tokens = server.fairlead.database, server.fairlead.tokens
    with database.across_tenants("a new organization") as tx:
        tenant = identity.add_tenant(tx, tokens, f"place{next(_numbers)}", "enterprise")
    place = Place(server, client, tenant.id)
    place.people["visitor"] = Visitor(client, place.path)
    return place


def people_of_a_project(place: Place) -> Place:
    """Everybody that there can be, around one project: see the roles in its details."""
    owner = place.add("owner")
    place.project = owner.make("/projects", name="study")["id"]
    for role in ROLES:
        member = place.add(role)
        assert owner.put(f"/projects/{place.project}/{role}s/{member.id}").status_code == 204
    place.add("stranger")
    place.add("administrator", is_admin=True)
    place.people["anonymous"] = _anonymous(place)
    place.add("pending")
    place.add("suspended")
    _change_standing(place, "pending", portal.Standing.PENDING)
    _change_standing(place, "suspended", portal.Standing.SUSPENDED)
    place.people["peer"] = _peer(place)
    return place


def _anonymous(place: Place) -> Visitor:
    told = place.as_("visitor").make("/session", anonymous=True)
    return Visitor(place.client, place.path, told["token"], told["user"])


def _change_standing(place: Place, who: str, standing: portal.Standing) -> None:
    """As it is with somebody who has not confirmed the address yet, or was shut out."""
    from fairlead.domain.identity.portal import store

    with place.server.fairlead.database.begin(place.system) as tx:
        store.change(tx, portal.number_of(place.as_(who).id), status=standing.value, status_message=f"you are {who}")


def _peer(place: Place) -> Visitor:
    with place.server.fairlead.database.begin(place.system) as tx:
        _, token = catalog.register_peer(tx, place.server.fairlead.seal, place.own, "pasteur", "https://192.0.2.1/m")
    return Visitor(place.client, place.path, token)


def wait_until(holds: Any, seconds: float = 30.0) -> Any:
    """What `holds` answers once that is something; fails if it never is."""
    until = time.monotonic() + seconds
    while not (answer := holds()):
        assert time.monotonic() < until, "it never came about"
        time.sleep(0.05)
    return answer


def ended(visitor: Visitor, job_id: str) -> dict[str, Any]:
    """The job, once it has ended."""

    def looked() -> dict[str, Any] | None:
        told = visitor.told(f"/jobs/{job_id}")
        return told if told["status"] in {"finished", "error", "killed", "unknown"} else None

    return wait_until(looked)
