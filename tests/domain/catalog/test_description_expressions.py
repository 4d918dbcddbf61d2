"""What may an expression of a description do, and what does it make of a value?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.catalog import CannotEvaluate, Expression, has_marks, marked, plain

TYPED = st.text(st.characters(max_codepoint=0xFFFD, exclude_categories=["Cs"]), max_size=30)


def evaluated(text, **values):
    return Expression(text).evaluate(values)


@pytest.mark.parametrize(
    ("text", "values", "made"),
    [
        ('("", " -x=" + str(value))[value is not None]', {"value": None}, ""),
        ('("", " -x=" + str(value))[value is not None]', {"value": 5}, " -x=5"),
        ('("", " -x")[ value ]', {"value": True}, " -x"),
        ('("", " -x")[ value and value != vdef ]', {"value": None, "vdef": "a"}, ""),
        ('("", " -x")[ value and value != vdef ]', {"value": "b", "vdef": "a"}, " -x"),
        ('("", " -o " + value)[value is not None]', {"value": None}, ""),
        ('" %s" % value', {"value": "a"}, " a"),
        ('"%s-%d" % (str(value), 3)', {"value": 1.5}, "1.5-3"),
        ('"y" if value == "a" else "n"', {"value": "a"}, "y"),
        ('{"A": "*.a", "B": "*.b"}[value]', {"value": "B"}, "*.b"),
        ('value.replace(",", "-").lower()', {"value": "A,B"}, "a-b"),
        ('" ".join(value.split(","))', {"value": "a,b"}, "a b"),
        ("value < 3", {"value": None}, True),
        ("value > 3", {"value": None}, False),
        ("value > 3", {"value": "text"}, True),
        ("7 / 2", {}, 3),
        ("7.0 / 2", {}, 3.5),
        ("value in ('a', 'b')", {"value": "a"}, True),
        ("str(value)", {"value": ["a", "b"]}, "a b"),
        ("value is None", {"value": None}, True),
        ('"F\\n" + str(value) + "\\n"', {"value": 0.25}, "F\n0.25\n"),
    ],
)
def test_real_expressions_make_what_they_should(text, values, made):
    assert evaluated(text, **values) == made


def test_what_is_not_chosen_is_not_evaluated():
    assert evaluated('("", missing + 1 / 0)[0]') == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "1 +",
        "import os",
        "x = 1",
        "open('/etc/passwd')",
        "eval('1')",
        "().__class__",
        "value.__class__",
        "value.format(1)",
        "'{}'.format_map(value)",
        "value.encode()",
        "lambda: 1",
        "[x for x in value]",
        "f'{value}'",
        "2 ** 9999999",
        "1 << 99",
        "str(value=1)",
        "(lambda x: x)(1)",
        "value()",
        "__import__('os')",
        "{**value}",
        "[*value]",
        "b'bytes'",
        "(1).real",
        "(x := 1)",
        "await value",
        "a" * 30_000,
        "(" * 300 + ")" * 300,
        "-" * 5000 + "1",
        "1" + "+1" * 5000,
    ],
)
def test_whatever_else_python_can_do_is_refused_when_it_is_read(text):
    assert Expression(text).wrong()
    with pytest.raises(CannotEvaluate):
        Expression(text).evaluate({"value": "x"})


@pytest.mark.parametrize(
    "text",
    [
        "'a' * 1000000000",
        "value * 1000000000",
        "'%999999999d' % 1",
        "'%*d' % (9, 1)",
        "'%(x)s' % value",
        "value.replace('a', 'a' + value + value)",
        "int('9' + value)",
        "missing",
        "str",
        "value + str(len)",
        "value.lower",
        "1 / 0",
        "'a'[5]",
        "{'a': 1}['b']",
        "value + None",
    ],
)
def test_what_fails_or_grows_without_end_is_refused_when_it_is_evaluated(text):
    with pytest.raises(CannotEvaluate):
        Expression(text).evaluate({"value": "a" * 60_000})


@given(TYPED)
def test_marks_come_off_again(text):
    assert plain(marked(text)) == text
    assert len(marked(text)) == len(text)


@given(TYPED, TYPED)
def test_what_a_user_wrote_compares_as_it_was_typed(one, other):
    values = {"one": marked(one), "other": marked(other), "typed": other}

    assert evaluated("one == other", **values) is (one == other)
    assert evaluated("one != typed", **values) is (one != other)
    assert evaluated("other in one", **values) is (other in one)
    assert evaluated("one < other", **values) is (one < other)
    assert evaluated("one.startswith(other)", **values) is one.startswith(other)


@given(TYPED, st.sampled_from([" ", ",", "ab", "\t", ";", "a"]), st.sampled_from(["_", " ", "", "; x "]))
def test_methods_do_what_they_do_to_any_text(text, old, new):
    values = {"value": marked(text), "old": old, "new": new}

    replaced = evaluated("value.replace(old, new)", **values)
    pieces = evaluated("value.split(old)", **values)

    assert plain(replaced) == text.replace(old, new)
    assert [plain(piece) for piece in pieces] == text.split(old)
    assert [plain(piece) for piece in evaluated("value.split()", **values)] == text.split()
    assert plain(evaluated("value.strip()", **values)) == text.strip()
    assert plain(evaluated("value.lower()", **values)) == "".join(each.lower() for each in text)
    assert evaluated("len(value)", **values) == len(text)


@given(TYPED, st.sampled_from([",", "a", " "]))
def test_what_is_put_in_the_place_of_something_of_a_users_is_the_users_too(text, old):
    values = {"value": marked(text), "old": old}

    for code in ("value.replace(old, ' ; ')", "' ; '.join(value.split(old))"):
        made = evaluated(code, **values)
        assert made == marked(plain(made))


def test_several_values_are_still_several_words():
    made = evaluated("' -x '.join(value)", value=[marked("a b"), marked("c")])

    assert has_marks(made)
    assert made.count(" ") == 2
