"""Which bytes does a real device send? The requests of the mender client 3.4, header by header.

That client sends everything but its authentication through a proxy of its own, so its bodies arrive chunked and
its headers sorted. Requests that many devices send alike are put together once.
"""

import functools
import hashlib
from datetime import UTC, datetime
from urllib.parse import quote, quote_plus

import msgspec

from fairlead.cli.simulate.address import Address, Origin
from fairlead.cli.simulate.device import CLIENT_VERSION, STATUS_SAID, Device, Dialect, Habits, Step, Update
from fairlead.cli.simulate.identity import Identities

AGENT = b"User-Agent: Go-http-client/1.1\r\n"
GZIP = b"Accept-Encoding: gzip\r\n"
JSON = b"Content-Type: application/json\r\n"

AUTHENTICATION = "/api/devices/v1/authentication/auth_requests"
INVENTORY = "/api/devices/v1/inventory/device/attributes"
DEPLOYMENTS_V1 = "/api/devices/v1/deployments/device/deployments"
DEPLOYMENTS_V2 = "/api/devices/v2/deployments/device/deployments"


class Speech:
    """Everything a device of this fleet ever says to its server."""

    def __init__(self, origin: Origin, habits: Habits, identities: Identities) -> None:
        self.host = f"Host: {origin.authority}\r\n".encode() + AGENT
        self.habits = habits
        self.identities = identities
        self.question = functools.lru_cache(maxsize=1024)(self._question)

    def say(self, device: Device, step: Step) -> bytes:
        """The whole request for this step; downloads go elsewhere and are worded by `download`."""
        if step is Step.AUTHORIZE:
            return self.authorize(device)
        if step is Step.NEXT:
            before, after = self.question(device.dialect, device.artifact_name)
            return before + device.token + after
        if step is Step.INVENTORY:
            method = b"PATCH " if device.patches else b"PUT "
            return self.chunked(method + INVENTORY.encode(), device.token, self.inventory(device))
        assert device.update
        if step is Step.LOG:
            return self._about(device, device.update, "log", log_of(device.update))
        return self._about(device, device.update, "status", {"status": STATUS_SAID.get(step, device.update.verdict)})

    def authorize(self, device: Device) -> bytes:
        body, signature = self.identities.auth_request(device.index)
        return b"".join(
            (
                f"POST {AUTHENTICATION} HTTP/1.1\r\n".encode(),
                self.host,
                f"Content-Length: {len(body)}\r\nAuthorization: Bearer {self.identities.tenant_token}\r\n".encode(),
                JSON,
                b"X-Men-Signature: " + signature + b"\r\n",
                GZIP,
                b"\r\n",
                body,
            )
        )

    def chunked(self, method_and_target: bytes, token: bytes, body: bytes) -> bytes:
        before, after = self._chunked_around(method_and_target, body)
        return before + token + after

    def inventory(self, device: Device) -> bytes:
        """What a device knows about itself; the extra attributes differ from device to device but stay as they are."""
        known: dict[str, str | list[str]] = {
            "device_type": self.habits.device_type,
            "artifact_name": device.artifact_name,
            "mender_client_version": CLIENT_VERSION,
            "mac": self.identities.addresses.mac(device.index),
        }
        for number in range(self.habits.attributes):
            known[f"attribute_{number:03}"] = _invented(device.index, number)
        return msgspec.json.encode([{"name": name, "value": value} for name, value in known.items()])

    def _about(self, device: Device, work: Update, what: str, content: object) -> bytes:
        target = f"PUT {DEPLOYMENTS_V1}/{quote(work.id, safe='')}/{what}"
        return self.chunked(target.encode(), device.token, msgspec.json.encode(content))

    def _question(self, dialect: Dialect, artifact_name: str) -> tuple[bytes, bytes]:
        """The request for the next deployment, but for the token in its middle: by far the most frequent one."""
        provides = {"artifact_name": artifact_name, "device_type": self.habits.device_type}
        if dialect is Dialect.V2_POST:
            body = msgspec.json.encode({"device_provides": provides, "update_control_map": True})
            return self._chunked_around(f"POST {DEPLOYMENTS_V2}/next".encode(), body)
        if dialect is Dialect.V1_POST:
            return self._chunked_around(f"POST {DEPLOYMENTS_V1}/next".encode(), msgspec.json.encode(provides))
        query = "&".join(f"{name}={quote_plus(value)}" for name, value in provides.items())
        target = f"GET {DEPLOYMENTS_V1}/next?{query} HTTP/1.1\r\n"
        return target.encode() + self.host + GZIP + b"Authorization: Bearer ", b"\r\n\r\n"

    def _chunked_around(self, method_and_target: bytes, body: bytes) -> tuple[bytes, bytes]:
        before = b"".join(
            (
                method_and_target,
                b" HTTP/1.1\r\n",
                self.host,
                b"Transfer-Encoding: chunked\r\n",
                GZIP,
                b"Authorization: Bearer ",
            )
        )
        return before, b"\r\n" + JSON + b"\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def download(address: Address, from_byte: int) -> bytes:
    """Without a token: the link is its own secret. Who asks for a part does not ask for it compressed."""
    extra = f"Range: bytes={from_byte}-\r\n".encode() if from_byte else GZIP
    start = f"GET {address.target} HTTP/1.1\r\nHost: {address.origin.authority}\r\n".encode()
    return start + AGENT + extra + b"\r\n"


def log_of(work: Update) -> dict[str, list[dict[str, str]]]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = [
        ("info", f"Running Mender client version: {CLIENT_VERSION}"),
        ("info", f"Installing {work.artifact_name}"),
        ("error", work.reason or "the update failed"),
    ]
    return {"messages": [{"level": level, "message": text, "timestamp": now} for level, text in lines]}


def _invented(index: int, number: int) -> str | list[str]:
    """Every fourth a list, the others from sets of different size, so that searches find few, some and many."""
    draw = hashlib.blake2b(f"{index} {number}".encode(), digest_size=4).hexdigest()
    if number % 4 == 3:
        return [f"item-{draw[:1]}", f"item-{draw[1:2]}"]
    return f"value-{draw[: 1 + number % 4]}"
