"""Who may do what, and who says so? `/useradm/users`."""

import itertools
from datetime import datetime

import pytest

from house.world import ADA, BEN, DEVAUTH, LOGIN, PASSWORD, USERADM, ZOE, Person

USERS = f"{USERADM}/users"
SECRET = "a good long secret"
_numbers = itertools.count(1)


def new_email() -> str:
    return f"carl{next(_numbers)}@{id(_numbers)}.example"


@pytest.fixture
def user(mender):
    """A user as Ada sees them: `user()` makes a new one, `user("ada")` is one of the cast."""

    def find_or_add(who: str = "", **wishes) -> dict:
        if who:
            return mender.as_(who).get(f"{USERS}/me").json()
        body = {"email": new_email(), "password": SECRET, **wishes}
        reply = mender.as_(ADA).post(USERS, json=body)
        assert reply.status_code == 201, reply.text
        return mender.as_(ADA).get(f"{USERADM}/{reply.headers['location']}").json()

    return find_or_add


def login_status(mender, email: str, password: str) -> int:
    return mender.client.post(LOGIN, auth=(email, password)).status_code


def test_a_new_user_is_shown_in_the_shape_of_the_reference_and_may_log_in(mender, acme):
    email = new_email()

    reply = mender.as_(ADA).post(USERS, json={"email": email, "password": SECRET, "login": {"google": "x@y.example"}})

    assert (reply.status_code, reply.content) == (201, b"")
    shown = mender.as_(ADA).get(f"{USERADM}/{reply.headers['location']}").json()
    assert reply.headers["location"] == f"users/{shown.pop('id')}"
    assert all(datetime.fromisoformat(shown.pop(name)).tzinfo for name in ("created_ts", "updated_ts"))
    assert shown == {"email": email, "roles": ["RBAC_ROLE_PERMIT_ALL"]}
    assert login_status(mender, email, SECRET) == 200
    assert acme.log() == ["ada user.create"]


def test_a_new_user_has_the_roles_that_were_given_each_once_and_none_if_the_list_is_empty(mender, acme, user):
    none, one = user(roles=[]), user(roles=["RBAC_ROLE_CI", "RBAC_ROLE_OBSERVER"] + ["RBAC_ROLE_CI"] * 5000)

    assert (none["roles"], one["roles"]) == ([], ["RBAC_ROLE_CI", "RBAC_ROLE_OBSERVER"])
    carl = Person(mender.client, mender.client.post(LOGIN, auth=(none["email"], SECRET)).text)
    assert (carl.get(USERS).status_code, carl.get(f"{DEVAUTH}/devices").status_code) == (403, 403)

    changed = mender.as_(ADA).put(f"{USERS}/{none['id']}", json={"roles": ["RBAC_ROLE_CI"] * 5000})

    assert changed.status_code == 204
    assert mender.as_(ADA).get(f"{USERS}/{none['id']}").json()["roles"] == ["RBAC_ROLE_CI"]


def test_nobody_has_more_roles_than_can_be_looked_after(standing):
    ada, many = standing.mender.as_(ADA), [f"role {number}" for number in range(101)]

    made = ada.post(USERS, json={"email": new_email(), "password": SECRET, "roles": many})
    changed = ada.put(f"{USERS}/me", json={"roles": many})

    words = "roles: one user may have 100, and these are 101."
    assert [(reply.status_code, reply.json()["error"]) for reply in (made, changed)] == [(400, words)] * 2


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"password": SECRET}, 400, "email can't be empty"),
        ({"email": "", "password": SECRET}, 400, "email can't be empty"),
        ({"email": "", "password": "short"}, 400, "email can't be empty"),
        *(
            ({"email": email, "password": SECRET}, 400, "email")
            for email in (
                "x",
                "x@",
                "@x",
                "a b@x.example",
                "ü@x.example",
                "x@ü.example",
                "x@x..example",
                "x@x@x",
                "x\n@x",
            )
        ),
        ({"email": "x" * 250 + "@x.example", "password": SECRET}, 400, "email"),
        ({"email": "x@x.example"}, 422, "password too short"),
        ({"email": "x@x.example", "password": ""}, 422, "password too short"),
        ({"email": "x@x.example", "password": "1234567"}, 422, "password too short"),
        ({"email": "x@x.example", "password": "x" * 5000}, 422, "password too long"),
        ({"email": "x@x.example", "password": SECRET, "roles": ["RBAC_ROLE_KING"]}, 400, "RBAC_ROLE_KING"),
        ({"email": 5, "password": SECRET}, 400, "failed to decode request body: "),
        ({"email": "x@x.example", "password": 12345678}, 400, "failed to decode request body: "),
        ({"email": "x@x.example", "password": SECRET, "roles": "all"}, 400, "failed to decode request body: "),
        ({"email": "x\0@x.example", "password": SECRET}, 400, "failed to decode request body: "),
        ([], 400, "failed to decode request body: "),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_makes_no_user_is_refused(standing, body, status, text):
    reply = standing.mender.as_(ADA).post(USERS, json=body)

    assert reply.status_code == status
    assert text in reply.json()["error"]
    assert len(standing.mender.as_(ADA).get(USERS).json()) == 2


