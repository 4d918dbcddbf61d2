"""Who is it that asks: sessions, cookies, tokens, letters, and the portals of a server of many."""

from __future__ import annotations

import re

import httpx
import pytest

from fairlead.domain.identity import DEFAULT_TENANT_ID
from fairlead.settings import Settings
from house.mobyle import SHOUT, Place, Visitor, settle_in, wait_until
from house.server import RunningServer
from house.world import PASSWORD


def error(reply: httpx.Response) -> tuple[int, set[str]]:
    return reply.status_code, set(reply.json())


SHAPE = {"title", "explanation", "detail"}


def test_a_wrong_password_an_unknown_name_and_a_bad_token_are_refused_alike(place):
    place.add("ada")
    visitor = place.as_("visitor")

    wrong = visitor.post("/session", json={"username": place.email("ada"), "password": "wrong"})
    unknown = visitor.post("/session", json={"username": "nobody", "password": "wrong"})
    token = Visitor(place.client, place.path, "made-up").get("/services")

    assert [error(each) for each in (wrong, unknown, token)] == [(401, SHAPE)] * 3
    assert wrong.json() == unknown.json()
    assert wrong.json()["detail"] == "The name or the password is wrong."
    assert token.json()["detail"] == "The token is none of this portal's, or it was taken back."
    assert token.headers["www-authenticate"] == "Bearer"


def test_a_cookie_counts_for_changes_only_when_a_page_of_ours_asks(place):
    place.add("ada")
    visitor = place.as_("visitor")
    reply = visitor.post("/session", json={"username": place.email("ada"), "password": PASSWORD, "cookie": True})
    cookie = reply.headers["set-cookie"]
    shown = {"Cookie": cookie.partition(";")[0]}

    def create(**headers: str) -> int:
        return visitor.post("/projects", json={"name": "new"}, headers={**shown, **headers}).status_code

    assert "token" not in reply.json()
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert f"Path={place.path};" in cookie
    assert visitor.get("/users/me", headers=shown).status_code == 200
    assert create() == 401
    assert create(**{"Sec-Fetch-Site": "cross-site"}) == 401
    assert create(**{"Sec-Fetch-Site": "same-site"}) == 401
    assert create(**{"Sec-Fetch-Site": "same-origin"}) == 201
    assert create(**{"X-Mobyle-Request": "1"}) == 201
    place.client.cookies.clear()


def test_powers_of_an_administrator_can_be_left_at_the_door(place):
    place.add("boss", is_admin=True)

    with_them, without = place.log_in("boss"), place.log_in("boss", admin=False)

    assert with_them.get("/users").status_code == 200
    assert without.get("/users").status_code == 403
    assert without.told("/session")["admin"] is False


def test_what_was_made_without_an_account_comes_along(place):
    place.add("ada")
    place.as_("visitor")
    told = place.as_("visitor").make("/session", anonymous=True)
    anonymous = Visitor(place.client, place.path, told["token"])
    data = anonymous.make("/data", project=told["default_project"], name="typed", content="acgt")["id"]

    entered = anonymous.make("/session", username=place.email("ada"), password=PASSWORD)
    ada = Visitor(place.client, place.path, entered["token"])

    assert ada.get(f"/data/{data}/content").content == b"acgt"
    assert anonymous.get("/users/me").status_code == 401


def test_a_token_for_a_program_is_told_once_and_can_be_taken_back(place):
    ada = place.add("ada")

    made = ada.make("/users/me/tokens", name="script", days=1)
    program = Visitor(place.client, place.path, made["token"])

    assert program.told("/users/me")["id"] == ada.id
    assert "token" not in ada.told("/users/me/tokens")[0]
    assert program.post("/users/me/tokens", json={"name": "more"}).status_code == 403
    assert ada.delete(f"/users/me/tokens/{made['id']}").status_code == 204
    assert program.get("/users/me").status_code == 401


def test_somebody_registers_confirms_and_gets_a_new_password(place):
    visitor = Visitor(place.client, place.path)
    email = "carol@carols.example"

    assert visitor.post("/users/", json={"email": email, "password": PASSWORD}).status_code == 202
    assert visitor.post("/users/confirm", json={"token": secret_for(place, email)}).status_code == 204
    assert visitor.post("/users/password/reset", json={"email": email}).status_code == 202
    new = {"token": secret_for(place, email), "password": "another long password"}
    assert visitor.post("/users/password", json=new).status_code == 204

    entered = visitor.make("/session", username=email, password="another long password")
    assert (entered["status"], entered["email"]) == ("active", email)


