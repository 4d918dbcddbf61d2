"""Templates: apply, update, compare, list the versions of, describe."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post, put

from fairlead.api.mobingi import wire
from fairlead.api.mobingi.auth import for_anyone_with_a_token, for_people
from fairlead.api.mobingi.context import Call
from fairlead.api.mobingi.errors import BadParameter, MissingParameter
from fairlead.domain import stacks

_EXAMPLE = 'a list like [{"mo-…": {"version": "…"}}]'


def applied(result: stacks.Applied) -> dict[str, str]:
    """What is said of a template that was taken on."""
    return {
        "status": "success",
        "stack_status": result.status,
        "stack_id": result.stack_id,
        "version_id": result.version_id,
    }


@post("/alm/template", sync_to_thread=True, status_code=201, summary="Apply Template")
def apply_template(call: Call, text: bytes) -> Response[bytes]:
    """Create a stack of the template in the body, whatever the body calls itself."""
    with call.begin() as tx:
        result = stacks.apply(tx, call.tools, text)
    return wire.answer(applied(result), 201)


@put("/alm/template/{stack_id:str}", sync_to_thread=True, status_code=202, summary="Update Template")
def update_template(call: Call, stack_id: str, text: bytes) -> Response[bytes]:
    """Make the template in the body the stack's newest version. Its `vendor` is not looked at."""
    with call.begin() as tx:
        result = stacks.update(tx, call.tools, stack_id, text)
    return wire.answer(applied(result), 202)


@post("/alm/template/compare", sync_to_thread=True, status_code=202, summary="Compare Templates")
def compare_templates(call: Call, fields: wire.Fields) -> Response[bytes]:
    """How does one version differ from another, or from a template in the body?"""
    source, target = compared(fields)
    with call.read() as tx:
        result = stacks.compare(tx, call.tools, source, target)
    answer = {
        "status": "success",
        "source": result.source,
        "target": result.target,
        "diff": result.difference.as_document(),
    }
    return wire.answer(answer, 202)


def compared(fields: wire.Fields) -> tuple[stacks.VersionRef, stacks.VersionRef | str]:
    """Which two are to be compared: the first of `id` with the second, or with the first of `body`."""
    versions = [ref for item in _listed(fields, "id") for ref in _versions(item)]
    bodies = [_body(each) for each in _listed(fields, "body")]
    if not versions:
        raise MissingParameter(name="id")
    targets: list[stacks.VersionRef | str] = [*versions[1:], *bodies]
    if len(targets) != 1:
        reason = f"exactly two templates can be compared, and with those of body there are {len(targets) + 1}"
        raise BadParameter(name="id", reason=reason)
    return versions[0], targets[0]


def _listed(fields: wire.Fields, name: str) -> list[Any]:
    """The list with this name; in a form it is the JSON text of one."""
    value = fields.get(name)
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError, ValueError):
            raise BadParameter(name=name, reason="it must be a list") from None
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadParameter(name=name, reason="it must be a list")
    return value


def _versions(item: Any) -> list[stacks.VersionRef]:
    if not isinstance(item, dict) or not all(isinstance(said, dict) for said in item.values()):
        raise BadParameter(name="id", reason=f"it must be {_EXAMPLE}")
    return [stacks.VersionRef(stack_id, wire.optional(said, "version", "latest")) for stack_id, said in item.items()]


def _body(item: Any) -> str:
    if isinstance(item, dict):
        return msgspec.json.encode(item).decode()
    if not isinstance(item, str):
        raise BadParameter(name="body", reason="it must be a list with a template's JSON text")
    return item


@post("/alm/template/verify", sync_to_thread=True, status_code=200, summary="Verify Template")
def verify_template(call: Call, text: bytes) -> Response[bytes]:
    """Could the template in the body be applied? Nothing is kept of it."""
    template = stacks.verify_template(call.tools, text)
    warnings = [{"pointer": each.pointer, "message": each.text} for each in template.warnings]
    return wire.answer({"status": "success", "warnings": warnings})


@get("/alm/template", sync_to_thread=True, summary="List Template Versions")
def list_versions(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """The versions of a stack's template, the newest first."""
    stack_id = wire.required(wire.query(request), "stack_id")
    with call.read() as tx:
        versions = stacks.versions(tx, call.tools, stack_id)
    return wire.answer([_version(each) for each in versions])


def _version(version: stacks.Version) -> dict[str, Any]:
    return {
        "version_id": version.id,
        "latest": version.is_latest,
        "last_modified": wire.moment_of_version(version.created_at),
        "size": str(version.size_bytes),
    }


@get("/alm/template/{stack_id:str}", sync_to_thread=True, summary="Describe Template")
def describe_template(call: Call, request: Request[Any, Any, Any], stack_id: str) -> Response[bytes]:
    """The template as it was given, in the newest version or in the one that the query names."""
    version_id = wire.optional(wire.query(request), "version_id", "latest")
    with call.read() as tx:
        return wire.answer(stacks.template_of(tx, call.tools, stack_id, version_id))


routes = Router(
    "/v3",
    guards=[for_anyone_with_a_token, for_people],
    tags=["ALM Templates"],
    route_handlers=[
        apply_template,
        update_template,
        compare_templates,
        verify_template,
        list_versions,
        describe_template,
    ],
)
