"""What does a device do about an answer? Pure rules for a device at rest; `update` has those for one that updates.

They follow the mender client 3.4 and what is known of it from running it.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct, structs

from fairlead.cli.simulate import fate, update
from fairlead.cli.simulate.device import (
    KIND,
    Answer,
    Ask,
    Complaint,
    Device,
    Dialect,
    Effect,
    Finished,
    Habits,
    Lost,
    Note,
    Reply,
    Step,
    Turn,
    Update,
    Wait,
)

LONGEST_WAIT_SECONDS = 60.0
WITHOUT_TOKEN = {Step.AUTHORIZE, Step.DOWNLOAD}


class Source(Struct):
    uri: str = ""


class Artifact(Struct):
    artifact_name: str = ""
    source: Source = msgspec.field(default_factory=Source)
    device_types_compatible: list[str] = msgspec.field(default_factory=list)


class Instructions(Struct):
    id: str = ""
    artifact: Artifact = msgspec.field(default_factory=Artifact)


read_instructions = msgspec.json.Decoder(Instructions).decode


def hear(device: Device, answer: Answer, habits: Habits, now: float) -> Turn:
    """The device after this answer, and what follows from it."""
    saying = device.saying()
    if isinstance(answer, Lost):
        return hear_nothing(device, answer, habits)
    if answer.status == 401 and saying not in WITHOUT_TOKEN:
        return authorize_again(device, habits)
    return RULES[saying](device, answer, habits, now)


def wake(device: Device, habits: Habits, now: float) -> Turn:
    """Waited long enough: go on with what was under way, or see what is due."""
    if device.update or not device.token:
        return device, [Ask()]
    return rest(device, habits, now)


def rest(device: Device, habits: Habits, now: float) -> Turn:
    """Between updates a device reports its inventory and asks for work, each at its own pace, inventory first."""
    if device.inventory_at <= now:
        return structs.replace(device, step=Step.INVENTORY, update=None), [Ask()]
    idle = structs.replace(device, step=Step.NEXT, update=None)
    if device.poll_at <= now:
        return idle, [Ask()]
    return idle, [Wait(min(device.poll_at, device.inventory_at) - now)]


def hear_nothing(device: Device, lost: Lost, habits: Habits) -> Turn:
    complaint = f"{KIND[device.saying()]}: {lost.reason}"
    if device.update and device.saying() is Step.DOWNLOAD:
        return update.download_later(device, device.update, complaint, habits)
    return try_later(device, complaint, habits)


def try_later(device: Device, complaint: str, habits: Habits) -> Turn:
    """Wait longer each time, so that a server in trouble is not kept there."""
    seconds = min(habits.retry_seconds * 2 ** min(device.tries, 6), max(LONGEST_WAIT_SECONDS, habits.retry_seconds))
    return structs.replace(device, tries=device.tries + 1), [Complaint(complaint), Wait(seconds)]


def authorize_again(device: Device, habits: Habits) -> Turn:
    """At once, but only once: a server that gives tokens and refuses them must not be asked in a circle."""
    asked = structs.replace(device, token=b"", tries=device.tries + 1)
    effects: list[Effect] = [Note("sent back to authorize")]
    return asked, [*effects, Wait(habits.retry_seconds) if device.tries else Ask()]


def hear_authorize(device: Device, reply: Reply, habits: Habits, now: float) -> Turn:
    if reply.status == 401:
        return device, [Wait(habits.retry_seconds)]
    if reply.status != 200:
        return try_later(device, f"authorize: {reply.status}", habits)
    if not reply.body or reply.body.startswith(b'"') or len(reply.body.split()) != 1 or reply.body[-1:].isspace():
        return try_later(device, "authorize: 200 without a bare token", habits)
    known = structs.replace(device, token=reply.body)
    if device.update:
        return known, [Ask()]
    return rest(known, habits, now)


def hear_inventory(device: Device, reply: Reply, habits: Habits, now: float) -> Turn:
    if reply.status == 405 and not device.patches:
        return structs.replace(device, patches=True), [Ask()]
    if reply.status != 200:
        return try_later(device, f"inventory: {reply.status}", habits)
    return rest(structs.replace(device, tries=0, inventory_at=now + habits.inventory_seconds), habits, now)


def hear_next(device: Device, reply: Reply, habits: Habits, now: float) -> Turn:
    if reply.status == 404 and device.dialect is not Dialect.V1_GET:
        return structs.replace(device, dialect=Dialect(device.dialect + 1)), [Ask()]
    if reply.status not in (200, 204):
        return try_later(device, f"next: {reply.status}", habits)
    asked = structs.replace(device, tries=0, poll_at=now + habits.poll_seconds)
    if reply.status == 204:
        return rest(asked, habits, now)
    return hear_instructions(asked, reply, habits, now)


def hear_instructions(device: Device, reply: Reply, habits: Habits, now: float) -> Turn:
    try:
        told = read_instructions(reply.body)
    except msgspec.MsgspecError:
        told = Instructions()
    if not told.id:
        resting, effects = rest(device, habits, now)
        return resting, [Complaint("next: 200 without instructions"), *effects]
    work = Update(
        id=told.id,
        artifact_name=told.artifact.artifact_name,
        uri=told.artifact.source.uri,
        fate=fate.decide(habits, device.index, told.id),
    )
    return weigh(structs.replace(device, update=work), work, told.artifact.device_types_compatible, habits)


def weigh(device: Device, work: Update, device_types: list[str], habits: Habits) -> Turn:
    """A device refuses what it cannot install before it downloads anything."""
    if not (work.artifact_name and work.uri and device_types):
        return update.fail(device, work, "next: instructions with something missing")
    if habits.device_type not in device_types:
        return update.fail(device, work, "next: an artifact for other device types")
    if work.artifact_name == device.artifact_name:
        done = structs.replace(work, verdict="already-installed")
        return structs.replace(device, step=Step.FINISH, update=done), [Ask()]
    return structs.replace(device, step=Step.BEGIN), [Ask()]


def hear_status(device: Device, reply: Reply, habits: Habits, now: float) -> Turn:
    work = device.update
    assert work
    if reply.status == 409:
        return close(device, "aborted", habits, now)
    if reply.status == 204:
        heard = structs.replace(device, tries=0)
        if device.step is Step.FINISH and work.verdict != "failure":
            return close(installed(heard, work, now), work.verdict, habits, now)
        return update.advance(heard, work, habits)
    complaint = f"status: {reply.status}"
    if device.step in update.MUST_BE_HEARD:
        if device.tries < update.TRIES:
            return try_later(device, complaint, habits)
        if device.step is Step.COMMIT:
            return update.fail(device, work, complaint)
        closed, effects = close(device, "unreported", habits, now)
        return closed, [Complaint(complaint), *effects]
    going_on, effects = update.advance(device, work, habits)
    return going_on, [Complaint(complaint), *effects]


def hear_log(device: Device, reply: Reply, habits: Habits, now: float) -> Turn:
    closed, effects = close(device, "failure", habits, now)
    if reply.status != 204:
        return closed, [Complaint(f"log: {reply.status}"), *effects]
    return closed, effects


def hear_download(device: Device, reply: Reply, habits: Habits, now: float) -> Turn:
    assert device.update
    return update.hear_download(device, device.update, reply, habits)


def installed(device: Device, work: Update, now: float) -> Device:
    """What a device now has, it reports at once: otherwise the next question would be answered for the old artifact."""
    return structs.replace(device, artifact_name=work.artifact_name, inventory_at=now)


def close(device: Device, outcome: str, habits: Habits, now: float) -> Turn:
    resting, effects = rest(structs.replace(device, tries=0, update=None), habits, now)
    return resting, [Finished(outcome), *effects]


RULES: dict[Step, Callable[[Device, Reply, Habits, float], Turn]] = {
    **dict.fromkeys(Step, hear_status),
    Step.AUTHORIZE: hear_authorize,
    Step.INVENTORY: hear_inventory,
    Step.NEXT: hear_next,
    Step.DOWNLOAD: hear_download,
    Step.LOG: hear_log,
}