def test_eight_characters_are_a_password(user, acme):
    assert user(password="12345678")


def test_an_empty_body_makes_no_user(standing):
    reply = standing.mender.as_(ADA).post(USERS)

    assert (reply.status_code, reply.json()["error"]) == (400, "failed to decode request body: JSON payload is empty")


def test_an_e_mail_can_be_taken_once_whatever_its_capitals_and_whoever_has_it(mender, acme, zenith, user):
    taken = user(ADA)["email"]

    replies = [
        mender.as_(who).post(USERS, json={"email": email, "password": SECRET})
        for who, email in ((ADA, taken), (ADA, taken.upper()), (ZOE, taken))
    ]

    words = "user with a given email already exists"
    assert [(reply.status_code, reply.json()["error"]) for reply in replies] == [(422, words)] * 3


def test_all_users_of_the_tenant_are_listed_by_age(mender, acme, zenith, user):
    carl = user()

    listed = mender.as_(ADA).get(USERS).json()

    assert listed == [user(ADA), user(BEN), carl]
    assert mender.as_(ZOE).get(USERS).json() == [user(ZOE)]


def test_the_list_can_be_narrowed_down(mender, acme, user):
    ada, ben = user(ADA), user(BEN)
    created = int(datetime.fromisoformat(ada["created_ts"]).timestamp())
    wanted = {
        f"id={ada['id']}": [ada],
        f"id={ada['id']}&id={ben['id']}": [ada, ben],
        f"id={ada['id']}&id=nobody": [ada],
        "id=nobody": [],
        f"email={ben['email']}": [ben],
        f"email={ben['email'].upper()}&email={ada['email']}": [ada, ben],
        f"email={ben['email']}&id={ada['id']}": [],
        f"created_after={created - 5}": [ada, ben],
        f"created_after={created + 60}": [],
        f"created_before={created + 60}": [ada, ben],
        f"created_before={created - 5}": [],
        f"updated_after={created - 5}&updated_before={created + 60}": [ada, ben],
        f"updated_after={created + 60}": [],
        "created_after=0&created_before=253402300799": [ada, ben],
        "created_after=": [ada, ben],
        "unknown=1": [ada, ben],
    }

    told = {query: mender.as_(ADA).get(f"{USERS}?{query}").json() for query in wanted}

    assert told == wanted


@pytest.mark.parametrize("name", ["created_after", "created_before", "updated_after", "updated_before"])
@pytest.mark.parametrize("value", ["x", "-1", "1.5", "99999999999999999999", "253402300800", "2021-01-01T00:00:00Z"])
def test_a_time_that_is_none_is_refused(standing, name, value):
    reply = standing.mender.as_(ADA).get(f"{USERS}?{name}={value}")

    assert (reply.status_code, reply.json()["error"]) == (400, f"Can't parse param {name}")


def test_me_is_whoever_asks(mender, acme, user):
    for who in (ADA, BEN):
        me = mender.as_(who).get(f"{USERS}/me").json()

        assert me["email"].startswith(f"{who}@")
        assert mender.as_(who).get(f"{USERS}/{me['id']}").json() == me


def test_a_user_who_is_not_there_is_not_found(standing):
    for reply in (
        standing.mender.as_(ADA).get(f"{USERS}/nobody"),
        standing.mender.as_(ADA).put(f"{USERS}/nobody", json={"email": "x@x.example"}),
    ):
        assert (reply.status_code, reply.json()["error"]) == (404, "user not found")


