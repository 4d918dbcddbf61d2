"""What is a simulated device, and what can it do next? Nouns only: no socket, no clock, no chance."""

from enum import Enum, IntEnum

from msgspec import Struct

SMALLEST_ARTIFACT_BYTES = 4096
CLIENT_VERSION = "3.4.0"


class Step(Enum):
    """What a device says when it speaks next, in the order of an update."""

    AUTHORIZE = "authorize"
    INVENTORY = "inventory"
    NEXT = "next"
    BEGIN = "begin"
    DOWNLOAD = "download"
    STORE = "store"
    STORED = "stored"
    INSTALL = "install"
    REBOOT = "reboot"
    COMMIT = "commit"
    FINISH = "finish"
    LOG = "log"
    SILENT = "silent"


STATUS_SAID = {
    Step.BEGIN: "downloading",
    Step.STORE: "downloading",
    Step.STORED: "downloading",
    Step.INSTALL: "installing",
    Step.REBOOT: "rebooting",
    Step.COMMIT: "installing",
}

STATE = dict.fromkeys(Step, "accepted") | {
    Step.BEGIN: "downloading",
    Step.DOWNLOAD: "downloading",
    Step.STORE: "downloading",
    Step.STORED: "downloading",
    Step.INSTALL: "installing",
    Step.REBOOT: "rebooting",
    Step.COMMIT: "installing",
    Step.FINISH: "reporting",
    Step.LOG: "reporting",
    Step.SILENT: "silent",
}

KIND = dict.fromkeys(Step, "status") | {
    Step.AUTHORIZE: "authorize",
    Step.INVENTORY: "inventory",
    Step.NEXT: "next",
    Step.DOWNLOAD: "download",
    Step.LOG: "log",
}


class Dialect(IntEnum):
    """How this server wants to be asked for the next deployment; a 404 sends the device one step down."""

    V2_POST = 0
    V1_POST = 1
    V1_GET = 2


class Fate(Struct, frozen=True, gc=False):
    """What goes wrong on purpose in one update of one device."""

    fails: bool = False
    breaks_off: bool = False
    resumes: bool = False
    silent_before: Step | None = None


class Update(Struct, frozen=True):
    id: str
    artifact_name: str
    uri: str
    fate: Fate
    verdict: str = "success"
    reason: str = ""
    total_bytes: int = 0
    received_bytes: int = 0


class Device(Struct, frozen=True, gc=False):
    """Everything remembered about one device; 100,000 of these are held at once."""

    index: int
    artifact_name: str
    token: bytes = b""
    step: Step = Step.INVENTORY
    dialect: Dialect = Dialect.V2_POST
    patches: bool = False
    tries: int = 0
    inventory_at: float = 0.0
    poll_at: float = 0.0
    update: Update | None = None

    def saying(self) -> Step:
        """Nothing else is said before the server knows who speaks."""
        return self.step if self.token or self.step is Step.SILENT else Step.AUTHORIZE

    def state(self) -> str:
        """In one word, for the display."""
        if self.token or self.update or self.step is Step.SILENT:
            return STATE[self.step]
        return "waiting"


class Habits(Struct, frozen=True):
    """How every device of this fleet behaves."""

    device_type: str = "fairlead-simulated"
    artifact_name: str = "release-1"
    seed: str = "fairlead"
    attributes: int = 0
    retry_seconds: float = 5.0
    poll_seconds: float = 5.0
    inventory_seconds: float = 60.0
    install_seconds: float = 1.0
    reboot_seconds: float = 0.0
    failure_rate: float = 0.0
    silence_rate: float = 0.0
    abort_download_rate: float = 0.0
    resume_rate: float = 0.0


class Reply(Struct, frozen=True, gc=False):
    """What the server answered. Of a download only its first bytes are kept; `cut` says that we hung up on purpose."""

    status: int
    body: bytes = b""
    length: int | None = None
    encoding: str = ""
    content_range: str = ""
    location: str = ""
    received_bytes: int = 0
    opening: bytes = b""
    cut: bool = False


class Lost(Struct, frozen=True):
    """No answer came, and why."""

    reason: str


Answer = Reply | Lost


class Ask(Struct, frozen=True):
    """Say what the device's step says, now."""


class Wait(Struct, frozen=True):
    """Say it later."""

    seconds: float


class Vanish(Struct, frozen=True):
    """Never speak again."""


class Note(Struct, frozen=True):
    """Something expected happened that is worth counting."""

    what: str


class Finished(Struct, frozen=True):
    """The device is done with a deployment, one way or the other."""

    outcome: str


class Complaint(Struct, frozen=True):
    """The server did what a real device could not live with."""

    what: str


Effect = Ask | Wait | Vanish | Note | Finished | Complaint
Turn = tuple[Device, list[Effect]]
