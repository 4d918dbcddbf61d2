"""Can a workflow of services be carried out by whoever submits it? Each task is a program that they may call."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from fairlead.base.database import Tx
from fairlead.base.errors import Refusal
from fairlead.domain import catalog
from fairlead.domain.catalog import ArrayType, FormattedType, Input, Link, Output, Program, Task, Type, Workflow
from fairlead.domain.identity import portal
from fairlead.domain.jobs import job_store
from fairlead.domain.jobs.commands import why_not_runnable
from fairlead.domain.jobs.data import find_data
from fairlead.domain.jobs.job_model import OTHER_FILES, NotAJob
from fairlead.domain.jobs.tools import Tools

_SEPARATOR = "::"
_LOCAL = "local"


class BadWorkflow(Refusal):
    """A description that is a graph, and still not one of services that can be run."""

    message = "This workflow cannot be run: {reason}."


def make_sure_program_runs(program: Program) -> None:
    reason = why_not_runnable(program)
    if reason is not None:
        raise NotAJob(reason=reason)


def plan_of(tx: Tx, tools: Tools, listed: catalog.Listed, workflow: Workflow) -> Mapping[str, Any]:
    """The service of each task, as it is now: their descriptions are kept for as long as the job is."""
    programs: dict[str, Program] = {}
    plan: dict[str, Any] = {}
    for task in workflow.tasks:
        found, program = _program_of(tx, tools, listed, task)
        programs[task.id] = program
        plan[task.id] = {"service": found.full_name, "hash": found.content_hash}
        document = msgspec.json.encode(catalog.as_document(program), order="sorted").decode()
        job_store.keep_service(tx, found.content_hash, document)
        _make_sure_values_fit(tx, task, program)
    for link in workflow.links:
        _make_sure_link_fits(workflow, programs, link)
    in_order(workflow)
    return plan


def in_order(workflow: Workflow) -> list[str]:
    """The tasks, each after those from which something leads to it."""
    before: dict[str, set[str]] = {task.id: set() for task in workflow.tasks}
    for link in workflow.links:
        if link.from_task is not None and link.to_task is not None:
            before[link.to_task].add(link.from_task)
    try:
        return list(graphlib.TopologicalSorter(before).static_order())
    except graphlib.CycleError:
        raise BadWorkflow(reason="its links go in a circle") from None


def _program_of(tx: Tx, tools: Tools, listed: catalog.Listed, task: Task) -> tuple[catalog.Listed, Program]:
    own = tools.own(tx.tenant_id)
    found = _service_of(tx, own, listed, task)
    if found.server != own.name:
        raise BadWorkflow(reason=f"the task {task.id!r} is a service of another server")
    program = catalog.find_description(tx, own, found.full_name)
    if not isinstance(program, Program):
        raise BadWorkflow(reason=f"the task {task.id!r} is no program")
    make_sure_program_runs(program)
    return found, program


def _service_of(tx: Tx, own: catalog.OwnServer, listed: catalog.Listed, task: Task) -> catalog.Listed:
    """By its full name; a bare name is a service of the workflow's own project, or else of the whole server."""
    problem: Refusal | None = None
    for name in _names(own, listed, task):
        try:
            return catalog.find_callable(tx, own, name)
        except catalog.ServiceNotFound as refusal:
            problem = refusal
    raise BadWorkflow(reason=f"of the task {task.id!r}: {problem}")


def _names(own: catalog.OwnServer, listed: catalog.Listed, task: Task) -> Iterable[str]:
    if _SEPARATOR in task.service:
        name, _, server = task.service.rpartition(_SEPARATOR)
        yield f"{name}{_SEPARATOR}{own.name if server == _LOCAL else server}"
        return
    server = task.server if task.server and task.server != _LOCAL else own.name
    if listed.project and server == own.name:
        yield _SEPARATOR.join((task.service, listed.project, server))
    yield _SEPARATOR.join((task.service, server))


def _make_sure_values_fit(tx: Tx, task: Task, program: Program) -> None:
    for value in task.values:
        if program.find_input(value.name) is None:
            raise BadWorkflow(reason=f"the task {task.id!r} has no parameter {value.name!r}")
        if value.reference is not None:
            find_data(tx, portal.number_of(value.reference))


def _make_sure_link_fits(workflow: Workflow, programs: Mapping[str, Program], link: Link) -> None:
    source = _source_of(workflow, programs, link)
    target = _target_of(workflow, programs, link)
    if source is None or target is None:
        where = link.from_parameter if source is None else link.to_parameter
        raise BadWorkflow(reason=f"a link names the parameter {where!r}, which is not there")
    if isinstance(target, Output):
        if not isinstance(source, Output):
            raise BadWorkflow(reason=f"the output {link.to_parameter!r} must come from a task")
        return
    if not _fits(source, target):
        raise BadWorkflow(reason=f"{link.to_parameter!r} does not take what {link.from_parameter!r} is")


def _source_of(workflow: Workflow, programs: Mapping[str, Program], link: Link) -> Input | Output | None:
    if link.from_task is None:
        return workflow.find_input(link.from_parameter)
    return find_output(programs[link.from_task], link.from_parameter)


def _target_of(workflow: Workflow, programs: Mapping[str, Program], link: Link) -> Input | Output | None:
    if link.to_task is None:
        return find_output(workflow, link.to_parameter)
    return programs[link.to_task].find_input(link.to_parameter)


def find_output(service: catalog.Service, name: str) -> Output | None:
    """One of the description, or what every program may leave behind besides."""
    others = [Output(OTHER_FILES)] if isinstance(service, Program) else []
    outputs = [each.parameter for each in service.outputs.placed()]
    return next((each for each in (*outputs, *others) if each.name == name), None)


def _fits(source: Input | Output, target: Input) -> bool:
    """What a task leaves behind are files. Data of a general type may be of the special one that is wanted."""
    if isinstance(source, Output):
        return takes_files(target.type) and _could_be(source.type, target.type)
    if _is_file(source.type) != _is_file(target.type) and None not in (source.type, target.type):
        return False
    return not _is_file(source.type) or _could_be(source.type, target.type)


def takes_files(type_: Type | None) -> bool:
    return type_ is None or _is_file(type_)


def _is_file(type_: Type | None) -> bool:
    return isinstance(type_.items if isinstance(type_, ArrayType) else type_, FormattedType)


def _could_be(one: Type | None, other: Type | None) -> bool:
    return accepted(other, one) or accepted(one, other)


def accepted(type_: Type | None, given: Type | None) -> bool:
    """Does the one take what the other says that it is?"""
    inner = given.items if isinstance(given, ArrayType) else given
    if not isinstance(inner, FormattedType):
        return takes_files(type_)
    return catalog.accepts(type_, inner.data_terms, inner.format_terms)
