"""What is a deployment, and what becomes of it on a device?"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fairlead.base.errors import Kind, Refusal

LONGEST_NAME = 4096
LONGEST_SUBSTATE = 200
MOST_RETRIES = 100
MOST_PHASES = 100


class DeviceStatus(enum.StrEnum):
    """How far a device is with a deployment. `WAITING`: it has not asked yet, and the reference does not count it."""

    WAITING = "waiting"
    PENDING = "pending"
    DOWNLOADING = "downloading"
    INSTALLING = "installing"
    REBOOTING = "rebooting"
    SUCCESS = "success"
    FAILURE = "failure"
    NOARTIFACT = "noartifact"
    ALREADY_INSTALLED = "already-installed"
    ABORTED = "aborted"
    DECOMMISSIONED = "decommissioned"


COUNTED = tuple(status for status in DeviceStatus if status is not DeviceStatus.WAITING)
UNFINISHED = frozenset(
    {DeviceStatus.PENDING, DeviceStatus.DOWNLOADING, DeviceStatus.INSTALLING, DeviceStatus.REBOOTING}
)
FINISHED = frozenset(COUNTED) - UNFINISHED
REPORTABLE = frozenset(
    {
        DeviceStatus.DOWNLOADING,
        DeviceStatus.INSTALLING,
        DeviceStatus.REBOOTING,
        DeviceStatus.SUCCESS,
        DeviceStatus.FAILURE,
        DeviceStatus.ALREADY_INSTALLED,
    }
)
"""What a device may say of itself (mender.md §2.3); the rest is for us to find."""


class Status(enum.StrEnum):
    SCHEDULED = "scheduled"
    PENDING = "pending"
    INPROGRESS = "inprogress"
    FINISHED = "finished"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the fleet that is offered the update from a point in time on.

    `batch_size` is a percentage, None for "the rest"; `room` the number of devices that makes; `device_count` how
    many have asked within the phase.
    """

    id: str
    batch_size: int | None
    start_at: datetime | None
    room: int
    device_count: int = 0

    def has_begun(self, now: datetime) -> bool:
        return self.start_at is None or self.start_at <= now


@dataclass(frozen=True, slots=True)
class NewDeployment:
    """What someone asks to be rolled out. Exactly one of `devices`, `all_devices` and `group` says to whom."""

    name: str
    artifact_name: str
    devices: Sequence[str] | None = None
    all_devices: bool = False
    group: str | None = None
    phases: Sequence[NewPhase] = ()
    retries: int = 0


@dataclass(frozen=True, slots=True)
class NewPhase:
    batch_size: int | None
    start_at: datetime | None


@dataclass(frozen=True, slots=True)
class Deployment:
    id: str
    name: str
    artifact_name: str
    artifact_ids: tuple[str, ...]
    created_at: datetime
    finished_at: datetime | None
    aborted: bool
    phases: tuple[Phase, ...]
    retries: int
    max_devices: int
    statistics: Mapping[DeviceStatus, int] = field(default_factory=dict)

    @property
    def device_count(self) -> int:
        """How many devices have asked for it so far."""
        return sum(self.statistics.values())

    def status_at(self, now: datetime) -> Status:
        """Finished once every device is, in progress once one is past pending, scheduled before the first phase."""
        if self.finished_at is not None:
            return Status.FINISHED
        if self.device_count > self.statistics.get(DeviceStatus.PENDING, 0):
            return Status.INPROGRESS
        if self.phases and not self.phases[0].has_begun(now):
            return Status.SCHEDULED
        return Status.PENDING


@dataclass(frozen=True, slots=True)
class DeviceDeployment:
    """One deployment on one device."""

    deployment_id: str
    device_id: str
    status: DeviceStatus
    attempts: int
    created_at: datetime | None
    finished_at: datetime | None
    device_type: str | None
    substate: str
    artifact_id: str | None
    phase: int | None
    has_log: bool


@dataclass(frozen=True, slots=True)
class Instructions:
    """What a device is told to install, and from where its payload comes."""

    deployment_id: str
    artifact_id: str
    artifact_name: str
    device_types: tuple[str, ...]
    blob_key: str
    file_name: str
    modified_at: datetime
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a device's log. The time is kept as the device wrote it (RFC 3339, up to nanoseconds)."""

    timestamp: str
    level: str
    message: str


class DeploymentNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "Deployment not found"


class NotPartOfDeployment(Refusal):
    kind = Kind.NOT_FOUND
    message = "Device not found in deployment"


class LogNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "Log not found"


class BadDeployment(Refusal):
    message = "Validating request body: {reason}"


