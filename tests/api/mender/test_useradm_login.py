"""How does a person get in, and out again?"""

import base64
import json

import httpx
import pytest

from fairlead.domain import identity
from house.world import ADA, DEVAUTH, LOGIN, PASSWORD, USERADM, Person


def basic(text: bytes | str) -> dict[str, str]:
    raw = text.encode() if isinstance(text, str) else text
    return {"Authorization": f"Basic {base64.b64encode(raw).decode()}"}


@pytest.fixture
def email(mender, acme) -> str:
    return mender.as_(ADA).get(f"{USERADM}/users/me").json()["email"]


@pytest.fixture
def log_in(mender, email):
    def post(password: str = PASSWORD, email: str = email, **arguments) -> httpx.Response:
        return mender.client.post(LOGIN, auth=(email, password), **arguments)

    return post


def test_an_e_mail_and_its_password_are_worth_a_token(mender, acme, log_in):
    reply = log_in()

    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/jwt"
    assert Person(mender.client, reply.text).get(f"{DEVAUTH}/devices").status_code == 200


def test_the_token_says_who_it_is_for_and_for_how_long(mender, acme, log_in):
    reply = log_in()

    header, claims, _ = (base64.urlsafe_b64decode(part + "==") for part in reply.text.split("."))
    said = json.loads(claims)
    assert json.loads(header) == {"alg": "RS256", "typ": "JWT"}
    assert said.pop("exp") - said["iat"] == 604_800
    assert said.pop("nbf") == said.pop("iat")
    assert len(said.pop("jti")) == 36
    assert said == {
        "sub": mender.as_(ADA).get(f"{USERADM}/users/me").json()["id"],
        "iss": "mender.useradm",
        "scp": "mender.*",
        "mender.user": True,
        "mender.tenant": acme.tenant.id,
        "mender.plan": "enterprise",
    }


def test_capitals_in_the_e_mail_do_not_matter(log_in, email):
    assert log_in(email=email.upper()).status_code == 200


@pytest.mark.parametrize(
    ("headers"),
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Bearer abc"},
        {"Authorization": "Digest YTpi"},
        basic("nocolon"),
        basic(b"\xff\xfe:x"),
        basic("a\0@example.org:x"),
    ],
)
def test_a_missing_or_garbled_header_is_refused(standing, headers):
    reply = standing.mender.client.post(LOGIN, headers=headers)

    assert (reply.status_code, reply.json()["error"]) == (401, "invalid or missing auth header")


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD.upper(), PASSWORD + " ", "ü" * 5000])
def test_a_wrong_password_is_refused(log_in, password):
    reply = log_in(password)

    assert (reply.status_code, reply.json()["error"]) == (401, "unauthorized")


@pytest.mark.parametrize("email", ["nobody@example.org", "", "' OR 1=1 --", "ada"])
def test_an_unknown_e_mail_cannot_be_told_from_a_wrong_password(standing, email):
    reply = standing.mender.client.post(LOGIN, auth=(email, PASSWORD))

    assert (reply.status_code, reply.json()["error"]) == (401, "unauthorized")


def test_a_password_may_have_colons_and_letters_of_any_kind(mender, acme):
    body = {"email": "colon-" + mender.as_(ADA).get(f"{USERADM}/users/me").json()["email"], "password": "ü:ö:🚪 :\\"}
    assert mender.as_(ADA).post(f"{USERADM}/users", json=body).status_code == 201

    reply = mender.client.post(LOGIN, headers=basic(f"{body['email']}:{body['password']}"))

    assert reply.status_code == 200


@pytest.mark.parametrize("body", [b"", b"  ", b"{}", b'{"token2fa": "123456"}', b'{"no_expiry": true}'])
def test_what_clients_say_besides_is_no_hindrance(log_in, body):
    assert log_in(content=body, headers={"Content-Type": "application/json"}).status_code == 200


@pytest.mark.parametrize(("body", "status"), [(b"garbage", 400), (b'{"token2fa": 5}', 400), (b"x" * 5000, 413)])
def test_a_body_that_is_none_is_refused(log_in, body, status):
    reply = log_in(content=body, headers={"Content-Type": "application/json"})

    assert reply.status_code == status
    assert set(reply.json()) == {"error", "request_id"}


