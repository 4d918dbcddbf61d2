"""Which devices fulfil these filters? `POST …/v2/inventory/filters/search`, and what can be filtered by."""

import time

import pytest

from house.world import ADA, BEN, DEVAUTH, INVENTORY, ZOE, settle, settled

FILTERS = "/api/management/v2/inventory/filters"
SAID = {
    "one": {"kind": "lock", "number": 1, "mixed": "5", "list": ["a", "b"], "a.b/c$d": "odd"},
    "two": {"kind": "lock", "number": 10, "mixed": 5, "list": ["b", "c"], "numbers": [1, 2.5]},
    "three": {"kind": "gate", "number": 2.5, "mixed": "x", "list": []},
    "four": {"kind": "Lock", "number": "1", "empty": "", "lines": "first\nsecond"},
}
EVERYONE = ["one", "two", "three", "four", "five"]


@pytest.fixture(scope="module")
def fleet(server):
    """An Acme with four devices that have said something and a fifth that waits; nobody changes it."""
    with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL", BEN: "RBAC_ROLE_OBSERVER"}) as acme:
        for name, attributes in SAID.items():
            device = acme.device(name, sn=f"serial-{name}")
            assert device.report(attributes).status_code == 200
        for name in ("one", "two"):
            acme.mender.as_(ADA).put(f"{INVENTORY}/devices/{acme.devices[name].id}/group", json={"group": "pair"})
        acme.ask("five")
        yield acme


@pytest.fixture
def ask(fleet):
    return lambda body, who=ADA: fleet.mender.as_(who).post(f"{FILTERS}/search", json=body)


@pytest.fixture
def found(fleet, ask):
    """The names of the devices that are found, in their order."""
    names = {device.id: name for name, device in fleet.devices.items()}

    def search(*filters, **more) -> list[str]:
        body = {"filters": [dict(zip(("scope", "attribute", "type", "value"), each, strict=True)) for each in filters]}
        reply = ask(body | more)
        assert reply.status_code == 200, reply.text
        return [names[each["id"]] for each in reply.json()]

    return search


