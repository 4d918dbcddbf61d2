"""How are secrets kept at rest? Encrypted with a key that is not in the database."""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fairlead.base.errors import Kind, Refusal

_NONCE_BYTES = 12


class SealBroken(Refusal):
    """Kept with another key, or changed since: the keys folder and the database do not belong together."""

    kind = Kind.UNAVAILABLE
    message = "A secret cannot be read with this installation's key: restore the keys folder that belongs to the data."


class Seal:
    """AES-256-GCM. What is sealed `for_what` opens only for the same."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def close(self, secret: bytes, for_what: str) -> str:
        """The secret as a text that can be stored anywhere."""
        nonce = os.urandom(_NONCE_BYTES)
        return urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, secret, for_what.encode())).decode()

    def open(self, sealed: str, for_what: str) -> bytes:
        """The secret, or `SealBroken`."""
        try:
            content = urlsafe_b64decode(sealed)
            return self._cipher.decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], for_what.encode())
        except (InvalidTag, ValueError):
            raise SealBroken from None
