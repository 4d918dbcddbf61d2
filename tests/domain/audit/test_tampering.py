"""Whatever somebody does to the trail behind our back is found, and the first entry that it was done to is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.domain.audit import verifying
from fairlead.domain.audit.store import audit_entries

LENGTH = 40
TEXTS = ("actor_kind", "actor_id", "actor_name", "action", "object_id", "object_name", "details", "digest")
TOLD = (*TEXTS, "at")
# Not told: the id, which is no part of what is said and orders nothing.


def test_a_trail_that_nobody_touched_is_good(trail):
    with trail.tampered() as eve:
        rows = eve.rows()

    found = trail.verify()

    assert (found.entries, found.digest, found.fault) == (LENGTH, rows[-1]["digest"], None)
    assert [row["number"] for row in rows] == list(range(1, LENGTH + 1))


def test_every_column_is_part_of_what_is_verified():
    assert {column.name for column in audit_entries.c} == {*TOLD, "id", "tenant_id", "number"}


def other(value):
    return value + timedelta(microseconds=1) if isinstance(value, datetime) else value + " "


@pytest.mark.parametrize("column", TOLD)
def test_every_altered_value_is_found(trail, column):
    for number in range(1, LENGTH + 1):
        with trail.tampered() as eve:
            was = eve.rows()[number - 1]
            eve.alter(number, **{column: other(was[column])})

            fault = eve.verify().fault

        assert (fault.number, fault.problem) == (number, verifying.ALTERED)
        assert fault.action == (was["action"] + " " if column == "action" else was["action"])
        assert fault.at.startswith(was["at"].isoformat(" ", "seconds")[:10])


@pytest.mark.parametrize("column", TEXTS)
def test_a_value_that_another_entry_has_is_found_too(trail, column):
    with trail.tampered() as eve:
        rows = eve.rows()
        number = next(n for n in range(20, LENGTH) if rows[n][column] != rows[n - 1][column])
        eve.alter(number, **{column: rows[number][column]})

        fault = eve.verify().fault

    assert fault.number == number


def test_an_entry_that_was_given_to_another_tenant_is_missed(trail):
    for number in range(1, LENGTH + 1):
        with trail.tampered() as eve:
            eve.alter(number, tenant_id="someone else")

            assert eve.verify().fault.number == number


@pytest.mark.parametrize("other_number", [0, -7, 1, 20, LENGTH + 1, 10**12])
def test_an_entry_that_was_given_another_number_is_found(trail, other_number):
    for number in range(1, LENGTH + 1):
        if number == other_number:
            continue
        with trail.tampered() as eve:
            action = eve.rows()[number - 1]["action"]
            eve.alter(number, number=other_number)

            fault = eve.verify().fault

        if other_number < number:
            assert (fault.number, fault.action) == (other_number, action)
        else:
            assert (fault.number, fault.problem) == (number, verifying.MISSING)


def test_every_removed_entry_is_found(trail):
    for number in range(1, LENGTH + 1):
        with trail.tampered() as eve:
            eve.remove(number)

            fault = eve.verify().fault

        assert fault.number == number
        assert fault.problem == (verifying.TAIL_GONE if number == LENGTH else verifying.MISSING)


@pytest.mark.parametrize("how_many", [2, 17, LENGTH - 1])
def test_a_tail_that_was_cut_off_is_found(trail, how_many):
    with trail.tampered() as eve:
        eve.remove(LENGTH - how_many + 1, LENGTH)

        fault = eve.verify().fault

    assert (fault.number, fault.problem) == (LENGTH - how_many + 1, verifying.TAIL_GONE)


def test_a_tail_that_was_cut_off_together_with_the_head_is_found_by_a_digest_that_was_noted(trail):
    noted = trail.verify().digest
    with trail.tampered() as eve:
        eve.remove(LENGTH)
        last = eve.rows()[-1]
        eve.alter_head(number=last["number"], digest=last["digest"])

        found = eve.verify(noted=noted)

    assert (found.fault, found.has_noted) == (None, False)
    assert trail.verify(noted=noted).has_noted


def test_two_entries_that_changed_places_are_found(trail):
    for number in range(1, LENGTH):
        with trail.tampered() as eve:
            first, second = eve.rows()[number - 1 : number + 1]
            eve.replace(number, second)
            eve.replace(number + 1, first)

            fault = eve.verify().fault

        assert (fault.number, fault.action, fault.problem) == (number, second["action"], verifying.MOVED)


def test_an_inserted_entry_is_found_though_it_fits_to_what_is_before_it(trail):
    for number in range(1, LENGTH):
        with trail.tampered() as eve:
            eve.insert(number)

            fault = eve.verify().fault

        assert (fault.number, fault.action, fault.problem) == (number + 1, "user.create", verifying.INSERTED)


def test_an_entry_inserted_before_all_others_is_found(trail):
    with trail.tampered() as eve:
        eve.insert(0)

        fault = eve.verify().fault

    assert (fault.number, fault.action, fault.problem) == (1, "user.create", verifying.BEGUN_ANEW)


def test_an_inserted_entry_with_a_number_that_is_taken_is_found(trail):
    for number in range(1, LENGTH):
        with trail.tampered() as eve:
            eve.insert(number, renumbering=False)

            fault = eve.verify().fault

        assert (fault.number, fault.action, fault.problem) == (number + 1, "user.create", verifying.TWICE)


def test_an_inserted_entry_with_a_lower_id_than_the_one_whose_number_it_takes_is_found(trail):
    with trail.tampered() as eve:
        eve.insert(20, renumbering=False, digest="0" * 64)
        forged = next(row for row in eve.rows() if row["digest"] == "0" * 64)
        lowest = eve.rows()[0]["id"] - 10**9
        own = (audit_entries.c.tenant_id == eve.scope.tenant_id, audit_entries.c.id == forged["id"])
        eve.tx.run(sa.update(audit_entries).where(*own).values(id=lowest))

        fault = eve.verify().fault

    assert (fault.number, fault.action, fault.problem) == (21, "user.create", verifying.INSERTED)


def test_an_entry_added_after_the_head_is_found(trail):
    with trail.tampered() as eve:
        eve.insert(LENGTH)

        fault = eve.verify().fault

    assert (fault.number, fault.action, fault.problem) == (LENGTH + 1, "user.create", verifying.BEYOND)


@pytest.mark.parametrize(
    ("values", "number", "problem"),
    [
        ({"number": LENGTH + 1}, LENGTH + 1, verifying.TAIL_GONE),
        ({"number": LENGTH - 1}, LENGTH, verifying.BEYOND),
        ({"number": 0}, 1, verifying.BEYOND),
        ({"number": -1}, LENGTH, verifying.BAD_HEAD),
        ({"digest": "0" * 64}, LENGTH, verifying.BAD_HEAD),
        ({"tenant_id": "someone else"}, LENGTH, verifying.NO_HEAD),
    ],
)
def test_an_altered_head_is_found(trail, values, number, problem):
    with trail.tampered() as eve:
        eve.alter_head(**values)

        fault = eve.verify().fault

    assert (fault.number, fault.problem) == (number, problem)


def test_a_removed_head_is_found(trail):
    with trail.tampered() as eve:
        eve.remove_head()

        fault = eve.verify().fault

    assert (fault.number, fault.problem) == (LENGTH, verifying.NO_HEAD)


@pytest.mark.parametrize("with_head", [True, False])
def test_a_trail_that_was_removed_as_a_whole_is_found(trail, with_head):
    with trail.tampered() as eve:
        eve.remove(1, LENGTH)
        if with_head:
            eve.remove_head()

        fault = eve.verify().fault

    assert (fault.number, fault.problem) == (1, verifying.ALL_GONE)


def test_a_trail_that_was_removed_and_went_on_from_nothing_is_found(new_trail):
    trail = new_trail(5)
    with trail.database.across_tenants("wipe") as tx:
        own = audit_entries.c.tenant_id == trail.tenant_id
        tx.run(sa.delete(audit_entries).where(own))
        heads = audit_entries.metadata.tables["audit_heads"]
        tx.run(sa.delete(heads).where(heads.c.tenant_id == trail.tenant_id))
    trail.add(4)

    found = trail.verify()

    assert (found.entries, found.fault.number, found.fault.problem) == (0, 1, verifying.BEGUN_ANEW)


@pytest.mark.parametrize("first", [1, 20, LENGTH])
def test_a_chain_that_was_forged_to_its_end_is_found_by_a_digest_that_was_noted(trail, first):
    noted = trail.verify().digest
    with trail.tampered() as eve:
        eve.alter(first, actor_name="eve@x")
        eve.rewrite(first)

        found = eve.verify(noted=noted)

    assert (found.fault, found.has_noted) == (None, False)


def test_a_digest_that_was_noted_is_known_for_good(new_trail):
    trail = new_trail(3)
    noted = trail.verify().digest
    trail.add(5)

    assert trail.verify(noted=noted).has_noted
    assert not trail.verify(noted="f" * 64).has_noted


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("number", "twenty"),
        ("number", 20.5),
        ("at", "nonsense"),
        ("at", "2026-01-01T00:00:00Z"),
        ("at", 7),
        ("details", b"{}"),
        ("digest", b"\0\1"),
        ("action", b"user.create"),
    ],
)
def test_what_is_no_value_of_its_column_is_found_where_the_engine_allows_it(trail, column, value):
    if not trail.database.is_sqlite:
        return  # PostgreSQL refuses such values itself
    with trail.tampered() as eve:
        named = {"tenant": trail.tenant_id, "value": value}
        statement = f"UPDATE audit_entries SET {column} = :value WHERE tenant_id = :tenant AND number = 20"
        assert eve.tx._connection.execute(sa.text(statement), named).rowcount == 1

        fault = eve.verify().fault

    assert fault.number in {20, value}


def test_the_same_time_in_other_letters_is_found_where_the_engine_allows_it(trail):
    if not trail.database.is_sqlite:
        return  # PostgreSQL keeps moments, not letters
    with trail.tampered() as eve:
        named = {"tenant": trail.tenant_id}
        statement = "UPDATE audit_entries SET at = replace(at, ' ', 'T') WHERE tenant_id = :tenant AND number = 20"
        assert eve.tx._connection.execute(sa.text(statement), named).rowcount == 1

        assert eve.verify().fault.number == 20


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
MOMENT = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
ALTERATION = st.one_of(
    st.tuples(st.integers(1, LENGTH), st.sampled_from(TEXTS), TEXT),
    st.tuples(st.integers(1, LENGTH), st.just("at"), MOMENT),
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@QUICK
@given(st.lists(ALTERATION, min_size=1, max_size=4, unique_by=lambda each: each[:2]))
def test_of_any_alterations_the_first_is_named(trail, alterations):
    with trail.tampered() as eve:
        rows = eve.rows()
        different = [number for number, column, value in alterations if rows[number - 1][column] != value]
        for number, column, value in alterations:
            eve.alter(number, **{column: value})

        fault = eve.verify().fault

    assert (fault and fault.number) == min(different, default=None)


@QUICK
@given(st.permutations(range(1, LENGTH + 1)))
def test_of_any_other_order_the_first_place_is_named(trail, order):
    with trail.tampered() as eve:
        rows = eve.rows()
        for number, source in enumerate(order, 1):
            eve.replace(number, rows[source - 1])

        fault = eve.verify().fault

    moved = [number for number, source in enumerate(order, 1) if number != source]
    assert (fault and fault.number) == min(moved, default=None)


@QUICK
@given(st.sets(st.integers(1, LENGTH), min_size=1, max_size=LENGTH - 1))
def test_of_any_removed_entries_the_first_is_named(trail, numbers):
    with trail.tampered() as eve:
        for number in numbers:
            eve.remove(number)

        assert eve.verify().fault.number == min(numbers)
