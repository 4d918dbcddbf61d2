"""What somebody loses is lost within a second in every process: their session, their account, their rights."""

from __future__ import annotations

import itertools
import time

import pytest
from test_one_second import Workers

from fairlead.base.scope import system_scope
from fairlead.domain import identity
from house.people import Administrator
from house.program import Server
from house.roles import ALL, OBSERVER, http, view
from house.world import DEVAUTH, HASH, LOGIN, PASSWORD, USERADM, Person

DEVICES, USERS = f"{DEVAUTH}/devices", f"{USERADM}/users"
OUT, LESS = 401, 403
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def workers(served_by_several):
    data, options = served_by_several
    with Server(data, *options, workers=2) as server:
        found = Workers(server, data, options)
        yield found
        found.database.close()


@pytest.fixture
def person(workers):
    """Somebody with these roles whose token both processes know, as `{"id", "email", "token"}`."""

    def find(*roles: str) -> dict[str, str]:
        email = f"carl{next(_numbers)}@acme.example"
        with workers.database.begin(system_scope(identity.DEFAULT_TENANT_ID)) as tx:
            user = identity.add_user(tx, email, HASH, list(roles))
        reply = workers.clients[0].post(LOGIN, auth=(email, PASSWORD))
        assert reply.status_code == 200, reply.text
        found = {"id": user.id, "email": email, "token": reply.text}
        assert [ask(found, client) for client in workers.clients * 2] == [200] * 4
        return found

    return find


def ask(person: dict[str, str], client) -> int:
    return Person(client, person["token"]).get(DEVICES).status_code


def make_role(workers, *permissions: object) -> str:
    name = f"role{next(_numbers)}"
    made = workers.ada.person.post(f"{USERADM}/roles", json={"name": name, "permissions": permissions})
    assert made.status_code == 201, made.text
    return name


def make_sure_all_lose_it(workers, deeds: list[tuple[dict[str, str], int, object]], deciding) -> None:
    """Do each deed as Ada by this process, which knows at once; a second later every process has heard of it."""
    ada = Administrator(deciding, workers.ada.token).person
    for person, status, deed in deeds:
        assert deed(ada).status_code < 300
        assert ask(person, deciding) == status
    done_at = time.monotonic()
    workers.watch(done_at, lambda client: min(ask(person, client) for person, _, _ in deeds), wrong=200)
    told = {client: [ask(person, client) for person, _, _ in deeds] for client in workers.clients}
    assert list(told.values()) == [[status for _, status, _ in deeds]] * 2


@pytest.mark.parametrize("deciding", [0, 1])
def test_what_a_person_loses_is_lost_in_every_process(workers, person, deciding):
    looking, nothing = make_role(workers, http("GET", f"^{DEVICES}$")), make_role(workers)
    names = ("password", "removed", "other roles", "no role", "their role", "logout")
    cast = {name: person(looking if name == "their role" else OBSERVER) for name in names}
    of = lambda name: f"{USERS}/{cast[name]['id']}"  # noqa: E731
    mine = Person(workers.clients[deciding], cast["logout"]["token"])

    make_sure_all_lose_it(
        workers,
        [
            (cast["password"], OUT, lambda ada: ada.put(of("password"), json={"password": "another one"})),
            (cast["removed"], OUT, lambda ada: ada.delete(of("removed"))),
            (cast["logout"], OUT, lambda _: mine.post(f"{USERADM}/auth/logout")),
            (cast["other roles"], LESS, lambda ada: ada.put(of("other roles"), json={"roles": [nothing]})),
            (cast["no role"], LESS, lambda ada: ada.put(of("no role"), json={"roles": []})),
            (
                cast["their role"],
                LESS,
                lambda ada: ada.put(f"{USERADM}/roles/{looking}", json={"permissions": []}),
            ),
        ],
        workers.clients[deciding],
    )


def test_a_new_limit_is_in_force_in_every_process(workers, person):
    """Carl may do everything; then only to a group, which the device is not in."""
    door = workers.ada.device(f"door {next(_numbers)}")
    limited, carl = make_role(workers, view("a group")), person(ALL)
    see = lambda client: Person(client, carl["token"]).get(f"{DEVICES}/{door.id}").status_code  # noqa: E731
    assert [see(client) for client in workers.clients * 2] == [200] * 4

    changed = workers.ada.person.put(f"{USERS}/{carl['id']}", json={"roles": [ALL, limited]})
    done_at = time.monotonic()

    assert changed.status_code == 204
    workers.watch(done_at, see, wrong=200)
    assert [see(client) for client in workers.clients] == [404, 404]


def test_whoever_is_locked_out_with_their_organization_comes_back_with_it(workers, person):
    carl, door = person(OBSERVER), workers.ada.device(f"door {next(_numbers)}")
    workers.warm(door)

    with workers.database.across_tenants("the operator locks them out") as tx:
        identity.suspend_tenant(tx, identity.DEFAULT_TENANT_ID)
    done_at = time.monotonic()

    try:
        workers.watch(done_at, lambda client: ask(carl, client), wrong=200)
        assert [workers.ask(door, client) for client in workers.clients] == [OUT, OUT]
        assert [ask(carl, client) for client in workers.clients] == [OUT, OUT]
    finally:
        with workers.database.across_tenants("the operator lets them in again") as tx:
            identity.activate_tenant(tx, identity.DEFAULT_TENANT_ID)
    assert [ask(carl, client) for client in workers.clients] == [200, 200]


def test_a_device_that_is_put_out_is_out_in_every_process(workers):
    cast = {name: workers.ada.device(f"{name} {next(_numbers)}") for name in ("rejected", "pending", "removed", "key")}
    workers.warm(*cast.values())
    of = lambda name: f"{DEVICES}/{cast[name].id}"  # noqa: E731
    ada = Administrator(workers.clients[1], workers.ada.token).person

    workers.ada.change_status(cast["rejected"], "rejected")
    workers.ada.change_status(cast["pending"], "pending")
    assert ada.delete(of("removed")).status_code == 204
    assert ada.delete(f"{of('key')}/auth/{cast['key'].auth_set}").status_code == 204
    done_at = time.monotonic()

    workers.watch(done_at, lambda client: min(workers.ask(each, client) for each in cast.values()), wrong=204)
    assert [workers.ask(each, client) for each in cast.values() for client in workers.clients] == [OUT] * 8
