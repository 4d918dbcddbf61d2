"""Is the graph of a workflow one that can be carried out?"""

from __future__ import annotations

import graphlib
from typing import Any

from .model import Input, Link, Output, Paragraph, Task, TaskValue
from .problems import below, quoted
from .said import Said

MOST_TASKS = 1000
MOST_LINKS = 10_000


def read_tasks(said: Said) -> tuple[Task, ...]:
    tasks = tuple(_task(each) for each in said.each("tasks"))
    if len(tasks) > MOST_TASKS:
        said.problem("tasks", f"must be at most {MOST_TASKS}")
    return tasks


def _task(said: Said) -> Task:
    said.warn_of_unknown({"_type", "id", "service", "server", "suspend", "description", "values"})
    return Task(
        id=said.name("id") or "",
        service=_service_of(said),
        server=said.text("server"),
        suspend=said.flag("suspend"),
        description=said.text("description"),
        values=tuple(_value(each) for each in said.each("values")),
    )


def _service_of(said: Said) -> str:
    """A full name, with the project and the server, has '::' in it."""
    service = said.text("service", longest=1000)
    if not service:
        said.problem("service", "is missing")
    return service or ""


def _value(said: Said) -> TaskValue:
    return TaskValue(said.name() or "", said.get("value"), said.text("reference"))


def read_links(said: Said) -> tuple[Link, ...]:
    links = tuple(_link(each) for each in said.each("links"))
    if len(links) > MOST_LINKS:
        said.problem("links", f"must be at most {MOST_LINKS}")
    return links


def _link(said: Said) -> Link:
    said.warn_of_unknown({"_type", "from_task", "to_task", "from_parameter", "to_parameter"})
    return Link(
        from_parameter=said.name("from_parameter") or "",
        to_parameter=said.name("to_parameter") or "",
        from_task=said.text("from_task"),
        to_task=said.text("to_task"),
    )


def checked_graph(
    said: Said, tasks: tuple[Task, ...], links: tuple[Link, ...], inputs: Paragraph[Input], outputs: Paragraph[Output]
) -> None:
    """Links lead from what is there to what is there, nothing is filled twice, and nobody waits for itself."""
    ids = [task.id for task in tasks]
    if not tasks:
        said.problem("tasks", "must be at least one")
    for index, each in enumerate(ids):
        if each in ids[:index]:
            said.report.problem(below(said.at("tasks"), index), f"has the id {quoted(each)} of another task")
    ends = (
        {each.parameter.name for each in inputs.placed()},
        {each.parameter.name for each in outputs.placed()},
    )
    filled: set[tuple[Any, str]] = {(task.id, value.name) for task in tasks for value in task.values}
    for index, link in enumerate(links):
        _check_link(said, below(said.at("links"), index), link, set(ids), ends, filled)
    _check_order(said, ids, links)


def _check_link(
    said: Said,
    place: str,
    link: Link,
    ids: set[str],
    ends: tuple[set[str], set[str]],
    filled: set[tuple[Any, str]],
) -> None:
    for task in (link.from_task, link.to_task):
        if task is not None and task not in ids:
            said.report.problem(place, f"names the task {quoted(task)}, which is not there")
    if link.from_task is None and link.from_parameter not in ends[0]:
        said.report.problem(place, f"comes from {quoted(link.from_parameter)}, which is no input of the workflow")
    if link.to_task is None and link.to_parameter not in ends[1]:
        said.report.problem(place, f"goes to {quoted(link.to_parameter)}, which is no output of the workflow")
    if (link.to_task, link.to_parameter) in filled:
        said.report.problem(place, f"goes to {quoted(link.to_parameter)}, which has a value already")
    filled.add((link.to_task, link.to_parameter))


def _check_order(said: Said, ids: list[str], links: tuple[Link, ...]) -> None:
    before: dict[str, set[str]] = {each: set() for each in ids}
    for link in links:
        if link.from_task is not None and link.to_task in before:
            before[link.to_task].add(link.from_task)
    try:
        graphlib.TopologicalSorter(before).prepare()
    except graphlib.CycleError as error:
        said.problem("links", f"go in a circle: {' → '.join(str(each) for each in error.args[1])}")
