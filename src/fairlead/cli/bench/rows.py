"""What does each row measure? One function a row; each gives figures, and `ROWS` says in which order."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from fairlead.cli.bench import asking, durable, science, wrk
from fairlead.cli.bench.artifact import BLOCK, Artifact
from fairlead.cli.bench.cores import pinned
from fairlead.cli.bench.load import Load
from fairlead.cli.bench.plan import MIB
from fairlead.cli.bench.process import ADDRESS, running
from fairlead.cli.bench.stage import Stage
from fairlead.cli.simulate.identity import KeyType

PER_SECOND = "/s"
FLOOR = "bare ASGI server, 204"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result. `wrong` counts answers that were not what the row is about.

    `cpu_us` is the server's own time per answer, and `busy` the share of the row's time in which it worked: where
    that is far from all, something else set the pace (the disk, the load, or another program on the core).
    """

    row: str
    what: str
    value: float
    unit: str = PER_SECOND
    p50_ms: float | None = None
    p99_ms: float | None = None
    generator: str = ""
    of_floor: float | None = None
    cpu_us: float | None = None
    cpu_of_floor: float | None = None
    busy: float | None = None
    wrong: int = 0
    note: str = ""


def _rate(row: str, what: str, load: Load, expected: int, note: str = "") -> Figure:
    wrong = load.others_than(expected)
    if wrong:
        shown = ", ".join(f"{count} × {status or 'error'}" for status, count in sorted(load.statuses.items()))
        note = f"expected {expected}, got {shown}" + (f", {load.broken} broken" if load.broken else "")
    return Figure(
        row,
        what,
        load.per_second,
        p50_ms=load.p50_ms,
        p99_ms=load.p99_ms,
        generator=load.generator,
        cpu_us=load.server_seconds / load.answers * 1e6 if load.answers else None,
        busy=load.server_seconds / load.seconds if load.seconds else None,
        wrong=wrong,
        note=note,
    )


def floors(stage: Stage) -> Iterator[Figure]:
    """The bare server, asked with the same bytes by every generator that is used."""
    requests = list(asking.next_by_get(stage.fleet.tokens))
    with running("bare server", stage.cores.server, stage.folder, "floor", ADDRESS) as bare:
        there = replace(stage, server=bare)
        if wrk.is_here():
            yield _rate("floor", FLOOR, there.press_with_wrk(requests), 204)
        yield _rate("floor", FLOOR, there.press(requests), 204)


def first(stage: Stage) -> Iterator[Figure]:
    yield _rate("first", "next → 204, token new", stage.first_questions, 204)


def next_get(stage: Stage) -> Iterator[Figure]:
    assert stage.first_questions
    load = stage.press_with_wrk(asking.next_by_get(stage.fleet.tokens))
    yield _rate("next", "next → 204, GET", load, 204)


def next_post(stage: Stage) -> Iterator[Figure]:
    assert stage.first_questions
    yield _rate("next-post", "next → 204, POST", stage.press(asking.next_by_post(stage.fleet.tokens)), 204)


def memory(stage: Stage) -> Iterator[Figure]:
    assert stage.first_questions
    used = stage.server.memory_mb()
    yield Figure("memory", f"memory, {stage.plan.devices:,} devices poll", used, "MB")


def inventory(stage: Stage) -> Iterator[Figure]:
    assert stage.first_questions
    load = stage.press(asking.reports(stage.fleet.tokens))
    yield _rate("inventory", "inventory, 10 attributes, durable", load, 200)


def auth_ed25519(stage: Stage) -> Iterator[Figure]:
    yield _auth(stage, KeyType.ED25519, "auth-ed25519", "auth request, Ed25519")


def auth_rsa(stage: Stage) -> Iterator[Figure]:
    yield _auth(stage, KeyType.RSA, "auth-rsa", "auth request, RSA-2048")


def _auth(stage: Stage, kind: KeyType, row: str, what: str) -> Figure:
    requests = stage.fleet.auth_requests[kind]
    stage.press_once(requests)  # the first request of each gets it accepted
    return _rate(row, what, stage.press(requests), 200, f"{len(requests):,} devices")


def deployment(stage: Stage) -> Iterator[Figure]:
    assert stage.release
    seconds = stage.deployment_seconds
    yield _deployment(stage, "deployment", f"deploy to {stage.plan.devices:,} listed", seconds)


def deployment_all(stage: Stage) -> Iterator[Figure]:
    assert stage.release
    with pinned(stage.cores.load):
        seconds = stage.person.deploy(stage.release, None)
    yield _deployment(stage, "deployment-all", f"deploy to all {stage.plan.devices:,}", seconds)


def _deployment(stage: Stage, row: str, what: str, seconds: float) -> Figure:
    missing = max(0, stage.plan.devices - stage.person.size_of_newest())
    return Figure(row, what, seconds, "s", wrong=missing, note=f"{missing} devices missing" if missing else "")


def work(stage: Stage) -> Iterator[Figure]:
    """Devices that are told what to install, again and again. Their first question, which counts them in, is not."""
    assert stage.first_questions
    assert stage.deployment_seconds
    tokens = stage.fleet.tokens[: stage.plan.busy_devices]
    stage.press_once(asking.next_by_get(tokens))
    load = stage.press(asking.next_by_get(tokens))
    yield _rate("work", "next → 200", load, 200, f"{len(tokens):,} devices")


