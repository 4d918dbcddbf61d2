"""Two documents are compared as the published API compares them."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fairlead.domain.stacks.templates import Comparison, Edit, compare

LEAVES = some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(max_size=4)
DOCUMENTS = some.recursive(
    LEAVES,
    lambda below: (
        some.lists(below, max_size=3) | some.dictionaries(some.text("ab/_id0", max_size=3), below, max_size=3)
    ),
    max_leaves=15,
)


def test_what_is_new_removed_and_edited_is_said_by_path():
    before = {"label": "one", "configurations": [{"flag": "Web01", "provision": {"image": "a", "instance_count": 1}}]}
    after = {
        "label": "two",
        "configurations": [{"flag": "Web01", "provision": {"keypair": False, "instance_count": 2}}],
    }

    assert compare(before, after).as_document() == {
        "new": {"configurations/provision/keypair": False},
        "removed": {"configurations/provision/image": "a"},
        "edited": {
            "label": {"oldvalue": "one", "newvalue": "two"},
            "configurations/provision/instance_count": {"oldvalue": 1, "newvalue": 2},
        },
    }


def test_the_first_of_a_list_has_no_place_in_the_path_and_the_others_have():
    assert compare({}, {"layers": [{"ports": [80, 443]}, {"ports": [22, 80, 443]}, [["x"]]], "_id": {"a": 1}}).new == {
        "layers/ports": 80,
        "layers/ports/1": 443,
        "layers/1/ports": 22,
        "layers/1/ports/1": 80,
        "layers/1/ports/2": 443,
        "layers/2": "x",
        "a": 1,
    }


def test_of_two_leaves_with_the_same_path_the_later_one_counts():
    assert compare({}, {"a": ["first", "b"], "a/1": "c"}).new == {"a": "first", "a/1": "c"}


def test_what_is_empty_is_said_as_a_list():
    assert compare({}, {}).as_document() == {"new": [], "removed": [], "edited": []}
    assert not compare({"a": 1}, {"a": 1})
    assert compare({"a": 1}, {"a": 2})


def test_nulls_and_empty_things_are_not_there():
    assert compare({"a": None, "b": [], "c": {}, "d": [None, [[]], {"e": {}}]}, {}) == Comparison({}, {}, {})
    assert compare({"a": None}, {"a": ""}) == Comparison({"a": ""}, {}, {})
    assert compare({"a": {"b": 1}}, {"a": {}}) == Comparison({}, {"a/b": 1}, {})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"),
        (1, 1.0),
        (1.5, "1.50"),
        (10, "1e1"),
        (-3, " -3 "),
        (0, "0"),
        (0, "-0"),
        (10**30, "1" + "0" * 30),
        (True, 1),
        (False, 0),
        (True, "true"),
        (False, ""),
        (False, "0"),
        (True, "1"),
        (False, "FALSE"),
    ],
)
def test_what_php_takes_for_the_same_is_the_same(one, other):
    assert not compare({"a": one}, {"a": other})
    assert not compare({"a": other}, {"a": one})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (1, "2"),
        (0, "none"),
        (0, ""),
        ("1", "1.0"),
        ("1e3", "1000"),
        ("0e1", "0e2"),
        ("a", "A"),
        (1, "1x"),
        (True, False),
        (True, 0),
        (True, "false"),
        (True, "perhaps"),
        (False, "perhaps"),
        (1, "٣"),
        (1, "0x1"),
        (1, "9" * 100),
        ("", " "),
    ],
)
def test_what_anybody_would_call_a_change_is_one(one, other):
    assert compare({"a": one}, {"a": other}) == Comparison({}, {}, {"a": Edit(one, other)})
    assert compare({"a": other}, {"a": one}) == Comparison({}, {}, {"a": Edit(other, one)})


@given(DOCUMENTS)
def test_nothing_differs_from_itself(document):
    assert not compare(document, json.loads(json.dumps(document)))


@given(DOCUMENTS, DOCUMENTS)
def test_what_is_new_the_other_way_round_is_removed(one, other):
    there, back = compare(one, other), compare(other, one)

    assert (there.new, there.removed) == (back.removed, back.new)
    assert {path: (edit.old, edit.new) for path, edit in there.edited.items()} == {
        path: (edit.new, edit.old) for path, edit in back.edited.items()
    }


@given(DOCUMENTS, DOCUMENTS)
def test_a_path_is_said_once_and_none_is_empty(one, other):
    found = compare(one, other)

    paths = [*found.new, *found.removed, *found.edited]
    assert len(paths) == len(set(paths))
    assert all(paths)


@given(some.dictionaries(some.sampled_from("abc"), DOCUMENTS, max_size=3))
def test_comparing_changes_nothing(document):
    before = copy.deepcopy(document)

    compare(document, {"a": 1})

    assert document == before
