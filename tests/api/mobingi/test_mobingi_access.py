"""`POST /v3/access_token`, and whose tokens are taken where."""

from __future__ import annotations

import json

import httpx
import pytest

from fairlead.domain import identity
from house.accounts import document
from house.mobingi import Town, settle_in
from house.world import DEVAUTH, PASSWORD, USERADM, Mender, Person

TOKEN = "/v3/access_token"


@pytest.fixture
def town(server, mender: Mender) -> Town:
    return settle_in(server, mender.client)


def shown(town: Town, **more: str) -> dict[str, str]:
    account = town.account
    said = {"client_id": account.client_id, "client_secret": account.client_secret, "grant_type": "client_credentials"}
    return said | more


def as_person(town: Town, username: str, password: str = PASSWORD) -> dict[str, str]:
    return shown(town, grant_type="password", username=username, password=password)


def ask(town: Town, **said: str) -> httpx.Response:
    return town.client.post(TOKEN, json=said)


@pytest.mark.parametrize("form", ["json", "urlencoded", "multipart", "json that calls itself a form"])
@pytest.mark.parametrize("who", ["master", "member", "program"])
def test_a_token_is_given_whichever_way_the_credentials_are_written(town, form, who):
    town.account.add("kim")
    said = {
        "master": as_person(town, town.account.email),
        "member": as_person(town, "kim"),
        "program": shown(town),
    }[who]
    written = {
        "json": {"json": said},
        "urlencoded": {"data": said},
        "multipart": {"files": {name: (None, value) for name, value in said.items()}},
        "json that calls itself a form": {
            "content": json.dumps(said),
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
    }[form]

    reply = town.client.post(TOKEN, **written)

    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    body = reply.json()
    token = body.pop("access_token")
    assert body == {"token_type": "Bearer", "expires_in": 43200}
    assert Person(town.client, token).get("/v3/role/templates").status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "lg-5447820c870e1-xBV0OpTEN-tm"}, 401, "invalid_client"),
        ({"client_id": "mo-5447820c870e1-xBV0OpTEN-tk"}, 401, "invalid_client"),
        ({"grant_type": "password", "username": "kim", "password": "wrong"}, 401, "invalid_credentials"),
        ({"grant_type": "password", "username": "nobody", "password": PASSWORD}, 401, "invalid_credentials"),
        (
            {"grant_type": "password", "username": "kim", "password": PASSWORD, "client_id": "mo-1"},
            401,
            "invalid_client",
        ),
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"client_id": ""}, 400, "invalid_request"),
        ({"client_secret": ""}, 400, "invalid_request"),
        ({"grant_type": "password", "password": PASSWORD}, 400, "invalid_request"),
        ({"grant_type": "password", "username": "kim"}, 400, "invalid_request"),
    ],
)
def test_what_is_wrong_is_said_in_oauths_words(town, change, status, error):
    town.account.add("kim")

    reply = ask(town, **shown(town, **change))

    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert set(reply.json()) >= {"code", "error", "message", "description"}
    assert PASSWORD not in reply.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"grant_type": {}}', b"\xff\xfe", b"a=b", b'{"grant_type": "\\u0000"}']
)
def test_a_body_that_says_nothing_is_refused(town, body):
    for content_type in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        reply = town.client.post(TOKEN, content=body, headers={"Content-Type": content_type} if content_type else {})

        assert reply.status_code == 400, (content_type, reply.text)
        assert set(reply.json()) >= {"code", "error", "message", "description"}


def test_after_too_many_failures_it_is_said_when_to_come_back(town):
    for _ in range(10):
        assert ask(town, **as_person(town, town.account.email, "wrong")).status_code == 401

    reply = ask(town, **as_person(town, town.account.email))

    assert reply.status_code == 429
    assert 0 < int(reply.headers["retry-after"]) <= 300


def test_a_role_that_forbids_the_login_is_answered_as_what_roles_forbid(town):
    town.account.add("kim", document("Deny user:consoleLoginUser *", "Allow * *"))

    reply = ask(town, **as_person(town, "kim"))

    assert (reply.status_code, reply.json()["RBAC"]) == (403, "Action not allowed")


def test_tokens_of_the_one_api_are_refused_by_the_other(town, mender, acme):
    town.account.add("kim")
    device = acme.device("door")
    ours = [town.master, town.as_("kim"), town.program()]
    theirs = [mender.as_("ada"), Person(mender.client, device.token), Person(mender.client, acme.tenant.token)]

    for person in ours:
        assert person.get("/v3/role/templates").status_code == 200
        assert person.get(f"{USERADM}/users/me").status_code == 401
        assert person.get(f"{DEVAUTH}/devices").status_code == 401
        assert person.get("/api/devices/v1/deployments/device/deployments/next").status_code == 401
    for person in theirs:
        assert person.get("/v3/role/templates").status_code == 401
        assert person.get("/v3/role").status_code == 401


def test_a_token_is_refused_with_the_next_request_after_its_end(town):
    kim = town.member("kim")
    database, scope = town.server.fairlead.database, town.account.system
    assert kim.get("/v3/user/role").status_code == 200

    with database.begin(scope) as tx:
        identity.remove_member(tx, "kim")

    reply = kim.get("/v3/user/role")
    assert (reply.status_code, reply.json()["error"]) == (401, "access_denied")
    assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", [None, "", "Bearer", "bearer nothing", "Basic YTpi", "Bearer a.b.c", "Bearer \xff"])
def test_without_a_good_token_nobody_is_let_in(town, header):
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}

    for path in ("/v3/role", "/v3/role/templates", "/v3/user/role", "/v3/user", "/v3/user/kim/role"):
        assert town.client.get(path, headers=headers).status_code == 401
