"""A definition that could not run, or would do harm, is refused when it is read, with a reason."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.base.http.outgoing import Outgoing
from fairlead.domain.workflows import (
    BadDefinition,
    make_sure_addresses_are_allowed,
    make_sure_programs_are_allowed,
    read,
)
from fairlead.domain.workflows.definition import LARGEST_DEFINITION

from .running import definition

ASK = {"name": "ask", "type": "http", "http": {"uri": "http://example.com/", "method": "GET"}}
RUN = {"name": "run", "type": "cli", "cli": {"command": ["true"]}}
WRITE = {"name": "write", "type": "smtp", "smtp": {"to": ["ada@acme.example"], "body": "Hello"}}
TELL = {"name": "tell", "type": "nats", "nats": {"subject": "a.b", "data": {"x": 1}}}


def http(**more) -> dict:
    return {**ASK, "http": {**ASK["http"], **more}}


def asking(text: str, name: str = "second") -> dict:
    return {**http(body=text), "name": name}


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def refused(said: object) -> str:
    with pytest.raises(BadDefinition) as refusal:
        read(said if isinstance(said, bytes | str) else json.dumps(said))
    return str(refusal.value)


def test_a_definition_of_every_type_is_read_whole():
    said = definition(
        {
            **ASK,
            "retries": 3,
            "retryDelaySeconds": 5,
            "requires": ["${workflow.input.device_id}"],
            "http": {
                "uri": "http://${env.INVENTORY_ADDR|mender-inventory:8080}/${encoding=url;workflow.input.device_id}",
                "method": "PATCH",
                "contentType": "application/json",
                "json": {"id": "${workflow.input.device_id}", "none": None, "list": [1, 2.5, True]},
                "headers": {"X-MEN-RequestID": "${workflow.input.request_id}"},
                "statusCodes": [200, 404],
                "connectionTimeOut": 8000,
                "readTimeOut": 8000,
            },
        },
        {**RUN, "cli": {"command": ["/usr/bin/true", "--id", "${ask.json.id}"], "executionTimeOut": 3600}},
        {
            **WRITE,
            "smtp": {"from": "a@b.example", "to": ["c@d.example"], "cc": [], "bcc": [], "subject": "s", "html": "h"},
        },
        TELL,
        inputs=("request_id", "device_id"),
        description="What 2.6 ships",
        schemaVersion=1,
    )

    got = json.loads(msgspec.json.encode(read(json.dumps(said))))

    said["tasks"][2]["smtp"].pop("cc")
    said["tasks"][2]["smtp"].pop("bcc")
    assert got == {"schemaversion": 0, **said}
    assert read(json.dumps(got)) == read(json.dumps(said))


def test_the_least_that_can_be_said_is_a_name():
    got = read('{"name": "x"}')

    assert (got.name, got.version, got.tasks, got.input_parameters) == ("x", 0, [], [])


def test_null_is_what_is_left_out_except_in_what_goes_out():
    """As the programs that Mender is made of write it."""
    got = read(
        json.dumps(
            {
                **definition({**http(headers=None, statusCodes=None, json={"a": None}), "cli": None, "requires": None}),
                "description": None,
                "inputParameters": None,
            }
        )
    )

    assert got.tasks[0].http.json == {"a": None}
    assert (got.tasks[0].requires, got.tasks[0].cli, got.description, got.input_parameters) == ([], None, "", [])


def test_both_spellings_of_the_schema_version_are_kept():
    assert read('{"name": "x", "schemaversion": 2}').schemaversion == 2
    assert read('{"name": "x", "schemaVersion": 2}').schema_version == 2


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"null", "Expected `object`"),
        (b"[]", "Expected `object`"),
        (b'"x"', "Expected `object`"),
        (b"7", "Expected `object`"),
        (b"\xff\xfe", "malformed"),
        (b'{"name": "\xff"}', "utf-8"),
        (b'{"name": "x"} {}', "trailing"),
        (b'{"name": NaN}', "malformed"),
        (b'{"name": "x", "version": 1e999}', "out of range"),
        (b'{"name": "\\ud800 and more"}', "surrogate"),
        (b"{}", "Workflow missing name"),
        (b'{"name": ""}', "Workflow missing name"),
        (b'{"name": null}', "Workflow missing name"),
        (b'{"name": 5}', "Expected `str`, got `int` - at `$.name`"),
        (b'{"name": "x", "version": "1"}', "Expected `int`, got `str` - at `$.version`"),
        (b'{"name": "x", "version": 1.5}', "Expected `int`, got `float`"),
        (b'{"name": "x", "version": true}', "Expected `int`, got `bool`"),
        (b'{"name": "x", "version": -1}', "Expected `int` >= 0"),
        (b'{"name": "x", "version": 2147483648}', "Expected `int` <= 2147483647"),
        (b'{"name": "x", "version": 99999999999999999999999}', "`$.version`"),
        (b'{"name": "x", "tasks": {}}', "Expected `array`, got `object`"),
        (b'{"name": "x", "tasks": ["y"]}', "Expected `object`, got `str`"),
        (b'{"name": "x", "inputParameters": "y"}', "Expected `array`, got `str`"),
        (b'{"name": "x", "inputParameters": [5]}', "Expected `str`, got `int`"),
        (b"[" * 200_000, "nested too deeply"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b" " * (LARGEST_DEFINITION + 1), "at most 262144 bytes"),
    ],
)
def test_what_is_no_document_is_refused(document, reason):
    assert reason in refused(document)


@pytest.mark.parametrize(
    "name", ["a b", "a/b", "../a", "a\n", "gr\u00fc\u00dfe", "a" * 129, "a;b", "${env.X}", "%41", "\0"]
)
def test_a_name_goes_into_an_address_and_looks_like_it(name):
    assert "letters, digits" in refused(definition() | {"name": name})
    assert "is not a name" in refused(definition(inputs=("good", name)))
    assert "is not a name" in refused(definition(inputs=("",)))


@pytest.mark.parametrize(
    ("tasks", "reason"),
    [
        ([{}], "missing required field `name`"),
        ([{"name": "a"}], "missing required field `type`"),
        ([{"name": "a", "type": "http"}], "its type http takes a part 'http', and no other"),
        ([{"name": "a", "type": "cli"}], "its type cli takes a part 'cli', and no other"),
        ([{**ASK, "type": "cli"}], "its type cli takes a part 'cli', and no other"),
        ([{**ASK, "cli": RUN["cli"]}], "its type http takes a part 'http', and no other"),
        ([{**ASK, "type": "HTTP"}], "unknown type 'HTTP': one of http, cli, smtp, nats"),
        ([{**ASK, "type": ""}], "unknown type ''"),
        ([{**ASK, "type": "python"}], "unknown type 'python'"),
        ([{**ASK, "type": 5}], "Expected `str`"),
        ([{**ASK, "name": ""}], "1 to 128 characters"),
        ([{**ASK, "name": "x" * 129}], "1 to 128 characters"),
        ([{**ASK, "name": "a.b"}], "a name has"),
        ([{**ASK, "name": "a|b"}], "a name has"),
        ([{**ASK, "name": "${env.X}"}], "a name has"),
        ([{**ASK, "name": "workflow"}], "stands for something else"),
        ([{**ASK, "name": "env"}], "stands for something else"),
        ([ASK, ASK], "there is another of this name"),
        ([ASK, {**RUN, "name": "ask"}], "there is another of this name"),
        ([{**ASK, "retries": -1}], ">= 0"),
        ([{**ASK, "retries": 1001}], "<= 1000"),
        ([{**ASK, "retries": 1.5}], "Expected `int`"),
        ([{**ASK, "retries": "3"}], "Expected `int`"),
        ([{**ASK, "retryDelaySeconds": -1}], ">= 0"),
        ([{**ASK, "retryDelaySeconds": 604801}], "<= 604800"),
        ([{**ASK, "requires": "x"}], "Expected `array`"),
        ([{**ASK, "requires": [1]}], "Expected `str`"),
        ([{**ASK, "requires": ["x"] * 201}], "length <= 200"),
        ([{**ASK, "http": []}], "Expected `object"),
        ([{**ASK, "http": {}}], "missing required field `uri`"),
        ([http(uri=5)], "Expected `str`"),
        ([http(method="GET /x HTTP/1.1\r\nX: y")], "is no method"),
        ([http(method="CONNECT")], "'CONNECT' is no method"),
        ([http(method="${workflow.input.method}")], "is no method"),
        ([http(headers={"X": 5})], "Expected `str`"),
        ([http(headers=["X"])], "Expected `object`"),
        ([http(statusCodes=[99])], ">= 100"),
        ([http(statusCodes=[600])], "<= 599"),
        ([http(statusCodes=["200"])], "Expected `int`"),
        ([http(connectionTimeOut=-1)], ">= 0"),
        ([http(readTimeOut=10**9)], "<= 604800"),
        ([{**RUN, "cli": {}}], "missing required field `command`"),
        ([{**RUN, "cli": {"command": []}}], "length >= 1"),
        ([{**RUN, "cli": {"command": "rm -rf /"}}], "Expected `array`"),
        ([{**RUN, "cli": {"command": ["x"] * 1001}}], "length <= 1000"),
        ([{**RUN, "cli": {"command": ["x", 5]}}], "Expected `str`"),
        ([{**RUN, "cli": {"command": ["${workflow.input.x}"]}}], "which program runs must not depend on an expression"),
        ([{**RUN, "cli": {"command": ["x"], "executionTimeOut": -1}}], ">= 0"),
        ([{**WRITE, "smtp": {"to": "ada@acme.example"}}], "Expected `array`"),
        ([{**WRITE, "smtp": {"to": ["x"] * 201}}], "length <= 200"),
        ([{**WRITE, "smtp": {"body": {}}}], "Expected `str`"),
        ([{**TELL, "nats": {}}], "missing required field `subject`"),
        ([{**ASK, "name": f"t{number}"} for number in range(101)], "length <= 100"),
        ([http(body="${workflow.input.x")], "task 'ask': an expression is not closed"),
        ([http(body="${${workflow.input.x}}")], "task 'ask': an expression is not closed, or one is inside of another"),
        ([http(body="${nonsense}")], "task 'ask': cannot read the expression ${nonsense}"),
        ([http(uri="http://h/${encoding=rot13;workflow.input.x}")], "unknown encoding 'rot13'"),
        ([http(headers={"${": "x"})], "not closed"),
        ([http(json={"a": [{"b": "${"}]})], "not closed"),
        ([http(json=nested(40))], "nested too deeply"),
        ([{**ASK, "requires": ["${"]}], "not closed"),
        ([{**RUN, "cli": {"command": ["true", "${nope}"]}}], "cannot read"),
        ([{**WRITE, "smtp": {"to": ["${nope}"]}}], "cannot read"),
        ([{**TELL, "nats": {"subject": "a", "data": {"${nope}": 1}}}], "cannot read"),
    ],
)
def test_tasks_that_make_no_sense_are_refused_with_a_reason(tasks, reason):
    assert reason in refused(definition(*tasks))


@pytest.mark.parametrize(
    "tasks",
    [
        [asking("${second.json.x}")],
        [asking("${third.json.x}"), asking("", "third")],
        [asking("${third.json.x}"), asking("${second.json.x}", "third")],
        [asking("${nobody.json.x}")],
        [ASK, {**asking(""), "requires": ["${second.json.x}"]}],
        [ASK, http(body="${ask.json.x}") | {"name": "b", "http": {"uri": "http://h/${b.json.x}"}}],
        [asking("${workflow.json.x}")],
    ],
)
def test_who_waits_for_themselves_or_in_a_circle_or_for_nobody_is_refused(tasks):
    assert "which is not a task before it" in refused(definition(*tasks))


def test_a_task_may_need_any_task_before_it():
    read(json.dumps(definition(ASK, asking("${ask.json.x}"), asking("${ask.json.x} ${second.json.[0].y|z}", "third"))))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["name", "type", "http", "uri", "tasks", "x"]), inner)
        ),
    )
)
def test_whatever_is_said_is_read_or_refused(value):
    for said in (
        value,
        {"name": "x", "tasks": value},
        {"name": "x", "tasks": [{"name": "a", "type": "http", "http": value}]},
    ):
        try:
            document = json.dumps(said)
        except UnicodeEncodeError:
            continue
        try:
            read(document)
        except BadDefinition as refusal:
            assert str(refusal)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1/x",
        "http://127.1:8080/${workflow.input.x}",
        "http://0x7f000001?x=${workflow.input.x}",
        "http://[::1]/${workflow.input.x}",
        "http://localhost/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1#${workflow.input.x}",
        "ftp://example.com/",
        "example.com/${workflow.input.x}",
        "file:///etc/passwd",
        "http://user:pass@example.com/",
    ],
)
def test_an_address_that_may_not_be_called_is_refused_when_it_is_registered(uri):
    with pytest.raises(BadDefinition, match="task 'ask': "):
        make_sure_addresses_are_allowed(read(json.dumps(definition(http(uri=uri)))), Outgoing())


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.com/${workflow.input.x}",
        "http://${env.INVENTORY_ADDR|127.0.0.1:8080}/x",
        "${workflow.input.uri}",
        "${workflow.input.scheme}://example.com",
        "http://sub.${workflow.input.host|a/b}:80/x",
        "http://192.168.1.1/",
        "http://mender-inventory:8080/x",
    ],
)
def test_other_addresses_are_looked_at_when_they_are_called(uri):
    outgoing = Outgoing(["192.168.0.0/16"], {"mender-inventory:8080": "127.0.0.1:8081"})

    make_sure_addresses_are_allowed(read(json.dumps(definition(http(uri=uri), RUN))), outgoing)


def test_a_program_that_may_not_run_is_refused_when_it_is_registered():
    said = read(json.dumps(definition(ASK, RUN)))

    make_sure_programs_are_allowed(said, {"true": ["/bin/true"]})
    with pytest.raises(BadDefinition, match=r"task 'run': the program 'true' is not allowed.*--workflow-programs"):
        make_sure_programs_are_allowed(said, {"false": ["/bin/false"]})
