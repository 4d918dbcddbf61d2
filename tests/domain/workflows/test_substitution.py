"""A value goes where its expression stands, once and as it is, and can do nothing else."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.workflows.model import BadDefinition, Result
from fairlead.domain.workflows.substitution import (
    LARGEST_TEXTS,
    Room,
    TooLarge,
    Values,
    filled,
    filled_text,
    filled_uri,
    is_deeper_than,
    references,
)

INPUTS = {"name": "door", "empty": "", "odd": "a b&c/d?e=f#g%h\"<'>", "with.dot-and_more": "x", "trap": "${env.HOST}"}
ENVIRONMENT = {"HOST": "inventory:8080", "EMPTY": ""}
ANSWER = {
    "id": "42",
    "count": 7,
    "half": 0.5,
    "yes": True,
    "no": False,
    "none": None,
    "empty": "",
    "zero": 0,
    "list": ["a", {"b": ["c", "d"]}],
    "object": {"k": [1, None]},
    "odd key": {"@type": "e"},
    "trap": "${workflow.input.name}",
    "big": 2**70,
    "0": "by name",
}


def values(**results: object) -> Values:
    answers = {
        name: Result(name, "http", success=True, data={"json": answer})
        for name, answer in {"ask": ANSWER, **results}.items()
    }
    return Values(INPUTS, ENVIRONMENT, answers)


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("", ""),
        ("as it is", "as it is"),
        ("$ { } $x {} $$", "$ { } $x {} $$"),
        ("{{.name}}", "{{.name}}"),
        ("${workflow.input.name}", "door"),
        ("<${workflow.input.name}|${workflow.input.name}>", "<door|door>"),
        ("$${workflow.input.name}}", "$door}"),
        ("${workflow.input.with.dot-and_more}", "x"),
        ("${workflow.input.odd}", INPUTS["odd"]),
        ("${workflow.input.missing}", ""),
        ("${workflow.input.missing|fallback}", "fallback"),
        ("${workflow.input.empty|fallback}", "fallback"),
        ("${workflow.input.name|fallback}", "door"),
        ("${workflow.input.missing|}", ""),
        ("${workflow.input.missing|a|b}", "a|b"),
        ("${workflow.input.missing| a b }", " a b "),
        ("${workflow.input.missing|a\nb}", "a\nb"),
        ("${workflow.input.missing|http://h:80/x?y=z}", "http://h:80/x?y=z"),
        ("${env.HOST}", "inventory:8080"),
        ("${env.HOST|mender-inventory:8080}", "inventory:8080"),
        ("${env.MISSING|mender-inventory:8080}", "mender-inventory:8080"),
        ("${env.EMPTY|mender-inventory:8080}", "mender-inventory:8080"),
        ("${env.MISSING}", ""),
        ("${ask.json.id}", "42"),
        ("${ask.json.count}", "7"),
        ("${ask.json.half}", "0.5"),
        ("${ask.json.yes} ${ask.json.no}", "true false"),
        ("${ask.json.no|x}", "false"),
        ("${ask.json.zero|x}", "0"),
        ("${ask.json.none|x}", "x"),
        ("${ask.json.empty|x}", "x"),
        ("${ask.json.big}", str(2**70)),
        ("${ask.json.list}", '["a",{"b":["c","d"]}]'),
        ("${ask.json.object}", '{"k":[1,null]}'),
        ("${ask.json.object.k.0}", "1"),
        ("${ask.json.list.[0]}", "a"),
        ("${ask.json.list.0}", "a"),
        ("${ask.json.list.[1].b.[1]}", "d"),
        ("${ask.json.0}", "by name"),
        ("${ask.json.list.[2]|x}", "x"),
        ("${ask.json.list.[-1]|x}", "x"),
        ("${ask.json.list.b|x}", "x"),
        ("${ask.json.list.99999999999999|x}", "x"),
        ("${ask.json.id.deeper|x}", "x"),
        ("${ask.json.missing.deeper|x}", "x"),
        ("${ask.json.odd key.@type}", "e"),
        ("${nobody.json.id|x}", "x"),
        ("${encoding=url;workflow.input.odd}", "a%20b%26c%2Fd%3Fe%3Df%23g%25h%22%3C%27%3E"),
        ("${encoding=html;workflow.input.odd}", "a b&amp;c/d?e=f#g%h&quot;&lt;&#x27;&gt;"),
        ("${encoding=plain;workflow.input.odd}", INPUTS["odd"]),
        ("${encoding=url;ask.json.trap}", "%24%7Bworkflow.input.name%7D"),
        ("${encoding=url;workflow.input.missing|a b}", "a%20b"),
        ("${encoding=url;env.HOST}", "inventory%3A8080"),
    ],
)
def test_every_form_becomes_what_it_stands_for(text, becomes):
    assert filled_text(text, values()) == becomes


@pytest.mark.parametrize("answer", [None, "text", 5, [], {}, True])
def test_a_task_that_was_not_answered_with_an_object_has_no_fields(answer):
    assert filled_text("${other.json.id|x}", values(other=answer)) == "x"


def test_the_list_that_a_task_was_answered_with_has_places():
    assert filled_text("${other.json.[1].id}", values(other=[{}, {"id": "y"}])) == "y"


@pytest.mark.parametrize(
    "text",
    [
        "${",
        "a ${workflow.input.name",
        "${workflow.input.${workflow.input.name}}",
        "${workflow.input.name|${env.HOST}}",
        "${}",
        "${ }",
        "${name}",
        "${workflow.name}",
        "${workflow.input.}",
        "${workflow.input.a b}",
        "${ workflow.input.name}",
        "${workflow.input.name }",
        "${Workflow.Input.name}",
        "${env.}",
        "${env}",
        "${ask.json}",
        "${ask.json.}",
        "${ask.body.x}",
        "${.json.x}",
        "${a.b.json.x}",
        "${|x}",
        "${encoding=rot13;workflow.input.name}",
        "${encoding=;workflow.input.name}",
        "${encoding=url;encoding=url;workflow.input.name}",
        "${encoding=url}",
        "${other=url;workflow.input.name}",
        "${__class__}",
        "${workflow.input.name!r}",
    ],
)
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(BadDefinition, match=r"expression|encoding"):
        list(references(text))


def test_two_halves_of_an_expression_do_not_make_one():
    with pytest.raises(BadDefinition):
        list(references("$${env.HOST}{workflow.input.name}${"))
    assert [each.name for each in references("$${env.HOST}{x}")] == ["HOST"]
    assert filled_text("$${workflow.input.empty}{env.HOST}", values()) == "${env.HOST}"


def test_what_is_put_in_is_not_looked_through_again():
    assert filled_text("${workflow.input.trap}", values()) == "${env.HOST}"
    assert filled_text("${ask.json.trap}", values()) == "${workflow.input.name}"
    assert filled_text("${workflow.input.trap}${workflow.input.name}", values()) == "${env.HOST}door"


def test_all_texts_of_a_json_value_are_filled_and_nothing_else():
    said = {"${workflow.input.name}": ["${env.HOST}", 1, None, True, {"x": "${ask.json.count}"}], "y": 0.5}

    assert filled(said, values()) == {"door": ["inventory:8080", 1, None, True, {"x": "7"}], "y": 0.5}


@pytest.mark.parametrize(
    ("uri", "becomes"),
    [
        (
            "http://${env.HOST}/x/${workflow.input.odd}",
            "http://inventory:8080/x/a%20b%26c%2Fd%3Fe%3Df%23g%25h%22%3C%27%3E",
        ),
        ("http://h/${ask.json.trap}?n=${ask.json.count}", "http://h/%24%7Bworkflow.input.name%7D?n=7"),
        ("http://h/${encoding=plain;workflow.input.odd}", "http://h/" + INPUTS["odd"]),
        ("http://h/${encoding=url;workflow.input.name}", "http://h/door"),
        ("http://h/${workflow.input.missing|a/b}", "http://h/a/b"),
        ("${workflow.input.odd}/x", INPUTS["odd"] + "/x"),
        ("${env.HOST}${workflow.input.odd}", "inventory:8080a%20b%26c%2Fd%3Fe%3Df%23g%25h%22%3C%27%3E"),
    ],
)
def test_values_stay_in_their_place_in_an_address(uri, becomes):
    assert filled_uri(uri, values()) == becomes


def test_the_texts_of_a_task_have_a_bound_together():
    room = Values({"x": "x" * 1000}, {}, {}, Room(2500))

    filled_text("${workflow.input.x}", room)
    filled(["${workflow.input.x}"], room)
    with pytest.raises(TooLarge):
        filled_text("${workflow.input.x}", room)


def test_a_short_text_that_asks_for_much_is_stopped_before_it_is_put_together():
    """8,000 times a million characters would be eight gigabytes."""
    large = Values({"x": "x" * 1_000_000}, {}, {})

    with pytest.raises(TooLarge):
        filled_text("${workflow.input.x}" * 8000, large)
    with pytest.raises(TooLarge):
        filled_text("${encoding=url;workflow.input.x}", Values({"x": " " * LARGEST_TEXTS}, {}, {}))


def test_depth_is_counted():
    assert not is_deeper_than(3, {"a": [{"b": 1}]})
    assert is_deeper_than(2, {"a": [{"b": 1}]})
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    assert is_deeper_than(64, deep)


texts = st.text(st.characters(exclude_categories=["Cs"]))
hostile = st.one_of(
    texts,
    st.lists(
        st.sampled_from(
            ["${", "}", "$", "{", "|", "workflow.input.b", "env.SECRET", "${env.SECRET}", "..", "/", "?", "&"]
        )
    ).map("".join),
)


@given(hostile, hostile, hostile)
def test_no_value_ever_becomes_an_expression(first, second, default):
    default = "".join(mark for mark in default if mark not in "{}")
    said = f"<${{workflow.input.a}}|${{workflow.input.b|{default}}}>"
    there = Values({"a": first, "b": second}, {"SECRET": "hunter2"}, {})

    assert filled_text(said, there) == f"<{first}|{second or default}>"


@given(hostile, hostile, hostile)
def test_no_value_leaves_its_place_in_an_address(path, query, answer):
    there = Values(
        {"p": path or "x", "q": query or "x"},
        {"SECRET": "hunter2"},
        {"t": Result("t", "http", success=True, data={"json": {"a": answer or "x"}})},
    )
    for said in (
        "http://h:80/a/${workflow.input.p}/b?q=${workflow.input.q}&r=${t.json.a}#f",
        "http://h:80/a/${encoding=url;workflow.input.p}/b?q=${encoding=url;workflow.input.q}&r=${encoding=url;t.json.a}#f",
    ):
        parts = urlsplit(filled_uri(said, there))

        assert (parts.scheme, parts.netloc, parts.fragment) == ("http", "h:80", "f")
        first, a, value, b = parts.path.split("/")
        assert (first, a, unquote(value), b) == ("", "a", path or "x", "b")
        assert parse_qsl(parts.query, max_num_fields=2) == [("q", query or "x"), ("r", answer or "x")]


@given(st.one_of(texts, st.text(alphabet="${}|.;=abenvjsowrklfiput[]0 ")))
def test_a_text_is_read_or_refused_and_nothing_else(text):
    try:
        expressions = list(references(text))
    except BadDefinition:
        return
    assert "${" not in filled_text(text, Values({}, {}, {})) or expressions
