"""What administrators do with users, and users with themselves; the last administrator stays."""

import pytest

from fairlead.base.errors import Kind
from fairlead.domain.identity import NothingToUpdate, TooManyAttempts, portal
from fairlead.domain.identity.model import BadEmail, BadToken, PasswordTooShort, WrongLogin
from house.world import PASSWORD

ANOTHER = "another long password"


def as_(lab, who: str):
    """A transaction in the name of somebody who has logged in."""
    return lab.database.begin(lab.log_in(who).signed_in.scope)


def test_an_administrator_lists_everybody_with_all_that_is_known(lab):
    lab.user("ada", is_admin=True)
    ben = lab.user("ben", first_name="Ben", last_name="Bo")
    lab.enter()

    with as_(lab, "ada") as tx:
        portal.change_groups(tx, ben.number, ["staff", "lab", "staff"])
        found = portal.search_users(tx)

    assert [(each.id, each.name.split("@")[0], each.type, each.is_admin, each.groups) for each in found] == [
        ("00000000001", "ada", "authenticated", True, ()),
        ("00000000002", "ben", "authenticated", False, ("lab", "staff")),
        ("00000000003", "00000000003", "anonymous", False, ()),
    ]
    assert [each.authentication_type for each in found] == ["local", "local", None]
    assert (found[1].first_name, found[1].last_name) == ("Ben", "Bo")


def test_users_are_looked_for_by_e_mail_status_and_type_page_by_page(lab):
    lab.user("ada", is_admin=True)
    lab.register("ben")
    lab.enter()

    def found(**wanted):
        return [each.number for each in lab.users(**wanted)]

    assert found(text="BEN@") == [2]
    assert found(text="%") == []
    assert found(text="\0") == []
    assert found(status=portal.Standing.PENDING) == [2]
    assert found(type=portal.UserType.ANONYMOUS) == [3]
    assert found(skip=1, at_most=1) == [2]
    assert found(skip=-1, at_most=-1) == []


def test_a_user_is_found_by_e_mail_or_id_and_by_nothing_else(lab):
    ben = lab.user("ben")

    with lab.database.read(lab.system) as tx:
        assert portal.find_user_called(tx, lab.email("BEN")) == portal.find_user_called(tx, ben.id) == ben
        for name in ("", "1", "ben", "\0", "00000000002", lab.email("bea")):
            with pytest.raises(portal.UserNotFound):
                portal.find_user_called(tx, name)


def test_nobody_else_lists_users_or_learns_who_there_is(lab):
    lab.user("ada", is_admin=True)
    ben = lab.user("ben")

    with as_(lab, "ben") as tx:
        assert portal.find_user(tx, ben.number).email == lab.email("ben")
        for deed in (
            lambda: portal.search_users(tx),
            lambda: portal.find_user(tx, 1),
            lambda: portal.find_user(tx, 999),
            lambda: portal.find_user_called(tx, lab.email("ada")),
            lambda: portal.add_user(tx, "x@y.example", ""),
            lambda: portal.suspend_user(tx, 1),
            lambda: portal.activate_user(tx, 1),
            lambda: portal.change_groups(tx, ben.number, ["lab"]),
            lambda: portal.change_is_admin(tx, ben.number, True),
            lambda: portal.remove_user(tx, ben.number),
        ):
            with pytest.raises(portal.NotPermitted):
                deed()


def test_the_powers_of_an_administrator_are_there_only_while_they_are_asked_for(lab):
    lab.user("ada", is_admin=True)
    modest = lab.log_in("ada", as_admin=False).signed_in

    assert (modest.is_administering, modest.user.is_admin) == (False, True)
    with lab.database.begin(modest.scope) as tx, pytest.raises(portal.NotPermitted):
        portal.search_users(tx)
    assert lab.log_in("ada").signed_in.is_administering


def test_whoever_is_no_administrator_gets_no_powers_by_asking(lab):
    lab.user("ben")

    assert not lab.log_in("ben", as_admin=True).signed_in.is_administering


def test_powers_go_with_the_next_request_and_come_back_only_with_a_new_session(lab):
    lab.user("ada", is_admin=True)
    bea = lab.user("bea", is_admin=True)
    token = lab.log_in("bea").token
    assert lab.behind(token).is_administering

    with as_(lab, "ada") as tx:
        portal.change_is_admin(tx, bea.number, False)

    assert not lab.behind(token).is_administering
    assert "ada portal.user.update bea" in lab.log()


