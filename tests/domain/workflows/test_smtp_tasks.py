"""A letter is written as the definition says, and no input makes another letter of it."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest

from fairlead.base.smtp import SmtpServer
from house.mail import SmtpStandIn

from .running import JOB_ID, carry_out, definition, failure_of, tools

ADA, BEN, ZOE = "ada@acme.example", "ben@acme.example", "zoe@zenith.example"


@pytest.fixture
def post():
    with SmtpStandIn() as post:
        yield post


@pytest.fixture
def using(tmp_path, post):
    return tools(tmp_path, carrier=SmtpServer("127.0.0.1", post.port, "none", "Fairlead <fairlead@example.com>"))


def smtp(**more) -> dict:
    return definition(
        {"name": "write", "type": "smtp", "smtp": {"to": [ADA], "subject": "Hello", "body": "Text\n", **more}}
    )


def test_a_letter_arrives_as_it_is_said(using, post):
    said = smtp(
        **{"from": "${workflow.input.sender}"},
        to=["Ada <${workflow.input.ada}>", "${workflow.input.nobody}"],
        cc=[BEN],
        bcc=[ZOE],
        subject="Gr\u00fc\u00dfe, ${workflow.input.name}",
        body="Hello ${workflow.input.name}\n",
        html="<p>Hello ${encoding=html;workflow.input.name}</p>\n",
    )

    result = carry_out(said, using, {"sender": "Acme <acme@acme.example>", "ada": ADA, "name": "A & B"})["write"]

    (letter,) = post.received
    assert (letter["From"], letter["To"], letter["Cc"]) == ("Acme <acme@acme.example>", f"Ada <{ADA}>", BEN)
    assert letter["Subject"] == "Gr\u00fc\u00dfe, A & B"
    assert letter["Bcc"] is None
    assert letter["Message-ID"] == f"<{JOB_ID}.0@acme.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_body(("plain",)).get_content() == "Hello A & B\n"
    assert letter.get_body(("html",)).get_content() == "<p>Hello A &amp; B</p>\n"
    assert post.heard.count("RCPT") == 3
    assert result.data == {"smtp": {"sender": "Acme <acme@acme.example>", "recipients": [ADA, BEN, ZOE]}}


def test_who_sends_it_is_the_server_unless_the_definition_says(using, post):
    carry_out(smtp(), using)

    assert post.received[0]["From"] == "Fairlead <fairlead@example.com>"
    assert post.received[0].get_content_type() == "text/plain"


def test_a_letter_may_be_html_alone(using, post):
    carry_out(smtp(body="", html="<p>Hello</p>"), using)

    assert post.received[0].get_content_type() == "text/html"


def test_one_input_may_hold_several_addresses(using, post):
    """Lists that are given to a workflow become one text with commas."""
    result = carry_out(smtp(to=["${workflow.input.to}"]), using, {"to": f"{ADA},{BEN}"})["write"]

    assert result.data["smtp"]["recipients"] == [ADA, BEN]


def test_the_same_step_writes_the_same_letter_again(using, post):
    for _ in range(2):
        carry_out(smtp(), using)

    first, second = post.received
    assert first["Message-ID"] == second["Message-ID"]


def test_a_folder_holds_a_letter_once_however_often_it_is_sent(tmp_path):
    for _ in range(2):
        carry_out(smtp(), tools(tmp_path))

    (file,) = tmp_path.iterdir()
    letter = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert (file.name, letter["To"]) == (f"{JOB_ID}-0.eml", ADA)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("subject", "Hello\r\nBcc: zoe@zenith.example"),
        ("subject", "Hello\nX: y"),
        ("subject", "x" * 4001),
        ("to", "ada@acme.example\r\nBcc: zoe@zenith.example"),
        ("to", "nonsense"),
        ("to", "@"),
        ("to", "ada@"),
        ("to", "@acme.example"),
        ("to", "Ada <ada@acme.example> and more"),
        ("to", ""),
        ("to", " , "),
        ("to", ",".join(f"user{number}@acme.example" for number in range(60)) + "," + "x" * 4000),
        ("to", "ada@,ben@acme.example"),
        ("to", "<"),
        ("to", "(" * 3000),
        ("to", ":;"),
        ("from", "ada@"),
        ("from", "nobody"),
        ("from", "a@b.example, c@d.example"),
        ("from", "a@b.example\r\nX: y"),
    ],
)
def test_what_would_be_another_letter_or_none_is_not_sent(using, post, part, value):
    said = smtp(**{part: ["${workflow.input.v}"] if part == "to" else "${workflow.input.v}"})

    failed = failure_of(said, using, {"v": value})

    assert "the letter cannot be written: " in str(failed)
    assert failed.for_good
    assert post.heard == []


def test_a_letter_to_very_many_is_not_sent(using, post):
    addresses = ",".join(f"u{number}@a.example" for number in range(101))

    failed = failure_of(smtp(to=["${workflow.input.v}"]), using, {"v": addresses})

    assert "at most 100" in str(failed)


def test_an_address_in_any_language_of_its_name_is_good(using, post):
    carry_out(smtp(to=["${workflow.input.v}"]), using, {"v": f'"Gr\u00fc\u00df, Ada" <{ADA}>'})

    assert post.received[0]["To"].addresses[0].addr_spec == ADA


def test_a_server_that_is_away_is_worth_another_attempt_and_one_that_refuses_is_not(using, post):
    post.data_answer = "451 later"
    assert not failure_of(smtp(), using).for_good

    post.data_answer = "554 never"
    refused = failure_of(smtp(), using)
    assert (str(refused), refused.for_good) == ("the letter was refused: 554", True)

    post.close()
    away = failure_of(smtp(), using)
    assert not away.for_good
    assert f"127.0.0.1:{post.port}" in str(away)
    assert away.result.data["smtp"]["recipients"] == [ADA]
    post.open()


@pytest.mark.parametrize(("code", "for_good"), [(550, True), (450, False)])
def test_a_letter_that_one_of_several_would_not_get_goes_to_nobody(using, post, code, for_good):
    """It would be said to have been sent, and that one would never see it."""
    post.refused, post.refused_with = (BEN,), code

    failed = failure_of(smtp(to=[ADA, BEN], cc=[ZOE]), using)

    assert (str(failed), failed.for_good) == (f"the recipient was refused: [{code}]", for_good)
    assert post.received == []
    post.refused = ()
    carry_out(smtp(to=[ADA, BEN], cc=[ZOE]), using)
    assert len(post.received) == 1
