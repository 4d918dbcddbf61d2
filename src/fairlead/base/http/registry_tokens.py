"""How does a Docker registry know that a token was issued here?

It is given our certificate once (`rootcertbundle` in its configuration), and finds in the token's header which key of
the bundle has signed it: `kid` is the key's name as Docker's registry makes it up, 30 bytes of a SHA-256 in base32.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey

ISSUER = "fairlead"
LIFETIME = timedelta(minutes=5)
_CERTIFICATE_FROM = datetime(2020, 1, 1, tzinfo=UTC)
_CERTIFICATE_UNTIL = datetime(2060, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Access:
    """Some actions on one thing in a registry: `repository`, `acme/web`, `pull` and `push`."""

    type: str
    name: str
    actions: Sequence[str]


class RegistryTokens:
    """Issues tokens for registries, and tells them apart from everything else by a key of their own."""

    def __init__(self, key: RSAPrivateKey) -> None:
        self._key = key
        self._header = {"typ": "JWT", "alg": "RS256", "kid": key_id(key)}

    def issue(self, subject: str, service: str, access: Sequence[Access], now: datetime) -> str:
        """A token that allows just this, at this service."""
        at = int(now.timestamp())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": subject,
            "aud": service,
            "exp": at + int(LIFETIME.total_seconds()),
            "nbf": at - 10,
            "iat": at,
            "jti": str(uuid.uuid4()),
            "access": [{"type": each.type, "name": each.name, "actions": list(each.actions)} for each in access],
        }
        return jwt.encode(self._header, claims, RSAKey.import_key(self._key))

    def certificate(self) -> bytes:
        """The certificate, in PEM, that a registry is to trust. For the same key it is always the same."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ISSUER)])
        public_key = self._key.public_key()
        builder = x509.CertificateBuilder(
            issuer_name=name,
            subject_name=name,
            public_key=public_key,
            serial_number=int.from_bytes(_digest(self._key)[:16], "big") >> 1,
            not_valid_before=_CERTIFICATE_FROM,
            not_valid_after=_CERTIFICATE_UNTIL,
        ).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def key_id(key: RSAPrivateKey) -> str:
    """`ABCD:EFGH:…`, twelve groups of four."""
    text = base64.b32encode(_digest(key)[:30]).decode()
    return ":".join(text[start : start + 4] for start in range(0, len(text), 4))


def _digest(key: RSAPrivateKey) -> bytes:
    kinds = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_key().public_bytes(*kinds)).digest()
