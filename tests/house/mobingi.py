"""How does a test speak to /v3? As the master of an account, one of its members, a program, or a stack's agent."""

from __future__ import annotations

import copy
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from fairlead.domain.stacks.vendors.driver import AgentBrief, Instance, Observation, Order, Plan, Progress
from house.accounts import Account, found
from house.server import RunningServer
from house.world import PASSWORD, Person

CLEAN_UP_SECONDS = 20.0

VERSION_1: dict[str, Any] = {
    "version": "2017-03-03",
    "label": "template version label #1",
    "description": "This template creates a sample stack with EC2 instance on AWS",
    "vendor": {"aws": {"cred": "AKIAJ...DZLA", "region": "ap-northeast-1"}},
    "configurations": [
        {
            "role": "web",
            "flag": "Web01",
            "provision": {
                "image": "${computed}",
                "volume_type": "${computed}",
                "instance_type": "t2.micro",
                "instance_count": 1,
                "keypair": True,
            },
        }
    ],
}
"""The seed's sample of a new template, and the one that takes its place."""
VERSION_2: dict[str, Any] = {
    "version": "2017-03-03",
    "label": "template version label #2",
    "description": "This template creates a sample stack with EC2 instance on AWS",
    "vendor": {"aws": {"cred": "AKIAJ...DZLA", "region": "ap-northeast-1"}},
    "configurations": [
        {
            "role": "web",
            "flag": "Web01",
            "provision": {
                "image": "${computed}",
                "instance_type": "m3.medium",
                "instance_count": 2,
                "keypair": True,
            },
        }
    ],
}
CONTAINER: dict[str, Any] = {
    "image": "registry.mobingi.com/mobingi/ubuntu-apache2-php5",
    "environmentVariables": {
        "Stage": "_development",
        "DB_USERNAME": "root",
        "DB_PSSSWORD": "7zk3FBP37",
        "my_secret": "D3nz!lwA_h1ngt0n",
    },
    "gitReference": "master",
    "gitPrivateKey": "-----BEGIN PRIVATE ...\n-----END PRIVATE KEY-----\n",
    "gitRepo": "https://github.com/mobingilabs/default-site-php.git",
    "updated": 1492161755,
}
"""The container section that the seed's answer for agents was made of."""


def with_container(template: Mapping[str, Any] = VERSION_1, **container: Any) -> dict[str, Any]:
    """The template with a container section in its first layer: the seed's, unless told otherwise."""
    changed = copy.deepcopy(dict(template))
    changed["configurations"][0]["container"] = container or CONTAINER
    return changed


class PaperCloud:
    """A vendor whose instances are there as soon as they are asked for, and only on paper."""

    name = "paper"

    def __init__(self) -> None:
        self._there: dict[str, dict[str, dict[str, Any]]] = {}

    def plan(self, order: Order, before: Plan | None) -> Plan:
        kept = {id_: each for id_, each in (before or {}).items() if id_ not in order.retire}
        planned: dict[str, Any] = {}
        for layer in order.template.layers:
            for is_spot, wanted in ((False, layer.instances.on_demand), (True, layer.instances.spot)):
                kind = {"flag": layer.flag, "is_spot": is_spot, "has_agent": layer.container is not None}
                ids = [id_ for id_, each in kept.items() if (each["flag"], each["is_spot"]) == (layer.flag, is_spot)]
                ids += [f"i-{secrets.token_hex(9)[:17]}" for _ in range(wanted.min)]
                planned |= dict.fromkeys(ids[: wanted.min], kind)
        return planned

    def create(self, order: Order, plan: Plan) -> None:
        self._there[order.stack_id] = dict(plan)

    def change(self, order: Order, plan: Plan, before: Plan) -> None:
        self.create(order, plan)

    def delete(self, brief: AgentBrief, plan: Plan) -> None:
        self._there.pop(brief.stack_id, None)

    def observe(self, brief: AgentBrief, plan: Plan, *, deleted: bool = False) -> Observation:
        there = self._there.get(brief.stack_id, {})
        instances = tuple(Instance(id_, state="running", **each) for id_, each in there.items())
        return Observation(Progress.DONE, instances)


