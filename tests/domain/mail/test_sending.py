"""A letter goes out if its deed was done: once, and in the end, however often the mail server is away."""

from __future__ import annotations

import base64
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from fairlead.base import clock
from fairlead.base.seal import Seal
from fairlead.base.smtp import MailFolder, NotTaken, SmtpServer
from fairlead.domain import mail
from fairlead.domain.mail.model import LONGEST_WAIT, wait_after
from fairlead.domain.mail.store import letters
from house.mail import SmtpStandIn

SENDER = "Fairlead <fairlead@example.com>"
ADA, BEN = "ada@acme.example", "ben@acme.example"


@pytest.fixture
def seal() -> Seal:
    return Seal(bytes(32))


@pytest.fixture
def outbox(database, seal):
    """An outbox that is empty at first."""
    with database.across_tenants("a test begins") as tx:
        tx.run(sa.delete(letters))
    return Outbox(database, seal)


class Outbox:
    def __init__(self, database, seal: Seal) -> None:
        self.database, self.seal = database, seal

    def post(self, to: str = ADA, text: str = "Hello.\n", **more) -> None:
        with self.database.across_tenants("a test") as tx:
            mail.post(tx, self.seal, mail.Letter(to, "A letter", text, **more))

    def send(self, carrier) -> int:
        return mail.send_due(self.database, self.seal, carrier)

    def rows(self) -> list:
        with self.database.across_tenants("what is left?", writing=False) as tx:
            return tx.all(sa.select(letters).order_by(letters.c.created_at))

    def move(self, **values) -> None:
        """Let time have passed for the letters that wait."""
        with self.database.across_tenants("time passes") as tx:
            tx.run(sa.update(letters).values(**values))

    def make_due(self) -> None:
        self.move(next_try_at=clock.now() - timedelta(seconds=1))


def relay(stand_in: SmtpStandIn) -> SmtpServer:
    return SmtpServer("127.0.0.1", stand_in.port, "none", SENDER)


def test_a_letter_is_sent_once_and_then_forgotten(outbox):
    outbox.post(text="Grüße,\nund ein langer Link: https://example.com/" + "x" * 200 + "\n")

    with SmtpStandIn() as stand_in:
        assert [outbox.send(relay(stand_in)) for _ in range(2)] == [1, 0]

    (got,) = stand_in.received
    assert (got["From"], got["To"], got["Subject"]) == (SENDER, ADA, "A letter")
    assert got.get_content().startswith("Grüße,\nund ein langer Link: https://example.com/xxx")
    assert got["Message-ID"].endswith("@example.com>")
    assert got["Date"].datetime.tzinfo is not None
    assert got["Auto-Submitted"] == "auto-generated"
    assert outbox.rows() == []


def test_a_link_stays_in_one_piece_for_whoever_reads_the_raw_letter(outbox, tmp_path):
    link = "https://fairlead.example.com/ui/#/password/" + "x" * 43 + "?a=b"
    outbox.post(text=f"Here:\n\n{link}\n")

    outbox.send(MailFolder(tmp_path, SENDER))

    (file,) = tmp_path.iterdir()
    assert link in file.read_text().splitlines()


def test_a_letter_about_a_deed_that_was_not_done_is_never_sent(outbox, database, seal):
    with pytest.raises(ZeroDivisionError), database.across_tenants("a test") as tx:
        mail.post(tx, seal, mail.Letter(ADA, "A letter", "Hello."))
        raise ZeroDivisionError

    with SmtpStandIn() as stand_in:
        assert outbox.send(relay(stand_in)) == 0
    assert stand_in.received == []


def test_what_waits_says_nothing_about_itself(outbox):
    outbox.post(text="the secret word")

    (row,) = outbox.rows()
    assert not [word for word in ("secret", "ada", "hello", "A letter") if word in str(row)]
    assert b"secret" not in base64.urlsafe_b64decode(row.sealed)


def test_a_letter_to_nobody_is_thrown_away(outbox):
    outbox.post(mail.NOBODY)

    with SmtpStandIn() as stand_in:
        outbox.send(relay(stand_in))

    assert stand_in.heard == []
    assert outbox.rows() == []


def test_a_server_that_is_away_gets_the_letters_when_it_is_back(outbox):
    outbox.post(ADA)
    outbox.post(BEN)
    with SmtpStandIn() as stand_in:
        pass

    with capture_logs() as logs:
        away = [outbox.send(relay(stand_in)) for _ in range(3)]
    waiting = outbox.rows()
    stand_in.open()
    too_early = outbox.send(relay(stand_in))
    outbox.make_due()
    sent = outbox.send(relay(stand_in))
    stand_in.close()

    assert (away, too_early, sent) == ([0, 0, 0], 0, 2)
    assert [row.attempts for row in waiting] == [1, 1]
    assert all(row.next_try_at > clock.now() for row in waiting)
    assert [each["event"] for each in logs] == ["mail.delayed", "mail.delayed"]
    assert sorted(got["To"] for got in stand_in.received) == [ADA, BEN]
    assert outbox.rows() == []


