"""Did the holder of this key sign these bytes?

The rules of `POST auth_requests` in the reference: RSA (PKCS#1 v1.5) and ECDSA (ASN.1) over SHA-256 of the body,
Ed25519 over the body itself; the signature in base64.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from fairlead.domain.devices.model import BadPublicKey, BadSignature

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

LONGEST_KEY = 16 * 1024
_MOST_RSA_BITS = 8192
_LEAST_RSA_BITS = 1024
_PADDING = padding.PKCS1v15()
_SHA256 = hashes.SHA256()
_ECDSA = ec.ECDSA(_SHA256)


def read_public_key(pem: str) -> PublicKey:
    """The key in a PEM text, or `BadPublicKey` for anything but RSA, ECDSA and Ed25519 keys of sane size."""
    if len(pem) > LONGEST_KEY:
        raise BadPublicKey
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadPublicKey from None
    if not isinstance(key, PublicKey):
        raise BadPublicKey
    if isinstance(key, rsa.RSAPublicKey) and not _LEAST_RSA_BITS <= key.key_size <= _MOST_RSA_BITS:
        raise BadPublicKey
    return key


def normal_pem(key: PublicKey) -> str:
    """The one way in which we write this key, so that two spellings of it are the same key."""
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


def verify(key: PublicKey, signature: str, message: bytes) -> None:
    """Raises `BadSignature` unless the key's holder signed exactly this message."""
    try:
        raw = base64.b64decode(signature, validate=True)
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(raw, message, _PADDING, _SHA256)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(raw, message, _ECDSA)
        else:
            key.verify(raw, message)
    except (InvalidSignature, binascii.Error, ValueError):
        raise BadSignature from None


@lru_cache(maxsize=1024)
def normalised(pem: str) -> str:
    """`normal_pem` of a text; for the management side, where the same key is seen again and again."""
    return normal_pem(read_public_key(pem))
