"""How does a test get an account with a master, members, a program and roles? Through the domain, without a server."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, replace
from typing import Any

from fairlead.base.database import Database
from fairlead.base.scope import Scope, system_scope
from fairlead.domain import audit, identity
from fairlead.domain.identity import AccessGrant, AccessRequest
from house.world import HASH, PASSWORD

_numbers = itertools.count(1)


def document(*sentences: str) -> str:
    """A scope document. `Allow stack:describeStack mo-1 kim,lee`: effect, actions, resources, owners of a condition."""
    statements: list[dict[str, Any]] = []
    for sentence in sentences:
        effect, actions, resources, *owners = sentence.split()
        statements.append({"Effect": effect, "Action": actions.split(","), "Resource": resources.split(",")})
        if owners:
            statements[-1]["Condition"] = {"ownerFilter": {"username": owners[0].split(",")}}
    return json.dumps({"Version": "2017-05-05", "Statement": statements})


@dataclass(frozen=True)
class Account:
    """A tenant with a master (`email`, PASSWORD) and a program, whose secret only this knows."""

    database: Database
    tokens: identity.Tokens
    tenant_id: str
    email: str
    client_id: str
    client_secret: str

    @property
    def system(self) -> Scope:
        return system_scope(self.tenant_id)

    @property
    def master(self) -> Scope:
        """The master, as the token of a login says."""
        return self.behind(self.log_in(self.email))

    def add(self, username: str, role: str = "") -> identity.Member:
        """A member who logs in with PASSWORD, with a role of this document if there is one."""
        with self.database.begin(self.system) as tx:
            member = identity.add_member(tx, username, HASH)
            if role:
                identity.attach_role(tx, username, identity.add_document_role(tx, "a role", role).id)
        return member

    def request(self, username: str = "", password: str = PASSWORD, **wishes: Any) -> AccessRequest:
        """What somebody shows to get in: with a username for the grant password, else the program's credentials."""
        grant = AccessGrant.PASSWORD if username else AccessGrant.CLIENT_CREDENTIALS
        shown = AccessRequest(grant, self.client_id, self.client_secret, username, password, "192.0.2.1")
        return replace(shown, **wishes)

    def log_in(self, username: str = "", password: str = PASSWORD, **wishes: Any) -> str:
        return identity.enter(self.database, self.tokens, self.request(username, password, **wishes)).token

    def behind(self, token: str) -> Scope:
        """Who the server takes the bearer of this token for."""
        return identity.verify_access(self.database, self.tokens.read_access(token))

    def log(self) -> list[audit.Entry]:
        """What is on record, oldest first."""
        with self.database.read(self.system) as tx:
            return list(reversed(audit.recent(tx, 100)))


def found(database: Database, tokens: identity.Tokens) -> Account:
    """An account of its own."""
    email = f"ada{next(_numbers)}@accounts.example"
    with database.across_tenants("a new organization") as tx:
        tenant = identity.add_tenant(tx, tokens, "an account")
    with database.begin(system_scope(tenant.id)) as tx:
        identity.add_user(tx, email, HASH)
        program, secret = identity.add_program(tx, "laptop")
    return Account(database, tokens, tenant.id, email, program.id, secret)
