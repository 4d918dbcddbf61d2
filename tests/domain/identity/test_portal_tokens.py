"""Sessions and tokens stand for a user until they end, are taken back, or the user may not come any more."""

from datetime import UTC, datetime, timedelta

import pytest

from fairlead.domain import identity
from fairlead.domain.identity import portal
from fairlead.domain.identity.model import BadToken, TenantSuspended, TokenExpired
from house.world import PASSWORD


def add(lab, signed_in, name: str = "script", **wishes):
    with lab.database.begin(signed_in.scope) as tx:
        return portal.add_token(tx, signed_in, name, **wishes)


def test_a_session_says_who_it_is_where_they_call_from_and_ends_when_it_is_closed(lab):
    lab.user("ben")
    opened = lab.log_in("ben")
    found = portal.session_of(lab.database, lab.tenant_id, opened.token, "192.0.2.5")

    assert (found.scope.actor.id, found.scope.actor.name) == ("portal:00000000001", lab.email("ben"))
    assert portal.grants_of(found.scope).address == "192.0.2.5"
    assert found.kind is portal.TokenKind.SESSION

    with lab.database.begin(found.scope) as tx:
        portal.close_session(tx, found)

    with pytest.raises(BadToken):
        lab.behind(opened.token)


def test_the_token_itself_is_neither_kept_nor_shown(lab):
    lab.user("ben")
    opened = lab.log_in("ben")

    assert opened.token not in repr(opened)
    assert opened.token not in lab.dump()
    assert PASSWORD not in lab.dump()


def test_a_session_ends_by_itself(lab):
    lab.user("ben")
    token = lab.log_in("ben").token
    lab.let_pass(timedelta(days=7))

    with pytest.raises(TokenExpired):
        lab.behind(token)

    with lab.database.across_tenants("tidy up") as tx:
        portal.remove_expired_tokens(tx)
    assert lab.kept()["portal_tokens"] == 0


@pytest.mark.parametrize("token", ["", "nonsense", "x" * 100_000, "\ud800", "\0"])
def test_what_is_no_token_is_nobodys(lab, token):
    lab.user("ben")

    with pytest.raises(BadToken):
        lab.behind(token)


def test_of_too_many_sessions_the_oldest_end(lab):
    number = lab.user("ben").number
    first = lab.log_in("ben").token
    lab.crowd(number, 99)
    last = lab.log_in("ben").token

    with pytest.raises(BadToken):
        lab.behind(first)
    assert lab.behind(last).user.number == number
    assert lab.kept()["portal_tokens"] == 100


def test_a_program_uses_a_token_with_the_rights_of_its_user_and_no_session(lab):
    lab.user("ben")
    ben = lab.log_in("ben").signed_in

    made, token = add(lab, ben, "nightly", days=30)
    behind = lab.behind(token)

    assert (behind.user.number, behind.kind, behind.is_administering) == (1, portal.TokenKind.API, False)
    with lab.database.read(behind.scope) as tx:
        assert portal.list_tokens(tx) == [made]
    assert (made.name, made.as_admin) == ("nightly", False)
    assert timedelta(days=29) < made.expires_at - datetime.now(UTC) <= timedelta(days=30)
    with lab.database.begin(behind.scope) as tx:
        portal.close_session(tx, behind)
    assert lab.behind(token).user.number == 1


def test_a_token_is_taken_back_by_its_user_only(lab):
    lab.user("ben")
    lab.user("bea")
    ben, bea = lab.log_in("ben").signed_in, lab.log_in("bea").signed_in
    made, token = add(lab, ben)

    with lab.database.begin(bea.scope) as tx:
        assert portal.list_tokens(tx) == []
        with pytest.raises(portal.TokenNotFound):
            portal.remove_token(tx, made.id)
    with lab.database.begin(ben.scope) as tx:
        with pytest.raises(portal.TokenNotFound):
            portal.remove_token(tx, ben.token_id)  # a session is no token
        portal.remove_token(tx, made.id)

    with pytest.raises(BadToken):
        lab.behind(token)
    assert lab.log()[-2:] == ["ben portal.token.create ben", "ben portal.token.delete ben"]


def test_a_token_makes_no_other_tokens(lab):
    lab.user("ben")
    _, token = add(lab, lab.log_in("ben").signed_in)

    with pytest.raises(portal.SessionNeeded):
        add(lab, lab.behind(token))


def test_the_anonymous_have_a_session_and_no_tokens(lab):
    with pytest.raises(portal.LogInFirst):
        add(lab, lab.enter().signed_in)


def test_a_token_has_the_powers_of_an_administrator_if_one_who_acts_as_such_gives_them_to_it(lab):
    lab.user("ada", is_admin=True)
    lab.user("ben")
    modest, ada, ben = (
        lab.log_in(who, as_admin=wanted).signed_in for who, wanted in (("ada", False), ("ada", True), ("ben", True))
    )

    for each in (modest, ben):
        with pytest.raises(portal.NotPermitted):
            add(lab, each, as_admin=True)
    _, plain = add(lab, ada)
    _, mighty = add(lab, ada, as_admin=True)

    assert [lab.behind(token).is_administering for token in (plain, mighty)] == [False, True]


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_token_is_good_for_a_year_at_most(lab, days):
    lab.user("ben")

    with pytest.raises(portal.BadLifetime):
        add(lab, lab.log_in("ben").signed_in, days=days)


def test_nobody_has_more_than_fifty_tokens(lab):
    lab.user("ben")
    ben = lab.log_in("ben").signed_in
    lab.crowd(1, 50, kind="api")

    with pytest.raises(portal.TooManyTokens):
        add(lab, ben)


def test_while_the_organization_is_suspended_nobody_is_let_in(lab):
    lab.user("ben")
    opened = lab.log_in("ben")
    with lab.database.across_tenants("the operator") as tx:
        identity.suspend_tenant(tx, lab.tenant_id, "the operator")

    for deed in (lambda: lab.behind(opened.token), lambda: lab.log_in("ben"), lab.enter, lambda: lab.register("bea")):
        with pytest.raises(TenantSuspended):
            deed()
