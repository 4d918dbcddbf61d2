"""What do later tasks read of what a task was answered with?"""

from __future__ import annotations

from typing import Any

import msgspec

from fairlead.domain.workflows.substitution import is_deeper_than

DEEPEST = 64


def as_json(said: bytes | str) -> Any:
    """The JSON value that was said, or None if it is none, or deeper than anyone needs."""
    try:
        value = msgspec.json.decode(said)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return None if is_deeper_than(DEEPEST, value) else value
