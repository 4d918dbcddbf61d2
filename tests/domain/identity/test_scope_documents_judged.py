"""Who may do what by their scope documents? The rules of mobingi.md §2.2 to §2.4, one by one."""

import json

import pytest

from fairlead.base.scope import Actor, ActorKind, Scope, system_scope
from fairlead.domain import identity
from fairlead.domain.identity import (
    BUILT_IN_ROLES,
    DOCUMENT_TEMPLATES,
    Act,
    Permission,
    Policy,
    Resource,
    RoleForbids,
    Verdict,
    policy_of,
    policy_of_agent,
    policy_of_master,
    policy_of_program,
    policy_of_sub_user,
    read_document,
)
from fairlead.domain.identity.vocabulary import OF_AGENTS, OF_THE_MASTER_ONLY

OWN = Resource.of_stack("mo-1", owner="kim", vendor="aws", credentials_id="AKIA1")
LEES = Resource.of_stack("mo-2", owner="lee", vendor="aws", credentials_id="AKIA2")
ON_ALICLOUD = Resource.of_stack("mo-3", owner="kim", vendor="alicloud", credentials_id="ALI1")
WITHOUT_CREDENTIALS = Resource.of_stack("mo-4", owner="kim", vendor="local")
STACKS = [OWN, LEES, ON_ALICLOUD, WITHOUT_CREDENTIALS]
ROLE, USER = Resource.other("role", "morole-1"), Resource.other("user", "lee")
OWNERS_LIMITED = [Act.VIEW_STACK, Act.DELETE_STACK, Act.EDIT_STACK]
ALL = "* *"


def said(*sentences: str) -> Policy:
    """`Allow stack:describeStack mo-1 kim,lee`: effect, actions, resources, and the owners of a condition."""
    statements = []
    for sentence in sentences:
        effect, actions, resources, *owners = sentence.split()
        statement = {"Effect": effect, "Action": actions.split(","), "Resource": resources.split(",")}
        if owners:
            statement["Condition"] = {"ownerFilter": {"username": owners[0].split(",")}}
        statements.append(statement)
    return policy_of_sub_user(read_document(json.dumps({"Version": "2017-05-05", "Statement": statements})))


def scope(policy: Policy, name: str = "kim") -> Scope:
    return Scope("acme", Actor(ActorKind.USER, "u-" + name, name), policy)


def may(policy: Policy, act: Act, resource: Resource, name: str = "kim") -> bool:
    return identity.may(scope(policy, name), act, resource)


def listed(policy: Policy, act: Act = Act.LIST_STACKS) -> list[str]:
    return [each.id for each in identity.allowed_among(scope(policy), act, STACKS, lambda stack: stack)]


def test_what_no_allow_mentions_is_not_allowed():
    policy = said("Allow stack:describeStacks mo-1")

    assert listed(policy) == ["mo-1"]
    assert not may(policy, Act.DELETE_STACK, OWN)
    assert not may(policy, Act.LIST_VENDORS, Resource.of_vendor("aws"))


def test_a_deny_wins_wherever_it_stands():
    deny, allow = "Deny stack:describeStacks mrn:alm:stack:mo-2", "Allow stack:describeStacks *"

    assert listed(said(allow, deny)) == listed(said(deny, allow)) == ["mo-1", "mo-3", "mo-4"]


def test_it_can_be_told_whether_a_no_was_said():
    policy = said("Deny user:consoleLoginUser *", "Allow stack:* mo-1")
    login = Resource.other("login")

    assert identity.verdict(scope(policy), Act.LOG_IN, login) is Verdict.DENIED
    assert identity.verdict(scope(said("Allow stack:* mo-1")), Act.LOG_IN, login) is Verdict.NOT_ALLOWED


@pytest.mark.parametrize(
    "role", ["Allow stack:*,template:* mrn:alm:stack:mo-2,mrn:alm:template:mo-2", "Allow * mo-2", "Allow *:alm.* mo-2"]
)
def test_a_role_that_names_one_stack_lets_people_do_everything_to_that_stack_and_nothing_to_others(role):
    """Though it belongs to somebody else: the limit to one's own is a default, and naming a stack says otherwise."""
    policy = said(role)

    for act in (Act.LIST_STACKS, *OWNERS_LIMITED):
        assert listed(policy, act) == ["mo-2"]
    for act in (Act.VIEW_TEMPLATE, Act.EDIT_TEMPLATE):
        assert [each.id for each in STACKS if may(policy, act, Resource.of_template(each))] == ["mo-2"]


