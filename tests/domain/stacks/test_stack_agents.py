"""What agents are told, what they tell, and how they get in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fairlead.domain import identity, stacks
from fairlead.domain.identity import BadToken, UnknownProgram
from fairlead.domain.stacks import (
    AgentReport,
    BadReport,
    ContainerNotFound,
    ContainerReport,
    ServerConfigChange,
    Status,
)

from .scripted import SEAL, template


def test_an_agent_gets_in_with_the_token_of_its_stack_for_as_long_as_that_is_there(place):
    stack_id = place.running(template(1, image="nginx"))
    token = stacks.admit_agent(place.database, place.tokens, SEAL, stack_id, place.find(stack_id).auth_token)
    claims = place.tokens.read_access(token)

    scope = stacks.verify_agent(place.database, claims)
    assert place.config(stack_id, by=scope)["image"] == "nginx"

    place.delete(stack_id)
    place.gone(stack_id)
    with pytest.raises(BadToken):
        stacks.verify_agent(place.database, claims)


def test_an_agent_with_a_wrong_token_does_not_get_in(place):
    stack_id, other = place.running(template()), place.running(template())
    right = place.find(stack_id).auth_token

    for shown_id, shown in ((stack_id, "x"), (stack_id, ""), (stack_id, "ü\ud800"), (other, right), ("mo-x", right)):
        with pytest.raises(UnknownProgram):
            stacks.admit_agent(place.database, place.tokens, SEAL, shown_id, shown)


def test_an_agents_token_is_good_in_its_own_account_only(place):
    stack_id = place.running(template())
    token = stacks.admit_agent(place.database, place.tokens, SEAL, stack_id, place.find(stack_id).auth_token)
    claims = place.tokens.read_access(token)

    with pytest.raises(BadToken):
        stacks.verify_agent(place.database, replace(claims, tenant_id="somebody else's"))


def test_agents_of_a_suspended_organization_are_kept_out(place):
    stack_id = place.running(template())
    auth_token = place.find(stack_id).auth_token
    claims = place.tokens.read_access(stacks.admit_agent(place.database, place.tokens, SEAL, stack_id, auth_token))

    with place.database.across_tenants("for a test") as tx:
        identity.suspend_tenant(tx, place.tenant.id)

    with pytest.raises(identity.TenantSuspended):
        stacks.verify_agent(place.database, claims)
    with pytest.raises(identity.TenantSuspended):
        stacks.admit_agent(place.database, place.tokens, SEAL, stack_id, auth_token)


def test_a_layer_without_a_container_and_an_unknown_one_have_no_configuration(place):
    bare = place.running(template())
    full = place.running(template(1, image="nginx"))

    assert place.config(bare) == {}
    assert place.config(full, flag="Nope1") == {}
    assert place.config("mo-0123456789abc-AAAAAAAAA-tk", by=place.agent(full)) == {}


def test_the_configuration_is_told_in_the_words_of_every_generation(place):
    stack_id = place.running(template(1, image="nginx", gitRepo="https://example.com/c.git", env_vars={"A": "b"}))

    config = place.config(stack_id)

    assert config["image"] == config["container_image"] == "nginx"
    assert config["gitRepo"] == config["container_git_repo"] == "https://example.com/c.git"
    assert config["environment_variables"] == config["environmentVariables"] == {"A": "b"}
    assert isinstance(config["updated"], int)


def test_a_report_that_is_repeated_is_one(place):
    stack_id = place.running(template())
    with place.database.begin(place.agent(stack_id)) as tx:
        for status in ("starting", "starting", "complete"):
            told = stacks.report_container(tx, ContainerReport(stack_id, "agent", "c-1", status, "i-1"))

    with place.database.read(place.ada) as tx:
        (found,) = [each for each in stacks.list_containers(tx, stack_id=stack_id) if each.id == "c-1"]
        assert found == told == stacks.find_container(tx, "c-1")
        assert (found.status, found.agent_id, found.instance_id) == ("complete", "agent", "i-1")


@pytest.mark.parametrize("name", ["container_id", "instance_id"])
def test_no_agent_tells_of_what_runs_on_an_instance_of_another_stack(place, name):
    own, other = place.running(template(1, image="a")), place.running(template(1, image="b"))
    (instance_id,) = place.cloud.of(other)
    forged = replace(ContainerReport(own, "agent", "c-1", "terminated"), **{name: instance_id})

    with place.database.begin(place.agent(own)) as tx, pytest.raises(BadReport, match=name):
        stacks.report_container(tx, forged)

    with place.database.read(place.ada) as tx:
        assert [each.stack_id for each in stacks.list_containers(tx, instance_id=instance_id)] == [other]
        assert stacks.find_container(tx, instance_id).status == "complete"


def test_where_a_container_is_counts_though_it_is_said_only_once(place):
    stack_id = place.running(template())
    with place.database.begin(place.agent(stack_id)) as tx:
        stacks.report_container(tx, ContainerReport(stack_id, "agent", "c-1", "starting", "i-1"))
        stacks.report_container(tx, ContainerReport(stack_id, "agent", "c-1", "complete"))

    with place.database.read(place.ada) as tx:
        assert stacks.list_containers(tx, instance_id="i-1")[0].status == "complete"


def test_the_instance_counts_before_the_stack_in_a_list_of_containers(place):
    one, two = place.running(template()), place.running(template())
    (instance,) = place.cloud.of(two)

    with place.database.read(place.ada) as tx:
        assert [each.stack_id for each in stacks.list_containers(tx, one, instance)] == [two]
        assert [each.stack_id for each in stacks.list_containers(tx, one)] == [one]
        assert len(stacks.list_containers(tx)) == 2


def test_a_container_that_nobody_has_told_of_is_not_found(place):
    with place.database.read(place.ada) as tx:
        for unknown in ("c-1", "", "\0", "\ud800", "x" * 10_000):
            with pytest.raises(ContainerNotFound):
                stacks.find_container(tx, unknown)
            assert unknown == "" or stacks.list_containers(tx, instance_id=unknown) == []


@pytest.mark.parametrize(
    "wrong", [{"agent_id": ""}, {"status": ""}, {"agent_id": "x" * 256}, {"status": "a\0b"}, {"instance_id": "\n"}]
)
def test_a_report_that_makes_no_sense_is_refused(place, wrong):
    stack_id = place.running(template())
    good = {"stack_id": stack_id, "agent_id": "agent", "status": "fine"} | wrong

    with place.database.begin(place.agent(stack_id)) as tx:
        with pytest.raises(BadReport):
            stacks.report_agent(tx, place.tools, AgentReport(**good))
        with pytest.raises(BadReport):
            stacks.report_container(tx, ContainerReport(**{"container_id": "c-1", **good}))


def test_whatever_a_message_is_made_of_it_is_taken(place):
    place.work()
    place.agents_say = lambda flag, instance: ("error", "a\0b\ud800" + "x" * 10_000)

    stack = place.settled(place.apply(template()), Status.CREATE_FAILED)

    assert "ab?xxx" in stack.cause
    assert len(stack.cause) == 2000


def test_so_many_agents_may_report_to_a_stack_and_no_more(place, monkeypatch):
    monkeypatch.setattr("fairlead.domain.stacks.reports.MOST_PER_STACK", 3)
    stack_id = place.running(template())

    with place.database.begin(place.agent(stack_id)) as tx:
        for number in range(3):
            stacks.report_agent(tx, place.tools, AgentReport(stack_id, f"agent {number}", "fine"))
        stacks.report_agent(tx, place.tools, AgentReport(stack_id, "agent 0", "fine"))
    with place.database.begin(place.agent(stack_id)) as tx, pytest.raises(stacks.TooManyReports):
        stacks.report_agent(tx, place.tools, AgentReport(stack_id, "agent 3", "fine"))


def test_session_keys_are_answered_and_open_nothing(place):
    stack_id = place.running(template())

    with place.database.read(place.agent(stack_id)) as tx:
        keys = stacks.session_keys(tx, place.tools, stack_id)

    assert keys.access_key_id == "NO-SESSION-KEYS"
    assert keys.secret_access_key and keys.session_token


def test_variables_are_laid_over_those_of_every_layer_and_deployed(place):
    stack_id = place.running(template(1, image="nginx", env_vars={"A": "template", "B": "template"}))
    before = place.config(stack_id)

    with place.database.begin(place.ada) as tx:
        change = ServerConfigChange(environment={"A": "laid over"}, file_path="https://example.com/other.git")
        stacks.change_server_config(tx, place.tools, stack_id, change)

    after = place.config(stack_id)
    assert after["environment_variables"] == {"A": "laid over", "B": "template"}
    assert after["gitRepo"] == "https://example.com/other.git"
    assert after["updated"] > before["updated"]
    with place.database.read(place.ada) as tx:
        told = stacks.server_config(tx, place.tools, stack_id)
    assert (told.environment, told.code, told.image) == ({"A": "laid over"}, "https://example.com/other.git", "nginx")
    assert told.updated == after["updated"]
    assert "laid over" not in repr(told) + repr(change)
    assert place.log()[-1] == "ada stack.configure"


def test_what_was_laid_over_stays_through_updates_until_it_is_taken_away(place):
    stack_id = place.running(template(1, image="nginx:1"))
    with place.database.begin(place.ada) as tx:
        stacks.change_server_config(tx, place.tools, stack_id, ServerConfigChange(environment={"A": "b"}))

    place.update(stack_id, template(1, image="nginx:2"))
    place.settled(stack_id, Status.UPDATE_COMPLETE)
    kept = place.config(stack_id)
    with place.database.begin(place.ada) as tx:
        stacks.change_server_config(tx, place.tools, stack_id, ServerConfigChange(file_path="git://example.com/x"))
        stacks.change_server_config(tx, place.tools, stack_id, ServerConfigChange(environment={}))

    assert kept["environment_variables"] == {"A": "b"}
    assert place.config(stack_id)["environment_variables"] == {}
    assert place.config(stack_id)["gitRepo"] == "git://example.com/x"


@pytest.mark.parametrize(
    "change",
    [
        ServerConfigChange(environment={"A=B": "x"}),
        ServerConfigChange(environment={"A": "x" * 70_000}),
        ServerConfigChange(file_path="--upload-pack=evil"),
        ServerConfigChange(file_path="ext::sh -c evil"),
    ],
)
def test_what_no_template_could_say_cannot_be_laid_over_one(place, change):
    stack_id = place.running(template(1, image="nginx"))
    before = place.config(stack_id)

    with place.database.begin(place.ada) as tx, pytest.raises(stacks.BadTemplate):
        stacks.change_server_config(tx, place.tools, stack_id, change)

    assert place.config(stack_id) == before
