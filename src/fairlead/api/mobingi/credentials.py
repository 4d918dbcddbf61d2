"""Credentials for vendors: list, add, remove. Their secrets are taken and never given back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, post

from fairlead.api.mobingi import wire
from fairlead.api.mobingi.auth import for_anyone_with_a_token, for_people
from fairlead.api.mobingi.context import Call
from fairlead.api.mobingi.errors import BadParameter, MissingParameter
from fairlead.domain import stacks

_NAME = "credentials"


@dataclass(frozen=True, slots=True)
class Spelling:
    """What clients call a name, an id and a secret. The first spelling of which all are there counts."""

    account: str
    id: str
    secret: str


_SPELLINGS = {
    "aws": (
        Spelling("AWSAccountName", "AWSAccessKeyId", "AWSSecretKey"),
        Spelling("AWSAccountName", "AWSSecretKey", "AWSSecretKeyId"),  # Mobingi's SDK has the two the wrong way round
    ),
    "alicloud": (
        Spelling("AliCloudAccountName", "AliCloudAccessKeyId", "AliCloudSecretKey"),
        Spelling("AliCloudAccountName", "AccessKeyId", "SecretKey"),
    ),
}
_ANY = (Spelling("account", "id", "secret"), Spelling("AccountName", "AccessKeyId", "SecretKey"))


@get("/credentials/{vendor:str}", sync_to_thread=True, summary="List Credentials")
def list_credentials(call: Call, vendor: str) -> Response[bytes]:
    """Those of a vendor that the caller may see."""
    with call.read() as tx:
        return wire.answer([_shown(each) for each in stacks.list_credentials(tx, vendor)])


@post("/credentials/{vendor:str}", sync_to_thread=True, status_code=200, summary="Add Credentials")
def add_credential(call: Call, vendor: str, fields: wire.Fields) -> Response[bytes]:
    """Keep credentials, sealed, to be named as `cred` in templates."""
    account, values = given(vendor, fields)
    with call.begin() as tx:
        credential = stacks.add_credential(tx, call.tools.seal, vendor, account, values)
    return wire.answer({"status": "success", **_shown(credential)})


@delete("/credentials/{vendor:str}", sync_to_thread=True, status_code=200, summary="Remove Credentials")
def remove_credential(call: Call, request: Request[Any, Any, Any], vendor: str, fields: wire.Fields) -> Response[bytes]:
    """Forget those with the id `credential_id`."""
    credential_id = wire.required({**wire.query(request), **fields}, "credential_id")
    with call.begin() as tx:
        stacks.remove_credential(tx, vendor, credential_id)
    return wire.answer({"status": "success"})


def given(vendor: str, fields: wire.Fields) -> tuple[str, dict[str, str]]:
    """The account's name, and the values to keep: `id`, `secret`, and whatever else of a vendor was said."""
    said = _section(fields)
    spellings = (*_SPELLINGS.get(vendor, ()), *_ANY)
    for spelling in spellings:
        if said.get(spelling.id) and said.get(spelling.secret):
            values = {"id": wire.required(said, spelling.id), "secret": wire.required(said, spelling.secret)}
            return wire.optional(said, spelling.account), values
    raise MissingParameter(name=f"{spellings[0].id} or {spellings[0].secret}")


def _section(fields: wire.Fields) -> Mapping[str, Any]:
    """Where the values stand: at the top, in `credentials`, or in the JSON text of an object with `credentials`."""
    said: Any = fields.get(_NAME, fields)
    if isinstance(said, str):
        try:
            said = msgspec.json.decode(said)
        except (msgspec.DecodeError, RecursionError, ValueError):
            raise BadParameter(name=_NAME, reason="it must be a JSON text") from None
    if isinstance(said, dict) and isinstance(said.get(_NAME), dict):
        said = said[_NAME]
    if not isinstance(said, dict):
        raise BadParameter(name=_NAME, reason="it must be an object")
    return said


def _shown(credential: stacks.Credential) -> dict[str, str]:
    return {
        "id": credential.id,
        "account": credential.account,
        "lastModified": wire.moment(credential.updated_at),
    }


routes = Router(
    "/v3",
    guards=[for_anyone_with_a_token, for_people],
    tags=["Credentials"],
    route_handlers=[list_credentials, add_credential, remove_credential],
)
routes_v2 = Router(
    "/v2",
    guards=[for_anyone_with_a_token, for_people],
    tags=["Credentials"],
    route_handlers=[list_credentials, add_credential, remove_credential],
)
