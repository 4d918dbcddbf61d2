"""A request goes out as the definition says, with a key, and what was answered is there for later tasks."""

from __future__ import annotations

import pytest

from fairlead.base.http.outgoing import LARGEST_ANSWER, Outgoing
from house.outside import Outside

from .running import JOB_ID, carry_out, definition, failure_of, tools

HUNTER = "hunter2"


@pytest.fixture
def outside():
    with Outside() as outside:
        yield outside


@pytest.fixture
def using(tmp_path):
    return tools(tmp_path, environment={"REGION": "eu", "TOKEN": HUNTER})


def http(uri: str, name: str = "ask", requires: tuple[str, ...] = (), **more) -> dict:
    return {"name": name, "type": "http", "requires": list(requires), "http": {"uri": uri, **more}}


def test_a_request_goes_out_as_it_is_said(outside, using):
    outside.answers("/devices/a%2Fb", 201, {"id": 7})
    said = http(
        f"{outside.url}/devices/${{workflow.input.id}}?region=${{env.REGION|us}}",
        method="patch",
        contentType="text/x-${env.REGION}",
        body="<${workflow.input.id}>",
        headers={"X-${env.REGION}": "${workflow.input.id}"},
    )

    result = carry_out(definition(said), using, {"id": "a/b"})["ask"]

    (asked,) = outside.asked
    assert (asked.method, asked.target, asked.body) == ("PATCH", "/devices/a%2Fb?region=eu", b"<a/b>")
    assert (asked.headers["content-type"], asked.headers["x-eu"]) == ("text/x-eu", "a/b")
    assert (result.success, result.skipped) == (True, False)
    assert result.data["request"] == {
        "uri": f"{outside.url}/devices/a%2Fb?region=eu",
        "method": "PATCH",
        "headers": ["X-eu: a/b", "Content-Type: text/x-eu", f"Idempotency-Key: {JOB_ID}:0"],
        "body": "<a/b>",
    }
    assert result.data["response"] == {"statusCode": 201, "body": '{"id": 7}'}
    assert result.data["json"] == {"id": 7}


def test_without_a_method_it_is_a_get_and_without_a_type_there_is_none(outside, using):
    carry_out(definition(http(outside.url)), using)

    (asked,) = outside.asked
    assert asked.method == "GET"
    assert "content-type" not in asked.headers


def test_json_is_put_together_from_texts_and_says_what_it_is(outside, using):
    said = http(outside.url, method="POST", json={"${env.REGION}": ['"${workflow.input.id}"', 1, None]})

    carry_out(definition(said), using, {"id": '"},{"x'})

    (asked,) = outside.asked
    assert asked.json == {"eu": ['""},{"x"', 1, None]}
    assert asked.headers["content-type"] == "application/json"


def test_json_may_be_called_something_else(outside, using):
    carry_out(definition(http(outside.url, method="POST", json=[], headers={"content-type": "x/json"})), using)

    assert outside.asked[0].headers["content-type"] == "x/json"


def test_later_tasks_read_what_earlier_ones_were_answered_with(outside, using):
    outside.answers("/first", body={"devices": [{"id": "door"}]})
    second = http(f"{outside.url}/second/${{ask.json.devices.[0].id}}/${{ask.json.none|nobody}}", "second")

    carry_out(definition(http(f"{outside.url}/first"), second), using)

    assert [asked.path for asked in outside.asked] == ["/first", "/second/door/nobody"]


@pytest.mark.parametrize("answer", [b"", b"no json", b"\xff\xfe", b"[" * 100_000, b"[" * 70 + b"]" * 70, b'"a text"'])
def test_an_answer_that_holds_no_fields_is_no_failure(outside, using, answer):
    outside.answers("/first", body=answer)
    second = http(f"{outside.url}/second/${{ask.json.id|nobody}}", "second")

    carry_out(definition(http(f"{outside.url}/first"), second), using)

    assert outside.asked[1].path == "/second/nobody"


@pytest.mark.parametrize(
    ("status", "good", "succeeds"),
    [
        (200, [], True),
        (204, [], True),
        (302, [], True),
        (399, [], True),
        (400, [], False),
        (404, [], False),
        (409, [], False),
        (500, [], False),
        (404, [204, 404], True),
        (204, [204, 404], True),
        (200, [204, 404], False),
    ],
)
def test_it_succeeds_below_400_or_with_what_is_named(outside, using, status, good, succeeds):
    outside.answers("/x", status, b"because")
    said = definition(http(f"{outside.url}/x?token={HUNTER}", statusCodes=good))

    if succeeds:
        assert carry_out(said, using)["ask"].data["response"]["statusCode"] == status
        return
    failed = failure_of(said, using)
    assert str(failed) == f"GET {outside.url}/x was answered with {status}"
    assert not failed.for_good
    assert not failed.result.success
    assert failed.result.data["response"] == {"statusCode": status, "body": "because"}