def test_e_mail_password_and_roles_can_be_changed(mender, acme, user):
    carl, email = user(), new_email()
    path = f"{USERS}/{carl['id']}"

    replies = [
        mender.as_(ADA).put(path, json=body)
        for body in ({"email": email}, {"password": "another secret"}, {"roles": ["RBAC_ROLE_CI"]})
    ]

    assert [(reply.status_code, reply.content) for reply in replies] == [(204, b"")] * 3
    shown = mender.as_(ADA).get(path).json()
    assert (shown["email"], shown["roles"]) == (email, ["RBAC_ROLE_CI"])
    assert shown["updated_ts"] > carl["updated_ts"]
    assert login_status(mender, carl["email"], SECRET) == 401
    assert login_status(mender, email, SECRET) == 401
    assert login_status(mender, email, "another secret") == 200
    assert acme.log() == ["ada user.create", *["ada user.update"] * 3]


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({}, 400, "no update information provided"),
        ({"unknown": 1}, 400, "no update information provided"),
        ({"email": None, "password": None}, 400, "no update information provided"),
        ({"email": ""}, 400, "email can't be empty"),
        ({"email": "x"}, 400, "email"),
        ({"password": ""}, 422, "password too short"),
        ({"password": "1234567"}, 422, "password too short"),
        ({"roles": ["RBAC_ROLE_KING"]}, 400, "RBAC_ROLE_KING"),
        ({"roles": "all"}, 400, "failed to decode request body: "),
        ([], 400, "failed to decode request body: "),
    ],
    ids=str,
)
def test_a_change_that_is_none_is_refused(standing, body, status, text):
    ben = standing.mender.as_(BEN).get(f"{USERS}/me").json()

    reply = standing.mender.as_(ADA).put(f"{USERS}/{ben['id']}", json=body)

    assert reply.status_code == status
    assert text in reply.json()["error"]
    assert standing.mender.as_(BEN).get(f"{USERS}/me").json() == ben


def test_an_e_mail_cannot_be_changed_to_one_that_is_taken(mender, acme, zenith, user):
    for taken in (user(ADA)["email"], user(ZOE)["email"]):
        reply = mender.as_(ADA).put(f"{USERS}/{user(BEN)['id']}", json={"email": taken})

        assert (reply.status_code, reply.json()["error"]) == (422, "user with a given email already exists")
    assert mender.as_(ADA).put(f"{USERS}/me", json={"email": user(ADA)["email"].title()}).status_code == 204


def test_a_new_password_ends_all_other_sessions_of_the_user_and_nobody_elses(mender, acme, user):
    ben = user(BEN)
    other = Person(mender.client, mender.client.post(LOGIN, auth=(ben["email"], PASSWORD)).text)
    assert other.get(f"{DEVAUTH}/devices").status_code == 200

    assert other.put(f"{USERS}/me", json={"password": "another secret"}).status_code == 204

    assert other.get(f"{DEVAUTH}/devices").status_code == 200
    assert mender.as_(BEN).get(f"{DEVAUTH}/devices").status_code == 401
    assert mender.as_(ADA).get(f"{DEVAUTH}/devices").status_code == 200


def test_a_password_that_someone_else_sets_ends_every_session(mender, acme, user):
    assert mender.as_(ADA).put(f"{USERS}/{user(BEN)['id']}", json={"password": "another secret"}).status_code == 204

    assert mender.as_(BEN).get(f"{DEVAUTH}/devices").status_code == 401
    assert mender.as_(ADA).get(f"{DEVAUTH}/devices").status_code == 200


def test_new_roles_are_in_force_with_the_next_request(mender, acme, user):
    device, ben = acme.ask("door"), user(BEN)
    path, body = f"{DEVAUTH}/devices/{device.id}/auth/{device.auth_set}/status", {"status": "accepted"}
    assert mender.as_(BEN).put(path, json=body).status_code == 403

    mender.as_(ADA).put(f"{USERS}/{ben['id']}", json={"roles": ["RBAC_ROLE_PERMIT_ALL"]})
    then = mender.as_(BEN).put(path, json=body).status_code
    mender.as_(ADA).put(f"{USERS}/{ben['id']}", json={"roles": ["RBAC_ROLE_OBSERVER"]})

    assert then == 204
    assert mender.as_(BEN).put(path, json=body).status_code == 403


