"""Who has a second factor gets in with the password and a code, each code once."""

from __future__ import annotations

import base64
import io
import threading
import time

import httpx
import pyotp
import pytest
import segno

from fairlead.domain import audit
from fairlead.domain.identity import attempts
from fairlead.domain.identity.personal_store import find_second_factor
from house.program import run
from house.world import ADA, BEN, LOGIN, PASSWORD, USERADM, ZOE, Organization, Person, settled

SETTINGS, QR, VERIFY = f"{USERADM}/settings", f"{USERADM}/2faqr", f"{USERADM}/2faverify"


class Account:
    """Somebody with an account, from both sides: what they ask for, and what the server keeps."""

    def __init__(self, organization: Organization, who: str = ADA) -> None:
        self.organization = organization
        self.fairlead = organization.server.fairlead
        self.person: Person = organization.mender.as_(who)
        self.email = self.person.get(f"{USERADM}/users/me").json()["email"]
        self.id = self.person.get(f"{USERADM}/users/me").json()["id"]

    def enable(self) -> httpx.Response:
        return self.person.post(SETTINGS, json={"2fa": "enabled"})

    def disable(self) -> httpx.Response:
        return self.person.post(SETTINGS, json={"2fa": "disabled"})

    def verify(self, code: str) -> httpx.Response:
        return self.person.put(VERIFY, json={"token2fa": code})

    def protect(self) -> Account:
        """Put a second factor in force with the code of this moment."""
        assert self.enable().status_code == 201
        assert self.verify(self.code()).status_code == 202
        return self

    def log_in(self, code: str | None = None, password: str = PASSWORD) -> httpx.Response:
        body = {} if code is None else {"json": {"token2fa": code}}
        return self.person.client.post(LOGIN, auth=(self.email, password), **body)

    def kept(self):
        with self.fairlead.database.read(self.organization.scope) as tx:
            return find_second_factor(tx, self.id)

    def secret(self) -> str:
        """What the app knows, read where the server keeps it."""
        return self.fairlead.seal.open(self.kept().sealed, f"second factor of {self.id}").decode()

    def code(self, later: int = 0) -> str:
        """What the app shows so many steps of 30 seconds from now."""
        return pyotp.TOTP(self.secret()).at(time.time(), counter_offset=later)

    def updates(self) -> list[dict]:
        """What is on record about changes that people made, oldest first."""
        with self.fairlead.database.read(self.organization.scope) as tx:
            entries = audit.recent(tx, 500)
        return [each.details for each in reversed(entries) if each.action == "user.update"]


@pytest.fixture
def ada(mender, acme) -> Account:
    return Account(acme)


def test_from_enabling_to_logging_in_with_a_code(ada):
    assert ada.enable().status_code == 201
    assert ada.person.get(SETTINGS).json() == {"2fa": "enabled"}
    assert ada.log_in().status_code == 200  # it is not in force yet
    assert ada.person.get(QR).status_code == 200
    verified = ada.verify(ada.code())

    assert (verified.status_code, verified.content) == (202, b"")
    without = ada.log_in()
    assert (without.status_code, "2fa" in without.json()["error"]) == (401, True)
    assert ada.log_in(ada.code()).status_code == 200
    assert ada.disable().status_code == 201
    assert ada.log_in().status_code == 200
    assert ada.person.get(SETTINGS).json() == {"2fa": "disabled"}


def test_the_qr_code_is_an_image_of_what_an_app_needs(ada):
    ada.enable()

    reply = ada.person.get(QR)

    assert set(reply.json()) == {"qr"}
    assert reply.headers["cache-control"] == "no-store"
    image = base64.b64decode(reply.json()["qr"], validate=True)
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    address = pyotp.TOTP(ada.secret()).provisioning_uri(name=ada.email, issuer_name="Fairlead")
    assert address.startswith("otpauth://totp/")
    assert f"secret={ada.secret()}" in address
    assert "issuer=Fairlead" in address
    drawn = io.BytesIO()
    segno.make_qr(address).save(drawn, kind="png", scale=5)
    assert image == drawn.getvalue()


def test_the_secret_is_long_everybodys_own_and_sealed(mender, acme):
    ada, ben = Account(acme), Account(acme, BEN)
    ada.enable()
    ben.enable()

    assert ada.secret() != ben.secret()
    assert len(base64.b32decode(ada.secret())) == 20
    assert ada.secret() not in ada.kept().sealed


