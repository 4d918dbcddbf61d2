"""Jobs wait their turn, are held and killed wherever they are, and run once whatever becomes of the servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from jobs_at_work import Jobs, long_sleep, processes_with, script, small, wait_until

from fairlead.domain.jobs.execution import JobSpec, LocalSystem, NotSubmitted, State, one
from fairlead.domain.jobs.execution.runner import processes, records

COUNT_UP = "echo ran >> ran; "


def open_jobs(tmp_path: Path, slots: int = 2) -> Jobs:
    root = tmp_path / "jobs"
    return Jobs(root, LocalSystem(root, slots, least_free_bytes=0, sandbox=False))


@pytest.fixture
def jobs(tmp_path):
    opened = open_jobs(tmp_path)
    yield opened
    opened.end_everything()


@pytest.fixture
def one_slot(tmp_path):
    opened = open_jobs(tmp_path, slots=1)
    yield opened
    opened.end_everything()


@pytest.fixture
def servers(tmp_path):
    """Starts other server processes, and ends them as a power cut would."""
    started: list[subprocess.Popen] = []

    def start(root: Path, text: str, *arguments: str) -> subprocess.Popen:
        head = """
            import sys, time
            from pathlib import Path
            from fairlead.domain.jobs.execution import JobSpec, Limits, LocalSystem, one
            root = Path(sys.argv[1])
            system = LocalSystem(root, 2, least_free_bytes=0, sandbox=False)
            def spec(text):
                limits = Limits(60, 2**30, 2**23, 2**24, 60)
                return JobSpec(one("sh", "-c", text), limits=limits)
        """
        program = textwrap.dedent(head) + textwrap.dedent(text)
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(root), *arguments],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def runner_of(jobs: Jobs, name: str = "job") -> int:
    wait_until(lambda: records.read(str(jobs.folder(name)), records.STARTED))
    return records.read(str(jobs.folder(name)), records.STARTED)["pid"]


def is_stopped(pid: int) -> bool:
    process = processes.find(pid)
    return process is not None and process.state in "Tt"


def test_as_many_run_as_there_are_slots_and_the_others_wait(jobs):
    for number in range(4):
        jobs.submit(script("while [ ! -e go ]; do sleep 0.05; done"), f"job{number}")
    wait_until(lambda: jobs.look("job1").state is State.RUNNING)

    states = [jobs.look(f"job{number}").state for number in range(4)]
    assert states == [State.RUNNING, State.RUNNING, State.PENDING, State.PENDING]

    (jobs.work("job0") / "go").touch()
    jobs.end_of("job0")
    wait_until(lambda: jobs.look("job2").state is State.RUNNING)
    assert jobs.look("job3").state is State.PENDING


def test_they_run_in_the_order_in_which_they_came(one_slot):
    names = [f"job{number}" for number in (3, 1, 4, 0, 5, 9, 2, 6)]
    for name in names:
        one_slot.submit(script("true"), name)

    started = [one_slot.end_of(name).usage.started_at for name in names]

    assert started == sorted(started)


def test_two_hundred_on_two_slots_all_end(jobs):
    names = [f"job{number:03}" for number in range(200)]
    for name in names:
        jobs.submit(script(f"echo {name}"), name)
    runners = []

    def all_are_over() -> bool:
        runners.append(len(processes_with(str(jobs.root))))
        return all(each.state.is_over for each in jobs.system.poll(names).values())

    wait_until(all_are_over, "the end of all two hundred")

    ended = jobs.system.poll(names)
    assert {each.state for each in ended.values()} == {State.FINISHED}
    assert all(jobs.text(name=name) == f"{name}\n" for name in names)
    assert at_once([each.usage for each in ended.values()]) <= 2
    assert max(runners) <= 6  # one that ends is there while the next one starts


def at_once(usages) -> int:
    """How many of them ran at the same moment, at most."""
    moments = sorted(moment for each in usages for moment in ((each.started_at, 1), (each.ended_at, -1)))
    most = now = 0
    for _, change in moments:
        now += change
        most = max(most, now)
    return most


def test_those_that_wait_go_on_though_no_server_looks(jobs):
    for number in range(6):
        jobs.submit(script("true"), f"job{number}")

    wait_until(lambda: all((jobs.folder(f"job{number}") / records.RESULT).exists() for number in range(6)))


def test_one_that_needs_two_slots_waits_for_both_and_nobody_passes_it(jobs):
    jobs.submit(script("while [ ! -e go ]; do sleep 0.05; done"), "first")
    jobs.submit(JobSpec(one("true"), cpus=2, limits=small()), "wide")
    jobs.submit(script("true"), "behind")
    wait_until(lambda: jobs.look("first").state is State.RUNNING)

    assert [jobs.look(name).state for name in ("wide", "behind")] == [State.PENDING, State.PENDING]

    (jobs.work("first") / "go").touch()
    first, wide, behind = (jobs.end_of(name).usage for name in ("first", "wide", "behind"))
    assert first.ended_at <= wide.started_at <= wide.ended_at <= behind.started_at


def test_one_that_needs_more_than_there_are_gets_all(jobs):
    assert jobs.run(JobSpec(one("true"), cpus=64, limits=small())).state is State.FINISHED


def test_submitting_again_is_the_same_job(jobs):
    first = jobs.submit(script(COUNT_UP + "sleep 0.3"))
    again = jobs.submit(script(COUNT_UP + "sleep 0.3"))
    jobs.end_of()
    after = jobs.submit(script(COUNT_UP))

    assert first == again == after
    assert jobs.lines_of("ran") == ["ran"]
    assert jobs.look().state is State.FINISHED


def test_submitting_at_the_same_moment_from_two_processes_is_the_same_job(jobs, servers):
    submits = """
        print("ready", flush=True)
        while not Path(sys.argv[2]).exists():
            pass
        for number in range(20):
            system.submit(root / f"job{number}", spec("echo ran >> ran"))
    """
    signal_file = jobs.root.parent / "now"
    both = [servers(jobs.root, submits, str(signal_file)) for _ in range(2)]
    assert [process.stdout.readline() for process in both] == ["ready\n"] * 2
    signal_file.touch()

    assert [process.wait() for process in both] == [0, 0]
    for number in range(20):
        jobs.end_of(f"job{number}")
        assert jobs.lines_of("ran", f"job{number}") == ["ran"]


def test_several_servers_that_look_start_each_job_once(jobs, servers):
    looks = """
        names = [f"job{number}" for number in range(30)]
        while not all(each.state.is_over for each in system.poll(names).values()):
            pass
    """
    for number in range(30):
        jobs.submit(script(COUNT_UP), f"job{number}")
    looking = [servers(jobs.root, looks) for _ in range(2)]

    assert [process.wait() for process in looking] == [0, 0]
    assert [jobs.lines_of("ran", f"job{number}") for number in range(30)] == [["ran"]] * 30


def test_a_job_goes_on_when_its_server_is_killed(jobs, servers):
    submits = """
        system.submit(root / "job", spec("echo ran >> ran; while [ ! -e go ]; do sleep 0.05; done; echo end; exit 7"))
        system.submit(root / "next", spec("echo ran >> ran"))
        system.submit(root / "last", spec("echo ran >> ran; exit 9"))
        print("submitted", flush=True)
        time.sleep(600)
    """
    server = servers(jobs.root, submits)
    assert server.stdout.readline() == "submitted\n"
    wait_until(lambda: jobs.lines_of("ran"))

    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    (jobs.work("job") / "go").touch()
    jobs.system = LocalSystem(jobs.root, 2, least_free_bytes=0, sandbox=False)

    observed = jobs.end_of("job")
    assert (observed.state, observed.exit_code, jobs.text()) == (State.FAILED, 7, "end\n")
    assert (jobs.end_of("next").state, jobs.end_of("last").exit_code) == (State.FINISHED, 9)
    assert [jobs.lines_of("ran", name) for name in ("job", "next", "last")] == [["ran"]] * 3


def test_a_server_killed_at_any_moment_of_submitting_leaves_a_job_that_runs_once(jobs, servers):
    submits = """
        print("ready", flush=True)
        for number in range(1000):
            system.submit(root / f"job{number}", spec("echo ran >> ran"))
    """
    for pause in (0.0, 0.02, 0.05, 0.1, 0.2):
        server = servers(jobs.root, submits)
        assert server.stdout.readline() == "ready\n"
        time.sleep(pause)
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()

    submitted = [path.name for path in jobs.root.iterdir() if path.name.startswith("job")]
    for name in submitted:  # whoever does not know whether it was submitted submits it again
        jobs.submit(script(COUNT_UP), name)
    for name in submitted:
        assert jobs.end_of(name).state is State.FINISHED
        assert jobs.lines_of("ran", name) == ["ran"]


@pytest.mark.parametrize("cut", ["before the queue", "before the record"])
def test_one_that_was_not_submitted_to_the_end_says_so_and_may_be_submitted_again(jobs, cut):
    folder = jobs.folder("job")
    (folder / "work").mkdir(parents=True)
    if cut == "before the queue":
        records.write(str(folder), records.SPEC, script(COUNT_UP).as_document())

    assert jobs.look().state is State.UNKNOWN
    assert jobs.run(script(COUNT_UP)).state is State.FINISHED


def test_a_job_whose_runner_is_killed_has_failed_and_leaves_nothing(jobs):
    sleep = long_sleep()
    jobs.submit(script(f"{COUNT_UP} (setsid sleep {sleep} &); sleep {sleep}"))
    wait_until(lambda: len(processes_with(sleep)) == 2)

    os.kill(runner_of(jobs), signal.SIGKILL)

    observed = jobs.end_of()
    assert (observed.state, observed.exit_code) == (State.FAILED, None)
    assert observed.message == "It was lost: what ran it was ended from outside, or the machine was stopped."
    assert not processes_with(sleep)
    jobs.submit(script(COUNT_UP))
    assert jobs.look() == observed
    assert jobs.lines_of("ran") == ["ran"]


def test_its_slot_is_free_when_a_runner_is_killed(one_slot):
    one_slot.submit(script(f"sleep {long_sleep()}"), "first")
    os.kill(runner_of(one_slot, "first"), signal.SIGKILL)

    assert one_slot.run(script("true"), "second").state is State.FINISHED


def test_a_runner_that_cannot_start_is_told_and_not_tried_forever(jobs, monkeypatch, tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho no such library >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))

    observed = jobs.run(script("true"))

    assert observed.state is State.FAILED
    assert observed.message.startswith("Its runner could not be started: no such library")
    monkeypatch.undo()
    assert jobs.run(script("true"), "next").state is State.FINISHED


def test_killing_one_that_runs_ends_all_of_it(jobs):
    sleep = long_sleep()
    jobs.submit(script(f"(setsid sleep {sleep} &); trap '' TERM; sleep {sleep}; sleep {sleep}"))
    wait_until(lambda: len(processes_with(sleep)) == 2)

    jobs.system.kill("job")

    observed = jobs.end_of()
    assert (observed.state, observed.exit_code, observed.message) == (State.KILLED, None, "It was killed.")
    assert not processes_with(sleep)


def test_killing_one_that_waits_keeps_it_from_starting(one_slot):
    one_slot.submit(script("while [ ! -e go ]; do sleep 0.05; done"), "first")
    one_slot.submit(script(COUNT_UP), "second")

    one_slot.system.kill("second")

    assert one_slot.look("second").state is State.KILLED
    (one_slot.work("first") / "go").touch()
    one_slot.end_of("first")
    assert one_slot.look("second").state is State.KILLED
    assert one_slot.lines_of("ran", "second") == []


def test_killing_one_that_is_held_ends_it(jobs):
    sleep = long_sleep()
    jobs.submit(script(f"sleep {sleep}"))
    wait_until(lambda: processes_with(sleep))
    jobs.system.pause("job")
    wait_until(lambda: is_stopped(processes_with(sleep)[0]))

    jobs.system.kill("job")

    assert jobs.end_of().state is State.KILLED
    assert not processes_with(sleep)


def test_killing_one_that_is_held_before_it_ran_ends_it(one_slot):
    one_slot.submit(script("while [ ! -e go ]; do sleep 0.05; done"), "first")
    one_slot.submit(script(COUNT_UP), "second")
    one_slot.system.pause("second")

    one_slot.system.kill("second")

    assert one_slot.look("second").state is State.KILLED


def test_killing_works_though_the_runner_is_stopped(jobs):
    sleep = long_sleep()
    jobs.submit(script(f"sleep {sleep}"))
    wait_until(lambda: processes_with(sleep))
    os.kill(runner_of(jobs), signal.SIGSTOP)
    wait_until(lambda: is_stopped(runner_of(jobs)))

    jobs.system.kill("job")

    assert jobs.end_of().state is State.KILLED
    assert not processes_with(sleep)


def test_a_runner_that_does_not_heed_is_ended_itself(jobs):
    """It is stopped again and again: nothing that it is asked reaches it."""
    sleep = long_sleep()
    jobs.submit(script(f"sleep {sleep}"))
    wait_until(lambda: processes_with(sleep))
    runner = runner_of(jobs)
    os.kill(runner, signal.SIGSTOP)
    wait_until(lambda: is_stopped(runner))
    request = jobs.folder("job") / records.KILL
    request.touch()
    os.utime(request, (time.time() - 3600,) * 2)

    observed = jobs.end_of()

    assert observed.state is State.KILLED
    assert not processes_with(sleep)
    wait_until(lambda: not processes_with(str(jobs.root)))


def test_the_number_of_a_runner_that_has_gone_may_be_another_s(jobs):
    """Its record names this process, which must not be told anything."""
    sleep = long_sleep()
    jobs.submit(script(f"sleep {sleep}"))
    runner = runner_of(jobs)
    record = records.read(str(jobs.folder("job")), records.STARTED)
    told = []
    signal.signal(signal.SIGCONT, lambda *_: told.append("told"))
    try:
        records.write(str(jobs.folder("job")), records.STARTED, {**record, "pid": os.getpid()})
        jobs.system.pause("job")
        jobs.system.resume("job")
        assert told == []

        records.write(str(jobs.folder("job")), records.STARTED, record)
        jobs.system.kill("job")
        assert jobs.end_of().state is State.KILLED
        wait_until(lambda: processes.find(runner) is None or processes.find(runner).state == "Z")
    finally:
        signal.signal(signal.SIGCONT, signal.SIG_DFL)


def test_killing_one_that_is_over_changes_nothing(jobs):
    before = jobs.run(script("exit 2"))

    jobs.system.kill("job")
    jobs.system.pause("job")

    assert jobs.look() == before


def test_a_pause_holds_all_of_it_and_does_not_count(jobs):
    counts = "while :; do echo x >> grows; sleep 0.02; done"
    jobs.submit(script(f"(setsid sh -c '{counts}' &); sleep 1.5; echo done", limits=small(seconds=3)))
    wait_until(lambda: jobs.lines_of("grows"))

    jobs.system.pause("job")
    assert jobs.look().state is State.PAUSED
    wait_until(lambda: is_held_still(jobs))
    time.sleep(2.5)
    held = jobs.lines_of("grows")
    time.sleep(0.3)
    assert jobs.lines_of("grows") == held

    jobs.system.resume("job")
    wait_until(lambda: len(jobs.lines_of("grows")) > len(held))
    observed = jobs.end_of()
    assert (observed.state, jobs.text()) == (State.FINISHED, "done\n")
    assert observed.usage.seconds < observed.usage.ended_at - observed.usage.started_at - 2


def is_held_still(jobs: Jobs) -> bool:
    before = jobs.lines_of("grows")
    time.sleep(0.2)
    return jobs.lines_of("grows") == before


def test_one_that_is_held_while_it_waits_lets_others_pass(one_slot):
    one_slot.submit(script("while [ ! -e go ]; do sleep 0.05; done"), "first")
    one_slot.submit(script("true"), "held")
    one_slot.submit(script("true"), "third")
    one_slot.system.pause("held")
    (one_slot.work("first") / "go").touch()

    third = one_slot.end_of("third")
    assert one_slot.look("held").state is State.PAUSED

    one_slot.system.resume("held")
    assert one_slot.end_of("held").usage.started_at >= third.usage.ended_at


@pytest.mark.parametrize("native_id", ["nothing", "..", ".", "../x", "/etc", "a/../b", "", "a\0b", ".queue"])
def test_a_job_that_is_not_there_is_unknown(jobs, native_id):
    assert jobs.system.poll([native_id])[native_id].state is State.UNKNOWN
    for act in (jobs.system.kill, jobs.system.pause, jobs.system.resume):
        with pytest.raises(NotSubmitted):
            act(native_id)


def test_a_job_whose_folder_was_removed_is_unknown_and_stops_nobody(one_slot):
    one_slot.submit(script("while [ ! -e go ]; do sleep 0.05; done"), "first")
    one_slot.submit(script("true"), "gone")
    one_slot.submit(script("true"), "third")
    one_slot.ids.remove("gone")
    subprocess.run(["rm", "-rf", str(one_slot.folder("gone"))], check=True)
    (one_slot.work("first") / "go").touch()

    assert one_slot.end_of("third").state is State.FINISHED
    assert one_slot.look("gone").state is State.UNKNOWN


def test_the_folder_of_all_jobs_is_ours_alone(jobs):
    assert jobs.root.stat().st_mode & 0o777 == 0o700
