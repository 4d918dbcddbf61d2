"""Is this the password?"""

from __future__ import annotations

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

_argon2id = PasswordHasher()
_nobody = _argon2id.hash("nobody has this password")


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
