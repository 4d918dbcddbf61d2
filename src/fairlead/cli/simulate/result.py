"""How did it go? The whole run as values, for people and for scripts."""

from msgspec import Struct

from fairlead.cli.simulate.figures import Figures, Latencies

NOTICEABLY_LATE_SECONDS = 1.0


class Timing(Struct, frozen=True):
    count: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


class Result(Struct, frozen=True):
    ok: bool
    sentences: list[str]
    devices: int
    seconds: float
    requests: int
    requests_per_second: float
    bytes_downloaded: int
    longest_delay_seconds: float
    states: dict[str, int]
    outcomes: dict[str, int]
    answers: dict[str, int]
    notes: dict[str, int]
    errors: dict[str, int]
    timings: dict[str, Timing]


def conclude(figures: Figures, devices: int, seconds: float, unfinished: int) -> Result:
    """`unfinished` counts the devices that were to be updated and were not."""
    errors = sum(figures.errors.values())
    return Result(
        ok=not errors and not unfinished,
        sentences=[*_failings(errors, unfinished, devices), *_remarks(figures)],
        devices=devices,
        seconds=round(seconds, 3),
        requests=figures.requests,
        requests_per_second=round(figures.requests / seconds, 1) if seconds else 0.0,
        bytes_downloaded=figures.bytes_downloaded,
        longest_delay_seconds=round(figures.longest_delay_seconds, 3),
        states={state: count for state, count in sorted(figures.states.items()) if count},
        outcomes=dict(sorted(figures.outcomes.items())),
        answers=dict(sorted(figures.answers.items())),
        notes=dict(sorted(figures.notes.items())),
        errors=dict(figures.errors.most_common()),
        timings={kind: _timing(latencies) for kind, latencies in figures.latencies.items()},
    )


def _failings(errors: int, unfinished: int, devices: int) -> list[str]:
    said = []
    if errors:
        said.append(f"{_times(errors)} something happened that a real device could not live with; the errors name it.")
    if unfinished:
        said.append(f"{unfinished:,} of {devices:,} devices did not finish a deployment.")
    return said or ["It went as asked."]


def _remarks(figures: Figures) -> list[str]:
    said = []
    if waiting := figures.states["waiting"]:
        said.append(f"Still without a token: {waiting:,}. Accept these devices, or let --user and --password do it.")
    if figures.longest_delay_seconds > NOTICEABLY_LATE_SECONDS:
        said.append(
            f"Devices spoke up to {figures.longest_delay_seconds:.1f} s late: "
            "this is more than the server, this process or --concurrency can do."
        )
    return said


def _times(count: int) -> str:
    return "Once" if count == 1 else f"{count:,} times"


def _timing(latencies: Latencies) -> Timing:
    p50, p90, p99 = (round(latencies.percentile(per_cent) * 1000, 2) for per_cent in (50, 90, 99))
    return Timing(latencies.count, p50, p90, p99, round(latencies.longest_seconds * 1000, 2))
