"""How is a small form read, whichever way it is encoded?"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from litestar import Request
from multipart import parse_form_data

from fairlead.api.mender.errors import BadBody

LARGEST_FORM = 64 * 1024
_KINDS = ("application/x-www-form-urlencoded", "multipart/form-data")
_WHAT = "failed to decode form"


async def read_form(request: Request[Any, Any, Any]) -> Mapping[str, str]:
    """The fields of a form; of one that is given twice, the last. Files are no fields."""
    return form_of(request.headers.get("content-type", ""), await request.body())


def form_of(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form with this content type, or a `BadBody` that says why they cannot be read."""
    if content_type.split(";")[0].strip().lower() not in _KINDS:
        raise BadBody(what=_WHAT, reason=f"Content-Type must be {_KINDS[0]} or {_KINDS[1]}")
    environment = {"wsgi.input": BytesIO(body), "CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body))}
    try:
        fields, _ = parse_form_data(environment, strict=True, memory_limit=LARGEST_FORM)
        found = {name: fields[name] for name in fields}
        texts = "".join(found.values())
        texts.encode()
    except (ValueError, LookupError) as problem:
        raise BadBody(what=_WHAT, reason=str(problem) or "malformed") from None
    if "\0" in texts or "\N{REPLACEMENT CHARACTER}" in texts:  # the latter stands for what is no UTF-8
        raise BadBody(what=_WHAT, reason="NUL characters and bytes that are not UTF-8 are not allowed")
    return found
