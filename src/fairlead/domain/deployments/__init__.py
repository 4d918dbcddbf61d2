"""Rolling releases out: what is offered to which device, and what becomes of it."""

from fairlead.domain import artifacts, devices
from fairlead.domain.deployments.agenda import Agenda
from fairlead.domain.deployments.model import (
    COUNTED,
    AlreadyFinished,
    BadDeployment,
    Deployment,
    DeploymentAborted,
    DeploymentNotFound,
    DeviceDeployment,
    DeviceStatus,
    Instructions,
    LogLine,
    NewDeployment,
    NewPhase,
    NoArtifact,
    NoDevices,
    NotPartOfDeployment,
    Phase,
    Status,
    status_from_device,
)
from fairlead.domain.deployments.offer import has_work, make_sure_provides_are_good, next_for_device
from fairlead.domain.deployments.reports import report_log, report_status
from fairlead.domain.deployments.rollout import (
    WORK_ADDED,
    abort,
    create,
    devices_of,
    find,
    forget_device,
    ids_of_devices,
    log_of_device,
    make_sure_artifact_is_free,
    make_sure_artifact_was_never_used,
    remove_device,
    search,
)
from fairlead.domain.deployments.sight import DeploymentOutsideOwnGroups

devices.when_decommissioned(forget_device)
artifacts.before_removal(make_sure_artifact_is_free)
artifacts.before_change(make_sure_artifact_was_never_used)

__all__ = [
    "COUNTED",
    "WORK_ADDED",
    "Agenda",
    "AlreadyFinished",
    "BadDeployment",
    "Deployment",
    "DeploymentAborted",
    "DeploymentNotFound",
    "DeploymentOutsideOwnGroups",
    "DeviceDeployment",
    "DeviceStatus",
    "Instructions",
    "LogLine",
    "NewDeployment",
    "NewPhase",
    "NoArtifact",
    "NoDevices",
    "NotPartOfDeployment",
    "Phase",
    "Status",
    "abort",
    "create",
    "devices_of",
    "find",
    "forget_device",
    "has_work",
    "ids_of_devices",
    "log_of_device",
    "make_sure_provides_are_good",
    "next_for_device",
    "remove_device",
    "report_log",
    "report_status",
    "search",
    "status_from_device",
]
