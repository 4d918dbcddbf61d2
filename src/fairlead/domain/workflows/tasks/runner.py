"""Which steps does a job of a JSON definition consist of?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import msgspec

from fairlead.base.http.outgoing import Outgoing
from fairlead.base.smtp import Carrier
from fairlead.domain.workflows.definition import Definition, Task
from fairlead.domain.workflows.model import Job, Result, Run, Step, StepFailed
from fairlead.domain.workflows.substitution import TooLarge, Values, filled_text
from fairlead.domain.workflows.tasks.cli import run_cli
from fairlead.domain.workflows.tasks.http import run_http
from fairlead.domain.workflows.tasks.nats import run_nats
from fairlead.domain.workflows.tasks.smtp import run_smtp


@dataclass(frozen=True, slots=True)
class Tools:
    """What tasks may use: all of it is given by the operator.

    `programs` says what each name stands for, `told` which variables of the environment some of them find.
    """

    outgoing: Outgoing
    carrier: Carrier
    programs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    nats_server: str = ""
    told: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Runner:
    """Turns a job into its steps."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def steps(self, job: Job) -> Sequence[Step]:
        definition = msgspec.json.decode(job.document, type=Definition)
        return [
            Step(
                task.name,
                task.type,
                partial(self._do, task),
                task.retries,
                timedelta(seconds=task.retry_delay_seconds),
            )
            for task in definition.tasks
        ]

    def _do(self, task: Task, run: Run) -> Result:
        values = Values(run.inputs, self._tools.environment, run.results)
        try:
            if not all(filled_text(each, values) for each in task.requires):
                return Result(task.name, task.type, success=True, skipped=True)
            return self._carry_out(task, values, run)
        except TooLarge:
            reason = "what was put together for the task is too large"
            raise StepFailed(reason, Result(task.name, task.type, success=False), for_good=True) from None

    def _carry_out(self, task: Task, values: Values, run: Run) -> Result:
        tools = self._tools
        if task.http is not None:
            return run_http(task, task.http, values, run, tools.outgoing)
        if task.cli is not None:
            return run_cli(task, task.cli, values, run, tools.programs, tools.told.get(task.cli.command[0], {}))
        if task.smtp is not None:
            return run_smtp(task, task.smtp, values, run, tools.carrier)
        assert task.nats is not None
        return run_nats(task, task.nats, values, run, tools.nats_server)
