"""Only JSON that nobody can read in two ways is looked at."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fairlead.domain.stacks.templates import BadTemplate, EmptyTemplate, Limits, document

from .written import template, wrong

SCALARS = some.none() | some.booleans() | some.integers(-(10**17), 10**17) | some.floats(allow_nan=False)
PLAIN = some.text(some.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
VALUES = some.recursive(
    SCALARS.filter(lambda value: value not in (float("inf"), float("-inf"))) | PLAIN,
    lambda below: some.lists(below, max_size=4) | some.dictionaries(PLAIN, below, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_json_is_read_as_it_stands(value):
    assert document(json.dumps(value)) == value
    assert document(json.dumps(value, ensure_ascii=False, indent=2).encode()) == value


@given(VALUES)
def test_a_comma_may_stand_before_a_closing_bracket(value):
    text = json.dumps([value, {"last": value}])

    assert document(f"{text[:-2]} ,\n}},]") == [value, {"last": value}]


@pytest.mark.parametrize("text", ['["a,]"]', '{"a":",}"}', r'["\",]"]', '["a,]",]'])
def test_commas_in_texts_stay(text):
    assert document(text) == json.loads(text.replace('",]', '"]') if text.endswith('",]') else text)


@pytest.mark.parametrize("text", ["[,]", "{,}", "[1,,]", "[1,,2]", '{"a":,}', ",", "[1,", "{'a': 1}", "nul", '["a'])
def test_other_commas_and_other_mistakes_are_refused_and_located(text):
    assert "line 1, column" in wrong(text)[""]


@pytest.mark.parametrize("text", ["", "  \n", b"", b"\xef\xbb\xbf "])
def test_no_text_is_an_empty_template(text):
    with pytest.raises(EmptyTemplate):
        document(text)


def test_a_byte_order_mark_is_skipped():
    assert document(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_what_is_no_utf_8_is_refused():
    assert wrong(b'{"a": "\xff"}') == {"": "The template is not UTF-8, at byte 7."}


def test_all_that_others_would_read_in_another_way_is_found_at_once():
    text = (
        '{"a": {"b/c": [1, 1e999, NaN], "b/c": [0, 12345678901234567890, -Infinity]}, "d~": "\\u0000", "e": "\\ud800"}'
    )

    assert wrong(text) == {
        "/a/b~1c": "stands there more than once",
        "/a/b~1c/1": "has too many digits",
        "/a/b~1c/2": "is -Infinity, which is no JSON",
        "/d~0": "has a character in it that is none: '\\x00'",
        "/e": "has a character in it that is none: '\\ud800'",
    }


def test_a_name_that_cannot_be_stored_is_refused_and_not_repeated():
    assert wrong('{"a\\u0000": 1, "b": {"\\ud800": 1e999}}') == {
        "/a?": "has a character in it that is none: '\\x00'",
        "/b/?": "is too large a number",
    }


def test_names_are_short_enough_to_be_repeated():
    name = "x" * 256

    assert wrong(json.dumps({"a": {name: {name: 1}}})) == {
        "/a": f"has a name of more than 255 characters: '{'x' * 40}…'"
    }
    assert len(str(wrong(f'{{"{name * 9}": 1, "{name * 9}": 2}}'))) < 500


@pytest.mark.parametrize(
    "text",
    [
        '"' + "x" * 2000 + '"',
        "[" * 65 + "]" * 65,
        "[" * 500_000,
        '{"a":' * 60_000,
        "[" * 900 + "]" * 900 + ",",
        "[" + "1," * 300 + "1]",
    ],
    ids=["long", "deep", "deeper", "deep objects", "deep and broken", "many"],
)
def test_more_than_we_are_willing_to_look_at_is_refused(text):
    limits = Limits(size_bytes=1000, values=200) if len(text) < 10_000 else Limits()

    with pytest.raises(BadTemplate):
        document(text, limits)


def test_sixty_four_levels_are_read():
    assert document("[" * 64 + "]" * 64)


@pytest.mark.parametrize(
    "text",
    ['{"a":"' + '\\"' * 500_000, "[" + "," * 1_000_000, "[" + "1," * 500_000 + "]", "{" + '"a":{},' * 100_000 + "}"],
    ids=["quotes", "commas", "numbers", "names"],
)
@pytest.mark.timeout(30)
def test_a_megabyte_of_anything_is_refused_without_delay(text):
    assert wrong(text)


def test_a_template_keeps_what_was_written_and_gives_no_secret_back():
    vendor = {"aws": {"cred": "a", "Secret": "hidden", "region": "r"}}

    read = template(vendor=vendor)

    assert read.document["vendor"] == vendor
    assert read.shown["vendor"] == {"aws": {"cred": "a", "region": "r"}}
    assert read.vendor.secret == "hidden"
    assert "hidden" not in repr(read)
