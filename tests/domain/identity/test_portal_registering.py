"""People get accounts by themselves, and in again, with letters; and nobody learns from that who has an account."""

from datetime import timedelta

import pytest

from fairlead.domain.identity import TooManyAttempts, portal
from fairlead.domain.identity.model import BadEmail, BadToken, PasswordTooShort, TenantNotFound, WrongLogin
from fairlead.domain.identity.portal import Act, ProjectRef, Role, Standing
from house.portal import LINK
from house.world import PASSWORD

ANOTHER = "another long password"
STRANGER = "what a stranger chose"


def reset(lab, who: str, address: str = "192.0.2.9") -> None:
    portal.start_password_reset(lab.database, lab.seal, lab.tenant_id, lab.email(who), LINK, address)


def confirm(lab, secret: str) -> None:
    portal.confirm(lab.database, lab.tenant_id, secret)


def complete(lab, secret: str, password: str = ANOTHER) -> None:
    portal.complete_password_reset(lab.database, lab.tenant_id, secret, password, "192.0.2.1")


def test_whoever_registers_is_pending_until_the_letter_was_read(lab):
    lab.register("ben", first_name="Ben", last_name="Bo")

    assert [(user.status, user.first_name, user.authentication_type) for user in lab.users()] == [
        (Standing.PENDING, "Ben", "local")
    ]
    letter, *others = lab.letters_to(lab.email("ben"))
    assert (letter.subject, others) == ("Confirm your e-mail address", [])

    confirm(lab, *lab.secrets_for("ben"))

    assert lab.users()[0].status is Standing.ACTIVE
    assert lab.log_in("ben").signed_in.user.number == 1
    assert lab.log()[1:] == ["ben portal.user.create ben", "ben portal.user.confirm ben"]


def test_whoever_is_pending_logs_in_and_looks_but_runs_nothing(lab):
    lab.register("ben")
    ben = lab.log_in("ben").signed_in
    own = portal.scope_of(ben.user, {1: Role.OWNER})

    assert portal.may(own, Act.VIEW_JOB, ProjectRef(1))
    with pytest.raises(portal.AccountPending):
        portal.make_sure_may(own, Act.RUN_JOB, ProjectRef(1))


def test_a_session_from_before_goes_on_after_the_confirmation_and_may_run(lab):
    lab.register("ben")
    token = lab.log_in("ben").token

    confirm(lab, *lab.secrets_for("ben"))

    assert portal.may(lab.behind(token).scope, Act.CREATE_PROJECT)


def test_a_secret_is_good_once(lab):
    lab.register("ben")
    secret = lab.secrets_for("ben")[0]
    confirm(lab, secret)

    with pytest.raises(portal.BadSecret):
        confirm(lab, secret)


def test_a_secret_is_good_for_an_hour(lab):
    lab.register("ben")
    secret = lab.secrets_for("ben")[0]
    assert lab.letters_to(lab.email("ben"))[0].worthless_after is not None

    lab.let_pass(timedelta(minutes=61))

    with pytest.raises(portal.BadSecret):
        confirm(lab, secret)


@pytest.mark.parametrize("secret", ["", "nonsense", "x" * 100_000, "\ud800", "\0"])
def test_what_was_never_sent_is_refused(lab, secret):
    lab.register("ben")

    with pytest.raises(portal.BadSecret):
        confirm(lab, secret)
    with pytest.raises(portal.BadSecret):
        complete(lab, secret)


def test_a_secret_is_good_for_its_purpose_and_its_tenant_only(lab, zenith):
    lab.register("ben")
    secret = lab.secrets_for("ben")[0]

    with pytest.raises(portal.BadSecret):
        complete(lab, secret)
    with pytest.raises(portal.BadSecret):
        confirm(zenith, secret)
    confirm(lab, secret)


def test_an_expired_letter_is_asked_for_again_by_registering_again(lab):
    lab.register("ben")
    lab.let_pass(timedelta(minutes=61))

    lab.register("ben")

    old, new = lab.secrets_for("ben")
    with pytest.raises(portal.BadSecret):
        confirm(lab, old)
    confirm(lab, new)
    assert [user.status for user in lab.users()] == [Standing.ACTIVE]


def test_a_stranger_who_registers_first_does_not_know_the_password_of_whoever_confirms(lab):
    lab.register("ben", STRANGER)
    theirs = lab.log_in("ben", STRANGER).token
    lab.register("ben", PASSWORD)

    confirm(lab, lab.secrets_for("ben")[-1])

    with pytest.raises(WrongLogin):
        lab.log_in("ben", STRANGER)
    with pytest.raises(BadToken):
        lab.behind(theirs)
    assert lab.log_in("ben").signed_in.user.status is Standing.ACTIVE


def test_the_links_of_earlier_letters_do_nothing_once_one_was_used(lab):
    lab.register("ben", STRANGER)
    lab.register("ben", PASSWORD)
    first, second = lab.secrets_for("ben")
    confirm(lab, second)

    with pytest.raises(portal.BadSecret):
        confirm(lab, first)
    assert lab.log_in("ben").signed_in.user.number == 1


