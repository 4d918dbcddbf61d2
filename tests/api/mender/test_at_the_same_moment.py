"""What happens when several do the same thing at the same moment?"""

from concurrent.futures import ThreadPoolExecutor

from house.devices import Device, new_key, pem_of
from house.world import ADA, DEVAUTH, INVENTORY, USERADM


def at_once(*deeds) -> list[int]:
    with ThreadPoolExecutor(len(deeds)) as people:
        return [done.result().status_code for done in [people.submit(deed) for deed in deeds]]


def test_a_newcomer_that_asks_many_times_at_once_is_one_device(mender, acme):
    door = Device(mender.client, {"mac": "door"}, acme.tenant.token)

    statuses = at_once(*[door.ask] * 8)

    assert statuses == [401] * 8
    assert [len(each["auth_sets"]) for each in mender.as_(ADA).get(f"{DEVAUTH}/devices").json()] == [1]


def test_someone_vouches_while_the_device_asks(mender, acme):
    for number in range(5):
        door = Device(mender.client, {"mac": f"door{number}"}, acme.tenant.token)
        body = {"identity_data": door.identity, "pubkey": pem_of(door.key)}
        vouch = lambda body=body: mender.as_(ADA).post(f"{DEVAUTH}/devices", json=body)  # noqa: E731

        statuses = at_once(vouch, door.ask, vouch, door.ask)

        assert set(statuses) <= {200, 201, 401, 409}
        assert statuses.count(201) <= 1
    assert mender.as_(ADA).get(f"{DEVAUTH}/devices/count").json() == {"count": 5}


def test_a_new_key_that_asks_while_the_old_one_is_accepted_does_not_undo_it(mender, acme):
    for number in range(5):
        door = acme.ask(f"door{number}")
        others = [Device(mender.client, door.identity, acme.tenant.token, key=new_key()) for _ in range(3)]
        path = f"{DEVAUTH}/devices/{door.id}/auth/{door.auth_set}/status"

        statuses = at_once(
            others[0].ask,
            lambda path=path: mender.as_(ADA).put(path, json={"status": "accepted"}),
            others[1].ask,
            others[2].ask,
        )

        assert statuses == [401, 204, 401, 401]
        assert acme.status(f"door{number}") == "accepted"
        assert door.ask().status_code == 200


def test_a_device_that_is_removed_while_it_reports_is_refused_or_served(mender, acme):
    door = acme.device("door")
    path = f"{DEVAUTH}/devices/{door.id}"

    statuses = at_once(*[lambda: door.report({"a": 1})] * 4, lambda: mender.as_(ADA).delete(path), door.next)

    assert set(statuses[:4]) <= {200, 401}
    assert statuses[4] == 204
    assert door.report({"a": 1}).status_code == 401
    assert mender.as_(ADA).get(f"{INVENTORY}/devices").json() == []


def test_two_administrators_cannot_remove_each_other(mender, acme):
    ada, ben = (mender.as_(who).get(f"{USERADM}/users/me").json()["id"] for who in ("ada", "ben"))
    mender.as_(ADA).put(f"{USERADM}/users/{ben}", json={"roles": ["RBAC_ROLE_PERMIT_ALL"]})

    statuses = at_once(
        lambda: mender.as_(ADA).delete(f"{USERADM}/users/{ben}"),
        lambda: mender.as_("ben").delete(f"{USERADM}/users/{ada}"),
    )

    assert sorted(statuses) in ([204, 401], [204, 403], [204, 422])


def test_the_same_e_mail_cannot_be_taken_twice(mender, acme):
    body = {"email": f"carl@{acme.tenant.id}.example", "password": "a good long secret"}
    add = lambda: mender.as_(ADA).post(f"{USERADM}/users", json=body)  # noqa: E731

    assert sorted(at_once(add, add, add)) == [201, 422, 422]