class PhasesNotInPlan(Refusal):
    kind = Kind.FORBIDDEN
    message = "Feature not available in your Plan: phases need the plan professional or enterprise."


class NoDevices(Refusal):
    message = "No devices for the deployment"


class NoArtifact(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "No artifact for the deployment"


class AlreadyFinished(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "Deployment already finished"


class DeploymentAborted(Refusal):
    kind = Kind.CONFLICT
    message = "Deployment aborted"


class DeviceDecommissioned(Refusal):
    kind = Kind.CONFLICT
    message = "Device decommissioned"


class OutcomeStands(Refusal):
    kind = Kind.CONFLICT
    message = "Device has already finished this deployment with status {status}"


class UnknownDeviceStatus(Refusal):
    message = "unknown status value"


class SubstateTooLong(Refusal):
    message = "substate: the length must be no more than {limit}"


class BadProvides(Refusal):
    message = "{reason}"


_WORD = re.compile(r"\w+")


def words_of(*texts: str) -> str:
    """The words of the texts, each between spaces: what a search for words looks through."""
    words = {word.casefold() for text in texts for word in _WORD.findall(text)}
    return f" {' '.join(sorted(words))} "


def make_sure_it_makes_sense(new: NewDeployment) -> None:
    """The rules of deployments 2.2 for a new deployment, and its words (mender.md §2.3)."""
    for what, text in (("name", new.name), ("artifact_name", new.artifact_name)):
        if not text:
            raise BadDeployment(reason=f"{what}: cannot be blank.")
        if len(text) > LONGEST_NAME or "\0" in text:
            raise BadDeployment(reason=f"{what}: the length must be between 1 and {LONGEST_NAME}.")
    definition = "Invalid deployments definition: "
    if new.group is not None:
        if new.devices or new.all_devices:
            raise BadDeployment(
                reason="The deployment for group constructor should have neither list of devices nor "
                "all_devices flag set"
            )
    elif not new.devices and not new.all_devices:
        raise BadDeployment(reason=definition + "provide list of devices or set all_devices flag")
    elif new.devices and new.all_devices:
        raise BadDeployment(reason=definition + "list of devices provided togheter with all_devices flag")
    if any(not device or len(device) > 256 or "\0" in device for device in new.devices or ()):
        raise BadDeployment(reason="devices: every entry must be a device id.")
    if not 0 <= new.retries <= MOST_RETRIES:
        raise BadDeployment(reason=f"retries: must be between 0 and {MOST_RETRIES}.")


def plan_phases(new: Sequence[NewPhase], devices: int, ids: Sequence[str]) -> tuple[Phase, ...]:
    """How many devices each phase takes: its percentage rounded down, the last one the rest (mender.md §2.3)."""
    if len(new) > MOST_PHASES:
        raise BadDeployment(reason=f"phases: at most {MOST_PHASES} are allowed.")
    phases: list[Phase] = []
    taken, last_start = 0, None
    for number, (phase, id_) in enumerate(zip(new, ids, strict=True), start=1):
        is_last = number == len(new)
        _make_sure_phase_makes_sense(phase, number, is_last, last_start)
        room = devices - taken if is_last else (phase.batch_size or 0) * devices // 100
        if room <= 0:
            raise BadDeployment(
                reason=f"Attempt to create a batch with zero devices not allowed. Batch: ({number}) will be empty"
            )
        taken += room
        last_start = phase.start_at or last_start
        phases.append(Phase(id_, phase.batch_size, phase.start_at, room))
    return tuple(phases)


def _make_sure_phase_makes_sense(phase: NewPhase, number: int, is_last: bool, after: datetime | None) -> None:
    if phase.batch_size is None and not is_last:
        raise BadDeployment(reason=f"phases: phase {number} needs a batch_size; only the last may go without.")
    if phase.batch_size is not None and not 1 <= phase.batch_size <= 100:
        raise BadDeployment(reason=f"phases: batch_size of phase {number} must be between 1 and 100.")
    if phase.start_at is None and number > 1:
        raise BadDeployment(reason=f"phases: phase {number} needs a start_ts; only the first may go without.")
    if phase.start_at is not None and after is not None and phase.start_at < after:
        raise BadDeployment(reason=f"phases: phase {number} starts before the one in front of it.")


def phase_with_room(phases: Sequence[Phase], now: datetime) -> int | None:
    """The number of the first phase that has begun and is not full; None: the device has to wait."""
    return next((i for i, p in enumerate(phases) if p.has_begun(now) and p.device_count < p.room), None)


def status_from_device(text: Any) -> DeviceStatus:
    """The status that a device reports, or `UnknownDeviceStatus`."""
    if text not in REPORTABLE:
        raise UnknownDeviceStatus
    return DeviceStatus(text)
