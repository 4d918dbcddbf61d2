"""How does a test speak to a real server as its administrator, and as devices that it lets in?"""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import httpx

from artifact_maker import Payload, make_artifact
from fairlead.base.keys import KeyFolder
from fairlead.base.scope import system_scope
from fairlead.domain import identity
from fairlead.parts import prepare
from fairlead.settings import Settings
from house.devices import Device
from house.world import DEPLOYMENTS, DEVAUTH, LOGIN, PASSWORD, Person

EMAIL = "ada@acme.example"
_numbers = itertools.count(1)


@cache
def _keys() -> dict[str, bytes]:
    """The keys that a server makes at its first start, which takes it a while."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("tokens", "registry"):
            KeyFolder(Path(folder)).rsa(name)
        return {each.name: each.read_bytes() for each in Path(folder).iterdir()}


def make_administrator(data: Path, database: str = "") -> None:
    """What `fairlead user create` does, without the second that starting a program takes, and a server's keys."""
    keys = Settings(data=data).keys_folder
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in _keys().items():
        (keys / name).touch(0o600)
        (keys / name).write_bytes(content)
    opened = prepare(Settings(data=data, database=database))
    with opened.begin(system_scope(identity.DEFAULT_TENANT_ID)) as tx:
        identity.add_user(tx, EMAIL, identity.prepare_password(PASSWORD))
    opened.close()


def prepare_data(engine, folder: Path) -> tuple[Path, tuple[str, ...]]:
    """Data folder and options of a server of one organization, whose administrator is there."""
    database = "" if engine.name == "sqlite" else engine.url(f"people{next(_numbers)}")
    make_administrator(folder / "data", database)
    return folder / "data", (("--database", database) if database else ())


def talk(url: str, seconds: float = 60) -> httpx.Client:
    """A connection that trusts any certificate and waits for slow answers."""
    return httpx.Client(base_url=url, timeout=seconds, verify=False, trust_env=False)


@dataclass
class Administrator:
    """Ada, logged in to a server that serves one organization."""

    client: httpx.Client
    token: str = ""
    devices: dict[str, Device] = field(default_factory=dict)

    def log_in(self) -> Administrator:
        reply = self.client.post(LOGIN, auth=(EMAIL, PASSWORD))
        assert reply.status_code == 200, reply.text
        self.token = reply.text
        return self

    @property
    def person(self) -> Person:
        return Person(self.client, self.token)

    def device(self, name: str) -> Device:
        """A device that is let in and holds a token."""
        device = Device(self.client, {"mac": name})
        assert device.ask().status_code == 401
        found = next(each for each in self.all_devices() if each["identity_data"] == {"mac": name})
        device.id, device.auth_set = found["id"], found["auth_sets"][-1]["id"]
        self.change_status(device, "accepted")
        assert device.ask().status_code == 200
        self.devices[name] = device
        return device

    def all_devices(self) -> list[dict]:
        reply = self.person.get(f"{DEVAUTH}/devices", params={"per_page": 500})
        assert reply.status_code == 200, reply.text
        return reply.json()

    def change_status(self, device: Device, status: str) -> None:
        path = f"{DEVAUTH}/devices/{device.id}/auth/{device.auth_set}/status"
        reply = self.person.put(path, json={"status": status})
        assert reply.status_code == 204, reply.text

    def upload(self, name: str, content: bytes = b"hello") -> bytes:
        """Upload a release for door locks; its bytes."""
        artifact = release(name, content)
        reply = self.person.upload(artifact)
        assert reply.status_code == 201, reply.text
        return artifact

    def deploy(self, name: str, *devices: Device) -> str:
        body = {"name": "rollout", "artifact_name": name}
        wanted = {"devices": [device.id for device in devices]} if devices else {"all_devices": True}
        reply = self.person.post(f"{DEPLOYMENTS}/deployments", json=body | wanted)
        assert reply.status_code == 201, reply.text
        return reply.headers["location"].rsplit("/", 1)[1]

    def artifacts(self) -> list[dict]:
        reply = self.person.get(f"{DEPLOYMENTS}/artifacts")
        assert reply.status_code == 200, reply.text
        return reply.json()

    def download(self, artifact_id: str) -> bytes:
        link = self.person.get(f"{DEPLOYMENTS}/artifacts/{artifact_id}/download")
        assert link.status_code == 200, link.text
        reply = self.client.get(link.json()["uri"])
        assert reply.status_code == 200, reply.text
        assert len(reply.content) == int(reply.headers["content-length"])
        return reply.content


def release(name: str, content: bytes) -> bytes:
    return make_artifact(
        name=name, device_types=["door-lock"], payloads=[Payload(files={"a": content})], compression="none"
    )


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
