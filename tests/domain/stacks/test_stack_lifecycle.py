"""A template becomes a stack, changes, comes back when that fails, and goes."""

from __future__ import annotations

import json
import threading
import time

import pytest

from fairlead.base.database import Database, metadata
from fairlead.domain import stacks, workflows
from fairlead.domain.stacks import StackIsBusy, StackNotFound, Status
from fairlead.domain.stacks.vendors.driver import VendorFailed, VendorIsAway
from fairlead.domain.stacks.work import LOOK_SECONDS

from .scripted import SEAL, Gate, Place, template


def test_a_template_becomes_a_stack_whose_instances_run(place):
    place.work()

    stack_id = place.apply(template(2, image="nginx"))
    begun = place.find(stack_id)
    stack = place.settled(stack_id, Status.CREATE_COMPLETE)

    assert begun.status is Status.CREATE_IN_PROGRESS
    assert begun.instances == {"Web01": []}
    assert len(stack.instances["Web01"]) == 2
    assert {each.id for each in stack.instances["Web01"]} == place.cloud.of(stack_id).keys()
    assert (stack.owner, stack.cause, stack.vendor) == ("ada@acme.example", "", "local")
    assert stack_id.split("-")[1] == stack.account
    assert place.cloud.calls == ["plan", "create"]
    assert place.log() == ["ada stack.create"]


def test_agents_are_told_whose_they_are(place):
    stack_id = place.running(template(1, image="nginx"))

    brief = place.cloud.orders[-1].brief

    stack = place.find(stack_id)
    assert (brief.stack_id, brief.account, brief.auth_token) == (stack_id, stack.account, stack.auth_token)
    assert len(stack.auth_token) == 28
    assert stack.auth_token not in repr(stack) + repr(brief)


def test_an_update_brings_a_new_version_into_force_and_lets_agents_deploy(place):
    stack_id = place.running(template(1, image="nginx:1"))
    first = place.config(stack_id)

    version_id = place.update(stack_id, template(2, image="nginx:2"))
    stack = place.settled(stack_id, Status.UPDATE_COMPLETE)

    assert stack.version_id == version_id
    assert len(stack.instances["Web01"]) == 2
    second = place.config(stack_id)
    assert (first["image"], second["image"]) == ("nginx:1", "nginx:2")
    assert second["updated"] > first["updated"]
    assert place.cloud.calls == ["plan", "create", "plan", "change"]


def test_an_update_that_changes_nothing_in_the_container_deploys_nothing(place):
    stack_id = place.running(template(1, image="nginx"))
    before = place.config(stack_id)
    place.agents_say = lambda flag, instance: ("", "")

    place.update(stack_id, template(1, image="nginx", label="another"))
    place.settled(stack_id, Status.UPDATE_COMPLETE)

    assert place.config(stack_id) == before


def test_the_text_of_an_older_version_is_the_way_back_with_a_larger_stamp(place):
    stack_id = place.running(template(1, image="nginx:1"))
    place.update(stack_id, template(1, image="nginx:2"))
    place.settled(stack_id, Status.UPDATE_COMPLETE)
    stamp = place.config(stack_id)["updated"]

    place.update(stack_id, template(1, image="nginx:1"))
    place.idle(stack_id)

    config = place.config(stack_id)
    assert config["image"] == "nginx:1"
    assert config["updated"] > stamp
    with place.database.read(place.ada) as tx:
        assert len(stacks.versions(tx, place.tools, stack_id)) == 3


def test_a_creation_that_the_vendor_refuses_fails_and_says_why(place):
    place.cloud.fails["create"] = VendorFailed(cause="no room left")
    place.work()

    stack = place.settled(place.apply(template()), Status.CREATE_FAILED)

    assert stack.cause == "no room left"


def test_a_driver_with_a_bug_is_no_riddle_and_leaves_nothing_in_progress(place):
    place.cloud.fails["plan"] = ZeroDivisionError("secret detail")
    place.work()

    stack = place.settled(place.apply(template()), Status.CREATE_FAILED)

    assert stack.cause == "internal error: the server's log says more"


def test_an_agent_that_says_error_fails_the_creation_in_its_words(place):
    place.agents_say = lambda flag, instance: ("error", "image not found")
    place.work()

    stack_id = place.apply(template(1, image="nginx"))
    stack = place.settled(stack_id, Status.CREATE_FAILED)

    (instance,) = stack.instances["Web01"]
    assert stack.cause == f"layer Web01, instance {instance.id}: image not found"
    assert place.cloud.of(stack_id), "what is there stays for a look"


