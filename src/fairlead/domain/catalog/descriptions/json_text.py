"""Is this JSON that we are willing to look at?"""

from __future__ import annotations

import json
from typing import Any

from .documents import read_document
from .model import Service
from .problems import bad

MOST_BYTES = 1024 * 1024


def read_json(text: bytes | str) -> Service:
    """The service that a JSON text describes; `BadDescription` lists all that is wrong with it."""
    if len(text) > MOST_BYTES:
        raise bad(f"A description may have at most {MOST_BYTES} bytes.")
    try:
        document = json.loads(text, object_pairs_hook=_each_name_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise bad(f"The description is not JSON that can be read: {str(error)[:300]}.") from None
    return read_document(document)


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name is in an object twice")
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")
