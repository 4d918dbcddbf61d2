"""Where the links of letters lead: `/ui/#/password/SECRET`. What the fragment says, browsers keep from us."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from litestar import Response, get

from fairlead.base.http.pages import Page

_FOLDER = Path(__file__).parent / "pages"
_WITHOUT_SCRIPT = (
    "This page needs JavaScript. Without it, the secret of the letter sets the password through the API: POST it as "
    '{"secret": "…", "password": "…"} to /api/management/v1/useradm/auth/password-reset/complete.'
)


@get("/ui", sync_to_thread=False, include_in_schema=False)
def show_page() -> Response[bytes]:
    """One page for all letters, the same for everybody: its script reads what the link says."""
    page = _page()
    return Response(page.content(), headers=page.headers(), media_type="text/html")


@cache
def _page() -> Page:
    style, script = ((_FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", "password.js"))
    return Page("Set a new password", script, style, without_script=_WITHOUT_SCRIPT)