def test_there_is_no_qr_code_before_it_is_enabled(standing):
    reply = standing.mender.as_(ADA).get(QR)

    assert (reply.status_code, "2fa is not enabled" in reply.json()["error"]) == (400, True)


def test_the_secret_is_never_shown_again_once_it_is_in_force(ada):
    ada.protect()
    ada.enable()

    reply = ada.person.get(QR)

    assert (reply.status_code, "in force" in reply.json()["error"]) == (400, True)


@pytest.mark.parametrize("name", ["code", "qr"])
def test_enabling_it_again_changes_nothing(ada, name):
    ada.enable()
    before = ada.secret()
    if name == "code":
        ada.verify(ada.code())

    assert ada.enable().status_code == 201

    assert ada.secret() == before
    assert ada.log_in().status_code == (401 if name == "code" else 200)


def test_settings_without_2fa_leave_the_second_factor_as_it_was(ada):
    ada.person.post(SETTINGS, json={"a": 1})
    assert ada.person.get(SETTINGS).json() == {"a": 1}
    ada.protect()

    ada.person.post(SETTINGS, json={"a": 2})

    assert ada.person.get(SETTINGS).json() == {"a": 2, "2fa": "enabled"}
    assert ada.log_in().status_code == 401
    ada.disable()
    ada.person.post(SETTINGS, json={"a": 3})
    assert ada.person.get(SETTINGS).json() == {"a": 3, "2fa": "disabled"}
    assert ada.log_in().status_code == 200


def test_a_new_secret_is_made_after_it_was_disabled(ada):
    ada.protect()
    old, old_code = ada.secret(), ada.code(later=1)
    ada.disable()
    ada.enable()

    assert ada.secret() != old
    assert ada.log_in().status_code == 200
    assert ada.verify(old_code).status_code == 401


def test_it_takes_the_professional_plan(server):
    for plan, status in (("os", 403), ("professional", 201)):
        with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL"}, plan=plan) as acme:
            reply = acme.mender.as_(ADA).post(SETTINGS, json={"2fa": "enabled", "a": 1})
            assert reply.status_code == status
            assert acme.mender.as_(ADA).post(SETTINGS, json={"2fa": "disabled"}).status_code == 201


def test_a_second_factor_is_not_asked_for_in_a_plan_that_has_none(server, ada, acme):
    ada.protect()
    with server.fairlead.database.across_tenants("a test") as tx:
        from fairlead.domain.identity import store

        store.change_tenant(tx, acme.tenant.id, plan="os")

    assert ada.log_in().status_code == 200
    assert ada.disable().status_code == 201


@pytest.mark.parametrize("body", [{}, {"token2fa": ""}, {"token2fa": "12345"}, {"token2fa": "1234567"}])
@pytest.mark.parametrize("others", [{}])
def test_what_is_no_code_cannot_be_verified(standing, body, others):
    assert standing.mender.as_(ADA).put(VERIFY, json=body | others).status_code == 400


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        *(b'{"token2fa": %s}' % each for each in (b"123456", b"null", b'"12345a"', b'"\xc2\xb2"')),
    ],
)
def test_a_body_that_is_none_cannot_be_verified(standing, content):
    reply = standing.mender.as_(ADA).put(VERIFY, content=content, headers={"Content-Type": "application/json"})

    assert reply.status_code == 400
    assert set(reply.json()) == {"error", "request_id"}


def test_a_wrong_code_does_not_put_it_in_force(ada):
    ada.enable()

    wrong = ada.verify(ada.code(later=50))

    assert wrong.status_code == 401
    assert "2fa" in wrong.json()["error"]
    assert ada.log_in().status_code == 200


def test_without_a_secret_there_is_nothing_to_verify(ada):
    assert ada.verify("123456").status_code == 400


def test_wrong_codes_can_be_tried_ten_times(ada, server):
    ada.enable()
    replies = [ada.verify(ada.code(later=50 + number)) for number in range(10)]

    right = ada.verify(ada.code())

    assert [reply.status_code for reply in replies] == [401] * 10
    assert (right.status_code, int(right.headers["retry-after"]) > 280) == (429, True)
    with server.fairlead.database.across_tenants("five minutes pass") as tx:
        attempts.forget(tx, attempts.verifications_by(ada.id))
    assert ada.verify(ada.code()).status_code == 202


