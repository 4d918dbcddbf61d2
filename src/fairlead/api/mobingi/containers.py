"""Containers that agents have told of: list, describe."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get

from fairlead.api.mobingi import wire
from fairlead.api.mobingi.auth import for_anyone_with_a_token, for_people
from fairlead.api.mobingi.context import Call
from fairlead.api.mobingi.errors import MissingParameter
from fairlead.domain import stacks


def shown(container: stacks.Container) -> dict[str, str]:
    """A container as it is told, all of it texts."""
    return {
        "container_id": container.id,
        "agent_id": container.agent_id,
        "update_time": wire.epoch(container.updated_at),
        "stack_id": container.stack_id,
        "instance_id": container.instance_id,
        "status": container.status,
    }


@get("/alm/container", sync_to_thread=True, summary="List Containers")
def list_containers(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """Those of an instance, or of a stack. Where both are given the instance counts."""
    said = wire.query(request)
    stack_id, instance_id = wire.optional(said, "stack_id"), wire.optional(said, "instance_id")
    if not stack_id and not instance_id:
        raise MissingParameter(name="stack_id or instance_id")
    with call.read() as tx:
        return wire.answer([shown(each) for each in stacks.list_containers(tx, stack_id, instance_id)])


@get("/alm/container/{container_id:str}", sync_to_thread=True, summary="Describe Container")
def describe_container(call: Call, container_id: str) -> Response[bytes]:
    with call.read() as tx:
        return wire.answer(shown(stacks.find_container(tx, container_id)))


routes = Router(
    "/v3",
    guards=[for_anyone_with_a_token, for_people],
    tags=["Stacks"],
    route_handlers=[list_containers, describe_container],
)
