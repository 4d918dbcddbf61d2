"""What is to be measured, and with how much of everything?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fairlead.base.errors import Refusal

MIB = 1024 * 1024
GIB = 1024 * MIB
MOST_DEVICES = 1_000_000

ROWS = (
    "floor",
    "first",
    "next",
    "next-post",
    "memory",
    "inventory",
    "auth-ed25519",
    "auth-rsa",
    "jobs",
    "deployment",
    "deployment-all",
    "work",
    "workflows",
    "upload",
)
"""The names that `--only` takes, in the order in which they are measured: idle devices first, then busy ones."""

WITHOUT_FLOOR = frozenset({"memory", "deployment", "deployment-all", "workflows", "jobs", "upload"})
"""These are no rates of answers: there is nothing to compare them with, or they bring a floor of their own."""


class BadPlan(Refusal):
    message = "{option}: {reason}"


@dataclass(frozen=True, slots=True)
class Plan:
    """One run, checked."""

    devices: int = 100_000
    seconds: float = 5.0
    connections: int = 64
    rows: frozenset[str] = frozenset(ROWS)
    database: str = ""
    ed25519_keys: int = 2000
    rsa_keys: int = 100
    busy_devices: int = 1000
    upload_bytes: int = 2 * GIB
    jobs: int = 200

    def wants(self, *names: str) -> bool:
        """Is any of these rows to be measured?"""
        return not self.rows.isdisjoint(names)

    @property
    def tokens(self) -> int:
        """How many devices speak: all, unless only rows are wanted for which a few are enough."""
        if self.wants("first", "next", "next-post", "memory", "inventory"):
            return self.devices
        return self.busy_devices if self.wants("floor", "work", "jobs") else 0


def make_plan(
    devices: int | None, seconds: float | None, connections: int, only: list[str], quick: bool, database: str
) -> Plan:
    """The plan that the options ask for, or a refusal that says what an option may be."""
    if devices is None:
        devices = 1000 if quick else 100_000
    if seconds is None:
        seconds = 1.0 if quick else 5.0
    if not 1 <= devices <= MOST_DEVICES:
        raise BadPlan(option="--devices", reason=f"{devices} is not between 1 and {MOST_DEVICES:,}")
    if not 0.1 <= seconds <= 3600:
        raise BadPlan(option="--seconds", reason=f"{seconds} is not between 0.1 and 3600")
    if not 1 <= connections <= 1000:
        raise BadPlan(option="--connections", reason=f"{connections} is not between 1 and 1000")
    rows = frozenset(row for name in only for row in _rows_called(name)) if only else frozenset(ROWS)
    if not rows <= WITHOUT_FLOOR:
        rows |= {"floor"}
    plan = Plan(devices, seconds, connections, rows, database, busy_devices=min(devices, 1000))
    if not quick:
        return plan
    return replace(plan, ed25519_keys=200, rsa_keys=10, busy_devices=min(devices, 200), upload_bytes=64 * MIB, jobs=10)


def _rows_called(name: str) -> list[str]:
    """A row, or all that begin with the name: `auth` means both kinds of key."""
    found = [row for row in ROWS if row == name] or [row for row in ROWS if row.startswith(name + "-")]
    if not found:
        raise BadPlan(option="--only", reason=f"{name!r} is not one of {', '.join(ROWS)}")
    return found
