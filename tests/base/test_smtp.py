"""Letters go to an SMTP server as the settings say, or into a folder; what goes wrong says whether to try again."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from fairlead.base.smtp import MailFolder, NotTaken, SmtpServer, is_address
from house.mail import SmtpStandIn
from house.program import make_certificate

SENDER = "Fairlead <fairlead@example.com>"


def letter(to: str = "ada@acme.example") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, to, "Grüße"
    message.set_content("A secret: 0123456789\n.\nA line that begins with a dot: see above.\n")
    return message


def relay(stand_in: SmtpStandIn, security: str = "none", **more: str) -> SmtpServer:
    return SmtpServer("127.0.0.1", stand_in.port, security, SENDER, **more)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> str:
    """Certificate and key in one file."""
    folder = tmp_path_factory.mktemp("smtp")
    both = folder / "both.pem"
    both.write_text("".join(path.read_text() for path in make_certificate(folder)))
    return str(both)


def test_a_letter_arrives_as_it_was_written():
    with SmtpStandIn() as stand_in:
        where = relay(stand_in).carry(letter(), "a")

    (got,) = stand_in.received
    assert (got["From"], got["To"], got["Subject"]) == (SENDER, "ada@acme.example", "Grüße")
    assert got.get_content() == letter().get_content()
    assert where == f"127.0.0.1:{stand_in.port}"


def test_the_server_is_logged_in_to_when_there_is_a_user():
    with SmtpStandIn(login=("fairlead", "a password")) as stand_in:
        relay(stand_in, user="fairlead", password="a password").carry(letter(), "a")
        with pytest.raises(NotTaken, match="535") as refused:
            relay(stand_in, user="fairlead", password="wrong one").carry(letter(), "a")

    assert len(stand_in.received) == 1
    assert not refused.value.for_good
    assert "wrong one" not in str(refused.value)
    assert "a password" not in repr(relay(stand_in, user="fairlead", password="a password"))


@pytest.mark.parametrize(("security", "speaks_tls"), [("starttls", False), ("tls", True)])
def test_letters_travel_encrypted(certificate, monkeypatch, security, speaks_tls):
    monkeypatch.setenv("SSL_CERT_FILE", certificate)

    with SmtpStandIn(certificate=certificate, speaks_tls=speaks_tls, login=("u", "p")) as stand_in:
        relay(stand_in, security, user="u", password="p").carry(letter(), "a")

    assert len(stand_in.received) == 1
    assert ("STARTTLS" in stand_in.heard) is (security == "starttls")


@pytest.mark.parametrize(("security", "speaks_tls"), [("starttls", False), ("tls", True)])
def test_a_server_with_a_certificate_that_nobody_vouches_for_is_told_nothing(certificate, security, speaks_tls):
    with (
        SmtpStandIn(certificate=certificate, speaks_tls=speaks_tls, login=("u", "p")) as stand_in,
        pytest.raises(NotTaken, match="certificate") as refused,
    ):
        relay(stand_in, security, user="u", password="p").carry(letter(), "a")

    assert not refused.value.for_good
    assert not {"AUTH", "MAIL", "DATA"} & set(stand_in.heard)


def test_a_server_that_cannot_encrypt_is_not_spoken_to_in_the_clear():
    with SmtpStandIn(login=("u", "p")) as stand_in, pytest.raises(NotTaken, match="STARTTLS"):
        relay(stand_in, "starttls", user="u", password="p").carry(letter(), "a")

    assert not {"AUTH", "MAIL", "DATA"} & set(stand_in.heard)


@pytest.mark.parametrize(("code", "for_good"), [(550, True), (450, False)])
def test_a_recipient_that_is_refused_is_refused_for_good_or_for_now(code, for_good):
    with (
        SmtpStandIn(refused=("ada@",), refused_with=code) as stand_in,
        pytest.raises(NotTaken, match=str(code)) as refused,
    ):
        relay(stand_in).carry(letter(), "a")

    assert refused.value.for_good is for_good


@pytest.mark.parametrize(("code", "for_good"), [(554, True), (452, False)])
def test_what_a_server_quotes_of_a_letter_is_not_repeated(code, for_good):
    with (
        SmtpStandIn(data_answer=f"{code} I do not like 'A secret: 0123456789'") as stand_in,
        pytest.raises(NotTaken, match=str(code)) as refused,
    ):
        relay(stand_in).carry(letter(), "a")

    assert refused.value.for_good is for_good
    assert "0123456789" not in str(refused.value)


def test_what_goes_wrong_after_the_letter_was_taken_does_not_matter():
    with SmtpStandIn(farewell="421 I had enough") as stand_in:
        relay(stand_in).carry(letter(), "a")

    assert len(stand_in.received) == 1


def test_a_server_that_is_not_there_may_be_back_later():
    with SmtpStandIn() as stand_in:
        pass

    with pytest.raises(NotTaken, match=r"127\.0\.0\.1:\d+: .*refused") as refused:
        relay(stand_in).carry(letter(), "a")

    assert not refused.value.for_good


def test_a_letter_in_the_folder_is_whole_and_only_for_us(tmp_path):
    folder = MailFolder(tmp_path / "mail", SENDER)

    where = folder.carry(letter(), "a")
    folder.carry(letter(), "a")

    (file,) = (tmp_path / "mail").iterdir()
    assert where == str(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    got = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert got.get_content() == letter().get_content()


def test_a_folder_that_cannot_be_written_may_be_writable_later(tmp_path):
    (tmp_path / "mail").write_text("in the way")

    with pytest.raises(NotTaken, match="cannot be written") as refused:
        MailFolder(tmp_path / "mail", SENDER).carry(letter(), "a")

    assert not refused.value.for_good


@pytest.mark.parametrize(
    "text", ["a@b.example", "fairlead@localhost", "Fairlead <a@b.example>", '"A, B" <a@b.example>']
)
def test_an_address_is_one(text):
    assert is_address(text)


@pytest.mark.parametrize(
    "text", ["", "ada", "@b.example", "a@b.example, c@d.example", "a@b.example\nBcc: c@d.example", "A <a@b", "a b@c d"]
)
def test_what_is_no_address_is_none(text):
    assert not is_address(text)
