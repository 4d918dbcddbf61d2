"""What is answered before the router is asked?

Nearly every request comes from a device, and asks one of three things: have you work for me, here is my inventory,
let me in. When the token is known and the answer lies in memory (or in a group of writes), it is given here, without
a thread or a router. Whatever is unusual, a malformed body included, goes the normal way, which words it.
"""

from __future__ import annotations

import itertools
import random
import re
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
import structlog

from fairlead.api.mender.context import Context
from fairlead.api.mender.errors import body_of, headers_of, status_of
from fairlead.base.errors import Refusal
from fairlead.base.grouped import Stopping
from fairlead.domain import devices, identity

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

DEVICES = "/api/devices"
LARGEST_HOT_BODY = 256 * 1024
MOST_KNOWN_QUERIES = 10_000
LONGEST_KNOWN_QUERY = 512
_VERSION_AT = len(DEVICES) + 2

log = structlog.get_logger()

_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")
_HAS_NAME = re.compile(rb"(?:^|&)artifact_name=[^&]")
_HAS_TYPE = re.compile(rb"(?:^|&)device_type=[^&]")
_THIS_PROCESS = str(uuid.uuid4())[:24].encode()
_numbers = itertools.count(random.getrandbits(47))
_EMPTY = {"type": "http.response.body", "body": b""}


class _Provides(msgspec.Struct):
    artifact_name: str
    device_type: str


class _NextV2(msgspec.Struct):
    device_provides: _Provides


class WireAuthRequest(msgspec.Struct):
    """`POST auth_requests`: the identity is a JSON object inside a string."""

    id_data: str | None = None
    pubkey: str | None = None
    tenant_token: str | None = None


_next_v1 = msgspec.json.Decoder(_Provides)
_next_v2 = msgspec.json.Decoder(_NextV2)
_attributes = msgspec.json.Decoder(list[devices.Attribute])
_auth_request = msgspec.json.Decoder(WireAuthRequest)


class Tally:
    """How many requests were answered here, by what they asked: for the metrics."""

    __slots__ = ("admitted", "idle", "reports")

    def __init__(self) -> None:
        self.idle = 0
        self.reports = 0
        self.admitted = 0


