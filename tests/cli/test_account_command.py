"""Accounts for /v3 are set up from the shell, while the server runs."""

from __future__ import annotations

import json
import re
import shlex

import httpx
import pytest

from house.program import Finished, Server, run
from house.world import LOGIN, PASSWORD

EMAIL = "ada@acme.example"


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def account(data, *arguments: str, input_: str = "") -> Finished:
    return run("account", *arguments, "--data", data, input_=input_)


def told(data, *arguments: str, input_: str = "") -> dict[str, str]:
    """What a command prints as names and values."""
    done = account(data, *arguments, input_=input_)
    assert (done.code, done.err) == (0, "")
    return dict(re.findall(r"^([a-z ]+?) {2,}(\S+)", done.out, re.MULTILINE))


def enter(server: Server, client: dict[str, str], username: str = "", password: str = "") -> httpx.Response:
    said = {"client_id": client["client id"], "client_secret": client["client secret"]}
    said |= {"grant_type": "password", "username": username, "password": password}
    return httpx.post(f"{server.url}/v3/access_token", json=said)


def status(server: Server, reply: httpx.Response) -> int:
    headers = {"Authorization": f"Bearer {reply.json()['access_token']}"}
    return httpx.get(f"{server.url}/v3/user", headers=headers).status_code


def test_a_master_a_user_and_a_client_are_set_up_while_the_server_runs(data):
    with Server(data) as server:
        master = told(data, "create", "--email", EMAIL)
        user = told(data, "user", "add", "kim")
        client = told(data, "client", "add", "--name", "laptop")

        assert re.fullmatch("[0-9a-f]{13}", master["account"])
        assert client["client id"].startswith(f"lg-{master['account']}-")
        as_master, as_user = (
            enter(server, client, EMAIL, master["password"]),
            enter(server, client, "kim", user["password"]),
        )
        assert (status(server, as_master), status(server, as_user)) == (200, 200)
        assert httpx.post(server.url + LOGIN, auth=(EMAIL, master["password"])).status_code == 200

        changed = told(data, "user", "password", "kim")
        assert status(server, as_user) == 401
        assert enter(server, client, "kim", user["password"]).status_code == 401
        again = enter(server, client, "kim", changed["password"])
        assert status(server, again) == 200

        assert account(data, "user", "remove", "kim").code == 0
        assert status(server, again) == 401
        assert account(data, "client", "remove", client["client id"]).code == 0
        assert enter(server, client, EMAIL, master["password"]).status_code == 401
        assert status(server, as_master) == 200
        said = server.out + server.err
        assert not any(secret in said for secret in (master["password"], user["password"], client["client secret"]))


def test_tokens_outlive_the_server(data):
    with Server(data) as server:
        master, client = told(data, "create", "--email", EMAIL), told(data, "client", "add")
        told(data, "user", "add", "kim", "--password", PASSWORD)
        replies = [enter(server, client, EMAIL, master["password"]), enter(server, client, "kim", PASSWORD)]
        server.kill()

    with Server(data) as again:
        assert [status(again, reply) for reply in replies] == [200, 200]


def test_passwords_are_taken_as_given_or_from_a_pipe_and_then_not_told(data):
    given = account(data, "create", "--email", EMAIL, "--password", PASSWORD)
    piped = account(data, "user", "add", "kim", "--password", "-", input_=f"{PASSWORD}\n")
    short = account(data, "user", "add", "lee", "--password", "short")

    assert (given.code, piped.code, short.code) == (0, 0, 2)
    assert "password" not in given.out + piped.out
    assert short.err == "fairlead: password too short\n"


def test_a_master_who_is_there_stays_as_they_are(data):
    first = told(data, "create", "--email", EMAIL, "--password", PASSWORD)

    again = account(data, "create", "--email", EMAIL.upper())

    assert again.code == 0
    assert first["account"] in again.out
    assert "was there" in again.out
    assert "password  " not in again.out
    ben = ("--email", "ben@acme.example")
    run("user", "create", *ben, "--password", PASSWORD, "--role", "RBAC_ROLE_CI", "--data", data)
    refused = account(data, "create", *ben)
    assert (refused.code, refused.out) == (2, "")
    assert "may not do everything" in refused.err


def test_what_there_is_is_shown_without_secrets(data):
    master = told(data, "create", "--email", EMAIL)
    user, client = told(data, "user", "add", "kim", "--email", "kim@acme.example"), told(data, "client", "add")

    shown, users, clients = account(data, "show"), account(data, "user", "list"), account(data, "client", "list")

    assert json.loads(shown.out) == {
        "account": master["account"],
        "tenant": "default",
        "masters": [EMAIL],
        "users": ["kim"],
        "clients": [client["client id"]],
    }
    assert all(text in users.out for text in ("kim", "kim@acme.example", "the default"))
    assert client["client id"] in clients.out
    everything = shown.out + users.out + clients.out
    assert not any(secret in everything for secret in (master["password"], user["password"], client["client secret"]))


def test_a_client_comes_with_the_line_that_logs_in_with_it(data):
    made = account(data, "client", "add", "--public-url", "https://fairlead.example.com")
    shown = dict(re.findall(r"^(client \w+) +(\S+)$", made.out, re.MULTILINE))

    words = shlex.split(made.out.splitlines()[-1])

    assert words[:2] == ["curl", "https://fairlead.example.com/v3/access_token"]
    assert dict(word.split("=", 1) for word in words[3::2]) == {
        "client_id": shown["client id"],
        "client_secret": shown["client secret"],
        "grant_type": "password",
        "username": "NAME",
        "password": "PASSWORD",
    }
    assert "mobingi-cli" not in made.out, "its login would send the secret to Mobingi"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("create", "--email", "nobody"), "nobody does not validate as email"),
        (("create", "--email", EMAIL, "--tenant-id", "acme"), "tenant not found"),
        (("user", "add", "k@m"), "username: must be without @"),
        (("user", "remove", "kim"), "there is no user kim"),
        (("user", "password", "kim"), "there is no user kim"),
        (("client", "remove", "lg-nothing"), "there is no client lg-nothing"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(data, arguments, reason):
    refused = account(data, *arguments)

    assert (refused.code, refused.out) == (2, "")
    assert reason in refused.err
    assert refused.err.count("\n") == 1


def test_each_organization_has_an_account_of_its_own(data):
    create = ("tenant", "create", "--multitenant", "--data", data, "--password", PASSWORD, "--name")
    ids = [run(*create, name, "--email", f"ada@{name}.example").out.strip() for name in ("acme", "zenith")]
    with Server(data, "--multitenant") as server:
        many = [("--multitenant", "--tenant-id", id_) for id_ in ids]
        clients = [told(data, "client", "add", *options) for options in many]
        for options, password in zip(many, ("of kim of acme", "of kim of zenith"), strict=True):
            told(data, "user", "add", "kim", "--password", password, *options)

        assert enter(server, clients[0], "kim", "of kim of acme").status_code == 200
        assert enter(server, clients[1], "kim", "of kim of acme").status_code == 401
        assert enter(server, clients[1], "kim", "of kim of zenith").status_code == 200
