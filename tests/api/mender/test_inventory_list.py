"""Which devices have these attributes, and in which order? `GET /inventory/devices`."""

import pytest
from test_inventory_reports import NAMES

from house.devices import ATTRIBUTES
from house.world import ADA, INVENTORY, settled

SAID = {
    "one": {"kind": "lock", "number": 1, "mixed": "5", "list": ["a", "b"], "a.b/c$d": "odd", "mac": "00:11:22"},
    "two": {"kind": "lock", "number": 10, "mixed": 5, "list": ["b", "c"], "numbers": [1, 2.5], "tür": "zu"},
    "three": {"kind": "gate", "number": 2, "mixed": "x", "quoted": 'it\'s "so"', "percent": "100%_", "b\\s": "\\"},
    "four": {"kind": "Lock", "number": "1", "empty": "", "eq": "eq:5", "colon": "lt:5", "page": "7"},
}


@pytest.fixture(scope="module")
def fleet(server):
    """An Acme with four devices that have said something; nobody changes it."""
    with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL"}) as acme:
        for name, attributes in SAID.items():
            device = acme.device(name, sn=f"serial-{name}")
            assert device.report(attributes).status_code == 200
        for name in ("one", "two"):
            acme.mender.as_(ADA).put(f"{INVENTORY}/devices/{acme.devices[name].id}/group", json={"group": "pair"})
        acme.ask("five")
        yield acme


@pytest.fixture
def listed(fleet):
    """The names of the devices in the list for a query, in their order."""
    names = {device.id: name for name, device in fleet.devices.items()}

    def ask(*query: tuple[str, str]) -> list[str]:
        reply = fleet.mender.as_(ADA).get(f"{INVENTORY}/devices", params=list(query))
        assert reply.status_code == 200, reply.text
        assert reply.headers["x-total-count"] == str(len(reply.json()))
        return [names[each["id"]] for each in reply.json()]

    return ask


def test_without_a_filter_all_devices_are_listed_by_age(listed):
    assert listed() == ["one", "two", "three", "four", "five"]


def test_a_device_is_listed_as_it_is_shown(fleet):
    ada, device = fleet.mender.as_(ADA), fleet.devices["one"]

    (listed,) = ada.get(f"{INVENTORY}/devices", params={"identity/mac": "one"}).json()

    shown = ada.get(f"{INVENTORY}/devices/{device.id}").json()
    assert listed == shown
    assert set(shown) == {"id", "attributes", "updated_ts"}
    assert {"name": "kind", "value": "lock", "scope": "inventory"} in shown["attributes"]


def test_a_device_that_is_not_there_is_not_found(fleet):
    reply = fleet.mender.as_(ADA).get(f"{INVENTORY}/devices/nowhere")

    assert (reply.status_code, reply.json()["error"]) == (404, "device not found")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ([("kind", "lock")], ["one", "two"]),
        ([("kind", "eq:lock")], ["one", "two"]),
        ([("inventory/kind", "lock")], ["one", "two"]),
        ([("inventory/kind", "eq:lock")], ["one", "two"]),
        ([("identity/kind", "lock")], []),
        ([("kind", "Lock")], ["four"]),
        ([("kind", "loc")], []),
        ([("kind", "lock"), ("number", "10")], ["two"]),
        ([("kind", "lock"), ("kind", "gate")], []),
        ([("number", "1")], ["one", "four"]),
        ([("number", "1.0")], ["one"]),
        ([("number", "1e0")], ["one"]),
        ([("number", "eq:10")], ["two"]),
        ([("mixed", "5")], ["one", "two"]),
        ([("mixed", "5.0")], ["two"]),
        ([("list", "b")], ["one", "two"]),
        ([("list", "a")], ["one"]),
        ([("list", '["a","b"]')], []),
        ([("numbers", "2.5")], ["two"]),
        ([("numbers", "1")], ["two"]),
        ([("empty", "")], ["four"]),
        ([("eq", "eq:eq:5")], ["four"]),
        ([("colon", "lt:5")], ["four"]),
        ([("mac", "00:11:22")], ["one"]),
        ([("identity/mac", "one")], ["one"]),
        ([("identity/sn", "serial-two")], ["two"]),
        ([("identity/status", "accepted")], ["one", "two", "three", "four"]),
        ([("identity/status", "pending")], ["five"]),
        ([("system/group", "pair")], ["one", "two"]),
        ([("tür", "zu")], ["two"]),
        ([("quoted", 'it\'s "so"')], ["three"]),
        ([("percent", "100%_")], ["three"]),
        ([("percent", "100%")], []),
        ([("b\\s", "\\")], ["three"]),
        ([("inventory/a.b/c$d", "odd")], ["one"]),
        ([("nothing", "x")], []),
        ([("kind", "' OR 1=1 --")], []),
        ([("kind') OR 1=1 --", "x")], []),
        ([("nothing", "nan")], []),
        ([("nothing", "1e999")], []),
        ([("group", "pair")], ["one", "two"]),
        ([("group", "nobody")], []),
        ([("has_group", "true")], ["one", "two"]),
        ([("has_group", "false")], ["three", "four", "five"]),
        ([("has_group", "")], ["one", "two", "three", "four", "five"]),
        ([("group", "pair"), ("number", "10")], ["two"]),
        ([("id", "anything")], ["one", "two", "three", "four", "five"]),
    ],
    ids=str,
)
def test_the_list_can_be_narrowed_down(listed, query, wanted):
    assert listed(*query) == wanted


