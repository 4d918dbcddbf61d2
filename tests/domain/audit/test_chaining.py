"""Chains do not break, whoever writes at the same moment and whatever ends the writing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading

import pytest

from fairlead.base.database import Database
from fairlead.base.scope import system_scope
from fairlead.domain import audit
from house.program import clean_environment

THREADS = 8
DEEDS = 12


def entries_of(trail) -> int:
    found = trail.verify()
    assert found.fault is None
    return found.entries


def at_once(*deeds) -> None:
    problems = []

    def run(deed) -> None:
        try:
            deed()
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_many_who_write_in_one_trail_leave_it_unbroken(new_trail):
    trail = new_trail()

    at_once(*[lambda: [trail.add(2) for _ in range(DEEDS)]] * THREADS)

    assert entries_of(trail) == 1 + THREADS * DEEDS * 2


def test_many_who_write_in_several_trails_at_once_do_not_wait_in_a_circle(new_trail):
    trails = [new_trail() for _ in range(4)]

    def write(mine) -> None:
        for _ in range(DEEDS):
            with trails[0].database.across_tenants("several trails") as tx:
                for trail in mine:
                    audit.record(tx.within(trail.scope), "device.accept", "1")

    orders = [trails, trails[::-1], trails[1:] + trails[:1], trails[2:] + trails[:2]] * 2
    at_once(*[lambda mine=mine: write(mine) for mine in orders])

    assert [entries_of(trail) for trail in trails] == [1 + len(orders) * DEEDS] * 4


def test_what_is_verified_while_others_write_raises_no_false_alarm(new_trail):
    trail = new_trail()
    over = threading.Event()
    findings = []

    def look() -> None:
        while not over.is_set():
            findings.append(trail.verify())

    def write() -> None:
        try:
            for _ in range(30):
                trail.add(2)
        finally:
            over.set()

    at_once(look, write)

    assert [finding.fault for finding in findings if finding.fault is not None] == []
    assert findings
    assert entries_of(trail) == 61


def test_a_deed_that_is_taken_back_leaves_no_gap(new_trail):
    trail = new_trail(2)

    with pytest.raises(ZeroDivisionError), trail.database.begin(trail.scope) as tx:
        audit.record(tx, "device.accept", "1")
        raise ZeroDivisionError
    trail.add(1)

    assert entries_of(trail) == 3


def test_entries_of_one_deed_stand_in_the_order_in_which_they_were_recorded(new_trail):
    trail = new_trail()

    with trail.database.begin(trail.scope) as tx:
        for number in range(5):
            audit.record(tx, "device.accept", str(number))

    with trail.database.read(trail.scope) as tx:
        assert [entry.object_id for entry in audit.recent(tx, 5)] == ["4", "3", "2", "1", "0"]


def test_a_trail_longer_than_what_is_read_in_one_go_is_walked_to_its_end(new_trail):
    trail = new_trail()
    with trail.database.begin(trail.scope) as tx:
        for number in range(2500):
            audit.record(tx, "device.accept", str(number))
    seen = []

    found = trail.verify(progress=seen.append)

    assert (found.entries, found.fault, seen) == (2501, None, [1000, 2000])


_WRITE_FOR_EVER = """
import itertools, sys
from fairlead.base.database import Database
from fairlead.base.scope import system_scope
from fairlead.domain import audit
database = Database(sys.argv[1])
for number in itertools.count():
    with database.begin(system_scope(sys.argv[2])) as tx:
        for part in range(3):
            audit.record(tx, "device.accept", f"{number}/{part}")
    print(number, flush=True)
"""


def test_a_power_cut_in_the_middle_leaves_whole_deeds_and_an_unbroken_chain(new_trail):
    trail = new_trail()
    url = trail.database.url.render_as_string(hide_password=False)
    committed = 0
    for _ in range(3):
        program = [sys.executable, "-c", _WRITE_FOR_EVER, url, trail.tenant_id]
        with subprocess.Popen(program, stdout=subprocess.PIPE, env=clean_environment(), text=True) as process:
            for line in process.stdout:
                if int(line) >= 5:
                    process.send_signal(signal.SIGKILL)
                    break
            said = 6 + len(process.stdout.read().split())
        committed += said * 3

        entries = entries_of(trail)

        assert (entries - 1) % 3 == 0
        assert committed <= entries - 1 <= committed + 3
        committed = entries - 1


def test_a_new_database_opened_by_another_process_goes_on_with_the_chain(new_trail):
    trail = new_trail(4)
    other = Database(trail.database.url.render_as_string(hide_password=False))
    with other.begin(system_scope(trail.tenant_id)) as tx:
        audit.record(tx, "device.accept", "1")
    other.close()

    assert entries_of(trail) == 5