def test_without_more_words_people_see_all_stacks_and_handle_their_own():
    policy = said("Allow * *")

    assert listed(policy) == ["mo-1", "mo-2", "mo-3", "mo-4"]
    for act in OWNERS_LIMITED:
        assert listed(policy, act) == ["mo-1", "mo-3", "mo-4"]
    assert may(policy, Act.EDIT_TEMPLATE, Resource.of_template(OWN))
    assert not may(policy, Act.EDIT_TEMPLATE, Resource.of_template(LEES))


def test_a_stack_is_named_in_full_besides_a_wildcard_too():
    assert listed(said("Allow stack:deleteStack *,mo-2"), Act.DELETE_STACK) == ["mo-1", "mo-2", "mo-3", "mo-4"]


@pytest.mark.parametrize("resource", ["mo-*", "mrn:alm:stack:mo-*", "*:stack:*2"])
def test_wildcards_are_not_meant_for_the_stacks_of_others(resource):
    assert not may(said(f"Allow stack:* {resource}"), Act.VIEW_STACK, LEES)
    assert may(said(f"Allow stack:* {resource}"), Act.LIST_STACKS, LEES)


def test_an_allow_with_a_condition_opens_the_stacks_of_others():
    policy = said("Allow * *", "Allow stack:deleteStack * _SUBUSER_,lee")

    assert listed(policy, Act.DELETE_STACK) == ["mo-1", "mo-2", "mo-3", "mo-4"]
    assert listed(policy, Act.VIEW_STACK) == ["mo-1", "mo-3", "mo-4"]


def test_an_allow_with_a_condition_counts_instead_of_one_without():
    policy = said("Allow * *", "Allow stack:describeStacks,stack:deleteStack * lee")

    assert listed(policy) == listed(policy, Act.DELETE_STACK) == ["mo-2"]


def test_it_does_so_only_for_the_resources_that_it_names():
    assert listed(said("Allow stack:describeStacks *", "Allow stack:describeStacks mo-1,mo-3 lee")) == ["mo-2", "mo-4"]


def test_a_deny_with_a_condition_holds_for_these_owners_only():
    assert listed(said("Allow * *", "Deny stack:describeStacks * lee")) == ["mo-1", "mo-3", "mo-4"]
    assert listed(said("Allow * *", "Deny stack:describeStacks * _SUBUSER_")) == ["mo-2"]


def test_a_deny_with_a_condition_does_not_weaken_one_without():
    assert listed(said("Allow * *", "Deny stack:describeStacks * lee", "Deny stack:describeStacks *")) == []


def test_a_condition_says_nothing_about_what_belongs_to_nobody():
    aws = Resource.of_vendor("aws")

    assert may(said("Allow vendor:* *", "Allow * * lee"), Act.LIST_VENDORS, aws)
    assert may(said("Allow vendor:* *", "Deny * * lee"), Act.LIST_VENDORS, aws)
    assert not may(said("Allow * * lee"), Act.LIST_VENDORS, aws)


def test_a_stack_whose_owner_nobody_knows_belongs_to_no_caller():
    orphan = Resource.of_stack("mo-9", owner="", vendor="aws")
    policy = said("Allow * *", "Allow stack:describeStacks * _SUBUSER_")

    for name in ("", "kim"):
        assert not may(policy, Act.DELETE_STACK, orphan, name)
        assert not may(policy, Act.LIST_STACKS, orphan, name)


def test_a_user_called_like_the_word_for_the_caller_gives_nothing_away():
    theirs = Resource.of_stack("mo-9", owner="_SUBUSER_", vendor="aws")

    assert not may(said("Allow stack:* * _SUBUSER_"), Act.LIST_STACKS, theirs)


