"""With which keys do people log in to the instances of a layer?"""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

BITS = 2048


def new_key_pair(name: str) -> tuple[str, str]:
    """A private key as PEM, in the form that the oldest ssh reads, and the public one as a line for authorized_keys."""
    key = generate_private_key(public_exponent=65537, key_size=BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), f"{public.decode()} {name}"
