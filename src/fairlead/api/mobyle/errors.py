"""How does this API word a no? `{"title", "explanation", "detail"}`, as Mobyle2 does, with the status that fits.

The title names the status, the explanation says what that means, and the detail what was wrong this time. What is
wrong with the values of a job, or with a description, is told besides, one by one.
"""

from __future__ import annotations

from http import HTTPStatus
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
    ValidationException,
)

from fairlead.base.errors import Kind, Refusal
from fairlead.domain import catalog, identity, jobs

JSON = "application/json"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Of every answer: none of them is a page, unless it says so."""
NO_STORE = {"Cache-Control": "no-store"}

STATUS: dict[Kind, int] = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.PAYMENT: 402,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.UNPROCESSABLE: 422,
    Kind.LIMIT: 429,
    Kind.NOT_BUILT: 501,
    Kind.UNAVAILABLE: 503,
}
OWN_STATUS: dict[type[Refusal], int] = {catalog.BadDescription: 422, jobs.commands.BadValues: 422}
"""Refusals that have another status than others of their kind."""
OWN_DETAIL: dict[type[Refusal], str] = {
    identity.WrongLogin: "The name or the password is wrong.",
    identity.BadToken: "The token is none of this portal's, or it was taken back.",
    identity.TokenExpired: "The token is good no longer: log in again.",
}
"""Refusals that have no words of their own: those who word them for another API have said all they want to."""
_EXPLAINED = {
    400: "The request makes no sense as it stands.",
    401: "It takes somebody who is logged in.",
    403: "You are not allowed to do this.",
    404: "It is not there, or not for you to see.",
    405: "This cannot be done here: the Allow header says what can.",
    409: "It cannot be done as things are.",
    413: "It is more than is taken.",
    415: "The body has a type that is not taken here.",
    422: "It can be read, but not carried out.",
    429: "It is more than is allowed.",
    500: "It is a mistake of the server's, which is written down there.",
    501: "It is not built yet.",
    503: "A part of the server does not answer: try again later.",
}

log = structlog.get_logger()


class BadBody(Refusal):
    """A body that cannot be read as what the operation takes."""

    message = "The body cannot be read: {reason}"


class BadParameter(Refusal):
    message = "{name}: {reason}"


class NotJson(Refusal):
    message = "The body must be JSON, and its Content-Type application/json."


class NothingHere(Refusal):
    kind = Kind.NOT_FOUND
    message = "There is nothing at this path."


def is_ours(path: str) -> bool:
    """Is this path one of this API, whether or not there is anything at it?"""
    return path.startswith("/mobyle/") or path == "/mobyle"


def status_of(refusal: Refusal) -> int:
    own = next((OWN_STATUS[each] for each in type(refusal).__mro__ if each in OWN_STATUS), None)
    return own or (415 if isinstance(refusal, NotJson) else STATUS[refusal.kind])


def refuse(request: Request[Any, Any, Any], refusal: Refusal) -> Response[bytes]:
    """The answer to what the domain has refused."""
    status = status_of(refusal)
    if status >= 500 and refusal.kind is not Kind.NOT_BUILT:
        log.warning("request.unavailable", path=request.scope["path"], reason=str(refusal))
    return say(status, OWN_DETAIL.get(type(refusal), str(refusal)), _headers_of(refusal), **_one_by_one(refusal))


def _one_by_one(refusal: Refusal) -> dict[str, Any]:
    if isinstance(refusal, jobs.commands.BadValues):
        return {"errors": {name: list(messages) for name, messages in refusal.errors.items()}}
    if isinstance(refusal, catalog.BadDescription):
        texts: dict[str, list[str]] = {}
        for problem in refusal.problems:
            texts.setdefault(problem.place, []).append(problem.text)
        return {"errors": texts}
    return {}


def _headers_of(refusal: Refusal) -> dict[str, str]:
    if refusal.kind is Kind.UNAUTHENTICATED:
        return {"WWW-Authenticate": "Bearer"}
    retry_after = refusal.facts.get("retry_after")
    return {} if retry_after is None else {"Retry-After": str(retry_after)}


def word_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What the framework refuses by itself: unknown routes, wrong methods, bodies that are too large or not there."""
    if isinstance(error, NotFoundException):
        return say(404, NothingHere.message)
    if isinstance(error, MethodNotAllowedException):
        method = str(request.scope.get("method", ""))
        return say(405, f"{method} is not among the methods of this path.", dict(error.headers or {}))
    if isinstance(error, ValidationException):
        return say(400, "There is no body, and this takes one.")
    if isinstance(error, ClientException):
        return say(error.status_code, error.detail or "It is not a request that can be read.")
    if isinstance(error, InternalServerException) and "disconnected" in (error.detail or ""):
        return say(400, "The connection was closed before the request was complete.")
    return word_bug(request, error)


def word_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Our mistake: logged whole, told as nothing but that."""
    request_id = request.scope.get("state", {}).get("request_id", "")
    log.error("request.failed", path=request.scope["path"], request_id=request_id, exc_info=error)
    return say(500, "internal error")


def say(status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> Response[bytes]:
    """An error in this API's shape."""
    said = {"title": HTTPStatus(status).phrase, "explanation": _EXPLAINED.get(status, ""), "detail": detail, **more}
    shown = {**HEADERS, **NO_STORE, **(headers or {})}
    return Response(msgspec.json.encode(said), status_code=status, headers=shown, media_type=JSON)


HANDLERS: dict[Any, Any] = {Refusal: refuse, HTTPException: word_http_error, Exception: word_bug}
