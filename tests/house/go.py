"""What does a program written in Go put on the wire, and what can it read?

Requests are the bytes that `net/http` of Go writes: Host, User-Agent and Content-Length first, then the other headers
in the order of their names, Accept-Encoding last.
"""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True)
class GoAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def go_request(url: str, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {urlsplit(url).netloc}", "User-Agent: Go-http-client/1.1"]
    lines += [] if body is None else [f"Content-Length: {len(body)}"]
    lines += [f"{name}: {headers[name]}" for name in sorted(headers)]
    return "\r\n".join([*lines, "Accept-Encoding: gzip", "", ""]).encode() + (body or b"")


class GoClient:
    """One connection that is kept open, as Go's client keeps it."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=30)
        self._file = self._socket.makefile("rb")
        self.authorization = ""

    def __enter__(self) -> GoClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def get(self, target: str) -> GoAnswer:
        return self.send("GET", target)

    def delete(self, target: str) -> GoAnswer:
        return self.send("DELETE", target)

    def json(self, method: str, target: str, body: str) -> GoAnswer:
        """A body that is sent as it was read from a file."""
        return self.send(method, target, "application/json", body.encode())

    def form(self, target: str, **fields: str) -> GoAnswer:
        """A form as `url.Values` encodes it: in the order of the names."""
        encoded = urlencode(sorted(fields.items())).encode()
        return self.send("POST", target, "application/x-www-form-urlencoded", encoded)

    def send(self, method: str, target: str, content_type: str = "", body: bytes | None = None) -> GoAnswer:
        headers = {"Authorization": self.authorization} if self.authorization else {}
        headers |= {"Content-Type": content_type} if content_type else {}
        self._socket.sendall(go_request(self.url, method, target, headers, body))
        return self._answer()

    def _answer(self) -> GoAnswer:
        status = int(self._file.readline().split()[1])
        headers = {}
        while (line := self._file.readline().decode().rstrip("\r\n")) != "":
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        body = self._file.read(int(headers.get("content-length", 0)))
        return GoAnswer(status, headers, gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body)


def can_decode(value: Any, kind: Any) -> str:
    """Why `encoding/json` would not decode the value into such a type, "" if it would.

    `str`, `bool` and `int` are themselves, `[kind]` is a slice, `{str: kind}` a map, `{"Name": kind}` a struct, and
    None an `interface{}` or `json.RawMessage`. A null fits everything; names are compared whatever their capitals.
    """
    if kind is None or value is None:
        return ""
    if isinstance(kind, list):
        if not isinstance(value, list):
            return f"cannot unmarshal {value!r} into a slice"
        return next(filter(None, (can_decode(each, kind[0]) for each in value)), "")
    if isinstance(kind, dict):
        return _cannot_decode_object(value, kind)
    fits = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
    return "" if fits else f"cannot unmarshal {value!r} into {kind.__name__}"


def _cannot_decode_object(value: Any, kind: dict[Any, Any]) -> str:
    if not isinstance(value, dict):
        return f"cannot unmarshal {value!r} into an object"
    kinds = {name.lower(): each for name, each in kind.items() if name is not str}
    problems = (can_decode(each, kind[str] if str in kind else kinds.get(name.lower())) for name, each in value.items())
    return next(filter(None, problems), "")