def secret_for(place: Place, email: str) -> str:
    """In the newest letter to this address: what stands behind the # of the link, which leads to a page of ours."""
    folder = place.server.settings.mail_folder
    known = KNOWN.setdefault(email, set())

    def letter() -> str | None:
        for path in sorted(folder.glob("*.eml")):
            text = path.read_text()
            found = re.search(re.escape(f"{place.own.url}/pages/") + r"\w+#([\w-]+)", text)
            if email in text and found and path.name not in known:
                known.add(path.name)
                return found[1]
        return None

    return str(wait_until(letter))


KNOWN: dict[str, set[str]] = {}


def test_a_suspended_user_is_told_why_everywhere(place):
    boss, ada = place.add("boss", is_admin=True), place.add("ada")
    told = boss.patch(f"/users/{ada.id}", json={"status": "suspended", "status_message": "you filled the disk"})

    assert told.json()["status_message"] == "you filled the disk"
    for path in ("/services", "/users/me", "/jobs"):
        reply = ada.get(path)
        assert reply.status_code == 403
        assert "you filled the disk" in reply.json()["detail"]


def test_nothing_of_another_organization_is_there(library, reader, place):
    place.register(SHOUT)
    ada = place.add("ada")
    project = ada.told("/users/me")["default_project"]
    data = ada.make("/data", project=project, name="typed", content="acgt")["id"]
    elsewhere = settle_in(library, reader)
    zoe = elsewhere.add("zoe", is_admin=True)
    elsewhere.add("zac")

    at_home = [zoe.get(f"/{what}").json() for what in ("services", "data", "jobs")]
    there = Visitor(reader, place.path, zoe.token)

    assert at_home == [{}, {}, {}]
    assert zoe.get(f"/data/{data}").json()["detail"] == zoe.get("/data/00000000077").json()["detail"]
    assert place.email("ada") not in zoe.get("/users").text
    assert there.get("/services").status_code == 401


def test_a_server_of_many_says_where_its_portals_are(place):
    reply = place.client.get("/mobyle/services/")

    assert error(reply) == (404, SHAPE)
    assert "/mobyle/at/" in reply.json()["detail"]
    assert place.client.get("/mobyle/at/nobody/services").status_code == 404


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    """A server of one organization."""
    with RunningServer(Settings(data=tmp_path_factory.mktemp("single"), portal_anonymous=False)) as running:
        yield running


def test_a_server_of_one_has_its_portal_at_both_places(single):
    with httpx.Client(base_url=single.url) as client:
        short, long = [client.get(f"{at}/servers/") for at in ("/mobyle", f"/mobyle/at/{DEFAULT_TENANT_ID}")]

    assert short.status_code == 200
    assert short.json()["local"]["url"].endswith("/mobyle")
    assert long.json() == short.json()


def test_nobody_comes_without_an_account_where_that_is_not_wanted(single):
    with httpx.Client(base_url=single.url) as client:
        reply = client.post("/mobyle/session", json={"anonymous": True})

    assert error(reply) == (403, SHAPE)


@pytest.mark.parametrize(
    ("method", "path", "arguments", "status"),
    [
        ("GET", "/nothing", {}, 404),
        ("GET", "", {}, 404),
        ("PUT", "/servers", {}, 405),
        ("POST", "/session", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/session", {"content": b"[]", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/session", {"content": b'{"username": "a\\u0000"}', "headers": {}}, 400),
        ("POST", "/session", {"content": b"\xff", "headers": {}}, 400),
        ("POST", "/session", {"content": b"[" * 100_000, "headers": {}}, 400),
        ("POST", "/session", {"data": {"username": "ada"}}, 415),
        ("POST", "/session", {}, 400),
        ("POST", "/session", {"json": {"surprise": 1}}, 400),
        ("GET", "/services?type=odd", {}, 400),
        ("GET", "/services/no::such::thing::here", {}, 404),
        ("GET", "/services/%00", {}, 404),
        ("GET", "/jobs?skip=-1", {}, 400),
        ("GET", "/users/00000000001", {}, 401),
        ("GET", "/projects/1", {}, 404),
        ("GET", "/data/99999999999", {}, 404),
        ("GET", "/widgets/nothing", {}, 404),
        ("GET", "/terms/EDAM_topic:9999", {}, 404),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_shape(busy_place, method, path, arguments, status):
    reply = busy_place.as_("visitor").request(method, path, **arguments)

    assert reply.status_code == status, reply.text
    assert set(reply.json()) == SHAPE
    assert reply.headers["content-type"] == "application/json"
    assert "access-control-allow-origin" not in reply.headers
