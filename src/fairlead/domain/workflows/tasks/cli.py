"""Tasks of type `cli`: a program that the operator allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fairlead.base.errors import Kind, Refusal
from fairlead.base.fenced import Fence, run_fenced
from fairlead.domain.workflows.definition import CliTask, Task
from fairlead.domain.workflows.model import Result, Run, StepFailed
from fairlead.domain.workflows.substitution import Values, filled_text
from fairlead.domain.workflows.tasks.answers import as_json

DEFAULT_SECONDS = 3600


class Stopped(Refusal):
    """Nothing is wrong with the program: whoever has the job now runs it again."""

    kind = Kind.UNAVAILABLE
    message = "{program} was stopped, because the job is not this worker's any more"


def run_cli(
    task: Task,
    said: CliTask,
    values: Values,
    run: Run,
    allowed: Mapping[str, Sequence[str]],
    environment: Mapping[str, str],
) -> Result:
    """Run the program with its arguments, without a shell. It succeeds when it ends with 0.

    Which program it is cannot depend on inputs: the first word is taken as it stands in the definition.
    """
    program = said.command[0]
    command = [program, *(filled_text(argument, values) for argument in said.command[1:])]
    if program not in allowed:
        reason = f"the program {program[:100]!r} is not allowed: the operator can allow it with --workflow-programs"
        raise StepFailed(reason, Result(task.name, task.type, success=False), for_good=True)
    if any("\0" in argument for argument in command):
        reason = "an argument must not contain NUL"
        raise StepFailed(reason, Result(task.name, task.type, success=False), for_good=True)
    fence = Fence(seconds=said.execution_time_out or DEFAULT_SECONDS)
    ended = run_fenced([*allowed[program], *command[1:]], fence, {**environment, "IDEMPOTENCY_KEY": run.key}, run.alive)
    if ended.problem and not run.alive():
        raise Stopped(program=program)
    shown = {
        "cli": {
            "command": command,
            "output": ended.output,
            "error": "\n".join(part for part in (ended.error, ended.problem) if part),
            "exitCode": ended.exit_code,
        },
        "json": as_json(ended.output),
    }
    if ended.problem or ended.exit_code != 0:
        reason = f"{program}: {ended.problem}" if ended.problem else f"{program} ended with {ended.exit_code}"
        raise StepFailed(reason, Result(task.name, task.type, success=False, data=shown))
    return Result(task.name, task.type, success=True, data=shown)