def test_a_failed_creation_can_be_mended_by_an_update(place):
    place.agents_say = lambda flag, instance: ("error", "image not found")
    place.work()
    stack_id = place.apply(template(1, image="ngnix"))
    place.settled(stack_id, Status.CREATE_FAILED)

    place.agents_say = lambda flag, instance: ("complete", "")
    place.update(stack_id, template(1, image="nginx"))
    stack = place.settled(stack_id, Status.UPDATE_COMPLETE)

    assert stack.cause == ""
    assert set(place.cloud.made.values()) == {1}


def test_a_failed_creation_leaves_no_version_to_go_back_to(place):
    place.cloud.fails["create"] = VendorFailed(cause="no room left")
    place.work()
    stack_id = place.apply(template())
    place.settled(stack_id, Status.CREATE_FAILED)
    place.cloud.fails["change"] = VendorFailed(cause="still none")

    place.update(stack_id, template(2))

    assert place.settled(stack_id, Status.UPDATE_FAILED).cause == "still none"


def test_an_update_that_fails_is_rolled_back_with_new_stamps(place):
    stack_id = place.running(template(1, image="nginx:1"))
    good = place.find(stack_id).version_id
    stamp = place.config(stack_id)["updated"]
    answers = {"nginx:1": ("complete", ""), "nginx:2": ("error", "image not found")}
    place.agents_say = lambda flag, instance: answers[place.config(stack_id)["image"]]

    place.update(stack_id, template(2, image="nginx:2"))
    stack = place.settled(stack_id, Status.UPDATE_ROLLBACK_COMPLETE)

    assert stack.version_id == good
    assert "image not found" in stack.cause
    assert len(stack.instances["Web01"]) == 1
    config = place.config(stack_id)
    assert config["image"] == "nginx:1"
    assert config["updated"] >= stamp + 2


def test_what_is_said_late_of_the_version_that_failed_does_not_fail_the_way_back(place):
    stack_id = place.running(template(2, image="nginx:1"))
    report, told = place.report, {"nginx:1": ("complete", ""), "nginx:2": ("error", "image not found")}

    def agents(deed, order):
        if deed != "is there":
            return
        image = place.config(stack_id)["image"]
        first, second = sorted(place.cloud.of(stack_id).values(), key=lambda each: each.id)
        if place.find(stack_id).status is Status.UPDATE_ROLLBACK_IN_PROGRESS:
            report(stack_id, second, "installing")
            report(stack_id, second, *told["nginx:2"])
            time.sleep(2 * LOOK_SECONDS)
            report(stack_id, second, "updating")
        else:
            report(stack_id, second, "updating")
        for instance in [first] if image == "nginx:2" else [first, second]:
            report(stack_id, instance, "updating")
            report(stack_id, instance, *told[image])

    place.cloud.when_called = agents
    place.update(stack_id, template(2, image="nginx:2"))
    stack = settled_either_way(place, stack_id)

    assert (stack.status, stack.cause.count("image not found")) == (Status.UPDATE_ROLLBACK_COMPLETE, 1)


def settled_either_way(place: Place, stack_id: str) -> stacks.Stack:
    until = time.monotonic() + 20
    while not (stack := place.find(stack_id)).status.is_settled:
        assert time.monotonic() < until, stack
        time.sleep(0.02)
    return stack


def test_agents_are_told_what_their_stamp_belongs_to_while_an_update_is_not_planned(place):
    stack_id = place.running(template(1, image="nginx:1"))
    before, told = place.config(stack_id), []
    report = place.cloud.when_called

    def when_called(deed, order):
        told.append((place.find(stack_id).status, place.config(stack_id)))
        report(deed, order)

    place.cloud.when_called = when_called
    answers = {"nginx:1": ("complete", ""), "nginx:2": ("error", "image not found")}
    place.agents_say = lambda flag, instance: answers[place.config(stack_id)["image"]]
    place.update(stack_id, template(1, image="nginx:2"))
    at_once = place.config(stack_id)
    place.settled(stack_id, Status.UPDATE_ROLLBACK_COMPLETE)

    assert at_once == before
    images = {config["updated"]: set() for _, config in told}
    for _, config in told:
        images[config["updated"]].add(config["image"])
    assert [images[stamp] for stamp in sorted(images)] == [{"nginx:1"}, {"nginx:2"}, {"nginx:1"}]


