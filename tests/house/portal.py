"""What does a test need of a portal? Its people, what was sent to them, and what is put on record of them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Database
from fairlead.base.scope import Scope, system_scope
from fairlead.base.seal import Seal, SealBroken
from fairlead.domain import audit, identity, mail
from fairlead.domain.identity import portal
from fairlead.domain.identity.portal.tables import portal_letters, portal_tokens, portal_users
from fairlead.domain.mail.model import purpose_of
from fairlead.domain.mail.store import letters
from house.world import HASH, PASSWORD

LINK = "https://portal.example/mobyle/secret?token="


@dataclass
class Lab:
    """An organization with a portal."""

    database: Database
    tenant_id: str
    seal: Seal = field(default_factory=lambda: Seal(bytes(32)))

    @property
    def system(self) -> Scope:
        return system_scope(self.tenant_id)

    def email(self, who: str) -> str:
        """An address that no other test uses: letters and attempts are counted by it."""
        return f"{who}@{self.tenant_id}.example"

    def user(self, who: str, **wishes: object) -> portal.User:
        with self.database.begin(self.system) as tx:
            return portal.add_user(tx, self.email(who), HASH, **wishes)

    def account(self, who: str, *roles: str) -> identity.User:
        """A user of the organization, who may do everything unless other roles are given."""
        with self.database.begin(self.system) as tx:
            return identity.add_user(tx, self.email(who), HASH, list(roles) or None)

    def find(self, number: int) -> portal.User:
        with self.database.read(self.system) as tx:
            return portal.find_user(tx, number)

    def users(self, **wanted: object) -> list[portal.User]:
        with self.database.read(self.system) as tx:
            return portal.search_users(tx, portal.Search(**wanted))

    def log_in(self, who: str, password: str = PASSWORD, **wishes: object) -> portal.Opened:
        directory = wishes.pop("directory", None)
        given = portal.Login(self.email(who), password, address="192.0.2.1", **wishes)
        return portal.log_in(self.database, self.seal, self.tenant_id, given, directory)

    def enter(self) -> portal.Opened:
        """Someone who is anonymous, from an address of their own."""
        return portal.enter_anonymously(self.database, self.tenant_id, allowed=True, address=str(uuid.uuid4()))

    def behind(self, token: str) -> portal.SignedIn:
        return portal.session_of(self.database, self.tenant_id, token)

    def register(self, who: str, password: str = PASSWORD, **wishes: object) -> None:
        address = wishes.pop("address", str(uuid.uuid4()))
        given = portal.Registration(self.email(who), password, address=address, **wishes)
        portal.register(self.database, self.seal, self.tenant_id, given, LINK)

    def letters_to(self, email: str) -> list[mail.Letter]:
        """All that wait in the outbox for this address, oldest first."""
        with self.database.across_tenants("what was sent?", writing=False) as tx:
            rows = tx.all(sa.select(letters).order_by(letters.c.created_at))
        opened = [_opened(self.seal, row) for row in rows]
        return [letter for letter in opened if letter is not None and letter.to == email]

    def secrets_for(self, who: str) -> list[str]:
        """Those in the links of the letters to somebody."""
        texts = [letter.text for letter in self.letters_to(self.email(who))]
        return [found for text in texts for found in re.findall(re.escape(LINK) + r"([\w-]+)", text)]

    def log(self) -> list[str]:
        """What is on record, oldest first: who did what to whom."""
        with self.database.read(self.system) as tx:
            entries = audit.recent(tx, 500)
        return [f"{_short(each.actor_name)} {each.action} {_short(each.object_name)}" for each in reversed(entries)]

    def let_pass(self, time: timedelta) -> None:
        """Let sessions, tokens and letters of this portal be as much older."""
        with self.database.begin(self.system) as tx:
            for table in (portal_tokens, portal_letters):
                own = table.c.tenant_id == TENANT
                rows = tx.all(sa.select(table.c.digest, table.c.expires_at).where(own))
                for row in rows:
                    moved = sa.update(table).where(own, table.c.digest == row.digest)
                    tx.run(moved.values(expires_at=row.expires_at - time))

    def kept(self) -> dict[str, int]:
        """How many letters and tokens of this portal there are."""
        count = sa.func.count()
        with self.database.read(self.system) as tx:
            return {
                table.name: tx.scalar(sa.select(count).select_from(table).where(table.c.tenant_id == TENANT))
                for table in (portal_letters, portal_tokens)
            }

    def dump(self) -> str:
        """All that is kept of this portal's people, as text."""
        with self.database.read(self.system) as tx:
            tables = (portal_users, portal_tokens, portal_letters)
            return repr([tx.all(sa.select(table).where(table.c.tenant_id == TENANT)) for table in tables])

    def crowd(self, number: int, count: int, kind: str = "session") -> None:
        """So many sessions or tokens of a user, which nobody has the secret of."""
        now = clock.now()
        rows = [
            {
                "digest": str(uuid.uuid4()),
                "id": str(uuid.uuid4()),
                "user_number": number,
                "kind": kind,
                "as_admin": False,
                "proof": "",
                "created_at": now,
                "expires_at": now + timedelta(days=1),
            }
            for _ in range(count)
        ]
        with self.database.begin(self.system) as tx:
            tx.run(sa.insert(portal_tokens), rows)

    def age(self, number: int, time: timedelta) -> None:
        """Let a user have come so long ago."""
        own = (portal_users.c.tenant_id == TENANT, portal_users.c.number == number)
        with self.database.begin(self.system) as tx:
            tx.run(sa.update(portal_users).where(*own).values(created_at=clock.now() - time))


def _opened(seal: Seal, row: sa.Row) -> mail.Letter | None:
    """None for a letter that some other test has sealed with a key of its own."""
    try:
        return msgspec.json.decode(seal.open(row.sealed, purpose_of(row.id)), type=mail.Letter)
    except SealBroken:
        return None


def _short(name: str) -> str:
    return name.split("@")[0]
