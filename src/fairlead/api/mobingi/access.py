"""Access tokens: `POST /v3/access_token`, as OAuth's password and client_credentials grants."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, post

from fairlead.api.mobingi import wire
from fairlead.api.mobingi.context import Context
from fairlead.api.mobingi.errors import Wording
from fairlead.base.errors import Refusal
from fairlead.domain import identity, stacks
from fairlead.domain.identity import AccessGrant

OF_STACKS = "mo-"
"""Stacks have ids of this kind: their agents come with them, where programs of the account come with their own."""


class UnsupportedGrant(Refusal):
    message = "The grant_type must be client_credentials or password."


@post(
    "/v3/access_token",
    status_code=200,
    sync_to_thread=True,
    opt={
        "wordings": {
            UnsupportedGrant: Wording(400, "1000", "unsupported_grant_type"),
            identity.UnknownProgram: Wording(401, "4001", "invalid_client"),
            identity.WrongLogin: Wording(401, "4001", "invalid_credentials", "The user credentials were incorrect."),
        }
    },
)
def enter(request: Request[Any, Any, Any], context: Context, fields: dict[str, Any]) -> Response[bytes]:
    """A token for the master, a member or a program of an account, or for the agent of a stack."""
    grant = _grant(fields)
    client_id, client_secret = wire.required(fields, "client_id"), wire.required(fields, "client_secret")
    if grant is AccessGrant.CLIENT_CREDENTIALS and client_id.startswith(OF_STACKS):
        token = stacks.admit_agent(context.database, context.tokens, context.seal, client_id, client_secret)
        return _told(identity.AccessToken(token))
    wanted = identity.AccessRequest(
        grant,
        client_id,
        client_secret,
        username=_needed(fields, "username", grant),
        password=_needed(fields, "password", grant),
        address=request.client.host if request.client else "",
    )
    return _told(identity.enter(context.database, context.tokens, wanted))


def _grant(fields: dict[str, Any]) -> AccessGrant:
    written = wire.required(fields, "grant_type")
    if written not in list(AccessGrant):
        raise UnsupportedGrant
    return AccessGrant(written)


def _needed(fields: dict[str, Any], name: str, grant: AccessGrant) -> str:
    return wire.required(fields, name) if grant is AccessGrant.PASSWORD else ""


def _told(token: identity.AccessToken) -> Response[bytes]:
    said = {"token_type": "Bearer", "expires_in": token.expires_in_seconds, "access_token": token.token}
    return wire.answer(said)


routes = Router("/", route_handlers=[enter])