def test_someone_who_may_only_look_may_change_themselves_and_nobody_else(mender, acme, user):
    ada, ben, email = user(ADA), user(BEN), new_email()

    assert mender.as_(BEN).put(f"{USERS}/me", json={"email": email}).status_code == 204

    refused = [
        mender.as_(BEN).put(f"{USERS}/{ada['id']}", json={"email": new_email()}),
        mender.as_(BEN).put(f"{USERS}/{ada['id']}", json={"password": "another secret"}),
        mender.as_(BEN).put(f"{USERS}/me", json={"roles": ["RBAC_ROLE_PERMIT_ALL"]}),
        mender.as_(BEN).put(f"{USERS}/{ben['id']}", json={"email": new_email(), "roles": ["RBAC_ROLE_PERMIT_ALL"]}),
        mender.as_(BEN).post(USERS, json={"email": new_email(), "password": SECRET}),
        mender.as_(BEN).post(USERS, json={}),
        mender.as_(BEN).delete(f"{USERS}/{ada['id']}"),
        mender.as_(BEN).delete(f"{USERS}/me"),
    ]
    assert [reply.status_code for reply in refused] == [403] * 8
    assert user(ADA) == ada
    assert (user(BEN)["email"], user(BEN)["roles"]) == (email, ["RBAC_ROLE_OBSERVER"])


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        ("RBAC_ROLE_PERMIT_ALL", {"devices": 200, "accept": 404, "artifacts": 200, "users": 200}),
        ("RBAC_ROLE_OBSERVER", {"devices": 200, "accept": 403, "artifacts": 200, "users": 200}),
        ("RBAC_ROLE_CI", {"devices": 200, "accept": 403, "artifacts": 200, "users": 403}),
        ("RBAC_ROLE_REMOTE_TERMINAL", {"devices": 200, "accept": 403, "artifacts": 403, "users": 403}),
    ],
)
def test_every_role_that_mender_ships_may_do_its_own(mender, acme, user, role, statuses):
    carl = user(roles=[role])
    person = Person(mender.client, mender.client.post(LOGIN, auth=(carl["email"], SECRET)).text)

    told = {
        "devices": person.get(f"{DEVAUTH}/devices").status_code,
        "accept": person.put(f"{DEVAUTH}/devices/x/auth/y/status", json={"status": "accepted"}).status_code,
        "artifacts": person.get("/api/management/v1/deployments/artifacts").status_code,
        "users": person.get(USERS).status_code,
    }

    assert carl["roles"] == [role]
    assert told == statuses
    assert person.get(f"{USERS}/me").json()["id"] == carl["id"]


def test_a_removed_user_is_gone_and_out_at_once(mender, acme, user):
    ben = user(BEN)

    replies = [mender.as_(ADA).delete(f"{USERS}/{id_}") for id_ in (ben["id"], ben["id"], "nobody")]

    assert [(reply.status_code, reply.content) for reply in replies] == [(204, b"")] * 3
    assert mender.as_(BEN).get(f"{DEVAUTH}/devices").status_code == 401
    assert login_status(mender, ben["email"], PASSWORD) == 401
    assert mender.as_(ADA).get(f"{USERS}/{ben['id']}").status_code == 404
    assert mender.as_(ADA).post(USERS, json={"email": ben["email"], "password": SECRET}).status_code == 201


def test_the_last_one_who_may_manage_users_stays_and_stays_that(mender, acme, user):
    ada, ben = user(ADA), user(BEN)

    refused = [
        mender.as_(ADA).delete(f"{USERS}/me"),
        mender.as_(ADA).put(f"{USERS}/me", json={"roles": ["RBAC_ROLE_OBSERVER"]}),
        mender.as_(ADA).put(f"{USERS}/{ada['id']}", json={"roles": []}),
    ]

    assert [reply.status_code for reply in refused] == [422] * 3
    assert user(ADA) == ada
    assert mender.as_(ADA).put(f"{USERS}/{ben['id']}", json={"roles": ["RBAC_ROLE_PERMIT_ALL"]}).status_code == 204
    assert mender.as_(ADA).delete(f"{USERS}/me").status_code == 204
    assert mender.as_(ADA).get(USERS).status_code == 401