@pytest.mark.parametrize(
    ("scope", "name", "sign", "value", "wanted"),
    [
        ("inventory", "kind", "$eq", "lock", ["one", "two"]),
        ("inventory", "kind", "$ne", "lock", ["three", "four", "five"]),
        ("inventory", "kind", "$in", ["gate", "Lock", "no"], ["three", "four"]),
        ("inventory", "kind", "$nin", ["gate", "Lock"], ["one", "two", "five"]),
        ("inventory", "kind", "$gt", "gate", ["one", "two"]),
        ("inventory", "kind", "$gte", "gate", ["one", "two", "three"]),
        ("inventory", "kind", "$lt", "gate", ["four"]),
        ("inventory", "kind", "$lte", "gate", ["three", "four"]),
        ("inventory", "number", "$eq", 1, ["one"]),
        ("inventory", "number", "$eq", 1.0, ["one"]),
        ("inventory", "number", "$eq", "1", ["four"]),
        ("inventory", "number", "$gt", 1, ["two", "three"]),
        ("inventory", "number", "$gt", 1e308, []),
        ("inventory", "number", "$lte", 2.5, ["one", "three"]),
        ("inventory", "number", "$ltne", 2.5, ["one"]),
        ("inventory", "number", "$lt", "5", ["four"]),
        ("inventory", "number", "$in", [1, 10], ["one", "two"]),
        ("inventory", "mixed", "$eq", 5, ["two"]),
        ("inventory", "mixed", "$exists", True, ["one", "two", "three"]),
        ("inventory", "mixed", "$exists", False, ["four", "five"]),
        ("inventory", "list", "$eq", "b", ["one", "two"]),
        ("inventory", "list", "$ne", "a", ["two", "three", "four", "five"]),
        ("inventory", "list", "$gt", "b", ["two"]),
        ("inventory", "list", "$in", ["a", "c"], ["one", "two"]),
        ("inventory", "list", "$eq", ["b", "c"], ["two"]),
        ("inventory", "list", "$eq", ["c", "b"], []),
        ("inventory", "list", "$eq", [], ["three"]),
        ("inventory", "list", "$exists", True, ["one", "two", "three"]),
        ("inventory", "numbers", "$gt", 2, ["two"]),
        ("inventory", "empty", "$eq", "", ["four"]),
        ("inventory", "a.b/c$d", "$eq", "odd", ["one"]),
        ("inventory", "sn", "$exists", True, []),
        ("inventory", "kind", "$regex", "l", ["one", "two"]),
        ("inventory", "kind", "$regex", "ock", []),
        ("inventory", "kind", "$regex", ".*ock$", ["one", "two", "four"]),
        ("inventory", "kind", "$regex", "/LOCK/i", ["one", "two", "four"]),
        ("inventory", "kind", "$regex", "gate|Lo", ["three", "four"]),
        ("inventory", "list", "$regex", "^c$", ["two"]),
        ("inventory", "number", "$regex", "1", ["four"]),
        ("inventory", "lines", "$regex", "first$", []),
        ("inventory", "lines", "$regex", "/first$/m", ["four"]),
        ("inventory", "lines", "$regex", "/first.second/s", ["four"]),
        ("identity", "sn", "$regex", "serial-t", ["two", "three"]),
        ("identity", "status", "$eq", "accepted", ["one", "two", "three", "four"]),
        ("identity", "status", "$regex", "pend", ["five"]),
        ("identity", "status", "$gt", "b", ["five"]),
        ("identity", "status", "$eq", 1, []),
        ("identity", "status", "$ne", 1, EVERYONE),
        ("identity", "id", "$eq", "nobody", []),
        ("identity", "id", "$exists", True, EVERYONE),
        ("system", "group", "$eq", "pair", ["one", "two"]),
        ("system", "group", "$ne", "pair", ["three", "four", "five"]),
        ("system", "group", "$in", ["pair", "other"], ["one", "two"]),
        ("system", "group", "$exists", False, ["three", "four", "five"]),
        ("system", "group", "$regex", "p", ["one", "two"]),
        ("system", "created_ts", "$gt", "2020-01-01T00:00:00Z", EVERYONE),
        ("system", "created_ts", "$lt", "2020-01-01T00:00:00Z", []),
        ("system", "created_ts", "$gt", "no time", []),
        ("system", "created_ts", "$lt", "0001-01-01T00:00:00+23:59", []),
        ("system", "updated_ts", "$nin", ["2020-01-01T00:00:00Z"], EVERYONE),
        ("system", "created_ts", "$regex", "2", EVERYONE),
        ("nowhere", "kind", "$exists", True, []),
    ],
)
def test_every_operator_finds_what_it_means(found, scope, name, sign, value, wanted):
    assert found((scope, name, sign, value)) == wanted


def test_a_device_is_found_by_its_id_and_by_the_moment_that_it_tells(fleet, found, ask):
    device = fleet.devices["three"]
    (shown,) = ask({"device_ids": [device.id]}).json()
    told = {(each["scope"], each["name"]): each["value"] for each in shown["attributes"]}

    assert found(("identity", "id", "$in", [device.id, "nobody"])) == ["three"]
    assert found(("system", "created_ts", "$eq", told["system", "created_ts"])) == ["three"]
    assert "three" in found(("system", "updated_ts", "$gte", told["system", "updated_ts"]))
    assert "three" not in found(("system", "updated_ts", "$gt", told["system", "updated_ts"]))


def test_every_filter_must_hold(found):
    assert found(("inventory", "kind", "$eq", "lock"), ("inventory", "number", "$gt", 1)) == ["two"]
    assert found(("inventory", "kind", "$regex", "l"), ("inventory", "list", "$regex", "a")) == ["one"]
    assert found(("inventory", "kind", "$regex", "l"), ("system", "group", "$exists", False)) == []


def test_without_filters_every_device_is_found_by_age(fleet, found):
    everyone = fleet.mender.as_(ADA).post(f"{FILTERS}/search", json={})

    assert everyone.headers["x-total-count"] == "5"
    assert [each["id"] for each in everyone.json()] == [fleet.devices[name].id for name in EVERYONE]
    assert found() == found(device_ids=[]) == EVERYONE


def test_a_found_device_looks_like_a_listed_one(fleet, ask):
    found = ask({"device_ids": [fleet.devices["one"].id]}).json()

    assert found == [fleet.mender.as_(ADA).get(f"{INVENTORY}/devices/{fleet.devices['one'].id}").json()]


