"""What do gateways and other services ask and tell useradm? `/api/internal/v1/useradm`."""

import re
from http.client import HTTPConnection
from urllib.parse import urlsplit

import bcrypt
import pytest
from litestar import Router
from operations import MANAGEMENT
from test_internal_devauth import bearer, expired

from fairlead.api.mender import needs, routes
from fairlead.domain import audit, identity
from house.roles import ALL, OBSERVER, http, someone, view, with_role
from house.world import ADA, BEN, DEVAUTH, HASH, LOGIN, PASSWORD, USERADM, ZOE, settle, settled

INTERNAL = "/api/internal/v1/useradm"
LOGS = "/api/management/v1/auditlogs/logs"
LOOKING = ("GET", "/api/management/v2/devauth/devices")


def verify(internal, token: str, method: str = "GET", uri: str = "/api/management/v2/devauth/devices"):
    headers = {**bearer(token), "X-Original-URI": uri, "X-Original-Method": method}
    return internal.post(f"{INTERNAL}/auth/verify", headers=headers)


@pytest.fixture
def add(internal, acme):
    """Make a user of Acme."""

    def post(tenant: str = acme.tenant.id, **body: object):
        return internal.post(f"{INTERNAL}/tenants/{tenant}/users", json=body)

    return post


@pytest.fixture
def email(acme):
    return f"carl@{acme.tenant.id}.example"


def log_in(mender, email: str, password: str = PASSWORD) -> int:
    return mender.client.post(LOGIN, auth=(email, password)).status_code


def test_a_request_that_its_bearer_may_make_is_let_through(internal, mender, acme):
    assert verify(internal, mender.tokens[ADA]).status_code == 200
    assert (
        verify(internal, mender.tokens[ADA], "PUT", "/api/management/v1/inventory/devices/1/group").status_code == 200
    )
    assert verify(internal, mender.tokens[BEN], "GET", f"{USERADM}/users?email=a@b.c").status_code == 200


@pytest.mark.parametrize(
    ("method", "uri"),
    [
        ("DELETE", "/api/management/v2/devauth/devices/1"),
        ("delete", "/api/management/v2/devauth/devices/1"),
        ("POST", f"{USERADM}/users"),
        ("POST", "/api/management/v1/deployments/deployments?a=b"),
    ],
)
def test_a_request_that_its_bearer_may_not_make_is_not(internal, mender, acme, method, uri):
    assert verify(internal, mender.tokens[ADA], method, uri).status_code == 200

    refused = verify(internal, mender.tokens[BEN], method, uri)

    assert refused.status_code == 403
    assert set(refused.json()) == {"error", "request_id"}


@pytest.mark.parametrize("missing", ["Authorization", "X-Original-URI", "X-Original-Method"])
def test_a_header_that_is_missing_is_named(internal, mender, acme, missing):
    headers = {**bearer(mender.tokens[ADA]), "X-Original-URI": LOOKING[1], "X-Original-Method": "GET"}
    del headers[missing]

    reply = internal.post(f"{INTERNAL}/auth/verify", headers=headers)

    assert reply.status_code == 400
    assert missing in reply.json()["error"]


@pytest.mark.parametrize(
    "uri",
    [
        "/",
        "/api/management/v1",
        "/api//management//v1/",
        "api/management/v1/useradm/users",
        "?a/b/c/d",
        "http://x.example/api/management/v1/useradm/users",
        "/api/management/v1/useradm/settings/../users/1",
        "/api/management/v1/useradm/./users",
        "/api/management/v1/useradm/settings/%2e%2E/users/1",
        "/api/management/v1/useradm/settings%2F..%2Fusers",
    ],
)
def test_a_path_without_a_service_or_with_dots_is_refused(internal, mender, acme, uri):
    assert verify(internal, mender.tokens[ADA], "GET", uri).status_code == 400


def test_a_path_of_four_parts_is_enough(internal, mender, acme):
    assert verify(internal, mender.tokens[ADA], "GET", "/api/management/1.0/foo").status_code == 200


