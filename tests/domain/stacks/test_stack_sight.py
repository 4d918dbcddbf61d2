"""Whoever may see one stack sees one stack, and other organizations see nothing."""

from __future__ import annotations

import pytest

from fairlead.domain import identity, stacks
from fairlead.domain.identity import RoleForbids, policy_of_program, policy_of_sub_user
from fairlead.domain.stacks import (
    AgentReport,
    ContainerNotFound,
    ContainerReport,
    CredentialInUse,
    ServerConfigChange,
    StackNotFound,
    Status,
    VersionNotFound,
    VersionRef,
)
from house.world import HASH

from .scripted import SEAL, Place, template


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
        lambda: stacks.report_agent(tx, tools, AgentReport(stack_id, "a", "error")),
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


@pytest.mark.parametrize(
    "denied",
    [
        ["stack:describeStack"],
        ["stack:describeStacks"],
        ["view:alm.stack"],
        ["stack:describeStack", "template:*", "agent:*"],
        ["*"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("allowed", ["*", "{hidden}"])
def test_a_member_who_is_denied_seeing_a_stack_does_nothing_to_it_whatever_else_is_allowed(place, allowed, denied):
    hidden = place.running(template(1, image="nginx", env_vars={"A": "others-secret"}))
    (instance_id,) = place.cloud.of(hidden)
    mia = place.member(
        "mia",
        {"effect": "allow", "action": "*", "resource": allowed.format(hidden=hidden)},
        {"effect": "deny", "action": denied, "resource": [f"mrn:alm:stack:{hidden}", f"mrn:alm:template:{hidden}"]},
    )
    before = place.record(hidden), place.config(hidden), place.log()

    with place.database.begin(mia) as tx:
        for question in questions(place, tx, hidden, instance_id):
            with pytest.raises(RoleForbids):
                question()
        with pytest.raises(RoleForbids):
            stacks.container_config(tx, place.tools, hidden, "Web01")
        assert stacks.list_containers(tx) == stacks.list_containers(tx, instance_id=instance_id) == []
        assert "others-secret" not in str(stacks.list_stacks(tx, place.tools))

    assert (place.record(hidden), place.config(hidden), place.log()) == before


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


@pytest.mark.parametrize("role", [None, {"effect": "allow", "action": "*", "resource": "*"}])
def test_members_do_not_speak_for_the_agents_of_others_nor_read_what_those_run(place, role):
    mia = place.person("mia", policy_of_sub_user(None)) if role is None else place.member("mia", role)
    others = place.running(template(1, image="nginx", env_vars={"A": "others-secret"}))
    (instance_id,) = place.cloud.of(others)
    own = place.apply(template(1, image="nginx", env_vars={"A": "own-secret"}), by=mia)
    place.settled(own, Status.CREATE_COMPLETE)

    with place.database.begin(mia) as tx:
        for deed in questions(place, tx, others, instance_id)[11:]:
            with pytest.raises(RoleForbids):
                deed()
        with pytest.raises(RoleForbids):
            stacks.container_config(tx, place.tools, others, "Web01")
        assert stacks.container_config(tx, place.tools, own, "Web01")["container_env_vars"] == {"A": "own-secret"}
        stacks.report_agent(tx, place.tools, AgentReport(own, "a", "uptodate"))

    assert place.record(others).operation == 1


def test_a_program_of_the_account_speaks_for_the_agents_of_all_stacks(place):
    stack_id = place.running(template(1, image="nginx"))
    program = place.person("", policy_of_program())

    assert place.config(stack_id, by=program)["image"] == "nginx"
    with place.database.begin(program) as tx:
        stacks.session_keys(tx, place.tools, stack_id)
        stacks.report_agent(tx, place.tools, AgentReport(stack_id, "a", "uptodate"))
        stacks.report_container(tx, ContainerReport(stack_id, "a", "c", "complete"))
        stacks.spot_shutdown(tx, place.tools, stack_id, next(iter(place.cloud.of(stack_id))))


def test_templates_of_others_are_told_and_compared_without_what_runs_in_their_layers(place):
    mia = place.member("mia", {"effect": "allow", "action": "*", "resource": "*"})
    first = template(1, image="nginx", env_vars={"A": "others-secret"})
    others = place.running(first.replace('"container"', '"Container"'))
    place.update(others, template(2, image="nginx", env_vars={"A": "their-next-secret"}))
    place.settled(others, Status.UPDATE_COMPLETE)
    own = place.apply(first, by=mia)

    with place.database.read(mia) as tx:
        old, new = [each.id for each in reversed(stacks.versions(tx, place.tools, others))]
        told = [stacks.template_of(tx, place.tools, others, each) for each in (old, new)]
        between = stacks.compare(tx, place.tools, VersionRef(others, old), VersionRef(others, new))
        with_text = stacks.compare(tx, place.tools, VersionRef(others, old), template(2, image="mine"))
        with_own = stacks.compare(tx, place.tools, VersionRef(own), VersionRef(others, new))
        whole = stacks.template_of(tx, place.tools, own)

    assert [each["configurations"][0].keys() for each in told] == [{"role", "flag", "provision"}] * 2
    assert "configurations/provision/instance_count" in between.difference.as_document()["edited"]
    assert between.difference == with_text.difference
    assert with_own.target == told[1]
    assert "their-next-secret" not in str((told, between, with_text, with_own))
    assert "others-secret" not in str((told, between, with_text))
    assert whole["configurations"][0]["container"]["env_vars"] == {"A": "others-secret"}


def test_why_the_stacks_of_others_have_failed_is_not_told(place):
    mia = place.member("mia", {"effect": "allow", "action": "*", "resource": "*"})
    place.agents_say = lambda flag, instance: ("error", "the workload says its password")
    place.work()
    failed = place.apply(template(1, image="nginx"))
    place.settled(failed, Status.CREATE_FAILED)

    with place.database.read(mia) as tx:
        (listed,) = stacks.list_stacks(tx, place.tools)

    assert (listed.id, listed.status, listed.cause) == (failed, Status.CREATE_FAILED, "")
    assert "its password" in place.find(failed).cause


def test_who_is_denied_changing_a_stack_changes_it_in_no_way(place):
    denied = {"effect": "deny", "action": "edit:alm.stack", "resource": "*"}
    mia = place.member("mia", {"effect": "allow", "action": "*", "resource": "*"}, denied)
    stack_id = place.apply(template(1), by=mia)

    with place.database.begin(mia) as tx:
        for change in (
            lambda: stacks.update(tx, place.tools, stack_id, template(2)),
            lambda: stacks.change(tx, place.tools, stack_id, lambda said: template(2)),
            lambda: stacks.change_server_config(tx, place.tools, stack_id, ServerConfigChange({"A": "b"})),
        ):
            with pytest.raises(RoleForbids):
                change()


@pytest.mark.parametrize("name", ["edit:alm.stack", "template:updateAlmTemplate"])
def test_a_stack_is_changed_under_either_name_that_this_has_unless_the_other_is_denied(place, name):
    allowed = {"effect": "allow", "action": ["create:alm.template", name], "resource": "*"}
    mia = place.member("mia", allowed)
    other = {"edit:alm.stack": "edit:alm.template"}.get(name, "edit:alm.stack")
    place.work()
    stack_id = place.apply(template(1, image="nginx"), by=mia)
    place.settled(stack_id, Status.CREATE_COMPLETE)

    def changed(said):
        assert said["configurations"][0]["container"] == {"image": "nginx"}
        return template(2, image="nginx")

    denied = place.member("mia", allowed, {"effect": "deny", "action": other, "resource": "*"})
    with place.database.begin(denied) as tx, pytest.raises(RoleForbids):
        stacks.change(tx, place.tools, stack_id, changed)
    with place.database.begin(mia) as tx:
        stacks.change_server_config(tx, place.tools, stack_id, ServerConfigChange({"A": "b"}))
        assert stacks.change(tx, place.tools, stack_id, changed).status is Status.UPDATE_IN_PROGRESS
    place.settled(stack_id, Status.UPDATE_COMPLETE)
    assert len(place.cloud.of(stack_id)) == 2


@pytest.mark.parametrize("name", ["create:alm.stack", "template:createAlmTemplate"])
def test_a_stack_is_made_under_either_name_that_this_has_unless_the_other_is_denied(place, name):
    allowed = {"effect": "allow", "action": name, "resource": "*"}
    other = {"create:alm.stack": "create:alm.template"}.get(name, "create:alm.stack")
    denied = place.member("mia", allowed, {"effect": "deny", "action": other, "resource": "*"})

    with place.database.begin(denied) as tx, pytest.raises(RoleForbids):
        stacks.create(tx, place.tools, template())
    with place.database.begin(place.member("mia", allowed)) as tx:
        assert stacks.create(tx, place.tools, template()).status is Status.CREATE_IN_PROGRESS


def test_a_template_itself_goes_by_the_names_that_are_its_own(place):
    mia = place.member("mia", {"effect": "allow", "action": "*:alm.stack", "resource": "*"})
    with place.database.begin(mia) as tx:
        own = stacks.create(tx, place.tools, template()).stack_id

    for deed in (lambda: place.update(own, template(2), by=mia), lambda: place.apply(template(), by=mia)):
        with pytest.raises(RoleForbids, match="template"):
            deed()


def test_the_published_actions_are_enough_for_a_stack_from_its_creation_to_its_end(place):
    published = ["vendor:describeVendors", "cred:describeCredentials", "stack:describeStacks", "stack:describeStack"]
    published += ["stack:deleteStack", "template:createAlmTemplate", "template:updateAlmTemplate"]
    mia = place.member("mia", {"effect": "allow", "action": published, "resource": "*"})
    place.work()

    stack_id = place.apply(template(1, image="nginx"), by=mia)
    place.settled(stack_id, Status.CREATE_COMPLETE)
    place.update(stack_id, template(2, image="nginx"), by=mia)
    place.settled(stack_id, Status.UPDATE_COMPLETE)

    assert place.find(stack_id, by=mia).owner == "mia"
    place.delete(stack_id, by=mia)
    place.gone(stack_id)


@pytest.mark.parametrize("action", ["create:alm.stack", "create:alm.template"])
def test_who_is_denied_making_stacks_or_templates_makes_neither(place, action):
    denied = {"effect": "deny", "action": action, "resource": "*"}
    mia = place.member("mia", {"effect": "allow", "action": "*", "resource": "*"}, denied)

    with pytest.raises(RoleForbids):
        place.apply(template(), by=mia)


def test_who_may_not_use_a_vendor_or_its_credentials_creates_nothing_there(place):
    denied = {"effect": "deny", "action": "view:credentials", "resource": "mrn:vendor:aws:cred:AKIA1"}
    mia = place.member("mia", {"effect": "allow", "action": "*", "resource": "*"}, denied)

    with pytest.raises(RoleForbids):
        place.apply(template(vendor="aws"), by=mia)
    place.apply(template(vendor="local"), by=mia)


@pytest.mark.parametrize("called", ["AKIA1", "acme"])
def test_credentials_that_are_denied_are_not_used_by_the_name_of_their_account_either(place, called):
    denied = {"effect": "deny", "action": "view:credentials", "resource": "AKIA1"}
    mia = place.member("mia", {"effect": "allow", "action": "*", "resource": "*"}, denied)
    with place.database.begin(place.ada) as tx:
        stacks.add_credential(tx, SEAL, "aws", "acme", {"id": "AKIA1", "secret": "cloud-key"})
    text = template(vendor="aws").replace('"secret": "aws-secret", ', "").replace("AKIA1", called)
    others = place.running(text)

    with pytest.raises(RoleForbids):
        place.apply(text, by=mia)
    with place.database.read(mia) as tx:
        assert stacks.list_stacks(tx, place.tools) == []
    assert place.find(others).template["vendor"]["aws"]["cred"] == called


def test_who_removes_credentials_is_not_told_of_stacks_that_they_do_not_see(place):
    with place.database.begin(place.ada) as tx:
        stacks.add_credential(tx, SEAL, "aws", "acme", {"id": "AKIA1", "secret": "one"})
    hidden = place.apply(template(vendor="aws"))
    denied = {"effect": "deny", "action": "stack:describeStacks", "resource": hidden}
    mia = place.member("mia", {"effect": "allow", "action": "*", "resource": "*"}, denied)

    with place.database.begin(mia) as tx, pytest.raises(CredentialInUse) as refused:
        stacks.remove_credential(tx, "aws", "AKIA1")

    assert hidden not in str(refused.value)


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
            stacks.report_agent(tx, place.tools, AgentReport(other, "a", "error"))


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