class FrontDoor:
    """Stands in front of an ASGI application, gives each request its id, and answers what it can by itself."""

    def __init__(self, app: App, context: Context, methods_of: Callable[[str], list[str]]) -> None:
        self._app = app
        self._methods_of = methods_of
        self._context = context
        self._memory = context.memory
        self._agenda = context.agenda
        self.tally = Tally()
        self._good_queries: set[bytes] = set()
        v1, v2 = f"{DEVICES}/v1", f"{DEVICES}/v2"
        self._hot: dict[str, Callable[[Scope, Receive, Send], Awaitable[None]]] = {
            f"{v1}/deployments/device/deployments/next": self._next,
            f"{v2}/deployments/device/deployments/next": self._next,
            f"{v1}/inventory/device/attributes": self._report,
            f"{v1}/authentication/auth_requests": self._admit,
        }

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        if scope["method"] == "OPTIONS":
            return self._say_methods(scope, receive, send)
        return self._hot.get(scope["path"], self._pass_on)(scope, receive, send)

    async def _say_methods(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods = self._methods_of(scope["path"])
        if methods:
            await _answer(scope, send, 200, b"", b"application/json", (b"allow", ", ".join(methods).encode()))
        else:
            await self._pass_on(scope, receive, send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The normal way: with a request id, and with the headers that handlers may have added several times."""
        id_ = _request_id(scope)
        state: dict[str, Any] = {**scope.get("state", {}), "request_id": id_.decode(), "headers": []}
        scope["state"] = state

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *state["headers"], (b"x-men-requestid", id_)]
            await send(message)

        await self._app(scope, receive, send_with_id)

    async def _next(self, scope: Scope, receive: Receive, send: Send) -> None:
        """204 for a device that has nothing to do. `true` answers only: in doubt the normal way is taken."""
        bearer = self._device(scope)
        if bearer is None or not self._agenda.is_idle(bearer.subject):
            await self._pass_on(scope, receive, send)
            return
        method = scope["method"]
        if method == "POST":
            body, complete = await _read(receive)
            receive = _again(body, receive, complete)
            good = complete and _says_json(scope) and _is_question(body, v2=scope["path"].startswith(f"{DEVICES}/v2"))
            # a body takes its time, in which the device may be put out or given work
            good = good and self._memory.knows(bearer) and self._agenda.is_idle(bearer.subject)
        else:
            good = method == "GET" and self._is_good(scope["query_string"]) and scope["path"][_VERSION_AT] == "1"
        if not good:
            await self._pass_on(scope, receive, send)
            return
        bearer.seen_at = int(time.time())
        self.tally.idle += 1
        headers = [(b"x-men-requestid", _request_id(scope))]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send(_EMPTY)

    def _is_good(self, query: bytes) -> bool:
        """Does the query name type and artifact? Devices of a kind send the same one, so the good ones are known."""
        if query in self._good_queries:
            return True
        if not (_HAS_NAME.search(query) and _HAS_TYPE.search(query)):
            return False
        if len(self._good_queries) < MOST_KNOWN_QUERIES and len(query) <= LONGEST_KNOWN_QUERY:
            self._good_queries.add(query)
        return True

    async def _report(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An inventory report of a known device joins the group that is written next."""
        bearer = self._device(scope) if scope["method"] in {"PATCH", "PUT"} else None
        if bearer is None:
            await self._pass_on(scope, receive, send)
            return
        body, complete = await _read(receive)
        try:
            report = devices.report_of(
                bearer.scope.tenant_id, bearer.subject, _attributes.decode(body), replace=scope["method"] == "PUT"
            )
        except (msgspec.DecodeError, ValueError, RecursionError, Refusal):
            report = None
        if report is None or not complete or not _says_json(scope) or not self._memory.knows(bearer):
            await self._pass_on(scope, _again(body, receive, complete), send)
            return
        bearer.seen_at = int(time.time())
        try:
            await self._context.reports.submit(report)
        except Exception as problem:
            await _refuse(scope, send, problem)
            return
        self.tally.reports += 1
        await _answer(scope, send, 200, b"", b"application/json")

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An auth request joins the group whose signatures are checked next."""
        signature = next((value for name, value in scope["headers"] if name == b"x-men-signature"), b"")
        if scope["method"] != "POST" or not signature or not _says_json(scope):
            await self._pass_on(scope, receive, send)
            return
        body, complete = await _read(receive)
        try:
            said = _auth_request.decode(body)
        except (msgspec.DecodeError, ValueError, RecursionError):
            said = None
        if said is None or not complete or not said.id_data or not said.pubkey:
            await self._pass_on(scope, _again(body, receive, complete), send)
            return
        tenant_token = said.tenant_token or ""
        request = devices.AuthRequest(body, signature.decode("latin-1"), said.id_data, said.pubkey, tenant_token)
        try:
            token = await self._context.admissions.submit(request)
        except Exception as problem:
            await _refuse(scope, send, problem)
            return
        self.tally.admitted += 1
        await _answer(scope, send, 200, token.encode(), b"application/jwt")

    def _device(self, scope: Scope) -> identity.Bearer | None:
        """The device that asks, if its token was verified before and its calls are not counted."""
        for name, value in scope["headers"]:
            if name == b"authorization":
                bearer = self._memory.find(value[7:]) if value[:7] == b"Bearer " else None
                return bearer if bearer is not None and bearer.is_device and bearer.limits is None else None
        return None


def _request_id(scope: Scope) -> bytes:
    """The id that the client gave the request, or a new UUIDv4 (mender.md §2.0): this process's, and a number."""
    for name, value in scope["headers"]:
        if name == b"x-men-requestid" and _REQUEST_ID.fullmatch(value):
            return bytes(value)
    return b"%s%012x" % (_THIS_PROCESS, next(_numbers) & 0xFFFFFFFFFFFF)


def _is_question(body: bytes, *, v2: bool) -> bool:
    """Does the body say what the device is and runs, as a question for the next deployment must?"""
    try:
        said = _next_v2.decode(body).device_provides if v2 else _next_v1.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
    return bool(said.artifact_name and said.device_type)


def _says_json(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"content-type":
            return bool(value.split(b";")[0].strip().lower() == b"application/json")
    return True


async def _read(receive: Receive) -> tuple[bytes, bool]:
    """The body as far as it is of a usual size, and whether that is all of it."""
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body") and len(body) <= LARGEST_HOT_BODY:
        message = await receive()
        body += message.get("body", b"")
    return body, message["type"] == "http.request" and not message.get("more_body")


def _again(body: bytes, receive: Receive, complete: bool) -> Receive:
    """Give the part of a body that was read here to someone else, and then the rest."""
    pending = [{"type": "http.request", "body": body, "more_body": not complete}]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    return receive_again


async def _refuse(scope: Scope, send: Send, problem: Exception) -> None:
    """Say no in the words of this API; what is no refusal is our bug: logged whole, told as nothing but that."""
    scope.setdefault("state", {})["request_id"] = _request_id(scope).decode()
    headers: dict[str, str] = {}
    if isinstance(problem, Refusal):
        status, text, headers = status_of(problem), str(problem), headers_of(problem)
    elif isinstance(problem, Stopping):
        status, text = 503, "the server is stopping; please try again"
    else:
        status, text = 500, "internal error"
        log.error("request.failed", path=scope["path"], request_id=scope["state"]["request_id"], exc_info=problem)
    more = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await _answer(scope, send, status, body_of(text, scope), b"application/json", *more)


async def _answer(scope: Scope, send: Send, status: int, body: bytes, kind: bytes, *more: tuple[bytes, bytes]) -> None:
    state = scope.get("state") or {}
    id_ = state["request_id"].encode() if "request_id" in state else _request_id(scope)
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"x-men-requestid", id_),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