@pytest.mark.parametrize("code", ["", "000", "garbage", "12345678", "１２３４５６"])
def test_a_login_with_what_is_no_code_is_refused(ada, code):
    ada.protect()

    reply = ada.log_in(code)

    assert (reply.status_code, "2fa" in reply.json()["error"]) == (401, True)


@pytest.mark.parametrize("steps", [-4, -3, -2, 3, 4])
def test_a_code_that_is_too_old_or_too_new_is_refused(ada, steps):
    ada.protect()

    assert ada.log_in(ada.code(later=steps)).status_code == 401


def test_a_clock_that_is_a_little_fast_does_no_harm(ada):
    ada.protect()

    assert ada.log_in(ada.code(later=1)).status_code == 200


def test_nobody_learns_of_a_second_factor_without_the_password(ada):
    ada.protect()

    replies = [ada.log_in(code, password="wrong") for code in (None, "000000", ada.code())]

    assert [(reply.status_code, reply.json()["error"]) for reply in replies] == [(401, "unauthorized")] * 3
    assert ada.log_in(ada.code()).status_code == 200  # and the code was not used up


def test_a_code_gets_in_once(ada):
    ada.protect()
    code = ada.code()

    replies = [ada.log_in(code) for _ in range(3)]

    assert [reply.status_code for reply in replies] == [200, 401, 401]
    assert "used before" in replies[1].json()["error"]
    assert ada.log_in(ada.code(later=1)).status_code == 200


def test_an_older_code_is_refused_after_a_newer_one(ada):
    ada.protect()
    older, newer = ada.code(), ada.code(later=1)

    assert [ada.log_in(code).status_code for code in (newer, older)] == [200, 401]


def test_a_code_that_verified_does_not_verify_again(ada):
    ada.protect()
    code = ada.code(later=1)

    assert [ada.verify(each).status_code for each in (code, code)] == [202, 401]


def test_one_code_is_worth_one_token_however_many_ask_at_once(server, ada):
    ada.protect()
    code, answers = ada.code(later=1), []

    def enter() -> None:
        reply = httpx.post(server.url + LOGIN, auth=(ada.email, PASSWORD), json={"token2fa": code}, timeout=30)
        answers.append(reply.status_code)

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [200] + [401] * 7


def test_wrong_codes_count_as_failed_logins_and_a_missing_one_does_not(ada):
    ada.protect()
    missing = [ada.log_in().status_code for _ in range(12)]
    wrong = [ada.log_in(ada.code(later=50 + number)).status_code for number in range(10)]

    assert (set(missing), wrong) == ({401}, [401] * 10)
    assert ada.log_in(ada.code()).status_code == 429


def test_sessions_that_were_there_before_go_on(ada):
    ada.protect()

    assert ada.person.get(SETTINGS).status_code == 200


def test_it_is_on_record_what_was_done_and_nothing_secret(ada):
    ada.protect()
    secret = ada.secret()
    ada.disable()

    assert ada.updates() == [
        {"changed": ["second factor", "settings"], "second_factor": "enabled"},
        {"changed": ["second factor"], "second_factor": "in force"},
        {"changed": ["second factor", "settings"], "second_factor": "disabled"},
    ]
    assert secret not in str(ada.updates())


def test_nobody_changes_somebody_elses(mender, acme, zenith):
    ada = Account(acme).protect()

    for who in (BEN, ZOE):
        other = Account(acme if who == BEN else zenith, who)
        assert other.disable().status_code == 201
        assert other.verify(ada.code(later=1)).status_code == 400

    assert ada.log_in().status_code == 401


def test_an_operator_helps_somebody_who_lost_the_phone(server, ada):
    ada.protect()
    where = ("--data", server.settings.data, "--database", server.settings.database, "--multitenant")

    unknown = run("user", "reset-2fa", "--email", "nobody@acme.example", *where)
    done = run("user", "reset-2fa", "--email", ada.email.upper(), *where)

    assert (unknown.code, unknown.err.count("\n")) == (2, 1)
    assert done.code == 0, done.err
    until = time.monotonic() + 10
    while ada.person.get(SETTINGS).status_code == 200:
        assert time.monotonic() < until, "the sessions go on"
    entered = ada.log_in()
    assert entered.status_code == 200
    assert Person(ada.person.client, entered.text).get(SETTINGS).json() == {"2fa": "disabled"}
    assert ada.updates()[-1] == {"changed": ["second factor"], "second_factor": "reset"}
