"""Where does a letter arrive in a test? At an SMTP server that stands in for a real one, or in the server's folder."""

from __future__ import annotations

import base64
import email.policy
import re
import socketserver
import ssl
import threading
import time
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage

from fairlead.domain import mail
from house.server import RunningServer

SECRET = re.compile(r"/ui/#/password/([\w-]+)")


class _Talk(socketserver.StreamRequestHandler):
    """One conversation; `server.stand_in` says how it goes."""

    def handle(self) -> None:
        stand_in: SmtpStandIn = self.server.stand_in
        if stand_in.speaks_tls:
            self._encrypt(stand_in)
        self._say("220 stand-in ready")
        while line := self.rfile.readline():
            words = line.decode().split()
            stand_in.heard.append(words[0].upper() if words else "")
            if not self._answer(stand_in, words):
                return

    def _answer(self, stand_in: SmtpStandIn, words: list[str]) -> bool:
        match [words[0].upper(), *words[1:]]:
            case ["EHLO", *_]:
                self._say(*(f"250-{each}" for each in stand_in.extensions), "250 OK")
            case ["STARTTLS"]:
                self._say("220 go ahead")
                self._encrypt(stand_in)
            case ["AUTH", "PLAIN", given]:
                good = base64.b64decode(given).decode().split("\0")[1:] == list(stand_in.login or ())
                self._say("235 welcome" if good else "535 who are you?")
            case ["RCPT", *_] if any(address in " ".join(words) for address in stand_in.refused):
                self._say(f"{stand_in.refused_with} no such mailbox")
            case ["DATA"]:
                self._say("354 go on")
                self._take(stand_in)
            case ["QUIT"]:
                self._say(stand_in.farewell)
                return False
            case _:
                self._say("250 OK")
        return True

    def _take(self, stand_in: SmtpStandIn) -> None:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if stand_in.data_answer.startswith("250"):
            message = message_from_bytes(b"".join(lines).replace(b"\r\n", b"\n"), policy=email.policy.default)
            stand_in.received.append(message)
        self._say(stand_in.data_answer)

    def _encrypt(self, stand_in: SmtpStandIn) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(stand_in.certificate)
        self.request = context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients that leave in the middle are what some tests are about."""


@dataclass
class SmtpStandIn:
    """An SMTP server between `with` and its end, or between `open` and `close`, always on the same port."""

    login: tuple[str, str] | None = None
    certificate: str = ""
    speaks_tls: bool = False
    refused: tuple[str, ...] = ()
    refused_with: int = 550
    data_answer: str = "250 taken"
    farewell: str = "221 bye"
    port: int = 0
    received: list[EmailMessage] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    _server: _Server | None = None

    @property
    def extensions(self) -> list[str]:
        starttls = ["STARTTLS"] if self.certificate and not self.speaks_tls else []
        return ["8BITMIME", *starttls, *(["AUTH PLAIN"] if self.login else [])]

    def __enter__(self) -> SmtpStandIn:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), _Talk)
        self._server.stand_in = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def letters_to(server: RunningServer, address: str) -> list[EmailMessage]:
    """What the server has written to this address so far, oldest first, without waiting for its schedule."""
    mail.send_due(server.fairlead.database, server.fairlead.seal, server.fairlead.mail)
    found = []
    for path in sorted((server.settings.data / "mail").glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), policy=email.policy.default)
        if message["To"] == address:
            found.append(message)
    return found


def letter_to(server: RunningServer, address: str, number: int = 1) -> EmailMessage:
    """The letter to this address, when so many have arrived: the server itself may be sending it at this moment."""
    until = time.monotonic() + 10
    while len(found := letters_to(server, address)) < number:
        assert time.monotonic() < until, f"{len(found)} letters to {address}, not {number}"
        time.sleep(0.02)
    return found[number - 1]


def secret_in(letter: EmailMessage) -> str:
    """The secret of the link in a letter."""
    return SECRET.search(letter.get_content()).group(1)
