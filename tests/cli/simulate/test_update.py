"""What a device does while it updates, step by step."""

import pytest
from msgspec import structs

from fairlead.cli.simulate.device import (
    STATUS_SAID,
    Ask,
    Complaint,
    Device,
    Fate,
    Finished,
    Habits,
    Lost,
    Note,
    Reply,
    Step,
    Update,
    Vanish,
    Wait,
)
from fairlead.cli.simulate.hear import hear, wake

HABITS = Habits(retry_seconds=5, poll_seconds=30, inventory_seconds=600, install_seconds=20)
WORK = Update("d1", "release-2", "http://store.example/a", Fate())
UPDATING = Device(7, "release-1", token=b"a.b.c", step=Step.BEGIN, inventory_at=1000.0, poll_at=30.0, update=WORK)
WHOLE = Reply(200, length=5000, received_bytes=5000, opening=b"version\0")


def at(step, **changes):
    return structs.replace(UPDATING, step=step, update=structs.replace(WORK, **changes))


def play(device, habits=HABITS):
    """Answer everything as a good server does; what is said, in order, and the device at its end."""
    said = []
    while device.update:
        step = device.saying()
        said.append(STATUS_SAID.get(step, device.update.verdict if step is Step.FINISH else step.value))
        device, effects = hear(device, good(step), habits, 0)
        if isinstance(effects[-1], Wait) and device.update:
            said.append(f"waits {effects[-1].seconds:g}")
            device, _ = wake(device, habits, 0)
    return said, device, effects


def good(step):
    return {Step.AUTHORIZE: Reply(200, b"d.e.f"), Step.DOWNLOAD: WHOLE}.get(step, Reply(204))


def test_an_update_goes_through_the_steps_of_a_real_client():
    said, device, effects = play(UPDATING)

    assert said == [
        *("downloading", "download", "downloading", "downloading", "installing", "waits 20"),
        *("authorize", "installing", "success"),
    ]
    assert device.artifact_name == "release-2"
    assert effects[0] == Finished("success")


def test_a_device_that_must_reboot_says_so_and_authorizes_afterwards():
    said, _, _ = play(UPDATING, structs.replace(HABITS, reboot_seconds=40))

    assert said[4:] == ["installing", "waits 20", "rebooting", "waits 40", "authorize", "installing", "success"]


def test_a_failed_update_sends_its_log_after_the_failure_and_keeps_the_old_artifact():
    said, device, effects = play(at(Step.BEGIN, fate=Fate(fails=True)))

    assert said[4:] == ["installing", "waits 20", "failure", "log"]
    assert device.artifact_name == "release-1"
    assert effects[0] == Finished("failure")


def test_an_updated_device_reports_its_inventory_at_once():
    device, effects = hear(at(Step.FINISH), Reply(204), HABITS, 50)

    assert effects == [Finished("success"), Ask()]
    assert device.saying() is Step.INVENTORY


@pytest.mark.parametrize("step", [Step.BEGIN, Step.STORE, Step.INSTALL, Step.COMMIT, Step.FINISH])
def test_an_aborted_deployment_is_given_up_quietly(step):
    device, effects = hear(at(step), Reply(409), HABITS, 0)

    assert device.update is None
    assert effects == [Finished("aborted"), Wait(30)]


@pytest.mark.parametrize("step", [Step.DOWNLOAD, Step.INSTALL, Step.COMMIT])
def test_a_device_can_fall_silent_and_stays_silent(step):
    device, effects = UPDATING, [Ask()]
    device = at(Step.BEGIN, fate=Fate(silent_before=step))
    while effects != [Vanish()]:
        device, effects = hear(device, good(device.saying()), HABITS, 0)

    assert device.state() == "silent"
    assert device.update is None


def test_a_token_lost_in_an_update_is_renewed_and_the_update_goes_on():
    device, _ = hear(at(Step.STORE), Reply(401), HABITS, 0)
    assert device.saying() is Step.AUTHORIZE

    device, effects = hear(device, Reply(200, b"d.e.f"), HABITS, 0)
    assert (device.saying(), effects) == (Step.STORE, [Ask()])


def test_a_status_in_between_that_is_not_heard_holds_nothing_up():
    device, effects = hear(at(Step.INSTALL), Reply(500), HABITS, 0)

    assert device.step is Step.COMMIT
    assert effects == [Complaint("status: 500"), Wait(20)]