def durable_work(stage: Stage) -> Iterator[Figure]:
    """What the engine of workflows costs by itself, and what its database would allow."""
    plan = stage.plan
    floor, jobs = durable.measured(stage.cores.server, stage.folder, plan.database, plan.seconds)
    possible = floor.per_second / durable.TRANSACTIONS_OF_A_JOB
    yield _pace(f"workflows of {durable.STEPS} steps, durable", jobs, jobs.per_second / possible)
    yield _pace("  its floor: transactions, one row each", floor, 1.0)


def _pace(what: str, pace: durable.Pace, of_floor: float) -> Figure:
    return Figure(
        "workflows",
        what,
        pace.per_second,
        p50_ms=pace.p50_ms,
        p99_ms=pace.p99_ms,
        generator="worker",
        of_floor=of_floor,
        cpu_us=pace.worked_seconds / pace.count * 1e6 if pace.count else None,
        busy=pace.worked_seconds / pace.seconds,
        wrong=pace.missing,
        note=f"{pace.missing} are not done" if pace.missing else "",
    )


def scientific_jobs(stage: Stage) -> Iterator[Figure]:
    """What it costs to run programs, and how devices fare meanwhile."""
    plan = stage.plan
    question = next(asking.next_by_get(stage.fleet.tokens[-1:]))
    with pinned(stage.cores.load):
        busy = science.measured(stage.cores.server, stage.folder, plan.database, question, plan.jobs, plan.seconds)
    note = f"{busy.missing} have not finished" if busy.missing else ""
    what = f"{plan.jobs} scientific jobs, submitted at once"
    yield Figure("jobs", what, busy.jobs / busy.seconds, "jobs/s", wrong=busy.missing, note=note)
    yield _waited("  a device's question before", busy.quiet, busy.quiet)
    yield _waited("  a device's question meanwhile", busy.meanwhile, busy.quiet)


def _waited(what: str, answers: science.Answers, before: science.Answers) -> Figure:
    """The median, as a multiple of what it was before there were jobs."""
    times = answers.p50_ms / before.p50_ms if before.p50_ms else 0.0
    note = f"{answers.wrong} answers were not 204" if answers.wrong else ""
    return Figure("jobs", what, times, "×", answers.p50_ms, answers.p99_ms, "device", wrong=answers.wrong, note=note)


def upload(stage: Stage) -> Iterator[Figure]:
    blocks = _blocks_that_fit(stage)
    artifact = Artifact("release-large", blocks)
    assert stage.person
    is_own_peak = stage.server.forget_peak()
    before = stage.server.memory_mb()
    with pinned(stage.cores.load):
        seconds = stage.person.upload(artifact)
    size = artifact.size_bytes
    peak = stage.server.peak_mb()
    since = "" if is_own_peak else "; the peak may be older"
    yield Figure("upload", f"upload, {blocks * len(BLOCK) // MIB:,} MiB", size / 1e6 / seconds, "MB/s")
    yield Figure(
        "upload", "  its peak of memory", peak, "MB", note=f"{peak - before:+.0f} MB over what it held before{since}"
    )


def _blocks_that_fit(stage: Stage) -> int:
    """As many MiB as the plan says, unless the disk has not twice that."""
    free = shutil.disk_usage(stage.folder).free // 2
    return max(1, min(stage.plan.upload_bytes, free) // len(BLOCK))


ROWS: dict[str, Callable[[Stage], Iterator[Figure]]] = {
    "floor": floors,
    "first": first,
    "next": next_get,
    "next-post": next_post,
    "memory": memory,
    "inventory": inventory,
    "auth-ed25519": auth_ed25519,
    "auth-rsa": auth_rsa,
    "jobs": scientific_jobs,
    "deployment": deployment,
    "deployment-all": deployment_all,
    "work": work,
    "workflows": durable_work,
    "upload": upload,
}


def measure(stage: Stage) -> list[Figure]:
    """Every row of the plan, each rate as a share of the floor that the same generator has found.

    The floor is measured at both ends of the run and the better one counts: what else a machine does only slows.
    """
    figures = [figure for name in ROWS if stage.plan.wants(name) for figure in _measured(stage, name)]
    again = list(_measured(stage, "floor")) if stage.plan.wants("floor") else []
    floors = {each.generator: _better(each, figures) for each in again}
    rest = [figure for figure in figures if figure.row != "floor"]
    return [_compared(figure, floors) for figure in (*floors.values(), *rest)]


def _measured(stage: Stage, name: str) -> Iterator[Figure]:
    stage.say(f"measuring: {name}")
    yield from ROWS[name](stage)
    stage.server.make_sure_it_runs()


def _better(again: Figure, figures: list[Figure]) -> Figure:
    first = next(each for each in figures if each.row == "floor" and each.generator == again.generator)
    best = max(first, again, key=lambda figure: figure.value)
    return replace(best, note=best.note or f"also {min(first.value, again.value):,.0f}/s")


def _compared(figure: Figure, floors: dict[str, Figure]) -> Figure:
    """Also by the server's own time, which says more where the machine does something else meanwhile."""
    floor = floors.get(figure.generator)
    if floor is None or not floor.value:
        return figure
    by_cpu = floor.cpu_us / figure.cpu_us if floor.cpu_us and figure.cpu_us else None
    return replace(figure, of_floor=figure.value / floor.value, cpu_of_floor=by_cpu)
