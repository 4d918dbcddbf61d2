"""What are the fields of a form, urlencoded or multipart?"""

from __future__ import annotations

from collections.abc import Collection
from io import BytesIO

from multipart import parse_form_data

from fairlead.base.errors import Refusal

LARGEST_FORM = 64 * 1024
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class BadForm(Refusal):
    message = "{reason}"


def form_of(
    content_type: str, body: bytes, largest: int = LARGEST_FORM, any_bytes_in: Collection[str] = ()
) -> dict[str, str]:
    """The fields of a form with this content type; of one that is given twice, the last. Files are no fields.

    In those named `any_bytes_in` NUL characters may stand, and something in the place of bytes that are not UTF-8.
    """
    if content_type.split(";")[0].strip().lower() not in FORM_TYPES:
        raise BadForm(reason=f"Content-Type must be {FORM_TYPES[0]} or {FORM_TYPES[1]}")
    environment = {"wsgi.input": BytesIO(body), "CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body))}
    try:
        fields, _ = parse_form_data(environment, strict=True, memory_limit=largest)
        found = {name: fields[name] for name in fields}
        texts = "".join(text for name, text in found.items() if name not in any_bytes_in)
        texts.encode()
    except (ValueError, LookupError) as problem:
        raise BadForm(reason=str(problem) or "malformed") from None
    if "\0" in texts or "\N{REPLACEMENT CHARACTER}" in texts:  # the latter stands for what is no UTF-8
        raise BadForm(reason="NUL characters and bytes that are not UTF-8 are not allowed")
    return found
