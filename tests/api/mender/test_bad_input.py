"""Whatever a body holds, the answer is a refusal in the API's own shape, and the server lives on."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from operations import PUBLIC_SIDE, Operation, filled, unknown_ids

from house.devices import AUTH, new_key, pem_of, sign
from house.world import ADA, settled

KEY = new_key()
ASK = Operation("POST", AUTH, body={"id_data": '{"mac": "x"}', "pubkey": pem_of(KEY), "tenant_token": "x"})
WITH_BODY = [ASK, *(each for each in PUBLIC_SIDE if each.body is not None and each.is_built and not each.form)]
TAKES_LONG_LISTS = {"/api/management/v1/deployments/deployments"}
MIB = 1024 * 1024
JSON = "application/json"


@pytest.fixture(scope="module")
def battered(server):
    """An Acme that is used to anything."""
    with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL"}) as acme:
        acme.device("door")
        yield acme


def say(acme, operation, raw, content_type=JSON):
    """Send these bytes as the body of an operation, in the name of whoever may."""
    path, _ = filled(operation, unknown_ids())
    if operation is ASK:
        headers = {"Content-Type": content_type, "X-MEN-Signature": sign(KEY, raw if isinstance(raw, bytes) else b"")}
        return acme.mender.client.post(path, content=raw, headers=headers)
    who = acme.devices["door"] if path.startswith("/api/devices/") else acme.mender.as_(ADA)
    return who.request(operation.method, path, content=raw, headers={"Content-Type": content_type})


def make_sure_it_is_refused_well(reply):
    assert 400 <= reply.status_code < 500, (reply.status_code, reply.text[:300])
    assert set(reply.json()) == {"error", "request_id"}
    assert reply.json()["error"]
    assert reply.json()["request_id"] == reply.headers["x-men-requestid"]


def make_sure_the_server_lives(acme):
    assert acme.mender.client.get("/alive").status_code == 204


NEVER_GOOD = {
    "nothing": b"",
    "blanks": b"  \n",
    "half an object": b"{",
    "half a list": b'["',
    "python": b"{'a': 1}",
    "two values": b"{} {}",
    "a trailing comma": b'{"a": 1,}',
    "a comment": b"{} // yes",
    "a number": b"5",
    "a text": b'"text"',
    "true": b"true",
    "null": b"null",
    "not a number": b"NaN",
    "a list of lists": b"[[]]",
    "a list of nothing": b"[null]",
    "an endless number": b"9" * 100_000,
    "beyond every float": b"1e999999",
    "a list of such": b"[1e999999]",
    "bytes": bytes(range(256)),
    "UTF-16": '{"a": "b"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "not UTF-8": b'{"\xff": "\xfe"}',
    "UTF-8 too long": b'{"a": "\xc0\x80"}',
    "a surrogate": b'{"a": "\xed\xa0\x80"}',
    "a zero": b'{"a": "\x00"}',
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep and open": b"[" * 100_000,
    "form data": b"name=value&other=1",
}


@pytest.mark.parametrize("what", NEVER_GOOD)
def test_what_no_operation_takes_is_refused_by_each(battered, what):
    for operation in WITH_BODY:
        make_sure_it_is_refused_well(say(battered, operation, NEVER_GOOD[what]))
    make_sure_the_server_lives(battered)


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_fifty_megabytes_are_too_many(battered, operation):
    reply = say(battered, operation, b"[" + b" " * 50 * MIB)

    make_sure_it_is_refused_well(reply)
    assert reply.status_code == (400 if operation.path in TAKES_LONG_LISTS else 413)
    reply = say(battered, operation, iter([b"[", *[b" " * MIB] * 50]))
    assert reply.status_code == (400 if operation.path in TAKES_LONG_LISTS else 413)
    make_sure_the_server_lives(battered)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "json", ";"]
)
def test_a_body_that_does_not_call_itself_json_is_refused_with_415(battered, content_type):
    for operation in WITH_BODY:
        _, body = filled(operation, unknown_ids())
        reply = say(battered, operation, json.dumps(body).encode(), content_type)
        make_sure_it_is_refused_well(reply)
        assert reply.status_code == 415, operation


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_say_more_of_itself(battered, content_type):
    for operation in WITH_BODY:
        assert say(battered, operation, b"5", content_type).status_code == 400, operation


def places(body, path=()):
    """Where in a body there is a value, as the way to it."""
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    yield path
    for key, value in inner:
        yield from places(value, (*path, key))


def put(body, path, value):
    if not path:
        return value
    changed = copy.deepcopy(body)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


HERE = "put it here"
ODD = {
    "a number": b"5",
    "a fraction": b"-0.5",
    "yes": b"true",
    "nothing": b"null",
    "an empty text": b'""',
    "a list": b"[]",
    "a list of lists": b"[[[]]]",
    "an object": b"{}",
    "a NUL": b'"a\\u0000b"',
    "an escaped NUL": b'"a\\\\u0000b"',
    "half a character": b'"\\ud800"',
    "the other half": b'"\\udc00"',
    "both in the wrong order": b'"\\udc00\\ud800"',
    "noncharacters": '"\uffff\U0010ffff"'.encode(),
    "a very long text": b'"' + b"x" * 200_000 + b'"',
    "a huge number": b"9" * 400,
    "an infinite number": b"1e400",
    "a tiny number": b"1e-400",
    "beyond 64 bits": b"18446744073709551616",
    "a broken escape": b'"\\x"',
    "not UTF-8": b'"\xff"',
    "a line break": b'"a\nb"',
    "twice the same key": b'{"a": 1, "a": "b"}',
    "deep": b"[" * 100_000 + b"]" * 100_000,
}


@pytest.mark.parametrize("what", ODD)
def test_an_odd_value_in_any_place_is_never_our_mistake(battered, what):
    for operation in WITH_BODY:
        _, body = filled(operation, unknown_ids())
        for place in places(body):
            raw = json.dumps(put(body, place, HERE)).encode().replace(f'"{HERE}"'.encode(), ODD[what])
            reply = say(battered, operation, raw)
            assert reply.status_code < 500, (operation, place, reply.text)
            if reply.status_code >= 400:
                make_sure_it_is_refused_well(reply)
    make_sure_the_server_lives(battered)


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_key_given_twice_is_never_our_mistake(battered, operation):
    _, body = filled(operation, unknown_ids())
    raw = json.dumps(body).encode()
    twice = raw.replace(b"}", b", " + raw.strip(b"[{}]") + b"}") if b"{" in raw else raw

    reply = say(battered, operation, twice)

    assert reply.status_code < 500


@pytest.mark.parametrize(
    "tail", ["%00", "%ff", "%ed%a0%80", "a" * 8000, "%2e%2e%2f", "a%0ab", "' OR 1=1", "%F0%9F%9A%AA"]
)
def test_an_odd_id_in_a_path_is_never_our_mistake(battered, tail):
    for operation in PUBLIC_SIDE:
        if not operation.names or not operation.is_built:
            continue
        path, body = filled(operation, dict.fromkeys(unknown_ids(), tail))
        who = battered.devices["door"] if path.startswith("/api/devices/") else battered.mender.as_(ADA)
        reply = who.request(operation.method, path, **({} if body is None else {"json": body}))
        assert reply.status_code < 500, (operation, reply.text)
        if reply.status_code >= 400:
            assert set(reply.json()) == {"error", "request_id"}, operation


bounded = settings(
    max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner), max_leaves=12
)


@bounded
@given(operation=st.sampled_from(WITH_BODY), body=values)
def test_any_json_is_answered(battered, operation, body):
    reply = say(battered, operation, json.dumps(body).encode())

    assert reply.status_code < 500, reply.text


@bounded
@given(data=st.data())
def test_any_json_in_any_place_of_a_good_body_is_answered(battered, data):
    operation = data.draw(st.sampled_from(WITH_BODY))
    _, body = filled(operation, unknown_ids())
    for place in data.draw(st.lists(st.sampled_from(list(places(body))), max_size=2)):
        try:
            body = put(body, place, data.draw(values))
        except (KeyError, IndexError, TypeError):
            continue  # the first change took the place of the second away

    reply = say(battered, operation, json.dumps(body).encode())

    assert reply.status_code < 500, reply.text


def is_json(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except ValueError:
        return False
    return True


@bounded
@given(operation=st.sampled_from(WITH_BODY), raw=st.binary(max_size=200).filter(lambda raw: not is_json(raw)))
def test_any_bytes_are_refused(battered, operation, raw):
    reply = say(battered, operation, raw)

    make_sure_it_is_refused_well(reply)
