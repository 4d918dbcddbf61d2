"""`fairlead workflows list|show|retry|cancel`: what outlives requests, and what became of it."""

from __future__ import annotations

from typing import Annotated

import typer

from fairlead.base.database import Database
from fairlead.base.seal import Seal
from fairlead.cli.options import ConfigFile, Data, DatabaseUrl, Keys, settings_of
from fairlead.cli.plain import plain, plain_lines
from fairlead.cli.tables import Whole, print_table
from fairlead.domain import workflows as durable
from fairlead.domain.workflows import Status
from fairlead.parts import bring_up_to_date, open_seal
from fairlead.settings import BadSetting

LONGEST_SAID = 2000

workflows = typer.Typer(no_args_is_help=True)

JobId = Annotated[str, typer.Argument(help="The id of the job, as `list` shows it.", show_default=False)]


def _open(data: object, database: object, keys: object, config: object) -> tuple[Database, Seal]:
    settings = settings_of(config, data=data, database=database, keys=keys)  # type: ignore[arg-type]
    return bring_up_to_date(settings), open_seal(settings)


@workflows.command("list")
def list_jobs(
    status: Annotated[str, typer.Option("--status", help="pending, processing, done, failed or cancelled.")] = "",
    workflow: Annotated[str, typer.Option("--workflow", help="Jobs of this workflow only.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many, the newest first.")] = 50,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    config: ConfigFile = None,
) -> None:
    """Show the newest jobs."""
    if status and status not in list(Status):
        raise BadSetting(name="--status", reason=f"{status!r} is not one of: {', '.join(Status)}")
    opened, _ = _open(data, database, keys, config)
    with opened.across_tenants("the operator looks at jobs", writing=False) as tx:
        found = durable.list_jobs(tx, Status(status) if status else None, workflow, limit)
    print_table((Whole("Id"), "Workflow", "Status", "Step", "Started", "Problem"), map(_row, found))


def _row(job: durable.Job) -> tuple[str, ...]:
    started = job.created_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return job.id, job.workflow, job.status.value, str(job.step), started, job.problem[:80]


@workflows.command("show")
def show(
    job_id: JobId, data: Data = None, database: DatabaseUrl = None, keys: Keys = None, config: ConfigFile = None
) -> None:
    """Show one job with what came of its steps, and what was said by those that failed.

    Inputs are named, not shown: they may be secret.
    """
    opened, seal = _open(data, database, keys, config)
    with opened.across_tenants("the operator looks at a job", writing=False) as tx:
        job = durable.find_job(tx, seal, "", job_id)
    print(f"{job.workflow} {job.id}: {job.status.value}, started {job.created_at:%Y-%m-%d %H:%M:%S UTC}")
    print(plain(f"inputs: {', '.join(job.inputs) or 'none'}"))
    for number, result in enumerate(job.results):
        outcome = "skipped" if result.skipped else "done" if result.success else "failed"
        print(plain(f"step {number} {result.step} ({result.type}): {outcome}"))
        if not result.success:
            for line in plain_lines(_said(result)):
                print(f"    {line}")
    if job.problem:
        print(plain(f"problem: {job.problem}"))


def _said(result: durable.Result) -> str:
    """What the program said of its failure, or the other side, as far as there was one."""
    program, answer = result.data.get("cli"), result.data.get("response")
    if program is not None:
        said = program["error"] or program["output"]
    elif answer is not None:
        said = f"{answer['statusCode']} {answer['body']}".rstrip()
    else:
        return ""
    return f"{said[:LONGEST_SAID]}…" if len(said) > LONGEST_SAID else str(said)


@workflows.command("retry")
def retry(
    job_id: JobId, data: Data = None, database: DatabaseUrl = None, keys: Keys = None, config: ConfigFile = None
) -> None:
    """Go on with a failed or cancelled job at the step that it did not get past."""
    opened, seal = _open(data, database, keys, config)
    with opened.across_tenants("the operator tries a job again") as tx:
        durable.retry(tx, seal, job_id)
    print(f"{job_id} is tried again as soon as a worker is free.")


@workflows.command("cancel")
def cancel(
    job_id: JobId, data: Data = None, database: DatabaseUrl = None, keys: Keys = None, config: ConfigFile = None
) -> None:
    """Begin no further step of a job, and end a program that is under way. What was done stays done."""
    opened, seal = _open(data, database, keys, config)
    with opened.across_tenants("the operator cancels a job") as tx:
        durable.cancel(tx, seal, job_id)
    print(f"{job_id} is cancelled.")
