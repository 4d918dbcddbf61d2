"""Which options make no sense? Each refusal is one line that names the option and what it may be."""

import math
from collections.abc import Iterable

from fairlead.cli.simulate.address import BadAddress, Origin, parse_server
from fairlead.cli.simulate.device import Habits
from fairlead.cli.simulate.fleet import Course
from fairlead.cli.simulate.identity import LAST_INDEX

MOST_ATTRIBUTES = 1000
SHORTEST_SECONDS = 0.01


class BadOption(Exception):
    """Says which option it is, and what it may be."""


def check_server(url: str) -> Origin:
    try:
        return parse_server(url)
    except BadAddress as reason:
        raise BadOption(f"--server: {reason}.") from None


def check_habits(habits: Habits) -> None:
    _between("--failure-rate", habits.failure_rate, 0, 1)
    _between("--silence-rate", habits.silence_rate, 0, 1)
    _between("--abort-download-rate", habits.abort_download_rate, 0, 1)
    _between("--resume-rate", habits.resume_rate, 0, 1)
    _at_least("--poll-interval", habits.poll_seconds, SHORTEST_SECONDS)
    _at_least("--inventory-interval", habits.inventory_seconds, SHORTEST_SECONDS)
    _at_least("--retry-interval", habits.retry_seconds, SHORTEST_SECONDS)
    _at_least("--install-seconds", habits.install_seconds, 0)
    _at_least("--reboot-seconds", habits.reboot_seconds, 0)
    _between("--attributes", habits.attributes, 0, MOST_ATTRIBUTES)
    _not_empty("--device-type", habits.device_type)
    _not_empty("--artifact-name", habits.artifact_name)


def check_course(course: Course) -> None:
    _at_least("--devices", course.devices, 1)
    _at_least("--first", course.first, 0)
    if course.first + course.devices - 1 > LAST_INDEX:
        raise BadOption(f"--first and --devices: the last device may be number {LAST_INDEX:,}.")
    _at_least("--concurrency", course.concurrency, 1)
    _between("--jitter", course.jitter, 0, 1)
    _at_least("--ramp", course.ramp_seconds, 0)
    if course.duration_seconds is not None:
        _at_least("--duration", course.duration_seconds, SHORTEST_SECONDS)


def check_access(user: str, password: str, tokens: Iterable[tuple[str, str]]) -> None:
    """Tokens become headers as they are, so they must not contain what ends a header."""
    if user and not password:
        raise BadOption("--user needs --password, or FAIRLEAD_PASSWORD in the environment.")
    for option, token in tokens:
        if token and (not token.isascii() or not token.isprintable() or " " in token):
            raise BadOption(f"{option} has characters that no token may have.")


def check_timeout(seconds: float) -> None:
    _at_least("--timeout", seconds, SHORTEST_SECONDS)


def _between(option: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise BadOption(f"{option} must be from {least} to {most}, not {value}.")


def _at_least(option: str, value: float, least: float) -> None:
    if not (value >= least and math.isfinite(value)):
        raise BadOption(f"{option} must be {least} or more, not {value}.")


def _not_empty(option: str, value: str) -> None:
    if not value:
        raise BadOption(f"{option} must not be empty.")
