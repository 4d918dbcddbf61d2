"""The same answers from both engines, whatever strings devices send."""

import json

import msgspec
import pytest
import sqlalchemy as sa

from fairlead.base.database import (
    TENANT,
    as_document,
    from_document,
    holds,
    json_merge,
    list_of_strings,
    number_at,
    text_at,
)
from house.boats import ACME, boats

NASTY = (
    "plain",
    "",
    " ",
    "a.b",
    "$",
    "$.a",
    "[0]",
    "#",
    '"',
    "'",
    "''",
    '\\"',
    "\\",
    "\\u0041",
    "%",
    "_",
    "?",
    ":name",
    "%(name)s",
    "a/b~c",
    "; DROP TABLE boats; --",
    "line\nbreak\ttab",
    "\x01\x1f\x7f",
    "ü",
    "u\u0308",
    "日本",
    "😀",
    "\u2028",
    "null",
    "true",
    "1",
    "1e5",
    "x" * 1024,
)


KEYS = tuple(key for key in NASTY if '"' not in key)


def as_json(document) -> str:
    return msgspec.json.encode(document).decode()


def write(database, **papers):
    with database.begin(ACME) as tx:
        for name, document in papers.items():
            row = {"id": name, "document": as_json(document)}
            tx.run(sa.insert(boats).values(papers=as_document(sa.bindparam("document", type_=sa.Text))), row)


def matching(database, *conditions):
    with database.read(ACME) as tx:
        found = sa.select(boats.c.id).where(boats.c.tenant_id == TENANT, *conditions)
        return [row.id for row in tx.all(found.order_by(boats.c.id))]


def value_of(database, expression):
    with database.read(ACME) as tx:
        return tx.scalar(sa.select(expression).where(boats.c.tenant_id == TENANT))


def test_any_string_can_be_a_key_and_a_value(database):
    write(database, it={key: {"v": key} for key in KEYS})

    for key in KEYS:
        assert value_of(database, text_at(boats.c.papers, key, "v")) == key
        assert matching(database, holds(boats.c.papers, key, "v", key)) == ["it"], repr(key)
        assert matching(database, holds(boats.c.papers, key, "v", key + "x")) == []
        assert value_of(database, text_at(boats.c.papers, key, "w")) is None
        assert value_of(database, number_at(boats.c.papers, key, "v")) is None


def test_any_string_can_be_the_inner_key(database):
    write(database, it={"a": {key: key for key in KEYS}})

    for key in KEYS:
        assert value_of(database, text_at(boats.c.papers, "a", key)) == key


@pytest.mark.parametrize("key", ['"', 'a"b', '"."v', 'x" || "', '\\"'])
def test_a_key_with_a_quotation_mark_is_simply_not_there(database, key):
    write(database, it={"a": {"v": "x"}})

    assert matching(database, holds(boats.c.papers, key, "v", "x")) == []
    assert value_of(database, text_at(boats.c.papers, "a", key)) is None


def test_any_string_can_be_the_value(database):
    write(database, it={"k": {"v": list(NASTY)}})

    for value in NASTY:
        assert matching(database, holds(boats.c.papers, "k", "v", value)) == ["it"]


def test_any_string_can_be_looked_for_in_a_list(database):
    with database.begin(ACME) as tx:
        tx.run(sa.insert(boats), [{"id": f"{n:02}", "name": name} for n, name in enumerate(NASTY)])

    for number, name in enumerate(NASTY):
        assert matching(database, boats.c.name.in_(list_of_strings([name, "no such name"]))) == [f"{number:02}"]
    assert len(matching(database, boats.c.name.in_(list_of_strings(NASTY)))) == len(NASTY)
    assert matching(database, boats.c.name.in_(list_of_strings([]))) == []


def test_a_hundred_thousand_strings_are_one_parameter(database):
    with database.begin(ACME) as tx:
        tx.run(sa.insert(boats), {"id": "99999"})

    assert matching(database, boats.c.id.in_(list_of_strings(str(n) for n in range(100_000)))) == ["99999"]