def test_an_e_mail_that_is_taken_looks_like_success_and_its_owner_is_told(lab):
    lab.user("ben")

    assert lab.register("ben", ANOTHER) is None

    letter, *others = lab.letters_to(lab.email("ben"))
    assert (letter.subject, others) == ("You have an account already", [])
    assert lab.secrets_for("ben") == []
    assert lab.log_in("ben").signed_in.user.number == 1
    with pytest.raises(WrongLogin):
        lab.log_in("ben", ANOTHER)


def test_nobody_registers_with_the_e_mail_of_an_administrator_of_the_organization(lab):
    lab.account("ada")
    lab.account("ben", "RBAC_ROLE_OBSERVER")

    lab.register("ada")
    lab.register("ben")

    assert [user.email for user in lab.users()] == [lab.email("ben")]
    assert [letter.subject for letter in lab.letters_to(lab.email("ada"))] == ["You have an account already"]


def test_no_more_than_three_letters_an_hour_go_to_an_address_and_nothing_tells_it(lab):
    for _ in range(5):
        lab.register("ben")
    reset(lab, "ben")

    assert len(lab.letters_to(lab.email("ben"))) == 3


def test_whoever_asks_for_letters_to_many_is_stopped(lab):
    for number in range(30):
        reset(lab, f"nobody{number}", lab.tenant_id)

    with pytest.raises(TooManyAttempts):
        reset(lab, "ben", lab.tenant_id)
    with pytest.raises(TooManyAttempts):
        lab.register("ben", address=lab.tenant_id)
    assert lab.users() == []


def test_a_portal_may_take_no_registrations(lab):
    given = portal.Registration(lab.email("ben"), PASSWORD)

    with pytest.raises(portal.RegistrationClosed):
        portal.register(lab.database, lab.seal, lab.tenant_id, given, LINK, allowed=False)


def test_what_is_no_e_mail_or_no_password_is_refused_before_anything_is_sent(lab):
    with pytest.raises(PasswordTooShort):
        lab.register("ben", "short")
    with pytest.raises(portal.BadName):
        lab.register("ben", first_name="B\nen")
    with pytest.raises(BadEmail):
        portal.register(lab.database, lab.seal, lab.tenant_id, portal.Registration("ben", PASSWORD), LINK)
    with pytest.raises(TenantNotFound):
        portal.register(lab.database, lab.seal, "nowhere", portal.Registration("b@x.example", PASSWORD), LINK)
    assert (lab.users(), lab.letters_to(lab.email("ben"))) == ([], [])


def test_a_forgotten_password_is_set_anew_with_a_letter(lab):
    lab.user("ben")
    token = lab.log_in("ben").token

    reset(lab, "ben")
    complete(lab, *lab.secrets_for("ben"))

    with pytest.raises(BadToken):
        lab.behind(token)
    with pytest.raises(WrongLogin):
        lab.log_in("ben")
    assert lab.log_in("ben", ANOTHER).signed_in.user.number == 1
    assert lab.log()[-1] == "ben portal.user.update ben"


def test_a_password_that_is_refused_does_not_use_the_secret_up(lab):
    lab.user("ben")
    reset(lab, "ben")
    secret = lab.secrets_for("ben")[0]

    with pytest.raises(PasswordTooShort):
        complete(lab, secret, "short")
    complete(lab, secret)
    with pytest.raises(portal.BadSecret):
        complete(lab, secret)


def test_a_reset_confirms_the_address_too_and_lets_no_stranger_in(lab):
    lab.register("ben", STRANGER)
    reset(lab, "ben")

    complete(lab, lab.secrets_for("ben")[-1])

    assert lab.users()[0].status is Standing.ACTIVE
    with pytest.raises(WrongLogin):
        lab.log_in("ben", STRANGER)


def test_only_whose_password_we_keep_and_may_use_it_gets_a_letter(lab):
    suspended = lab.user("ben")
    lab.account("ada")
    lab.log_in("ada")
    with lab.database.begin(lab.system) as tx:
        portal.suspend_user(tx, suspended.number)

    for who in ("ben", "ada", "nobody"):
        assert reset(lab, who) is None
        assert lab.letters_to(lab.email(who)) == []


def test_a_letter_from_before_the_suspension_opens_nothing(lab):
    ben = lab.user("ben")
    reset(lab, "ben")
    with lab.database.begin(lab.system) as tx:
        portal.suspend_user(tx, ben.number)

    with pytest.raises(portal.BadSecret):
        complete(lab, *lab.secrets_for("ben"))
    assert lab.find(ben.number).status is Standing.SUSPENDED


def test_letters_that_are_too_old_are_forgotten(lab):
    lab.register("ben")
    lab.let_pass(timedelta(hours=2))

    with lab.database.across_tenants("tidy up") as tx:
        portal.remove_expired_letters(tx)

    assert lab.kept() == {"portal_letters": 0, "portal_tokens": 0}