def test_a_final_status_that_is_not_heard_is_repeated_and_then_given_up():
    device, effects = at(Step.FINISH), []
    for _ in range(4):
        device, effects = hear(device, Reply(200), HABITS, 0)
        assert effects[0] == Complaint("status: 200")
        assert device.step is Step.FINISH
    device, effects = hear(device, Reply(200), HABITS, 0)

    assert effects[:2] == [Complaint("status: 200"), Finished("unreported")]
    assert device.artifact_name == "release-1"


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (Reply(403), "download: 403"),
        (Reply(200, received_bytes=5000), "download: no Content-Length"),
        (structs.replace(WHOLE, encoding="gzip"), "download: Content-Encoding gzip"),
        (structs.replace(WHOLE, length=4095), "download: smaller than 4096 bytes"),
    ],
)
def test_a_download_that_a_real_client_cannot_take_fails_after_some_tries(reply, complaint):
    device = at(Step.DOWNLOAD)
    for _ in range(4):
        device, effects = hear(device, reply, HABITS, 0)
        assert effects == [Complaint(complaint), Wait(5)]
    device, effects = hear(device, reply, HABITS, 0)

    assert effects == [Complaint(complaint), Ask()]
    assert (device.step, device.update.verdict) == (Step.FINISH, "failure")


def test_what_does_not_begin_like_an_artifact_is_a_failure():
    device, effects = hear(at(Step.DOWNLOAD), structs.replace(WHOLE, opening=b"<html>"), HABITS, 0)

    assert effects == [Complaint("download: does not begin like an artifact"), Ask()]
    assert device.update.verdict == "failure"


def test_a_download_that_breaks_off_goes_on_where_it_was():
    half = structs.replace(WHOLE, received_bytes=2000)
    device, effects = hear(at(Step.DOWNLOAD), half, HABITS, 0)
    assert effects == [Complaint("download: broke off"), Wait(5)]

    rest = Reply(206, length=3000, content_range="bytes 2000-4999/5000", received_bytes=3000)
    device, effects = hear(device, rest, HABITS, 0)
    assert (device.step, effects) == (Step.STORE, [Note("downloads completed"), Ask()])


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (WHOLE, "download: 200 to a request with Range"),
        (Reply(206, length=3000, content_range="bytes 2000-5000/5001"), "download: 206 with a wrong Content-Range"),
        (Reply(206, length=3000, content_range="bytes 0-4999/5000"), "download: 206 with a wrong Content-Range"),
        (Reply(206, length=3000), "download: 206 with a wrong Content-Range"),
        (Reply(206, length=9, content_range="bytes 2000-4999/5000"), "download: 206 with a wrong Content-Length"),
    ],
)
def test_the_rest_of_a_download_must_be_exactly_what_was_asked_for(reply, complaint):
    device = at(Step.DOWNLOAD, total_bytes=5000, received_bytes=2000)

    device, effects = hear(device, reply, HABITS, 0)

    assert effects == [Complaint(complaint), Wait(5)]


def test_a_device_told_to_cut_its_download_comes_back_for_the_rest_at_once():
    cut = structs.replace(WHOLE, received_bytes=2500, cut=True)

    device, effects = hear(at(Step.DOWNLOAD, fate=Fate(resumes=True)), cut, HABITS, 0)

    assert effects == [Note("downloads resumed"), Ask()]
    assert (device.update.received_bytes, device.update.total_bytes) == (2500, 5000)


def test_a_device_told_to_break_off_its_download_reports_failure_without_a_complaint():
    cut = structs.replace(WHOLE, received_bytes=2500, cut=True)

    device, effects = hear(at(Step.DOWNLOAD, fate=Fate(breaks_off=True)), cut, HABITS, 0)

    assert effects == [Note("downloads broken off"), Ask()]
    assert (device.step, device.update.verdict) == (Step.FINISH, "failure")


def test_a_store_that_cannot_be_reached_is_tried_a_few_times():
    device = at(Step.DOWNLOAD)
    for _ in range(5):
        device, effects = hear(device, Lost("connection refused"), HABITS, 0)

    assert effects == [Complaint("download: connection refused"), Ask()]
    assert device.update.verdict == "failure"
