"""How are bodies and parameters read, and answers written?

Clients of different ages send one thing in different ways: mobingi-cli and alm-agent send forms where the reference
shows JSON, and the reference shows JSON under a Content-Type of forms. So it is the body that says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
from litestar import Request, Response

from fairlead.api.mobingi.errors import JSON, BadBody, BadParameter, MissingParameter
from fairlead.base.http.forms import FORM_TYPES, BadForm, form_of

LARGEST_BODY = 4 * 1024 * 1024
_JAPAN = timezone(timedelta(hours=9))
_WORDS_OF_PROGRAMS = ("message",)
"""In these agents repeat what a program has said, which may be anything: an error is told whatever it says."""
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
Fields = dict[str, Any]


async def fields(request: Request[Any, Any, Any]) -> Fields:
    """The body's fields, whichever of JSON, urlencoded form or multipart form it is. No body: none."""
    return fields_of(request.headers.get("content-type", ""), await request.body())


async def text(request: Request[Any, Any, Any]) -> bytes:
    """The body as it is, for templates: whatever it calls itself, it is looked at when it is read."""
    return await request.body()


def fields_of(content_type: str, body: bytes) -> Fields:
    """What `fields` finds in this body. Only multipart forms must call themselves what they are."""
    kind = content_type.split(";")[0].strip().lower()
    if not body.strip():
        return {}
    if kind != FORM_TYPES[1] and (body.lstrip()[:1] in b"{[" or kind.endswith("json")):
        return _json_fields(body)
    if kind not in {"", *FORM_TYPES}:
        raise BadBody(reason=f"it is neither JSON nor a form, and calls itself {kind!r}")
    try:
        return dict(form_of(content_type if kind else FORM_TYPES[0], body, LARGEST_BODY, _WORDS_OF_PROGRAMS))
    except BadForm as problem:
        raise BadBody(reason=str(problem)) from None


def _json_fields(body: bytes) -> Fields:
    try:
        body.decode()  # msgspec does not look at what it skips
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as problem:
        reason = "it is nested too deeply" if isinstance(problem, RecursionError) else str(problem)
        raise BadBody(reason=reason) from None
    if not isinstance(found, dict):
        raise BadBody(reason="it is not a JSON object")
    if _NUL.search(body) and _NUL.search(msgspec.json.encode(_without_words_of_programs(found))):
        raise BadBody(reason="NUL characters are not allowed")
    return found


def _without_words_of_programs(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name not in _WORDS_OF_PROGRAMS}


def query(request: Request[Any, Any, Any]) -> Fields:
    """The parameters of the query; of one that is given twice, the last."""
    found = dict(request.query_params.multi_items())
    if any("\0" in value for value in found.values()):
        raise BadParameter(name="query", reason="NUL characters are not allowed")
    return found


def address_of(request: Request[Any, Any, Any]) -> str:
    """The address that the request came from: behind a proxy that is trusted, what the proxy says."""
    return request.client.host if request.client else ""


def required(said: Mapping[str, Any], name: str) -> str:
    """The text with this name. Missing is as empty: both are refused."""
    value = optional(said, name)
    if not value:
        raise MissingParameter(name=name)
    return value


def optional(said: Mapping[str, Any], name: str, default: str = "") -> str:
    """The text with this name, or the default where there is none. A whole number counts as the text that writes it."""
    value = said.get(name)
    if value is None:
        return default
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise BadParameter(name=name, reason="it must be a text")
    return value


def answer(value: Any, status_code: int = 200) -> Response[bytes]:
    """A value as compact JSON, in the content type of the reference server."""
    return Response(msgspec.json.encode(value), status_code=status_code, media_type=JSON)


def moment(value: datetime) -> str:
    """As stacks and roles have it: `2017-08-26T19:31:25+09:00`."""
    return value.astimezone(_JAPAN).isoformat(timespec="seconds")


def moment_of_version(value: datetime) -> str:
    """As versions of templates have it, which came from S3: `2017-08-25T10:40:29.000Z`."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def epoch(value: datetime) -> str:
    """As containers have it: seconds since 1970, as a text."""
    return str(int(value.timestamp()))