def test_what_is_put_into_an_address_is_not_told_when_it_fails(outside, using):
    """What is told of a failure stands in the log, and in the database as it is."""
    outside.answers(f"/services/{HUNTER}/eu", 500)
    bad = [
        http(f"{outside.url}/services/${{workflow.input.token}}/${{env.REGION|{HUNTER}}}?${{workflow.input.token}}#x"),
        http("http:///services/${workflow.input.token}"),
        http("http://127.0.0.1:x/services/${workflow.input.token}"),
        http("${workflow.input.token}"),
        http("http://10.0.0.1/services/${workflow.input.token}"),
        http(f"{outside.url}/${{encoding=plain;workflow.input.token}} /x"),
        http(outside.url, headers={"X-${workflow.input.token}\n": "x"}),
    ]

    told = [str(failure_of(definition(each), using, {"token": HUNTER})) for each in bad]

    assert told[0] == f"GET {outside.url}/services/…/… was answered with 500"
    assert HUNTER not in "".join(told)
    whole = failure_of(definition(http("${workflow.input.url}")), using, {"url": f"{outside.url}/services/{HUNTER}/eu"})
    assert str(whole) == f"GET {outside.url} was answered with 500"


def test_nobody_there_is_worth_another_attempt(outside, using):
    outside.answers("/x", hangs_up=True)

    failed = failure_of(definition(http(f"{outside.url}/x")), using)

    assert not failed.for_good
    assert "disconnected" in str(failed)
    assert "response" not in failed.result.data


def test_time_outs_are_in_seconds_and_count(outside, using):
    outside.answers("/x", never=True)

    failed = failure_of(definition(http(f"{outside.url}/x", connectionTimeOut=1, readTimeOut=1)), using)

    assert "Timeout" in str(failed)
    assert not failed.for_good


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("http://10.0.0.1/", "not a public address: the operator can allow it with --allow-outgoing"),
        ("http://${workflow.input.host}/", "not a public address"),
        ("http://${workflow.input.missing}/", "no http or https address"),
        ("${workflow.input.file}", "no http or https address"),
        ("${workflow.input.user}", "must not contain a user"),
        ("{url}/${encoding=plain;workflow.input.space}", "spaces or control characters"),
        ("{url}/a/${workflow.input.up}/b", "it would lead elsewhere"),
        ("{url}/a/${workflow.input.up_twice}", "it would lead elsewhere"),
        ("{url}/a/${workflow.input.up_backwards}", "it would lead elsewhere"),
        ("{url}/a/${workflow.input.here}/b", "it would lead elsewhere"),
        ("{url}/a/%2e%2E/b", "it would lead elsewhere"),
    ],
)
def test_no_input_leads_where_it_may_not(outside, using, uri, reason):
    inputs = {
        "host": "169.254.169.254",
        "file": "file:///etc/passwd",
        "user": f"http://me:{HUNTER}@127.0.0.1/",
        "space": "a b",
        "up": "..",
        "up_twice": "x/../../y",
        "up_backwards": "x\\..\\y",
        "here": ".",
    }

    failed = failure_of(definition(http(uri.replace("{url}", outside.url))), using, inputs)

    assert reason in str(failed)
    assert failed.for_good
    assert HUNTER not in f"{failed} {failed.result}"
    assert outside.asked == []


def test_dots_are_good_where_they_are_no_way_up(outside, using):
    said = http(f"{outside.url}/v1.2/..a/b../.c?x=../..&y=${{workflow.input.y}}")

    carry_out(definition(said), using, {"y": "../.."})

    assert outside.asked[0].target == "/v1.2/..a/b../.c?x=../..&y=..%2F.."


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "a\rb", "\x7f"])
def test_no_input_makes_a_header_of_its_own(outside, using, value):
    for headers in ({"X-A": "${workflow.input.v}"}, {"X-${workflow.input.v}": "a"}):
        failed = failure_of(definition(http(outside.url, headers=headers)), using, {"v": value})
        assert failed.for_good
    assert outside.asked == []


def test_an_input_as_the_name_of_a_header_must_be_one(outside, using):
    failed = failure_of(definition(http(outside.url, headers={"${workflow.input.v}": "a"})), using, {"v": "X: y, Z"})

    assert str(failed) == "the name of a header has marks that HTTP does not allow"