def test_a_layer_that_had_no_container_is_told_of_one_only_under_a_stamp_of_its_own(place):
    stack_id = place.running(template(1))

    place.update(stack_id, template(1, image="nginx"))
    at_once = place.config(stack_id)
    place.settled(stack_id, Status.UPDATE_COMPLETE)

    assert at_once == {}
    assert place.config(stack_id)["image"] == "nginx"


def test_what_was_never_planned_is_not_told_under_the_stamp_of_what_was(place):
    place.agents_say = lambda flag, instance: ("error", "image not found")
    place.work()
    stack_id = place.apply(template(1, image="nginx:1"))
    place.settled(stack_id, Status.CREATE_FAILED)
    place.cloud.fails["plan"] = VendorFailed(cause="no such type")
    place.update(stack_id, template(1, image="nginx:2"))
    place.settled(stack_id, Status.UPDATE_FAILED)
    before = place.config(stack_id)

    with place.database.begin(place.ada) as tx:
        stacks.change_server_config(tx, place.tools, stack_id, stacks.ServerConfigChange(environment={"A": "b"}))
    changed = place.config(stack_id)
    del place.cloud.fails["plan"]
    place.agents_say = lambda flag, instance: ("complete", "")
    place.update(stack_id, template(1, image="nginx:2"))
    place.settled(stack_id, Status.UPDATE_COMPLETE)

    assert (before["image"], changed["image"], place.config(stack_id)["image"]) == ("nginx:1", "nginx:1", "nginx:2")
    assert before["updated"] < changed["updated"] < place.config(stack_id)["updated"]


def test_a_way_back_that_fails_too_says_both(place):
    stack_id = place.running(template(1, image="nginx:1"))
    place.agents_say = lambda flag, instance: ("error", "the disk is full")

    place.update(stack_id, template(1, image="nginx:2"))
    stack = place.settled(stack_id, Status.UPDATE_ROLLBACK_FAILED)

    assert stack.cause.count("the disk is full") == 2
    place.agents_say = lambda flag, instance: ("complete", "")
    place.update(stack_id, template(1, image="nginx:2"))
    place.settled(stack_id, Status.UPDATE_COMPLETE)


def test_agents_that_stay_silent_fail_the_stack_after_a_while(own_database, tokens):
    place = Place(own_database, tokens, settle_seconds=0.5)
    place.agents_say = lambda flag, instance: ("", "")
    place.work()

    stack_id = place.apply(template())
    stack = place.settled(stack_id, Status.CREATE_FAILED)
    place.close()

    (instance,) = place.cloud.of(stack_id)
    assert stack.cause == f"the agents of {instance} (Web01) did not report within 0.5 s"


def test_what_an_agent_said_before_does_not_complete_an_update(own_database, tokens):
    place = Place(own_database, tokens, settle_seconds=0.7)
    stack_id = place.running(template(1, image="nginx:1"))
    place.agents_say = lambda flag, instance: ("", "")

    place.update(stack_id, template(1, image="nginx:2"))
    stack = place.settled(stack_id, Status.UPDATE_ROLLBACK_FAILED)
    place.close()

    assert "did not report within 0.7 s" in stack.cause


def test_a_vendor_that_is_away_is_asked_again(place, monkeypatch):
    monkeypatch.setattr("fairlead.domain.workflows.engine.WAIT_WHEN_AWAY", workflows.NotYet("", 0.1).delay)
    place.cloud.fails["create"] = VendorIsAway(vendor="local", reason="no route")
    place.work()
    stack_id = place.apply(template())
    while place.cloud.calls.count("create") < 2:
        time.sleep(0.01)

    assert place.find(stack_id).status is Status.CREATE_IN_PROGRESS
    del place.cloud.fails["create"]
    place.settled(stack_id, Status.CREATE_COMPLETE)


def test_a_deleted_stack_is_gone_with_all_that_belonged_to_it(place):
    stack_id = place.running(template(2, image="nginx"))

    assert place.delete(stack_id) is Status.DELETE_IN_PROGRESS
    assert place.find(stack_id).status is Status.DELETE_IN_PROGRESS
    place.gone(stack_id)

    assert place.cloud.of(stack_id) == {}
    assert left_of(place.database, stack_id) == {}
    assert place.log() == ["ada stack.create", "ada stack.delete", "fairlead stack.remove"]


