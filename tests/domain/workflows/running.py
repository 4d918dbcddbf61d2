"""How do tests carry out a task? As a worker does, through the runner, without a database."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from fairlead.base.http.outgoing import Outgoing
from fairlead.base.smtp import MailFolder
from fairlead.domain.workflows import Job, Result, Run, Runner, Status, StepFailed, Tools, read

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
JOB_ID = "5f1f6c0e-0000-4000-8000-000000000001"


def definition(*tasks: dict, inputs: tuple[str, ...] = (), **more) -> dict:
    return {"name": "a_workflow", "version": 1, "tasks": list(tasks), "inputParameters": list(inputs), **more}


def tools(folder: Path, **more) -> Tools:
    """Those of an operator who allows this host."""
    outgoing = more.pop("outgoing", None) or Outgoing(["127.0.0.1"])
    carrier = more.pop("carrier", None) or MailFolder(folder, "Fairlead <fairlead@example.com>")
    return Tools(outgoing, carrier, **more)


def carry_out(
    said: dict, using: Tools, inputs: Mapping[str, str] | None = None, alive: Callable[[], bool] = lambda: True
) -> dict[str, Result]:
    """What every task of the definition left behind. Raises what the first one raises that does not succeed."""
    document = json.dumps(said)
    read(document)
    job = Job(JOB_ID, said["name"], "", inputs or {}, document, Status.PROCESSING, 0, 0, "", NOW, NOW)
    results: dict[str, Result] = {}
    for number, step in enumerate(Runner(using).steps(job)):
        run = Run(job.id, job.tenant_id, job.inputs, dict(results), f"{job.id}:{number}", alive)
        results[step.name] = step.do(run)
    return results


def failure_of(said: dict, using: Tools, inputs: Mapping[str, str] | None = None) -> StepFailed:
    """How the first task fails that does."""
    try:
        results = carry_out(said, using, inputs)
    except StepFailed as failed:
        return failed
    raise AssertionError(f"nothing failed: {results}")
