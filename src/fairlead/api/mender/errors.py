"""How does this API word a no? `{"error": …, "request_id": …}`, with the status that its reference gives."""

from __future__ import annotations

from collections.abc import Callable
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
from fairlead.domain import billing, deployments, identity

log = structlog.get_logger()

STATUS = {
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


class BadBody(Refusal):
    """A body that cannot be read as what the operation takes."""

    message = "{what}: {reason}"


class WrongContentType(Refusal):
    message = "Bad Content-Type or charset, expected 'application/json'"


class BadParameter(Refusal):
    message = "{reason}"


class ErrorBody(msgspec.Struct):
    """The shape of every error of this API."""

    error: str
    request_id: str


def request_id(scope: Any) -> str:
    """The id under which this request is logged, made or taken over by the front door."""
    return str(scope.get("state", {}).get("request_id", ""))


def body_of(error: str, scope: Any) -> bytes:
    return msgspec.json.encode(ErrorBody(error, request_id(scope)))


OWN_STATUS: dict[type[Refusal], int] = {
    billing.CardNotVerified: 500,
    identity.TenantNotRemovable: 405,
    WrongContentType: 415,
    deployments.DeploymentOutsideOwnGroups: 405,
}
"""Refusals for which the reference has another status than for others of their kind."""


def status_of(refusal: Refusal) -> int:
    return OWN_STATUS.get(type(refusal), STATUS[refusal.kind])


def headers_of(refusal: Refusal) -> dict[str, str]:
    """Who you would have to be, and when it is worth trying again (`facts["retry_after"]`, in seconds)."""
    if refusal.kind is Kind.UNAUTHENTICATED:
        return {"WWW-Authenticate": "Bearer"}
    retry_after = refusal.facts.get("retry_after")
    return {} if retry_after is None else {"Retry-After": str(retry_after)}


def refuse(request: Request[Any, Any, Any], refusal: Refusal) -> Response[ErrorBody]:
    status = status_of(refusal)
    if status >= 500 and refusal.kind is not Kind.NOT_BUILT:
        log.warning("request.unavailable", path=request.scope["path"], reason=str(refusal))
    return _answer(request, status, str(refusal), headers_of(refusal))


def refuse_with(status: int) -> Callable[[Request[Any, Any, Any], Refusal], Response[ErrorBody]]:
    """For routes on which a refusal has another status than everywhere else: `exception_handlers={…}`."""

    def refuse_so(request: Request[Any, Any, Any], refusal: Refusal) -> Response[ErrorBody]:
        return _answer(request, status, str(refusal))

    return refuse_so


def word_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[ErrorBody]:
    """What the framework refuses by itself: unknown routes, wrong methods, parameters of the wrong type."""
    if isinstance(error, NotFoundException):
        return _answer(request, 404, "not found")
    if isinstance(error, MethodNotAllowedException):
        return _answer(request, 405, "method not allowed", dict(error.headers or {}))
    if isinstance(error, ValidationException):
        return _answer(request, 400, _first_problem(request, error))
    if isinstance(error, ClientException):
        return _answer(request, error.status_code, error.detail or "bad request")
    if isinstance(error, InternalServerException) and "disconnected" in (error.detail or ""):
        return _answer(request, 400, "the connection was closed before the request was complete")
    return word_bug(request, error)


def what_is_decoded(request: Request[Any, Any, Any]) -> str:
    """How the operation words that it cannot read its body."""
    return str(request.route_handler.opt.get("decoding", "failed to decode request body"))


def _first_problem(request: Request[Any, Any, Any], error: ValidationException) -> str:
    problems: Any = error.extra or [{}]
    first = problems[0] if isinstance(problems, list) and isinstance(problems[0], dict) else {}
    if first.get("key") == "data" or first.get("source") == "body" or not first:
        return f"{what_is_decoded(request)}: JSON payload is empty"
    return f"Can't parse param {first.get('key', '')}"


def word_bug(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorBody]:
    """Our mistake: logged whole, told as nothing but that."""
    log.error("request.failed", path=request.scope["path"], request_id=request_id(request.scope), exc_info=error)
    return _answer(request, 500, "internal error")


def _answer(
    request: Request[Any, Any, Any], status: int, error: str, headers: dict[str, str] | None = None
) -> Response[ErrorBody]:
    return Response(
        ErrorBody(error, request_id(request.scope)),
        status_code=status,
        headers=headers or {},
        media_type="application/json",
    )


HANDLERS: dict[Any, Any] = {Refusal: refuse, HTTPException: word_http_error, Exception: word_bug}