@pytest.mark.parametrize(
    ("value", "held", "not_held"),
    [
        ("1", ["1"], [1, 1.0, "1.0"]),
        (1, [1, 1.0], ["1", 2]),
        (1.5, [1.5], ["1.5", 1]),
        (-0.0, [0, 0.0], ["0"]),
        (10**15, [10**15, 1e15], [10**15 + 1]),
        (["a", "b"], ["a", "b"], ["c", "ab", '["a","b"]', 0]),
        ([1, 2.5], [1, 2.5], ["1", 3]),
        ([], [], ["", 0]),
        ("", [""], ["x", 0]),
        (None, [], ["", 0, "null"]),
        (True, [], ["true", 1]),
        ({"a": "b"}, [], ["b", "a"]),
    ],
)
def test_a_value_is_held_by_itself_or_by_the_array_that_it_is_in(database, value, held, not_held):
    write(database, it={"k": {"v": value}})

    assert [each for each in held if not matching(database, holds(boats.c.papers, "k", "v", each))] == []
    assert [each for each in not_held if matching(database, holds(boats.c.papers, "k", "v", each))] == []
    assert matching(database, holds(boats.c.papers, "other", "v", "1")) == []


def test_what_does_not_hold_can_be_asked_for(database):
    """Nothing there is not "unknown": it is not held."""
    write(database, a={"k": {"v": "x"}}, b={}, c={"k": {"v": ["y", "x"]}}, d={"k": "x"})

    assert matching(database, sa.not_(holds(boats.c.papers, "k", "v", "x"))) == ["b", "d"]


def test_numbers_and_texts_are_told_apart(database):
    write(
        database, text={"k": {"v": "5"}}, whole={"k": {"v": 5}}, part={"k": {"v": 0.5}}, list={"k": {"v": [5]}}, none={}
    )

    assert matching(database, number_at(boats.c.papers, "k", "v") == 5) == ["whole"]
    assert matching(database, number_at(boats.c.papers, "k", "v").is_not(None)) == ["part", "whole"]
    assert matching(database, text_at(boats.c.papers, "k", "v").is_not(None)) == ["text"]


def test_texts_are_ordered_by_code_point(database):
    names = ["Z", "a", "b", "É", "é", "日", "😀", "", "A"]
    write(database, **{f"n{n}": {"k": {"v": name}} for n, name in enumerate(names)})

    with database.read(ACME) as tx:
        text = text_at(boats.c.papers, "k", "v")
        ordered = [row[0] for row in tx.all(sa.select(text).where(boats.c.tenant_id == TENANT).order_by(text))]

    assert ordered == sorted(names)


@pytest.mark.parametrize(
    ("old", "new", "merged"),
    [
        ({}, {}, {}),
        ({}, {"a": {"v": 1}}, {"a": {"v": 1}}),
        ({"a": {"v": 1}}, {}, {"a": {"v": 1}}),
        ({"a": {"v": 1}}, {"b": {"v": 2}}, {"a": {"v": 1}, "b": {"v": 2}}),
        ({"a": {"v": 1, "d": "x"}}, {"a": {"v": 2}}, {"a": {"v": 2, "d": "x"}}),
        ({"a": {"v": 1}}, {"a": {"v": 2, "d": "y"}}, {"a": {"v": 2, "d": "y"}}),
        ({"a": {"v": [1, 2, 3]}}, {"a": {"v": [4]}}, {"a": {"v": [4]}}),
        ({"a": {"v": "1"}}, {"a": {"v": ["x"]}}, {"a": {"v": ["x"]}}),
    ],
)
def test_a_document_is_laid_over_another(database, old, new, merged):
    write(database, it=old)

    with database.begin(ACME) as tx:
        document = json_merge(boats.c.papers, sa.bindparam("document", type_=sa.Text))
        tx.run(sa.update(boats).where(boats.c.tenant_id == TENANT).values(papers=document), {"document": as_json(new)})

    assert json.loads(value_of(database, from_document(boats.c.papers))) == merged


def test_nasty_keys_are_merged_like_any_other(database):
    write(database, it={key: {"v": "old", "d": key} for key in KEYS})

    with database.begin(ACME) as tx:
        document = json_merge(boats.c.papers, sa.bindparam("document", type_=sa.Text))
        laid_over = as_json({key: {"v": key} for key in KEYS})
        tx.run(sa.update(boats).where(boats.c.tenant_id == TENANT).values(papers=document), {"document": laid_over})

    assert json.loads(value_of(database, from_document(boats.c.papers))) == {k: {"v": k, "d": k} for k in KEYS}
