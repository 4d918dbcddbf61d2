"""What a device at rest does about each answer."""

import json

import pytest
from msgspec import structs

from fairlead.cli.simulate.device import (
    Ask,
    Complaint,
    Device,
    Dialect,
    Finished,
    Habits,
    Lost,
    Note,
    Reply,
    Step,
    Wait,
)
from fairlead.cli.simulate.hear import hear, wake

HABITS = Habits(retry_seconds=5, poll_seconds=30, inventory_seconds=600)
STRANGER = Device(7, "release-1")
ACCEPTED = Device(7, "release-1", token=b"a.b.c")
ASKING = structs.replace(ACCEPTED, step=Step.NEXT, inventory_at=1000.0)


def instructions(**changes):
    artifact = {
        "artifact_name": "release-2",
        "source": {"uri": "http://store.example/a", "expire": "later"},
        "device_types_compatible": ["fairlead-simulated"],
    }
    return Reply(200, json.dumps({"id": "d1", "artifact": artifact | changes}).encode())


def test_a_device_that_is_not_let_in_tries_again_later():
    device, effects = hear(STRANGER, Reply(401), HABITS, 0)

    assert device == STRANGER
    assert effects == [Wait(5)]


def test_a_device_that_is_let_in_reports_its_inventory_first():
    device, effects = hear(STRANGER, Reply(200, b"a.b.c"), HABITS, 0)

    assert device.token == b"a.b.c"
    assert (device.saying(), effects) == (Step.INVENTORY, [Ask()])


@pytest.mark.parametrize("body", [b"", b'"a.b.c"', b"a.b.c\n", b"a b"])
def test_a_token_that_is_not_bare_is_of_no_use(body):
    device, effects = hear(STRANGER, Reply(200, body), HABITS, 0)

    assert not device.token
    assert effects == [Complaint("authorize: 200 without a bare token"), Wait(5)]


def test_after_the_inventory_comes_the_question_for_work():
    device, effects = hear(ACCEPTED, Reply(200), HABITS, 100)

    assert device.inventory_at == 700
    assert (device.saying(), effects) == (Step.NEXT, [Ask()])


def test_an_inventory_that_cannot_be_put_is_patched():
    device, effects = hear(ACCEPTED, Reply(405), HABITS, 0)

    assert device.patches
    assert (device.saying(), effects) == (Step.INVENTORY, [Ask()])


def test_an_inventory_answered_with_204_never_leads_to_an_update():
    device, effects = hear(ACCEPTED, Reply(204), HABITS, 0)

    assert device.saying() is Step.INVENTORY
    assert effects == [Complaint("inventory: 204"), Wait(5)]


def test_without_work_a_device_waits_for_whatever_is_due_first():
    device, effects = hear(ASKING, Reply(204), HABITS, 100)
    assert effects == [Wait(30)]

    device, effects = hear(structs.replace(ASKING, inventory_at=110.0), Reply(204), HABITS, 100)
    assert effects == [Wait(10)]
    assert wake(device, HABITS, 110)[0].saying() is Step.INVENTORY


def test_only_a_404_makes_a_device_ask_in_the_older_way():
    device, effects = hear(ASKING, Reply(404), HABITS, 0)
    assert (device.dialect, effects) == (Dialect.V1_POST, [Ask()])

    device, effects = hear(device, Reply(404), HABITS, 0)
    assert (device.dialect, effects) == (Dialect.V1_GET, [Ask()])

    device, effects = hear(device, Reply(404), HABITS, 0)
    assert (device.dialect, effects) == (Dialect.V1_GET, [Complaint("next: 404"), Wait(5)])


@pytest.mark.parametrize("status", [400, 405, 500, 503])
def test_any_other_refusal_is_a_complaint_and_tried_again_the_same_way(status):
    device, effects = hear(ASKING, Reply(status), HABITS, 0)

    assert device.dialect is Dialect.V2_POST
    assert effects == [Complaint(f"next: {status}"), Wait(5)]


def test_waits_grow_while_the_server_is_in_trouble_but_not_for_ever():
    device, waits = ASKING, []
    for _ in range(8):
        device, effects = hear(device, Lost("connection refused"), HABITS, 0)
        waits.append(effects[-1].seconds)

    assert waits == [5, 10, 20, 40, 60, 60, 60, 60]
    assert effects[0] == Complaint("next: connection refused")


def test_a_token_that_is_no_longer_taken_is_asked_for_again_at_once():
    device, effects = hear(ASKING, Reply(401), HABITS, 0)

    assert (device.token, device.saying()) == (b"", Step.AUTHORIZE)
    assert effects == [Note("sent back to authorize"), Ask()]


def test_a_server_that_gives_tokens_and_refuses_them_is_not_asked_in_a_circle():
    device, _ = hear(ASKING, Reply(401), HABITS, 0)
    device, _ = hear(device, Reply(200, b"d.e.f"), HABITS, 0)
    device, effects = hear(device, Reply(401), HABITS, 0)

    assert effects == [Note("sent back to authorize"), Wait(5)]


def test_instructions_begin_an_update():
    device, effects = hear(ASKING, instructions(), HABITS, 0)

    assert (device.saying(), effects) == (Step.BEGIN, [Ask()])
    assert (device.update.id, device.update.artifact_name) == ("d1", "release-2")


def test_what_is_installed_already_is_only_reported():
    device, effects = hear(ASKING, instructions(artifact_name="release-1"), HABITS, 0)
    assert (device.saying(), device.update.verdict, effects) == (Step.FINISH, "already-installed", [Ask()])

    device, effects = hear(device, Reply(204), HABITS, 0)
    assert effects[0] == Finished("already-installed")
    assert device.update is None


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"artifact_name": ""}, "next: instructions with something missing"),
        ({"source": {}}, "next: instructions with something missing"),
        ({"device_types_compatible": []}, "next: instructions with something missing"),
        ({"device_types_compatible": ["other"]}, "next: an artifact for other device types"),
    ],
)
def test_what_cannot_be_installed_is_reported_as_a_failure_at_once(changes, complaint):
    device, effects = hear(ASKING, instructions(**changes), HABITS, 0)

    assert (device.saying(), device.update.verdict) == (Step.FINISH, "failure")
    assert effects == [Complaint(complaint), Ask()]


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"[]", b"{"])
def test_200_without_instructions_is_a_wrong_answer(body):
    device, effects = hear(ASKING, Reply(200, body), HABITS, 0)

    assert device.update is None
    assert effects == [Complaint("next: 200 without instructions"), Wait(30)]
