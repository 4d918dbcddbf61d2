"""Whoever may see one stack sees one stack, and other organizations see nothing."""

from __future__ import annotations

import pytest

from fairlead.domain import identity, stacks
from fairlead.domain.identity import RoleForbids
from fairlead.domain.stacks import (
    AgentReport,
    ContainerNotFound,
    ContainerReport,
    ServerConfigChange,
    StackNotFound,
    Status,
    VersionNotFound,
    VersionRef,
)
from house.world import HASH

from .scripted import Place, template


@pytest.fixture
def elsewhere(own_database, tokens):
    place = Place(own_database, tokens)
    yield place
    place.close()


def questions(place, tx, stack_id, container_id):
    """Everything that can be asked of one stack."""
    tools = place.tools
    return [
        lambda: stacks.find_stack(tx, tools, stack_id),
        lambda: stacks.versions(tx, tools, stack_id),
        lambda: stacks.template_of(tx, tools, stack_id),
        lambda: stacks.compare(tx, tools, VersionRef(stack_id), template()),
        lambda: stacks.list_containers(tx, stack_id=stack_id),
        lambda: stacks.find_container(tx, container_id),
        lambda: stacks.private_key(tx, tools, stack_id, "Web01"),
        lambda: stacks.server_config(tx, tools, stack_id),
        lambda: stacks.change_server_config(tx, tools, stack_id, ServerConfigChange({"A": "b"})),
        lambda: stacks.update(tx, tools, stack_id, template(2)),
        lambda: stacks.delete(tx, tools, stack_id),
        lambda: stacks.session_keys(tx, tools, stack_id),
        lambda: stacks.spot_shutdown(tx, tools, stack_id, container_id),
        lambda: stacks.report_agent(tx, AgentReport(stack_id, "a", "error")),
        lambda: stacks.report_container(tx, ContainerReport(stack_id, "a", "c", "complete")),
    ]


def test_another_organization_finds_nothing_and_changes_nothing(place, elsewhere):
    stack_id = place.running(template(1, image="nginx"))
    (container_id,) = place.cloud.of(stack_id)
    log = place.log()

    with elsewhere.database.begin(elsewhere.ada) as tx:
        for question in questions(elsewhere, tx, stack_id, container_id):
            with pytest.raises((StackNotFound, ContainerNotFound)):
                question()
        assert stacks.list_stacks(tx, elsewhere.tools) == []
        assert stacks.list_containers(tx) == []
        assert stacks.list_containers(tx, instance_id=container_id) == []
        assert stacks.container_config(tx, elsewhere.tools, stack_id, "Web01") == {}

    assert place.find(stack_id).status is Status.CREATE_COMPLETE
    assert place.log() == log


def test_a_member_whose_role_names_one_stack_sees_that_one(place):
    seen, hidden = place.running(template(1, image="a")), place.running(template(1, image="b"))
    (own,), (other,) = place.cloud.of(seen), place.cloud.of(hidden)
    mia = place.member("mia", {"effect": "allow", "action": ["view:alm.stack", "view:alm.template"], "resource": seen})

    with place.database.begin(mia) as tx:
        assert [each.id for each in stacks.list_stacks(tx, place.tools)] == [seen]
        assert stacks.find_stack(tx, place.tools, seen).id == seen
        assert stacks.template_of(tx, place.tools, seen)["configurations"][0]["container"] == {"image": "a"}
        assert [each.id for each in stacks.list_containers(tx)] == [own]
        assert stacks.list_containers(tx, instance_id=other) == []
        assert stacks.find_container(tx, own).stack_id == seen
        for question in questions(place, tx, hidden, other):
            with pytest.raises(RoleForbids):
                question()
        for change in questions(place, tx, seen, own)[8:]:
            with pytest.raises(RoleForbids):
                change()


def test_a_member_who_may_see_none_gets_empty_lists(place):
    stack_id = place.running(template(1, image="nginx"))
    nobody = place.member("nil", {"effect": "deny", "action": "*", "resource": "*"})

    with place.database.read(nobody) as tx:
        assert stacks.list_stacks(tx, place.tools) == []
        assert stacks.list_containers(tx) == []
    with place.database.begin(nobody) as tx, pytest.raises(RoleForbids):
        stacks.apply(tx, place.tools, template())
    with pytest.raises(RoleForbids):
        place.delete(stack_id, by=nobody)


def test_members_run_stacks_of_their_own_and_only_list_those_of_others(place):
    mia = place.member("mia", {"effect": "allow", "action": "*", "resource": "*"})
    others = place.running(template(1, image="nginx", env_vars={"A": "others-secret"}))
    own = place.apply(template(1, image="nginx"), by=mia)
    place.settled(own, Status.CREATE_COMPLETE)

    with place.database.read(mia) as tx:
        listed = {each.id: each for each in stacks.list_stacks(tx, place.tools)}
    place.update(own, template(2, image="nginx"), by=mia)

    assert listed.keys() == {own, others}
    assert (listed[own].owner, listed[own].auth_token) == ("mia", place.find(own).auth_token)
    assert listed[others].auth_token == ""
    assert "others-secret" not in str(listed[others])
    with pytest.raises(RoleForbids):
        place.find(others, by=mia)


