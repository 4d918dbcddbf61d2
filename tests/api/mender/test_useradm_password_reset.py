"""Who forgot the password sets a new one with a link that came by mail."""

from __future__ import annotations

import os
import threading
import time
import uuid
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from fairlead.base import clock
from fairlead.domain import audit, identity
from fairlead.domain.identity import attempts
from fairlead.domain.identity.store import password_resets
from fairlead.domain.mail.store import letters
from fairlead.settings import Settings
from house.mail import SmtpStandIn, letter_to, letters_to, secret_in
from house.people import EMAIL, make_administrator
from house.server import RunningServer
from house.world import ADA, BEN, LOGIN, PASSWORD, USERADM

START, COMPLETE = f"{USERADM}/auth/password-reset/start", f"{USERADM}/auth/password-reset/complete"
NEW = "an altogether new password"


@pytest.fixture
def email(mender, acme) -> str:
    return mender.as_(ADA).get(f"{USERADM}/users/me").json()["email"]


@pytest.fixture
def start(mender):
    def post(email: object, **more) -> httpx.Response:
        return mender.client.post(START, json={"email": email}, **more)

    return post


@pytest.fixture
def complete(mender):
    def post(secret: str, password: str = NEW, name: str = "secret") -> httpx.Response:
        return mender.client.post(COMPLETE, json={name: secret, "password": password})

    return post


@pytest.fixture
def log_in(mender, email):
    return lambda password: mender.client.post(LOGIN, auth=(email, password)).status_code


@pytest.fixture
def secret(server, start, email) -> str:
    """That of a letter that has arrived."""
    assert start(email).status_code == 202
    return secret_in(letter_to(server, email))


@pytest.mark.parametrize("name", ["secret", "secret_hash"])
def test_the_link_of_the_letter_sets_a_new_password(server, email, start, complete, log_in, name):
    started = start(email)
    secret = secret_in(letter_to(server, email))
    completed = complete(secret, name=name)

    assert (started.status_code, started.content) == (202, b"")
    assert (completed.status_code, completed.content) == (202, b"")
    assert (log_in(PASSWORD), log_in(NEW)) == (401, 200)


def test_the_letter_says_what_it_is_about_and_leads_to_the_server(server, email, start):
    start(email)
    letter = letter_to(server, email)

    assert letter["Subject"] == "Set a new password"
    assert f"\n{server.url}/ui/#/password/" in letter.get_content()
    assert len(secret_in(letter)) == 43  # 256 bits
    assert f"\n\n{secret_in(letter)}\n" in letter.get_content()  # for those who use the API


def test_the_link_never_leads_where_the_request_says(server, email, start):
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Origin": "https://evil.example"}
    start(email, headers=forged)

    assert "evil" not in letter_to(server, email).as_string()


def test_the_letter_is_sent_by_itself(server, email, start):
    start(email)

    until = time.monotonic() + 15
    while not [each for each in (server.settings.data / "mail").glob("*.eml") if email in each.read_text()]:
        assert time.monotonic() < until, "no letter was written"
        time.sleep(0.05)


def test_an_unknown_e_mail_is_answered_alike_and_gets_no_letter(server, start, email):
    nobody = f"{uuid.uuid4()}@nowhere.example"

    known, unknown = start(email), start(nobody)

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"")
    volatile = {"date", "x-men-requestid"}
    assert {n: v for n, v in known.headers.items() if n not in volatile} == {
        n: v for n, v in unknown.headers.items() if n not in volatile
    }
    letter_to(server, email)
    assert letters_to(server, nobody) == []


def test_an_unknown_e_mail_takes_the_same_statements(server, start, email):
    """Times differ from run to run; what the database is asked to do does not."""
    engine, asked = server.fairlead.database.engine, []

    def note(connection, cursor, statement, *_) -> None:
        if threading.current_thread().name.startswith("worker") and "letters.next_try_at" not in statement:
            asked.append(statement)

    def statements_of(address: str) -> list[str]:
        asked.clear()
        start(address)
        wanted = ("failed_logins", "password_resets", "INSERT INTO letters", "FROM users", "FROM tenants")
        return [each for each in asked if any(word in each for word in wanted)]

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        known, unknown = statements_of(email), statements_of(f"{uuid.uuid4()}@nowhere.example")
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)

    assert known == unknown
    assert any("INSERT INTO letters" in each for each in known)


