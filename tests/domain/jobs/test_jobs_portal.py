"""A service is run for somebody: from the submission to what it leaves behind."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import threading
import uuid
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from fairlead.base import clock
from fairlead.domain import catalog, jobs
from fairlead.domain.identity import portal
from fairlead.domain.jobs import Status
from fairlead.domain.jobs.collecting import Collecting
from fairlead.domain.jobs.execution import WORK, Observation, State
from fairlead.domain.jobs.job_model import make_sure_may_follow
from fairlead.domain.jobs.work import Work
from house.outside import Outside
from house.science import SEQUENCE, Cutting, PowerCut, does, ended, program

TO_THE_END = [
    "init",
    "to be built",
    "building",
    "to be submitted",
    "submitting",
    "submitted",
    "updating",
    "finished",
]


@pytest.fixture
def ada(lab):
    lab.register(program("align"))
    return lab.user("ada")


def test_a_service_is_run_and_what_it_leaves_behind_is_kept(lab, ada):
    lab.system.by_itself = does(report="aligned\n", stdout="done\n")
    lab.work()

    job = lab.run(lab.as_(ada), ada.default_project, "align", inputs={"sequence": {"content": SEQUENCE}, "gap": 9})

    left = lab.look(jobs.outputs, job.number)
    assert {name: [file.name for file in files] for name, files in left.items()} == {
        "report": ["out.report"],
        "stdout": ["align.out"],
    }
    assert lab.bytes_of(lab.look(jobs.find_output, job.number, "report")) == b"aligned\n"
    assert lab.statuses(job) == TO_THE_END
    assert job.command_line == "align -s=sequence -gap=9"
    assert (job.exit_code, job.service, job.service_version) == (0, "align::public::here", "1.0")
    assert lab.log() == ["ada data.add", "ada job.submit"]


def test_a_job_goes_through_its_statuses_as_its_system_says(lab, ada):
    lab.work()
    job = lab.submit(lab.as_(ada), ada.default_project, "align")

    lab.say(job, Observation(State.PENDING))
    lab.becomes(job, Status.PENDING)
    lab.say(job, Observation(State.RUNNING))
    running = lab.becomes(job, Status.RUNNING)
    lab.say(job, ended(State.FAILED, 3, "It has ended with 3."))
    over = lab.becomes(job, Status.ERROR)

    assert lab.statuses(job)[6:] == ["updating", "pending", "updating", "running", "updating", "error"]
    assert running.started_at is not None
    assert (over.exit_code, over.message, over.outcome["state"]) == (3, "It has ended with 3.", "failed")
    assert over.ended_at >= over.started_at


FOLLOWS = {
    "init": ["to be built"],
    "to be built": ["building"],
    "building": ["to be submitted"],
    "to be submitted": ["submitting", "pause"],
    "submitting": ["submitted"],
    "submitted": ["updating"],
    "updating": ["running", "pending", "hold", "finished"],
    "pending": ["updating"],
    "running": ["updating"],
    "hold": ["updating"],
    "pause": ["to be submitted"],
}


def test_every_status_follows_only_those_of_the_reference():
    for before in Status:
        ends = {"error", "killed", "unknown"} if before.value in FOLLOWS else set()

        assert {each.value for each in jobs.TRANSITIONS[before]} == {*FOLLOWS.get(before.value, []), *ends}
    with pytest.raises(ValueError, match="cannot become"):
        make_sure_may_follow(Status.FINISHED, Status.RUNNING)


def test_what_is_wrong_is_said_for_each_parameter_and_nothing_is_kept(lab, ada):
    me, project = lab.as_(ada), ada.default_project

    with pytest.raises(jobs.BadValues) as refused:
        lab.submit(me, project, "align", inputs={"sequence": {"data": "00000000099"}, "gap": 900, "color": "red"})
    with pytest.raises(jobs.BadValues) as without:
        lab.submit(me, project, "align", inputs={"gap": 1})
    with pytest.raises(jobs.BadValues) as long:
        lab.submit(me, project, "align", inputs={"sequence": {"content": "x" * (jobs.LARGEST_TEXT + 1)}})
    with pytest.raises(jobs.BadValues) as inside:
        lab.submit(me, project, "align", inputs={"sequence": {"url": "http://10.0.0.1/secret"}})

    assert refused.value.errors == {
        "color": ["There is no such parameter."],
        "gap": ["It must be 100 or less."],
        "sequence": ["There is no such data."],
    }
    assert without.value.errors == {"sequence": ["A value is needed."]}
    assert list(long.value.errors) == ["sequence"]
    assert "not a public address" in inside.value.errors["sequence"][0]
    assert lab.look(jobs.list_jobs, by=me) == [] and lab.look(jobs.list_data, by=me) == [] and not lab.kept()


def test_values_never_become_more_than_one_argument(lab, ada):
    lab.work()
    hostile = "a; touch /tmp/x `id` $(id) 'b'.fa"
    data = lab.text(lab.as_(ada), ada.default_project, name=hostile.replace("/", "_"))

    job = lab.submit(lab.as_(ada), ada.default_project, "align", inputs={"sequence": {"data": data.id}})
    _, spec = lab.system.jobs[lab.native(job)]

    [stage] = spec.pipes[0].stages
    assert len(stage.argv) == 2 and stage.argv[1].startswith("-s=a")


def test_data_of_the_wrong_type_are_refused(lab, ada):
    image = lab.text(lab.as_(ada), ada.default_project, data_terms=("EDAM_data:2968",))
    protein = lab.text(lab.as_(ada), ada.default_project, data_terms=("EDAM_data:2976",))

    with pytest.raises(jobs.BadValues) as refused:
        lab.submit(lab.as_(ada), ada.default_project, "align", inputs={"sequence": {"data": image.id}})
    taken = lab.submit(lab.as_(ada), ada.default_project, "align", inputs={"sequence": {"data": protein.id}})

    assert refused.value.errors == {"sequence": ["It is data of another type than this takes."]}
    assert taken.status is Status.TO_BE_BUILT


def test_the_same_key_is_the_same_job(lab, ada):
    me, project = lab.as_(ada), ada.default_project

    first = lab.submit(me, project, "align", key="once")
    again = lab.submit(me, project, "align", key="once")
    with pytest.raises(jobs.KeyUsedForAnother):
        lab.submit(me, project, "align", key="once", name="another")
    of_another = lab.user("ben")
    other = lab.submit(lab.as_(of_another), of_another.default_project, "align", key="once")

    assert again.number == first.number
    assert other.number != first.number
    assert len(lab.look(jobs.list_data, by=me)) == 1


def test_many_who_send_the_same_key_at_once_get_one_job(lab, ada):
    me = lab.as_(ada)
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(lab.submit(me, ada.default_project, "align", key="k").number))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8 and len(set(found)) == 1
    assert len(lab.look(jobs.list_jobs, by=me)) == 1


def test_a_service_that_is_disabled_or_a_widget_or_needs_a_shell_is_not_run(lab, ada):
    me, project = lab.as_(ada), ada.default_project
    lab.register(program("shelly", command="echo `id`"), program("off"))
    lab.register(catalog.read_json(b'{"_type": "Widget", "name": "viewer"}'))
    lab.do(lab.system_scope, catalog.change_service, lab.own, "off::here", catalog.ServiceChange(disabled=True))

    for name, refusal in {"shelly": jobs.NotAJob, "viewer": jobs.NotAJob, "off": catalog.ServiceIsDisabled}.items():
        with pytest.raises(refusal):
            lab.submit(me, project, name)
    with pytest.raises(catalog.ServiceNotFound):
        lab.submit(me, project, "nothing")


def test_a_job_runs_with_the_description_that_it_was_submitted_with(lab, ada):
    job = lab.submit(lab.as_(ada), ada.default_project, "align")
    lab.register(program("align", command="rm"))
    lab.system.by_itself = does(report="x")
    lab.work()

    over = lab.becomes(job, Status.FINISHED)

    assert over.command_line == "align -s=sequence"
    told = lab.look(jobs.provenance, job.number)
    assert told["description"]["command"] == "align"
    assert told["run"]["pipes"][0]["stages"][0]["argv"] == ["align", "-s=sequence"]
    assert told["files"][0]["sha256"] == hashlib.sha256(SEQUENCE.encode()).hexdigest()
    assert told["outputs"][0]["sha256"] == hashlib.sha256(b"x").hexdigest()
    json.dumps(told)


def test_a_job_waits_for_data_that_are_being_fetched(lab, ada):
    lab.system.by_itself = does(report="x")
    with Outside() as outside:
        outside.answers("/seq.fa", 200, ">far\nACGT\n")
        lab.work()
        job = lab.run(lab.as_(ada), ada.default_project, "align", inputs={"sequence": {"url": f"{outside.url}/seq.fa"}})

    folder, _ = lab.system.jobs[lab.native(job)]
    assert "far" in (folder / WORK / "seq.fa").read_text()


def test_a_job_whose_data_cannot_be_fetched_is_in_error(lab, ada):
    lab.work()
    with Outside() as outside:
        outside.answers("/gone.fa", 404)
        asked = {"sequence": {"url": f"{outside.url}/gone.fa"}}
        job = lab.submit(lab.as_(ada), ada.default_project, "align", inputs=asked)
        over = lab.becomes(job, Status.ERROR)

    assert "404" in over.message and lab.system.jobs == {}


@pytest.mark.parametrize("moment", ["to be built", "pending", "running", "hold"])
def test_a_job_can_be_killed_at_any_time(lab, ada, moment):
    me = lab.as_(ada)
    if moment != "to be built":
        lab.work()
    job = lab.submit(me, ada.default_project, "align")
    if moment != "to be built":
        lab.say(job, Observation({"pending": State.PENDING, "running": State.RUNNING, "hold": State.PAUSED}[moment]))
        lab.becomes(job, Status(moment))

    lab.do(me, jobs.kill, lab.tools, job.number)

    assert lab.becomes(job, Status.KILLED).wish is jobs.Wish.NOTHING
    assert (f"kill {job.id}" in lab.system.calls) is (moment != "to be built")
    with pytest.raises(jobs.JobIsOver):
        lab.do(me, jobs.kill, lab.tools, job.number)


def test_a_job_that_is_killed_while_it_is_handed_over_is_killed_afterwards(lab, ada):
    me = lab.as_(ada)
    killed = []

    def kill(native_id: str) -> None:
        if not killed:
            killed.append(lab.do(me, jobs.kill, lab.tools, job.number).status)

    lab.system.when_submitted = kill
    job = lab.submit(me, ada.default_project, "align")
    lab.work()

    lab.becomes(job, Status.KILLED)
    assert killed == [Status.SUBMITTING]
    assert lab.system.calls.count(f"submit {job.id}") == 1


def test_a_job_that_runs_is_held_and_goes_on(lab, ada):
    me = lab.as_(ada)
    lab.work()
    job = lab.submit(me, ada.default_project, "align")
    lab.say(job, Observation(State.RUNNING))
    lab.becomes(job, Status.RUNNING)

    lab.do(me, jobs.pause, job.number)
    held = lab.becomes(job, Status.HOLD)
    lab.do(me, jobs.resume, lab.tools, job.number)
    running = lab.becomes(job, Status.RUNNING)

    assert held.status.group is jobs.Group.PAUSED
    lab.until(lambda: lab.job(job.number).wish is jobs.Wish.NOTHING, "nothing more to be asked for")
    assert lab.statuses(running)[-4:] == ["updating", "hold", "updating", "running"]


def test_a_job_that_is_paused_before_it_is_submitted_waits_until_it_is_resumed(lab, ada):
    me = lab.as_(ada)
    lab.system.by_itself = does(report="x")
    job = lab.submit(me, ada.default_project, "align")
    lab.do(me, jobs.pause, job.number)
    lab.work()

    lab.becomes(job, Status.PAUSE)
    assert lab.system.jobs == {}
    lab.do(me, jobs.resume, lab.tools, job.number)

    lab.becomes(job, Status.FINISHED)
    assert lab.statuses(job)[3:6] == ["to be submitted", "pause", "to be submitted"]


def test_a_job_that_its_system_does_not_know_is_lost(lab, ada):
    lab.work()
    job = lab.submit(lab.as_(ada), ada.default_project, "align")
    native_id = lab.native(job)

    del lab.system.states[native_id]

    assert lab.becomes(job, Status.UNKNOWN).message == "lost"


@pytest.mark.parametrize("after", [False, True], ids=["before it is written", "once it is written"])
@pytest.mark.parametrize("at", range(1, 9))
def test_a_power_cut_at_any_moment_changes_nothing_of_what_a_job_does(lab, ada, at, after):
    job = lab.submit(lab.as_(ada), ada.default_project, "align", inputs={"sequence": {"content": SEQUENCE}})
    lab.system.by_itself = does(report="aligned")

    was_cut = False
    try:
        _carry_out(lab, Cutting(lab.database, at, after), job)
    except PowerCut:
        was_cut = True
    _carry_out(lab, lab.database, job)

    assert was_cut is (at <= 7)
    assert lab.statuses(job) == TO_THE_END
    assert list(lab.look(jobs.outputs, job.number)) == ["report"]
    assert len(lab.system.jobs) == 1 and len(lab.notes(ada)) == 1
    assert len(lab.kept()) == 2


def _carry_out(lab, database, job) -> None:
    work = Work(database, lab.tools, lab.system_scope, job.number)
    work.build(lambda: True)
    work.submit(lambda: True)
    jobs.watch(database, lab.tools)
    Collecting(work).collect(lambda: True)


def test_several_who_watch_write_the_end_once(lab, ada):
    job = lab.submit(lab.as_(ada), ada.default_project, "align")
    lab.work(watching=False)
    lab.say(job, ended())
    lab.until(lambda: lab.job(job.number).status is Status.SUBMITTED, "the job to be submitted")

    threads = [threading.Thread(target=jobs.watch, args=(lab.database, lab.tools)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    lab.becomes(job, Status.FINISHED)
    assert lab.statuses(job) == TO_THE_END
    assert len(lab.notes(ada)) == 1


def test_a_job_of_another_node_is_left_to_it(lab, ada, tmp_path):
    lab.work()
    job = lab.submit(lab.as_(ada), ada.default_project, "align")
    native_id = lab.native(job)
    lab.until(lambda: lab.job(job.number).status is Status.PENDING, "the job to wait")
    lab.close()
    elsewhere = dataclasses.replace(lab.tools, folder=tmp_path / "elsewhere")
    lab.system.states[native_id] = ended()

    assert jobs.watch(lab.database, elsewhere) == 0
    assert jobs.watch(lab.database, lab.tools) == 1


def test_what_is_no_file_or_leads_elsewhere_is_not_kept(lab, ada, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")

    def leave(folder, spec):
        (folder / WORK / "empty.report").touch()
        (folder / WORK / "link.report").symlink_to(secret)
        os.mkfifo(folder / WORK / "pipe.report")
        (folder / WORK / "folder.report").mkdir()
        (folder / WORK / "good.report").write_text("good")
        return ended()

    lab.system.by_itself = leave
    lab.work()

    job = lab.run(lab.as_(ada), ada.default_project, "align")

    assert [file.name for file in lab.look(jobs.outputs, job.number)["report"]] == ["good.report"]


def test_a_file_whose_name_is_no_text_is_kept_under_one_that_is(lab, ada):
    def do(folder, spec):
        for name, text in ((b"\xe9t\xe9.report", b"aligned"), (b"\xe9t\xe9.log", b"done")):
            (folder / WORK / os.fsdecode(name)).write_bytes(text)
        return ended()

    lab.system.by_itself = do
    lab.work()

    job = lab.run(lab.as_(ada), ada.default_project, "align")

    left = lab.look(jobs.outputs, job.number)
    assert {name: [file.name for file in files] for name, files in left.items()} == {
        "report": ["\ufffdt\ufffd.report"],
        "other_files": ["\ufffdt\ufffd.log"],
    }
    assert lab.bytes_of(lab.look(jobs.find_output, job.number, "report")) == b"aligned"


def test_what_was_given_to_a_job_is_not_what_it_leaves_behind(lab, ada):
    data = lab.text(lab.as_(ada), ada.default_project, name="my.report")
    lab.system.by_itself = does(report="x")
    lab.work()

    job = lab.run(lab.as_(ada), ada.default_project, "align", inputs={"sequence": {"data": data.id}})

    assert [file.name for file in lab.look(jobs.outputs, job.number)["report"]] == ["out.report"]


def test_the_log_is_read_while_the_job_runs_and_afterwards(lab, ada):
    me = lab.as_(ada)
    lab.work()
    job = lab.submit(me, ada.default_project, "align")
    folder, spec = lab.system.jobs[lab.native(job)]
    (folder / WORK / spec.stdout).write_text("x" * 100 + "the end")
    (folder / WORK / spec.stderr).symlink_to("/etc/passwd")

    during = lab.look(jobs.read_log, lab.tools, job.number, 7)
    (folder / WORK / spec.stderr).unlink()
    lab.say(job, ended())
    lab.becomes(job, Status.FINISHED)
    after = lab.look(jobs.read_log, lab.tools, job.number, 7)

    assert (during.stdout, during.stderr, during.is_whole) == (b"the end", b"", False)
    assert after == during


def test_the_archive_holds_all_outputs_under_safe_names(lab, ada):
    lab.system.by_itself = does(report="aligned", stdout="done")
    lab.work()
    job = lab.run(lab.as_(ada), ada.default_project, "align")

    archive = lab.look(jobs.archive, lab.tools, job.number)

    with zipfile.ZipFile(io.BytesIO(b"".join(archive.chunks()))) as read:
        assert read.testzip() is None
        assert sorted(read.namelist()) == ["provenance.json", "report/out.report", "stdout/align.out"]
        assert read.read("report/out.report") == b"aligned"
        assert json.loads(read.read("provenance.json"))["job"] == job.id
    assert archive.name == f"align-{job.id}.zip"


@pytest.mark.parametrize("sought", ["Élan", "élan", "ÉLAN", "LAN V", "%_"])
def test_jobs_and_data_are_found_by_their_names_in_whatever_letters(lab, ada, sought):
    scope = lab.as_(ada)
    job = lab.submit(scope, ada.default_project, "align", name="Élan vital %_")
    lab.submit(scope, ada.default_project, "align", name="Eland", inputs={"sequence": {"content": "other"}})
    data = lab.text(scope, ada.default_project, name="Élan vital %_")

    found = lab.look(jobs.list_jobs, jobs.JobSearch(text=sought), by=scope)
    found_data = lab.look(jobs.list_data, jobs.DataSearch(text=sought), by=scope)

    assert [each.number for each in found] == [job.number]
    assert [each.number for each in found_data] == [data.number]


def test_jobs_are_found_by_what_they_are(lab, ada):
    me, project = lab.as_(ada), ada.default_project
    lab.register(program("draw"))
    numbers = [
        lab.submit(me, project, name, name=title, inputs={"sequence": {"content": title}}).number
        for name, title in (("align", "first"), ("draw", "second"), ("align", "third"))
    ]
    lab.do(me, jobs.kill, lab.tools, numbers[0])

    def found(**wanted):
        return [job.number for job in lab.look(jobs.list_jobs, jobs.JobSearch(**wanted), by=me)]

    assert found() == numbers[::-1]
    assert found(service="align::public::here") == [numbers[2], numbers[0]]
    assert found(statuses=(Status.KILLED,)) == [numbers[0]]
    assert found(text="SEC") == [numbers[1]]
    assert found(project=project, skip=1, at_most=1) == [numbers[1]]
    assert lab.look(jobs.count_jobs, by=me) == 3
    assert lab.look(jobs.statistics, by=me)["align::public::here"] == {"killed": 1, "to be built": 1}


def test_events_are_read_from_where_somebody_stopped(lab, ada):
    job = lab.submit(lab.as_(ada), ada.default_project, "align")
    lab.do(lab.as_(ada), jobs.kill, lab.tools, job.number)

    since = lab.look(jobs.events, job.number, 2)

    assert [(each.number, each.status.value) for each in since] == [(3, "killed")]


def test_replaying_gives_back_what_was_submitted(lab, ada):
    me = lab.as_(ada)
    asked = {"sequence": {"content": SEQUENCE}, "gap": 3}
    job = lab.submit(me, ada.default_project, "align", inputs=asked, name="once")

    again = lab.look(jobs.replay, job.number, by=me)

    assert (again.project, again.service, again.name) == (ada.default_project, "align::public::here", "once")
    assert again.inputs == {"sequence": {"data": "00000000001"}, "gap": 3}
    lab.do(me, jobs.kill, lab.tools, job.number)
    assert lab.do(me, jobs.submit, lab.tools, again).likeness == job.likeness


def test_a_job_is_removed_with_all_that_it_has_left(lab, ada):
    me = lab.as_(ada)
    lab.system.by_itself = does(report="x")
    lab.work()
    job = lab.run(me, ada.default_project, "align")
    folder = lab.tools.folder_of(lab.tenant_id, job.number)
    assert folder.exists()

    lab.do(me, jobs.remove_job, lab.tools, job.number)

    assert not folder.exists()
    assert len(lab.kept()) == 1
    with pytest.raises(portal.NotThere):
        lab.job(job.number)


def test_a_job_that_is_under_way_is_not_removed(lab, ada):
    job = lab.submit(lab.as_(ada), ada.default_project, "align")

    with pytest.raises(jobs.JobIsNotOver):
        lab.do(lab.as_(ada), jobs.remove_job, lab.tools, job.number)


def test_old_jobs_and_data_go_by_themselves(lab, ada, time_machine):
    lab.system.by_itself = does(report="x")
    lab.work()
    job = lab.run(lab.as_(ada), ada.default_project, "align")
    lab.close()
    persistent = lab.text(lab.as_(ada), ada.default_project, persistent=True)
    assert jobs.remove_old(lab.database, lab.tools) == 0

    time_machine(timedelta(days=2))
    assert jobs.remove_folders(lab.database, lab.tools) == 1
    time_machine(timedelta(days=31))
    jobs.remove_old(lab.database, lab.tools)
    with pytest.raises(portal.NotThere):
        lab.job(job.number)
    time_machine(timedelta(days=91))
    jobs.remove_old(lab.database, lab.tools)

    assert [each.number for each in lab.look(jobs.list_data, by=lab.as_(ada))] == [persistent.number]
    assert lab.kept() == {persistent.blob_key}


@pytest.fixture
def time_machine(monkeypatch):
    """Lets it be so much later."""

    def later(time: timedelta) -> None:
        monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + time)

    return later


def test_payloads_of_nothing_are_swept(lab, ada, time_machine):
    data = lab.text(lab.as_(ada), ada.default_project)
    with lab.tools.blobs.receive(f"portal/{lab.tenant_id}/lost") as incoming:
        incoming.write(b"lost")
        incoming.keep()
    with lab.tools.blobs.receive("artifacts/others") as incoming:
        incoming.write(b"not ours")
        incoming.keep()

    young = jobs.sweep_payloads(lab.database, lab.tools.blobs)
    time_machine(timedelta(days=2))
    old = jobs.sweep_payloads(lab.database, lab.tools.blobs)

    assert (young, old) == (0, 1)
    assert lab.kept() == {data.blob_key, "artifacts/others"}


VERBS = {
    "find": ("watcher", lambda lab, job: (jobs.find_job, job.number)),
    "events": ("watcher", lambda lab, job: (jobs.events, job.number)),
    "outputs": ("watcher", lambda lab, job: (jobs.outputs, job.number)),
    "provenance": ("watcher", lambda lab, job: (jobs.provenance, job.number)),
    "log": ("watcher", lambda lab, job: (jobs.read_log, lab.tools, job.number)),
    "archive": ("watcher", lambda lab, job: (jobs.archive, lab.tools, job.number)),
    "replay": ("watcher", lambda lab, job: (jobs.replay, job.number)),
    "submit": ("contributor", lambda lab, job: (jobs.submit, lab.tools, _again(job))),
    "rename": ("contributor", lambda lab, job: (jobs.rename_job, job.number, "renamed")),
    "pause": ("contributor", lambda lab, job: (jobs.pause, job.number)),
    "resume": ("contributor", lambda lab, job: (jobs.resume, lab.tools, job.number)),
    "kill": ("contributor", lambda lab, job: (jobs.kill, lab.tools, job.number)),
    "remove": ("manager", lambda lab, job: (jobs.remove_job, lab.tools, job.number)),
}


def _again(job):
    return jobs.Submission(job.project, "align::here", {"sequence": {"content": str(uuid.uuid4())}})


@pytest.mark.parametrize("role", ["nobody", "watcher", "contributor", "manager"])
def test_each_role_may_do_what_the_matrix_says(lab, ada, role):
    ben = lab.user("ben")
    job = lab.submit(lab.as_(ada), ada.default_project, "align")
    if role != "nobody":
        member = (ada.default_project, jobs.Member.user(ben.number), portal.Role(role))
        lab.do(lab.as_(ada), jobs.change_member, *member)
    order = ["nobody", "watcher", "contributor", "manager"]

    for name, (least, verb) in VERBS.items():
        deed, *arguments = verb(lab, job)
        if role == "nobody":
            with pytest.raises(portal.NotThere):
                lab.do(lab.as_(ben), deed, *arguments)
        elif order.index(role) < order.index(least):
            with pytest.raises(portal.NotPermitted):
                lab.do(lab.as_(ben), deed, *arguments)
        else:
            lab.do(lab.as_(ben), deed, *arguments), name


def test_everybody_sees_jobs_of_a_public_project_and_nobody_else_runs_any_there(lab, ada):
    job = lab.submit(lab.as_(ada), ada.default_project, "align")
    lab.do(lab.as_(ada), jobs.change_project, ada.default_project, jobs.ProjectChange(public=True))
    visitor = portal.visitor(lab.tenant_id)

    assert lab.look(jobs.find_job, job.number, by=visitor).number == job.number
    with pytest.raises(portal.LogInFirst):
        lab.do(visitor, jobs.kill, lab.tools, job.number)
    with pytest.raises(portal.NotPermitted):
        lab.do(lab.as_(lab.user("ben")), jobs.kill, lab.tools, job.number)


def test_those_who_are_pending_or_suspended_run_nothing(lab, ada):
    pending = dataclasses.replace(lab.look(portal.find_user, ada.number), status=portal.Standing.PENDING)
    roles = {ada.default_project: portal.Role.OWNER}
    job = lab.submit(lab.as_(ada), ada.default_project, "align")

    with pytest.raises(portal.AccountPending):
        lab.submit(portal.scope_of(pending, roles), ada.default_project, "align")
    assert lab.look(jobs.find_job, job.number, by=portal.scope_of(pending, roles)) is not None
    suspended = dataclasses.replace(pending, status=portal.Standing.SUSPENDED)
    for verb in (jobs.find_job, jobs.events):
        with pytest.raises(portal.Suspended):
            lab.look(verb, job.number, by=portal.scope_of(suspended, roles))


def test_two_organizations_see_nothing_of_each_other(lab, zenith, ada):
    zenith.register(program("align"))
    zoe = zenith.user("zoe")
    lab.system.by_itself = does(report="x")
    lab.work()
    ours = lab.run(lab.as_(ada), ada.default_project, "align")
    theirs = zenith.run(zenith.as_(zoe), zoe.default_project, "align", inputs={"sequence": {"content": "other"}})

    assert ours.number == theirs.number == 1
    assert zenith.look(jobs.find_output, 1, "report").key != lab.look(jobs.find_output, 1, "report").key
    assert [each.id for each in zenith.look(jobs.list_jobs, by=zenith.as_(zoe))] == [theirs.id]
    zenith.do(zenith.as_(zoe), jobs.remove_job, zenith.tools, 1)
    assert lab.bytes_of(lab.look(jobs.find_output, 1, "report")) == b"x"
    with pytest.raises(portal.NotThere):
        zenith.job(1)


def test_a_real_program_runs_on_this_machine_and_its_end_is_seen_by_another_server(lab, ada):
    system = jobs.LocalSystem(lab.tools.folder, 1, least_free_bytes=1, sandbox=False)
    tools = dataclasses.replace(lab.tools, systems={"local": system}, limits=jobs.Limits(seconds=30))
    lab.work(tools, watching=False)
    described = {"_type": "InputProgramParameter", "name": "sequence", "format": '" " + str(value)', "mandatory": True}
    typed = [described | {"type": {"_type": "FormattedType"}}]
    lab.register(program("sort", command="sort", inputs=typed, outputs=[]))

    job = lab.submit(lab.as_(ada), ada.default_project, "sort", inputs={"sequence": {"content": "b\na\n"}})
    lab.until(lambda: lab.job(job.number).native_id, "the job to be submitted")
    again = jobs.LocalSystem(lab.tools.folder, 1, least_free_bytes=1, sandbox=False)
    other = dataclasses.replace(tools, systems={"local": again})
    lab.until(lambda: jobs.watch(lab.database, other) and lab.job(job.number).outcome, "the end of the program")

    lab.becomes(job, Status.FINISHED)
    assert lab.bytes_of(lab.look(jobs.find_output, job.number, "stdout")) == b"a\nb\n"


@pytest.mark.parametrize(
    ("given", "values"),
    [("infile", {}), ("outtree", {}), ("usual.rev", {}), ("left.txt", {}), ("mine.fa", {"out": "mine.fa"})],
)
def test_a_file_that_is_called_like_one_of_the_service_gets_another_name_in_its_folder(lab, ada, given, values):
    sequence = _input("sequence", '"ln -s " + str(value) + " infile && align"', "FormattedType") | {"command": True}
    said = {"children": [sequence, _input("out", '" -out=" + value', "StringType", default="usual.rev")]}
    left = {"_type": "OutputProgramParameter", "name": "left", "filenames": '"left.txt"'}
    lab.register(program("chained", command=None, inputs=said, outputs={"children": [left]}))
    lab.system.by_itself = does(report="aligned\n")
    lab.work()
    file = {"content": SEQUENCE, "filename": given}

    job = lab.run(lab.as_(ada), ada.default_project, "chained", inputs={"sequence": file, **values})

    out = values.get("out", "usual.rev")
    assert job.command_line == f"ln -s 2_{given} infile && align -out={out}"
    assert [each.name for each in lab.look(jobs.list_data, by=lab.as_(ada))] == [given]


def _input(name, format, kind, **said):
    return {
        "_type": "InputProgramParameter",
        "name": name,
        "format": format,
        "type": {"_type": kind, **said},
    }
