"""How does this API say what is on record? Nouns and verbs are kept as one word, `user.create`, and told as two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request

from fairlead.api.mender.errors import BadBody, BadParameter
from fairlead.api.mender.wire import epoch_parameter, one_of, parameter
from fairlead.base import clock
from fairlead.domain import audit

ACTOR_TYPES = ("user", "device", "system")
_ALMOST_A_SECOND = timedelta(seconds=1, microseconds=-1)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
Noun = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
Verb = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}\Z")]
Maybe = str | msgspec.UnsetType


class WireActor(msgspec.Struct):
    id: Id
    type: Literal["user", "device", "system"]
    email: Maybe = msgspec.UNSET
    identity_data: Maybe = msgspec.UNSET


class WireUserOf(msgspec.Struct):
    email: str


class WireNames(msgspec.Struct):
    name: str
    artifact_name: str


class WireDeploymentOf(msgspec.Struct):
    """The schema names both fields; the example of the reference has them under `application/json`."""

    name: Maybe = msgspec.UNSET
    artifact_name: Maybe = msgspec.UNSET
    nested: WireNames | msgspec.UnsetType = msgspec.field(name="application/json", default=msgspec.UNSET)

    def names(self) -> WireNames:
        if isinstance(self.nested, WireNames):
            return self.nested
        if self.name is msgspec.UNSET or self.artifact_name is msgspec.UNSET:
            raise BadBody(what="failed to decode audit log", reason="a deployment has a name and an artifact_name")
        return WireNames(self.name, self.artifact_name)


class WireObject(msgspec.Struct):
    id: Id
    type: Noun
    name: Maybe = msgspec.UNSET
    user: WireUserOf | msgspec.UnsetType = msgspec.UNSET
    deployment: WireDeploymentOf | msgspec.UnsetType = msgspec.UNSET


class NewEntry(msgspec.Struct):
    """What another service says was done. Without a time it was done now."""

    actor: WireActor
    action: Verb
    object: WireObject
    time: Annotated[datetime, msgspec.Meta(tz=True)] | msgspec.UnsetType = msgspec.UNSET
    change: Maybe = msgspec.UNSET


def entry_told(new: NewEntry) -> audit.Entry:
    """The entry to keep: what we search in its own columns, and all of it as it was told, to be told again."""
    deployment = new.object.deployment.names() if isinstance(new.object.deployment, WireDeploymentOf) else None
    told = msgspec.to_builtins(new)
    told.pop("time", None)
    if deployment is not None:
        told["object"]["deployment"] = msgspec.to_builtins(deployment)
    user = new.object.user.email if isinstance(new.object.user, WireUserOf) else None
    name = deployment.name if deployment is not None else user or new.object.name or ""
    called = new.actor.identity_data if new.actor.type == "device" else new.actor.email
    return audit.Entry(
        at=_time_of(new),
        actor_kind=new.actor.type,
        actor_id=new.actor.id,
        actor_name=called or "",
        action=f"{new.object.type}.{new.action}",
        object_id=new.object.id,
        details={"told": told},
        object_name=name,
    )


def _time_of(new: NewEntry) -> datetime:
    if not isinstance(new.time, datetime):
        return clock.now()
    try:
        at = new.time.astimezone(UTC)
    except OverflowError:
        at = datetime.min.replace(tzinfo=UTC)
    if at < _EARLIEST:
        raise BadBody(what="failed to decode audit log", reason="time: must be between 1970 and 9999")
    return at


def wire_entry(entry: audit.Entry) -> dict[str, Any]:
    """An entry as the reference shows it."""
    told = entry.details.get("told")
    if told is None:
        told = {"actor": _actor(entry), "action": entry.verb, "object": _object(entry), "change": change_of(entry)}
    said = {"actor": told["actor"], "time": clock.rfc3339(entry.at), "action": told["action"], "object": told["object"]}
    return said | ({"change": told["change"]} if told.get("change") else {})


def _actor(entry: audit.Entry) -> dict[str, str]:
    said = {"id": entry.actor_id, "type": entry.actor_kind}
    called = {"user": "email", "device": "identity_data"}.get(entry.actor_kind)
    return said | ({called: entry.actor_name} if called and entry.actor_name else {})


def _object(entry: audit.Entry) -> dict[str, Any]:
    said: dict[str, Any] = {"id": entry.object_id, "type": entry.object_type}
    if entry.object_type == "user":
        said["user"] = {"email": entry.object_name}
    elif entry.object_type == "deployment":
        artifact_name = entry.details.get("artifact_name", "")
        said["deployment"] = {"name": entry.object_name, "artifact_name": artifact_name}
    elif entry.object_name:
        said["name"] = entry.object_name
    return said


def change_of(entry: audit.Entry) -> str:
    """What was changed, for people: a heading and a line for each thing that is known, old and new where both are."""
    details = dict(entry.details)
    if entry.object_type == "deployment":
        details.pop("artifact_name", None)
    changed = details.pop("changed", {})
    if not isinstance(changed, dict):  # only what it was that changed is known
        changed = dict.fromkeys(changed, ())
    lines = [f"{name}: {_worded(value)}" for name, value in details.items()]
    for name, values in changed.items():
        lines += [f"{sign} {name}: {_worded(value)}" for sign, value in zip("-+", values, strict=False)]
        lines += [] if values else [f"{name} was changed"]
    if not lines:
        return ""
    return "\n".join([f"{_heading(entry)}:", *lines])


def _heading(entry: audit.Entry) -> str:
    """`user.update` as `Updated user u@x`, `device.revoke_token` as `device revoke token 4711`."""
    called = entry.object_name or entry.object_id
    past = {"create": "Created", "update": "Updated", "delete": "Deleted"}.get(entry.verb)
    noun, verb = (word.replace("_", " ") for word in (entry.object_type, entry.verb))
    return f"{past} {noun} {called}" if past else f"{noun} {verb} {called}"


def _worded(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return msgspec.json.encode(value).decode()


def wanted_of(request: Request[Any, Any, Any]) -> audit.Wanted:
    """The filters of the query, which both listings and the export share."""
    kind, sort = parameter(request, "actor_type"), parameter(request, "sort")
    until = epoch_parameter(request, "created_before")
    return audit.Wanted(
        actor_id=parameter(request, "actor_id") or None,
        actor_kind=one_of("actor_type", kind, ACTOR_TYPES) if kind else None,
        actor_email=parameter(request, "actor_email") or None,
        object_id=parameter(request, "object_id") or None,
        object_type=_noun(parameter(request, "object_type") or None),
        deployment_name=parameter(request, "object_deployment_name") or None,
        since=epoch_parameter(request, "created_after"),
        until=until and until + _ALMOST_A_SECOND,
        oldest_first=one_of("sort", sort, ("asc", "desc")) == "asc" if sort else False,
    )


def _noun(text: str | None) -> str | None:
    if text is not None and "." in text:
        raise BadParameter(reason="Can't parse param object_type")
    return text
