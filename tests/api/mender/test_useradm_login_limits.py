"""How often may somebody try to log in?"""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from fairlead.base import clock
from fairlead.domain.identity import attempts
from fairlead.domain.identity.store import failed_logins
from house.world import ADA, BEN, LOGIN, PASSWORD, USERADM


@pytest.fixture
def email(mender, acme) -> str:
    return mender.as_(ADA).get(f"{USERADM}/users/me").json()["email"]


@pytest.fixture
def log_in(server):
    """Try to log in from some address of this machine: the answer."""
    clients: dict[str, httpx.Client] = {}

    def post(email: str, password: str = PASSWORD, address: str = "127.0.0.1") -> httpx.Response:
        if address not in clients:
            transport = httpx.HTTPTransport(verify=False, local_address=address)
            clients[address] = httpx.Client(base_url=server.url, verify=False, transport=transport, timeout=30)
        return clients[address].post(LOGIN, auth=(email, password))

    yield post
    for client in clients.values():
        client.close()


def let_time_pass(server, counter: attempts.Counter, **time: float) -> None:
    with server.fairlead.database.across_tenants("time passes") as tx:
        begun = clock.now() - timedelta(**time)
        moved = sa.update(failed_logins).where(failed_logins.c.digest == counter.digest).values(since=begun)
        assert tx.run(moved).rowcount == 1


def test_after_too_many_failures_not_even_the_right_password_gets_in(log_in, email):
    wrong = [log_in(email, "wrong").status_code for _ in range(10)]

    more, right = log_in(email, "wrong"), log_in(email)

    assert wrong == [401] * 10
    assert (more.status_code, right.status_code) == (429, 429)
    assert "try again" in right.json()["error"]
    assert set(right.json()) == {"error", "request_id"}
    assert 280 <= int(right.headers["retry-after"]) <= 300


def test_after_five_minutes_the_right_password_is_good_again(server, log_in, email):
    for _ in range(11):
        log_in(email, "wrong")
    counter = attempts.logins_from(email, "127.0.0.1")

    let_time_pass(server, counter, minutes=4, seconds=50)
    early = log_in(email)
    let_time_pass(server, counter, minutes=5)

    assert early.status_code == 429
    assert 1 <= int(early.headers["retry-after"]) <= 10
    assert log_in(email, "wrong").status_code == 401  # and counting begins anew
    assert [log_in(email).status_code for _ in range(2)] == [200, 200]


def test_a_success_begins_the_count_anew(log_in, email):
    for _ in range(3):
        assert [log_in(email, "wrong").status_code for _ in range(9)] == [401] * 9
        assert log_in(email).status_code == 200


def test_others_and_other_addresses_are_not_held_up(mender, log_in, email):
    for _ in range(11):
        log_in(email, "wrong")
    ben = mender.as_(BEN).get(f"{USERADM}/users/me").json()["email"]

    assert log_in(email).status_code == 429
    assert log_in(ben).status_code == 200
    assert log_in(email, address="127.0.0.2").status_code == 200


def test_many_addresses_together_do_not_get_more_than_fifty(log_in, email):
    replies = [log_in(email, "wrong", f"127.0.1.{address}") for address in range(1, 6) for _ in range(10)]

    assert {reply.status_code for reply in replies} == {401}
    assert log_in(email, address="127.0.1.6").status_code == 429


def test_capitals_do_not_make_another_e_mail(log_in, email):
    for _ in range(5):
        log_in(email, "wrong")
        log_in(email.upper(), "wrong")

    assert log_in(email).status_code == 429


def test_an_e_mail_that_is_nobodys_is_counted_alike(log_in):
    nobody = f"{uuid.uuid4()}@nowhere.example"

    replies = [log_in(nobody) for _ in range(11)]

    assert [reply.status_code for reply in replies] == [401] * 10 + [429]
    assert replies[-1].headers["retry-after"]


def test_a_header_that_cannot_be_read_counts_for_nobody(mender, standing):
    replies = [standing.mender.client.post(LOGIN, headers={"Authorization": "Basic !"}) for _ in range(15)]

    assert {reply.status_code for reply in replies} == {401}


def test_a_client_does_not_choose_its_address(log_in, mender, email):
    for number in range(11):
        forged = {"X-Forwarded-For": f"10.0.0.{number}"}
        mender.client.post(LOGIN, auth=(email, "wrong"), headers=forged)

    assert mender.client.post(LOGIN, auth=(email, PASSWORD), headers={"X-Forwarded-For": "10.9.9.9"}).status_code == 429


def test_many_at_once_get_no_more_tries_than_one_after_the_other(server, email):
    answers: list[int] = []

    def guess() -> None:
        answers.append(httpx.post(server.url + LOGIN, auth=(email, "wrong"), timeout=30).status_code)

    threads = [threading.Thread(target=guess) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [401] * 10 + [429] * 14


def test_many_good_logins_at_once_are_all_let_in(server, email):
    answers: list[int] = []

    def enter() -> None:
        answers.append(httpx.post(server.url + LOGIN, auth=(email, PASSWORD), timeout=30).status_code)

    threads = [threading.Thread(target=enter) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [200] * 16


def test_what_people_typed_is_not_kept_and_old_counts_are_swept(server, log_in):
    typed = f"my password {uuid.uuid4()}"
    log_in(typed)
    fairlead, counter = server.fairlead, attempts.logins_as(typed)

    def rows() -> list[str]:
        with fairlead.database.across_tenants("what is there?", writing=False) as tx:
            return [str(row) for row in tx.all(sa.select(failed_logins))]

    before = rows()
    let_time_pass(server, counter, minutes=61)
    fairlead.housekeeping.forget_old_counts()

    assert not [row for row in before if "my password" in row]
    assert [row for row in before if counter.digest in row]
    assert not [row for row in rows() if counter.digest in row]
    assert [row for row in rows() if attempts.logins_from(typed, "127.0.0.1").digest in row]
