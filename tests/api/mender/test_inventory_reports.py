"""What does a device say of itself, and what is kept of it? `PATCH` and `PUT /inventory/device/attributes`."""

import json

import pytest

from house.devices import ATTRIBUTES
from house.world import ADA, INVENTORY


@pytest.fixture
def known(mender):
    """What is known of a device: `known(device)["name"]`, of the scope that the device itself fills by default."""

    def attributes(device, scope: str = "inventory") -> dict:
        found = mender.as_(ADA).get(f"{INVENTORY}/devices/{device.id}").json()["attributes"]
        return {each["name"]: each["value"] for each in found if each["scope"] == scope}

    return attributes


@pytest.fixture(params=["PATCH", "PUT"])
def method(request) -> str:
    return request.param


def test_a_patch_is_laid_over_what_was_said_before(acme, known):
    device = acme.device("door")
    device.report({"a": "1", "b": "2"})

    reply = device.report({"b": ["x", "y"], "c": 3})

    assert (reply.status_code, reply.content) == (200, b"")
    assert known(device) == {"a": "1", "b": ["x", "y"], "c": 3}


def test_a_put_takes_the_place_of_what_was_said_before_and_of_nothing_else(mender, acme, known):
    device = acme.device("door", sn="7")
    device.report({"a": "1", "b": "2"})
    mender.as_(ADA).put(f"{INVENTORY}/devices/{device.id}/group", json={"group": "doors"})

    reply = device.report({"b": "3"}, "PUT")

    assert (reply.status_code, reply.content) == (200, b"")
    assert known(device) == {"b": "3"}
    assert known(device, "identity") == {"mac": "door", "sn": "7", "status": "accepted"}
    assert known(device, "system")["group"] == "doors"


def test_an_empty_put_takes_everything_back_and_an_empty_patch_nothing(acme, known):
    device = acme.device("door")
    device.report({"a": "1"})

    assert device.report({}).status_code == 200
    after_the_patch = known(device)
    assert device.report({}, "PUT").status_code == 200

    assert (after_the_patch, known(device)) == ({"a": "1"}, {})


VALUES = {
    "text": "1.2.3.4",
    "empty": "",
    "long": "x" * 50_000,
    "unicode": "Tür 🚪 \u2028 ＄ ．",
    "markup": "<'\"&\\%_;--\n\t\x01\x7f>",
    "spelled NUL": "\\u0000",
    "integer": 5,
    "negative": -5,
    "zero": 0,
    "fraction": 0.1,
    "exponent": 1e-300,
    "large": 2**63,
    "largest": 1.7e308,
    "texts": ["a", "", "ü"],
    "numbers": [1, 2.5, -3],
    "nothing": [],
    "one": ["a"],
}


def test_every_kind_of_value_comes_back_as_it_was_sent(acme, known, method):
    device = acme.device("door")

    assert device.report(VALUES, method).status_code == 200

    told = known(device)
    assert told == VALUES
    assert [type(told[name]) for name in ("integer", "zero", "texts")] == [int, int, list]


NAMES = [
    *("a.b", "$a", "a$b.c", ".", "$", "a/b", "/", "a%b", "%2F", "%25", "a\\b", "\\", '"', "'", "a[0]", "*", "?", "#"),
    *(
        "ü",
        "名前",
        "🚪",
        " ",
        "a b",
        "a\nb",
        "\t",
        "\x01",
        "\x7f",
        "＄．",
        "v",
        "d",
        "inventory/a",
        "identity-mac",
        "x" * 1024,
    ),
]


def test_every_name_comes_back_as_it_was_sent_and_can_be_changed(acme, known, method):
    device = acme.device("door")
    device.report(dict.fromkeys(NAMES, "before"), method)

    assert device.report({name: str(number) for number, name in enumerate(NAMES)}, method).status_code == 200

    assert known(device) == {name: str(number) for number, name in enumerate(NAMES)}