@dataclass(frozen=True)
class Town:
    """An account on a server, with somebody for each part; `numbers` of stacks that tests take for granted."""

    server: RunningServer
    client: httpx.Client
    account: Account
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def master(self) -> Person:
        return self.as_(self.account.email)

    def as_(self, username: str) -> Person:
        """Somebody of the account, logged in with PASSWORD."""
        if username not in self.tokens:
            self.tokens[username] = self.enter(username=username, password=PASSWORD, grant_type="password")
        return Person(self.client, self.tokens[username])

    def member(self, username: str, role: str = "") -> Person:
        """A new member with a role of this document."""
        self.account.add(username, role)
        return self.as_(username)

    def program(self) -> Person:
        return Person(self.client, self.enter(grant_type="client_credentials"))

    def agent(self, stack_id: str) -> Person:
        """The agent of a stack, let in with what is on its instances."""
        secret = self.describe(stack_id)["auth_token"]
        body = {"client_id": stack_id, "client_secret": secret, "grant_type": "client_credentials"}
        return Person(self.client, self.enter(**body))

    def enter(self, **said: str) -> str:
        shown = {"client_id": self.account.client_id, "client_secret": self.account.client_secret}
        reply = self.client.post("/v3/access_token", data=shown | said)
        assert reply.status_code == 200, reply.text
        return str(reply.json()["access_token"])

    def stack(self, template: Mapping[str, Any] = VERSION_1) -> str:
        """A stack of the template that is complete, as far as it is so without an agent; its id."""
        reply = self.master.post("/v3/alm/template", json=template)
        assert reply.status_code == 201, reply.text
        stack_id = str(reply.json()["stack_id"])
        if not any("container" in layer for layer in template["configurations"]):
            self.settle(stack_id)
        return stack_id

    def update(self, stack_id: str, template: Mapping[str, Any] = VERSION_2) -> str:
        """The template made the newest version of the stack, settled; the version's id."""
        reply = self.master.put(f"/v3/alm/template/{stack_id}", json=template)
        assert reply.status_code == 202, reply.text
        self.settle(stack_id)
        return str(reply.json()["version_id"])

    def describe(self, stack_id: str) -> dict[str, Any]:
        reply = self.master.get(f"/v3/alm/stack/{stack_id}")
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def settle(self, stack_id: str, seconds: float = 20) -> str:
        """Wait until nothing is being done to the stack; its status."""
        wait_until(lambda: not self.describe(stack_id)["stack_status"].endswith("_IN_PROGRESS"), seconds)
        return str(self.describe(stack_id)["stack_status"])

    def instances(self, stack_id: str, flag: str = "Web01") -> list[str]:
        return [each["InstanceId"] for each in self.describe(stack_id)["instances"].get(flag, [])]

    def report(self, stack_id: str) -> str:
        """Be the agents of all instances of the stack: say that all is up; the id of one of the containers."""
        wait_until(lambda: any(self.describe(stack_id)["instances"].values()))
        agent, there = self.agent(stack_id), self.describe(stack_id)["instances"]
        for instance in [each["InstanceId"] for layer in there.values() for each in layer]:
            body = {"stack_id": stack_id, "agent_id": f"agent-{instance}", "instance_id": instance}
            container = body | {"container_id": instance, "status": "complete"}
            assert agent.post("/v3/alm/agent/container_status", data=container).status_code == 202
            assert agent.post("/v3/alm/agent/agent_status", data=body | {"status": "uptodate"}).status_code == 202
        self.settle(stack_id)
        return str(instance)


def settle_in(server: RunningServer, client: httpx.Client) -> Town:
    """A new account on the server."""
    return Town(server, client, found(server.fairlead.database, server.fairlead.tokens))


def wait_until(is_so: Callable[[], object], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.05)


def text_of(template: Mapping[str, Any]) -> str:
    return json.dumps(template)
