"""A vendor whose instances are entries in a dictionary, and a place where stacks are run on it by real workers."""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from fairlead.base.database import Database
from fairlead.base.scope import Actor, ActorKind, Scope, system_scope
from fairlead.base.seal import Seal
from fairlead.domain import audit, identity, stacks, workflows
from fairlead.domain.identity import Policy, policy_of_agent, policy_of_master, policy_of_sub_user
from fairlead.domain.stacks import AgentReport, ContainerReport, Instance, Stack, Status, Tools, store
from fairlead.domain.stacks.vendors.driver import Observation, Order, Plan, Progress

API_URL = "http://fairlead.example"
SEAL = Seal(os.urandom(32))
PATIENCE_SECONDS = 20.0


@dataclass
class Cloud:
    """The vendor. What `fails` names goes wrong with this cause; what `stalls` names never gets ready."""

    name: str = "local"
    instances: dict[str, dict[str, Instance]] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    calls: list[str] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    fails: dict[str, Any] = field(default_factory=dict)
    stalls: bool = False
    when_called: Callable[[str, Order], None] = lambda deed, order: None
    busy: int = 0
    was_called_twice_at_once: bool = False

    def plan(self, order: Order, before: Plan | None) -> Plan:
        self._deed("plan", order)
        kept = dict(before["instances"]) if before else {}
        for each in order.retire:
            kept.pop(each, None)
        plan: dict[str, Any] = {}
        for layer in order.template.layers:
            for kind, count in (("", layer.instances.on_demand.min), ("spot", layer.instances.spot.min)):
                mine = [each for each, said in kept.items() if said == [layer.flag, kind]][:count]
                mine += [f"i-{os.urandom(4).hex()}" for _ in range(count - len(mine))]
                plan |= {each: [layer.flag, kind] for each in mine}
        self.plans.append({"instances": plan})
        return self.plans[-1]

    def create(self, order: Order, plan: Plan) -> None:
        self._deed("create", order)
        self._bring_up(order, plan)

    def change(self, order: Order, plan: Plan, before: Plan) -> None:
        self._deed("change", order)
        self._bring_up(order, plan)
        there = self.instances.setdefault(order.stack_id, {})
        for each in there.keys() - plan["instances"].keys():
            del there[each]

    def _bring_up(self, order: Order, plan: Plan) -> None:
        there = self.instances.setdefault(order.stack_id, {})
        for each, (flag, kind) in plan["instances"].items():
            if each not in there:
                self.made[each] += 1
                state = "pending" if self.stalls else "running"
                there[each] = Instance(each, flag, kind == "spot", state, details={"InstanceId": each})
        self.when_called("is there", order)

    def delete(self, brief, plan: Plan) -> None:
        self._deed("delete", Order(brief, None))
        self.instances.pop(brief.stack_id, None)

    def observe(self, brief, plan: Plan, *, deleted: bool = False) -> Observation:
        if "observe" in self.fails:
            raise self.fails["observe"]
        there = tuple(self.instances.get(brief.stack_id, {}).values())
        if deleted:
            return Observation(Progress.UNDER_WAY if there else Progress.DONE, there)
        if any(each.state == "failed" for each in there):
            return Observation(Progress.FAILED, there, "an instance has failed")
        is_done = all(each.state != "pending" for each in there)
        return Observation(Progress.DONE if is_done else Progress.UNDER_WAY, there)

    def _deed(self, deed: str, order: Order) -> None:
        self.calls.append(deed)
        self.orders.append(order)
        self.busy += 1
        self.was_called_twice_at_once |= self.busy > 1
        try:
            self.when_called(deed, order)
            if deed in self.fails:
                raise self.fails[deed]
        finally:
            self.busy -= 1

    def of(self, stack_id: str) -> dict[str, Instance]:
        return self.instances.get(stack_id, {})

    def becomes(self, stack_id: str, instance_id: str, state: str) -> None:
        there = self.instances[stack_id]
        there[instance_id] = replace(there[instance_id], state=state)


_numbers = itertools.count(1)


