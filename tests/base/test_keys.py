"""Keys are made once, kept to ourselves, and never replaced."""

import subprocess
import sys
import threading

import pytest
from cryptography.hazmat.primitives import serialization

from fairlead.base.keys import BadKey, KeyFolder, KeysCannotBeKept


def public(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_key_is_made_once_and_then_the_same(tmp_path, kind):
    first = getattr(KeyFolder(tmp_path / "new" / "keys"), kind)("it")
    again = getattr(KeyFolder(tmp_path / "new" / "keys"), kind)("it")

    assert public(first) == public(again)


def test_only_the_server_can_read_its_keys(tmp_path):
    KeyFolder(tmp_path / "keys").ed25519("links")

    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert [(each.name, each.stat().st_mode & 0o777) for each in (tmp_path / "keys").iterdir()] == [
        ("links.pem", 0o600)
    ]


def test_threads_that_race_end_up_with_one_key(tmp_path):
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(public(KeyFolder(tmp_path).ed25519("it")))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 16
    assert len(set(made)) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["it.pem"]


def test_processes_that_race_end_up_with_one_key(tmp_path):
    code = (
        "import sys, pathlib; from fairlead.base.keys import KeyFolder; sys.stdin.read();"
        "print(KeyFolder(pathlib.Path(sys.argv[1])).rsa('tokens').public_key().public_numbers().n)"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=-1, stdout=-1, start_new_session=True)
        for _ in range(3)
    ]
    answers = {process.communicate(b"go", timeout=30)[0] for process in processes}

    assert len(answers) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["tokens.pem"]


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_broken_key_is_refused_and_left_alone(tmp_path, content):
    (tmp_path / "tokens.pem").write_bytes(content)

    with pytest.raises(BadKey) as refused:
        KeyFolder(tmp_path).rsa("tokens")

    assert "backup" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert (tmp_path / "tokens.pem").read_bytes() == content


def test_a_key_of_another_kind_is_refused(tmp_path):
    KeyFolder(tmp_path).ed25519("tokens")
    KeyFolder(tmp_path).rsa("links")

    with pytest.raises(BadKey, match="not an RSA key"):
        KeyFolder(tmp_path).rsa("tokens")
    with pytest.raises(BadKey, match="not an Ed25519 key"):
        KeyFolder(tmp_path).ed25519("links")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(KeysCannotBeKept, match="directory"):
        KeyFolder(tmp_path / "file" / "keys").rsa("tokens")
