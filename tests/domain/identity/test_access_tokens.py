"""Access tokens: who gets one, for whom its bearer is taken, and when it is good no more."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from joserfc import jwt
from joserfc.jwk import RSAKey

from fairlead.base import clock
from fairlead.base.database import Database
from fairlead.base.keys import KeyFolder
from fairlead.base.scope import ActorKind, Scope
from fairlead.domain import identity
from fairlead.domain.identity import (
    AccessGrant,
    AccessKind,
    Act,
    BadToken,
    NotTheMaster,
    Resource,
    RoleForbids,
    SecondFactorStandsAgainst,
    TenantSuspended,
    TokenExpired,
    TooManyAttempts,
    UnknownProgram,
    WrongLogin,
)
from fairlead.parts import open_seal, open_tokens, prepare
from fairlead.settings import Settings
from house.accounts import Account, document, found
from house.world import HASH, PASSWORD


@pytest.fixture
def account(database, tokens) -> Account:
    return found(database, tokens)


@pytest.fixture
def other(database, tokens) -> Account:
    return found(database, tokens)


def test_the_master_gets_in_by_e_mail_and_may_do_everything(account):
    access = identity.enter(account.database, account.tokens, account.request(account.email.upper()))

    scope = account.behind(access.token)
    assert (scope.tenant_id, scope.actor.kind, scope.actor.name) == (account.tenant_id, ActorKind.USER, account.email)
    assert identity.may(scope, Act.CREATE_ROLE, Resource.other("role"))
    assert access.expires_in_seconds == 43200
    claims = account.tokens.read_access(access.token)
    assert claims.expires_at - clock.now().timestamp() == pytest.approx(43200, abs=5)
    assert access.token not in repr(access)
    assert PASSWORD not in repr(account.request(account.email))


def test_a_member_gets_in_by_name_and_goes_by_their_role(account):
    account.add("kim", document("Allow stack:describeStack * _SUBUSER_"))

    scope = account.behind(account.log_in("kim"))

    own, lees = (Resource.of_stack("mo-1", owner=owner, vendor="aws") for owner in ("kim", "lee"))
    assert (scope.tenant_id, scope.actor.name) == (account.tenant_id, "kim")
    assert [identity.may(scope, Act.VIEW_STACK, each) for each in (own, lees)] == [True, False]


def test_a_program_gets_in_by_itself(account):
    scope = account.behind(account.log_in())

    assert (scope.tenant_id, scope.actor.id) == (account.tenant_id, account.client_id)


def test_wrong_credentials_of_a_program_are_said_before_anything_else(account, other):
    wrong = [{"client_secret": other.client_secret}, {"client_id": "lg-nothing"}, {"client_secret": ""}]

    for wishes in wrong:
        for username in ("", account.email):
            with pytest.raises(UnknownProgram, match="Client authentication failed"):
                account.log_in(username, **wishes)


def test_whoever_is_unknown_is_told_the_same_as_whoever_has_the_wrong_password(account, other):
    account.add("kim")
    other.add("lee")
    cases = [(name, "wrong password") for name in ("kim", account.email)]
    cases += [(name, PASSWORD) for name in ("nobody", "nobody@acme.example", "lee", other.email, "KIM", " kim")]

    refusals = set()
    for username, password in cases:
        with pytest.raises(WrongLogin) as refused:
            account.log_in(username, password)
        refusals.add(str(refused.value))

    assert len(refusals) == 1


def test_whoever_is_unknown_is_told_so_after_as_long(account, real_password_costs):
    slow = identity.prepare_password(PASSWORD)
    with account.database.begin(account.system) as tx:
        identity.add_member(tx, "kim", slow)

    def seconds(username: str, number: int) -> float:
        begun = time.perf_counter()
        with pytest.raises(WrongLogin):
            account.log_in(username, "wrong password", address=f"192.0.2.{number}")
        return time.perf_counter() - begun

    taken = {name: min(seconds(name, n) for n in range(5)) for name in ("kim", "lee", "e@a.example")}

    assert min(taken.values()) > max(taken.values()) / 3, taken


def test_after_too_many_failures_even_the_right_password_is_refused_for_a_while(account, other):
    account.add("kim")
    other.add("kim")
    for _ in range(10):
        with pytest.raises(WrongLogin):
            account.log_in("kim", "wrong password")

    with pytest.raises(TooManyAttempts):
        account.log_in("kim")

    assert account.log_in("kim", address="192.0.2.2")
    assert other.log_in("kim")
    with time_machine.travel(clock.now() + timedelta(minutes=6), tick=True):
        assert account.log_in("kim")


def test_failures_of_a_master_count_for_all_logins_alike(account):
    credentials = identity.Credentials(account.email, "wrong password", address="192.0.2.1")
    for _ in range(10):
        with pytest.raises(WrongLogin):
            identity.log_in(account.database, account.tokens, None, credentials)

    with pytest.raises(TooManyAttempts):
        account.log_in(account.email)


def test_a_user_who_may_not_do_everything_is_not_let_in_as_the_master(account):
    email = f"ben-{account.email}"
    with account.database.begin(account.system) as tx:
        ben = identity.add_user(tx, email, HASH, ["RBAC_ROLE_OBSERVER"])
    with pytest.raises(NotTheMaster):
        account.log_in(email)
    with pytest.raises(WrongLogin):
        account.log_in(email, "wrong password")

    with account.database.begin(account.system) as tx:
        identity.change_user(tx, ben.id, identity.UserChange(roles=["RBAC_ROLE_PERMIT_ALL"]))
    token = account.log_in(email)
    assert account.behind(token)

    with account.database.begin(account.system) as tx:
        identity.change_user(tx, ben.id, identity.UserChange(roles=["RBAC_ROLE_OBSERVER"]))
    with pytest.raises(BadToken):
        account.behind(token)


def test_a_second_factor_stands_against_a_login_that_cannot_ask_for_it(account, tmp_path):
    from pyotp import TOTP, parse_uri

    seal = open_seal(Settings(data=tmp_path))
    master = account.master
    with account.database.begin(master) as tx:
        identity.change_own_settings(tx, seal, {"2fa": "enabled"})
        secret = parse_uri(identity.second_factor_address(tx, seal)).secret
    identity.verify_second_factor(account.database, master, seal, TOTP(secret).at(clock.now()))

    with pytest.raises(SecondFactorStandsAgainst, match="second factor"):
        account.log_in(account.email)
    with pytest.raises(WrongLogin):
        account.log_in(account.email, "wrong password")


@pytest.mark.parametrize(
    ("sentences", "is_let_in"),
    [
        (["Deny user:consoleLoginUser *", "Allow * *"], False),
        (["Allow * *", "Deny view:user.login *"], False),
        (["Allow stack:describeStacks *"], True),
    ],
)
def test_a_role_keeps_somebody_out_only_if_it_says_so(account, sentences, is_let_in):
    account.add("kim", document(*sentences))

    if is_let_in:
        assert account.log_in("kim")
    else:
        with pytest.raises(RoleForbids):
            account.log_in("kim")


def test_a_role_that_forbids_the_login_ends_the_tokens_that_there_are(account):
    account.add("kim")
    token = account.log_in("kim")
    with account.database.begin(account.system) as tx:
        role = identity.add_document_role(tx, "out", document("Deny user:consoleLoginUser *", "Allow * *"))
        identity.attach_role(tx, "kim", role.id)

    with pytest.raises(RoleForbids):
        account.behind(token)


@pytest.fixture
def everybody(account) -> dict[str, str]:
    """A token of each kind."""
    account.add("kim")
    return {"master": account.log_in(account.email), "member": account.log_in("kim"), "program": account.log_in()}


def dead(account: Account, tokens: dict[str, str]) -> set[str]:
    """Those whose tokens are refused."""

    def is_refused(token: str) -> bool:
        try:
            account.behind(token)
        except BadToken:
            return True
        return False

    return {who for who, token in tokens.items() if is_refused(token)}


def test_a_token_dies_with_what_it_stands_for_and_at_once(account, everybody):
    assert dead(account, everybody) == set()

    with account.database.begin(account.system) as tx:
        identity.change_member_password(tx, "kim", HASH)
    assert dead(account, everybody) == {"member"}
    everybody["member"] = account.log_in("kim")
    assert dead(account, everybody) == set()

    with account.database.begin(account.system) as tx:
        identity.remove_member(tx, "kim")
        identity.add_member(tx, "kim", HASH)
    assert dead(account, everybody) == {"member"}

    with account.database.begin(account.system) as tx:
        identity.remove_program(tx, account.client_id)
    assert dead(account, everybody) == {"member", "program"}

    with account.database.begin(account.system) as tx:
        user = identity.search_users(tx, emails=[account.email])[0]
        identity.change_user(tx, user.id, identity.UserChange(password=HASH))
    assert dead(account, everybody) == {"member", "program", "master"}


def test_a_master_who_is_removed_is_out(account, everybody):
    with account.database.begin(account.system) as tx:
        identity.add_user(tx, f"eve-{account.email}", HASH)
        identity.remove_user(tx, identity.search_users(tx, emails=[account.email])[0].id)

    assert dead(account, everybody) == {"master"}


def test_nobody_gets_in_or_stays_in_while_the_organization_is_suspended(account, everybody):
    with account.database.across_tenants("suspend") as tx:
        identity.suspend_tenant(tx, account.tenant_id)

    for username in ("kim", account.email, ""):
        with pytest.raises(TenantSuspended):
            account.log_in(username)
    for token in everybody.values():
        with pytest.raises(TenantSuspended):
            account.behind(token)

    with account.database.across_tenants("activate") as tx:
        identity.activate_tenant(tx, account.tenant_id)
    assert dead(account, everybody) == set()


def test_a_token_is_good_for_twelve_hours(account, everybody):
    with time_machine.travel(clock.now() + timedelta(hours=11, minutes=59), tick=True):
        assert dead(account, everybody) == set()

    with time_machine.travel(clock.now() + timedelta(hours=12, seconds=1), tick=True):
        for token in everybody.values():
            with pytest.raises(TokenExpired):
                account.behind(token)


def test_tokens_survive_a_restart_with_the_same_folder_and_die_with_another_key(tmp_path):
    settings = Settings(data=tmp_path / "data", multitenant=True)
    other_key = open_tokens(Settings(data=tmp_path / "other", multitenant=True))
    account = found(prepare(settings), open_tokens(settings))
    account.add("kim")
    issued = {"master": account.log_in(account.email), "member": account.log_in("kim"), "program": account.log_in()}
    account.database.close()

    again = Account(**{**vars(account), "database": Database(settings.database_url), "tokens": open_tokens(settings)})

    assert dead(again, issued) == set()
    assert dead(Account(**{**vars(again), "tokens": other_key}), issued) == set(issued)


def test_neither_sort_of_token_is_taken_for_the_other(account, everybody):
    credentials = identity.Credentials(account.email, PASSWORD, address="192.0.2.1")
    of_user = identity.log_in(account.database, account.tokens, None, credentials)
    of_device = account.tokens.for_device("auth set", "device", account.tenant_id, "os", 0)
    of_tenant = account.tokens.for_tenant(account.tenant_id)

    for token in (of_user, of_device, of_tenant, ""):
        with pytest.raises(BadToken):
            account.tokens.read_access(token)
    for token in everybody.values():
        with pytest.raises(BadToken):
            account.tokens.read(token)
        with pytest.raises(BadToken):
            account.tokens.read_tenant(token)


def signed(said: Mapping[str, Any], key: RSAKey, **header: str) -> str:
    return jwt.encode({"alg": "RS256", "typ": "JWT", **header}, dict(said), key)


def test_what_nobody_but_us_may_say_is_believed_from_us_only(tmp_path):
    settings = Settings(data=tmp_path, multitenant=True)
    tokens = open_tokens(settings)
    ours, stranger = RSAKey.import_key(KeyFolder(settings.keys_folder).rsa("tokens")), RSAKey.generate_key(2048)
    token = tokens.for_access(AccessKind.MEMBER, "kim", "acme", 5)[0]
    other = tokens.for_access(AccessKind.USER, "ada", "acme")[0]
    header, claims, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    nothing = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    forged = [
        signed(said, stranger),
        signed(said, ours, kid="1"),
        f"{nothing}.{claims}.",
        f"{header}.{claims}.{signature[:-6]}AAAAAA",
        f"{header}.{other.split('.')[1]}.{signature}",
    ]
    strange: list[dict[str, Any]] = [
        {"fairlead.access": "root"},
        {"fairlead.access": None},
        {"fairlead.access": ["member"]},
        {"iss": "mender.useradm"},
        {"fairlead.tenant": ""},
        {"fairlead.tenant": 1},
        {"fairlead.generation": "5"},
        {"fairlead.generation": True},
        {"sub": ["kim"]},
        {"jti": None},
    ]

    assert tokens.read_access(signed(said, ours)) == tokens.read_access(token)
    for each in [*forged, *(signed({**said, **claim}, ours) for claim in strange)]:
        with pytest.raises(BadToken):
            tokens.read_access(each)


def test_a_token_says_nothing_for_another_kind_of_bearer_or_another_tenant(account, other, everybody):
    read = account.tokens.read_access
    member, master = read(everybody["member"]), read(everybody["master"])
    again = [
        (AccessKind.USER, member.subject, account.tenant_id, 0),
        (AccessKind.MEMBER, member.subject, other.tenant_id, member.generation),
        (AccessKind.MEMBER, master.subject, account.tenant_id, 0),
        (AccessKind.PROGRAM, account.client_id, other.tenant_id, 0),
        (AccessKind.AGENT, account.client_id, account.tenant_id, 0),
        (AccessKind.USER, master.subject, account.tenant_id, 0),  # of no session
    ]

    assert dead(account, {str(each): account.tokens.for_access(*each)[0] for each in again}) == set(map(str, again))


def test_a_server_of_one_organization_believes_tokens_of_no_other(tmp_path):
    one = open_tokens(Settings(data=tmp_path))
    many = open_tokens(Settings(data=tmp_path, multitenant=True))

    own = one.for_access(AccessKind.MEMBER, "kim", identity.DEFAULT_TENANT_ID)[0]

    assert one.read_access(own).tenant_id == many.read_access(own).tenant_id == identity.DEFAULT_TENANT_ID
    with pytest.raises(BadToken):
        one.read_access(many.for_access(AccessKind.MEMBER, "kim", "acme")[0])


def test_the_program_says_which_account_a_name_belongs_to(account, other):
    account.add("kim")
    other.add("kim", document("Allow stack:describeStacks mo-1"))

    scopes: list[Scope] = [each.behind(each.log_in("kim")) for each in (account, other)]

    assert [scope.tenant_id for scope in scopes] == [account.tenant_id, other.tenant_id]
    with pytest.raises(WrongLogin):
        account.log_in(other.email, grant=AccessGrant.PASSWORD)