def test_names_have_at_most_1024_bytes(acme, method):
    device = acme.device("door")

    replies = [device.report({name: "x"}, method) for name in ("x" * 1024, "ü" * 512, "x" * 1025, "ü" * 513, "")]

    assert [reply.status_code for reply in replies] == [200, 200, 400, 400, 400]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "supported types are string, float64, and arrays thereof"),
        (None, "supported types are string, float64, and arrays thereof"),
        ({}, "supported types are string, float64, and arrays thereof"),
        ({"a": 1}, "supported types are string, float64, and arrays thereof"),
        ([True], "supported types are string, float64, and arrays thereof"),
        ([None], "supported types are string, float64, and arrays thereof"),
        ([["a"]], "supported types are string, float64, and arrays thereof"),
        (["a", 1], "array values must be"),
        ([1, "a"], "array values must be"),
        ("a\0b", "NUL"),
        (10**400, "out of range"),
        ([10**400], "out of range"),
    ],
)
def test_a_value_of_another_type_is_refused_and_nothing_is_kept(mender, standing, method, value, text):
    device = standing.devices["door"]

    reply = device.request(method, ATTRIBUTES, json=[{"name": "good", "value": 1}, {"name": "bad", "value": value}])

    assert reply.status_code == 400
    assert text in reply.json()["error"]
    assert reply.json()["request_id"] == reply.headers["x-men-requestid"]
    found = standing.mender.as_(ADA).get(f"{INVENTORY}/devices/{device.id}").json()["attributes"]
    assert "good" not in [each["name"] for each in found]


