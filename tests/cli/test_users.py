"""People are let in from the shell, whether or not the server runs."""

from __future__ import annotations

import re
import uuid

import httpx
import pytest

from house.program import Program, Server, run
from house.world import LOGIN, USERADM

EMAIL, PASSWORD = "ada@acme.example", "correct horse battery staple"


def log_in(url: str, email: str = EMAIL, password: str = PASSWORD) -> httpx.Response:
    return httpx.post(url + LOGIN, auth=(email, password))


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def test_a_user_made_before_the_first_start_is_the_only_one(data):
    made = run("user", "create", "--email", EMAIL, "--data", data, input_=f"{PASSWORD}\n")

    assert made.code == 0, made.err
    assert str(uuid.UUID(made.out.strip())) + "\n" == made.out
    assert made.err == ""
    with Server(data) as server:
        assert "first start" not in server.out
        assert log_in(server.url).status_code == 200
        assert server.stop() == 0
    listed = run("user", "list", "--data", data)
    assert [EMAIL in listed.out, "@" in listed.out.replace(EMAIL, "")] == [True, False]


def test_the_first_start_shows_a_password_once_and_only_once(data):
    with Server(data) as server:
        email = re.search(r"e-mail\s+(\S+)", server.out).group(1)
        password = re.search(r"password {2,}(\S+)", server.out).group(1)
        assert log_in(server.url, email, password).status_code == 200
        assert server.out.count(password) == 1
        assert password not in server.err
        server.stop()

    with Server(data) as again:
        assert "password" not in again.out + again.err
        assert log_in(again.url, email, password).status_code == 200


def test_users_are_made_listed_and_given_passwords_while_the_server_runs(data):
    with Server(data) as server:
        made = run("user", "create", "--email", EMAIL, "--password", PASSWORD, "--role", "RBAC_ROLE_CI", "--data", data)
        token = log_in(server.url).text
        me = httpx.get(f"{server.url}{USERADM}/users/me", headers={"Authorization": f"Bearer {token}"})
        assert me.json()["id"] == made.out.strip()

        changed = run("user", "password", "--email", EMAIL.upper(), "--password", "another password", "--data", data)

        assert changed.code == 0, changed.err
        assert log_in(server.url).status_code == 401
        assert log_in(server.url, password="another password").status_code == 200
        listed = run("user", "list", "--data", data).out
        assert EMAIL in listed
        assert "RBAC_ROLE_CI" in listed
        again = run("user", "create", "--email", EMAIL, "--password", PASSWORD, "--data", data)
        assert (again.code, again.err) == (2, "fairlead: user with a given email already exists\n")


def test_two_who_begin_at_once_on_an_empty_folder_do_not_get_in_each_others_way(data):
    both = [
        Program("user", "create", "--email", f"{n}@acme.example", "--password", PASSWORD, "--data", data) for n in "ab"
    ]

    done = [program.finish() for program in both]

    assert [(each.code, each.err) for each in done] == [(0, ""), (0, "")]
    listed = run("user", "list", "--data", data).out
    assert "a@acme.example" in listed
    assert "b@acme.example" in listed