USERS, SETTINGS = f"{USERADM}/users", f"{USERADM}/settings"
WAYS_TO_SPELL = {
    "as it is": lambda path: path,
    "a slash twice": lambda path: path.replace("/useradm", "//useradm"),
    "the first slash twice": lambda path: "/" + path,
    "a slash at the end": lambda path: path + "//",
    "a letter as its number": lambda path: path.replace("/useradm", "/%75seradm").replace("/v1", "/%561".lower()),
    "a slash as its number": lambda path: path.replace("/useradm/", "/useradm%2F"),
    "everything as its number": lambda path: "/" + "".join(f"%{ord(letter):02x}" for letter in path[1:]),
    "a number as its numbers": lambda path: path.replace("/useradm", "/%2575seradm"),
    "in capitals": lambda path: path.replace("/useradm", "/Useradm"),
    "more after a question mark": lambda path: f"{path}?sort=asc&x=/{SETTINGS}",
    "a new line": lambda path: path + "%0A",
}


@pytest.fixture(scope="module")
def cast(server):
    """An organization of people who may do this and that."""
    with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL"}) as organization:
        yield {
            "groups": with_role(organization, view("g1")),
            "one path": with_role(organization, http("GET", f"^{USERS}$")),
            "people": with_role(organization, http("any", f"^{USERS}(/|$)")),
            "another service": with_role(organization, http("any", "^/api/management/v1/deviceconfig/")),
            "nothing": someone(organization),
            "looking": someone(organization, OBSERVER),
            "everything": someone(organization, ALL),
        }


@pytest.mark.parametrize("way", WAYS_TO_SPELL)
def test_a_gateway_is_told_what_the_public_listener_says_however_a_path_is_spelled(server, internal, cast, way):
    requests = [("GET", USERS), ("DELETE", f"{USERS}/x"), ("GET", SETTINGS), ("GET", LOGS)]

    differing = {}
    for who in cast.keys() - {"everything"}:  # they are let through to what is not there, and told so there
        person = cast[who]
        for method, path in requests:
            spelled = WAYS_TO_SPELL[way](path)
            status = as_it_is_spelled(server, method, spelled, person.token)
            told = verify(internal, person.token, method, spelled).status_code
            if told != (403 if status in (403, 404) else 200):
                differing[who, method, spelled] = (told, status)

    assert differing == {}


def as_it_is_spelled(server, method: str, path: str, token: str) -> int:
    """What the public listener says to a request that no client has tidied up."""
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.putrequest(method, path, skip_accept_encoding=True)
    connection.putheader("Authorization", f"Bearer {token}")
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_what_no_table_knows_is_for_those_who_may_do_everything(internal, cast):
    unknown = [
        ("PUT", "/api/management/v1/deviceconfig/configurations/device/1"),
        ("GET", f"{USERADM}/oauth2/providers"),
        ("DELETE", SETTINGS),
        ("GET", "/api/devices/v1/inventory/device/attributes"),
        ("POST", "/v3/alm/stack/1"),
    ]

    say = lambda who: [verify(internal, cast[who].token, *request).status_code for request in unknown]  # noqa: E731

    assert say("everything") == [200] * 5
    assert say("looking") == say("nothing") == [403] * 5
    assert say("another service") == [200, 403, 403, 403, 403]


def test_every_public_route_of_the_management_api_is_known():
    served = {
        (method, re.sub(r"{.*?}", "x", route.path))
        for router in routes.public_routers()
        if isinstance(router, Router) and router.path.startswith("/api/management")
        for route in router.routes
        for method in route.methods - {"OPTIONS"}
    }

    assert len(served) > 80
    assert [each for each in served if needs.needed(*each) == needs.EVERYTHING] == []


def test_what_takes_no_token_takes_no_permission_either():
    """What takes a token, and no permission, is in test_role_sets."""
    openly = [each for each in MANAGEMENT if each.is_open or each.path.endswith("/logout")]

    found = {str(each): needs.needed(each.method, each.shape) for each in openly}

    assert set(found.values()) == {needs.NOTHING}, found


def test_a_token_that_has_expired_is_told_from_a_bad_one(server, internal, mender, acme):
    assert verify(internal, expired(server, mender.tokens[ADA])).status_code == 403
    assert verify(internal, "garbage").status_code == 401
    assert verify(internal, acme.device("door").token).status_code == 401


def test_a_token_is_worth_nothing_after_the_logout(internal, mender, acme):
    assert verify(internal, mender.tokens[ADA]).status_code == 200
    assert mender.as_(ADA).post(f"{USERADM}/auth/logout").status_code == 202

    assert verify(internal, mender.tokens[ADA]).status_code == 401


