"""Artifacts that are made here of a file: `POST /api/management/v1/deployments/artifacts/generate`."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from litestar import Request, Response, Router, post

from fairlead.api.mender.artifacts import PREFIX, TAGS, make_sure_upload_is_allowed
from fairlead.api.mender.auth import for_users
from fairlead.api.mender.context import Call
from fairlead.api.mender.upload import UploadForm, receive
from fairlead.api.mender.wire import add_header, empty
from fairlead.base import clock
from fairlead.domain import artifacts
from fairlead.domain.artifacts import FileUpload

TEXTS = frozenset({"name", "description", "device_types_compatible", "type", "args"})


@post("/artifacts/generate", request_max_body_size=None, summary="Generate Artifact")
async def generate_artifact(request: Request[Any, Any, Any], call: Call) -> Response[bytes]:
    """Take in a file, last in a multipart form, and have an artifact made of it, which appears some moments later."""
    artifact_id = await receive(
        request,
        call.context.executor,
        partial(make_sure_upload_is_allowed, call),
        lambda content_type: UploadForm(content_type, "file", TEXTS, partial(_begin, call)),
        partial(_store, call),
    )
    add_header(request, "location", f"./management/v1/deployments/artifacts/{artifact_id}")
    return empty(201)


def _begin(call: Call, form: UploadForm[FileUpload]) -> FileUpload:
    wish = artifacts.read_wish(
        form.text("name"),
        form.text("description"),
        form.texts("device_types_compatible"),
        form.text("type"),
        form.text("args"),
    )
    with call.read() as tx:
        artifacts.may_generate(tx, wish, can_be_made=call.context.makes_artifacts)
    return FileUpload(call.context.blobs, call.scope.tenant_id, wish)


def _store(call: Call, form: UploadForm[FileUpload]) -> str:
    upload = form.finish()
    upload.finish()
    try:
        with call.begin() as tx:
            artifacts.generate(tx, call.context.seal, upload, *_addresses(call, upload))
    except BaseException:
        call.context.blobs.remove(upload.blob_key)
        raise
    return upload.id


def _addresses(call: Call, upload: FileUpload) -> tuple[str, str]:
    """Where the file is got, and removed: paths of ours, for the listener at which the artifact will be uploaded.

    So the workflow reaches them whatever name, proxy and certificate the public listener has.
    """
    now = clock.now()
    expires_at = now + timedelta(seconds=artifacts.GENERATOR_LINK_SECONDS)
    get_uri = call.context.links.sign(
        upload.blob_key,
        upload.wish.single_file.filename,
        expires_at=expires_at,
        modified_at=now,
        size_bytes=upload.size_bytes,
    )
    return get_uri, call.context.links.sign_removal(upload.blob_key, expires_at=expires_at)


routes = Router(PREFIX, guards=[for_users], tags=TAGS, route_handlers=[generate_artifact])