def test_how_a_request_is_sent_is_not_for_the_definition_to_say(outside, using):
    headers = {
        "Host": "evil",
        "content-length": "3",
        "Transfer-Encoding": "chunked",
        "Connection": "upgrade",
        "TE": "x",
    }

    result = carry_out(definition(http(outside.url, method="POST", body="12345", headers=headers)), using)["ask"]

    (asked,) = outside.asked
    assert (asked.body, asked.headers["host"], asked.headers["content-length"]) == (b"12345", outside.host, "5")
    assert not {"transfer-encoding", "connection", "te"} & set(asked.headers)
    assert result.data["request"]["headers"] == [f"Idempotency-Key: {JOB_ID}:0"]


def test_every_step_has_a_key_of_its_own_that_stays_the_same(outside, using):
    said = definition(http(f"{outside.url}/a"), http(f"{outside.url}/b", "second"))

    for _ in range(2):
        carry_out(said, using)

    assert [asked.key for asked in outside.asked] == [f"{JOB_ID}:0", f"{JOB_ID}:1"] * 2
    assert outside.told("/a") == {f"{JOB_ID}:0": 2}


@pytest.mark.parametrize("name", ["Idempotency-Key", "idempotency-key"])
def test_a_definition_may_know_a_better_key(outside, using, name):
    said = definition(http(outside.url, headers={name: "order-${workflow.input.order}"}))

    carry_out(said, using, {"order": "5"})
    assert outside.asked[0].key == "order-5"

    carry_out(definition(http(outside.url, headers={name: "${workflow.input.order}"})), using)
    assert outside.asked[1].key == f"{JOB_ID}:0"


def test_what_lets_somebody_in_is_not_shown(outside, using):
    names = ("Authorization", "cookie", "X-Api-Key", "X-Auth-Token", "X-MEN-Signature", "X-Client-Secret", "X-Password")
    said = definition(http(outside.url, headers=dict.fromkeys(names, "Bearer ${env.TOKEN}") | {"X-Id": "shown"}))

    result = carry_out(said, using)["ask"]

    assert outside.asked[0].headers["authorization"] == f"Bearer {HUNTER}"
    assert HUNTER not in str(result)
    assert "X-Id: shown" in result.data["request"]["headers"]
    assert "Authorization: ***" in result.data["request"]["headers"]


@pytest.mark.parametrize(
    ("requires", "skipped"),
    [
        (("${workflow.input.there}",), False),
        (("${workflow.input.there}", "${workflow.input.missing}"), True),
        (("${workflow.input.empty}",), True),
        (("${workflow.input.missing|x}",), False),
        (("${env.REGION}",), False),
        (("${env.NOT_ALLOWED}",), True),
        (("",), True),
        ((), False),
    ],
)
def test_a_task_that_lacks_what_it_requires_is_skipped(outside, using, requires, skipped, monkeypatch):
    monkeypatch.setenv("NOT_ALLOWED", "the operator does not let workflows see this")

    result = carry_out(definition(http(outside.url, requires=requires)), using, {"there": "x", "empty": ""})["ask"]

    assert (result.success, result.skipped) == (True, skipped)
    assert len(outside.asked) == (0 if skipped else 1)


def test_a_skipped_task_has_answered_nothing(outside, using):
    first = http(outside.url, requires=("${workflow.input.missing}",))

    carry_out(definition(first, http(f"{outside.url}/${{ask.json.id|none}}", "second")), using)

    assert [asked.path for asked in outside.asked] == ["/none"]


def test_what_becomes_too_large_is_not_sent(outside, using):
    said = definition(http(outside.url, method="POST", json=["${workflow.input.x}"] * 1000))

    failed = failure_of(said, using, {"x": "x" * 1_000_000})

    assert (str(failed), failed.for_good) == ("what was put together for the task is too large", True)
    assert outside.asked == []


def test_a_large_answer_is_cut_off_and_less_of_it_is_shown(outside, using):
    outside.answers("/x", body=b"x" * 2 * LARGEST_ANSWER)

    result = carry_out(definition(http(f"{outside.url}/x")), using)["ask"]

    assert result.data["response"]["body"] == "x" * 65536


def test_an_alias_leads_to_our_own_listener(outside, tmp_path):
    using = tools(tmp_path, outgoing=Outgoing(aliases={"mender-inventory:8080": outside.host}))

    carry_out(definition(http("http://${env.INVENTORY_ADDR|mender-inventory:8080}/api/internal")), using)

    assert outside.asked[0].path == "/api/internal"