@pytest.mark.parametrize(
    ("sort", "wanted"),
    [
        ([("inventory", "number", "asc")], ["five", "one", "three", "two", "four"]),
        ([("inventory", "number", "desc")], ["four", "two", "three", "one", "five"]),
        ([("inventory", "kind", "asc"), ("inventory", "number", "desc")], ["five", "four", "three", "two", "one"]),
        ([("system", "created_ts", "desc")], EVERYONE[::-1]),
        ([("system", "group", "desc"), ("system", "created_ts", "desc")], ["two", "one", "five", "four", "three"]),
        ([("identity", "status", "desc")], ["five", "one", "two", "three", "four"]),
    ],
)
def test_found_devices_are_sorted(found, sort, wanted):
    said = [dict(zip(("scope", "attribute", "order"), each, strict=True)) for each in sort]

    assert found(sort=said) == wanted


def test_only_the_attributes_that_are_asked_for_are_told(fleet, ask):
    wanted = [{"scope": "inventory", "attribute": "kind"}, {"scope": "system", "attribute": "group"}]

    (shown,) = ask({"device_ids": [fleet.devices["one"].id], "attributes": wanted}).json()

    assert shown["attributes"] == [
        {"name": "kind", "value": "lock", "scope": "inventory"},
        {"name": "group", "value": "pair", "scope": "system"},
    ]


def test_the_body_says_which_page(fleet, ask, found):
    reply = ask({"page": 2, "per_page": 2, "filters": []})

    assert [each["id"] for each in reply.json()] == [fleet.devices[name].id for name in ("three", "four")]
    assert reply.headers["x-total-count"] == "5"
    assert [link.split(";")[0].strip("<>") for link in reply.headers.get_list("link")] == [
        f"{FILTERS}/search?page={page}&per_page=2" for page in (1, 3, 1)
    ]
    assert found(page=3, per_page=2) == ["five"]
    assert found(page=4, per_page=2) == []


def test_a_link_leads_to_the_next_page(fleet):
    ada = fleet.mender.as_(ADA)
    first = ada.post(f"{FILTERS}/search?per_page=4", json={})
    link = next(each for each in first.headers.get_list("link") if 'rel="next"' in each)

    second = ada.post(link.split(";")[0].strip("<>"), json={})

    assert [each["id"] for each in first.json() + second.json()] == [fleet.devices[name].id for name in EVERYONE]


GOOD = {"scope": "inventory", "attribute": "kind", "type": "$eq", "value": "lock"}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"scope": ""}, "scope"),
        ({"scope": None}, "scope"),
        ({"scope": "a/b"}, "scope"),
        ({"scope": "x" * 1025}, "scope"),
        ({"attribute": ""}, "attribute"),
        ({"attribute": "\0"}, "NUL"),
        ({"type": ""}, "type"),
        ({"type": "$where"}, "$where"),
        ({"type": "eq"}, "type"),
        ({"value": None}, "value"),
        ({"value": True}, "value"),
        ({"value": {"$gt": 1}}, "value"),
        ({"value": [["a"]]}, "value"),
        ({"value": ["a", 1]}, "array"),
        ({"value": 10**400}, ""),
        ({"type": "$gt", "value": ["a"]}, "value"),
        ({"type": "$in", "value": "lock"}, "array"),
        ({"type": "$nin", "value": "lock"}, "array"),
        ({"type": "$in", "value": [None]}, "value"),
        ({"type": "$in", "value": ["x"] * 10_001}, "at most"),
        ({"type": "$exists", "value": "true"}, "$exists"),
        ({"type": "$regex", "value": 1}, "$regex"),
        ({"type": "$regex", "value": "("}, "$regex"),
        ({"type": "$regex", "value": "(?=a)"}, "RE2"),
        ({"type": "$regex", "value": r"(a)\1"}, "RE2"),
        ({"type": "$regex", "value": "x" * 1001}, "1000"),
        ({"type": "$regex", "value": "((a{100}){100}){100}"}, "$regex"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_with_a_reason(ask, change, word):
    reply = ask({"filters": [GOOD | change]})

    assert reply.status_code == 400, reply.text
    assert word in reply.json()["error"]


@pytest.mark.parametrize("missing", GOOD)
def test_a_filter_that_lacks_a_part_is_refused(ask, missing):
    reply = ask({"filters": [{name: value for name, value in GOOD.items() if name != missing}]})

    assert reply.status_code == 400
    assert missing in reply.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        {"page": 0},
        {"page": -1},
        {"page": "1"},
        {"page": 10**30},
        {"per_page": 0},
        {"per_page": 501},
        {"filters": {}},
        {"filters": [1]},
        {"filters": [GOOD] * 21},
        {"sort": [{"scope": "inventory", "attribute": "kind"}]},
        {"sort": [{"scope": "inventory", "attribute": "kind", "order": "up"}]},
        {"sort": [{"attribute": "kind", "order": "asc"}]},
        {"attributes": [{"scope": "inventory"}]},
        {"device_ids": "one"},
        {"device_ids": [1]},
        [],
        "text",
    ],
)
def test_a_search_that_makes_no_sense_is_refused(ask, body):
    reply = ask(body)

    assert reply.status_code == 400, reply.text
    assert set(reply.json()) == {"error", "request_id"}


