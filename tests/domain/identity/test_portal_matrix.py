"""Who may do what in which project? Every act for every role, written out as the reference has it (mobyle.md §1.4)."""

import itertools

import pytest

from fairlead.base.scope import Actor, ActorKind, Scope, system_scope
from fairlead.domain.identity import Policy, policy_of
from fairlead.domain.identity.portal import (
    MATRIX,
    AccountPending,
    Act,
    Caller,
    LogInFirst,
    NotPermitted,
    NotThere,
    PortalGrants,
    ProjectRef,
    Role,
    Standing,
    Suspended,
    make_sure_may,
    may,
    peer,
    strongest,
    visitor,
)

OWN, PUBLIC, FOREIGN = ProjectRef(1), ProjectRef(2, is_public=True), ProjectRef(3)

TABLE = """
    act                  watcher contributor manager owner everybody-if-public
    view project            x         x         x      x        x
    edit project            -         -         x      x        -
    delete project          -         -         x      x        -
    change members          -         -         x      x        -
    view notebook           x         x         x      x        x
    create notebook         -         x         x      x        -
    edit notebook           -         x         x      x        -
    delete notebook         -         -         x      x        -
    view service            x         x         x      x        x
    create service          -         x         x      x        -
    edit service            -         x         x      x        -
    delete service          -         -         x      x        -
    view job                x         x         x      x        x
    create job              -         x         x      x        -
    run job                 -         x         x      x        -
    edit job                -         x         x      x        -
    delete job              -         -         x      x        -
    view data               x         x         x      x        x
    create data             -         x         x      x        -
    edit data               -         x         x      x        -
    delete data             -         -         x      x        -
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()[1:]]
IN_PROJECTS = {Act[f"{row[0]}_{row[1]}".upper()]: row[2:] for row in ROWS}
OF_ADMINISTRATORS = {Act.MANAGE_SERVICES, Act.MANAGE_SERVERS, Act.MANAGE_USERS, Act.ADMINISTER}
VIEWING = {Act.VIEW_PROJECT, Act.VIEW_NOTEBOOK, Act.VIEW_SERVICE, Act.VIEW_JOB, Act.VIEW_DATA}


def someone(role: Role | None = None, caller: Caller = Caller.AUTHENTICATED, **more: object) -> Scope:
    grants = PortalGrants(caller, 7, roles={OWN.number: role} if role else {}, **more)
    return Scope("acme", Actor(ActorKind.USER, "portal:00000000007"), Policy(portal=grants))


def test_the_table_of_the_test_and_three_other_sorts_are_all_there_is():
    assert set(IN_PROJECTS) | OF_ADMINISTRATORS | {Act.CREATE_PROJECT} == set(Act) == set(MATRIX)


@pytest.mark.parametrize("act", IN_PROJECTS, ids=lambda act: act.name)
@pytest.mark.parametrize("role", Role)
def test_in_a_project_a_role_may_do_what_the_table_says(role, act):
    expected = IN_PROJECTS[act][list(Role).index(role)] == "x"

    assert may(someone(role), act, OWN) is expected
    if not expected:
        with pytest.raises(NotPermitted):
            make_sure_may(someone(role), act, OWN)


@pytest.mark.parametrize("act", IN_PROJECTS, ids=lambda act: act.name)
@pytest.mark.parametrize("caller", Caller)
def test_in_a_public_project_everybody_may_look_and_nothing_else(caller, act):
    expected = IN_PROJECTS[act][4] == "x"

    assert may(someone(caller=caller), act, PUBLIC) is expected
    if not expected:
        with pytest.raises(LogInFirst if caller is Caller.VISITOR else NotPermitted):
            make_sure_may(someone(caller=caller), act, PUBLIC)


@pytest.mark.parametrize("act", IN_PROJECTS, ids=lambda act: act.name)
@pytest.mark.parametrize("caller", Caller)
def test_a_private_project_of_others_is_not_there_nor_is_anything_in_it(caller, act):
    with pytest.raises(NotThere) as refused:
        make_sure_may(someone(Role.OWNER if caller is Caller.AUTHENTICATED else None, caller), act, FOREIGN)

    assert str(refused.value) == f"There is no such {MATRIX[act].thing}."


@pytest.mark.parametrize("act", sorted(OF_ADMINISTRATORS), ids=lambda act: act.name)
def test_the_portal_is_administered_by_administrators_alone(act):
    assert may(someone(is_admin=True), act)
    for role, caller in itertools.product([None, *Role], Caller):
        assert not may(someone(role, caller), act)
        assert not may(someone(role, caller), act, OWN)


def test_whoever_has_an_account_may_create_projects_and_nobody_else():
    assert [may(someone(caller=each), Act.CREATE_PROJECT) for each in Caller] == [False, False, False, True]


@pytest.mark.parametrize("act", IN_PROJECTS, ids=lambda act: act.name)
def test_on_the_server_itself_everybody_sees_services_and_only_administrators_do_more(act):
    for caller in Caller:
        assert may(someone(Role.OWNER, caller), act) is (act is Act.VIEW_SERVICE)
    assert may(someone(is_admin=True), act)


@pytest.mark.parametrize("act", Act, ids=lambda act: act.name)
@pytest.mark.parametrize("project", [None, OWN, PUBLIC, FOREIGN])
def test_an_administrator_may_do_everything_but_not_while_pending_or_suspended(act, project):
    assert may(someone(is_admin=True), act, project)
    pending = someone(is_admin=True, standing=Standing.PENDING)
    assert may(pending, act, project) is may(someone(standing=Standing.PENDING), act, project)
    assert not may(someone(is_admin=True, standing=Standing.SUSPENDED), act, project)


@pytest.mark.parametrize("act", IN_PROJECTS, ids=lambda act: act.name)
def test_whoever_is_pending_may_look_at_all_of_their_own_and_is_told_to_wait_with_the_rest(act):
    pending = someone(Role.OWNER, standing=Standing.PENDING)

    assert may(pending, act, OWN) is (act in VIEWING)
    if act not in VIEWING:
        with pytest.raises(AccountPending):
            make_sure_may(pending, act, OWN)


def test_whoever_is_pending_may_not_create_projects_yet():
    with pytest.raises(AccountPending):
        make_sure_may(someone(standing=Standing.PENDING), Act.CREATE_PROJECT)


@pytest.mark.parametrize("act", Act, ids=lambda act: act.name)
@pytest.mark.parametrize("project", [None, OWN, PUBLIC, FOREIGN])
def test_whoever_is_suspended_may_nothing_and_is_told_why(act, project):
    suspended = someone(Role.OWNER, standing=Standing.SUSPENDED, status_message="ask Ada")

    with pytest.raises(Suspended, match=r"^ask Ada$"):
        make_sure_may(suspended, act, project)


def test_each_role_may_do_all_that_those_before_it_may():
    for lesser, greater in itertools.pairwise(Role):
        allowed = [{act for act in Act if role in MATRIX[act].roles} for role in (lesser, greater)]
        assert allowed[0] <= allowed[1]
    assert strongest([Role.CONTRIBUTOR, Role.OWNER, Role.WATCHER]) is Role.OWNER


def test_a_role_in_one_project_says_nothing_about_another():
    assert may(someone(Role.OWNER), Act.RUN_JOB, OWN)
    assert not may(someone(Role.OWNER), Act.RUN_JOB, PUBLIC)


def test_visitors_and_peers_see_what_is_public():
    for scope in (visitor("acme"), peer("acme", "lyon")):
        assert may(scope, Act.VIEW_SERVICE)
        assert may(scope, Act.VIEW_PROJECT, PUBLIC)
        assert not may(scope, Act.VIEW_PROJECT, OWN)
    assert (peer("acme", "lyon").actor.kind, peer("acme", "lyon").actor.id) == (ActorKind.SYSTEM, "peer:lyon")


@pytest.mark.parametrize("act", Act, ids=lambda act: act.name)
def test_the_system_and_whoever_may_do_everything_in_the_organization_need_no_role(act):
    assert may(system_scope("acme"), act, FOREIGN)
    assert may(Scope("acme", Actor(ActorKind.USER, "ada"), Policy(everything=True)), act, FOREIGN)


@pytest.mark.parametrize("act", Act, ids=lambda act: act.name)
def test_roles_that_are_about_devices_allow_nothing_on_a_portal(act):
    observer = Scope("acme", Actor(ActorKind.USER, "ben"), policy_of(["RBAC_ROLE_OBSERVER"], []))

    assert not may(observer, act)
    assert not may(observer, act, PUBLIC)


def test_what_a_portal_grants_is_no_permission_and_nobody_hands_it_on():
    policy = someone(Role.OWNER, is_admin=True).permissions

    assert not policy.everything
    assert not any(permission in policy for permission in policy_of(["RBAC_ROLE_PERMIT_ALL"], []).permissions)
    assert not policy_of(["RBAC_ROLE_CI"], []).covers(Policy(portal=policy.portal))
    assert Policy(everything=True).covers(Policy(portal=policy.portal))
