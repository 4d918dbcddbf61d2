"""How are bodies and parameters read, and pages written?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response

from fairlead.api.mender.errors import BadBody, BadParameter, WrongContentType, what_is_decoded

LARGEST_PER_PAGE = 500
DEFAULT_PER_PAGE = 20
LARGEST_PAGE = 10_000_000
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,17}")
NEWEST_EPOCH_SECONDS = 253_402_300_799  # the end of the year 9999


class WireRequest(Request[Any, Any, Any]):
    """Reads a JSON body straight into the type that the handler asks for, and strictly: no `"5"` for `5`."""

    async def json(self) -> Any:
        field = self.route_handler.parsed_data_field
        wanted = field.annotation if field is not None else Any
        check_content_type(self.scope)
        return decode(await self.body(), wanted, what_is_decoded(self))


def decode(body: bytes, wanted: Any, what: str) -> Any:
    """The body as the wanted type, or a `BadBody` that says where it is not."""
    try:
        if not body.isascii():
            body.decode()  # msgspec does not look at what it skips
        value = msgspec.json.decode(body, type=wanted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as problem:
        reason = "nested too deeply" if isinstance(problem, RecursionError) else str(problem)
        raise BadBody(what=what, reason=reason or "not JSON") from None
    if b"\\u0000" in body and _NUL.search(body):
        raise BadBody(what=what, reason="NUL characters are not allowed")
    return value


def check_content_type(scope: Any) -> None:
    """Mender's services refuse a body that does not call itself JSON with 415 (mender.md §2.0)."""
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), b"application/json")
    if kind.split(b";")[0].strip().lower() != b"application/json":
        raise WrongContentType


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted. Pages are counted from 1."""

    number: int
    size: int

    @property
    def skip(self) -> int:
        return (self.number - 1) * self.size


def page_of(request: Request[Any, Any, Any]) -> Page:
    """`page` and `per_page` of the query, with the limits and the words of mender.md §2.0."""
    number = _whole_number(request, "page", 1)
    size = _whole_number(request, "per_page", DEFAULT_PER_PAGE)
    if not 1 <= number <= LARGEST_PAGE:
        raise BadParameter(reason="Param page is out of bounds")
    if not 1 <= size <= LARGEST_PER_PAGE:
        raise BadParameter(reason="Param per_page is out of bounds")
    return Page(number, size)


def _whole_number(request: Request[Any, Any, Any], name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    if not _WHOLE_NUMBER.fullmatch(text):
        raise BadParameter(reason=f"Can't parse param {name}")
    return int(text)


def number_parameter(request: Request[Any, Any, Any], name: str) -> int | None:
    """A whole number, None if it is not given."""
    return _whole_number(request, name, 0) if request.query_params.get(name) else None


def epoch_parameter(request: Request[Any, Any, Any], name: str) -> datetime | None:
    """A point in time given in seconds since 1970, None if it is not given."""
    seconds = _whole_number(request, name, -1)
    if seconds == -1 and not request.query_params.get(name):
        return None
    if not 0 <= seconds <= NEWEST_EPOCH_SECONDS:
        raise BadParameter(reason=f"Can't parse param {name}")
    return datetime.fromtimestamp(seconds, UTC)


def parameters(request: Request[Any, Any, Any], name: str) -> list[str]:
    """All values of a parameter that may be repeated."""
    values: list[str] = request.query_params.getall(name, [])
    if any("\0" in value for value in values):
        raise BadParameter(reason=f"Can't parse param {name}")
    return values


def parameter(request: Request[Any, Any, Any], name: str) -> str | None:
    """The first value of a parameter, None if it is not given."""
    return next(iter(parameters(request, name)), None)


def one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise BadParameter(reason=f"Param {name} must be one of {list(allowed)}".replace("'", ""))
    return value


def add_links(request: Request[Any, Any, Any], page: Page, *, has_next: bool) -> None:
    """One `Link` header for each of prev, next and first, relative to our host (mender.md §2.0)."""
    numbers = {"prev": page.number - 1, "next": page.number + 1 if has_next else 0, "first": 1}
    for relation, number in numbers.items():
        if number:
            add_header(request, "link", f'<{_address(request, number, page.size)}>; rel="{relation}"')


def _address(request: Request[Any, Any, Any], number: int, size: int) -> str:
    query = [(name, value) for name, value in request.query_params.multi_items() if name not in {"page", "per_page"}]
    query += [("page", str(number)), ("per_page", str(size))]
    return f"{request.scope['path']}?{urlencode(sorted(query))}"


def add_total(request: Request[Any, Any, Any], total: int) -> None:
    add_header(request, "x-total-count", str(total))


def address_of_client(request: Request[Any, Any, Any]) -> str:
    """The address that the request came from: behind a proxy that is trusted, what the proxy says."""
    client = request.scope.get("client")
    return str(client[0]) if client else ""


def empty(status_code: int) -> Response[bytes]:
    """An answer whose status says it all. (For None the framework would write `null`.)"""
    return Response(b"", status_code=status_code, media_type="application/json")


def add_header(request: Request[Any, Any, Any], name: str, value: str) -> None:
    """A header for the answer; unlike those of a response object it may be given several times."""
    headers = request.scope["state"].setdefault("headers", [])
    headers.append((name.encode(), value.encode("latin-1", "replace")))
