"""Who gets in, with whose password? And an account is nobody's but theirs whose e-mail it has."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from fairlead.domain import identity
from fairlead.domain.identity import TooManyAttempts, portal
from fairlead.domain.identity.model import BadToken, TenantNotFound, WrongLogin
from fairlead.domain.identity.portal.directory import Entry
from fairlead.domain.identity.second_factor import SecondFactorMissing, WrongSecondFactor
from house.world import PASSWORD

ANOTHER = "another long password"


class Directory:
    """Stands in for a directory where one is only asked: who is in it, and what was asked."""

    def __init__(self, **people: Entry) -> None:
        self.people = people
        self.asked = []

    def verify(self, name: str, password: str) -> Entry | None:
        self.asked.append(name)
        return self.people.get(name.split("@")[0]) if password == PASSWORD else None


def change_account(lab, account, **change) -> None:
    with lab.database.begin(lab.system) as tx:
        identity.change_user(tx, account.id, identity.UserChange(**change))


@pytest.mark.parametrize(
    ("who", "password"),
    [("ben", "wrong"), ("nobody", PASSWORD), ("ben", ""), ("ben", "x" * 1025), ("x" * 300, "x"), ("\0", "x")],
)
def test_a_wrong_password_and_an_unknown_name_look_the_same(lab, who, password):
    lab.user("ben")

    with pytest.raises(WrongLogin):
        lab.log_in(who, password)


def test_capitals_in_an_e_mail_mean_nothing(lab):
    lab.user("ben")

    assert lab.log_in("BEN").signed_in.user.number == 1
    assert lab.find(1).logged_in_at is not None


def test_the_name_of_a_tenant_that_is_not_there_is_refused(lab):
    with pytest.raises(TenantNotFound):
        portal.log_in(lab.database, lab.seal, "nowhere", portal.Login("a@b.example", PASSWORD))


def test_after_ten_failures_from_one_address_even_the_right_password_is_refused(lab):
    lab.user("ben")
    for _ in range(10):
        with pytest.raises(WrongLogin):
            lab.log_in("ben", "wrong")

    with pytest.raises(TooManyAttempts):
        lab.log_in("ben")


def test_a_login_that_succeeds_forgets_the_failures_before(lab):
    lab.user("ben")
    for _ in range(3):
        for _ in range(9):
            with pytest.raises(WrongLogin):
                lab.log_in("ben", "wrong")
        assert lab.log_in("ben").signed_in.user.number == 1


def test_failures_count_together_with_those_at_the_other_doors_of_the_organization(lab, tokens):
    lab.account("ada")
    for _ in range(10):
        with pytest.raises(WrongLogin):
            lab.log_in("ada", "wrong")

    shown = identity.Credentials(lab.email("ada"), PASSWORD, address="192.0.2.1")
    with pytest.raises(TooManyAttempts):
        identity.log_in(lab.database, tokens, lab.seal, shown)


def test_whoever_may_do_everything_in_the_organization_administers_its_portal_from_the_first_login_on(lab):
    lab.account("ada")

    first, second = lab.log_in("ada"), lab.log_in("ada")

    assert first.signed_in.is_administering
    assert [(user.number, user.is_admin, user.authentication_type) for user in lab.users()] == [(1, True, "local")]
    assert lab.behind(second.token).is_administering
    assert lab.log()[-1] == "ada portal.user.create ada"


def test_others_of_the_organization_are_no_users_of_its_portal(lab, zenith):
    lab.account("ben", "RBAC_ROLE_OBSERVER")
    lab.account("ada")

    with pytest.raises(WrongLogin):
        lab.log_in("ben")
    with pytest.raises(WrongLogin):
        given = portal.Login(lab.email("ada"), PASSWORD, address="192.0.2.1")
        portal.log_in(zenith.database, zenith.seal, zenith.tenant_id, given)
    assert (lab.users(), zenith.users()) == ([], [])


def test_an_administrator_by_account_is_one_for_as_long_as_the_account_says_so(lab):
    account = lab.account("ada")
    lab.account("bea")
    token = lab.log_in("ada").token

    change_account(lab, account, roles=["RBAC_ROLE_OBSERVER"])

    assert not lab.behind(token).is_administering
    assert not lab.log_in("ada").signed_in.user.is_admin


def test_an_administrator_by_account_is_not_made_another_on_the_portal(lab):
    lab.account("ada")
    lab.log_in("ada")
    lab.user("bea", is_admin=True)

    with lab.database.begin(lab.system) as tx, pytest.raises(portal.AdministratorByAccount):
        portal.change_is_admin(tx, 1, False)


def test_another_password_of_the_account_ends_what_the_old_one_opened(lab):
    account = lab.account("ada")
    opened = lab.log_in("ada")
    with lab.database.begin(opened.signed_in.scope) as tx:
        _, api_token = portal.add_token(tx, opened.signed_in, "script")

    change_account(lab, account, password=identity.prepare_password(ANOTHER))

    for token in (opened.token, api_token):
        with pytest.raises(BadToken):
            lab.behind(token)
    with pytest.raises(WrongLogin):
        lab.log_in("ada")
    assert lab.log_in("ada", ANOTHER).signed_in.user.number == 1


def test_whoever_leaves_the_organization_leaves_its_portal(lab):
    account = lab.account("ada")
    lab.account("bea")
    token = lab.log_in("ada").token

    with lab.database.begin(lab.system) as tx:
        identity.remove_user(tx, account.id)

    with pytest.raises(BadToken):
        lab.behind(token)
    with pytest.raises(WrongLogin):
        lab.log_in("ada")
    assert not lab.find(1).is_admin


def test_the_password_of_an_account_is_not_changed_on_the_portal(lab):
    lab.account("ada")
    ada = lab.log_in("ada").signed_in

    with pytest.raises(portal.PasswordKeptElsewhere):
        portal.change_own_password(lab.database, ada, portal.NewPassword(PASSWORD, ANOTHER))


def test_the_second_factor_of_an_account_is_asked_for_here_too(lab):
    account = lab.account("ada")
    scope = identity.scope_of(account, identity.policy_of(["RBAC_ROLE_PERMIT_ALL"], []))
    with lab.database.begin(scope) as tx:
        identity.change_own_settings(tx, lab.seal, {"2fa": "enabled"})
    with lab.database.read(scope) as tx:
        app = pyotp.parse_uri(identity.second_factor_address(tx, lab.seal))
    identity.verify_second_factor(lab.database, scope, lab.seal, app.now())

    with pytest.raises(SecondFactorMissing):
        lab.log_in("ada")
    with pytest.raises(WrongSecondFactor):
        lab.log_in("ada", code="000000" if app.now() != "000000" else "000001")
    code = app.at(datetime.now(UTC) + timedelta(seconds=30))
    assert lab.log_in("ada", code=code).signed_in.is_administering
    with pytest.raises(WrongSecondFactor):
        lab.log_in("ada", code=code)


def test_a_stranger_who_registered_with_the_e_mail_of_a_later_administrator_has_nothing_of_it(lab):
    lab.register("ada", ANOTHER)
    theirs = lab.log_in("ada", ANOTHER).token
    secret = lab.secrets_for("ada")[0]
    lab.account("ada")

    assert lab.log_in("ada").signed_in.is_administering

    with pytest.raises(BadToken):
        lab.behind(theirs)
    with pytest.raises(WrongLogin):
        lab.log_in("ada", ANOTHER)
    with pytest.raises(portal.BadSecret):
        portal.confirm(lab.database, lab.tenant_id, secret)
    assert [user.is_admin for user in lab.users()] == [True]


def test_a_user_who_becomes_an_administrator_of_the_organization_keeps_what_they_have(lab):
    ben = lab.user("ben")
    lab.account("ben")

    opened = lab.log_in("ben")

    assert (opened.signed_in.user.number, opened.signed_in.is_administering) == (ben.number, True)


def test_whoever_is_in_the_directory_becomes_a_user_at_the_first_login(lab):
    directory = Directory(cleo=Entry("uuid-1", lab.email("cleo"), "Cleo", "Co"))

    first, second = lab.log_in("cleo", directory=directory), lab.log_in("cleo", directory=directory)

    user = first.signed_in.user
    assert (user.authentication_type, user.status, user.first_name) == ("ldap", "active", "Cleo")
    assert second.signed_in.user.number == user.number == 1
    with pytest.raises(WrongLogin):
        lab.log_in("cleo", "wrong", directory=directory)
    with pytest.raises(WrongLogin):
        lab.log_in("cleo")  # without the directory nobody can say


def test_the_directory_is_not_told_passwords_of_our_own_users_nor_empty_ones(lab):
    directory = Directory()
    lab.user("ben")
    lab.account("ada")

    for who, password in (("ben", "wrong"), ("ben", PASSWORD), ("ada", "wrong"), ("cleo", "")):
        try:
            lab.log_in(who, password, directory=directory)
        except WrongLogin:
            continue

    assert directory.asked == []


def test_an_entry_without_an_e_mail_is_known_by_what_never_changes(lab):
    assert lab.log_in("cleo", directory=Directory(cleo=Entry("uuid-1"))).signed_in.user.email == ""

    renamed = lab.log_in("kleo", directory=Directory(kleo=Entry("uuid-1", lab.email("kleo"))))

    assert renamed.signed_in.user.number == 1


def test_nobody_takes_an_account_by_writing_its_e_mail_into_their_entry(lab):
    lab.user("ada", is_admin=True)
    lab.log_in("cleo", directory=Directory(cleo=Entry("uuid-1", lab.email("cleo"))))
    mallory = Directory(mallory=Entry("uuid-2", lab.email("ada")), eve=Entry("uuid-3", lab.email("cleo")))

    for who in ("mallory", "eve"):
        with pytest.raises(portal.EmailOfAnother):
            lab.log_in(who, directory=mallory)
    assert len(lab.users()) == 2


def test_an_entry_has_its_e_mail_back_from_whoever_registered_with_it_and_never_confirmed(lab):
    lab.register("cleo", ANOTHER)
    theirs = lab.log_in("cleo", ANOTHER, directory=Directory()).token

    opened = lab.log_in("cleo", directory=Directory(cleo=Entry("uuid-1", lab.email("cleo"))))

    assert (opened.signed_in.user.authentication_type, opened.signed_in.user.status) == ("ldap", "active")
    with pytest.raises(BadToken):
        lab.behind(theirs)
    with pytest.raises(WrongLogin):
        lab.log_in("cleo", ANOTHER, directory=Directory())


def test_an_account_that_is_made_while_the_directory_is_asked_is_not_taken(lab):
    class Slow(Directory):
        def verify(self, name: str, password: str) -> Entry | None:
            lab.user("cleo")
            return super().verify(name, password)

    with pytest.raises(portal.EmailOfAnother):
        lab.log_in("cleo", directory=Slow(cleo=Entry("uuid-1", lab.email("cleo"))))
    assert [user.authentication_type for user in lab.users()] == ["local"]
