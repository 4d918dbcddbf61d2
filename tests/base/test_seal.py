"""What is sealed can be read by whoever has the key, for what it was sealed for, and by nobody else."""

import base64

import pytest

from fairlead.base.errors import Kind
from fairlead.base.keys import BadKey, KeyFolder
from fairlead.base.seal import Seal, SealBroken

KEY = bytes(range(32))


def test_a_secret_comes_back_as_it_was():
    seal = Seal(KEY)

    for secret in (b"", b"a secret", b"\0\xff" * 5000):
        assert seal.open(seal.close(secret, "a test"), "a test") == secret


def test_what_is_stored_is_text_that_says_nothing_and_is_never_the_same():
    seal = Seal(KEY)

    first, second = (seal.close(b"a secret", "a test") for _ in range(2))

    assert first != second
    assert first.isascii()
    assert b"secret" not in base64.urlsafe_b64decode(first)


def test_another_key_does_not_open_it():
    with pytest.raises(SealBroken, match="keys folder") as refused:
        Seal(bytes(32)).open(Seal(KEY).close(b"a secret", "a test"), "a test")

    assert refused.value.kind is Kind.UNAVAILABLE


def test_it_opens_for_nothing_else():
    with pytest.raises(SealBroken):
        Seal(KEY).open(Seal(KEY).close(b"a secret", "ada"), "ben")


@pytest.mark.parametrize("position", [0, 11, 12, 20, -1])
def test_a_changed_byte_is_noticed(position):
    content = bytearray(base64.urlsafe_b64decode(Seal(KEY).close(b"a secret", "a test")))
    content[position] ^= 1

    with pytest.raises(SealBroken):
        Seal(KEY).open(base64.urlsafe_b64encode(content).decode(), "a test")


@pytest.mark.parametrize("sealed", ["", "x", "AAAA", "ü", "not base64 at all!", "A" * 16])
def test_what_was_never_sealed_does_not_open(sealed):
    with pytest.raises(SealBroken):
        Seal(KEY).open(sealed, "a test")


def test_the_key_is_made_once_and_only_for_us(tmp_path):
    first = KeyFolder(tmp_path / "keys").secret("secrets")
    file = tmp_path / "keys" / "secrets.key"

    assert KeyFolder(tmp_path / "keys").secret("secrets") == first
    assert len(first) == 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert bytes.fromhex(file.read_text()) == first


@pytest.mark.parametrize("content", ["", "nonsense", "00" * 31, "00" * 33])
def test_a_broken_key_is_refused_and_left_alone(tmp_path, content):
    (tmp_path / "secrets.key").write_text(content)

    with pytest.raises(BadKey, match="backup"):
        KeyFolder(tmp_path).secret("secrets")

    assert (tmp_path / "secrets.key").read_text() == content
