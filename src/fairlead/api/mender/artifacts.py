"""Artifacts and releases for people: `/api/management/v1/deployments/{artifacts,deployments/releases,limits}`."""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, post, put

from fairlead.api.mender.auth import for_users
from fairlead.api.mender.context import Call
from fairlead.api.mender.errors import BadBody
from fairlead.api.mender.upload import UploadForm, receive
from fairlead.api.mender.wire import add_header, empty, parameter
from fairlead.base.errors import Refusal
from fairlead.domain import artifacts
from fairlead.domain.artifacts import Artifact, Upload

TAGS = ["Deployments (management)"]
PREFIX = "/api/management/v1/deployments"
_DIGITS = re.compile(r"\s*\d{1,20}\s*")
_UUID = re.compile(r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class NotAnId(Refusal):
    message = "ID is not UUIDv4"


class WireInfo(msgspec.Struct):
    format: str
    version: int


class WireArtifact(msgspec.Struct):
    """`updates` is a list of objects, as the clients read it; the reference's example shows it as an object."""

    id: str
    name: str
    description: str
    device_types_compatible: list[str]
    info: WireInfo
    signed: bool
    updates: list[dict[str, Any]]
    artifact_provides: dict[str, str]
    artifact_depends: dict[str, Any]
    clears_artifact_provides: list[str]
    size: int
    modified: datetime


def wire_artifact(artifact: Artifact) -> WireArtifact:
    return WireArtifact(
        id=artifact.id,
        name=artifact.name,
        description=artifact.description,
        device_types_compatible=list(artifact.device_types),
        info=WireInfo(artifact.format, artifact.version),
        signed=artifact.signed,
        updates=list(artifact.updates),
        artifact_provides=artifact.provides,
        artifact_depends=artifact.depends,
        clears_artifact_provides=list(artifact.clears),
        size=artifact.size_bytes,
        modified=artifact.modified_at,
    )


def checked_id(text: str) -> str:
    """The id, if it is a UUID; the reference refuses others before it looks for them."""
    if not _UUID.fullmatch(text):
        raise NotAnId
    return text.lower()


@get("/artifacts", sync_to_thread=True, summary="List Artifacts")
def list_artifacts(call: Call) -> list[WireArtifact]:
    """All artifacts of the tenant."""
    with call.read() as tx:
        return [wire_artifact(each) for each in artifacts.search(tx)]


def make_sure_upload_is_allowed(call: Call) -> None:
    with call.read() as tx:
        artifacts.may_upload(tx)


def _begin(call: Call, names_id: bool, form: UploadForm[Upload]) -> Upload:
    """An upload that gets the id that the form names, if it may, or a new one."""
    if size := form.text("size"):
        if not _DIGITS.fullmatch(size):
            raise BadBody(what="size", reason="is not a number")
        artifacts.make_sure_size_is_good(int(size))
    artifacts.make_sure_description_is_good(form.text("description"))
    artifact_id = form.text("artifact_id") if names_id else ""
    if artifact_id:
        artifact_id = checked_id(artifact_id)
        with call.read() as tx:
            artifacts.make_sure_id_is_free(tx, artifact_id)
    return Upload(call.context.blobs, call.scope.tenant_id, artifact_id=artifact_id)


def _store(call: Call, form: UploadForm[Upload]) -> Artifact:
    upload = form.finish()
    found = upload.finish()
    try:
        with call.begin() as tx:
            return artifacts.add(tx, upload, found, form.text("description"))
    except BaseException:
        call.context.blobs.remove(upload.blob_key)
        raise


@post("/artifacts", request_max_body_size=None, summary="Upload Artifact")
async def upload_artifact(request: Request[Any, Any, Any], call: Call) -> Response[bytes]:
    """Take in an artifact: multipart with `description` and `size` first, `artifact` last."""
    artifact = await receive_artifact(request, call)
    add_header(request, "location", f"./management/v1/deployments/artifacts/{artifact.id}")
    return empty(201)


async def receive_artifact(request: Request[Any, Any, Any], call: Call, *, names_id: bool = False) -> Artifact:
    """The artifact of the upload, stored. `names_id`: a field `artifact_id` before it may say which id it gets."""
    texts = {"description", "size", "artifact_id"} if names_id else {"description", "size"}
    return await receive(
        request,
        call.context.executor,
        partial(make_sure_upload_is_allowed, call),
        lambda content_type: UploadForm(content_type, "artifact", texts, partial(_begin, call, names_id)),
        partial(_store, call),
    )


@get("/artifacts/{artifact_id:str}", sync_to_thread=True, summary="Show Artifact")
def show_artifact(call: Call, artifact_id: str) -> WireArtifact:
    with call.read() as tx:
        return wire_artifact(artifacts.find(tx, checked_id(artifact_id)))


class ArtifactUpdate(msgspec.Struct):
    description: str = ""


@put("/artifacts/{artifact_id:str}", sync_to_thread=True, status_code=204, summary="Update Artifact Info")
def change_artifact(call: Call, artifact_id: str, data: ArtifactUpdate) -> None:
    """Reword an artifact that no deployment has used."""
    with call.begin() as tx:
        artifacts.change_description(tx, checked_id(artifact_id), data.description)


@delete("/artifacts/{artifact_id:str}", sync_to_thread=True, summary="Delete Artifact")
def remove_artifact(call: Call, artifact_id: str) -> None:
    with call.begin() as tx:
        artifacts.remove(tx, call.context.blobs, checked_id(artifact_id))


class ArtifactLink(msgspec.Struct):
    uri: str
    expire: datetime


@get("/artifacts/{artifact_id:str}/download", sync_to_thread=True, summary="Download Artifact")
def link_artifact(call: Call, artifact_id: str) -> ArtifactLink:
    """A signed link, good for a quarter of an hour."""
    with call.read() as tx:
        found = artifacts.find(tx, checked_id(artifact_id))
    seconds = artifacts.LINK_SECONDS
    return ArtifactLink(*call.link(found.blob_key, found.file_name, found.modified_at, found.size_bytes, seconds))


class WireRelease(msgspec.Struct):
    """Both spellings: the reference writes them small, real clients read them with capitals (mender.md §2.3)."""

    name: str
    artifacts: list[WireArtifact]
    capital_name: str = msgspec.field(name="Name")
    capital_artifacts: list[WireArtifact] = msgspec.field(name="Artifacts")


@get("/deployments/releases", sync_to_thread=True, summary="List Releases")
def list_releases(request: Request[Any, Any, Any], call: Call) -> list[WireRelease]:
    """Artifacts by their name, all of them or those of one name."""
    with call.read() as tx:
        found = artifacts.search(tx, parameter(request, "name"))
    releases = [(name, [wire_artifact(each) for each in group]) for name, group in groupby(found, lambda a: a.name)]
    return [WireRelease(name, each, name, each) for name, each in releases]


class StorageLimit(msgspec.Struct):
    limit: int
    usage: int


@get("/limits/storage", sync_to_thread=True, summary="Get Storage Usage")
def show_storage(call: Call) -> StorageLimit:
    """How many bytes may be stored (0: any number), and how many are."""
    with call.read() as tx:
        return StorageLimit(*artifacts.storage(tx))


routes = Router(
    PREFIX,
    guards=[for_users],
    tags=TAGS,
    route_handlers=[
        list_artifacts,
        upload_artifact,
        show_artifact,
        change_artifact,
        remove_artifact,
        link_artifact,
        list_releases,
        show_storage,
    ],
)