def test_whoever_is_suspended_is_told_the_message_at_every_request_and_at_login(lab):
    ben = lab.user("ben")
    token = lab.log_in("ben").token

    with lab.database.begin(lab.system) as tx:
        portal.suspend_user(tx, ben.number, "you filled the disk")

    for deed in (lambda: lab.behind(token), lambda: lab.log_in("ben")):
        with pytest.raises(portal.Suspended, match="you filled the disk") as refused:
            deed()
        assert refused.value.kind is Kind.FORBIDDEN
    with pytest.raises(WrongLogin):
        lab.log_in("ben", "a wrong password")


def test_a_suspended_user_who_is_let_in_again_has_to_log_in_again(lab):
    ben = lab.user("ben")
    token = lab.log_in("ben").token
    with lab.database.begin(lab.system) as tx:
        portal.suspend_user(tx, ben.number)
    with pytest.raises(portal.Suspended, match="Your account is suspended"):
        lab.behind(token)

    with lab.database.begin(lab.system) as tx:
        portal.activate_user(tx, ben.number)

    with pytest.raises(BadToken):
        lab.behind(token)
    assert lab.find(ben.number).status is portal.Standing.ACTIVE
    assert lab.behind(lab.log_in("ben").token).user.number == ben.number


@pytest.mark.parametrize("message", ["x" * 1001, "bell \a", "null \0"])
def test_a_message_is_text_of_bounded_length(lab, message):
    ben = lab.user("ben")

    with lab.database.begin(lab.system) as tx, pytest.raises(portal.BadMessage):
        portal.suspend_user(tx, ben.number, message)


def test_the_last_administrator_stays(lab):
    ada = lab.user("ada", is_admin=True)
    bea = lab.user("bea", is_admin=True)
    lab.user("ben")
    with lab.database.begin(lab.system) as tx:
        portal.suspend_user(tx, bea.number)

    for deed in (
        lambda tx: portal.suspend_user(tx, ada.number),
        lambda tx: portal.change_is_admin(tx, ada.number, False),
        lambda tx: portal.remove_user(tx, ada.number),
    ):
        with lab.database.begin(lab.system) as tx, pytest.raises(portal.LastAdministrator):
            deed(tx)
    with lab.database.begin(lab.system) as tx:
        portal.remove_user(tx, bea.number)  # who is suspended administers nothing
        portal.change_is_admin(tx, 3, True)
        portal.remove_user(tx, ada.number)

    assert [user.number for user in lab.users() if user.is_admin] == [3]


def test_a_removed_user_is_gone_at_once_with_sessions_tokens_and_groups(lab):
    ben = lab.user("ben")
    opened = lab.log_in("ben")
    with lab.database.begin(opened.signed_in.scope) as tx:
        _, api_token = portal.add_token(tx, opened.signed_in, "script")
    with lab.database.begin(lab.system) as tx:
        portal.change_groups(tx, ben.number, ["lab"])
        portal.remove_user(tx, ben.number)

    for token in (opened.token, api_token):
        with pytest.raises(BadToken):
            lab.behind(token)
    with lab.database.read(lab.system) as tx, pytest.raises(portal.UserNotFound):
        portal.find_user(tx, ben.number)
    again = lab.user("ben")
    assert (again.number, lab.find(again.number).groups) == (2, ())
    assert lab.log()[-2:] == ["fairlead portal.user.delete ben", "fairlead portal.user.create ben"]


@pytest.mark.parametrize("groups", [["x" * 101], [""], [" lab"], ["l\nab"], [f"group {n}" for n in range(51)]])
def test_groups_have_good_names_and_are_not_too_many(lab, groups):
    ben = lab.user("ben")

    with lab.database.begin(lab.system) as tx, pytest.raises(portal.BadGroups):
        portal.change_groups(tx, ben.number, groups)


def test_an_e_mail_has_one_user_in_a_tenant_whatever_its_capitals_and_one_in_each(lab, zenith):
    lab.user("ada")

    with lab.database.begin(lab.system) as tx, pytest.raises(portal.EmailTaken):
        portal.add_user(tx, lab.email("ada").upper(), "")
    with zenith.database.begin(zenith.system) as tx:
        assert portal.add_user(tx, lab.email("ada"), "").number == 1