def left_of(database: Database, stack_id: str) -> dict[str, int]:
    """In which tables there is still anything of the stack."""
    found = {}
    with database.outside() as connection:
        for name, table in metadata.tables.items():
            if name.startswith("stack"):
                column = table.c.id if name == "stacks" else table.c.stack_id
                number = len(connection.execute(table.select().where(column == stack_id)).all())
                if number:
                    found[name] = number
    return found


def test_a_stack_is_deleted_once_however_often_it_is_asked_for(place):
    stack_id = place.running(template())

    assert [place.delete(stack_id) for _ in range(3)] == [Status.DELETE_IN_PROGRESS] * 3
    place.gone(stack_id)

    assert place.cloud.calls.count("delete") == 1
    assert place.log().count("ada stack.delete") == 1


def test_a_deletion_that_fails_says_why_and_can_be_tried_again(place):
    stack_id = place.running(template())
    place.cloud.fails["delete"] = VendorFailed(cause="it is locked")

    place.delete(stack_id)
    assert place.settled(stack_id, Status.DELETE_FAILED).cause == "it is locked"

    del place.cloud.fails["delete"]
    place.delete(stack_id)
    place.gone(stack_id)


def test_a_stack_can_be_deleted_while_it_is_being_created(place):
    gate = Gate()
    report = place.cloud.when_called
    place.cloud.when_called = lambda deed, order: gate() if deed == "create" else report(deed, order)
    place.work()
    stack_id = place.apply(template())
    assert gate.reached.wait(10)

    place.delete(stack_id)
    time.sleep(0.6)
    assert "delete" not in place.cloud.calls, "the creation is still at work"
    gate.open.set()
    place.gone(stack_id)

    assert place.cloud.of(stack_id) == {}
    assert not place.cloud.was_called_twice_at_once


def test_a_stack_that_nobody_has_begun_with_is_deleted_without_a_driver(place):
    stack_id = place.apply(template())
    place.delete(stack_id)

    place.work()
    place.gone(stack_id)

    assert place.cloud.calls == []


