"""The anonymous use a portal too, keep what they have when they log in, and are forgotten once they are gone."""

import uuid
from datetime import timedelta

import pytest

from fairlead.base.errors import Kind, Refusal
from fairlead.domain.identity import TenantNotFound, TooManyAttempts, portal
from fairlead.domain.identity.model import BadToken
from fairlead.domain.identity.portal import Act, ProjectRef, Role, arrivals, deciding


class StillRunning(Refusal):
    kind = Kind.CONFLICT
    message = "a job of theirs still runs"


@pytest.fixture
def heard(monkeypatch):
    """Notes what packages that know of projects are told, without being one for other tests."""
    told = []
    for name in ("_when_added", "_when_merged", "_before_removal"):
        monkeypatch.setattr(arrivals, name, [])
    monkeypatch.setattr(deciding, "_tell_roles", [])
    portal.when_added(lambda tx, user: told.append((tx.scope.actor.id, "comes", user.number)))
    portal.when_merged(lambda tx, old, new: told.append((tx.scope.actor.id, "becomes", old.number, new.number)))
    portal.before_removal(lambda tx, user: told.append((tx.scope.actor.id, "goes", user.number)))
    return told


def test_the_anonymous_enter_if_they_are_let_and_have_a_user_of_their_own(lab):
    first, second = lab.enter(), lab.enter()

    assert [lab.behind(each.token).user.number for each in (first, second)] == [1, 2]
    assert (first.signed_in.user.type, first.signed_in.user.status) == ("anonymous", "active")
    assert lab.log()[1:] == [
        "00000000001 portal.user.create 00000000001",
        "00000000002 portal.user.create 00000000002",
    ]
    with pytest.raises(portal.AccountNeeded):
        portal.enter_anonymously(lab.database, lab.tenant_id, allowed=False)
    with pytest.raises(TenantNotFound):
        portal.enter_anonymously(lab.database, "nowhere", allowed=True)


def test_from_one_address_there_cannot_come_any_number(lab):
    address = str(uuid.uuid4())
    for _ in range(60):
        portal.enter_anonymously(lab.database, lab.tenant_id, allowed=True, address=address)

    with pytest.raises(TooManyAttempts):
        portal.enter_anonymously(lab.database, lab.tenant_id, allowed=True, address=address)
    assert len(lab.users()) == 60


def test_each_new_user_is_welcomed_as_themselves(lab, heard):
    lab.enter()
    lab.register("ben")
    lab.user("bea")

    assert heard == [(f"portal:0000000000{n}", "comes", n) for n in (1, 2, 3)]


def test_a_welcome_may_give_them_a_project(lab, heard):
    portal.when_added(lambda tx, user: portal.set_default_project(tx, user.number, 42))

    assert lab.enter().signed_in.user.default_project == 42
    assert lab.find(1).default_project == 42


def test_what_an_anonymous_user_has_comes_to_the_account_by_which_they_log_in(lab, heard):
    anonymous = lab.enter()
    lab.user("ben")

    opened = lab.log_in("ben", instead_of=anonymous.signed_in)

    assert heard[2:] == [("portal:00000000002", "becomes", 1, 2)]
    assert [user.number for user in lab.users()] == [2]
    assert lab.behind(opened.token).user.number == 2
    with pytest.raises(BadToken):
        lab.behind(anonymous.token)
    assert lab.log()[-1] == "ben portal.user.merge ben"


def test_nothing_comes_from_one_who_is_suspended_or_has_an_account(lab, heard):
    anonymous = lab.enter().signed_in
    with lab.database.begin(lab.system) as tx:
        portal.suspend_user(tx, anonymous.user.number)
    lab.user("ben")
    lab.user("bea")

    lab.log_in("ben", instead_of=anonymous)
    lab.log_in("ben", instead_of=lab.log_in("bea").signed_in)

    assert [what for _, what, *_ in heard] == ["comes"] * 3
    assert len(lab.users()) == 3


def test_a_merge_that_fails_leaves_everything_as_it_was(lab, heard):
    def refuse(tx, anonymous, user):
        raise StillRunning

    portal.when_merged(refuse)
    anonymous = lab.enter()
    lab.user("ben")

    with pytest.raises(StillRunning):
        lab.log_in("ben", instead_of=anonymous.signed_in)
    assert lab.behind(anonymous.token).user.number == 1


def test_who_keeps_what_a_user_has_removes_it_first_or_refuses(lab, heard):
    ben = lab.user("ben")
    with lab.database.begin(lab.system) as tx:
        portal.remove_user(tx, ben.number)
    assert heard[-1] == ("fairlead", "goes", 1)

    def refuse(tx, user):
        raise StillRunning

    portal.before_removal(refuse)
    bea = lab.user("bea")
    with pytest.raises(StillRunning), lab.database.begin(lab.system) as tx:
        portal.remove_user(tx, bea.number)
    assert lab.find(bea.number).name == lab.email("bea")


def test_roles_are_told_by_those_who_know_projects_and_the_strongest_counts(lab, heard):
    lab.user("ben")
    portal.roles_told_by(lambda tx, user: {1: Role.WATCHER, 2: Role.OWNER})
    portal.roles_told_by(lambda tx, user: {1: Role.MANAGER, 2: Role.CONTRIBUTOR})

    scope = lab.log_in("ben").signed_in.scope

    assert portal.grants_of(scope).roles == {1: Role.MANAGER, 2: Role.OWNER}
    assert portal.may(scope, Act.DELETE_JOB, ProjectRef(1))
    assert not portal.may(scope, Act.VIEW_JOB, ProjectRef(3))


def test_roles_may_come_through_groups_and_change_with_the_next_request(lab, heard):
    ben = lab.user("ben")
    portal.roles_told_by(lambda tx, user: {1: Role.CONTRIBUTOR} if "lab" in user.groups else {})
    token = lab.log_in("ben").token
    assert not portal.may(lab.behind(token).scope, Act.RUN_JOB, ProjectRef(1))

    with lab.database.begin(lab.system) as tx:
        portal.change_groups(tx, ben.number, ["lab"])

    scope = lab.behind(token).scope
    assert portal.may(scope, Act.RUN_JOB, ProjectRef(1))
    assert portal.grants_of(scope).groups == {"lab"}


def test_the_anonymous_who_cannot_come_back_are_forgotten_and_nobody_else(lab, heard):
    gone, recent, back = (lab.enter().signed_in for _ in range(3))
    lab.user("ben")
    lab.age(gone.user.number, timedelta(days=11))
    lab.age(back.user.number, timedelta(days=11))
    lab.age(4, timedelta(days=11))
    for each in (gone, recent):
        with lab.database.begin(each.scope) as tx:
            portal.close_session(tx, each)

    portal.remove_abandoned(lab.database)

    assert [user.number for user in lab.users()] == [recent.user.number, back.user.number, 4]
    assert heard[-1] == ("fairlead", "goes", gone.user.number)


def test_one_who_cannot_be_forgotten_yet_keeps_nobody_else(lab, heard):
    def refuse(tx, user):
        if user.number == 1:
            raise StillRunning

    portal.before_removal(refuse)
    for _ in range(2):
        each = lab.enter().signed_in
        lab.age(each.user.number, timedelta(days=11))
        with lab.database.begin(each.scope) as tx:
            portal.close_session(tx, each)

    portal.remove_abandoned(lab.database)

    assert [user.number for user in lab.users()] == [1]
    with lab.database.begin(lab.system) as tx:
        arrivals._before_removal.clear()
        portal.remove_user(tx, 1)
