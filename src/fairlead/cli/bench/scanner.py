"""Where does an answer end? Just enough of HTTP/1.1 to count answers as fast as they come."""

from __future__ import annotations

_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_NO_BODY = (204, 304)


class Unscannable(Exception):
    """An answer that says neither that it has no body nor how long it is, or that is no HTTP at all."""


def scan(data: bytes) -> tuple[int, int] | None:
    """Status and length, head and body, of the answer that the bytes begin with; None until its head is complete."""
    end = data.find(_END)
    if end < 0:
        return None
    if not data.startswith(b"HTTP/1.1 ") or not data[9:12].isdigit():
        raise Unscannable(f"this is no answer: {data[:60]!r}")
    status = int(data[9:12])
    if status in _NO_BODY:
        return status, end + 4
    head = data[: end + 2].lower()
    at = head.find(_LENGTH)
    if at < 0:
        raise Unscannable(f"an answer {status} without Content-Length")
    start = at + len(_LENGTH)
    digits = head[start : head.find(b"\r\n", start)].strip()
    if not digits.isdigit():
        raise Unscannable(f"an answer {status} with Content-Length {digits[:20]!r}")
    return status, end + 4 + int(digits)