def test_a_user_is_made_with_one_role_and_may_do_everything(internal, mender, acme, add, email):
    reply = add(email=email, password=PASSWORD, propagate=False)

    assert reply.status_code == 201
    user_id = reply.headers["location"].removeprefix("users/")
    shown = mender.as_(ADA).get(f"{USERADM}/users/{user_id}").json()
    assert (shown["email"], shown["roles"]) == (email, ["RBAC_ROLE_PERMIT_ALL"])
    assert log_in(mender, email) == 200


def test_a_password_may_come_as_its_hash(mender, add, email):
    kept = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()

    assert add(email=email, password_hash=kept, propagate=False).status_code == 201
    assert add(email=f"x{email}", password_hash=HASH, propagate=False).status_code == 201

    assert log_in(mender, email) == log_in(mender, f"x{email}") == 200
    assert log_in(mender, email, "another password") == 401


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({}, 400, "password *or* password_hash must be provided"),
        ({"password": PASSWORD, "password_hash": HASH, "propagate": False}, 400, "*or*"),
        ({"password": "", "password_hash": ""}, 400, "*or*"),
        ({"password_hash": HASH, "propagate": True}, 400, "propagate"),
        ({"password_hash": HASH}, 400, "propagate"),
        ({"password_hash": PASSWORD, "propagate": False}, 400, "password_hash"),
        ({"password_hash": "$2b$31$" + "a" * 53, "propagate": False}, 400, "password_hash"),
        ({"password_hash": HASH.replace("m=8", "m=99999999"), "propagate": False}, 400, "password_hash"),
        ({"password": "short"}, 422, "password too short"),
        ({"password": 5}, 400, "password"),
        ({"password": PASSWORD, "email": ""}, 400, "email"),
        ({"password": PASSWORD, "email": "nobody"}, 400, "email"),
    ],
)
def test_a_user_that_makes_no_sense_is_refused(mender, acme, add, email, body, status, word):
    reply = add(**({"email": email} | body))

    assert (reply.status_code, word in reply.json()["error"]) == (status, True), reply.text
    assert len(mender.as_(ADA).get(f"{USERADM}/users").json()) == 2


def test_an_email_that_is_taken_is_refused(mender, zenith, add, email):
    assert add(email=email, password=PASSWORD).status_code == 201

    for again in (add(email=email.upper(), password=PASSWORD), add(zenith.tenant.id, email=email, password=PASSWORD)):
        assert (again.status_code, again.json()["error"]) == (422, "user with a given email already exists")

    assert log_in(mender, email) == 200


def test_a_user_without_a_password_gets_this_one(server, mender, acme, zenith, add, email):
    with server.fairlead.database.begin(acme.scope) as tx:
        user = identity.add_account(tx, email)
    assert log_in(mender, email) == 401
    assert add(zenith.tenant.id, email=email, password=PASSWORD).status_code == 422

    reply = add(email=email, password=PASSWORD)

    assert (reply.status_code, reply.headers["location"]) == (201, f"users/{user.id}")
    assert log_in(mender, email) == 200
    assert add(email=email, password="another password").status_code == 422
    assert log_in(mender, email) == 200


def test_who_asks_again_for_a_user_that_was_removed_is_told_so(internal, mender, acme, email):
    path, body = f"{INTERNAL}/tenants/{acme.tenant.id}/users", {"email": email, "password": PASSWORD}
    first, again = (internal.post(path, json=body, headers={"Idempotency-Key": email}) for _ in range(2))
    assert mender.as_(ADA).delete(f"{USERADM}/{first.headers['location']}").status_code == 204

    late = internal.post(path, json=body, headers={"Idempotency-Key": email})

    assert (first.status_code, again.status_code, late.status_code) == (201, 201, 409)
    assert first.headers["location"] == again.headers["location"]
    assert log_in(mender, email) == 401


def test_a_tenant_that_is_not_there_is_not_found(internal, add, email):
    assert add("nowhere", email=email, password=PASSWORD).status_code == 404
    assert internal.get(f"{INTERNAL}/tenants/nowhere/users").status_code == 404
    assert internal.delete(f"{INTERNAL}/tokens", params={"tenant_id": "nowhere"}).status_code == 404


