"""What users are told: `/notifications/`."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, post, put

from fairlead.api.mobyle import wire
from fairlead.api.mobyle.auth import who_asks
from fairlead.api.mobyle.context import Call
from fairlead.domain import jobs
from fairlead.domain.identity import portal

Ids = list[str]


class Marking(msgspec.Struct, forbid_unknown_fields=True, rename={"ids": "list"}):
    ids: Ids
    read: bool = True


class Removing(msgspec.Struct, forbid_unknown_fields=True, rename={"ids": "list"}):
    ids: Ids


class Announcement(msgspec.Struct, forbid_unknown_fields=True):
    message: str


@get("/notifications", sync_to_thread=True, summary="List Notifications")
def list_notifications(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """The caller's own, the newest first; with `unread=true` those that were not read."""
    only_unread = wire.is_yes(wire.query(request), "unread")
    with call.read() as tx:
        return wire.answer([_told(each) for each in jobs.list_notifications(tx, only_unread=only_unread)])


def _told(notification: jobs.Notification) -> dict[str, Any]:
    return wire.said(
        id=notification.id,
        type=int(notification.type),
        message=notification.message,
        about=notification.about or None,
        read=notification.read,
        created=wire.moment(notification.created_at),
    )


@put("/notifications", sync_to_thread=True, summary="Mark Notifications")
def mark(call: Call, data: Marking) -> Response[bytes]:
    """These are read, or not read."""
    with call.begin() as tx:
        return wire.answer({"count": jobs.mark_notifications(tx, _numbers(data.ids), read=data.read)})


@post("/notifications/delete", status_code=200, sync_to_thread=True, summary="Remove Notifications")
def remove_many(call: Call, data: Removing) -> Response[bytes]:
    with call.begin() as tx:
        return wire.answer({"count": jobs.remove_notifications(tx, _numbers(data.ids))})


@delete("/notifications/{notification_id:str}", status_code=204, sync_to_thread=True, summary="Remove a Notification")
def remove_one(call: Call, notification_id: str) -> None:
    with call.begin() as tx:
        if not jobs.remove_notifications(tx, _numbers([notification_id])):
            raise portal.NotThere(thing="notification")


@post("/notifications", status_code=201, sync_to_thread=True, summary="Tell Everybody")
def announce(call: Call, data: Announcement) -> Response[bytes]:
    """For administrators: everybody who has an account is told."""
    with call.begin() as tx:
        return wire.answer({"count": jobs.announce(tx, data.message)}, 201)


def _numbers(ids: Ids) -> list[int]:
    return [portal.number_of(each) for each in ids]


routes = Router(
    "/",
    guards=[who_asks],
    tags=["Portal: notifications"],
    route_handlers=[list_notifications, mark, announce, remove_many, remove_one],
)
