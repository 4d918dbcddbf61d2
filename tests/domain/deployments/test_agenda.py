"""Which devices surely have nothing to do?"""

import threading

import pytest

from fairlead.domain.deployments import Agenda, store


class Records:
    """Stands for the database: which device has something open, and how a look at it can be held up."""

    def __init__(self, monkeypatch):
        self.open: dict[str, set[str]] = {}
        self.held: threading.Event | None = None
        monkeypatch.setattr(store, "ids_with_work", self._ids)

    def across_tenants(self, *_, **__):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def _ids(self, _, deployment=None):
        return [d for name, devices in self.open.items() if deployment in (None, name) for d in devices]


@pytest.fixture
def records(monkeypatch):
    return Records(monkeypatch)


@pytest.fixture
def agenda(records):
    filled = Agenda(records, lambda: True)
    filled.fill()
    return filled


def test_before_it_is_filled_nobody_is_idle(records):
    agenda = Agenda(records, lambda: True)

    assert not agenda.is_idle("door")
    agenda.fill()
    assert agenda.is_idle("door")


def test_while_changes_cannot_be_heard_nobody_is_idle(records):
    trusted = True
    agenda = Agenda(records, lambda: trusted)
    agenda.fill()

    trusted = False
    assert not agenda.is_idle("door")
    trusted = True
    assert agenda.is_idle("door")


def test_who_has_something_open_is_busy_from_the_start(records):
    records.open["rollout"] = {"door"}
    agenda = Agenda(records, lambda: True)
    agenda.fill()

    assert (agenda.is_idle("door"), agenda.is_idle("gate"), len(agenda)) == (False, True, 1)


def test_the_devices_of_a_new_deployment_are_busy(records, agenda):
    records.open["rollout"] = {"door"}

    agenda.hear("rollout")

    assert (agenda.is_idle("door"), agenda.is_idle("gate")) == (False, True)


def test_a_device_for_which_nothing_was_found_is_idle_again(records, agenda):
    records.open["rollout"] = {"door"}
    agenda.hear("rollout")

    stamp = agenda.stamp()
    records.open.clear()
    agenda.settle("door", stamp)

    assert agenda.is_idle("door")


def test_a_device_that_got_work_between_the_look_and_its_answer_stays_busy(records, agenda):
    """The race: a request finds nothing, a deployment is committed and heard of, then the request settles."""
    records.open["first"] = {"door"}
    agenda.hear("first")
    stamp = agenda.stamp()
    records.open.clear()  # the request looks here, and finds nothing

    records.open["second"] = {"door"}
    agenda.hear("second")
    agenda.settle("door", stamp)

    assert not agenda.is_idle("door")
    records.open.clear()
    agenda.settle("door", agenda.stamp())
    assert agenda.is_idle("door")


def test_work_that_is_heard_of_after_the_answer_makes_busy_again(records, agenda):
    stamp = agenda.stamp()
    agenda.settle("door", stamp)

    records.open["late"] = {"door"}
    agenda.hear("late")

    assert not agenda.is_idle("door")


def test_no_order_of_threads_leaves_a_device_idle_that_has_work(records, agenda):
    wrong, stop = [], threading.Event()

    def ask() -> None:
        while not stop.is_set():
            stamp = agenda.stamp()
            if not records.open:
                agenda.settle("door", stamp)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(2000):
        records.open["rollout"] = {"door"}
        agenda.hear("rollout")
        wrong += [True] if agenda.is_idle("door") else []
        records.open = {}
    stop.set()
    for thread in threads:
        thread.join()

    assert wrong == []
