"""What is a letter, and how long is it tried to send it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

NOBODY = ""
"""A letter to nobody waits like any other and is thrown away when its turn comes.

Written instead of one that must not be sent, where the time that an answer takes must not tell which it was.
"""

FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=4)
TRIED_FOR = timedelta(days=2)
LONGEST_LINE = 990  # of 998 that mail allows


@dataclass(frozen=True, slots=True)
class Letter:
    """Plain text for one person. Nobody needs it any more after `worthless_after`."""

    to: str
    subject: str
    text: str
    worthless_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter in the outbox, still sealed. `attempts` counts the one under way."""

    id: str
    sealed: str
    attempts: int
    created_at: datetime

    @property
    def purpose(self) -> str:
        """What the letter was sealed for."""
        return purpose_of(self.id)

    @property
    def given_up_at(self) -> datetime:
        return self.created_at + TRIED_FOR


def purpose_of(letter_id: str) -> str:
    return f"letter {letter_id}"


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts: twice as long each time, up to some hours."""
    doublings: int = 2 ** min(attempts - 1, 30)
    return min(FIRST_WAIT * doublings, LONGEST_WAIT)


def message_of(letter: Letter, waiting: Waiting, sender: str) -> EmailMessage:
    """The letter as mail. Headers are made by the library, which refuses line breaks in them.

    The Message-ID stays the same at each attempt, so that a letter that was sent twice can be recognized.
    """
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = waiting.created_at
    message["Message-ID"] = f"<{waiting.id}@{message['From'].addresses[0].domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text, cte="7bit" if _fits(letter.text) else "quoted-printable")
    return message


def _fits(text: str) -> bool:
    """Can the text stay as it is? Then links are whole for whoever reads the file, too."""
    return text.isascii() and all(len(line) <= LONGEST_LINE for line in text.splitlines())