@pytest.mark.parametrize("email", ["", "ada", "ada@", f"{'a' * 250}@x.example"])
def test_a_user_has_an_e_mail_that_is_one(lab, email):
    with lab.database.begin(lab.system) as tx, pytest.raises(BadEmail):
        portal.add_user(tx, email, "")


def test_an_anonymous_user_cannot_be_made_an_administrator(lab):
    number = lab.enter().signed_in.user.number

    with lab.database.begin(lab.system) as tx, pytest.raises(portal.AnonymousAdministrator):
        portal.change_is_admin(tx, number, True)


def test_people_change_their_names_and_what_they_are_told_of(lab):
    lab.user("ben")

    with as_(lab, "ben") as tx:
        changed = portal.change_own(tx, portal.OwnChange(first_name="Ben", notices=portal.Notices(job=False)))
        again = portal.change_own(tx, portal.OwnChange(last_name="Bo"))

    assert (changed.first_name, changed.last_name) == ("Ben", "")
    assert (again.first_name, again.last_name, again.notices) == ("Ben", "Bo", portal.Notices(job=False))
    with as_(lab, "ben") as tx:
        with pytest.raises(NothingToUpdate):
            portal.change_own(tx, portal.OwnChange())
        for name in ("x" * 101, "tab\t"):
            with pytest.raises(portal.BadName):
                portal.change_own(tx, portal.OwnChange(first_name=name))


def test_visitors_have_nothing_to_change(lab):
    with lab.database.begin(portal.visitor(lab.tenant_id)) as tx, pytest.raises(portal.UserNotFound):
        portal.change_own(tx, portal.OwnChange(first_name="Nobody"))


def test_a_new_password_ends_all_but_the_session_that_it_was_given_in(lab):
    lab.user("ben")
    here, there = lab.log_in("ben"), lab.log_in("ben")
    with lab.database.begin(here.signed_in.scope) as tx:
        _, api_token = portal.add_token(tx, here.signed_in, "script")

    portal.change_own_password(lab.database, here.signed_in, portal.NewPassword(PASSWORD, ANOTHER))

    assert lab.behind(here.token).user.name == lab.email("ben")
    for token in (there.token, api_token):
        with pytest.raises(BadToken):
            lab.behind(token)
    with pytest.raises(WrongLogin):
        lab.log_in("ben")
    assert lab.log_in("ben", ANOTHER).signed_in.user.number == 1


def test_a_new_password_takes_the_old_one_and_guessing_it_is_limited(lab):
    lab.user("ben")
    ben = lab.log_in("ben").signed_in

    with pytest.raises(PasswordTooShort):
        portal.change_own_password(lab.database, ben, portal.NewPassword(PASSWORD, "short"))
    for _ in range(10):
        with pytest.raises(portal.WrongPassword):
            portal.change_own_password(lab.database, ben, portal.NewPassword("a guess", ANOTHER))
    with pytest.raises(TooManyAttempts):
        portal.change_own_password(lab.database, ben, portal.NewPassword(PASSWORD, ANOTHER))
    assert lab.log_in("ben").signed_in.user.number == 1


def test_a_token_of_a_program_is_not_enough_to_change_the_password(lab):
    lab.user("ben")
    opened = lab.log_in("ben")
    with lab.database.begin(opened.signed_in.scope) as tx:
        _, token = portal.add_token(tx, opened.signed_in, "script")

    with pytest.raises(portal.SessionNeeded):
        portal.change_own_password(lab.database, lab.behind(token), portal.NewPassword(PASSWORD, ANOTHER))


def test_two_tenants_see_nothing_of_each_other(lab, zenith):
    lab.user("ada", is_admin=True)
    zoe = zenith.user("zoe", is_admin=True)
    token = lab.log_in("ada").token

    with pytest.raises(BadToken):
        zenith.behind(token)
    with pytest.raises(WrongLogin):
        portal.log_in(
            zenith.database,
            zenith.seal,
            zenith.tenant_id,
            portal.Login(lab.email("ada"), PASSWORD, address="192.0.2.7"),
        )
    with as_(lab, "ada") as tx:
        assert [user.name for user in portal.search_users(tx)] == [lab.email("ada")]
        with pytest.raises(portal.UserNotFound):
            portal.find_user_called(tx, zenith.email("zoe"))
        portal.change_is_admin(tx, zoe.number, True)  # the same number, and somebody else
    assert zenith.log() == ["fairlead tenant.create organization", "fairlead portal.user.create zoe"]
