"""How does a test speak as a device? With the device's own key, for what the daemon keeps to itself."""

import base64
import json

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from .device import DEVICE_TYPE, FIRST_ARTIFACT, RealDevice
from .server import RealServer


class Voice:
    """A device's key, kept apart from its daemon, which may be stopped or have another key by now."""

    def __init__(self, device: RealDevice, server: RealServer) -> None:
        self._identity = json.dumps({"mac": device.mac})
        self._key = serialization.load_pem_private_key(device.key.read_bytes(), None)
        self._http = httpx.Client(base_url=server.url, verify=False)

    @property
    def public_key(self) -> str:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    def log_in(self) -> httpx.Response:
        asked = {"id_data": self._identity, "pubkey": self.public_key, "tenant_token": ""}
        body = json.dumps(asked).encode()
        headers = {"Content-Type": "application/json", "X-MEN-Signature": base64.b64encode(self._sign(body)).decode()}
        return self._http.post("/api/devices/v1/authentication/auth_requests", content=body, headers=headers)

    def ask_for_updates(self, token: str) -> int:
        """The status code of a poll with this token."""
        reply = self._http.get(
            "/api/devices/v1/deployments/device/deployments/next",
            params={"artifact_name": FIRST_ARTIFACT, "device_type": DEVICE_TYPE},
            headers={"Authorization": f"Bearer {token}"},
        )
        return reply.status_code

    def _sign(self, body: bytes) -> bytes:
        match self._key:
            case rsa.RSAPrivateKey():
                return self._key.sign(body, padding.PKCS1v15(), hashes.SHA256())
            case ec.EllipticCurvePrivateKey():
                return self._key.sign(body, ec.ECDSA(hashes.SHA256()))
            case _:
                raise AssertionError("the client makes no such key")
