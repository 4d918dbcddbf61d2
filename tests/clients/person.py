"""What does a person do to a fleet? The few calls of the management API that these tests need, as verbs."""

import json
import ssl
from typing import Any

import httpx

from .device import RealDevice
from .server import RealServer
from .waiting import wait_until

DEVAUTH = "/api/management/v2/devauth/devices"
INVENTORY = "/api/management/v1/inventory"
DEPLOYMENTS = "/api/management/v1/deployments"

# Of several keys of a device, the one a person means when they accept or reject it.
DECIDED_FIRST = {
    "accepted": ("pending", "rejected", "preauthorized", "accepted"),
    "rejected": ("accepted", "pending", "preauthorized", "rejected"),
}


class Person:
    def __init__(self, server: RealServer, email: str, password: str) -> None:
        trusted = ssl.create_default_context(cafile=server.certificate)
        self.http = httpx.Client(base_url=server.url, verify=trusted, timeout=30)
        login = self.http.post("/api/management/v1/useradm/auth/login", auth=(email, password))
        assert login.status_code == 200, login.text
        self.http.headers["Authorization"] = f"Bearer {login.text}"

    def ask(self, method: str, path: str, body: Any = None, expect: int = 200) -> httpx.Response:
        reply = self.http.request(method, path, json=body)
        assert reply.status_code == expect, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply

    # devices

    def sees(self, device: RealDevice) -> dict[str, Any] | None:
        """What authentication knows of a device, by the identity that only this device has."""
        known = self.ask("GET", f"{DEVAUTH}?per_page=500").json()
        return next((each for each in known if each["identity_data"].get("mac") == device.mac), None)

    def id_of(self, device: RealDevice) -> str:
        return wait_until(f"the server knows {device}", lambda: self.sees(device))["id"]

    def status_of(self, device: RealDevice) -> str | None:
        seen = self.sees(device)
        return seen["status"] if seen else None

    def wait_for_status(self, device: RealDevice, status: str) -> None:
        wait_until(f"{device} is {status}", lambda: self.status_of(device) == status)

    def accept(self, device: RealDevice) -> None:
        self.decide(device, "accepted")

    def reject(self, device: RealDevice) -> None:
        self.decide(device, "rejected")

    def decide(self, device: RealDevice, status: str) -> None:
        device_id = self.id_of(device)
        auth_sets = self.ask("GET", f"{DEVAUTH}/{device_id}").json()["auth_sets"]
        chosen = min(auth_sets, key=lambda each: DECIDED_FIRST[status].index(each["status"]))
        self.ask("PUT", f"{DEVAUTH}/{device_id}/auth/{chosen['id']}/status", {"status": status}, expect=204)

    def preauthorize(self, device: RealDevice, public_key: str) -> None:
        self.ask("POST", DEVAUTH, {"identity_data": {"mac": device.mac}, "pubkey": public_key}, expect=201)

    def keys_of(self, device: RealDevice) -> list[str]:
        """What was decided about each key of a device, in alphabetical order."""
        seen = self.sees(device)
        return sorted(each["status"] for each in seen["auth_sets"]) if seen else []

    def wait_for_keys(self, device: RealDevice, *statuses: str) -> None:
        wait_until(f"the keys of {device} are {statuses}", lambda: self.keys_of(device) == list(statuses))

    def decommission(self, device: RealDevice) -> None:
        self.ask("DELETE", f"{DEVAUTH}/{self.id_of(device)}", expect=204)

    def inventory_of(self, device: RealDevice) -> dict[tuple[str, str], Any]:
        """Every attribute by scope and name; nothing while the inventory does not know the device."""
        reply = self.http.get(f"{INVENTORY}/devices/{self.id_of(device)}")
        if reply.status_code == 404:
            return {}
        assert reply.status_code == 200, reply.text
        return {(each["scope"], each["name"]): each["value"] for each in reply.json()["attributes"]}

    def wait_for_inventory(self, device: RealDevice, name: str, value: str) -> None:
        wait_until(
            f"the inventory of {device} says {name}={value}",
            lambda: self.inventory_of(device).get(("inventory", name)) == value,
        )

    def group(self, name: str, *devices: RealDevice) -> None:
        self.ask("PATCH", f"{INVENTORY}/groups/{name}/devices", [self.id_of(each) for each in devices])

    # artifacts and deployments

    def artifacts(self, *names: str) -> list[dict[str, Any]]:
        listed = self.ask("GET", f"{DEPLOYMENTS}/artifacts").json()
        return [each for each in listed if each["name"] in names]

    def generate(self, artifact: str, content: bytes, device_type: str, **where: str) -> None:
        """Have an artifact made of the content, and wait for it."""
        fields = {"name": artifact, "device_types_compatible": device_type, "type": "single_file"}
        reply = self.http.post(
            f"{DEPLOYMENTS}/artifacts/generate",
            data={**fields, "args": json.dumps(where)},
            files={"file": ("upload.bin", content)},
        )
        assert reply.status_code == 201, reply.text
        wait_until(f"{artifact} was made", lambda: self.artifacts(artifact))

    def deploy(self, artifact: str, *devices: RealDevice) -> str:
        ids = [self.id_of(each) for each in devices]
        return self._create("", {"name": f"deploy {artifact}", "artifact_name": artifact, "devices": ids})

    def deploy_to_group(self, artifact: str, group: str) -> str:
        return self._create(f"/group/{group}", {"name": f"deploy {artifact}", "artifact_name": artifact})

    def _create(self, path: str, body: dict[str, Any]) -> str:
        reply = self.ask("POST", f"{DEPLOYMENTS}/deployments{path}", body, expect=201)
        return reply.headers["Location"].rsplit("/", 1)[-1]

    def abort(self, deployment: str) -> None:
        self.ask("PUT", f"{DEPLOYMENTS}/deployments/{deployment}/status", {"status": "aborted"}, expect=204)

    def deployment_status(self, deployment: str) -> str:
        return self.ask("GET", f"{DEPLOYMENTS}/deployments/{deployment}").json()["status"]

    def wait_until_finished(self, deployment: str, seconds: float = 40) -> None:
        wait_until("the deployment is finished", lambda: self.deployment_status(deployment) == "finished", seconds)

    def result_on(self, device: RealDevice, deployment: str) -> str | None:
        rows = self.ask("GET", f"{DEPLOYMENTS}/deployments/{deployment}/devices").json()
        device_id = self.id_of(device)
        return next((row["status"] for row in rows if row["id"] == device_id), None)

    def wait_for_result(self, device: RealDevice, deployment: str, status: str, seconds: float = 40) -> None:
        wait_until(f"{device} reports {status}", lambda: self.result_on(device, deployment) == status, seconds)

    def statistics(self, deployment: str) -> dict[str, int]:
        """Only what is not zero."""
        counted = self.ask("GET", f"{DEPLOYMENTS}/deployments/{deployment}/statistics").json()
        return {status: count for status, count in counted.items() if count}

    def log_of(self, device: RealDevice, deployment: str) -> str:
        return self.ask("GET", f"{DEPLOYMENTS}/deployments/{deployment}/devices/{self.id_of(device)}/log").text
