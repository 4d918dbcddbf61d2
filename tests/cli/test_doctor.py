"""Is everything as the server needs it?"""

from __future__ import annotations

import socket

import pytest

from house.mail import SmtpStandIn
from house.program import make_certificate, run

CHECKS = 11


def test_a_new_installation_is_well_and_is_not_touched(tmp_path):
    found = run("doctor", "--data", tmp_path / "data")

    assert found.code == 0, found.out + found.err
    assert found.out.count("✓") == CHECKS
    assert "Everything is as it should be." in found.out
    assert not (tmp_path / "data").exists()


def test_what_runs_on_this_host_is_told_with_who_it_runs_as(tmp_path):
    one = run("doctor", "--data", tmp_path / "data", "--job-slots", 3)
    many = run("doctor", "--data", tmp_path / "data", "--multitenant")

    told = {line.split(": ")[0][2:]: line.partition(": ")[2] for line in one.out.splitlines() if ": " in line}
    assert told["scientific jobs"].startswith("3 at a time on this machine, ")
    assert "sandbox" in told["scientific jobs"]
    assert told["stacks"].startswith("those of local run on this host, as ")
    assert "scientific jobs: none is run on this host" in many.out
    assert "stacks: none is run on this host" in many.out
    assert not (tmp_path / "data").exists()


def test_an_installation_that_was_used_is_well(tmp_path):
    run("user", "create", "--email", "ada@acme.example", "--password", "correct horse", "--data", tmp_path)

    found = run("doctor", "--data", tmp_path)

    assert found.code == 0, found.out + found.err
    assert "is up to date" in found.out


def test_everything_that_is_wrong_is_told_on_its_own_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "tokens.pem").write_text("nonsense")
    certificate = ("--tls-cert", tmp_path / "file", "--tls-key", tmp_path / "file")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = run(
            *("doctor", "--data", tmp_path, "--database", "postgresql://ada:secret@127.0.0.1:1/name", *certificate),
            *("--blobs", tmp_path / "file" / "blobs", "--listen", f"127.0.0.1:{taken.getsockname()[1]}"),
            *("--internal-listen", "0.0.0.0:0"),
        )

    assert found.code == 1
    for name in ("database", "payload store", "keys", "internal API", "certificate"):
        assert f"✗ {name}: " in found.out
    assert "answers already" in found.out
    assert f"5 of {CHECKS} checks found something to mend." in found.out
    assert "secret" not in found.out
    assert found.err == ""
    assert len([line for line in found.out.splitlines() if line]) == CHECKS + 1


def test_a_mail_server_is_spoken_to(tmp_path):
    mail = ("--mail-from", "a@b.example", "--smtp-security", "none", "--smtp-user", "u", "--smtp-password", "pass word")
    with SmtpStandIn(login=("u", "pass word")) as stand_in:
        where = ("--smtp-host", "127.0.0.1", "--smtp-port", stand_in.port)
        well = run("doctor", "--data", tmp_path, *mail, *where)
        stand_in.login = ("u", "another")
        unwell = run("doctor", "--data", tmp_path, *mail, *where)

    assert (well.code, f"✓ mail: 127.0.0.1:{stand_in.port}" in well.out) == (0, True)
    assert (unwell.code, "SMTPAuthenticationError 535" in unwell.out, "pass word" in unwell.out) == (1, True, False)
    assert stand_in.received == []


@pytest.mark.parametrize(("days", "code"), [(3, 1), (300, 0)])
def test_a_certificate_that_runs_out_soon_is_told(tmp_path, days, code):
    certificate, key = make_certificate(tmp_path, days)

    found = run("doctor", "--data", tmp_path, "--tls-cert", certificate, "--tls-key", key)

    assert found.code == code
    assert ("renew it" in found.out) is (code == 1)
