"""What does a process know of what others have changed, and how sure is it?"""

import threading
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from fairlead.base import clock
from fairlead.base.database.changes import KEPT, TRUSTED_SECONDS, changes
from house.boats import ACME


def announce(database, *subjects):
    with database.begin(ACME) as tx:
        for subject in subjects:
            tx.announce("launched", subject)


@pytest.fixture
def listener(open_database):
    """A process that hears, and looks only when the test says so."""
    database = open_database()
    database.heard = []
    database.started_over = []
    database.changes.on("launched", database.heard.append)
    database.changes.when_missed(lambda: database.started_over.append(True))
    database.changes._last_id = 0
    database.changes.read()
    return database


def test_changes_of_another_process_are_heard_within_a_second(open_database, listener):
    listener.changes.start()

    announce(open_database(), "1")
    until = time.monotonic() + 1
    while not listener.heard and time.monotonic() < until:
        time.sleep(0.01)

    assert listener.heard == ["1"]
    assert listener.changes.fresh()


def test_what_was_announced_before_the_start_is_not_heard_again(open_database):
    announce(open_database(), "1")
    late = open_database()
    heard = []
    late.changes.on("launched", heard.append)

    late.changes.start()
    late.changes.read()
    announce(open_database(), "2")
    late.changes.read()

    assert heard == ["2"]


def test_while_changes_cannot_be_read_nothing_is_trusted(listener, monkeypatch):
    assert listener.changes.fresh()

    monkeypatch.setattr(listener, "across_tenants", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("away")))
    with pytest.raises(RuntimeError):
        listener.changes.read()
    assert listener.changes.fresh()  # what was read less than a second ago still holds
    time.sleep(TRUSTED_SECONDS)
    assert not listener.changes.fresh()

    monkeypatch.undo()
    listener.changes.read()
    assert listener.changes.fresh()


def test_freshness_counts_from_before_the_look(listener, monkeypatch):
    """Only this thread's clock is set: a server that other tests use looks at it, too."""
    moments, real, here = [1000.0, 1000.5], time.monotonic, threading.get_ident()

    def monotonic() -> float:
        if threading.get_ident() != here:
            return real()
        return moments.pop(0) if len(moments) > 1 else moments[0]

    monkeypatch.setattr(time, "monotonic", monotonic)

    listener.changes.read()

    assert listener.changes.fresh()
    moments[:] = [1000.95]
    assert not listener.changes.fresh()


def test_a_listener_that_fails_hears_of_the_change_again(open_database, listener):
    failures = [RuntimeError("not yet")]

    def fail_once(subject: str) -> None:
        if failures:
            raise failures.pop()

    listener.changes.on("launched", fail_once)
    announce(open_database(), "1", "2")
    read_at = listener.changes._read_at

    with pytest.raises(RuntimeError):
        listener.changes.read()
    assert listener.changes._read_at == read_at
    listener.changes.read()

    assert listener.heard[-2:] == ["1", "2"]


def test_old_changes_are_forgotten_but_for_the_newest(open_database, listener):
    with time_machine.travel(clock.now() - KEPT - timedelta(minutes=1), tick=True):
        announce(open_database(), "1", "2")
    announce(open_database(), "3")
    with time_machine.travel(clock.now() + KEPT * 2, tick=True):
        listener.changes.forget_old()

    with listener.across_tenants("what is left?", writing=False) as tx:
        assert [row.subject for row in tx.all(sa.select(changes))] == ["3"]


def test_forgetting_what_everyone_has_heard_is_not_missing_anything(open_database, listener):
    announce(open_database(), "1", "2")
    listener.changes.read()
    with time_machine.travel(clock.now() + KEPT * 2, tick=True):
        listener.changes.forget_old()
    announce(open_database(), "3")

    listener.changes.read()
    listener.changes.read()

    assert listener.heard == ["1", "2", "3"]
    assert listener.started_over == []


def test_a_process_that_was_away_for_too_long_starts_over(open_database, listener):
    announce(open_database(), "1")
    listener.changes.read()
    announce(open_database(), "2", "3")
    with time_machine.travel(clock.now() + KEPT * 2, tick=True):
        open_database().changes.forget_old()

    listener.changes.read()
    listener.changes.read()

    assert listener.started_over == [True]
    assert listener.heard == ["1", "3"]
