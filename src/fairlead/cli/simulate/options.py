"""What can be said to `fairlead simulate`, and in which words?"""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.cli.simulate.identity import KeyType


def _option(panel: str, *names: str, help: str, envvar: str | None = None) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel, envvar=envvar, show_envvar=bool(envvar))


FLEET, WRONG, TIMES, RUN, ACCESS = "The fleet", "What goes wrong on purpose", "Times in seconds", "The run", "Access"

Server = Annotated[str, typer.Option(help="Address of the server, like https://fairlead.example.com.")]

Devices = Annotated[int, _option(FLEET, "--devices", help="How many devices.")]
First = Annotated[int, _option(FLEET, "--first", help="Number of the first device.")]
Seed = Annotated[str, _option(FLEET, "--seed", help="The same seed is the same fleet: addresses, keys, fates.")]
IdentityPrefix = Annotated[str, _option(FLEET, "--identity-prefix", help="Put in front of every address.")]
TypeOfKey = Annotated[KeyType, _option(FLEET, "--key-type", help="Kind of device keys.")]
Keys = Annotated[Path, _option(FLEET, "--keys", help="Folder where RSA keys are kept.")]
DeviceType = Annotated[str, _option(FLEET, "--device-type", help="Device type of them all.")]
ArtifactName = Annotated[str, _option(FLEET, "--artifact-name", help="What is installed at first.")]
Attributes = Annotated[int, _option(FLEET, "--attributes", help="Extra inventory attributes.")]

FailureRate = Annotated[float, _option(WRONG, "--failure-rate", help="Share of updates that fail.")]
SilenceRate = Annotated[float, _option(WRONG, "--silence-rate", help="Share that falls silent in an update, for good.")]
AbortDownloadRate = Annotated[float, _option(WRONG, "--abort-download-rate", help="Share of downloads broken off.")]
ResumeRate = Annotated[float, _option(WRONG, "--resume-rate", help="Share of downloads cut and resumed.")]

Poll = Annotated[float, _option(TIMES, "--poll-interval", help="Between questions for work.")]
Inventory = Annotated[float, _option(TIMES, "--inventory-interval", help="Between inventory reports.")]
Retry = Annotated[float, _option(TIMES, "--retry-interval", help="Until trying again.")]
Install = Annotated[float, _option(TIMES, "--install-seconds", help="How long installing takes.")]
Reboot = Annotated[float, _option(TIMES, "--reboot-seconds", help="How long rebooting takes; 0 means no reboot.")]
Jitter = Annotated[float, _option(TIMES, "--jitter", help="Share by which waits may last longer.")]
Ramp = Annotated[float | None, _option(TIMES, "--ramp", help="Until all have started; by default 1,000 a second.")]
Timeout = Annotated[float, _option(TIMES, "--timeout", help="Silence after which a request is given up.")]

Duration = Annotated[float | None, _option(RUN, "--duration", help="End after this many seconds.")]
UntilUpdated = Annotated[
    bool, _option(RUN, "--until-updated", help="End when every device has finished a deployment, or at --duration.")
]
Concurrency = Annotated[
    int | None, _option(RUN, "--concurrency", help="Most connections; by default one per device up to 2,000.")
]
SaveDownloads = Annotated[bool, _option(RUN, "--save-downloads/--discard", help="Whether downloads are kept.")]
Downloads = Annotated[Path, _option(RUN, "--downloads", help="Folder where they are kept.")]
AsJson = Annotated[bool, _option(RUN, "--json", help="Print the result as JSON, progress on stderr.")]

User = Annotated[str, _option(ACCESS, "--user", help="Accept the pending devices of this fleet as this user.")]
Password = Annotated[str, _option(ACCESS, "--password", help="The user's password.", envvar="FAIRLEAD_PASSWORD")]
Token = Annotated[str, _option(ACCESS, "--token", help="A user's token instead.", envvar="FAIRLEAD_TOKEN")]
TenantToken = Annotated[str, _option(ACCESS, "--tenant-token", help="What devices show to belong to a tenant.")]
Insecure = Annotated[bool, _option(ACCESS, "--insecure", help="Take any TLS certificate.")]
