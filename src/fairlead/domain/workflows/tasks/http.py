"""Tasks of type `http`: a request, and what was answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from fairlead.base.http.outgoing import AddressNotAllowed, Answer, BadAddress, NoAnswer, Outgoing
from fairlead.domain.workflows.definition import HttpTask, Task
from fairlead.domain.workflows.model import Result, Run, StepFailed
from fairlead.domain.workflows.substitution import Values, filled, filled_text, filled_uri, without_expressions
from fairlead.domain.workflows.tasks.answers import as_json

CONNECT_SECONDS = 10
READ_SECONDS = 60
LONGEST_SECONDS = 3600
LONGEST_SHOWN = 64 * 1024
_KEY = "Idempotency-Key"
_SECRET = re.compile(r"auth|cookie|token|secret|key|passw|signature|credential", re.IGNORECASE)
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"})
"""Headers that say how the request is sent, and not what it says. As with Mender, they are not the definition's."""
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_IN_HEADERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PATH = re.compile(r"^[^/?#]*(?://[^/?#]*)?([^?#]*)")
_USER = re.compile(r"^([^/?#]*//)[^/?#]*@")


def run_http(task: Task, said: HttpTask, values: Values, run: Run, outgoing: Outgoing) -> Result:
    """Send the request with an `Idempotency-Key`, which is the same at each attempt."""
    uri, method = filled_uri(said.uri, values), said.method.upper() or "GET"
    body = _body(said, values)
    headers = _headers(said, values, run)
    shown: dict[str, Any] = {"request": _shown_request(uri, method, headers, body)}

    def failed(reason: str, *, for_good: bool = False) -> StepFailed:
        return StepFailed(reason, Result(task.name, task.type, success=False, data=shown), for_good=for_good)

    problem = _problem_of(uri, headers)
    if problem:
        raise failed(problem, for_good=True)
    try:
        answer = outgoing.send(
            method,
            uri,
            headers,
            body,
            connect_seconds=min(said.connection_time_out or CONNECT_SECONDS, LONGEST_SECONDS),
            read_seconds=min(said.read_time_out or READ_SECONDS, LONGEST_SECONDS),
        )
    except (AddressNotAllowed, BadAddress) as refusal:
        raise failed(str(refusal), for_good=True) from None
    except NoAnswer as silence:
        raise failed(str(silence)) from None
    shown |= {"response": _shown_response(answer), "json": as_json(answer.body)}
    if not _is_success(said, answer.status):
        raise failed(f"{method} {_named(said.uri, uri)} was answered with {answer.status}")
    return Result(task.name, task.type, success=True, data=shown)


def _is_success(said: HttpTask, status: int) -> bool:
    return status in said.status_codes if said.status_codes else status < 400


def _problem_of(uri: str, headers: Mapping[str, str]) -> str:
    if {".", ".."} & set(re.split(r"[/\\]", unquote(_path_of(uri)))):
        return "an address must not contain . or .. as a part of its path: it would lead elsewhere"
    if not all(map(_HEADER_NAME.fullmatch, headers)):
        return "the name of a header has marks that HTTP does not allow"
    if any(map(_BAD_IN_HEADERS.search, headers.values())):
        return "a header must not contain line breaks or other control characters"
    return ""


def _path_of(uri: str) -> str:
    try:
        return urlsplit(uri).path
    except ValueError:  # whoever sends it says so
        return ""


def _body(said: HttpTask, values: Values) -> bytes:
    if said.json is not None:
        return msgspec.json.encode(filled(said.json, values))
    return filled_text(said.body, values).encode()


def _headers(said: HttpTask, values: Values, run: Run) -> dict[str, str]:
    """The headers of the definition, and ours where it has none: it may know better what a receiver goes by."""
    headers = {filled_text(name, values): filled_text(value, values) for name, value in said.headers.items()}
    headers = {name: value for name, value in headers.items() if name.lower() not in _OURS}
    named = {name.lower(): name for name in headers}
    kind = filled_text(said.content_type, values) or ("application/json" if said.json is not None else "")
    if kind and "content-type" not in named:
        headers["Content-Type"] = kind
    if not headers.get(named.get(_KEY.lower(), ""), "").strip():
        headers.pop(named.get(_KEY.lower(), ""), None)
        headers[_KEY] = run.key
    return headers


def _shown_request(uri: str, method: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The request as the API shows it: without what lets somebody in."""
    lines = [f"{name}: {'***' if _is_secret(name) else value}" for name, value in headers.items()]
    return {"uri": _without_user(uri), "method": method, "headers": lines, "body": _text(body)}


def _is_secret(header: str) -> bool:
    return header.lower() != _KEY.lower() and _SECRET.search(header) is not None


def _without_user(uri: str) -> str:
    return _USER.sub(r"\1***@", uri)


def _named(said: str, uri: str) -> str:
    """The host that was called, and the path as the definition has it: what is put into that may let somebody in."""
    path = _PATH.search(without_expressions(said, "…"))
    assert path is not None
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}{path.group(1)}"


def _shown_response(answer: Answer) -> dict[str, Any]:
    return {"statusCode": answer.status, "body": _text(answer.body)}


def _text(body: bytes) -> str:
    return body[:LONGEST_SHOWN].decode("utf-8", "replace").replace("\0", "")
