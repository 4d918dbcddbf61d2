"""How does this API word a no? One body for all: `{"code", "error", "message", "description"}`.

Mobingi has three shapes of errors: those of its API (`code`, `message`, `description`), OAuth's (`error`, `message`),
and a line of its own for what a role forbids (`RBAC`). Clients look for the keys of one of them: all are there, always.

Of the codes 1000, 1005, 1006, 1007, 2000, 4000, 8000 and 9000 are published. The others are ours, beside the one that
they are like.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import (
    ClientException,
    HTTPException,
    InternalServerException,
    MethodNotAllowedException,
    NotFoundException,
)

from fairlead.base.errors import Kind, Refusal
from fairlead.domain import stacks

JSON = "application/json; charset=utf-8"
BAD_TEMPLATE = "Alm template failed to pass the format verification"
RBAC = {"RBAC": "Action not allowed"}

log = structlog.get_logger()


class MissingParameter(Refusal):
    message = "{name} not specified"


class BadParameter(Refusal):
    message = "{name}: {reason}"


class BadBody(Refusal):
    """A body that is neither JSON nor a form."""

    message = "The body cannot be read: {reason}"


@dataclass(frozen=True, slots=True)
class Wording:
    """What a no looks like. `message` is the refusal's own sentence where it is empty."""

    status: int
    code: str
    error: str
    message: str = ""
    description: str = ""


BY_KIND: dict[Kind, Wording] = {
    Kind.INVALID: Wording(400, "1000", "invalid_request"),
    Kind.NOT_FOUND: Wording(404, "1001", "not_found"),
    Kind.CONFLICT: Wording(409, "1005", "conflict"),
    Kind.TOO_LARGE: Wording(413, "1008", "too_large"),
    Kind.UNPROCESSABLE: Wording(422, "1003", "unprocessable"),
    Kind.FORBIDDEN: Wording(403, "4000", "access_denied", "RBAC response is limited."),
    Kind.UNAUTHENTICATED: Wording(401, "4001", "access_denied"),
    Kind.PAYMENT: Wording(402, "4002", "payment_required"),
    Kind.LIMIT: Wording(429, "4029", "limit_reached"),
    Kind.NOT_BUILT: Wording(501, "8001", "not_built"),
    Kind.UNAVAILABLE: Wording(503, "8000", "unavailable"),
}
NOTHING_HERE = replace(BY_KIND[Kind.NOT_FOUND], message="There is nothing at this path.")
OWN: dict[type[Refusal], Wording] = {
    stacks.StackIsBusy: Wording(409, "2000", "stack_busy"),
    stacks.StackNotFound: Wording(404, "2000", "not_found"),
    stacks.NoDriver: Wording(422, "2000", "stack_failure"),
    stacks.VendorFailed: Wording(422, "2000", "stack_failure"),
    stacks.BadTemplate: Wording(400, "1006", "invalid_template", BAD_TEMPLATE),
    stacks.EmptyTemplate: Wording(400, "1007", "empty_template"),
}
"""Refusals that are worded otherwise than others of their kind. Routes may have more: `opt={"wordings": {…}}`."""


def wording_of(refusal: Refusal, own: dict[type[Refusal], Wording] | None = None) -> Wording:
    """The words for a refusal: those of the nearest class that has any, else those of its kind."""
    known = OWN | (own or {})
    found = next((known[each] for each in type(refusal).__mro__ if each in known), BY_KIND[refusal.kind])
    if not found.message:
        return replace(found, message=str(refusal))
    return found if found.description else replace(found, description=str(refusal).partition("\n")[0])


def refuse(request: Request[Any, Any, Any], refusal: Refusal) -> Response[bytes]:
    """The answer to what the domain has refused."""
    said = _said_by_route(request)
    wording = wording_of(refusal, said.get("wordings"))
    if wording.status >= 500 and refusal.kind is not Kind.NOT_BUILT:
        log.warning("request.unavailable", path=request.scope["path"], reason=str(refusal))
    more: dict[str, Any] = RBAC if wording.status == 403 else {}
    if isinstance(refusal, stacks.BadTemplate):
        more = {"errors": [{"pointer": each.pointer, "message": each.text} for each in refusal.problems]}
    return say(wording, headers=_headers_of(refusal, wording.status, said.get("challenge", "Bearer")), **more)


def word_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework refuses by itself: unknown routes, wrong methods, bodies that are too large."""
    if isinstance(error, NotFoundException):
        return say(NOTHING_HERE)
    if isinstance(error, MethodNotAllowedException):
        method = str(request.scope.get("method", ""))
        message = f"{method} is not among the methods of this path: the Allow header names them."
        return say(Wording(405, "1002", "method_not_allowed", message), headers=dict(error.headers or {}))
    if isinstance(error, ClientException) and error.status_code == 413:
        return say(replace(BY_KIND[Kind.TOO_LARGE], message="The body is too large."))
    if isinstance(error, ClientException):
        return say(replace(BY_KIND[Kind.INVALID], status=error.status_code, message=error.detail or "bad request"))
    if isinstance(error, InternalServerException) and "disconnected" in (error.detail or ""):
        message = "The connection was closed before the request was complete."
        return say(replace(BY_KIND[Kind.INVALID], message=message))
    return word_bug(request, error)


def word_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Our mistake: logged whole, told as nothing but that."""
    request_id = request.scope.get("state", {}).get("request_id", "")
    log.error("request.failed", path=request.scope["path"], request_id=request_id, exc_info=error)
    return say(Wording(500, "9000", "server_error", "internal error"))


def say(wording: Wording, *, headers: dict[str, str] | None = None, **more: Any) -> Response[bytes]:
    """An error in this API's shape."""
    body = body_of(wording, **more)
    return Response(body, status_code=wording.status, headers=headers or {}, media_type=JSON)


def body_of(wording: Wording, **more: Any) -> bytes:
    return msgspec.json.encode(
        {
            "code": wording.code,
            "error": wording.error,
            "message": wording.message,
            "description": wording.description,
            **more,
        }
    )


def _said_by_route(request: Request[Any, Any, Any]) -> dict[str, Any]:
    handler = request.scope.get("route_handler")
    return dict(handler.opt) if handler is not None else {}


def _headers_of(refusal: Refusal, status: int, challenge: str) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": challenge}
    retry_after = refusal.facts.get("retry_after")
    return {} if retry_after is None else {"Retry-After": str(retry_after)}


HANDLERS: dict[Any, Any] = {Refusal: refuse, HTTPException: word_http_error, Exception: word_bug}
