"""How does the agent on an instance get in?"""

from __future__ import annotations

import hmac

from fairlead.base.database import Database
from fairlead.base.scope import Actor, ActorKind, Scope
from fairlead.base.seal import Seal
from fairlead.domain import identity
from fairlead.domain.identity import AccessClaims, AccessKind, BadToken, Tokens, UnknownProgram
from fairlead.domain.stacks import sealing, store


def admit_agent(database: Database, tokens: Tokens, seal: Seal, stack_id: str, auth_token: str) -> str:
    """A token for an agent that shows the id and the token of its stack; otherwise `UnknownProgram`."""
    with database.across_tenants("whose agent is this?", writing=False) as tx:
        found = store.find_anyones(tx, stack_id)
        if found is None:
            raise UnknownProgram
        tenant_id, record = found
        expected = sealing.open_text(seal, record.id, "auth token", record.auth_token)
        if not hmac.compare_digest(expected.encode(), auth_token.encode(errors="replace")):
            raise UnknownProgram
        identity.tenant_with_token(tx, tenant_id)
    return tokens.for_access(AccessKind.AGENT, record.id, tenant_id)[0]


def verify_agent(database: Database, claims: AccessClaims) -> Scope:
    """What the agent with this token may do, as long as its stack is there; otherwise `BadToken`."""
    with database.across_tenants("is the stack of this agent there?", writing=False) as tx:
        found = store.find_anyones(tx, claims.subject)
        if found is None or found[0] != claims.tenant_id:
            raise BadToken
        identity.tenant_with_token(tx, found[0])
    stack_id = found[1].id
    return Scope(claims.tenant_id, Actor(ActorKind.DEVICE, stack_id), identity.policy_of_agent(stack_id))
