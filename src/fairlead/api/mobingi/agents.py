"""What agents on instances call: their container's configuration, what they report, keys, a spot instance's end."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post

from fairlead.api.mobingi import wire
from fairlead.api.mobingi.auth import for_anyone_with_a_token
from fairlead.api.mobingi.containers import shown
from fairlead.api.mobingi.context import Call
from fairlead.base import clock
from fairlead.domain import stacks


@post("/alm/agent/agent_status", sync_to_thread=True, status_code=202, summary="Register Agent Status")
def report_agent(call: Call, fields: wire.Fields) -> Response[bytes]:
    """What an agent says of itself. Saying it again is harmless."""
    report = stacks.AgentReport(
        stack_id=wire.required(fields, "stack_id"),
        agent_id=wire.required(fields, "agent_id"),
        status=wire.required(fields, "status"),
        instance_id=wire.optional(fields, "instance_id"),
        message=wire.optional(fields, "message"),
    )
    with call.begin() as tx:
        stacks.report_agent(tx, call.tools, report)
    answer = {
        "stack_id": report.stack_id,
        "agent_id": report.agent_id,
        "status": report.status,
        "update_time": wire.epoch(clock.now()),
        "instance_id": report.instance_id,
    }
    return wire.answer(answer, 202)


@post("/alm/agent/container_status", sync_to_thread=True, status_code=202, summary="Register Container Status")
def report_container(call: Call, fields: wire.Fields) -> Response[bytes]:
    """What an agent says of its container. Saying it again is harmless."""
    report = stacks.ContainerReport(
        stack_id=wire.required(fields, "stack_id"),
        agent_id=wire.required(fields, "agent_id"),
        container_id=wire.required(fields, "container_id"),
        status=wire.required(fields, "status"),
        instance_id=wire.optional(fields, "instance_id"),
    )
    with call.begin() as tx:
        container = stacks.report_container(tx, report)
    return wire.answer(shown(container), 202)


@get("/alm/agent/config", sync_to_thread=True, summary="Describe Container Configuration")
def show_config(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """What the layer's container section asks for; an empty object where it asks for nothing."""
    said = wire.query(request)
    stack_id, flag = wire.required(said, "stack_id"), wire.required(said, "flag")
    with call.read() as tx:
        return wire.answer(stacks.container_config(tx, call.tools, stack_id, flag))


@get("/alm/sts", sync_to_thread=True, summary="Take Session Keys")
def take_session_keys(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """Keys for the vendor's services that last a short time. An agent does not start without an answer."""
    stack_id = wire.required(wire.query(request), "stack_id")
    with call.read() as tx:
        keys = stacks.session_keys(tx, call.tools, stack_id)
    answer = {
        "AccessKeyID": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key,
        "SessionToken": keys.session_token,
    }
    return wire.answer(answer)


@post("/event/spot/shutdown", sync_to_thread=True, status_code=200, summary="Announce the End of a Spot Instance")
def announce_shutdown(call: Call, fields: wire.Fields) -> Response[bytes]:
    """The vendor is about to take this instance away: another one takes its place."""
    stack_id, instance_id = wire.required(fields, "stack_id"), wire.required(fields, "instance_id")
    with call.begin() as tx:
        stacks.spot_shutdown(tx, call.tools, stack_id, instance_id)
    return wire.answer({"status": "success", "stack_id": stack_id, "instance_id": instance_id})


routes = Router(
    "/v3",
    guards=[for_anyone_with_a_token],
    tags=["Alm-Agent"],
    route_handlers=[report_agent, report_container, show_config, take_session_keys, announce_shutdown],
)
