"""`fairlead simulate`: from what was typed to an exit code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec
import typer
from msgspec import Struct
from rich.console import Console

from fairlead.cli.simulate import options as may_be
from fairlead.cli.simulate.checks import (
    BadOption,
    check_access,
    check_course,
    check_habits,
    check_server,
    check_timeout,
)
from fairlead.cli.simulate.device import Habits
from fairlead.cli.simulate.fleet import Course
from fairlead.cli.simulate.identity import KeyType
from fairlead.cli.simulate.report import print_result
from fairlead.cli.simulate.run import Account, CannotStart, Plan, rehearse

MOST_CONNECTIONS = 2000
STARTS_PER_SECOND = 1000
BAD_USAGE, NOT_AS_ASKED = 2, 1

AnyStruct = TypeVar("AnyStruct", bound=Struct)


def simulate(
    server: may_be.Server,
    devices: may_be.Devices = 10,
    first: may_be.First = 0,
    seed: may_be.Seed = "fairlead",
    identity_prefix: may_be.IdentityPrefix = "",
    key_type: may_be.TypeOfKey = KeyType.ED25519,
    keys: may_be.Keys = Path("simulated-keys"),
    device_type: may_be.DeviceType = "fairlead-simulated",
    artifact_name: may_be.ArtifactName = "release-1",
    attributes: may_be.Attributes = 0,
    failure_rate: may_be.FailureRate = 0.0,
    silence_rate: may_be.SilenceRate = 0.0,
    abort_download_rate: may_be.AbortDownloadRate = 0.0,
    resume_rate: may_be.ResumeRate = 0.0,
    poll_seconds: may_be.Poll = 5.0,
    inventory_seconds: may_be.Inventory = 60.0,
    retry_seconds: may_be.Retry = 5.0,
    install_seconds: may_be.Install = 1.0,
    reboot_seconds: may_be.Reboot = 0.0,
    jitter: may_be.Jitter = 0.1,
    ramp_seconds: may_be.Ramp = None,
    timeout_seconds: may_be.Timeout = 30.0,
    duration_seconds: may_be.Duration = None,
    until_updated: may_be.UntilUpdated = False,
    concurrency: may_be.Concurrency = None,
    save_downloads: may_be.SaveDownloads = False,
    downloads: may_be.Downloads = Path("simulated-downloads"),
    as_json: may_be.AsJson = False,
    user: may_be.User = "",
    password: may_be.Password = "",
    token: may_be.Token = "",
    tenant_token: may_be.TenantToken = "",
    insecure: may_be.Insecure = False,
) -> None:
    """Behave like many real devices: rehearse a rollout, or see what a server can bear."""
    said = dict(locals())
    console = Console(stderr=as_json)
    try:
        result = rehearse(make_plan(said), console)
    except BadOption as error:
        complain(error, BAD_USAGE)
    except (CannotStart, OSError) as error:
        complain(error, NOT_AS_ASKED)
    if as_json:
        typer.echo(msgspec.json.encode(result))
    else:
        print_result(result, console)
    raise typer.Exit(0 if result.ok else NOT_AS_ASKED)


def make_plan(said: Mapping[str, Any]) -> Plan:
    """The options are named like the fields they end up in; what is not said follows from the number of devices."""
    said = dict(said)
    if said["ramp_seconds"] is None:
        said["ramp_seconds"] = said["devices"] / STARTS_PER_SECOND
    if said["concurrency"] is None:
        said["concurrency"] = max(1, min(said["devices"], MOST_CONNECTIONS))
    habits, course, account = pick(Habits, said), pick(Course, said), pick(Account, said)
    origin = check_server(said["server"])
    check_habits(habits)
    check_course(course)
    check_access(account.user, account.password, (("--token", account.token), ("--tenant-token", said["tenant_token"])))
    check_timeout(said["timeout_seconds"])
    said |= {"origin": origin, "habits": habits, "course": course, "account": account}
    said["downloads"] = said["downloads"] if said["save_downloads"] else None
    return pick(Plan, said)


def pick(struct: type[AnyStruct], said: Mapping[str, Any]) -> AnyStruct:
    return struct(**{name: said[name] for name in struct.__struct_fields__})


def complain(reason: Exception, code: int) -> NoReturn:
    typer.echo(f"fairlead simulate: {reason}", err=True)
    raise typer.Exit(code)
