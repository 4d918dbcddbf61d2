"""Data of projects: `/data/`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post, route

from fairlead.api.mobyle import wire
from fairlead.api.mobyle.auth import who_asks
from fairlead.api.mobyle.context import Call
from fairlead.api.mobyle.errors import BadBody, BadParameter
from fairlead.api.mobyle.payloads import Payload, payload_of
from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.http.uploads import UploadForm, receive
from fairlead.base.scope import system_scope
from fairlead.domain import jobs
from fairlead.domain.identity import portal

LINK_LASTS = timedelta(hours=1)
KEY = "idempotency-key"
LONGEST_KEY = 200
_PURPOSE = "portal data"
_FILE = "file"
_FLAGS = {"": False, "false": False, "0": False, "true": True, "1": True}
_TEXTS = frozenset({"project", "name", "description", "tags", "data_terms", "format_terms", "public", "persistent"})


class KeyIsUsed(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "This idempotency key was used for other data."


class DataForm(UploadForm[jobs.Upload]):
    """Pages send what is said of a file in whatever order they have it; the project alone has to come first."""

    reads_on = True


class NewData(msgspec.Struct, forbid_unknown_fields=True):
    """Data that are not a file: one of a text, an address, and an output of a job."""

    project: str
    name: str
    content: str | None = None
    url: str | None = None
    job: str | None = None
    output: str = ""
    position: int = 0
    description: str = ""
    tags: tuple[str, ...] = ()
    data_terms: tuple[str, ...] = ()
    format_terms: tuple[str, ...] = ()
    public: bool = False
    persistent: bool = False


class DataChange(msgspec.Struct, forbid_unknown_fields=True):
    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    data_terms: tuple[str, ...] | None = None
    format_terms: tuple[str, ...] | None = None
    public: bool | None = None
    persistent: bool | None = None


@get("/data", sync_to_thread=True, summary="List Data")
def list_data(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """The newest first: of `project`, or of all in which the caller has a role; with `tag`, with `q` in its name."""
    asked = wire.query(request)
    with call.read() as tx:
        project = jobs.find_project_called(tx, asked["project"]).number if asked.get("project") else portal.NOTHING
        wanted = jobs.DataSearch(project, asked.get("tag", ""), asked.get("q", ""), **wire.part_of_list(asked))
        return wire.answer({each.id: told(each) for each in jobs.list_data(tx, wanted)})


def told(data: jobs.Data) -> dict[str, Any]:
    return wire.said(
        name=data.name,
        project=portal.written(data.project),
        description=data.description or None,
        tags=list(data.tags),
        data_terms=list(data.data_terms),
        format_terms=list(data.format_terms),
        size=data.size_bytes,
        sha256=data.sha256 or None,
        status=data.status.value,
        message=data.message or None,
        public=data.public,
        persistent=data.persistent,
        source=data.source.value,
        url=data.url or None,
        produced_by=wire.id_of(data.produced_by),
        created=wire.moment(data.created_at),
    )


@post("/data", status_code=201, request_max_body_size=None, summary="Add Data")
async def add_data(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """A file in a multipart form, with what is said of it before it; or JSON with a text, an address, or an output."""
    key = key_of(request)
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        added = await receive(
            request,
            call.context.executor,
            lambda: None,
            lambda content_type: DataForm(content_type, _FILE, _TEXTS, partial(_begin, call)),
            partial(_store, call, key),
        )
    else:
        new = wire.decoded(await wire.bounded_body(request), NewData)
        added = await request.app.state.in_thread(_add, call, key, new)
    return wire.answer({"id": added.id, **told(added)}, 201, {"Location": f"{call.place}/data/{added.id}"})


def key_of(request: Request[Any, Any, Any]) -> str:
    key = str(request.headers.get(KEY, ""))
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise BadParameter(name="Idempotency-Key", reason=f"it is printable and has at most {LONGEST_KEY} characters")
    return key


def _begin(call: Call, form: UploadForm[jobs.Upload]) -> jobs.Upload:
    """Refuses before the first byte of the file what would be refused after the last."""
    if not form.text("project"):
        raise BadParameter(name="project", reason="it comes before the file")
    draft = _draft_of(form)
    with call.read() as tx:
        project = jobs.find_project_called(tx, form.text("project"), portal.Act.CREATE_DATA)
        jobs.checked(draft)
        return jobs.begin_upload(tx, call.tools, project.number)


def _store(call: Call, key: str, form: UploadForm[jobs.Upload]) -> jobs.Data:
    upload = form.finish()
    upload.finish()
    draft = _draft_of(form)
    blobs = call.tools.blobs
    try:
        with call.begin() as tx:
            added = _once(
                tx,
                (key, upload.project, draft.name),
                lambda: jobs.add_upload(tx, call.tools, upload, draft),
                lambda each: each.sha256 == upload.sha256,
            )
    except BaseException:
        blobs.remove(upload.blob_key)
        raise
    if added.blob_key != upload.blob_key:
        blobs.remove(upload.blob_key)
    return added


def _draft_of(form: UploadForm[jobs.Upload]) -> jobs.Draft:
    return jobs.Draft(
        name=form.text("name") or form.file_name.replace("\\", "/").rpartition("/")[2],
        description=form.text("description"),
        tags=tuple(form.texts("tags")),
        data_terms=tuple(form.texts("data_terms")),
        format_terms=tuple(form.texts("format_terms")),
        public=_flag(form, "public"),
        persistent=_flag(form, "persistent"),
    )


def _flag(form: UploadForm[jobs.Upload], name: str) -> bool:
    if form.text(name).lower() not in _FLAGS:
        raise BadParameter(name=name, reason="it is true or false")
    return _FLAGS[form.text(name).lower()]


def _add(call: Call, key: str, new: NewData) -> jobs.Data:
    if sum(each is not None for each in (new.content, new.url, new.job)) != 1:
        raise BadBody(reason="data is one of content, url, and the output of a job")
    draft = jobs.Draft(
        new.name, new.description, new.tags, new.data_terms, new.format_terms, new.public, new.persistent
    )
    with call.begin() as tx:
        project = jobs.find_project_called(tx, new.project, portal.Act.CREATE_DATA).number
        return _once(
            tx,
            (key, project, new.name),
            lambda: _added(call, tx, project, new, draft),
            partial(_is_of, new),
        )


def _added(call: Call, tx: Tx, project: int, new: NewData, draft: jobs.Draft) -> jobs.Data:
    if new.content is not None:
        return jobs.add_text(tx, call.tools, project, draft, new.content)
    if new.url is not None:
        return jobs.add_from_url(tx, call.tools, project, draft, new.url)
    job = jobs.find_job(tx, portal.number_of(new.job or ""))
    return jobs.add_from_output(tx, call.tools, project, draft, job, new.output, new.position)


def _is_of(new: NewData, data: jobs.Data) -> bool:
    if new.content is not None:
        return data.sha256 == hashlib.sha256(new.content.encode(errors="replace")).hexdigest()
    if new.url is not None:
        return data.url == new.url
    from_output = (wire.id_of(data.produced_by), data.produced_as, data.position)
    return from_output == (new.job, new.output, new.position)


def _once(
    tx: Tx, named: tuple[str, int, str], add: Callable[[], jobs.Data], is_same: Callable[[jobs.Data], bool]
) -> jobs.Data:
    """What `add` adds; or, if the caller has sent it before with the same key, what it added then."""
    key, project, name = named
    if not key:
        return add()
    asked = json.dumps([tx.tenant_id, portal.number_of_caller(tx.scope), key])
    if tx.once("portal data " + hashlib.sha256(asked.encode()).hexdigest()):
        return add()
    known = jobs.list_data(tx, jobs.DataSearch(project, text=name))
    found = next((each for each in known if each.name == name and is_same(each)), None)
    if found is None:
        raise KeyIsUsed
    return found


@get("/data/{data_id:str}", sync_to_thread=True, summary="Show Data")
def show_data(call: Call, data_id: str) -> Response[bytes]:
    """With the jobs that have read it."""
    number = portal.number_of(data_id)
    with call.read() as tx:
        found = jobs.find_data(tx, number)
        used_by = [portal.written(each) for each in jobs.used_by(tx, number)]
        return wire.answer(told(found) | {"used_by": used_by})


@patch("/data/{data_id:str}", sync_to_thread=True, summary="Change Data")
def change_data(call: Call, data_id: str, data: DataChange) -> Response[bytes]:
    """Its words, what it is, whether everybody may see it, and whether it stays."""
    if data == DataChange():
        raise BadBody(reason="it says nothing to change")
    change = jobs.DataChange(**msgspec.structs.asdict(data))
    with call.begin() as tx:
        return wire.answer(told(jobs.change_data(tx, portal.number_of(data_id), change)))


@delete("/data/{data_id:str}", status_code=204, sync_to_thread=True, summary="Delete Data")
def remove_data(call: Call, data_id: str) -> None:
    with call.begin() as tx:
        jobs.remove_data(tx, call.tools, portal.number_of(data_id))


@get("/data/{data_id:str}/services", sync_to_thread=True, summary="List Services for Data")
def list_services(call: Call, data_id: str) -> Response[bytes]:
    """Those that take it, and as which of their parameters."""
    with call.read() as tx:
        found = jobs.services_for(tx, call.tools, portal.number_of(data_id))
    return wire.answer({each.service.full_name: list(each.parameters) for each in found})


@post("/data/{data_id:str}/link", status_code=201, sync_to_thread=True, summary="Link to Data")
def link_data(call: Call, data_id: str) -> Response[bytes]:
    """An address at which anybody can read the data for an hour."""
    number = portal.number_of(data_id)
    with call.read() as tx:
        jobs.find_content(tx, number)
    expires_at = clock.now() + LINK_LASTS
    ticket = call.context.links.ticket(_PURPOSE, json.dumps([call.tenant_id, number]), expires_at=expires_at)
    url = call.url(f"/data/{portal.written(number)}/content?token={ticket}")
    return wire.answer({"url": url, "expires": wire.moment(expires_at)}, 201)


@route("/data/{data_id:str}/content", http_method=["GET", "HEAD"], summary="Read Data")
async def read_content(call: Call, request: Request[Any, Any, Any], data_id: str) -> Payload:
    """The bytes, or a range of them. With the `token` of a link nobody has to be logged in."""
    ticket = wire.query(request).get("token", "")
    found: Payload = await request.app.state.in_thread(_content, call, portal.number_of(data_id), ticket)
    return found


def _content(call: Call, number: int, ticket: str) -> Payload:
    scope = call.scope
    if ticket:
        subject = json.loads(call.context.links.redeem(_PURPOSE, ticket, clock.now()))
        if subject != [call.tenant_id, number]:
            raise portal.NotThere(thing="data")
        scope = system_scope(call.tenant_id)
    with call.context.database.read(scope) as tx:
        data = jobs.find_data(tx, number)
        content = jobs.find_content(tx, number)
    return payload_of(call.tools.blobs, content, data.created_at)


routes = Router(
    "/",
    guards=[who_asks],
    tags=["Portal: data"],
    route_handlers=[
        list_data,
        add_data,
        show_data,
        change_data,
        remove_data,
        list_services,
        link_data,
        read_content,
    ],
)
