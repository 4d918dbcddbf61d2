"""What does a device do while it updates? Pure rules, in the order in which a real client goes through them."""

from msgspec import structs

from fairlead.cli.simulate.device import (
    SMALLEST_ARTIFACT_BYTES,
    Ask,
    Complaint,
    Device,
    Effect,
    Habits,
    Note,
    Reply,
    Step,
    Turn,
    Update,
    Vanish,
    Wait,
)

TRIES = 4
MUST_BE_HEARD = {Step.COMMIT, Step.FINISH}
FIRST_MEMBER = b"version\0"

AFTER = {
    Step.BEGIN: Step.DOWNLOAD,
    Step.DOWNLOAD: Step.STORE,
    Step.STORE: Step.STORED,
    Step.STORED: Step.INSTALL,
    Step.COMMIT: Step.FINISH,
    Step.FINISH: Step.LOG,
}


def advance(device: Device, work: Update, habits: Habits) -> Turn:
    """What was said was heard: go on."""
    if device.step is Step.INSTALL:
        return install(device, work, habits)
    if device.step is Step.REBOOT:
        return go_to(device, work, Step.COMMIT, Wait(habits.reboot_seconds))
    return go_to(device, work, AFTER[device.step], Ask())


def install(device: Device, work: Update, habits: Habits) -> Turn:
    """Installing takes its time, and shows whether the update works."""
    if work.fate.fails:
        failed = structs.replace(work, verdict="failure", reason="the installation failed, as the simulation was told")
        return go_to(device, failed, Step.FINISH, Wait(habits.install_seconds))
    step = Step.REBOOT if habits.reboot_seconds else Step.COMMIT
    return go_to(device, work, step, Wait(habits.install_seconds))


def go_to(device: Device, work: Update, step: Step, then: Effect) -> Turn:
    """A device that is about to commit forgets its token, to see that the new software can still authorize."""
    if work.fate.silent_before is step:
        return structs.replace(device, step=Step.SILENT, token=b"", update=None), [Vanish()]
    token = b"" if step is Step.COMMIT else device.token
    return structs.replace(device, step=step, token=token, update=work), [then]


def fail(device: Device, work: Update, complaint: str) -> Turn:
    """The update cannot go on and nobody asked for that: report failure, and complain."""
    failing, effects = give_up(device, work, complaint)
    return failing, [Complaint(complaint), *effects]


def give_up(device: Device, work: Update, reason: str) -> Turn:
    failed = structs.replace(work, verdict="failure", reason=reason)
    return structs.replace(device, step=Step.FINISH, tries=0, update=failed), [Ask()]


def hear_download(device: Device, work: Update, reply: Reply, habits: Habits) -> Turn:
    complaint = objection(work, reply)
    if complaint:
        return download_later(device, work, complaint, habits)
    total = work.total_bytes or reply.length or 0
    so_far = structs.replace(work, total_bytes=total, received_bytes=work.received_bytes + reply.received_bytes)
    if not work.received_bytes and reply.opening[: len(FIRST_MEMBER)] != FIRST_MEMBER:
        return fail(device, so_far, "download: does not begin like an artifact")
    if reply.cut:
        return hung_up(device, so_far)
    if so_far.received_bytes < total:
        return download_later(device, so_far, "download: broke off", habits)
    heard, effects = advance(structs.replace(device, tries=0), so_far, habits)
    return heard, [Note("downloads completed"), *effects]


def objection(work: Update, reply: Reply) -> str:
    """Why a real client would not take this download, or nothing."""
    if work.received_bytes:
        return objection_to_rest(work, reply)
    if reply.status != 200:
        return f"download: {reply.status}"
    if reply.length is None:
        return "download: no Content-Length"
    if reply.encoding:
        return f"download: Content-Encoding {reply.encoding}"
    if reply.length < SMALLEST_ARTIFACT_BYTES:
        return f"download: smaller than {SMALLEST_ARTIFACT_BYTES} bytes"
    return ""


def objection_to_rest(work: Update, reply: Reply) -> str:
    first, total = work.received_bytes, work.total_bytes
    if reply.status != 206:
        return f"download: {reply.status} to a request with Range"
    if reply.content_range != f"bytes {first}-{total - 1}/{total}":
        return "download: 206 with a wrong Content-Range"
    if reply.length is not None and reply.length != total - first:
        return "download: 206 with a wrong Content-Length"
    return ""


def download_later(device: Device, work: Update, complaint: str, habits: Habits) -> Turn:
    if device.tries >= TRIES:
        return fail(device, work, complaint)
    waiting = structs.replace(device, tries=device.tries + 1, update=work)
    return waiting, [Complaint(complaint), Wait(habits.retry_seconds)]


def hung_up(device: Device, work: Update) -> Turn:
    """The device itself cut the connection: to come back for the rest, or for good."""
    if work.fate.breaks_off:
        failing, effects = give_up(device, work, "the download was broken off, as the simulation was told")
        return failing, [Note("downloads broken off"), *effects]
    return structs.replace(device, update=work), [Note("downloads resumed"), Ask()]