@pytest.mark.parametrize(
    ("deny", "still_there"),
    [
        ("Deny vendor:describeVendors mrn:vendor:alicloud", ["mo-1", "mo-2", "mo-4"]),
        ("Deny vendor:describeVendors alicloud", ["mo-1", "mo-2", "mo-4"]),
        ("Deny cred:describeCredentials mrn:vendor:aws:cred:AKIA2", ["mo-1", "mo-3", "mo-4"]),
        ("Deny view:credentials AKIA2", ["mo-1", "mo-3", "mo-4"]),
        ("Deny cred:describeCredentials::aws *", ["mo-3", "mo-4"]),
        ("Deny *:credentials *", ["mo-4"]),
        ("Deny stack:describeStacks mo-1", ["mo-2", "mo-3", "mo-4"]),
        ("Deny cred:deleteCredentials *", ["mo-1", "mo-2", "mo-3", "mo-4"]),
        ("Deny cred:describeCredentials mrn:vendor:alicloud:cred:AKIA2", ["mo-1", "mo-2", "mo-3", "mo-4"]),
    ],
)
def test_who_may_not_see_a_vendor_or_credentials_sees_no_stack_that_uses_them_and_nothing_of_it(deny, still_there):
    policy = said("Allow * *", "Allow stack:*,template:*,log:* * kim,lee", deny)

    assert listed(policy) == listed(policy, Act.VIEW_STACK) == listed(policy, Act.DELETE_STACK) == still_there
    for act, below in ((Act.VIEW_TEMPLATE, Resource.of_template), ("log:describeLogs", Resource.of_logs)):
        assert [each.id for each in STACKS if may(policy, act, below(each))] == still_there


def test_nothing_new_is_made_with_credentials_that_are_hidden():
    policy = said("Allow * *", "Deny cred:describeCredentials AKIA2")
    new = {
        name: Resource.of_template(Resource.of_stack(owner="kim", vendor="aws", credentials_id=name))
        for name in ("AKIA1", "AKIA2")
    }

    assert may(policy, Act.CREATE_TEMPLATE, new["AKIA1"])
    assert not may(policy, Act.CREATE_TEMPLATE, new["AKIA2"])


def test_who_may_not_see_a_stack_in_detail_sees_no_template_of_it():
    policy = said("Allow * *", "Deny stack:describeStack mo-1")

    assert may(policy, Act.LIST_STACKS, OWN)
    assert not may(policy, Act.VIEW_TEMPLATE, Resource.of_template(OWN))
    assert may(policy, Act.VIEW_TEMPLATE, Resource.of_template(ON_ALICLOUD))


@pytest.mark.parametrize("act", sorted({*OF_AGENTS, *OWNERS_LIMITED}))
@pytest.mark.parametrize("deny", ["stack:describeStack mo-1", "view:alm.stack mrn:alm:stack:mo-1", "stack:* *"])
def test_who_may_not_see_a_stack_in_detail_does_nothing_to_it_not_even_as_its_agents_do(act, deny):
    policy = said("Allow * *,mo-1", f"Deny {deny}", "Deny template:* *")

    assert may(said("Allow * *,mo-1"), act, OWN)
    assert not may(policy, act, OWN)


@pytest.mark.parametrize("act", sorted(OF_AGENTS))
def test_people_speak_for_the_agents_of_their_own_stacks_and_of_those_that_their_role_names(act):
    for policy in (policy_of_sub_user(None), said("Allow * *"), said("Allow agent:*,*Status,describe*,shutdown* *")):
        assert listed(policy, act) == ["mo-1", "mo-3", "mo-4"]
    assert listed(said("Allow * mo-2"), act) == ["mo-2"]


@pytest.mark.parametrize(
    ("deny", "of_template", "of_stack"),
    [
        ("edit:alm.stack", Act.EDIT_TEMPLATE, Act.EDIT_STACK),
        ("stack:updateStack", Act.EDIT_TEMPLATE, Act.EDIT_STACK),
        ("create:alm.stack", Act.CREATE_TEMPLATE, Act.CREATE_STACK),
        ("stack:createStack", Act.CREATE_TEMPLATE, Act.CREATE_STACK),
    ],
)
def test_what_may_not_be_done_to_a_stack_is_not_done_by_its_template_either(deny, of_template, of_stack):
    template = Resource.of_template(OWN)

    assert may(said("Allow * *"), of_template, template)
    assert may(said(f"Allow {deny} mo-2", "Allow template:* *"), of_template, template)
    for resource in ("*", "mo-1", "mrn:alm:stack:mo-*"):
        policy = said("Allow * *", f"Deny {deny} {resource}")
        assert not may(policy, of_stack, OWN)
        assert not may(policy, of_template, template)
        assert may(policy, Act.VIEW_TEMPLATE, template)


