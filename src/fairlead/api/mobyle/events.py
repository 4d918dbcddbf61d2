"""What happens with a job, as it happens: `/jobs/{id}/events`, a stream of server-sent events.

Nobody holds a thread while they listen: twice a second each listener's question is put to the database, in a worker
thread, and with it whether they still may. The stream ends with the job. Whoever comes back says what they have heard
last, and goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.response import Stream

from fairlead.api.mobyle import wire
from fairlead.api.mobyle.auth import Asking, verify, who_asks
from fairlead.api.mobyle.context import Call, Context
from fairlead.api.mobyle.errors import HEADERS, BadParameter
from fairlead.api.mobyle.jobs_told import event_told
from fairlead.base.errors import Kind, Refusal
from fairlead.domain import jobs
from fairlead.domain.identity import portal

PAUSE_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
_LAST = "last-event-id"


class TooManyListen(Refusal):
    kind = Kind.LIMIT
    message = "Too many listen to jobs at the moment: try again later, or ask for the job now and then."


@get("/jobs/{job_id:str}/events", summary="Listen to a Job")
async def listen(call: Call, request: Request[Any, Any, Any], job_id: str) -> Stream | Response[bytes]:
    """Every status that the job has had and gets, until it has ended; after `Last-Event-ID`, or all of them."""
    since = _heard(request)
    number = portal.number_of(job_id)
    in_thread = request.app.state.in_thread
    first, is_over = await in_thread(_look, call, number, since)
    if is_over and not first:
        return Response(b"", status_code=204, headers=HEADERS)
    if call.context.listening.now >= call.context.listening.most:
        raise TooManyListen(retry_after=10)
    asking: Asking = request.scope["state"]["asking"]
    headers = {**HEADERS, "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(
        _told(call.context, asking, number, since, in_thread), headers=headers, media_type="text/event-stream"
    )


def _heard(request: Request[Any, Any, Any]) -> int:
    """What the client has heard last, in the header of browsers or in the query for others."""
    asked = wire.query(request)
    text = request.headers.get(_LAST) or asked.get("since", "")
    try:
        return wire.whole_number({_LAST: text}, _LAST)
    except BadParameter:
        raise BadParameter(name="Last-Event-ID", reason="it is the number of an event") from None


def _look(call: Call, number: int, since: int) -> tuple[list[jobs.Event], bool]:
    """What has happened since, and whether nothing more will."""
    with call.read() as tx:
        job = jobs.find_job(tx, number)
        return jobs.events(tx, number, since), job.status.is_terminal


def _look_again(context: Context, asking: Asking, number: int, since: int) -> tuple[list[jobs.Event], bool]:
    return _look(verify(context, asking), number, since)


async def _told(context: Context, asking: Asking, number: int, since: int, in_thread: Any) -> AsyncIterator[bytes]:
    listening = context.listening
    listening.now += 1
    now = asyncio.get_running_loop().time
    try:
        yield b"retry: 2000\n\n"
        quiet_since = now()
        while True:
            found, is_over = await in_thread(_look_again, context, asking, number, since)
            for event in found:
                since = event.number
                yield _written(event)
            if is_over and not found:
                return
            if found:
                quiet_since = now()
            elif now() - quiet_since >= HEARTBEAT_SECONDS:
                quiet_since = now()
                yield b": still here\n\n"
            if not is_over:
                await asyncio.sleep(PAUSE_SECONDS)
    except Refusal as refusal:
        yield b"event: refused\ndata: " + msgspec.json.encode({"detail": str(refusal)}) + b"\n\n"
    finally:
        listening.now -= 1


def _written(event: jobs.Event) -> bytes:
    data = msgspec.json.encode(event_told(event))
    return b"id: %d\nevent: status\ndata: %s\n\n" % (event.number, data)


routes = Router("/", guards=[who_asks], tags=["Portal: jobs"], route_handlers=[listen])
