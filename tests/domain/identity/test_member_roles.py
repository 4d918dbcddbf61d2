"""Roles that are scope documents: made, changed, given to members, and in force at once."""

from __future__ import annotations

import re
import threading

import pytest

from fairlead.base.scope import Scope
from fairlead.domain import identity
from fairlead.domain.identity import (
    Act,
    BadDocument,
    BadRoleName,
    DocumentRoleNotFound,
    MasterHasNoRole,
    MemberNotFound,
    Resource,
    RoleForbids,
    RoleNotAttached,
)
from house.accounts import Account, document, found

FIRST, SECOND = (Resource.of_stack(stack_id, owner="lee", vendor="aws") for stack_id in ("mo-1", "mo-2"))
SEES_FIRST, SEES_SECOND = (document(f"Allow stack:describeStacks {each}") for each in ("mo-1", "mo-2"))


@pytest.fixture
def account(database, tokens) -> Account:
    return found(database, tokens)


@pytest.fixture
def kim(account) -> str:
    """Kim's token, whose bearer has no role yet."""
    account.add("kim")
    return account.log_in("kim")


def add_role(account: Account, text: str = SEES_FIRST) -> str:
    with account.database.begin(account.master) as tx:
        return identity.add_document_role(tx, "a role", text).id


def attach(account: Account, role_id: str, username: str = "kim") -> identity.Attachment:
    with account.database.begin(account.master) as tx:
        return identity.attach_role(tx, username, role_id)


def attached(account: Account, username: str = "kim") -> list[str]:
    with account.database.read(account.master) as tx:
        return [each.role.id for each in identity.roles_of(tx, username)]


def sees(account: Account, token: str) -> list[str]:
    scope = account.behind(token)
    return [each.id for each in (FIRST, SECOND) if identity.may(scope, Act.LIST_STACKS, each)]


def test_a_document_is_given_back_as_it_was_given(account):
    texts = [
        '{ "version":"2017-05-05","statement":[{"effect":"allow", "action":"view:alm.stack","resource":["mo-1"]}]}',
        '{"Version":"2017-05-05","Statement":[{"Effect":"Deny","Action":["stack:*"],"Resource":"mrn:alm:stack:mo-1"}]}',
    ]

    ids = [add_role(account, text) for text in texts]

    with account.database.read(account.master) as tx:
        assert [role.document for role in identity.list_document_roles(tx)] == texts
        assert [identity.find_document_role(tx, each).id for each in ids] == ids
        number = identity.account_id(tx)
    assert all(re.fullmatch(f"morole-{number}-[0-9A-Za-z]{{9}}", each) for each in ids)


def test_what_is_no_document_is_refused_with_its_place_and_changes_nothing(account):
    role_id = add_role(account)

    with pytest.raises(BadDocument, match="/Statement/0/Effect: must be Allow or Deny"):
        add_role(account, document("Perhaps * *"))
    with pytest.raises(BadDocument, match="no JSON"), account.database.begin(account.master) as tx:
        identity.change_document_role(tx, role_id, "a role", "{")
    for name in ("", "n" * 257, "a\nrole"):
        with pytest.raises(BadRoleName), account.database.begin(account.master) as tx:
            identity.add_document_role(tx, name, SEES_FIRST)

    with account.database.read(account.master) as tx:
        assert [role.document for role in identity.list_document_roles(tx)] == [SEES_FIRST]


def test_a_role_is_in_force_with_the_next_request_and_so_is_every_change_of_it(account, kim):
    assert sees(account, kim) == ["mo-1", "mo-2"]

    role_id = add_role(account)
    attach(account, role_id)
    assert sees(account, kim) == ["mo-1"]

    with account.database.begin(account.master) as tx:
        identity.change_document_role(tx, role_id, "another name", SEES_SECOND)
    assert sees(account, kim) == ["mo-2"]

    with account.database.begin(account.master) as tx:
        identity.detach_role(tx, "kim", role_id)
    assert sees(account, kim) == ["mo-1", "mo-2"]


def test_a_member_has_one_role_and_another_takes_its_place(account, kim):
    first, second = add_role(account), add_role(account, SEES_SECOND)

    attachments = [attach(account, each) for each in (first, first, second)]

    assert attached(account) == [second]
    assert sees(account, kim) == ["mo-2"]
    assert len({each.id for each in attachments}) == 1
    with account.database.begin(account.master) as tx:
        number = identity.account_id(tx)
    assert re.fullmatch(f"mour-{number}-[0-9A-Za-z]{{9}}", attachments[0].id)
    changes = [entry.details["changed"] for entry in account.log() if entry.action == "member.update"]
    assert changes == [{"role": ["", first]}, {"role": [first, second]}]


