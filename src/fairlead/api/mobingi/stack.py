"""Stacks: list, describe, delete, and create and change in the form that was there before templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Response, Router, delete, get, post, put

from fairlead.api.mobingi import wire
from fairlead.api.mobingi.auth import for_anyone_with_a_token, for_people
from fairlead.api.mobingi.context import Call
from fairlead.api.mobingi.old_form import changed_template, template_of_form, value_of, with_value
from fairlead.domain import stacks

_STATE_CODES = {
    "pending": "0",
    "running": "16",
    "shutting-down": "32",
    "terminated": "48",
    "stopping": "64",
    "stopped": "80",
}
"""As EC2 numbers them."""


@get("/alm/stack", sync_to_thread=True, summary="List Stacks")
def list_stacks(call: Call) -> Response[bytes]:
    """All stacks that the caller may see."""
    with call.read() as tx:
        return wire.answer([_stack(each) for each in stacks.list_stacks(tx, call.tools)])


@get("/alm/stack/{stack_id:str}", sync_to_thread=True, summary="Describe Stack")
def describe_stack(call: Call, stack_id: str) -> Response[bytes]:
    """A stack with its instances: an object by flag, because that is what mobingi-cli can read."""
    with call.read() as tx:
        stack = stacks.find_stack(tx, call.tools, stack_id)
    return wire.answer({**_stack(stack), "instances": _by_flag(stack.instances)})


@delete("/alm/stack/{stack_id:str}", sync_to_thread=True, status_code=200, summary="Delete Stack")
def delete_stack(call: Call, stack_id: str) -> Response[bytes]:
    """Begin to remove a stack with all that is in it."""
    with call.begin() as tx:
        status = stacks.delete(tx, call.tools, stack_id)
    return wire.answer({"status": status})


@post("/alm/stack", sync_to_thread=True, status_code=201, summary="Create Stack")
def create_stack(call: Call, fields: wire.Fields) -> Response[bytes]:
    """Create a stack of `vendor`, `region`, `cred` and `configurations`."""
    text = template_of_form(fields)
    with call.begin() as tx:
        result = stacks.create(tx, call.tools, text)
    return wire.answer({"stack_id": result.stack_id, "status": result.status}, 201)


@put("/alm/stack/{stack_id:str}", sync_to_thread=True, status_code=202, summary="Update Stack")
def change_stack(call: Call, stack_id: str, fields: wire.Fields) -> Response[bytes]:
    """Change what `configurations` names, and leave the rest of what the stack runs as it is."""
    with call.begin() as tx:
        result = stacks.change(tx, call.tools, stack_id, lambda template: changed_template(template, fields))
    return wire.answer({"stack_id": result.stack_id, "status": result.status}, 202)


def _stack(stack: stacks.Stack) -> dict[str, Any]:
    """A stack as it is listed. `stack_status_reason`, for which the reference has no word, says why it has failed."""
    shown = {
        "auth_token": stack.auth_token,
        "user_id": stack.account,
        "configuration": _with_image(stack.template),
        "nickname": stack.nickname,
        "create_time": wire.moment(stack.created_at),
        "username": stack.owner,
        "stack_id": stack.id,
        "stack_status": stack.status,
        "version_id": stack.version_id,
    }
    return {**shown, "stack_status_reason": stack.cause} if stack.cause else shown


def _with_image(template: Mapping[str, Any]) -> dict[str, Any]:
    """mobingi-cli shows a container's `image`, which templates since December 2017 call `container_image`."""
    layers = value_of(template, "configurations") or []
    return with_value(template, [_layer_with_image(layer) for layer in layers], "configurations")


def _layer_with_image(layer: Mapping[str, Any]) -> dict[str, Any]:
    container = value_of(layer, "container")
    image = value_of(container, *stacks.CONTAINER_KEYS["image"]) if isinstance(container, dict) else None
    return dict(layer) if image is None else with_value(layer, {**container, "image": image}, "container")


def _by_flag(instances: Mapping[str, Sequence[stacks.Instance]]) -> dict[str, list[dict[str, Any]]]:
    return {flag: [_instance(each) for each in there] for flag, there in instances.items()}


def _instance(instance: stacks.Instance) -> dict[str, Any]:
    """What the driver tells, and always what clients look for, in the types in which Go decodes it."""
    state = {"Code": _STATE_CODES.get(instance.state, ""), "Name": instance.state}
    lifecycle = {"InstanceLifecycle": "spot"} if instance.is_spot else {}
    return {"InstanceId": instance.id, "State": state, **lifecycle, **instance.details}


routes = Router(
    "/v3",
    guards=[for_anyone_with_a_token, for_people],
    tags=["Stacks"],
    route_handlers=[list_stacks, describe_stack, delete_stack, create_stack, change_stack],
)
