"""How is a workflow of services carried out? Its tasks are jobs, each begun when all that leads to it is there.

One step looks at the tasks and does what can be done now, until all is done; then it looks again a moment later. All
that it does in one look is one transaction, and a task can be begun only once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fairlead.base import clock
from fairlead.base.blobs.naming import safe_file_name
from fairlead.base.database import Database, Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import system_scope
from fairlead.domain import catalog, workflows
from fairlead.domain.catalog import ArrayType, FormattedType, Link, Program, Task, Workflow
from fairlead.domain.jobs import job_store
from fairlead.domain.jobs.data_model import Draft
from fairlead.domain.jobs.endings import ENDED_WITH_THE_OTHERS, call_off, called, end
from fairlead.domain.jobs.execution import State
from fairlead.domain.jobs.flow_plans import accepted, find_output, in_order
from fairlead.domain.jobs.job_inputs import keep_files, read_inputs
from fairlead.domain.jobs.job_model import LONGEST_MESSAGE, Job, JobFile, Status, Wish
from fairlead.domain.jobs.notifications import NotificationType, notify
from fairlead.domain.jobs.receiving import copy_output
from fairlead.domain.jobs.submitting import add_job
from fairlead.domain.jobs.tools import Tools
from fairlead.domain.jobs.work import Work
from fairlead.domain.workflows import NotYet, Step

LOOK_SECONDS = 0.5
_FAILED = State.FAILED.value
_WAY_TO_RUNNING = (
    Status.BUILDING,
    Status.TO_BE_SUBMITTED,
    Status.SUBMITTING,
    Status.SUBMITTED,
    Status.UPDATING,
    Status.RUNNING,
)


def flow_steps(database: Database, tools: Tools) -> Callable[[workflows.Job], Sequence[Step]]:
    """What the workflow `SCIENCE_WORKFLOW` consists of."""

    def of(job: workflows.Job) -> Sequence[Step]:
        work = Work(database, tools, system_scope(job.tenant_id), int(job.inputs["number"]))
        return [work.step("drive", lambda alive: drive(work))]

    return of


def drive(work: Work) -> None:
    """Do all that can be done now."""
    with work.database.begin(work.scope) as tx:
        job = job_store.find(tx, work.number, hold=True)
        if job is None or job.status.is_terminal:
            return
        Flow(tx, work.tools, job, _read(tx, job), _tasks_of(tx, job)).go_on()
        after = job_store.find(tx, work.number)
    if after is not None and not after.status.is_terminal:
        raise NotYet("its tasks", LOOK_SECONDS)


def _read(tx: Tx, job: Job) -> Workflow:
    described = catalog.read_json(job_store.service_document(tx, job.service_hash).encode())
    if not isinstance(described, Workflow):
        raise TypeError("only workflows have tasks")
    return described


def _tasks_of(tx: Tx, job: Job) -> dict[str, Job]:
    return {task.parent_task or "": task for task in job_store.tasks_of(tx, job.number)}


@dataclass(frozen=True, slots=True)
class Flow:
    """One look at a workflow. Why it has failed is its outcome, as long as tasks that run are ended first.

    In its plan, `suspended` says of a task that asks to be waited for that whoever resumes it has to (True) or has
    done so (False).
    """

    tx: Tx
    tools: Tools
    job: Job
    workflow: Workflow
    tasks: Mapping[str, Job]

    def go_on(self) -> None:
        failed = [
            task for task in self.tasks.values() if task.status.is_terminal and task.status is not Status.FINISHED
        ]
        if self.job.wish is Wish.KILL:
            self._end_when_all_have(Status.KILLED, "")
        elif failed or self.job.outcome:
            self._fail(self.job.outcome.get("message") or _why(failed))
        elif self._is_paused():
            return
        else:
            self._begin_what_is_ready()

    def _end_when_all_have(self, status: Status, why: str) -> None:
        active = [task for task in self.tasks.values() if not task.status.is_terminal]
        for task in active:
            call_off(self.tx, self.tools, task, ENDED_WITH_THE_OTHERS)
        if not active:
            end(self.tx, self.tools, self.job, status, why)

    def _is_paused(self) -> bool:
        """Asked to pause, it begins nothing more; what runs is held by whoever looks after it."""
        if self.job.wish is Wish.PAUSE:
            if self.job.status is Status.RUNNING:
                self._change(Status.UPDATING, Status.HOLD)
            return self.job.status in (Status.RUNNING, Status.HOLD)
        if self.job.wish is Wish.RESUME:
            self._change(Status.UPDATING, Status.RUNNING)
            plan = {task_id: said | {"suspended": False} for task_id, said in self._suspended().items()}
            job_store.change(self.tx, self.job.number, wish="", plan={**self.job.plan, **plan})
            return True
        return False

    def _suspended(self) -> dict[str, Any]:
        return {task_id: said for task_id, said in self.job.plan.items() if said.get("suspended")}

    def _wait_before(self, tasks: Sequence[Task]) -> None:
        """Held, it begins only what waits for none of these; each of them is told of once."""
        plan = {**self.job.plan, **{task.id: self.job.plan[task.id] | {"suspended": True} for task in tasks}}
        if plan == self.job.plan:
            return
        names = " and ".join(task.id for task in tasks)
        waits = f"waits before the task{'s' if len(tasks) > 1 else ''} {names}, until it is resumed."
        number = self.job.number
        job_store.change(self.tx, number, plan=plan)
        job_store.change_status(self.tx, number, self.job.status, Status.UPDATING)
        job_store.change_status(self.tx, number, Status.UPDATING, Status.HOLD, f"It {waits}")
        notify(self.tx, self.job.user_number, NotificationType.JOB, f"{called(self.job)} {waits}", self.job.id)

    def _change(self, *way: Status) -> None:
        status = self.job.status
        for after in way:
            values: dict[str, Any] = (
                {"started_at": clock.now()} if after is Status.RUNNING and not self.job.started_at else {}
            )
            job_store.change_status(self.tx, self.job.number, status, after, **values)
            status = after

    def _begin_what_is_ready(self) -> None:
        if self.job.status is Status.TO_BE_BUILT:
            self._change(*_WAY_TO_RUNNING)
            return
        ready = self._ready()
        waiting = [task for task in ready if task.suspend and self.job.plan[task.id].get("suspended", True)]
        for task in ready:
            if task in waiting:
                continue
            try:
                self._begin(task)
            except Refusal as refusal:
                if refusal.kind is Kind.UNAVAILABLE:
                    raise
                begun = replace(self, tasks=_tasks_of(self.tx, self.job))
                begun._fail(f"The task {task.id} cannot be run: {refusal}")
                return
        if waiting:
            self._wait_before(waiting)
        if len(self.tasks) == len(self.workflow.tasks) and self._is_done():
            self._finish()

    def _ready(self) -> list[Task]:
        """Those that can be begun, each after those from which something leads to it."""
        by_id = {task.id: task for task in self.workflow.tasks}
        return [by_id[each] for each in in_order(self.workflow) if each not in self.tasks and self._is_ready(each)]

    def _fail(self, why: str) -> None:
        said = why[:LONGEST_MESSAGE]
        job_store.change(self.tx, self.job.number, message=said, outcome={"state": _FAILED, "message": said})
        self._end_when_all_have(Status.ERROR, said)

    def _is_done(self) -> bool:
        return all(task.status is Status.FINISHED for task in self.tasks.values())

    def _links_to(self, task_id: str | None) -> list[Link]:
        return [link for link in self.workflow.links if link.to_task == task_id]

    def _is_ready(self, task_id: str) -> bool:
        before = {link.from_task for link in self._links_to(task_id) if link.from_task is not None}
        return all(each in self.tasks and self.tasks[each].status is Status.FINISHED for each in before)

    def _begin(self, task: Task) -> None:
        said = self.job.plan[task.id]
        program = self._program(task.id)
        values = self._values_of(task, program)
        asked = read_inputs(self.tx, self.tools, program, values)
        kept, files = keep_files(self.tx, self.tools, self.job.project, asked)
        add_job(
            self.tx,
            self.tools,
            program,
            kept,
            files,
            project=self.job.project,
            user_number=self.job.user_number,
            name=task.description if task.description and _is_name(task.description) else task.id,
            service=said["service"],
            service_hash=said["hash"],
            likeness=asked.likeness(said["hash"]),
            parent_job=self.job.number,
            parent_task=task.id,
        )

    def _program(self, task_id: str) -> Program:
        document = job_store.service_document(self.tx, self.job.plan[task_id]["hash"])
        program = catalog.read_json(document.encode())
        if not isinstance(program, Program):
            raise TypeError("tasks are programs")
        return program

    def _values_of(self, task: Task, program: Program) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for value in task.values:
            values[value.name] = value.value if value.reference is None else {"data": value.reference}
        for link in self._links_to(task.id):
            value = self._from_workflow(link) if link.from_task is None else self._from_task(link, task, program)
            if value is not None:
                values[link.to_parameter] = value
        return values

    def _from_workflow(self, link: Link) -> Any:
        """What was given, else what is usual."""
        if link.from_parameter in self.job.inputs:
            return self.job.inputs[link.from_parameter]
        parameter = self.workflow.find_input(link.from_parameter)
        if parameter is None or isinstance(parameter.type, FormattedType | None):
            return None
        return parameter.type.default

    def _from_task(self, link: Link, task: Task, program: Program) -> Any:
        """The files become data, on their way from here; a list of them only for a parameter that takes several."""
        source = self.tasks[link.from_task or ""]
        files = self._files(source, link.from_parameter)
        if not files:
            return None
        parameter = program.find_input(link.to_parameter)
        if parameter is not None and isinstance(parameter.type, ArrayType):
            return [self._as_data(link, program, source, file) for file in files]
        return self._as_data(link, program, source, files[0])

    def _as_data(self, link: Link, program: Program, source: Job, file: JobFile) -> dict[str, str]:
        draft = Draft(name=safe_file_name(file.name))
        output = find_output(self._program(link.from_task or ""), link.from_parameter)
        target = program.find_input(link.to_parameter)
        said = output.type if output is not None else None
        if isinstance(said, FormattedType) and target is not None and accepted(target.type, said):
            draft = replace(draft, data_terms=said.data_terms, format_terms=said.format_terms)
        user = self.job.user_number
        return {"data": copy_output(self.tx, self.tools, self.job.project, draft, source, file, added_by=user).id}

    def _files(self, task: Job, parameter: str) -> list[JobFile]:
        return [each for each in job_store.files_of(self.tx, task.number) if each.parameter == parameter]

    def _finish(self) -> None:
        """Its outputs are those of its tasks: the same payloads, which go when the job goes with its tasks."""
        found: list[JobFile] = []
        for link in self._links_to(None):
            for file in self._files(self.tasks[link.from_task or ""], link.from_parameter):
                position = sum(each.parameter == link.to_parameter for each in found)
                found.append(replace(file, parameter=link.to_parameter, position=position))
        job_store.replace_files(self.tx, self.job.number, found)
        self._change(Status.UPDATING)
        updating = replace(self.job, status=Status.UPDATING)
        end(self.tx, self.tools, updating, Status.FINISHED)


def _why(failed: Sequence[Job]) -> str:
    """One that was killed may have been killed because of another."""
    first = min(failed, key=lambda task: (task.status is Status.KILLED, task.number))
    return f"The task {first.parent_task} is {first.status.value}. {first.message}".strip()


def _is_name(text: str) -> bool:
    return len(text) <= 200 and text.isprintable()
