"""A server under load whose power is cut, again and again: what did it promise, and what is there afterwards?

Several clients work at once until the server is killed. Each keeps a ledger of what it was promised (an answer of
200, 201 or 204) and of what it had asked for when the power went. After the next start every promise must be kept,
and of what was only asked for either all is there or nothing.
"""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import sqlalchemy as sa

from fairlead.base.database import Database
from fairlead.base.scope import system_scope
from fairlead.domain import audit, identity
from fairlead.settings import Settings
from house.devices import Device
from house.people import EMAIL, Administrator, digest, release, talk
from house.program import Server
from house.world import DEPLOYMENTS, DEVAUTH, INVENTORY, LOGIN, PASSWORD

DEVICES = 6
STEPS = ("downloading", "installing", "success")
ORDER = {status: rank for rank, status in enumerate(("", "pending", *STEPS))}
_names = itertools.count(1)


@dataclass
class Ledger:
    """What was promised, and what was asked for, by all clients together."""

    artifacts: dict[str, str] = field(default_factory=dict)  # id: digest of its bytes
    asked_artifacts: dict[str, str] = field(default_factory=dict)  # name: digest
    attributes: dict[str, tuple[int, int]] = field(default_factory=dict)  # device: last promised, last asked for
    deployments: dict[str, set[str]] = field(default_factory=dict)  # id: devices
    statuses: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # promised, asked for
    strangers: dict[str, str] = field(default_factory=dict)  # mac of a new device: status promised
    answers: Counter[str] = field(default_factory=Counter)


class Load:
    """The clients of one server between a start and a power cut."""

    def __init__(self, server: Server, ledger: Ledger, token: str, devices: list[Device]) -> None:
        self.server, self.ledger, self.token, self.devices = server, ledger, token, devices
        self.problems: list[str] = []
        self._over = threading.Event()
        deeds = [self._upload, self._upload, self._let_in, self._log_in]
        deeds += [lambda client, device=device: self._live(client, device) for device in devices]
        self._threads = [threading.Thread(target=self._work, args=(deed,)) for deed in deeds]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self, deed) -> None:
        with talk(self.server.url) as client:
            while not self._over.is_set():
                try:
                    deed(client)
                except httpx.TransportError:  # the power is gone
                    return
                except AssertionError as problem:
                    self.problems.append(str(problem))
                    return

    def _promised(self, what: str, reply: httpx.Response, *good: int) -> None:
        assert reply.status_code in good, f"{what}: {reply.status_code} {reply.text}"
        self.ledger.answers[what] += 1

    def _upload(self, client: httpx.Client) -> None:
        name = f"release-{next(_names)}"
        content = release(name, random.randbytes(random.choice((100, 50_000, 2_000_000))))
        self.ledger.asked_artifacts[name] = digest(content)
        ada = Administrator(client, self.token)
        reply = ada.person.upload(content)
        self._promised("upload", reply, 201)
        self.ledger.artifacts[reply.headers["location"].rsplit("/", 1)[1]] = digest(content)
        target = random.sample(self.devices, 2)
        body = {"name": name, "artifact_name": name, "devices": [device.id for device in target]}
        reply = ada.person.post(f"{DEPLOYMENTS}/deployments", json=body)
        self._promised("deploy", reply, 201)
        self.ledger.deployments[reply.headers["location"].rsplit("/", 1)[1]] = {device.id for device in target}

    def _let_in(self, client: httpx.Client) -> None:
        """A device that nobody knows asks, is accepted, and gets a token."""
        stranger = Device(client, {"mac": f"stranger-{next(_names)}"})
        self._promised("ask", stranger.ask(), 401)
        mac = stranger.identity["mac"]
        self.ledger.strangers[mac] = "pending"
        listed = Administrator(client, self.token).all_devices()
        found = next(each for each in listed if each["identity_data"] == stranger.identity)
        path = f"{DEVAUTH}/devices/{found['id']}/auth/{found['auth_sets'][0]['id']}/status"
        self.ledger.strangers.pop(mac)  # whichever it is when the power goes
        reply = Administrator(client, self.token).person.put(path, json={"status": "accepted"})
        self._promised("accept", reply, 204)
        self.ledger.strangers[mac] = "accepted"
        self._promised("token", stranger.ask(), 200)
        if len(listed) > 100:
            time.sleep(0.05)

    def _log_in(self, client: httpx.Client) -> None:
        self._promised("log in", client.post(LOGIN, auth=(EMAIL, PASSWORD)), 200)
        time.sleep(0.05)

    def _live(self, client: httpx.Client, device: Device) -> None:
        """Report, ask for work, and do the next step of it."""
        device.client = client
        promised, asked = self.ledger.attributes.get(device.id, (0, 0))
        number = asked + 1
        self.ledger.attributes[device.id] = (promised, number)
        self._promised("report", device.report({"number": number, "twice": number}), 200)
        self.ledger.attributes[device.id] = (number, number)
        offer = device.next()
        self._promised("next", offer, 200, 204)
        if offer.status_code == 200:
            self._go_on(device, offer.json()["id"])

    def _go_on(self, device: Device, deployment: str) -> None:
        key = (deployment, device.id)
        promised, _ = self.ledger.statuses.get(key, ("pending", "pending"))
        self.ledger.statuses[key] = (promised, promised)
        for step in STEPS:
            if ORDER[step] <= ORDER[promised]:
                continue
            self.ledger.statuses[key] = (promised, step)
            self._promised("status", device.status(deployment, step), 204)
            promised = step
            self.ledger.statuses[key] = (promised, promised)