@pytest.mark.parametrize("email", ["", "ada", "ada@", "@b", "a@b\nBcc: c@d", "ä@b.example", "x" * 300 + "@b.example"])
def test_what_is_no_e_mail_is_refused(standing, start, email):
    reply = start(email)

    assert reply.status_code == 400
    assert set(reply.json()) == {"error", "request_id"}


@pytest.mark.parametrize("path", [START, COMPLETE])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"5", b"{}", b'{"email": 5, "secret": 5}', b"\xff"])
def test_a_body_that_makes_no_sense_is_refused(standing, path, body):
    reply = standing.mender.client.post(path, content=body, headers={"Content-Type": "application/json"})

    assert reply.status_code == 400
    assert set(reply.json()) == {"error", "request_id"}


@pytest.mark.parametrize("secret", ["", "x", "16fd2706-8baf-433b-82eb-8c7fada847da", "A" * 43, "x" * 100_000, "ü", "%"])
def test_a_secret_that_was_never_given_out_is_refused(standing, complete, secret):
    reply = complete(secret)

    assert reply.status_code == 400
    assert "password reset" in reply.json()["error"]


def test_a_secret_is_good_once(complete, secret, log_in):
    assert [complete(secret).status_code, complete(secret, "yet another one").status_code] == [202, 400]
    assert log_in(NEW) == 200