@pytest.mark.parametrize(
    "body",
    [
        b"garbage",
        b"{}",
        b'"text"',
        b"null",
        b"[5]",
        b"[{}]",
        b"[",
        b"\xff",
        b'[{"name": "a"}]',
        b'[{"value": "a"}]',
        b'[{"name": 5, "value": "a"}]',
        b'[{"name": "a", "value": 1e400}]',
        b'[{"name": "a", "value": NaN}]',
        b'[{"name": "a", "value": "\\ud800"}]',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_list_of_attributes_is_refused(standing, method, body):
    reply = standing.devices["door"].request(
        method, ATTRIBUTES, content=body, headers={"Content-Type": "application/json"}
    )

    assert reply.status_code == 400
    assert reply.json()["error"].startswith("failed to decode request body: ")


def test_an_empty_body_is_refused_in_the_words_of_the_reference(standing, method):
    reply = standing.devices["door"].request(method, ATTRIBUTES)

    assert (reply.status_code, reply.json()["error"]) == (400, "failed to decode request body: JSON payload is empty")


def test_another_type_of_content_is_refused(standing, method):
    reply = standing.devices["door"].request(method, ATTRIBUTES, content=b"[]", headers={"Content-Type": "text/plain"})

    assert reply.status_code == 415


def test_a_device_speaks_only_for_itself_whatever_scope_it_names(acme, known, method):
    device = acme.device("door")
    scopes = ("inventory", "identity", "system", "tags", "a/b", "")
    body = [{"name": f"mac{number}", "value": "x", "scope": scope} for number, scope in enumerate(scopes)]

    reply = device.request(method, ATTRIBUTES, json=[*body, {"name": "status", "value": "mine", "scope": "identity"}])

    assert reply.status_code == 200
    assert sorted(known(device)) == ["mac0", "mac1", "mac2", "mac3", "mac4", "mac5", "status"]
    assert known(device, "identity") == {"mac": "door", "status": "accepted"}


def test_descriptions_are_kept_with_their_attribute(mender, acme, method):
    device = acme.device("door")
    rows = [
        {"name": "said", "value": "1", "description": "what it is"},
        {"name": "empty", "value": "2", "description": ""},
        {"name": "null", "value": "3", "description": None},
        {"name": "none", "value": "4", "unknown": True},
    ]

    assert device.request(method, ATTRIBUTES, json=rows).status_code == 200

    found = mender.as_(ADA).get(f"{INVENTORY}/devices/{device.id}").json()["attributes"]
    described = {each["name"]: each.get("description") for each in found if each["scope"] == "inventory"}
    assert described == {"said": "what it is", "empty": None, "null": None, "none": None}


def test_a_patch_without_a_description_leaves_the_one_that_was_there(mender, acme):
    device = acme.device("door")
    device.request("PATCH", ATTRIBUTES, json=[{"name": "a", "value": "1", "description": "what it is"}])

    device.report({"a": "2"})

    found = mender.as_(ADA).get(f"{INVENTORY}/devices/{device.id}").json()["attributes"]
    assert {"name": "a", "value": "2", "scope": "inventory", "description": "what it is"} in found


def test_of_an_attribute_that_is_said_twice_the_last_counts(acme, known, method):
    device = acme.device("door")

    device.request(method, ATTRIBUTES, json=[{"name": "a", "value": "1"}, {"name": "a", "value": "2"}])

    assert known(device) == {"a": "2"}


def test_an_accepted_device_with_three_attributes_of_its_own_shows_eight(mender, acme, known):
    device = acme.device("door", sn="7")
    device.report({"a": "1", "b": 2, "c": ["3"]})

    found = mender.as_(ADA).get(f"{INVENTORY}/devices/{device.id}").json()

    assert len(found["attributes"]) == 8
    assert known(device, "identity") == {"mac": "door", "sn": "7", "status": "accepted"}
    assert set(known(device, "system")) == {"created_ts", "updated_ts"}
    assert known(device, "system")["updated_ts"] == found["updated_ts"]


def test_a_report_is_known_when_it_is_answered_and_changes_when_it_was_updated(mender, acme, known):
    device = acme.device("door")
    before = known(device, "system")

    device.report({"a": "1"})

    after = known(device, "system")
    assert after["created_ts"] == before["created_ts"]
    assert after["updated_ts"] > before["updated_ts"]


def test_a_report_of_a_first_time_token_and_of_a_known_one_are_the_same(mender, acme, known, method):
    """The first request with a token takes the normal way, the next one is answered at the front door."""
    device = acme.device("door")

    first = device.report({"a": "1"}, method)
    second = device.report({"a": "2"}, method)

    assert [(reply.status_code, reply.content) for reply in (first, second)] == [(200, b"")] * 2
    assert known(device) == {"a": "2"}


def test_a_report_that_is_too_large_is_refused(acme, known, method):
    device = acme.device("door")

    replies = [device.report({"a": "x" * size}, method) for size in (300_000, 1_100_000, 11_000_000)]

    assert [reply.status_code for reply in replies] == [200, 413, 413]
    assert len(known(device)["a"]) == 300_000


def test_a_report_of_too_many_attributes_is_refused(acme, known):
    device = acme.device("door")

    assert device.report({f"a{number}": "x" for number in range(1001)}).status_code == 400
    assert known(device) == {}


def test_the_body_may_come_in_pieces(acme, known, method):
    device = acme.device("door")
    body = json.dumps([{"name": "a", "value": "x" * 5000}]).encode()
    pieces = (body[start : start + 100] for start in range(0, len(body), 100))

    reply = device.request(method, ATTRIBUTES, content=pieces, headers={"Content-Type": "application/json"})

    assert reply.status_code == 200
    assert known(device) == {"a": "x" * 5000}


def test_an_inventory_that_someone_removed_begins_anew_with_the_next_report(mender, acme, known):
    device, ada = acme.device("door", sn="7"), mender.as_(ADA)
    device.report({"a": "1"})
    ada.put(f"{INVENTORY}/devices/{device.id}/group", json={"group": "doors"})

    removed = [ada.delete(f"{INVENTORY}/devices/{device.id}") for _ in range(2)]
    missing = ada.get(f"{INVENTORY}/devices/{device.id}").status_code
    reply = device.report({"b": "2"})

    assert [(each.status_code, each.content) for each in removed] == [(204, b"")] * 2
    assert missing == 404
    assert reply.status_code == 200
    assert known(device) == {"b": "2"}
    assert known(device, "identity") == {"mac": "door", "sn": "7", "status": "accepted"}
    assert ada.get(f"{INVENTORY}/devices/{device.id}/group").json() == {"group": None}


def test_removing_what_is_not_there_is_no_error(standing):
    assert standing.mender.as_(ADA).delete(f"{INVENTORY}/devices/nowhere").status_code == 204
