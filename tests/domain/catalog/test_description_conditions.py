"""When does a condition hold?"""

from __future__ import annotations

import itertools

import pytest

from fairlead.domain.catalog import Condition, marked

VALUES = {"yes": True, "no": False, "one": 1, "zero": 0, "half": 0.5, "text": "abc", "number": "7", "nothing": None}


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        ("yes", True),
        ("no", False),
        ("zero", False),
        ("text", True),
        ("nothing", False),
        ("missing", False),
        ({}, True),
        ({"yes": True}, True),
        ({"yes": "1"}, True),
        ({"yes": "True"}, True),
        ({"no": "0"}, True),
        ({"no": "false"}, True),
        ({"yes": "0"}, False),
        ({"one": 1}, True),
        ({"one": "1"}, True),
        ({"one": "1.0"}, True),
        ({"half": "0.5"}, True),
        ({"half": "one"}, False),
        ({"text": "abc"}, True),
        ({"text": "ab"}, False),
        ({"number": 7}, True),
        ({"yes": True, "one": 1}, True),
        ({"yes": True, "one": 2}, False),
        ({"one": 2, "yes": True}, False),
        ({"one": {"#ne": 2, "#gt": 0}}, True),
        ({"one": {"#ne": 1, "#gt": 0}}, False),
        ({"one": {"#eq": 1}}, True),
        ({"one": {"#eq": 2}}, False),
        ({"one": {"#gt": 1}}, False),
        ({"one": {"#gte": "1.0"}}, True),
        ({"one": {"#lt": "2"}}, True),
        ({"one": {"#lte": "0"}}, False),
        ({"number": {"#gt": "10"}}, False),
        ({"one": {"#in": [0, 1]}}, True),
        ({"one": {"#in": ["0", "1"]}}, True),
        ({"one": {"#nin": [0, 1]}}, False),
        ({"text": {"#in": ["abc", "d"]}}, True),
        ({"text": {"#nin": ["abc", "d"]}}, False),
        ({"nothing": {"#in": ["a", None]}}, True),
        ({"nothing": {"#in": ["None"]}}, True),
        ({"nothing": "None"}, True),
        ({"nothing": None}, True),
        ({"nothing": {"#eq": "None"}}, True),
        ({"nothing": {"#ne": "None"}}, False),
        ({"text": {"#ne": "None"}}, True),
        ({"text": {"#eq": "None"}}, False),
        ({"#not": "no"}, True),
        ({"#not": {"no": False}}, False),
        ({"#nor": [{"yes": False}, "no"]}, True),
        ({"#nor": ["yes", "no"]}, False),
        (["yes", {"one": 1}], True),
        (["yes", "no"], False),
        ({"one - zero": {"#gte": 1}}, True),
        ({"#python": "one + zero == 1 and not no"}, True),
    ],
)
def test_the_language_means_what_it_says(written, holds):
    assert Condition(written).holds(VALUES) is holds


@pytest.mark.parametrize(("one", "other"), list(itertools.product([True, False], repeat=2)))
def test_and_or_nor_and_not_have_their_truth_tables(one, other):
    values = {"one": one, "other": other}

    assert Condition({"#and": ["one", "other"]}).holds(values) is (one and other)
    assert Condition({"#or": ["one", "other"]}).holds(values) is (one or other)
    assert Condition({"#nor": ["one", "other"]}).holds(values) is (not (one or other))
    assert Condition({"#not": {"#or": ["one", "other"]}}).holds(values) is (not (one or other))
    assert Condition({"#or": [{"#not": "one"}, {"#and": ["one", "other"]}]}).holds(values) is (not one or other)


@pytest.mark.parametrize(("comparison", "holds"), [("#lt", True), ("#lte", True), ("#gt", False), ("#gte", False)])
def test_nothing_is_less_than_any_number_as_it_was_in_python_2(comparison, holds):
    assert Condition({"nothing": {comparison: 3}}).holds(VALUES) is holds


def test_the_name_of_a_parameter_stands_for_its_value_beside_a_number():
    values = {"value": 5, "most": 10, "five": 5, "vdef": 5}

    assert Condition({"value": {"#lt": "most"}}).holds(values)
    assert Condition({"value": {"#eq": "five"}}).holds(values)
    assert not Condition({"value": {"#ne": "vdef"}}).holds(values)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"value": {"#lte": "window*2"}}, False),
        ({"value": {"#gt": "window - 5"}}, True),
        ({"value": {"#eq": "window + 40"}}, True),
        ({"value": "window + 40"}, True),
        ({"value": {"#ne": "window*5"}}, False),
        ({"value": {"#in": ["window", "window*5"]}}, True),
        ({"value": {"#lt": "min(window, 100) * 6"}}, True),
        ({"written": {"#lte": "window*2"}}, False),
        ({"value": {"#gt": "vdef*2"}}, True),
        ({"value": {"#gt": "nothing*2"}}, True),
        ({"value": {"#lte": "nothing*2"}}, False),
        ({"value": {"#lt": "missing*2"}}, True),
        ({"text": {"#eq": "window-5"}}, True),
        ({"text": {"#ne": "window-5"}}, False),
    ],
)
def test_an_expression_stands_for_its_value_beside_a_number_and_is_a_text_beside_a_text(condition, holds):
    values = {"value": 50, "written": "50", "window": 10, "vdef": 7, "nothing": None, "text": "window-5"}

    assert Condition(condition).holds(values) is holds


def test_the_name_of_a_parameter_is_a_text_beside_a_text():
    values = {"value": "infile", "infile": "infile"}

    assert not Condition({"value": {"#nin": ["infile", "outfile"]}}).holds(values)
    assert Condition({"value": {"#nin": ["infile", "outfile"]}}).holds(values | {"value": "mine"})


def test_what_a_user_wrote_equals_the_same_text_in_a_description():
    assert Condition({"value": "a b;c"}).holds({"value": marked("a b;c")})
    assert Condition({"value": {"#in": ["a b;c"]}}).holds({"value": marked("a b;c")})


@pytest.mark.parametrize(
    ("written", "way"),
    [
        (5, ()),
        ({"#and": "x"}, ("#and",)),
        ({"#xor": []}, ("#xor",)),
        ({"x": {"#about": 1}}, ("x", "#about")),
        ({"x": {"#gt": [1]}}, ("x", "#gt")),
        ({"x": {"#in": 5}}, ("x", "#in")),
        ({"x": [1]}, ("x",)),
        ({"#or": ["x", {"#not": 7}]}, ("#or", 1, "#not")),
        ({"#python": "open('x')"}, ("#python",)),
    ],
)
def test_what_is_no_condition_is_told_with_its_place(written, way):
    assert [place for place, _ in Condition(written).wrongs()] == [way]


def test_a_condition_that_is_nested_without_end_is_none():
    nested = "x"
    for _ in range(100):
        nested = {"#not": nested}

    assert list(Condition(nested).wrongs())
