"""Who is simulated device number 4711? Always the same one: its address and its key follow from seed and number."""

import base64
import functools
import hashlib
import os
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

LAST_INDEX = (1 << 24) - 1
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

AnyKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class KeyType(StrEnum):
    ED25519 = "ed25519"
    EC = "ec"
    RSA = "rsa"


class KeyRing(Protocol):
    def find(self, index: int) -> AnyKey: ...


class DerivedKeys:
    """Keys made again from the seed whenever they are needed: a fleet of any size costs no memory for them."""

    def __init__(self, seed: str, key_type: KeyType) -> None:
        self.seed = seed
        self.key_type = key_type

    def find(self, index: int) -> AnyKey:
        secret = _derive(self.seed, f"key {self.key_type} {index}")
        if self.key_type is KeyType.ED25519:
            return ed25519.Ed25519PrivateKey.from_private_bytes(secret)
        return ec.derive_private_key(int.from_bytes(secret) % (P256_ORDER - 1) + 1, ec.SECP256R1())


class KeptKeys:
    """RSA keys cannot be derived from a number, so each is made once and kept in a folder."""

    def __init__(self, folder: Path, seed: str, size_bits: int = 3072) -> None:
        self.folder = folder / f"rsa-{_derive(seed, 'folder').hex()[:12]}"
        self.size_bits = size_bits
        self.folder.mkdir(parents=True, exist_ok=True)

    def find(self, index: int) -> AnyKey:
        path = self._path(index)
        if not path.exists():
            self.make(index)
        key = serialization.load_pem_private_key(path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key

    def missing(self, indexes: range) -> list[int]:
        return [index for index in indexes if not self._path(index).exists()]

    def make(self, index: int) -> None:
        """Write aside and rename: a run that is interrupted never leaves half a key."""
        key = rsa.generate_private_key(65537, self.size_bits)
        aside = self._path(index).with_suffix(".new")
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
            )
        aside.rename(self._path(index))

    def _path(self, index: int) -> Path:
        return self.folder / f"{index:08}.pem"


class Addresses:
    """MAC addresses that carry the fleet and the number, so that a device is recognized without a list of them all."""

    def __init__(self, seed: str, prefix: str) -> None:
        fleet = _derive(seed, "fleet")
        self.start = f"{prefix}02:{fleet[0]:02x}:{fleet[1]:02x}:"

    def mac(self, index: int) -> str:
        return f"{self.start}{index >> 16 & 255:02x}:{index >> 8 & 255:02x}:{index & 255:02x}"

    def index(self, mac: object) -> int | None:
        if not isinstance(mac, str) or not mac.startswith(self.start):
            return None
        try:
            return int(mac.removeprefix(self.start).replace(":", ""), 16)
        except ValueError:
            return None


class Identities:
    """What a device says to be let in: its identity, its public key, and the signature over exactly these bytes."""

    def __init__(self, addresses: Addresses, keys: KeyRing, tenant_token: str = "") -> None:
        self.addresses = addresses
        self.keys = keys
        self.tenant_token = tenant_token

    def auth_request(self, index: int) -> tuple[bytes, bytes]:
        key = self.keys.find(index)
        body = msgspec.json.encode(
            {
                "id_data": msgspec.json.encode({"mac": self.addresses.mac(index)}).decode(),
                "tenant_token": self.tenant_token,
                "pubkey": _public_pem(key),
            }
        )
        return body, base64.b64encode(sign(key, body))


def sign(key: AnyKey, message: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(hashes.SHA256()))
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def _public_pem(key: AnyKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


@functools.lru_cache(maxsize=8)
def _base(seed: str) -> bytes:
    return hashlib.blake2b(seed.encode(), digest_size=32, person=b"fairlead-fleet").digest()


def _derive(seed: str, what: str) -> bytes:
    return hashlib.blake2b(what.encode(), key=_base(seed), digest_size=32).digest()


def share(seed: str, what: str) -> float:
    """A number from 0 to 1 that looks random and is the same in every run with this seed."""
    return int.from_bytes(_derive(seed, what)[:7]) / (1 << 56)
