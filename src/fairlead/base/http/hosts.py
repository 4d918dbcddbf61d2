"""By which address did the client reach us?"""

from __future__ import annotations

from typing import Any


def host_of(scope: Any) -> str:
    """Scheme, host and port as the client wrote them: links must work for whoever asks for them."""
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    if not host:
        server = scope.get("server") or ("127.0.0.1", 8080)
        host = f"{server[0]}:{server[1]}".encode()
    return f"{scope['scheme']}://{host.decode('latin-1')}"
