"""How does an upload look on the wire? As parts in an order that the test chooses."""

from __future__ import annotations

from collections.abc import Iterator

BOUNDARY = "a-line-between-the-parts"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
END = f"--{BOUNDARY}--\r\n".encode()

Part = tuple[str, bytes]


def part(name: str, content: bytes) -> bytes:
    """One part; that of an artifact is a file."""
    file = (
        '; filename="release.mender"\r\nContent-Type: application/octet-stream' if name in {"artifact", "file"} else ""
    )
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(*parts: Part) -> bytes:
    return b"".join(part(name, content) for name, content in parts) + END


def in_pieces(body: bytes, size: int = 1000) -> Iterator[bytes]:
    """For a request without a Content-Length, as mender-cli sends it."""
    for start in range(0, len(body), size):
        yield body[start : start + size]