def test_an_action_may_name_a_vendor():
    policy = said("Allow cred:deleteCredential::aws,cred:createCredentials::k5 *")

    assert may(policy, Act.DELETE_CREDENTIALS, Resource.of_credentials("AWS", "AKIA1"))
    assert not may(policy, Act.DELETE_CREDENTIALS, Resource.of_credentials("alicloud", "ALI1"))
    assert may(policy, Act.CREATE_CREDENTIALS, Resource.of_credentials("k5"))
    assert not may(policy, Act.CREATE_CREDENTIALS, Resource.of_credentials("aws"))


def test_users_without_a_role_have_the_default_one():
    policy = policy_of_sub_user(None)

    assert listed(policy) == ["mo-1", "mo-2", "mo-3", "mo-4"]
    assert may(policy, Act.CREATE_TEMPLATE, Resource.of_template(Resource.of_stack(owner="kim", vendor="aws")))
    for vendor in ("aws", "alicloud", "k5", "azure", "gcp", "local", "one that is added later"):
        assert may(policy, Act.VIEW_CREDENTIALS, Resource.of_credentials(vendor, "x"))
        assert not may(policy, Act.CREATE_CREDENTIALS, Resource.of_credentials(vendor))
        assert not may(policy, Act.DELETE_CREDENTIALS, Resource.of_credentials(vendor, "x"))


@pytest.mark.parametrize("act", sorted(OF_THE_MASTER_ONLY))
def test_only_the_master_manages_roles_and_users(act):
    for policy in (said("Allow * *"), said("Allow role:*,user:*,userrole:* *"), policy_of_sub_user(None)):
        assert not may(policy, act, ROLE)
        assert not may(policy, act, USER)
    assert may(policy_of_master(), act, ROLE)


@pytest.mark.parametrize("act", Act)
def test_the_master_may_do_everything_with_everybodys_stacks(act):
    assert may(policy_of_master(), act, LEES)
    assert identity.may(system_scope("acme"), act, LEES)


@pytest.mark.parametrize("act", Act)
def test_who_has_no_documents_may_do_nothing(act):
    for permissions in (Policy.NOBODY, policy_of(["RBAC_ROLE_OBSERVER"], []), frozenset()):
        assert not identity.may(Scope("acme", Actor(ActorKind.USER, "kim", "kim"), permissions), act, OWN)


@pytest.mark.parametrize("act", Act)
def test_an_agent_speaks_for_its_own_stack_and_does_nothing_else(act):
    agent = policy_of_agent("mo-1")

    assert may(agent, act, OWN, "") is (act in OF_AGENTS)
    for other in (LEES, Resource.of_template(OWN), Resource.of_vendor("aws"), ROLE):
        assert not may(agent, act, other, "")


def test_a_stack_with_a_strange_id_has_no_wider_agent():
    assert not may(policy_of_agent("*"), Act.READ_CONTAINER_CONFIG, OWN)
    assert not may(policy_of_agent("mo-*"), Act.READ_CONTAINER_CONFIG, OWN)


@pytest.mark.parametrize("act", Act)
def test_a_program_with_credentials_of_its_own_is_treated_like_an_agent(act):
    for stack in STACKS:
        assert may(policy_of_program(), act, stack, "") is (act in OF_AGENTS)


def test_a_no_is_a_refusal_that_names_the_deed():
    identity.make_sure_may(scope(said("Allow * *")), Act.DELETE_STACK, OWN)

    with pytest.raises(RoleForbids, match=r"stack\.delete"):
        identity.make_sure_may(scope(said("Allow * *")), Act.DELETE_STACK, LEES)


def test_the_documents_that_are_offered_to_begin_with_are_the_published_ones():
    admin = json.loads(DOCUMENT_TEMPLATES[0].document.text)

    assert (DOCUMENT_TEMPLATES[0].id, DOCUMENT_TEMPLATES[0].name) == ("admin", "Management Role")
    assert admin == {"version": "2017-05-05", "Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}


def test_documents_hold_no_permission_and_permissions_allow_nothing_that_documents_decide():
    assert [each for each in Permission if each in said("Allow * *")] == []
    assert listed(policy_of([name for name in BUILT_IN_ROLES if name != "RBAC_ROLE_PERMIT_ALL"], [])) == []


def test_nobody_but_the_master_hands_out_a_document_that_allows_anything():
    """Even the same words would mean other people's own stacks."""
    own, deny = said("Allow * *"), said("Deny * *")

    assert policy_of_master().covers(own)
    assert not own.covers(own)
    assert not own.covers(said("Allow stack:describeStacks mo-1"))
    assert own.covers(deny)
    assert not own.covers(policy_of_master())
