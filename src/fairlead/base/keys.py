"""Where do the secrets live that the database must not hold?

In a folder of their own, readable by the server's user only: made at the first start, kept ever after. Several
processes of one installation share the folder's content.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from fairlead.base.errors import Kind, Refusal


class BadKey(Refusal):
    kind = Kind.UNAVAILABLE
    message = "The key file {file} cannot be used: {reason}. Restore it from a backup of the keys folder."


class KeysCannotBeKept(Refusal):
    kind = Kind.UNAVAILABLE
    message = "The keys folder {folder} cannot be used: {reason}. It must belong to the user of this process."


class KeyFolder:
    """Keys by name. A missing one is made; a broken one is refused and never replaced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rsa(self, name: str) -> RSAPrivateKey:
        """An RSA key of 2048 bits, for the RS256 tokens that Mender's clients read."""
        key = self._private(name, lambda: generate_private_key(public_exponent=65537, key_size=2048))
        if not isinstance(key, RSAPrivateKey):
            raise BadKey(file=self._path(name), reason="it is not an RSA key")
        return key

    def ed25519(self, name: str) -> Ed25519PrivateKey:
        """An Ed25519 key, for our own signatures."""
        key = self._private(name, Ed25519PrivateKey.generate)
        if not isinstance(key, Ed25519PrivateKey):
            raise BadKey(file=self._path(name), reason="it is not an Ed25519 key")
        return key

    def secret(self, name: str) -> bytes:
        """A key of 256 bits for `Seal`, kept as hexadecimal digits."""
        path = self.folder / f"{name}.key"
        try:
            if not path.exists():
                self._write_once(path, os.urandom(32).hex().encode() + b"\n")
            key = bytes.fromhex(path.read_text("ascii").strip())
        except OSError as problem:
            raise KeysCannotBeKept(folder=self.folder, reason=problem.strerror) from None
        except ValueError:
            raise BadKey(file=path, reason="it does not hold hexadecimal digits") from None
        if len(key) != 32:
            raise BadKey(file=path, reason="it does not hold 256 bits")
        return key

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def _private(self, name: str, make: Callable[[], RSAPrivateKey | Ed25519PrivateKey]) -> object:
        path = self._path(name)
        try:
            if not path.exists():
                self._write_once(path, _pem(make()))
        except OSError as problem:
            raise KeysCannotBeKept(folder=self.folder, reason=problem.strerror) from None
        try:
            return serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError, OSError) as problem:
            raise BadKey(file=path, reason=str(problem).split("\n")[0] or "unreadable") from None

    def _write_once(self, path: Path, content: bytes) -> None:
        """Complete or not at all, and never over a key that another process has just made."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=self.folder, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(aside, path)
            except FileExistsError:
                return
        finally:
            os.unlink(aside)
        _make_durable(self.folder)


def _make_durable(folder: Path) -> None:
    """A key that has signed something must not be lost: write down the names in the folder, too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _pem(key: RSAPrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