def test_a_secret_is_good_once_however_many_try_it_at_once(server, secret):
    answers: list[int] = []

    def reset(number: int) -> None:
        body = {"secret": secret, "password": f"{NEW} {number}"}
        answers.append(httpx.post(server.url + COMPLETE, json=body, timeout=30).status_code)

    threads = [threading.Thread(target=reset, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [202] + [400] * 5


def test_a_password_that_is_too_short_does_not_use_the_secret_up(complete, secret, log_in):
    short, long = complete(secret, "short"), complete(secret, "x" * 2000)

    assert (short.status_code, short.json()["error"]) == (422, "password too short")
    assert long.status_code == 422
    assert log_in(PASSWORD) == 200
    assert complete(secret).status_code == 202


def test_a_secret_is_good_for_an_hour(server, complete, secret, log_in):
    with server.fairlead.database.across_tenants("an hour passes") as tx:
        left = [row.expires_at - clock.now() for row in tx.all(sa.select(password_resets))]
        tx.run(sa.update(password_resets).values(expires_at=clock.now()))

    assert max(left) > timedelta(minutes=59)
    assert complete(secret).status_code == 400
    assert log_in(PASSWORD) == 200
    server.fairlead.housekeeping.forget_old_counts()
    with server.fairlead.database.across_tenants("what is left?", writing=False) as tx:
        assert tx.all(sa.select(password_resets)) == []


def test_only_the_newest_letter_is_good(server, email, start, complete):
    start(email)
    first = secret_in(letter_to(server, email))
    start(email)
    second = secret_in(letter_to(server, email, number=2))

    assert [complete(first).status_code, complete(second).status_code] == [400, 202]


@pytest.mark.parametrize("change", [{"password": "changed in the usual way"}, {"email": "elsewhere-{email}"}])
def test_a_letter_is_void_once_the_password_or_the_e_mail_is_changed_otherwise(mender, complete, secret, email, change):
    change = {name: value.format(email=email) for name, value in change.items()}
    assert mender.as_(ADA).put(f"{USERADM}/users/me", json=change).status_code == 204

    assert complete(secret).status_code == 400


def test_only_its_digest_is_kept(server, secret):
    with server.fairlead.database.across_tenants("what is kept?", writing=False) as tx:
        rows = str(tx.all(sa.select(password_resets))) + str(tx.all(sa.select(letters)))

    assert secret not in rows


def test_all_sessions_of_the_user_end_and_nobody_elses(mender, complete, secret):
    complete(secret)

    assert mender.as_(ADA).get(f"{USERADM}/users").status_code == 401
    assert mender.as_(BEN).get(f"{USERADM}/users").status_code == 200


def test_it_is_on_record_who_did_it(server, acme, complete, secret, email):
    complete(secret)

    with server.fairlead.database.read(acme.scope) as tx:
        entry = audit.recent(tx, 1)[0]
    assert (entry.action, entry.actor_kind, entry.actor_name, entry.object_name) == (
        "user.update",
        "user",
        email,
        email,
    )
    assert entry.details == {"changed": ["password"], "by": "password reset"}


def test_nobody_gets_more_than_three_letters_an_hour(server, email, start, complete):
    replies = [start(email.upper() if number % 2 else email) for number in range(6)]
    third = secret_in(letter_to(server, email, number=3))

    assert [reply.status_code for reply in replies] == [202] * 6
    assert len(letters_to(server, email)) == 3
    assert complete(third).status_code == 202


def test_letters_are_sent_again_after_an_hour(server, email, start):
    for _ in range(4):
        start(email)
    with server.fairlead.database.across_tenants("an hour passes") as tx:
        attempts.forget(tx, attempts.resets_of(email))
    start(email)

    letter_to(server, email, number=4)


def test_people_of_a_suspended_tenant_get_no_letter(server, acme, email, start):
    with server.fairlead.database.across_tenants("a test") as tx:
        identity.suspend_tenant(tx, acme.tenant.id)

    assert start(email).status_code == 202

    assert letters_to(server, email) == []
    with server.fairlead.database.across_tenants("what waits?", writing=False) as tx:
        assert all(sealed_for_nobody(server, row) for row in tx.all(sa.select(letters)))


def sealed_for_nobody(server, row) -> bool:
    return b'"to":""' in server.fairlead.seal.open(row.sealed, f"letter {row.id}")


def test_who_has_tried_too_often_may_log_in_after_a_reset(complete, secret, log_in):
    assert [log_in("wrong") for _ in range(11)] == [401] * 10 + [429]

    complete(secret)

    assert log_in(NEW) == 200


def test_the_second_factor_is_still_asked_for(mender, server, complete, secret, email):
    ada = mender.as_(ADA)
    user_id = ada.get(f"{USERADM}/users/me").json()["id"]
    ada.post(f"{USERADM}/settings", json={"2fa": "enabled"})
    code = code_of(server, user_id)
    assert ada.put(f"{USERADM}/2faverify", json={"token2fa": code}).status_code == 202

    complete(secret)

    without = mender.client.post(LOGIN, auth=(email, NEW))
    assert (without.status_code, "2fa" in without.json()["error"]) == (401, True)
    assert mender.client.post(LOGIN, auth=(email, NEW), json={"token2fa": code}).status_code == 200


def code_of(server, user_id: str) -> str:
    import pyotp

    from fairlead.domain.identity.store import users

    with server.fairlead.database.across_tenants("what does the app know?", writing=False) as tx:
        sealed = tx.scalar(sa.select(users.c.second_factor).where(users.c.id == user_id))
    return pyotp.TOTP(server.fairlead.seal.open(sealed, f"second factor of {user_id}").decode()).now()


def test_the_letter_goes_to_the_mail_server_that_is_set_and_leads_to_the_public_address(tmp_path):
    make_administrator(tmp_path)
    with SmtpStandIn(login=("fairlead", "p")) as stand_in:
        settings = Settings(
            data=tmp_path,
            public_url="https://updates.example.com/",
            smtp_host="127.0.0.1",
            smtp_port=stand_in.port,
            smtp_security="none",
            smtp_user="fairlead",
            smtp_password="p",
            mail_from="Updates <updates@example.com>",
        )
        with RunningServer(settings) as server:
            assert httpx.post(server.url + START, json={"email": EMAIL}).status_code == 202
            until = time.monotonic() + 15
            while not stand_in.received:
                assert time.monotonic() < until, "nothing was sent"
                time.sleep(0.02)

    (letter,) = stand_in.received
    assert (letter["To"], letter["From"]) == (EMAIL, "Updates <updates@example.com>")
    assert "https://updates.example.com/ui/#/password/" in letter.get_content()
    assert not os.path.exists(tmp_path / "mail")