@pytest.mark.parametrize(
    ("sort", "wanted"),
    [
        ("identity/mac:asc", ["five", "four", "one", "three", "two"]),
        ("identity/mac:desc", ["two", "three", "one", "four", "five"]),
        ("identity/mac", ["two", "three", "one", "four", "five"]),
        ("number:asc", ["five", "one", "three", "two", "four"]),
        ("number:desc", ["four", "two", "three", "one", "five"]),
        ("kind:asc,number:asc", ["five", "four", "three", "one", "two"]),
        ("kind:asc,number:desc", ["five", "four", "three", "two", "one"]),
        ("inventory/kind:desc,identity/mac:asc", ["one", "two", "three", "four", "five"]),
        ("system/created_ts:desc", ["five", "four", "three", "two", "one"]),
        ("created_ts:asc,", ["one", "two", "three", "four", "five"]),
        ("system/group:asc,identity/mac:asc", ["five", "four", "three", "one", "two"]),
        ("nothing:asc", ["one", "two", "three", "four", "five"]),
        ("tür:asc", ["one", "three", "four", "five", "two"]),
        ("inventory/a.b/c$d:desc", ["one", "two", "three", "four", "five"]),
    ],
)
def test_the_list_can_be_sorted(listed, sort, wanted):
    assert listed(("sort", sort)) == wanted


@pytest.mark.parametrize("sort", ["kind:up", "kind:ASC", ":asc", "kind:asc:desc", "kind:asc,number:down", "a:\0"])
def test_an_order_that_is_none_is_refused(fleet, sort):
    reply = fleet.mender.as_(ADA).get(f"{INVENTORY}/devices", params={"sort": sort})

    assert reply.status_code == 400
    assert reply.json()["error"] == ("Can't parse param sort" if "\0" in sort else "invalid sort order")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("has_group=maybe", "Can't parse param has_group"),
        ("a%00=b", "Can't parse param"),
        ("a=b%00", "Can't parse param"),
        ("inventory/=x", "Can't parse param"),
        ("group=%00", "Can't parse param group"),
        ("&".join(f"a{number}=1" for number in range(51)), "more than 50 filters"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(fleet, query, text):
    reply = fleet.mender.as_(ADA).get(f"{INVENTORY}/devices?{query}")

    assert reply.status_code == 400
    assert reply.json()["error"].startswith(text)


def test_every_name_that_can_be_reported_can_be_searched_and_sorted_by(acme):
    device = acme.device("door")
    device.request("PATCH", ATTRIBUTES, json=[{"name": name, "value": f"of {name}"} for name in NAMES])
    ada, found = acme.mender.as_(ADA), {}

    for name in NAMES:
        query = {f"inventory/{name}": f"of {name}", "sort": f"inventory/{name}:asc"}
        found[name] = ada.get(f"{INVENTORY}/devices", params=query).headers.get("x-total-count")

    assert found == dict.fromkeys(NAMES, "1")


def test_pages_keep_the_filters_and_the_order(fleet):
    query = {"kind": "lock", "sort": "number:asc", "per_page": "1"}

    first = fleet.mender.as_(ADA).get(f"{INVENTORY}/devices", params=query)
    second = fleet.mender.as_(ADA).get(first.links["next"]["url"])

    assert [first.json()[0]["id"], second.json()[0]["id"]] == [fleet.devices[name].id for name in ("one", "two")]
    assert first.headers["x-total-count"] == second.headers["x-total-count"] == "2"
    assert "next" not in second.links


def test_a_page_beyond_the_last_is_empty_and_still_says_how_many_there_are(fleet):
    reply = fleet.mender.as_(ADA).get(f"{INVENTORY}/devices?page=9")

    assert (reply.json(), reply.headers["x-total-count"]) == ([], "5")
