"""Members and programs of an account: who may take them in, what they are called, and what goes with them."""

from __future__ import annotations

import re
import threading

import pytest

from fairlead.base.scope import Actor, ActorKind, Scope
from fairlead.domain import identity
from fairlead.domain.identity import (
    Act,
    BadUsername,
    MemberNotFound,
    ProgramNotFound,
    Resource,
    RoleForbids,
    UsernameTaken,
    policy_of_program,
)
from house.accounts import Account, document, found
from house.world import HASH


@pytest.fixture
def account(database, tokens) -> Account:
    return found(database, tokens)


@pytest.fixture
def other(database, tokens) -> Account:
    return found(database, tokens)


def test_an_account_has_one_id_of_13_digits_that_is_not_that_of_another(account, other):
    ids = []
    for each in (account, account, other):
        with each.database.begin(each.system) as tx:
            ids.append(identity.account_id(tx))

    assert ids[0] == ids[1] != ids[2]
    assert all(re.fullmatch("[0-9a-f]{13}", each) for each in ids)


def test_all_who_need_the_id_of_an_account_first_at_the_same_moment_get_the_same(database, tokens):
    with database.across_tenants("a new organization") as tx:
        tenant = identity.add_tenant(tx, tokens, "an account")
    scope = Scope(tenant.id, Actor(ActorKind.SYSTEM, "test"), identity.policy_of_master())
    ids, begin = [], threading.Barrier(8)

    def ask() -> None:
        begin.wait()
        with database.begin(scope) as tx:
            ids.append(identity.account_id(tx))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(ids), len(set(ids))) == (8, 1)


def test_the_master_takes_members_in_and_lets_them_go_and_it_is_on_record(account):
    with account.database.begin(account.master) as tx:
        kim = identity.add_member(tx, "kim", HASH, "kim@acme.example")
        identity.add_member(tx, "al", HASH)
        identity.change_member_password(tx, "kim", HASH)
        listed = [(each.username, each.email) for each in identity.list_members(tx)]
        identity.remove_member(tx, "kim")

    assert listed == [("al", ""), ("kim", "kim@acme.example")]
    told = [(entry.actor_name, entry.action, entry.object_name) for entry in account.log()[-4:]]
    assert told == [
        (account.email, "member.create", "kim"),
        (account.email, "member.create", "al"),
        (account.email, "member.update", "kim"),
        (account.email, "member.delete", "kim"),
    ]
    assert {entry.object_id for entry in account.log()[-4:] if entry.object_name == "kim"} == {kim.id}
    assert HASH not in repr(account.log()) + repr(kim)


@pytest.mark.parametrize("deed", ["add", "list", "see", "password", "remove", "client", "clients", "remove client"])
def test_nobody_but_the_master_decides_about_members_and_programs_whatever_a_role_says(account, deed):
    account.add("kim", document("Allow * *"))
    account.add("lee")
    deeds = {
        "add": lambda tx: identity.add_member(tx, "new", HASH),
        "list": identity.list_members,
        "see": lambda tx: identity.find_member(tx, "lee"),
        "password": lambda tx: identity.change_member_password(tx, "lee", HASH),
        "remove": lambda tx: identity.remove_member(tx, "lee"),
        "client": identity.add_program,
        "clients": identity.list_programs,
        "remove client": lambda tx: identity.remove_program(tx, account.client_id),
    }

    for scope in (account.behind(account.log_in("kim")), account.behind(account.log_in())):
        with pytest.raises(RoleForbids), account.database.begin(scope) as tx:
            deeds[deed](tx)

    with account.database.read(account.system) as tx:
        assert [each.username for each in identity.list_members(tx)] == ["kim", "lee"]
        assert [each.id for each in identity.list_programs(tx)] == [account.client_id]


@pytest.mark.parametrize("username", ["", "k" * 65, "k@m", "k/m", "k\\m", "k\nm", " kim", "k*", "k%2f", "..", "role"])
def test_a_name_that_could_be_taken_for_something_else_is_refused(account, username):
    with pytest.raises(BadUsername), account.database.begin(account.system) as tx:
        identity.add_member(tx, username, HASH)


def test_a_name_belongs_to_one_member_of_each_account(account, other):
    account.add("kim")
    other.add("kim")

    with pytest.raises(UsernameTaken), account.database.begin(account.system) as tx:
        identity.add_member(tx, "kim", HASH)


def test_members_of_others_are_not_there(account, other):
    other.add("kim")

    for deed in (identity.find_member, identity.remove_member, lambda tx, name: tx and identity.roles_of(tx, name)):
        with pytest.raises(MemberNotFound), account.database.begin(account.master) as tx:
            deed(tx, "kim")
    with pytest.raises(ProgramNotFound), account.database.begin(account.master) as tx:
        identity.remove_program(tx, other.client_id)
    assert other.log_in("kim")


def test_people_see_themselves_and_the_master_sees_everybody(account):
    with account.database.begin(account.system) as tx:
        identity.add_member(tx, "kim", HASH, "kim@acme.example")
        identity.add_member(tx, "lee", HASH)
    kim = account.behind(account.log_in("kim"))

    def person(scope: Scope, name: str = "") -> tuple[str, str]:
        with account.database.read(scope) as tx:
            seen = identity.find_person(tx, name)
        return seen.name, seen.email

    assert person(kim) == person(kim, "kim") == person(account.master, "kim") == ("kim", "kim@acme.example")
    assert person(account.master) == person(account.master, account.email.upper()) == (account.email, account.email)
    assert person(account.master, "lee") == ("lee", "")
    for name in ("lee", "nobody", account.email, "nobody@acme.example"):
        with pytest.raises(RoleForbids):
            person(kim, name)
    for name in ("nobody", "nobody@acme.example"):
        with pytest.raises(MemberNotFound):
            person(account.master, name)


def test_a_program_has_an_id_of_its_account_and_a_secret_that_is_kept_nowhere(account):
    with account.database.begin(account.master) as tx:
        number = identity.account_id(tx)
        program, secret = identity.add_program(tx, "build server")
        listed = identity.list_programs(tx)

    assert re.fullmatch(f"lg-{number}-[0-9A-Za-z]{{9}}-tm", program.id)
    assert re.fullmatch("[0-9A-Za-z]{30}", secret)
    assert [each.name for each in listed] == ["laptop", "build server"]
    assert secret not in repr(program) + program.secret_hash + repr(account.log())
    assert account.log_in(client_id=program.id, client_secret=secret)


def test_a_program_may_do_what_agents_do_and_nothing_else(account):
    scope = account.behind(account.log_in())
    stack = Resource.of_stack("mo-1", owner="kim", vendor="aws")

    allowed = [act for act in Act if identity.may(scope, act, stack)]

    assert scope.permissions == policy_of_program()
    assert allowed == [
        Act.READ_CONTAINER_CONFIG,
        Act.REPORT_AGENT_STATUS,
        Act.REPORT_INSTANCE_STATUS,
        Act.TAKE_SESSION_KEYS,
        Act.REPORT_SPOT_SHUTDOWN,
    ]
    assert scope.tenant_id == account.tenant_id


def test_masters_are_the_users_who_may_do_everything(account):
    with account.database.begin(account.system) as tx:
        identity.add_user(tx, f"ben-{account.email}", HASH, ["RBAC_ROLE_OBSERVER"])
        identity.add_user(tx, f"eve-{account.email}", HASH)
        masters = [user.email for user in identity.masters(tx)]

    assert masters == [account.email, f"eve-{account.email}"]