def test_a_suspended_tenants_people_are_kept_out_at_once_until_it_is_active_again(server, mender, acme, log_in):
    database = server.fairlead.database
    assert mender.as_(ADA).get(f"{USERADM}/users").status_code == 200

    with database.across_tenants("a test") as tx:
        identity.suspend_tenant(tx, acme.tenant.id)
    outside, wrong, inside = log_in(), log_in("wrong"), mender.as_(ADA).get(f"{USERADM}/users")
    with database.across_tenants("a test") as tx:
        identity.activate_tenant(tx, acme.tenant.id)

    assert (outside.status_code, outside.json()["error"]) == (401, "tenant account suspended")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "unauthorized")
    assert inside.status_code == 401
    assert (log_in().status_code, mender.as_(ADA).get(f"{USERADM}/users").status_code) == (200, 200)


def test_logging_out_ends_this_session_and_no_other(mender, acme, log_in):
    other = Person(mender.client, log_in().text)

    reply = other.post(f"{USERADM}/auth/logout")

    assert (reply.status_code, reply.content) == (202, b"")
    assert other.get(f"{DEVAUTH}/devices").status_code == 401
    assert other.post(f"{USERADM}/auth/logout").status_code == 401
    assert mender.as_(ADA).get(f"{DEVAUTH}/devices").status_code == 200


def test_logging_out_without_a_session_is_refused(standing):
    assert standing.mender.client.post(f"{USERADM}/auth/logout").status_code == 401


def test_the_last_login_is_remembered(mender, acme, log_in):
    before = mender.as_(ADA).get(f"{USERADM}/users/me").json()

    log_in()

    after = mender.as_(ADA).get(f"{USERADM}/users/me").json()
    assert after["login_ts"] > before["login_ts"]
    assert after["updated_ts"] == before["updated_ts"]


def test_the_cookie_of_the_gui_is_as_good_as_the_header(mender, acme):
    token = mender.tokens[ADA]

    with_cookie = mender.client.get(f"{DEVAUTH}/devices", headers={"Cookie": f"theme=dark; JWT={token}"})
    wrong = mender.client.get(f"{DEVAUTH}/devices", headers={"Cookie": "JWT=garbage"})
    header_first = mender.client.get(
        f"{DEVAUTH}/devices", headers={"Cookie": f"JWT={token}", "Authorization": "Bearer garbage"}
    )

    assert [reply.status_code for reply in (with_cookie, wrong, header_first)] == [200, 401, 401]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "file://"])
@pytest.mark.parametrize("content_type", [{}, {"Content-Type": "application/json"}])
def test_a_page_of_another_site_does_nothing_with_the_cookie(mender, acme, origin, content_type):
    headers = {"Cookie": f"JWT={mender.tokens[ADA]}", "Origin": origin, **content_type}
    eve = b'{"email": "eve@elsewhere.example", "password": "let me in, please"}'

    reply = mender.client.post(f"{USERADM}/users", content=eve, headers=headers)

    assert reply.status_code == 400, reply.text
    assert "Origin" in reply.json()["error"]
    assert "eve@elsewhere.example" not in mender.as_(ADA).get(f"{USERADM}/users").text


def test_a_page_of_our_own_and_a_client_with_a_header_are_not_asked_where_they_are_from(mender, acme):
    token, own = mender.tokens[ADA], str(mender.client.base_url).rstrip("/")

    replies = [
        mender.client.post(f"{USERADM}/settings", json={"theme": "dark"}, headers=headers)
        for headers in (
            {"Cookie": f"JWT={token}", "Origin": own},
            {"Cookie": f"JWT={token}", "Origin": own.replace("http://", "https://")},  # TLS ends at a proxy
            {"Cookie": f"JWT={token}"},
            {"Authorization": f"Bearer {token}", "Origin": "https://evil.example"},
        )
    ]

    assert [reply.status_code for reply in replies] == [201] * 4


def test_a_device_cannot_use_the_cookie(acme, mender):
    device = acme.device("door")

    reply = mender.client.patch(
        "/api/devices/v1/inventory/device/attributes", json=[], headers={"Cookie": f"JWT={device.token}"}
    )

    assert reply.status_code == 401
