"""How is a small form read, whichever way it is encoded?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request

from fairlead.api.mender.errors import BadBody
from fairlead.base.http.forms import LARGEST_FORM, BadForm, form_of

__all__ = ["LARGEST_FORM", "read_form"]


async def read_form(request: Request[Any, Any, Any]) -> Mapping[str, str]:
    """The fields of a form; of one that is given twice, the last. Files are no fields."""
    try:
        return form_of(request.headers.get("content-type", ""), await request.body())
    except BadForm as problem:
        raise BadBody(what="failed to decode form", reason=str(problem)) from None
