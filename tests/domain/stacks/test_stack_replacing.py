"""Instances that have died or will be taken away: others come, and people go on with the stack meanwhile."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta

import pytest

from fairlead.domain import stacks, workflows
from fairlead.domain.stacks import AgentReport, Status
from fairlead.domain.stacks.vendors.driver import VendorFailed, VendorIsAway

from .scripted import SEAL, Gate, template


def spot_template(label: str = "") -> str:
    said = json.loads(template(1, image="nginx", label=label))
    scaling = {"min": 2, "max": 2, "availability_zones": "local", "spot_to_ondemand_ratio": 50}
    said["configurations"][0]["provision"] = {"auto_scaling": scaling, "keypair": False}
    return json.dumps(said)


def spot_of(place, stack_id: str) -> str:
    return next(each.id for each in place.cloud.of(stack_id).values() if each.is_spot)


def shut_down(place, stack_id: str, instance_id: str) -> None:
    with place.database.begin(place.agent(stack_id)) as tx:
        stacks.spot_shutdown(tx, place.tools, stack_id, instance_id)


def test_an_instance_that_will_be_taken_away_is_replaced_before_it_goes(place):
    stack_id = place.running(spot_template())
    old, both = spot_of(place, stack_id), []
    place.cloud.when_called = tell_when_both(place, stack_id, old, both)

    shut_down(place, stack_id, old)
    place.idle(stack_id)

    assert both == [3]
    new = spot_of(place, stack_id)
    assert new != old
    assert len(place.cloud.of(stack_id)) == 2
    stack = place.find(stack_id)
    assert (stack.status, stack.cause) == (Status.CREATE_COMPLETE, "")
    assert old not in {each.id for each in stack.instances["Web01"]}
    with place.database.read(place.ada) as tx:
        assert stacks.list_containers(tx, instance_id=old) == []
    assert place.log() == ["ada stack.create", "device stack.replace"]


def tell_when_both(place, stack_id, old, both):
    report = place.cloud.when_called

    def when_called(deed, order):
        if deed == "is there" and order.retire == {old}:
            both.append(len(place.cloud.of(stack_id)))
        report(deed, order)

    return when_called


def test_the_status_that_the_reference_has_for_it_says_that_an_instance_will_be_taken_away(place):
    stack_id = place.running(spot_template())
    old = spot_of(place, stack_id)

    for where in (old, ""):  # it need not say where it is: its container has
        with place.database.begin(place.agent(stack_id)) as tx:
            stacks.report_agent(tx, place.tools, AgentReport(stack_id, f"agent of {old}", "spot_terminate", where))
        place.idle(stack_id)

        assert old not in place.cloud.of(stack_id)
        assert len(place.cloud.of(stack_id)) == 2
        old = spot_of(place, stack_id)


def test_an_unknown_agent_may_announce_its_end(place):
    stack_id = place.running(spot_template())

    with place.database.begin(place.agent(stack_id)) as tx:
        stacks.report_agent(tx, place.tools, AgentReport(stack_id, "nobody knows where", "spot_terminate"))

    assert place.find(stack_id).status is Status.CREATE_COMPLETE
    assert not any("stack.replace" in entry for entry in place.log())


def test_told_twice_is_told_once(place):
    stack_id = place.running(spot_template())
    old = spot_of(place, stack_id)

    for _ in range(3):
        shut_down(place, stack_id, old)
    place.idle(stack_id)

    assert len(place.cloud.made) == 3
    assert sum("stack.replace" in entry for entry in place.log()) == 1


def test_an_unknown_instance_is_not_found(place):
    stack_id = place.running(spot_template())

    with pytest.raises(stacks.InstanceNotFound):
        shut_down(place, stack_id, "i-unknown")


def test_notice_during_an_update_is_not_forgotten(place):
    stack_id = place.running(spot_template())
    old = spot_of(place, stack_id)
    gate, report = Gate(), place.cloud.when_called
    place.cloud.when_called = lambda deed, order: gate() if deed == "change" else report(deed, order)
    place.update(stack_id, spot_template(label="two"))
    assert gate.reached.wait(10)

    shut_down(place, stack_id, old)
    gate.open.set()
    place.settled(stack_id, Status.UPDATE_COMPLETE)
    stacks.watch(place.database, place.tools)
    place.idle(stack_id)

    assert old not in place.cloud.of(stack_id)
    assert len(place.cloud.of(stack_id)) == 2


def test_a_stack_can_be_updated_while_an_instance_is_replaced(place):
    stack_id = place.running(spot_template())
    old = spot_of(place, stack_id)
    gate, report = Gate(), place.cloud.when_called
    place.cloud.when_called = lambda deed, order: gate() if deed == "change" else report(deed, order)
    shut_down(place, stack_id, old)
    assert gate.reached.wait(10)

    place.update(stack_id, spot_template(label="two"))
    gate.open.set()
    place.settled(stack_id, Status.UPDATE_COMPLETE)

    assert old not in place.cloud.of(stack_id)
    assert len(place.cloud.of(stack_id)) == 2
    assert not place.cloud.was_called_twice_at_once


def test_a_dead_instance_is_replaced(place):
    stack_id = place.running(template(2, image="nginx"))
    dead, alive = place.cloud.of(stack_id)
    place.cloud.becomes(stack_id, dead, "terminated")

    stacks.watch(place.database, place.tools)
    assert [each.state for each in place.find(stack_id).instances["Web01"]] == ["terminated", "running"]
    place.idle(stack_id)

    assert dead not in place.cloud.of(stack_id)
    assert alive in place.cloud.of(stack_id)
    assert len(place.cloud.of(stack_id)) == 2
    assert place.find(stack_id).status is Status.CREATE_COMPLETE
    assert place.log()[-1] == "fairlead stack.replace"


def test_several_who_watch_replace_it_once(place):
    stack_id = place.running(template(1, image="nginx"))
    (dead,) = place.cloud.of(stack_id)
    place.cloud.becomes(stack_id, dead, "terminated")

    watching = [threading.Thread(target=stacks.watch, args=(place.database, place.tools)) for _ in range(4)]
    for each in watching:
        each.start()
    for each in watching:
        each.join()
    place.idle(stack_id)
    stacks.watch(place.database, place.tools)
    place.idle(stack_id)

    assert len(place.cloud.made) == 2
    assert place.log().count("fairlead stack.replace") == 1


def fail(place, stack_id: str) -> stacks.Stack:
    """An update that fails, and whose way back fails as well."""
    place.agents_say = lambda flag, instance: ("error", "the disk is full")
    place.update(stack_id, spot_template().replace("nginx", "nginx:2"))
    stack = place.settled(stack_id, Status.UPDATE_ROLLBACK_FAILED)
    place.agents_say = lambda flag, instance: ("complete", "")
    return stack


@pytest.mark.parametrize("loss", ["it dies", "it will be taken away"])
def test_what_still_runs_of_a_stack_that_has_failed_is_kept_up(place, loss):
    stack_id = place.running(spot_template())
    failed, old = fail(place, stack_id), spot_of(place, stack_id)

    if loss == "it dies":
        place.cloud.becomes(stack_id, old, "terminated")
        stacks.watch(place.database, place.tools)
    else:
        shut_down(place, stack_id, old)
    place.idle(stack_id)

    assert old not in place.cloud.of(stack_id)
    assert len(place.cloud.of(stack_id)) == 2
    stack = place.find(stack_id)
    assert (stack.status, stack.cause) == (failed.status, failed.cause)


def test_a_replacement_that_fails_does_not_hide_why_the_stack_had_failed(place):
    stack_id = place.running(spot_template())
    failed = fail(place, stack_id)
    place.cloud.fails["change"] = VendorFailed(cause="no room left")

    shut_down(place, stack_id, spot_of(place, stack_id))
    place.idle(stack_id)

    stack = place.find(stack_id)
    assert (stack.status, stack.cause) == (failed.status, failed.cause)


def test_of_a_stack_that_could_not_be_deleted_nothing_is_replaced(place):
    stack_id = place.running(template(1, image="nginx"))
    place.cloud.fails["delete"] = VendorFailed(cause="it is locked")
    place.delete(stack_id)
    place.settled(stack_id, Status.DELETE_FAILED)
    place.cloud.becomes(stack_id, next(iter(place.cloud.of(stack_id))), "terminated")

    stacks.watch(place.database, place.tools)
    place.idle(stack_id)

    assert len(place.cloud.made) == 1


def test_a_vendor_that_lists_the_dead_for_a_while_does_not_have_them_replaced_again(place):
    stack_id = place.running(template(1, image="nginx"))
    (dead,) = place.cloud.of(stack_id)
    place.cloud.becomes(stack_id, dead, "terminated")
    ghost = place.cloud.of(stack_id)[dead]
    stacks.watch(place.database, place.tools)
    place.idle(stack_id)
    place.cloud.instances[stack_id][dead] = ghost

    for _ in range(3):
        stacks.watch(place.database, place.tools)
        place.idle(stack_id)

    assert len(place.cloud.made) == 2


def test_a_vendor_that_does_not_answer_is_no_reason_to_replace_anything(place):
    stack_id = place.running(template(1, image="nginx"))
    other = place.running(template(1, image="nginx"))
    (dead,) = place.cloud.of(other)
    for problem in (VendorIsAway(vendor="local", reason="no route"), OSError("no route")):
        place.cloud.fails["observe"] = problem
        stacks.watch(place.database, place.tools)
    assert len(place.cloud.made) == 2

    del place.cloud.fails["observe"]
    place.cloud.becomes(other, dead, "terminated")
    stacks.watch(place.database, place.tools)
    place.idle(other)

    assert len(place.cloud.of(stack_id)) == len(place.cloud.of(other)) == 1
    assert len(place.cloud.made) == 3


def test_a_replacement_that_fails_says_so_and_is_tried_again_later(place, monkeypatch):
    stack_id = place.running(template(1, image="nginx"))
    (dead,) = place.cloud.of(stack_id)
    place.cloud.becomes(stack_id, dead, "terminated")
    place.cloud.fails["change"] = VendorFailed(cause="no room left")
    stacks.watch(place.database, place.tools)
    place.idle(stack_id)
    stacks.watch(place.database, place.tools)
    failed = place.find(stack_id)
    assert (failed.status, failed.cause) == (
        Status.CREATE_COMPLETE,
        "instances could not be replaced: no room left",
    )
    assert place.cloud.calls.count("change") == 1

    del place.cloud.fails["change"]
    monkeypatch.setattr("fairlead.domain.stacks.replacing.AGAIN", timedelta(0))
    stacks.watch(place.database, place.tools)
    place.idle(stack_id)

    assert place.find(stack_id).cause == ""
    assert dead not in place.cloud.of(stack_id)


def test_an_update_replaces_what_had_died_unseen(place):
    stack_id = place.running(template(1, image="nginx:1"))
    (dead,) = place.cloud.of(stack_id)
    place.cloud.becomes(stack_id, dead, "terminated")

    place.update(stack_id, template(1, image="nginx:2"))
    place.settled(stack_id, Status.UPDATE_COMPLETE)

    assert dead not in place.cloud.of(stack_id)
    assert len(place.cloud.of(stack_id)) == 1


def test_a_stack_whose_job_was_given_up_says_so(place):
    stack_id = place.apply(template())
    with place.database.across_tenants("an operator") as tx:
        workflows.cancel(tx, SEAL, place.record(stack_id).job_id)

    stacks.watch(place.database, place.tools)

    stack = place.find(stack_id)
    assert stack.status is Status.CREATE_FAILED
    assert "given up" in stack.cause


def test_a_job_that_goes_on_is_left_alone_by_those_who_watch(place):
    stack_id = place.apply(template())
    stacks.watch(place.database, place.tools)
    assert place.find(stack_id).status is Status.CREATE_IN_PROGRESS

    place.work()
    until = time.monotonic() + 20
    while place.find(stack_id).status is Status.CREATE_IN_PROGRESS:
        stacks.watch(place.database, place.tools)
        assert time.monotonic() < until
    assert place.find(stack_id).status is Status.CREATE_COMPLETE