def test_what_runs_in_the_stacks_of_others_is_not_told_in_whatever_case_it_is_written(place):
    mia = place.member("mia", {"effect": "allow", "action": "*", "resource": "*"})
    text = template(1, image="nginx", env_vars={"A": "others-secret"})
    place.apply(text.replace('"container"', '"Container"').replace('"configurations"', '"Configurations"'))

    with place.database.read(mia) as tx:
        (listed,) = stacks.list_stacks(tx, place.tools)

    assert "Web01" in str(listed)
    assert "others-secret" not in str(listed)


def test_who_may_not_use_a_vendor_or_its_credentials_creates_nothing_there(place):
    denied = {"effect": "deny", "action": "view:credentials", "resource": "mrn:vendor:aws:cred:AKIA1"}
    mia = place.member("mia", {"effect": "allow", "action": "*", "resource": "*"}, denied)

    with pytest.raises(RoleForbids):
        place.apply(template(vendor="aws"), by=mia)
    place.apply(template(vendor="local"), by=mia)


def test_an_agent_has_its_own_stack_and_no_other(place):
    own, other = place.running(template(1, image="a")), place.running(template(1, image="b"))

    assert place.config(own)["image"] == "a"
    with pytest.raises(RoleForbids):
        place.config(other, by=place.agent(own))
    with place.database.begin(place.agent(own)) as tx:
        assert stacks.list_stacks(tx, place.tools) == []
        stacks.session_keys(tx, place.tools, own)
        for deed in questions(place, tx, own, next(iter(place.cloud.of(own))))[:11]:
            with pytest.raises(RoleForbids):
                deed()
        with pytest.raises(RoleForbids):
            stacks.report_agent(tx, AgentReport(other, "a", "error"))


def test_versions_are_told_newest_first_and_found_by_id(place):
    stack_id = place.running(template(1, label="one"))
    first = place.find(stack_id).version_id
    second = place.update(stack_id, template(1, label="two"))
    place.settled(stack_id, Status.UPDATE_COMPLETE)

    with place.database.read(place.ada) as tx:
        told = stacks.versions(tx, place.tools, stack_id)
        shown = {
            wanted: stacks.template_of(tx, place.tools, stack_id, wanted)["label"]
            for wanted in (first, second, "", "latest")
        }
        for unknown in ("x", "\0", "\ud800", first[:-1]):
            with pytest.raises(VersionNotFound):
                stacks.template_of(tx, place.tools, stack_id, unknown)

    assert [(each.id, each.is_latest) for each in told] == [(second, True), (first, False)]
    assert told[1].size_bytes == len(template(1, label="one"))
    assert shown == {first: "one", second: "two", "": "two", "latest": "two"}


def test_a_version_is_not_found_through_another_stack(place):
    one, two = place.running(template()), place.running(template())

    with place.database.read(place.ada) as tx, pytest.raises(VersionNotFound):
        stacks.template_of(tx, place.tools, one, place.find(two).version_id)


def test_two_versions_or_a_text_are_compared(place):
    stack_id = place.running(template(1, label="one"))
    first = place.find(stack_id).version_id
    second = place.update(stack_id, template(2, label="two"))

    with place.database.read(place.ada) as tx:
        of_two = stacks.compare(tx, place.tools, VersionRef(stack_id, first), VersionRef(stack_id, second))
        with_text = stacks.compare(tx, place.tools, VersionRef(stack_id, first), template(2, label="two"))
        with pytest.raises(stacks.BadTemplate):
            stacks.compare(tx, place.tools, VersionRef(stack_id, first), '{"version": "1"}')

    assert of_two == with_text
    assert of_two.difference.as_document() == {
        "new": [],
        "removed": [],
        "edited": {
            "label": {"oldvalue": "one", "newvalue": "two"},
            "configurations/provision/instance_count": {"oldvalue": 1, "newvalue": 2},
        },
    }


def test_whoever_gets_the_name_of_a_member_who_left_gets_none_of_their_stacks(place):
    everything = {"effect": "allow", "action": "*", "resource": "*"}
    with place.database.begin(place.ada) as tx:
        identity.add_member(tx, "mia", HASH)
    theirs = place.apply(template(1, image="nginx"), by=place.member("mia", everything))

    with place.database.begin(place.ada) as tx:
        identity.remove_member(tx, "mia")

    assert place.find(theirs).owner == ""
    with pytest.raises(RoleForbids):
        place.find(theirs, by=place.member("mia", everything))