def test_a_tenants_users_are_listed_with_the_filters_that_its_people_have(internal, mender, acme, zenith):
    path = f"{INTERNAL}/tenants/{acme.tenant.id}/users"
    listed = internal.get(path).json()

    assert listed == mender.as_(ADA).get(f"{USERADM}/users").json()
    ada, ben = listed
    assert internal.get(path, params={"email": ben["email"]}).json() == [ben]
    assert internal.get(path, params={"id": [ada["id"], "nobody"]}).json() == [ada]
    assert internal.get(path, params={"created_after": 4_000_000_000}).json() == []
    assert internal.get(path, params={"created_before": "x"}).status_code == 400
    assert [each["email"][:3] for each in internal.get(f"{INTERNAL}/tenants/{zenith.tenant.id}/users").json()] == [ZOE]


def test_the_tokens_of_one_user_can_be_revoked(internal, mender, acme):
    ben = internal.get(f"{INTERNAL}/tenants/{acme.tenant.id}/users").json()[1]
    said = {"tenant_id": acme.tenant.id, "user_id": ben["id"]}
    assert mender.as_(BEN).get(f"{DEVAUTH}/devices").status_code == 200

    assert internal.delete(f"{INTERNAL}/tokens", params=said).status_code == 204

    assert mender.as_(BEN).get(f"{DEVAUTH}/devices").status_code == 401
    assert mender.as_(ADA).get(f"{DEVAUTH}/devices").status_code == 200
    assert log_in(mender, ben["email"]) == 200


def test_the_tokens_of_all_users_of_a_tenant_can_be_revoked(internal, mender, acme, zenith):
    door = acme.device("door")
    assert [mender.as_(who).get(f"{DEVAUTH}/devices").status_code for who in (ADA, BEN, ZOE)] == [200, 200, 200]

    assert internal.delete(f"{INTERNAL}/tokens", params={"tenant_id": acme.tenant.id}).status_code == 204

    assert [mender.as_(who).get(f"{DEVAUTH}/devices").status_code for who in (ADA, BEN, ZOE)] == [401, 401, 200]
    assert door.report({"a": 1}).status_code == 200


def test_whose_tokens_are_revoked_must_be_said_and_be_theirs(internal, mender, acme, zenith):
    zoe = mender.as_(ZOE).get(f"{USERADM}/users/me").json()

    nobody = internal.delete(f"{INTERNAL}/tokens", params={"user_id": zoe["id"]})
    stranger = internal.delete(f"{INTERNAL}/tokens", params={"tenant_id": acme.tenant.id, "user_id": zoe["id"]})

    assert (nobody.status_code, nobody.json()["error"]) == (400, "tenant_id must be provided")
    assert stranger.status_code == 204
    assert mender.as_(ZOE).get(f"{DEVAUTH}/devices").status_code == 200


def test_what_services_do_is_on_record(server, internal, acme, add, email):
    add(email=email, password=PASSWORD)
    internal.delete(f"{INTERNAL}/tokens", params={"tenant_id": acme.tenant.id})

    with server.fairlead.database.read(acme.scope) as tx:
        last, before = audit.recent(tx, 2)
    assert (before.action, before.object_name, before.actor_name) == ("user.create", email, "internal API")
    assert (last.action, last.actor_name) == ("user.sign_out", "internal API")


def test_a_small_plan_changes_nothing_here(server, internal, mender):
    small = settle(server, mender, "small", {ADA: "RBAC_ROLE_PERMIT_ALL"}, "os")

    assert len(internal.get(f"{INTERNAL}/tenants/{small.tenant.id}/users").json()) == 1
    assert verify(internal, mender.tokens[ADA]).status_code == 200


def test_the_only_tenant_is_called_default(alone):
    users = f"{INTERNAL}/tenants/default/users"

    assert verify(alone.internal, alone.ada.token).status_code == 200
    assert alone.internal.post(users, json={"email": "ben@example.org", "password": PASSWORD}).status_code == 201
    assert [each["email"] for each in alone.internal.get(users).json()] == ["ada@example.org", "ben@example.org"]
    assert alone.internal.delete(f"{INTERNAL}/tokens", params={"tenant_id": "acme"}).status_code == 404
    assert alone.internal.delete(f"{INTERNAL}/tokens", params={"tenant_id": "default"}).status_code == 204
    assert verify(alone.internal, alone.ada.token).status_code == 401
