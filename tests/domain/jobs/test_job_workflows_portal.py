"""Workflows of services: a graph whose tasks are ordinary jobs."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta

import pytest
import time_machine

from fairlead.base import clock
from fairlead.domain import catalog, jobs
from fairlead.domain.identity import portal
from fairlead.domain.jobs import Status, flows
from fairlead.domain.jobs.collecting import Collecting
from fairlead.domain.jobs.endings import end
from fairlead.domain.jobs.execution import WORK, Observation, State
from fairlead.domain.jobs.fetching import Fetching
from fairlead.domain.jobs.flows import drive
from fairlead.domain.jobs.work import Work
from fairlead.domain.workflows import NotYet
from house.science import SEQUENCE, Cutting, PowerCut, does, ended, program

FILE = {"_type": "FormattedType", "data_terms": ["EDAM_data:2044"]}
MAIN_INPUTS = [
    {"_type": "InputParameter", "name": "sequences", "mandatory": True, "type": FILE},
    {"_type": "InputParameter", "name": "penalty", "type": {"_type": "IntegerType", "default": 7}},
]
LINKS = [
    {"from_parameter": "sequences", "to_task": "alignment", "to_parameter": "sequence"},
    {"from_parameter": "penalty", "to_task": "alignment", "to_parameter": "gap"},
    {"from_task": "alignment", "from_parameter": "report", "to_task": "consensus", "to_parameter": "sequence"},
    {"from_task": "consensus", "from_parameter": "report", "to_task": "tree", "to_parameter": "sequence"},
    {"from_task": "tree", "from_parameter": "report", "to_parameter": "tree"},
    {"from_task": "consensus", "from_parameter": "stdout", "to_parameter": "said"},
]
TASKS = [
    {"id": "tree", "service": "draw"},
    {"id": "alignment", "service": "align::here"},
    {"id": "consensus", "service": "consense::public::here", "values": [{"name": "gap", "value": 3}]},
]
OUTPUTS = [{"_type": "OutputParameter", "name": name, "type": FILE} for name in ("tree", "said")]


def flow(name: str = "flow", **said) -> catalog.Service:
    document = {"_type": "Workflow", "name": name, "version": "1", "tasks": TASKS, "links": LINKS}
    return catalog.read_json(json.dumps(document | {"inputs": MAIN_INPUTS, "outputs": OUTPUTS} | said))


def pass_on(folder, spec) -> Observation:
    """Each program writes what it has read, and its own name."""
    name = _name_of(spec)
    read = next(path for path in (folder / WORK).iterdir() if path.suffix != ".out").read_text()
    (folder / WORK / f"{name}.report").write_text(f"{name}({read.strip()})")
    (folder / WORK / spec.stdout).write_text(f"this is {name}")
    return ended()


def _name_of(spec) -> str:
    """Which program it is."""
    return str(spec.pipes[0].stages[0].argv[0])


@pytest.fixture
def ada(lab):
    lab.register(program("align"), program("consense"), program("draw"), flow())
    lab.system.by_itself = pass_on
    return lab.user("ada")


def _submit(lab, ada, name: str = "flow", **inputs) -> jobs.Job:
    given = {"sequences": {"content": "ACGT"}} | inputs
    return lab.submit(lab.as_(ada), ada.default_project, name, inputs=given)


def _tasks(lab, job) -> dict[str, jobs.Job]:
    return {task.parent_task: task for task in lab.look(jobs.subjobs, job.number)}


def test_what_one_task_leaves_behind_is_what_the_next_one_reads(lab, ada):
    lab.work()

    job = lab.becomes(_submit(lab, ada), Status.FINISHED)

    left = lab.look(jobs.outputs, job.number)
    assert {name: [each.name for each in files] for name, files in left.items()} == {
        "tree": ["draw.report"],
        "said": ["consense.out"],
    }
    assert lab.bytes_of(lab.look(jobs.find_output, job.number, "tree")) == b"draw(consense(align(ACGT)))"
    tasks = _tasks(lab, job)
    assert list(tasks) == ["alignment", "consensus", "tree"]
    assert [tasks[each].command_line for each in tasks] == [
        "align -s=sequences -gap=7",
        "consense -s=align.report -gap=3",
        "draw -s=consense.report",
    ]
    assert job.kind is jobs.JobKind.WORKFLOW
    assert lab.notes(ada) == [("job", f"The job {job.id} (flow) is finished.")]
    assert [each.number for each in lab.look(jobs.list_jobs, by=lab.as_(ada))] == [job.number]
    assert lab.look(jobs.provenance, job.number)["tasks"].keys() == tasks.keys()


def test_what_a_description_forgets_can_be_what_the_next_one_reads(lab, ada):
    def do(folder, spec):
        pass_on(folder, spec)
        (folder / WORK / f"{_name_of(spec)}.report").rename(folder / WORK / "outfile")
        return ended()

    forgetful = [
        each | {"from_parameter": "other_files"} if each.get("from_parameter") == "report" else each for each in LINKS
    ]
    lab.register(flow("forgetful", links=forgetful))
    lab.system.by_itself = do
    lab.work()

    job = lab.becomes(_submit(lab, ada, "forgetful"), Status.FINISHED)

    assert lab.bytes_of(lab.look(jobs.find_output, job.number, "tree")) == b"draw(consense(align(ACGT)))"


def test_a_task_that_fails_fails_the_workflow_and_ends_the_others(lab, ada):
    lab.register(
        flow(
            "fork",
            tasks=[{"id": "good", "service": "align"}, {"id": "bad", "service": "draw"}],
            links=[
                {"from_parameter": "sequences", "to_task": task, "to_parameter": "sequence"} for task in ("good", "bad")
            ],
            outputs=[],
        )
    )

    def act(folder, spec):
        if _name_of(spec) == "draw":
            return ended(State.FAILED, 2, "It has no pen.")
        return Observation(State.RUNNING)

    lab.system.by_itself = act
    lab.work()

    job = lab.becomes(_submit(lab, ada, "fork"), Status.ERROR)

    assert job.message == "The task bad is error. It has no pen."
    assert {name: task.status.value for name, task in _tasks(lab, job).items()} == {"good": "killed", "bad": "error"}


def test_a_task_that_leaves_nothing_for_the_next_one_fails_the_workflow(lab, ada):
    lab.system.by_itself = lambda folder, spec: ended()
    lab.work()

    job = lab.becomes(_submit(lab, ada), Status.ERROR)

    assert job.message == "The task consensus cannot be run: sequence: A value is needed."
    assert list(_tasks(lab, job)) == ["alignment"]


def _fork(name: str, *tasks: dict, **said) -> catalog.Service:
    """Tasks that wait for nothing, and one after the first of them."""
    links = [{"from_parameter": "sequences", "to_task": each["id"], "to_parameter": "sequence"} for each in tasks]
    links += [{"from_task": tasks[0]["id"], "from_parameter": "report", "to_task": "next", "to_parameter": "sequence"}]
    every = [*tasks, {"id": "next", "service": "consense"} | said]
    return flow(name, tasks=every, links=links, outputs=[])


def _draw_goes_on(folder, spec) -> Observation:
    """Until it is killed; the others are done at once."""
    return Observation(State.RUNNING) if _name_of(spec) == "draw" else pass_on(folder, spec)


def test_what_one_task_leaves_behind_and_nobody_has_room_for_fails_the_workflow_and_ends_the_others(new_lab):
    lab = new_lab(quotas=jobs.Quotas(project_bytes=60))
    lab.register(program("align"), program("consense"), program("draw"))
    lab.register(_fork("full", {"id": "large", "service": "align"}, {"id": "long", "service": "draw"}))
    ada = lab.user("ada")
    large = does(report="x" * 40)
    lab.system.by_itself = lambda *job: large(*job) if _name_of(job[1]) == "align" else _draw_goes_on(*job)
    job = _submit(lab, ada, "full")

    _carry_out(lab, lab.database, job)

    job = lab.job(job.number)
    assert job.status is Status.ERROR
    assert job.message.startswith("The task next cannot be run: The project may hold")
    assert {name: task.status.value for name, task in _tasks(lab, job).items()} == {
        "large": "finished",
        "long": "killed",
    }
    lab.do(lab.as_(ada), jobs.remove_job, lab.tools, job.number)


def test_a_task_that_was_begun_in_the_same_look_as_one_that_cannot_be_ends_with_the_workflow(lab, ada):
    good, bad = {"id": "good", "service": "draw"}, {"id": "bad", "service": "align"}
    links = [{"from_parameter": "sequences", "to_task": "good", "to_parameter": "sequence"}]
    lab.register(flow("half", tasks=[good, bad], links=links, outputs=[]))
    lab.system.by_itself = _draw_goes_on
    job = _submit(lab, ada, "half")

    _carry_out(lab, lab.database, job)

    job = lab.job(job.number)
    assert (job.status, job.message) == (Status.ERROR, "The task bad cannot be run: sequence: A value is needed.")
    assert {name: task.status.value for name, task in _tasks(lab, job).items()} == {"good": "killed"}


def test_a_workflow_that_ends_by_a_fault_of_ours_ends_its_tasks(lab, ada, monkeypatch):
    lab.system.by_itself = lambda folder, spec: Observation(State.RUNNING)
    job = _submit(lab, ada)
    _look_twice(lab, job)
    monkeypatch.setattr(flows, "_read", lambda *_: 1 / 0)
    lab.work()

    job = lab.becomes(job, Status.ERROR)

    assert job.message == "internal error: the server's log says more"
    lab.becomes(_tasks(lab, job)["alignment"], Status.KILLED)


def test_a_job_stays_for_as_long_as_one_of_its_tasks_is_under_way(new_lab):
    lab = new_lab(kept=jobs.Kept(jobs=timedelta(days=1)))
    lab.register(program("align"), program("consense"), program("draw"), flow())
    ada = lab.user("ada")
    job = _submit(lab, ada)
    _look_twice(lab, job)
    with lab.database.begin(lab.system_scope) as tx:
        end(tx, lab.tools, lab.job(job.number), Status.ERROR, "")

    with pytest.raises(jobs.TaskIsNotOver, match=r"alignment is to be built"):
        lab.do(lab.as_(ada), jobs.remove_job, lab.tools, job.number)
    with time_machine.travel(clock.now() + timedelta(days=2), tick=False):
        jobs.remove_old(lab.database, lab.tools)
    lab.do(lab.as_(ada), jobs.kill, lab.tools, _tasks(lab, job)["alignment"].number)
    lab.do(lab.as_(ada), jobs.remove_job, lab.tools, job.number)

    assert lab.look(jobs.list_jobs, by=lab.as_(ada)) == []


def _look_twice(lab, job) -> None:
    """The second look begins the first task."""
    for _ in range(2):
        with contextlib.suppress(NotYet):
            drive(Work(lab.database, lab.tools, lab.system_scope, job.number))


def test_a_workflow_waits_before_a_task_that_asks_for_it_until_it_is_resumed(lab, ada):
    first, second = {"id": "first", "service": "align"}, {"id": "second", "service": "draw"}
    lab.register(_fork("ask", first, second, suspend=True))
    job = _submit(lab, ada, "ask")

    _carry_out(lab, lab.database, job, 4)

    waits = lab.job(job.number)
    assert (waits.status, waits.message) == (Status.HOLD, "It waits before the task next, until it is resumed.")
    assert {name: task.status.value for name, task in _tasks(lab, job).items()} == {
        "first": "finished",
        "second": "finished",
    }
    assert lab.notes(ada) == [("job", f"The job {job.id} (ask) waits before the task next, until it is resumed.")]
    events = lab.look(jobs.events, job.number)
    assert [each.message for each in events if each.status is Status.HOLD] == [waits.message]
    lab.do(lab.as_(ada), jobs.resume, lab.tools, job.number)
    _carry_out(lab, lab.database, job)
    assert lab.job(job.number).status is Status.FINISHED
    assert sorted(_tasks(lab, job)) == ["first", "next", "second"]


def test_each_task_that_asks_for_it_is_waited_for_on_its_own_and_the_others_go_on(lab, ada):
    first, second = {"id": "first", "service": "align", "suspend": True}, {"id": "second", "service": "draw"}
    lab.register(_fork("twice", first, second, suspend=True))
    job = _submit(lab, ada, "twice")

    begun = []
    for _ in range(2):
        _carry_out(lab, lab.database, job, 4)
        begun.append((lab.job(job.number).message, sorted(_tasks(lab, job))))
        lab.do(lab.as_(ada), jobs.resume, lab.tools, job.number)
    _carry_out(lab, lab.database, job)

    assert begun == [
        ("It waits before the task first, until it is resumed.", ["second"]),
        ("It waits before the task next, until it is resumed.", ["first", "second"]),
    ]
    assert lab.job(job.number).status is Status.FINISHED
    assert lab.statuses(job).count("hold") == 2


def test_a_workflow_that_waits_can_be_paused_too_and_goes_on_when_resumed(lab, ada):
    lab.register(_fork("pause", {"id": "first", "service": "align", "suspend": True}))
    job = _submit(lab, ada, "pause")
    _carry_out(lab, lab.database, job, 3)

    lab.do(lab.as_(ada), jobs.pause, job.number)
    _carry_out(lab, lab.database, job, 3)
    assert (lab.job(job.number).status, _tasks(lab, job)) == (Status.HOLD, {})
    lab.do(lab.as_(ada), jobs.resume, lab.tools, job.number)
    _carry_out(lab, lab.database, job)

    assert lab.job(job.number).status is Status.FINISHED


def test_a_workflow_that_waits_can_be_killed_and_fails_with_a_task(lab, ada):
    first, second = {"id": "first", "service": "align", "suspend": True}, {"id": "second", "service": "draw"}
    lab.register(_fork("wait", first, second))
    lab.system.by_itself = _draw_goes_on
    killed, failed = (_submit(lab, ada, "wait", sequences={"content": text}) for text in ("AAAA", "TTTT"))
    for job in (killed, failed):
        _carry_out(lab, lab.database, job, 3)
        assert lab.job(job.number).status is Status.HOLD

    lab.do(lab.as_(ada), jobs.kill, lab.tools, killed.number)
    _carry_out(lab, lab.database, killed)
    lab.system.by_itself = lambda folder, spec: ended(State.FAILED, 2, "It has no pen.")
    _carry_out(lab, lab.database, failed)

    assert lab.job(killed.number).status is Status.KILLED
    assert lab.job(failed.number).status is Status.ERROR
    assert lab.job(failed.number).message == "The task second is error. It has no pen."


def test_killing_a_workflow_kills_its_tasks(lab, ada):
    lab.system.by_itself = lambda folder, spec: Observation(State.RUNNING)
    lab.work()
    job = _submit(lab, ada)
    task = lab.until(lambda: _tasks(lab, job).get("alignment"), "the first task")
    lab.becomes(task, Status.RUNNING)
    lab.system.by_itself = None

    lab.do(lab.as_(ada), jobs.kill, lab.tools, job.number)

    lab.becomes(job, Status.KILLED)
    assert lab.job(task.number).status is Status.KILLED
    assert list(_tasks(lab, job)) == ["alignment"]


def test_a_workflow_that_is_paused_begins_nothing_and_goes_on_when_resumed(lab, ada):
    lab.system.by_itself = None
    lab.work()
    job = _submit(lab, ada)
    task = lab.until(lambda: _tasks(lab, job).get("alignment"), "the first task")
    lab.native(task)

    lab.do(lab.as_(ada), jobs.pause, job.number)
    lab.becomes(job, Status.HOLD)
    lab.becomes(task, Status.HOLD)
    lab.do(lab.as_(ada), jobs.resume, lab.tools, job.number)
    lab.becomes(task, Status.RUNNING)
    lab.system.by_itself = pass_on

    lab.becomes(job, Status.FINISHED)
    assert "hold" in lab.statuses(job)


def test_a_task_goes_with_its_workflow_only(lab, ada):
    lab.work()
    job = lab.becomes(_submit(lab, ada), Status.FINISHED)
    task = _tasks(lab, job)["alignment"]

    with pytest.raises(jobs.JobIsATask):
        lab.do(lab.as_(ada), jobs.remove_job, lab.tools, task.number)
    lab.do(lab.as_(ada), jobs.remove_job, lab.tools, job.number)

    kept = {lab.look(jobs.find_content, each.number).key for each in lab.look(jobs.list_data, by=lab.as_(ada))}
    assert lab.kept() == kept
    assert lab.look(jobs.count_jobs, by=lab.as_(ada)) == 0


@pytest.mark.parametrize("after", [False, True], ids=["before it is written", "once it is written"])
@pytest.mark.parametrize("at", range(1, 7))
def test_a_power_cut_at_any_look_begins_no_task_twice(lab, ada, at, after):
    job = _submit(lab, ada)

    was_cut = False
    try:
        _carry_out(lab, Cutting(lab.database, at, after), job)
    except PowerCut:
        was_cut = True
    _carry_out(lab, lab.database, job)

    assert was_cut is (at <= 5)
    assert lab.job(job.number).status is Status.FINISHED
    assert lab.bytes_of(lab.look(jobs.find_output, job.number, "tree")) == b"draw(consense(align(ACGT)))"
    assert len(_tasks(lab, job)) == 3 and len(lab.system.jobs) == 3
    assert len(lab.notes(ada)) == 1


def _carry_out(lab, database, job, looks: int = 50) -> None:
    """Look at the workflow until it has ended, and do between two looks all that its tasks can do."""
    for _ in range(looks):
        if lab.job(job.number).status.is_terminal:
            return
        with contextlib.suppress(NotYet):
            drive(Work(database, lab.tools, lab.system_scope, job.number))
        for data in lab.look(jobs.list_data, by=lab.as_(lab.look(portal.find_user, job.user_number))):
            Fetching(lab.database, lab.tools, lab.system_scope, data.number).do(lambda: True)
        for task in _tasks(lab, job).values():
            work = Work(lab.database, lab.tools, lab.system_scope, task.number)
            work.build(lambda: True)
            work.submit(lambda: True)
            jobs.watch(lab.database, lab.tools)
            Collecting(work).collect(lambda: True)


BAD = {
    "no such service": ({"tasks": [{"id": "a", "service": "nothing"}], "links": [], "outputs": []}, "nothing"),
    "another server": ({"tasks": [{"id": "a", "service": "align::far"}], "links": [], "outputs": []}, "far"),
    "a workflow in a workflow": ({"tasks": [{"id": "a", "service": "flow"}], "links": [], "outputs": []}, "no program"),
    "no such parameter": (
        {
            "tasks": [{"id": "a", "service": "align"}],
            "links": [{"from_parameter": "sequences", "to_task": "a", "to_parameter": "color"}],
            "outputs": [],
        },
        "color",
    ),
    "a value for no parameter": (
        {"tasks": [{"id": "a", "service": "align", "values": [{"name": "color", "value": 1}]}], "links": []}
        | {"outputs": []},
        "color",
    ),
    "types that do not fit": (
        {
            "tasks": [{"id": "a", "service": "align"}],
            "links": [{"from_parameter": "sequences", "to_task": "a", "to_parameter": "gap"}],
            "outputs": [],
        },
        "does not take",
    ),
    "data of another type": (
        {
            "tasks": [{"id": "a", "service": "align"}, {"id": "b", "service": "paint"}],
            "links": [
                {"from_task": "b", "from_parameter": "picture", "to_task": "a", "to_parameter": "sequence"},
            ],
            "outputs": [],
        },
        "does not take",
    ),
}


@pytest.mark.parametrize("said, named", BAD.values(), ids=BAD)
def test_a_workflow_that_cannot_be_run_is_not_begun(lab, ada, said, named):
    picture = {"_type": "FormattedType", "data_terms": ["EDAM_data:2968"]}
    output = {"_type": "OutputProgramParameter", "name": "picture", "filenames": '"*.png"', "type": picture}
    lab.register(program("paint", outputs=[output]), flow("bad", **said))

    with pytest.raises(jobs.BadWorkflow, match=named):
        _submit(lab, ada, "bad")
    assert lab.look(jobs.list_jobs, by=lab.as_(ada)) == []


def test_a_workflow_of_a_project_is_for_those_who_work_there_and_its_services_for_those_who_may_call_them(lab, ada):
    lab.register(flow("mine"), project=ada.default_project)
    lab.do(lab.system_scope, catalog.change_service, lab.own, "draw::here", catalog.ServiceChange(disabled=True))
    asked = jobs.Submission(ada.default_project, "mine::my project::here", {"sequences": {"content": SEQUENCE}})

    with pytest.raises(catalog.ServiceIsDisabled):
        lab.do(lab.as_(ada), jobs.submit, lab.tools, asked)
    lab.do(lab.system_scope, catalog.change_service, lab.own, "draw::here", catalog.ServiceChange(disabled=False))
    assert lab.do(lab.as_(ada), jobs.submit, lab.tools, asked).kind is jobs.JobKind.WORKFLOW