def test_a_role_that_is_removed_is_taken_from_those_who_have_it(account, kim):
    role_id = add_role(account)
    attach(account, role_id)

    with account.database.begin(account.master) as tx:
        identity.remove_document_role(tx, role_id)

    assert attached(account) == []
    assert sees(account, kim) == ["mo-1", "mo-2"]
    assert account.log()[-1].details == {"taken_from": ["kim"]}
    with pytest.raises(DocumentRoleNotFound), account.database.begin(account.master) as tx:
        identity.remove_document_role(tx, role_id)


def test_a_member_who_goes_takes_their_role_along(account, kim):
    role_id = add_role(account)
    attach(account, role_id)

    with account.database.begin(account.master) as tx:
        identity.remove_member(tx, "kim")
    account.add("kim")

    assert attached(account) == []
    with account.database.read(account.master) as tx:
        assert [each.id for each in identity.list_document_roles(tx)] == [role_id]


def test_a_role_cannot_be_taken_from_somebody_who_does_not_have_it(account, kim):
    first, second = add_role(account), add_role(account, SEES_SECOND)
    attach(account, first)

    for role_id, refusal in ((second, RoleNotAttached), ("morole-nothing", DocumentRoleNotFound)):
        with pytest.raises(refusal), account.database.begin(account.master) as tx:
            identity.detach_role(tx, "kim", role_id)

    assert attached(account) == [first]


def test_roles_go_to_members_only_and_have_to_be_there(account, database, tokens, kim):
    role_id, foreign = add_role(account), add_role(found(database, tokens))

    for username, role, refusal in (
        ("nobody", role_id, MemberNotFound),
        (account.email, role_id, MasterHasNoRole),
        ("kim", "morole-nothing", DocumentRoleNotFound),
        ("kim", foreign, DocumentRoleNotFound),
    ):
        with pytest.raises(refusal):
            attach(account, role, username)

    assert attached(account) == []


@pytest.mark.parametrize("text", ["", document("Allow * *"), document("Allow role:*,userrole:*,user:* *")])
def test_nobody_but_the_master_manages_roles_whatever_a_role_says(account, text):
    account.add("kim", text)
    role_id = add_role(account)
    deeds = [
        identity.list_document_roles,
        lambda tx: identity.find_document_role(tx, role_id),
        lambda tx: identity.add_document_role(tx, "mine", document("Allow * *")),
        lambda tx: identity.change_document_role(tx, role_id, "mine", document("Allow * *")),
        lambda tx: identity.remove_document_role(tx, role_id),
        lambda tx: identity.attach_role(tx, "kim", role_id),
        lambda tx: identity.detach_role(tx, "kim", role_id),
        lambda tx: identity.roles_of(tx, "kim"),
    ]

    for token in (account.log_in("kim"), account.log_in()):
        for deed in deeds:
            with pytest.raises(RoleForbids), account.database.begin(account.behind(token)) as tx:
                deed(tx)

    with account.database.read(account.master) as tx:
        assert identity.find_document_role(tx, role_id).document == SEES_FIRST


def test_everybody_sees_their_own_role_but_programs_have_none_to_see(account):
    account.add("kim", SEES_FIRST)
    account.add("lee")

    def own(scope: Scope) -> list[tuple[str, str]]:
        with account.database.read(scope) as tx:
            return [(each.username, each.role.document) for each in identity.own_roles(tx)]

    assert own(account.behind(account.log_in("kim"))) == [("kim", SEES_FIRST)]
    assert own(account.behind(account.log_in("lee"))) == []
    assert own(account.master) == []
    with pytest.raises(RoleForbids):
        own(account.behind(account.log_in()))


def test_giving_roles_and_taking_the_member_away_at_the_same_moment_ends_well(account):
    roles = [add_role(account), add_role(account, SEES_SECOND)]
    account.add("kim")
    problems: list[Exception] = []

    def do(deed, *arguments: str) -> None:
        try:
            with account.database.begin(account.system) as tx:
                deed(tx, *arguments)
        except (MemberNotFound, DocumentRoleNotFound):
            pass
        except Exception as problem:
            problems.append(problem)

    deeds = [(identity.attach_role, "kim", role) for role in roles] * 3
    deeds += [(identity.remove_member, "kim"), (identity.remove_document_role, roles[0])]
    threads = [threading.Thread(target=do, args=deed) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    with pytest.raises(MemberNotFound):
        attached(account)
