"""A stack's server configuration, as version 2 had it: what its servers run, and variables for all of them."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, put

from fairlead.api.mobingi import wire
from fairlead.api.mobingi.auth import for_anyone_with_a_token, for_people
from fairlead.api.mobingi.context import Call
from fairlead.api.mobingi.errors import BadParameter, MissingParameter
from fairlead.domain import stacks


@get("/alm/serverconfig", sync_to_thread=True, summary="Show Server Configuration")
def show_config(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    stack_id = wire.required(wire.query(request), "stack_id")
    with call.read() as tx:
        config = stacks.server_config(tx, call.tools, stack_id)
    answer = {
        "code": config.code,
        "codeDir": config.code_dir,
        "envvars": dict(config.environment),
        "gitPrivateKey": config.git_private_key,
        "gitReference": config.git_reference,
        "image": config.image,
        "ports": list(config.ports),
        "updated": config.updated,
        "version": config.version_id,
    }
    return wire.answer(answer)


@put("/alm/serverconfig", sync_to_thread=True, status_code=200, summary="Change Server Configuration")
def change_config(call: Call, request: Request[Any, Any, Any], fields: wire.Fields) -> Response[bytes]:
    """Set the variables (`envvars`, all of them), or the repository of the code (`filepath`)."""
    stack_id = wire.required({**wire.query(request), **fields}, "stack_id")
    change = stacks.ServerConfigChange(_variables(fields), _file_path(fields))
    if change.environment is None and change.file_path is None:
        raise MissingParameter(name="envvars or filepath")
    with call.begin() as tx:
        stacks.change_server_config(tx, call.tools, stack_id, change)
    return wire.answer({"status": "success"})


def _variables(fields: wire.Fields) -> dict[str, str] | None:
    said = fields.get("envvars")
    if said is None:
        return None
    if said == []:  # an empty object, as PHP writes it
        return {}
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise BadParameter(name="envvars", reason="it must be an object of texts")
    return said


def _file_path(fields: wire.Fields) -> str | None:
    return None if fields.get("filepath") is None else wire.optional(fields, "filepath")


_HANDLERS = [show_config, change_config]
routes = Router(
    "/v3", guards=[for_anyone_with_a_token, for_people], tags=["Server configuration"], route_handlers=_HANDLERS
)
routes_v2 = Router(
    "/v2", guards=[for_anyone_with_a_token, for_people], tags=["Server configuration"], route_handlers=_HANDLERS
)