def test_the_waits_grow_up_to_some_hours():
    waits = [wait_after(attempts) for attempts in range(1, 40)]

    assert waits[:3] == [timedelta(seconds=10), timedelta(seconds=20), timedelta(seconds=40)]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT


def test_after_two_days_it_is_given_up_with_an_error_in_the_log(outbox):
    outbox.post(text="the secret word")
    outbox.move(created_at=clock.now() - timedelta(days=2), next_try_at=clock.now(), attempts=20)
    with SmtpStandIn() as stand_in:
        pass

    with capture_logs() as logs:
        outbox.send(relay(stand_in))

    assert outbox.rows() == []
    (line,) = logs
    assert (line["event"], line["log_level"], line["attempts"]) == ("mail.given_up", "error", 21)
    assert "secret" not in str(line)
    assert ADA not in str(line)


def test_a_recipient_that_is_refused_for_good_keeps_nobody_waiting(outbox):
    outbox.post(ADA)
    outbox.post(BEN)

    with SmtpStandIn(refused=(ADA,)) as stand_in, capture_logs() as logs:
        outbox.send(relay(stand_in))

    assert [got["To"] for got in stand_in.received] == [BEN]
    assert sorted(each["event"] for each in logs) == ["mail.given_up", "mail.sent"]
    assert outbox.rows() == []


def test_a_recipient_that_is_refused_for_now_is_tried_again(outbox):
    outbox.post(ADA)

    with SmtpStandIn(refused=(ADA,), refused_with=450) as stand_in:
        outbox.send(relay(stand_in))
        stand_in.refused = ()
        outbox.make_due()
        outbox.send(relay(stand_in))

    assert [got["To"] for got in stand_in.received] == [ADA]


def test_a_letter_that_nobody_needs_any_more_is_not_sent(outbox):
    outbox.post(worthless_after=clock.now() - timedelta(seconds=1))
    outbox.post(BEN, worthless_after=clock.now() + timedelta(hours=1))

    with SmtpStandIn() as stand_in, capture_logs() as logs:
        outbox.send(relay(stand_in))

    assert [got["To"] for got in stand_in.received] == [BEN]
    assert "mail.given_up" in [each["event"] for each in logs]
    assert outbox.rows() == []


@pytest.mark.parametrize("to", ["a\r\nBcc: mallory@example.com", "ada@acme.example\nX: y"])
def test_no_letter_can_bring_headers_of_its_own(outbox, to):
    outbox.post(to)
    outbox.post(BEN)

    with SmtpStandIn() as stand_in:
        outbox.send(relay(stand_in))

    assert [(got["To"], got["Bcc"], got["X"]) for got in stand_in.received] == [(BEN, None, None)]


def test_letters_sealed_with_another_key_wait_for_it_and_hold_nobody_up(outbox, database, seal):
    with database.across_tenants("a test") as tx:
        mail.post(tx, Seal(b"x" * 32), mail.Letter(ADA, "A letter", "Hello."))
    outbox.post(BEN)

    with SmtpStandIn() as stand_in:
        outbox.send(relay(stand_in))
        outbox.make_due()
        mail.send_due(database, Seal(b"x" * 32), relay(stand_in))

    assert [got["To"] for got in stand_in.received] == [BEN, ADA]


def test_processes_that_send_at_the_same_time_send_each_letter_once(outbox):
    people = [f"{number}@acme.example" for number in range(20)]
    for each in people:
        outbox.post(each)
    sent = []

    with SmtpStandIn() as stand_in:
        threads = [threading.Thread(target=lambda: sent.append(outbox.send(relay(stand_in)))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        outbox.send(relay(stand_in))  # those who lost a race have stopped early

    assert sorted(got["To"] for got in stand_in.received) == sorted(people)
    assert outbox.rows() == []


def test_a_letter_is_nobody_elses_while_it_is_under_way(outbox):
    outbox.post()
    during = []

    class Slow:
        sender = SENDER

        def carry(self, message, name):
            with SmtpStandIn() as stand_in:
                during.append((outbox.send(relay(stand_in)), stand_in.received))
            raise NotTaken("the power is cut")

    outbox.send(Slow())

    assert during == [(0, [])]
    assert len(outbox.rows()) == 1


def test_without_a_server_the_log_says_where_the_letter_is_and_nothing_of_what_it_holds(outbox, tmp_path):
    outbox.post(text="the secret word")

    with capture_logs() as logs:
        outbox.send(MailFolder(tmp_path / "mail", SENDER))

    (file,) = (tmp_path / "mail").iterdir()
    (line,) = logs
    assert (line["event"], line["to"]) == ("mail.sent", str(file))
    assert "secret" not in str(line)
    assert ADA not in str(line)
    assert "the secret word" in file.read_text()