class Place:
    """An organization whose stacks run on the cloud, with workers that the test starts."""

    def __init__(self, database: Database, tokens: identity.Tokens, **wishes: Any) -> None:
        self.database = database
        self.tokens = tokens
        self.cloud = Cloud()
        self.tools = Tools(SEAL, {"local": self.cloud, "aws": self.cloud}, API_URL, **wishes)
        with database.across_tenants("an organization for stacks") as tx:
            self.tenant = identity.add_tenant(tx, tokens, f"stacks{next(_numbers)}", "enterprise")
        self.ada = self.person("ada@acme.example", policy_of_master())
        self.workers: list[workflows.Worker] = []
        self.agents_say: Callable[[str, Instance], tuple[str, str]] = lambda flag, instance: ("complete", "")
        self.cloud.when_called = self._agents

    def person(self, name: str, policy: Policy) -> Scope:
        return Scope(self.tenant.id, Actor(ActorKind.USER, name, name), policy)

    def member(self, name: str, *statements: dict[str, Any]) -> Scope:
        """A sub-user with a role of these statements."""
        text = json.dumps({"version": "2017-05-05", "statement": list(statements)})
        return self.person(name, policy_of_sub_user(identity.read_document(text)))

    def agent(self, stack_id: str) -> Scope:
        return Scope(self.tenant.id, Actor(ActorKind.DEVICE, stack_id), policy_of_agent(stack_id))

    def work(self, tools: Tools | None = None) -> workflows.Worker:
        catalogue = workflows.Catalogue(lambda job: [])
        catalogue.add(stacks.WORKFLOW, stacks.steps(self.database, tools or self.tools))
        worker = workflows.Worker(self.database, SEAL, catalogue.steps, lease_seconds=2)
        worker.start()
        self.workers.append(worker)
        return worker

    def close(self) -> None:
        for worker in self.workers:
            worker.stop()
        with self.database.across_tenants("leave nothing behind") as tx:
            for job in workflows.list_jobs(tx, workflow=stacks.WORKFLOW, at_most=10_000):
                if job.status in (workflows.Status.PENDING, workflows.Status.PROCESSING):
                    workflows.cancel(tx, SEAL, job.id)
        with self.database.begin(self.ada) as tx:
            for record in store.search(tx):
                store.remove(tx, record.id)

    def _agents(self, deed: str, order: Order) -> None:
        """Each time that instances have been made, their agents say how it went, as real ones do a while later."""
        if deed == "is there":
            for instance in list(self.cloud.of(order.stack_id).values()):
                status, message = self.agents_say(instance.flag, instance)
                self.report(order.stack_id, instance, status, message)

    def report(self, stack_id: str, instance: Instance, status: str, message: str = "") -> None:
        if not status:
            return
        with self.database.begin(self.agent(stack_id)) as tx:
            if status == "error":
                stacks.report_agent(
                    tx, self.tools, AgentReport(stack_id, f"agent of {instance.id}", status, instance.id, message)
                )
            else:
                said = ContainerReport(stack_id, f"agent of {instance.id}", instance.id, status, instance.id)
                stacks.report_container(tx, said)

    def apply(self, template: str, by: Scope | None = None) -> str:
        with self.database.begin(by or self.ada) as tx:
            return stacks.apply(tx, self.tools, template).stack_id

    def update(self, stack_id: str, template: str, by: Scope | None = None) -> str:
        with self.database.begin(by or self.ada) as tx:
            return stacks.update(tx, self.tools, stack_id, template).version_id

    def delete(self, stack_id: str, by: Scope | None = None) -> Status:
        with self.database.begin(by or self.ada) as tx:
            return stacks.delete(tx, self.tools, stack_id)

    def find(self, stack_id: str, by: Scope | None = None) -> Stack:
        with self.database.read(by or self.ada) as tx:
            return stacks.find_stack(tx, self.tools, stack_id)

    def config(self, stack_id: str, flag: str = "Web01", by: Scope | None = None) -> dict[str, Any]:
        with self.database.read(by or self.agent(stack_id)) as tx:
            return stacks.container_config(tx, self.tools, stack_id, flag)

    def settled(self, stack_id: str, status: Status, seconds: float = PATIENCE_SECONDS) -> Stack:
        """The stack once it stands so."""
        until = time.monotonic() + seconds
        while (stack := self.find(stack_id)).status is not status:
            assert time.monotonic() < until, stack
            time.sleep(0.02)
        return stack

    def gone(self, stack_id: str, seconds: float = PATIENCE_SECONDS) -> None:
        until = time.monotonic() + seconds
        while True:
            try:
                stack = self.find(stack_id)
            except stacks.StackNotFound:
                return
            assert time.monotonic() < until, stack
            time.sleep(0.02)

    def idle(self, stack_id: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until no job works on the stack."""
        until = time.monotonic() + seconds
        while self.record(stack_id).job_id:
            assert time.monotonic() < until
            time.sleep(0.02)

    def record(self, stack_id: str):
        with self.database.read(self.ada) as tx:
            return store.find(tx, stack_id)

    def running(self, template: str) -> str:
        """A stack that has come up; a worker is at work from now on."""
        if not self.workers:
            self.work()
        stack_id = self.apply(template)
        self.settled(stack_id, Status.CREATE_COMPLETE)
        return stack_id

    def log(self) -> list[str]:
        """What was done to stacks and credentials, oldest first: `ada stack.create`."""
        with self.database.read(system_scope(self.tenant.id)) as tx:
            entries = [each for each in audit.recent(tx, 500) if not each.action.startswith("tenant.")]
        return [f"{entry.actor_name.split('@')[0] or entry.actor_kind} {entry.action}" for entry in reversed(entries)]


def template(count: int = 1, *, vendor: str = "local", flag: str = "Web01", label: str = "", **container: Any) -> str:
    """A template with one layer of so many instances."""
    section = {"aws": {"aws": {"cred": "AKIA1", "secret": "aws-secret", "region": "ap-northeast-1"}}}
    layer: dict[str, Any] = {"role": "web", "flag": flag, "provision": {"instance_count": count, "keypair": False}}
    if container:
        layer["container"] = container
    said = {"version": "2017-03-03", "label": label, "vendor": section.get(vendor, {vendor: {}})}
    return json.dumps(said | {"configurations": [layer]})


class Gate:
    """Holds up whoever comes to it until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.open.wait(20)
