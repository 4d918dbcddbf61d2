"""What is a device to the tests? A key, an identity, and the requests that a real client makes."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

AUTH = "/api/devices/v1/authentication/auth_requests"
NEXT = "/api/devices/v1/deployments/device/deployments/next"
NEXT_V2 = "/api/devices/v2/deployments/device/deployments/next"
ATTRIBUTES = "/api/devices/v1/inventory/device/attributes"
DEPLOYMENTS = "/api/devices/v1/deployments/device/deployments"


def new_key(kind: str = "ed25519") -> Any:
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else ed25519.Ed25519PrivateKey.generate()


def sign(key: Any, message: bytes) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        raw = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        raw = key.sign(message, ec.ECDSA(hashes.SHA256()))
    else:
        raw = key.sign(message)
    return base64.b64encode(raw).decode()


def pem_of(key: Any) -> str:
    public = key.public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


@dataclass
class Device:
    """A device that talks to the server over HTTP. `id` and `auth_set` are known once it was let in."""

    client: httpx.Client
    identity: dict[str, Any]
    tenant_token: str = ""
    key: Any = field(default_factory=new_key)
    token: str = ""
    id: str = ""
    auth_set: str = ""

    def ask(self, **changes: Any) -> httpx.Response:
        """Send an auth request; `changes` replace parts of its body or, as `signature`, what signs it."""
        signature = changes.pop("signature", None)
        said = {"id_data": json.dumps(self.identity), "pubkey": pem_of(self.key), "tenant_token": self.tenant_token}
        body = json.dumps({**said, **changes}).encode()
        headers = {"Content-Type": "application/json", "X-MEN-Signature": signature or sign(self.key, body)}
        reply = self.client.post(AUTH, content=body, headers=headers)
        if reply.status_code == 200:
            self.token = reply.text
        return reply

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **arguments.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **arguments)

    def next(self, artifact_name: str = "old", device_type: str = "door-lock", **provides: str) -> httpx.Response:
        return self.request("POST", NEXT, json={"artifact_name": artifact_name, "device_type": device_type, **provides})

    def report(self, attributes: dict[str, Any], method: str = "PATCH") -> httpx.Response:
        return self.request(method, ATTRIBUTES, json=[{"name": n, "value": v} for n, v in attributes.items()])

    def status(self, deployment_id: str, status: str, substate: str | None = None) -> httpx.Response:
        body = {"status": status} | ({"substate": substate} if substate is not None else {})
        return self.request("PUT", f"{DEPLOYMENTS}/{deployment_id}/status", json=body)

    def log(self, deployment_id: str, *messages: str) -> httpx.Response:
        lines = [{"timestamp": "2026-01-20T10:00:00Z", "level": "info", "message": text} for text in messages]
        return self.request("PUT", f"{DEPLOYMENTS}/{deployment_id}/log", json={"messages": lines})