def test_no_pattern_takes_long(fleet, found):
    assert fleet.devices["one"].report({"long": "a" * 50_000}).status_code == 200
    began = time.monotonic()

    assert found(("inventory", "long", "$regex", "(a+)+$")) == ["one"]
    assert found(("inventory", "long", "$regex", "(a|aa)*b")) == []

    assert time.monotonic() - began < 5
    assert fleet.devices["one"].report(SAID["one"], method="PUT").status_code == 200


def test_someone_who_may_only_look_may_search(fleet, ask):
    assert len(ask({}, BEN).json()) == 5
    assert fleet.mender.as_(BEN).get(f"{FILTERS}/attributes").status_code == 200


def test_nobody_finds_another_organizations_devices(fleet, mender, zenith):
    zoe = mender.as_(ZOE)

    assert zoe.post(f"{FILTERS}/search", json={"filters": [GOOD]}).json() == []
    assert zoe.post(f"{FILTERS}/search", json={"device_ids": [fleet.devices["one"].id]}).json() == []
    assert zoe.post(f"{FILTERS}/search", json={"filters": [GOOD | {"type": "$regex"}]}).json() == []
    assert zoe.get(f"{FILTERS}/attributes").json() == []


@pytest.mark.parametrize(("plan", "status"), [("os", 403), ("professional", 200), ("enterprise", 200)])
def test_searching_is_part_of_the_larger_plans(server, mender, plan, status):
    settle(server, mender, "small", {ADA: "RBAC_ROLE_PERMIT_ALL"}, plan)

    assert mender.as_(ADA).post(f"{FILTERS}/search", json={}).status_code == status
    assert mender.as_(ADA).get(f"{FILTERS}/attributes").status_code == 200


def test_what_can_be_filtered_by_is_told_the_most_frequent_first(fleet):
    told = fleet.mender.as_(ADA).get(f"{FILTERS}/attributes").json()

    counts = {(each["scope"], each["name"]): each["count"] for each in told}
    assert counts["inventory", "kind"] == counts["inventory", "number"] == 4
    assert counts["inventory", "a.b/c$d"] == 1
    assert counts["identity", "sn"] == 4
    assert counts["identity", "mac"] == counts["identity", "status"] == counts["system", "created_ts"] == 5
    assert counts["system", "group"] == 2
    assert told == sorted(told, key=lambda each: (-each["count"], each["scope"], each["name"]))
    assert all(set(each) == {"name", "scope", "count"} for each in told)


def test_at_most_500_attributes_are_told(acme, mender):
    one, two = acme.device("one"), acme.device("two")
    one.report({f"a{number}": 1 for number in range(600)})
    two.report({f"a{number}": 1 for number in range(590, 600)})

    told = mender.as_(ADA).get(f"{FILTERS}/attributes").json()

    assert len(told) == 500
    assert [each["count"] for each in told[:14]] == [2] * 14
    assert {f"a{number}" for number in range(590, 600)} < {each["name"] for each in told[:14]}


def test_the_devauth_status_is_the_one_that_is_found(acme, mender):
    door = acme.device("door")
    path = f"{DEVAUTH}/devices/{door.id}/auth/{door.auth_set}/status"
    mender.as_(ADA).put(path, json={"status": "rejected"})
    rejected = {"scope": "identity", "attribute": "status", "type": "$eq", "value": "rejected"}

    (found,) = mender.as_(ADA).post(f"{FILTERS}/search", json={"filters": [rejected]}).json()

    assert found["id"] == door.id
