"""Is this the password?"""

from __future__ import annotations

import os
from base64 import b64encode

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

_argon2id = PasswordHasher()


def _hash_of_nothing() -> str:
    """Looks like a hash and takes as long to compare, without the time to make a real one at each start."""
    salt, digest = (
        b64encode(os.urandom(size)).decode().rstrip("=") for size in (_argon2id.salt_len, _argon2id.hash_len)
    )
    costs = f"m={_argon2id.memory_cost},t={_argon2id.time_cost},p={_argon2id.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"


_nobody = _hash_of_nothing()


def hash_password(password: str) -> str:
    """The argon2id hash that is kept instead of the password. Takes about 20 ms on purpose."""
    return _argon2id.hash(password)


def matches(password: str, kept_hash: str) -> bool:
    """Whether the password is the one that was hashed. Imported bcrypt hashes are understood as well."""
    if kept_hash.startswith("$2"):
        return bcrypt.checkpw(password.encode()[:72], kept_hash.encode())
    try:
        return _argon2id.verify(kept_hash, password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def take_as_long(password: str) -> None:
    """Spend the time of a comparison, so that an unknown e-mail cannot be told from a wrong password."""
    matches(password, _nobody)