class PowerCuts:
    """One installation that lives through all of them."""

    def __init__(self, data: Path, options: tuple[str, ...]) -> None:
        self.data, self.options = data, options
        self.ledger = Ledger()
        self.token = ""
        self.devices: list[Device] = []

    def endure(self, count: int) -> Counter[str]:
        """Cut the power so often, and see after each time that all promises are kept. What was promised in all."""
        checked: set[str] = set()
        for number in range(count + 1):
            with Server(self.data, *self.options) as server:
                with talk(server.url) as client:
                    if not number:
                        self._settle(client)
                    self._check(client, checked)
                if number == count:
                    break
                with Load(server, self.ledger, self.token, self.devices) as load:
                    time.sleep(random.uniform(0.05, 0.6))
                    server.kill()
                assert load.problems == []
        return self.ledger.answers

    def _settle(self, client: httpx.Client) -> None:
        ada = Administrator(client).log_in()
        self.token = ada.token
        self.devices = [ada.device(f"device-{number}") for number in range(DEVICES)]

    def _check(self, client: httpx.Client, checked: set[str]) -> None:
        ada = Administrator(client, self.token)
        self._check_artifacts(ada, checked)
        self._check_devices(ada)
        self._check_deployments(ada)
        self._check_records()
        for device in self.devices:
            device.client = client
            assert device.next().status_code in {200, 204}, "a token was lost"

    def _check_artifacts(self, ada: Administrator, checked: set[str]) -> None:
        listed = {each["id"]: each for each in ada.artifacts()}
        assert set(self.ledger.artifacts) <= set(listed), "an artifact was lost"
        for id_, artifact in listed.items():
            if id_ not in checked:  # payloads never change: once whole, always whole
                content = ada.download(id_)
                assert len(content) == artifact["size"]
                assert digest(content) == self.ledger.asked_artifacts[artifact["name"]], "an artifact is not as sent"
                assert self.ledger.artifacts.get(id_, digest(content)) == digest(content)
                checked.add(id_)

    def _check_devices(self, ada: Administrator) -> None:
        known = {each["identity_data"]["mac"]: each["status"] for each in self._pages(ada, f"{DEVAUTH}/devices")}
        for mac, status in self.ledger.strangers.items():
            assert known.get(mac) == status, f"{mac} was {status}, and is {known.get(mac)}"
        for device in self.devices:
            reply = ada.person.get(f"{INVENTORY}/devices/{device.id}")
            assert reply.status_code == 200, reply.text
            found = {each["name"]: each["value"] for each in reply.json()["attributes"]}
            promised, asked = self.ledger.attributes.get(device.id, (0, 0))
            assert promised <= found.get("number", 0) <= asked, "a report was lost"
            assert found.get("number") == found.get("twice"), "half a report is there"
            self.ledger.attributes[device.id] = (found.get("number", 0), asked)

    def _check_deployments(self, ada: Administrator) -> None:
        listed = {each["id"] for each in self._pages(ada, f"{DEPLOYMENTS}/deployments")}
        assert set(self.ledger.deployments) <= listed, "a deployment was lost"
        for (deployment, device), (promised, asked) in self.ledger.statuses.items():
            status = self._statuses(ada, deployment)[device]
            assert ORDER[promised] <= ORDER[status] <= ORDER[asked], f"{status}, though {promised} was promised"
            self.ledger.statuses[deployment, device] = (status, status)
        over = [key for key, (promised, _) in self.ledger.statuses.items() if promised == "success"]
        for key in over:
            del self.ledger.statuses[key]

    def _statuses(self, ada: Administrator, deployment: str) -> dict[str, str]:
        reply = ada.person.get(f"{DEPLOYMENTS}/deployments/{deployment}/devices")
        assert reply.status_code == 200, reply.text
        return {each["id"]: each["status"] for each in reply.json()}

    def _pages(self, ada: Administrator, path: str) -> list[dict]:
        found: list[dict] = []
        while len(found) % 500 == 0:
            reply = ada.person.get(path, params={"page": len(found) // 500 + 1, "per_page": 500})
            assert reply.status_code == 200, reply.text
            if not reply.json():
                break
            found += reply.json()
        return found

    def _check_records(self) -> None:
        """Counters are what a recount of the rows gives, the file is whole, and so is the audit trail."""
        database = Database(
            Settings(
                data=self.data, database=dict([self.options]).get("--database", "") if self.options else ""
            ).database_url
        )
        with database.across_tenants("do the counters add up?", writing=False) as tx:
            if database.is_sqlite:
                assert tx.scalar(sa.text("PRAGMA quick_check")) == "ok"
            rows = tx.all(sa.text("SELECT deployment_id, status, open, device_id FROM device_deployments"))
            deployments = tx.all(sa.text("SELECT * FROM deployments"))
        with database.read(system_scope(identity.DEFAULT_TENANT_ID)) as tx:
            assert audit.verify(tx, founded_by=identity.FOUNDED).fault is None
        database.close()
        counted = Counter((row.deployment_id, row.status) for row in rows)
        for deployment in deployments:
            counters = {
                name[2:].replace("_", "-"): value
                for name, value in deployment._mapping.items()
                if name.startswith("n_")
            }
            recounted = {status: counted[deployment.id, status] for status in counters}
            assert counters == recounted, json.dumps({"counters": counters, "rows": recounted})
            mine = {row.device_id for row in rows if row.deployment_id == deployment.id}
            assert mine == self.ledger.deployments.get(deployment.id, mine)
            assert len(mine) == deployment.max_devices
            is_over = all(not row.open for row in rows if row.deployment_id == deployment.id)
            assert (deployment.finished_at is not None) is is_over
