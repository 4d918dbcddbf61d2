"""The people of a portal are managed from the shell, whether or not the server runs."""

from __future__ import annotations

import pytest

from fairlead.base.seal import Seal
from fairlead.domain import identity
from fairlead.domain.identity import portal
from fairlead.parts import open_seal, prepare
from fairlead.settings import Settings
from house.program import run, run_many

EMAIL, PASSWORD = "ada@acme.example", "correct horse battery staple"


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    prepare(Settings(data=folder)).close()
    return folder


@pytest.fixture
def log_in(data):
    settings = Settings(data=data)
    opened = prepare(settings)
    yield lambda: _log_in(opened, open_seal(settings))
    opened.close()


def _log_in(database, seal: Seal) -> portal.SignedIn:
    given = portal.Login(EMAIL, PASSWORD, address="192.0.2.1")
    return portal.log_in(database, seal, identity.DEFAULT_TENANT_ID, given).signed_in


def test_a_user_is_added_suspended_let_in_and_made_an_administrator(data, log_in):
    added = run("portal", "user", "add", "--email", EMAIL, "--data", data, input_=f"{PASSWORD}\n")
    assert (added.code, added.out, added.err) == (0, "00000000001\n", "")
    assert not log_in().user.is_admin

    suspended = run("portal", "user", "suspend", EMAIL, "--message", "ask Bea", "--data", data)
    assert suspended.out == f"{EMAIL} is suspended.\n"
    with pytest.raises(portal.Suspended, match="ask Bea"):
        log_in()

    said = [
        run("portal", "user", "activate", "00000000001", "--data", data).out,
        run("portal", "user", "admin", EMAIL, "--data", data).out,
    ]
    assert said == [f"{EMAIL} is active.\n", f"{EMAIL} administers the portal.\n"]
    assert log_in().is_administering
    listed = run("portal", "user", "list", "--data", data).out
    assert all(word in listed for word in ("00000000001", EMAIL, "local", "active", "yes"))


def test_what_cannot_be_done_is_told_in_a_line(data, tmp_path):
    def user(*arguments: object) -> tuple[object, ...]:
        return ("portal", "user", *arguments, "--data", data)

    password = ("--password", PASSWORD)
    commands = [
        user("add", "--email", EMAIL, *password, "--admin"),
        user("add", "--email", EMAIL, *password),
        user("admin", EMAIL, "--revoke"),
        user("suspend", "nobody@acme.example"),
        user("list", "--status", "asleep"),
        user("list", "--tenant-id", "nowhere"),
        user("list", "--status", "pending"),
    ]

    done = run_many(commands)

    assert [(each.code, each.err) for each in done] == [
        (0, ""),
        (2, f"fairlead: There is a user with the e-mail {EMAIL} already.\n"),
        (2, "fairlead: This is the last administrator: make another one first.\n"),
        (2, "fairlead: There is no such user.\n"),
        (2, "fairlead: --status: 'asleep' is none of pending, active, suspended\n"),
        (2, "fairlead: tenant not found\n"),
        (0, ""),
    ]
    assert EMAIL not in done[-1].out
