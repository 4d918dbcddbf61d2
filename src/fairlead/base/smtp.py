"""How does a letter leave the house? Through an SMTP server, or into a folder where there is none."""

from __future__ import annotations

import contextlib
import os
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

TIMEOUT_SECONDS = 20
SECURITY = ("none", "starttls", "tls")


class NotTaken(Exception):
    """The letter could not be handed over. `for_good`: the server will not take it however often it is asked."""

    def __init__(self, reason: str, *, for_good: bool = False) -> None:
        self.for_good = for_good
        super().__init__(reason)


class _ToAll(smtplib.SMTP):
    """Hands a letter over for all recipients or for none: the library is content when one of them is taken."""

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        code, said = super().rcpt(recip, options)
        if code not in (250, 251):
            raise smtplib.SMTPRecipientsRefused({recip: (code, said)})
        return code, said


class _EncryptedToAll(_ToAll, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


class Carrier(Protocol):
    """Takes letters away. `sender` is the address that they come from."""

    @property
    def sender(self) -> str: ...

    def carry(self, message: EmailMessage, name: str) -> str:
        """Take the letter, and say where it went; otherwise raise `NotTaken`."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A server that sends mail for us. `security` is none, starttls, or tls from the first byte."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)

    def carry(self, message: EmailMessage, name: str) -> str:
        with self._worded():
            self._hand_over(message)
        return self.describe()

    def check(self) -> None:
        """Refuse with `NotTaken` what keeps us from handing over letters."""
        with self._worded():
            self.connect().close()

    @contextlib.contextmanager
    def _worded(self) -> Iterator[None]:
        try:
            yield
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
            raise NotTaken(f"the recipient was refused: {codes}", for_good=all(map(_is_final, codes))) from None
        except smtplib.SMTPDataError as refused:
            # no more than the number: servers like to quote what they do not like, and letters hold secrets
            reason = f"the letter was refused: {refused.smtp_code}"
            raise NotTaken(reason, for_good=_is_final(refused.smtp_code)) from None
        except smtplib.SMTPResponseException as refused:
            raise NotTaken(f"{self.describe()}: {type(refused).__name__} {refused.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as problem:
            raise NotTaken(f"{self.describe()}: {str(problem) or type(problem).__name__}") from None

    def _hand_over(self, message: EmailMessage) -> None:
        server = self.connect()
        try:
            server.send_message(message)
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()  # what goes wrong now must not make us send the letter again
        finally:
            server.close()

    def connect(self) -> smtplib.SMTP:
        """A connection on which a letter can be sent: encrypted and logged in, as far as the settings ask for it."""
        trust = ssl.create_default_context()
        if self.security == "tls":
            server: smtplib.SMTP = _EncryptedToAll(self.host, self.port, timeout=TIMEOUT_SECONDS, context=trust)
        else:
            server = _ToAll(self.host, self.port, timeout=TIMEOUT_SECONDS)
        try:
            if self.security == "starttls":
                server.starttls(context=trust)
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server

    def describe(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class MailFolder:
    """Stands in where no SMTP server is set: each letter becomes a file that only the server's user can read."""

    folder: Path
    sender: str

    def carry(self, message: EmailMessage, name: str) -> str:
        path = self.folder / f"{name}.eml"
        aside = self.folder / f".{name}.new"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            aside.unlink(missing_ok=True)
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(message.as_bytes())
            aside.rename(path)
        except OSError as problem:
            raise NotTaken(f"{path} cannot be written: {problem.strerror}") from None
        return str(path)


def is_address(text: str) -> bool:
    """Is this one e-mail address, with or without a name before it, as it stands in a letter's From?"""
    message = EmailMessage()
    try:
        message["From"] = text
    except (ValueError, IndexError):  # the parser of the standard library stumbles over "ada@"
        return False
    header = message["From"]
    return not header.defects and len(header.addresses) == 1 and bool(header.addresses[0].domain)


def _is_final(code: int) -> bool:
    return 500 <= code < 600
