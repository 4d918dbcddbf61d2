"""Is this somebody's password in the organization's directory? Asked of an LDAP server, which keeps it.

The entry is looked for by what was typed, and there must be exactly one; then its password is tried by binding as it.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog

from fairlead.base.errors import Kind, Refusal
from fairlead.domain.identity.model import BadEmail, make_sure_email_is_good
from fairlead.domain.identity.portal.model import LONGEST_NAME

if TYPE_CHECKING:
    import ldap3

NAME = "{name}"
ATTRIBUTES = ("entryUUID", "mail", "givenName", "sn")
_SUCCESS, _SIZE_LIMIT = 0, 4
_AWAY = {51: "busy", 52: "unavailable"}

log = structlog.get_logger()


class DirectoryIsAway(Refusal):
    kind = Kind.UNAVAILABLE
    message = "The directory that knows the passwords does not answer at the moment; please try again."


class BadDirectory(Refusal):
    message = "The directory cannot be used: {reason}"


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who has shown their password. `id` stays the same when they get another name; not all have an e-mail."""

    id: str
    email: str = ""
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True, slots=True)
class Ldap:
    """An LDAP server, by a URL `ldap://HOST[:PORT]` or `ldaps://…`.

    Entries are looked for below `base` as `bind_dn`, or as nobody; `{name}` in the filter stands for what was typed.
    """

    url: str
    base: str
    filter: str = "(|(uid={name})(mail={name}))"
    bind_dn: str = ""
    bind_password: str = field(default="", repr=False)
    start_tls: bool = False
    ca_file: str = ""
    timeout_seconds: int = 5

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("ldap", "ldaps") or not parts.hostname:
            raise BadDirectory(reason="its URL must be like ldap://directory.example.com or ldaps://…")
        if not self.base:
            raise BadDirectory(reason="it takes a base below which entries are looked for")
        if NAME not in self.filter or not self.filter.startswith("(") or not self.filter.endswith(")"):
            raise BadDirectory(reason=f"its filter must be in parentheses and have {NAME} in it")
        if self.start_tls and parts.scheme == "ldaps":
            raise BadDirectory(reason="with ldaps it is encrypted from the first byte, so there is no TLS to start")

    def verify(self, name: str, password: str) -> Entry | None:
        """The entry, if there is one of this name and it has this password. Refuses with `DirectoryIsAway`.

        Without a password nothing is asked: a server takes that for somebody who does not say who they are, and lets
        them in.
        """
        if not name or not password:
            return None
        from ldap3.core.exceptions import LDAPExceptionError

        try:
            found = self._look_for(name)
            if found is None:
                return None
            dn, entry = found
            return entry if self._binds(dn, password) else None
        except (LDAPExceptionError, OSError, LookupError, TypeError, ValueError) as problem:  # or it speaks no LDAP
            raise self._away(f"{type(problem).__name__}: {problem}") from problem

    def _look_for(self, name: str) -> tuple[str, Entry] | None:
        """The one entry that the filter finds, by its name; None for several, too: whose password would be meant?"""
        import ldap3
        from ldap3.utils.conv import escape_filter_chars

        connection = self._connection(self.bind_dn, self.bind_password)
        try:
            if not connection.bind():
                raise self._away(f"it does not let us look for entries: {connection.result['description']}")
            wanted = self.filter.replace(NAME, escape_filter_chars(name))
            connection.search(
                self.base,
                wanted,
                ldap3.SUBTREE,
                attributes=list(ATTRIBUTES),
                size_limit=2,
                time_limit=self.timeout_seconds,
            )
            if connection.result["result"] not in (_SUCCESS, _SIZE_LIMIT):
                raise self._away(f"it does not search below {self.base}: {connection.result['description']}")
            found = [each for each in connection.response or () if each["type"] == "searchResEntry"]
        finally:
            connection.unbind()
        return (found[0]["dn"], _as_entry(found[0])) if len(found) == 1 else None

    def _binds(self, dn: str, password: str) -> bool:
        """A text that no password can be, after the preparation that LDAP prescribes for it, is a wrong one."""
        from ldap3.core.exceptions import LDAPSASLPrepError

        connection = self._connection(dn, password)
        try:
            let_in = bool(connection.bind())
            if connection.result["result"] in _AWAY:
                raise self._away(_AWAY[connection.result["result"]])
            return let_in
        except LDAPSASLPrepError:
            return False
        finally:
            connection.unbind()

    def _connection(self, user: str, password: str) -> ldap3.Connection:
        """Encrypted before anything is said, where that is wanted."""
        import ldap3

        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=self.ca_file or None)
        server = ldap3.Server(self.url, get_info=ldap3.NONE, connect_timeout=self.timeout_seconds, tls=tls)
        connection = ldap3.Connection(
            server,
            user=user or None,
            password=password if user else None,
            authentication=ldap3.SIMPLE if user else ldap3.ANONYMOUS,
            read_only=True,
            auto_referrals=False,
            receive_timeout=self.timeout_seconds,
        )
        connection.open()
        if self.start_tls and not connection.start_tls():
            raise self._away(f"it does not start TLS: {connection.result['description']}")
        return connection

    def _away(self, reason: str) -> DirectoryIsAway:
        """The reason is for whoever runs the server, and not for whoever logs in."""
        log.warning("portal.directory_away", url=self.url, reason=reason[:300])
        return DirectoryIsAway()


def _as_entry(found: Mapping[str, Any]) -> Entry:
    values: Mapping[str, Sequence[bytes]] = found["raw_attributes"]
    texts = {name: [each.decode(errors="replace") for each in values.get(name, ())] for name in ATTRIBUTES}
    return Entry(
        id=(texts["entryUUID"] or [found["dn"].lower()])[0],
        email=next(filter(_is_good, texts["mail"]), ""),
        first_name=_name(texts["givenName"]),
        last_name=_name(texts["sn"]),
    )


def _is_good(email: str) -> bool:
    try:
        make_sure_email_is_good(email)
    except BadEmail:
        return False
    return True


def _name(values: Sequence[str]) -> str:
    return "".join(mark for mark in (values or [""])[0] if mark.isprintable())[:LONGEST_NAME]
