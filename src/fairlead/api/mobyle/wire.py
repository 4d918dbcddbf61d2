"""How are bodies and parameters read, and answers written?"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response

from fairlead.api.mobyle.errors import HEADERS, JSON, NO_STORE, BadBody, BadParameter, NotJson
from fairlead.base.errors import Kind, Refusal
from fairlead.domain.identity import portal

T = TypeVar("T")

LARGEST_BODY = 16 * 1024 * 1024
LARGEST_PAGE = 500
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_NUMBER = re.compile(r"[0-9]{1,11}")


class BodyTooLarge(Refusal):
    kind = Kind.TOO_LARGE
    message = f"A body that is no upload has at most {LARGEST_BODY} bytes."


class PortalRequest(Request[Any, Any, Any]):
    """Reads a JSON body straight into the type that the handler asks for, and strictly: no `"5"` for `5`."""

    async def json(self) -> Any:
        kind = self.headers.get("content-type", JSON).split(";")[0].strip().lower()
        if kind != JSON:
            raise NotJson
        field = self.route_handler.parsed_data_field
        return decoded(await self.body(), field.annotation if field is not None else Any)


def decoded(body: bytes, wanted: Any) -> Any:
    """The body as the wanted type, or `BadBody` with the place where it is not."""
    try:
        body.decode()  # msgspec does not look at what it skips
        value = msgspec.json.decode(body, type=wanted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as problem:
        reason = "it is nested too deeply" if isinstance(problem, RecursionError) else str(problem)
        raise BadBody(reason=reason or "it is not JSON") from None
    if _NUL.search(body):
        raise BadBody(reason="NUL characters are not allowed")
    return value


async def raw(request: Request[Any, Any, Any]) -> bytes:
    """The body as it is, for descriptions: what it is says their format."""
    return await request.body()


async def bounded_body(request: Request[Any, Any, Any]) -> bytes:
    """The whole body where the route takes bodies of any size, and this is not one that may have any."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise BodyTooLarge
    kind = request.headers.get("content-type", JSON).split(";")[0].strip().lower()
    if kind != JSON:
        raise NotJson
    return bytes(body)


def query(request: Request[Any, Any, Any]) -> Mapping[str, str]:
    """The parameters of the query; of one that is given twice, the last."""
    found: dict[str, str] = dict(request.query_params.multi_items())
    if any("\0" in value for value in found.values()):
        raise BadParameter(name="query", reason="NUL characters are not allowed")
    return found


def chosen(said: Mapping[str, str], name: str, among: Any) -> Any:
    """The member of an enumeration that the query names; None if it names none."""
    value = said.get(name, "")
    if not value:
        return None
    if value not in list(among):
        raise BadParameter(name=name, reason=f"it is one of {', '.join(among)}")
    return among(value)


def whole_number(said: Mapping[str, str], name: str, default: int = 0) -> int:
    value = said.get(name, "")
    if value and not _NUMBER.fullmatch(value):
        raise BadParameter(name=name, reason="it is a whole number")
    return int(value) if value else default


def is_yes(said: Mapping[str, str], name: str) -> bool:
    value = said.get(name, "").lower()
    if value not in {"", "true", "1", "false", "0"}:
        raise BadParameter(name=name, reason="it is true or false")
    return value in {"true", "1"}


def part_of_list(said: Mapping[str, str]) -> dict[str, int]:
    """Which part of a long list is wanted: `skip` and `limit`."""
    return {"skip": whole_number(said, "skip"), "at_most": min(whole_number(said, "limit", LARGEST_PAGE), LARGEST_PAGE)}


def pages(said: Mapping[str, str], find: Callable[..., Sequence[T]]) -> Iterator[Sequence[T]]:
    """The part of a long list that the query says; all of it, in pieces, if it says nothing of how much is wanted."""
    part = part_of_list(said)
    page = find(**part)
    yield page
    while not said.get("limit") and len(page) == LARGEST_PAGE:
        part["skip"] += LARGEST_PAGE
        page = find(**part)
        yield page


def answer(value: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """A value as compact JSON. Keys are in the order in which they were put there."""
    shown = {**HEADERS, **NO_STORE, **(headers or {})}
    return Response(msgspec.json.encode(value), status_code=status_code, headers=shown, media_type=JSON)


def answer_or_known(request: Request[Any, Any, Any], value: Any) -> Response[bytes]:
    """The same with a tag, by which whoever asks again is told in few bytes that nothing is new."""
    body = msgspec.json.encode(value)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**HEADERS, "Cache-Control": "private, no-cache", "ETag": etag}
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if etag in known or known == ["*"]:
        return Response(b"", status_code=304, headers=headers, media_type=JSON)
    return Response(body, headers=headers, media_type=JSON)


def done() -> Response[bytes]:
    """There is nothing to say but that it was done."""
    return Response(b"", status_code=204, headers={**HEADERS, **NO_STORE}, media_type=JSON)


def said(**values: Any) -> dict[str, Any]:
    """These, but for those that are not there: what is not known is left out, and never null."""
    return {name: value for name, value in values.items() if value is not None}


def moment(value: datetime | None) -> str | None:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def id_of(number: int | None) -> str | None:
    return portal.written(number) if number else None