def test_of_two_updates_at_the_same_moment_one_is_refused(place):
    stack_id = place.running(template(1, image="nginx:1"))
    start, outcomes = threading.Barrier(2), []

    def update(image: str) -> None:
        start.wait()
        try:
            outcomes.append(place.update(stack_id, template(1, image=image)))
        except StackIsBusy as busy:
            outcomes.append(busy)

    both = [threading.Thread(target=update, args=(f"nginx:{number}",)) for number in (2, 3)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    stack = place.settled(stack_id, Status.UPDATE_COMPLETE)

    (refused,) = [each for each in outcomes if isinstance(each, StackIsBusy)]
    (accepted,) = [each for each in outcomes if isinstance(each, str)]
    assert str(refused) == f"the stack {stack_id} is UPDATE_IN_PROGRESS: wait until that is over, then try again"
    assert stack.version_id == accepted


def test_nothing_can_be_updated_that_is_being_created_or_deleted(place):
    stack_id = place.apply(template())
    with pytest.raises(StackIsBusy):
        place.update(stack_id, template(2))

    place.delete(stack_id)
    with pytest.raises(StackIsBusy):
        place.update(stack_id, template(2))


def test_the_vendor_of_an_update_is_not_looked_at(place):
    stack_id = place.running(template(vendor="aws"))

    place.update(stack_id, template(2, vendor="local"))
    stack = place.settled(stack_id, Status.UPDATE_COMPLETE)

    assert (stack.vendor, stack.credential) == ("aws", "AKIA1")
    assert place.cloud.orders[-1].template.vendor.secret == "aws-secret"
    assert place.cloud.orders[-1].credential == {"id": "AKIA1", "secret": "aws-secret"}


def test_a_vendor_without_a_driver_is_refused_after_all_that_is_wrong_with_the_template(place):
    with pytest.raises(stacks.BadTemplate):
        place.apply(template(flag="no", vendor="k5"))
    with pytest.raises(stacks.NoDriver) as refused:
        place.apply(template(vendor="gcp").replace('"gcp": {}', '"gcp": {"cred":"a","region":"b","project_id":"c"}'))

    assert "no driver for the vendor gcp is installed. This server can run stacks on: aws, local." in str(refused.value)
    assert "--run-on-local gcp" in str(refused.value)
    assert place.log() == []


def test_an_unknown_stack_is_not_found_whatever_is_asked_of_it(place):
    for stack_id in ("mo-0123456789abc-AAAAAAAAA-tk", "", "x\0y", "mo-%", "\ud800"):
        with pytest.raises(StackNotFound):
            place.find(stack_id)
        with pytest.raises(StackNotFound):
            place.update(stack_id, template())
        with pytest.raises(StackNotFound):
            place.delete(stack_id)


def test_steps_that_are_done_twice_make_nothing_twice(place):
    """As after a power cut between what a step has done and the note of it."""
    stack_id = place.apply(template(3, image="nginx"))
    job = job_of(place, stack_id)
    stamps = set()

    for step in stacks.steps(place.database, place.tools)(job):
        for _ in range(3):
            step.do(run_of(job))
            if step.name != "wait":
                stamps.add(place.config(stack_id).get("updated"))

    assert place.find(stack_id).status is Status.CREATE_COMPLETE
    assert place.cloud.calls.count("plan") == 1
    assert set(place.cloud.made.values()) == {1}
    assert len(place.cloud.of(stack_id)) == 3
    assert len(stamps) == 1


def test_steps_of_an_update_and_a_deletion_that_are_done_twice_make_nothing_twice(place):
    stack_id = place.apply(template(1, image="nginx:1"))
    do_all(place, stack_id, times=1)
    place.update(stack_id, template(2, image="nginx:2"))
    do_all(place, stack_id, times=3)
    stack = place.find(stack_id)
    place.delete(stack_id)
    do_all(place, stack_id, times=3)

    assert (stack.status, len(stack.instances["Web01"])) == (Status.UPDATE_COMPLETE, 2)
    assert set(place.cloud.made.values()) == {1}
    assert left_of(place.database, stack_id) == {}
    assert place.log().count("fairlead stack.remove") == 1


def test_the_steps_of_what_is_void_do_nothing(place):
    stack_id = place.apply(template())
    void = job_of(place, stack_id)
    place.delete(stack_id)

    for step in stacks.steps(place.database, place.tools)(void):
        step.do(run_of(void))

    assert place.cloud.calls == []
    assert place.find(stack_id).status is Status.DELETE_IN_PROGRESS


def job_of(place: Place, stack_id: str) -> workflows.Job:
    with place.database.read(place.ada) as tx:
        return workflows.find_job(tx, SEAL, stacks.WORKFLOW, place.record(stack_id).job_id)


def run_of(job: workflows.Job) -> workflows.Run:
    return workflows.Run(job.id, job.tenant_id, job.inputs, {}, job.id, lambda: True)


def do_all(place: Place, stack_id: str, times: int) -> None:
    """Each step of what is under way with the stack, so many times, as the only worker there is."""
    job = job_of(place, stack_id)
    with place.database.across_tenants("nobody waits for this one") as tx:
        for other in workflows.list_jobs(tx, workflow=stacks.WORKFLOW):
            if other.id == job.inputs["after"] and other.status is workflows.Status.PENDING:
                workflows.cancel(tx, SEAL, other.id)
    for step in stacks.steps(place.database, place.tools)(job):
        for _ in range(times):
            step.do(run_of(job))


@pytest.mark.parametrize("vendor", [None, "nonsense", {"alicloud": {"cred": "x", "region": "cn", "secret": "y"}}, {}])
def test_a_stack_is_shown_with_the_vendor_that_it_was_created_on_whatever_an_update_says(place, vendor):
    stack_id = place.running(template(vendor="aws"))
    said = json.loads(template(2)) | {"vendor": vendor}
    if vendor is None:
        del said["vendor"]

    place.update(stack_id, json.dumps(said))
    stack = place.settled(stack_id, Status.UPDATE_COMPLETE)
    with place.database.read(place.ada) as tx:
        (listed,) = stacks.list_stacks(tx, place.tools)

    assert listed.template == stack.template
    assert stack.template["vendor"] == {"aws": {"cred": "AKIA1", "region": "ap-northeast-1"}}
    assert list(stack.template) == ["version", "label", "vendor", "configurations"]
    assert stack.template["configurations"][0]["provision"]["instance_count"] == 2


def test_the_vendor_is_shown_under_the_name_that_clients_know(place):
    stack_id = place.running(template(vendor="aws").replace('"vendor"', '"Vendor"'))

    assert list(place.find(stack_id).template) == ["version", "label", "vendor", "configurations"]
