"""Small pages: viewers of data at `/widgets/`, and those that letters lead to, at `/pages/`.

Each is one file without anything from elsewhere. What is in data is only ever put into a page as text; and the policy
of the page lets no script run but ours, by its hash, whatever else would get into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Response, Router, get

from fairlead.api.mobyle import wire
from fairlead.api.mobyle.auth import OPEN, who_asks
from fairlead.api.mobyle.context import Call
from fairlead.api.mobyle.errors import NothingHere
from fairlead.base.http.pages import Page

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Viewer:
    """A page that shows data of these kinds of EDAM."""

    title: str
    data_terms: tuple[str, ...] = ()
    format_terms: tuple[str, ...] = ()


VIEWERS = {
    "text": Viewer("Text", format_terms=("EDAM_format:2330",)),
    "table": Viewer("Table", format_terms=("EDAM_format:3475", "EDAM_format:3752")),
    "sequence": Viewer("Sequence", data_terms=("EDAM_data:2044",)),
    "alignment": Viewer("Alignment", data_terms=("EDAM_data:0863",)),
    "tree": Viewer("Tree", data_terms=("EDAM_data:0872",)),
}
_PAGES = {"confirm": "Confirm your e-mail address", "password": "Set a new password"}


@get("/widgets", sync_to_thread=False, summary="List Viewers")
def list_viewers(call: Call) -> Response[bytes]:
    """Each with the data and formats that it shows."""
    return wire.answer({name: _told(call, name, viewer) for name, viewer in VIEWERS.items()})


def _told(call: Call, name: str, viewer: Viewer) -> dict[str, Any]:
    return {
        "title": viewer.title,
        "data_terms": list(viewer.data_terms),
        "format_terms": list(viewer.format_terms),
        "url": f"{call.place}/widgets/{name}/",
    }


@get("/widgets/{viewer:str}", sync_to_thread=True, summary="Show Data")
def show_viewer(call: Call, viewer: str) -> Response[bytes]:
    """A page that shows the data of `data=ID`, or an output of a job: `job=ID&output=NAME`."""
    if viewer not in VIEWERS:
        raise NothingHere
    return _page(call, VIEWERS[viewer].title, _read("viewers", "reading") + _read("viewers", viewer))


@get("/pages/{page:str}", opt={OPEN: True}, sync_to_thread=True, include_in_schema=False)
def show_page(call: Call, page: str) -> Response[bytes]:
    """Where the link of a letter leads."""
    if page not in _PAGES:
        raise NothingHere
    return _page(call, _PAGES[page], _read("pages", "asking") + _read("pages", page))


def _page(call: Call, title: str, script: str) -> Response[bytes]:
    style = _read("viewers", "page", "css")
    page = Page(title, script, style, portal=call.place, framed_by="'self'")
    return Response(page.content(), headers=page.headers(), media_type="text/html")


@cache
def _read(folder: str, name: str, suffix: str = "js") -> str:
    return (_HERE / folder / f"{name}.{suffix}").read_text(encoding="utf-8")


routes = Router(
    "/",
    guards=[who_asks],
    tags=["Portal: widgets"],
    route_handlers=[list_viewers, show_viewer, show_page],
)
