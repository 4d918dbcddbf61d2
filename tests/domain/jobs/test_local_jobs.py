"""A job runs its programs as they are written, in its folder, within its limits, and leaves nothing running."""

from __future__ import annotations

import os
import signal
import time

import pytest
from jobs_at_work import MEGABYTE, Jobs, is_root, long_sleep, processes_with, script, small, wait_until

from fairlead.domain.jobs.execution import WORK, JobSpec, LocalSystem, Pipe, Stage, State, WrongFolder, one
from fairlead.domain.jobs.execution.sandboxes import way_of_running


def open_jobs(tmp_path, *, sandbox: bool, **more) -> Jobs:
    if sandbox and not way_of_running().sandbox:
        pytest.skip("bubblewrap does not work here")
    root = tmp_path / "jobs"
    return Jobs(root, LocalSystem(root, 2, least_free_bytes=0, sandbox=sandbox, **more))


@pytest.fixture(params=["plain", "sandboxed"])
def jobs(request, tmp_path):
    opened = open_jobs(tmp_path, sandbox=request.param == "sandboxed")
    yield opened
    opened.end_everything()


@pytest.fixture
def sandboxed(tmp_path):
    opened = open_jobs(tmp_path, sandbox=True, readable=[tmp_path / "shelf" / "databank"])
    yield opened
    opened.end_everything()


def is_inside(jobs: Jobs) -> bool:
    return "in a sandbox" in jobs.system.describe()


def test_a_program_that_ends_well_is_finished(jobs):
    observed = jobs.run(script("echo out; echo err >&2"))

    assert (observed.state, observed.exit_code, observed.message) == (State.FINISHED, 0, "")
    assert (jobs.text("job.out"), jobs.text("job.err")) == ("out\n", "err\n")


def test_one_that_ends_badly_has_failed_with_its_exit_code(jobs):
    observed = jobs.run(script("exit 3"))

    assert (observed.state, observed.exit_code) == (State.FAILED, 3)
    assert observed.message == "It ended with the exit code 3."


def test_one_that_is_ended_by_a_signal_says_which(jobs):
    observed = jobs.run(script("kill -SEGV $$"))

    assert (observed.state, observed.exit_code) == (State.FAILED, 128 + signal.SIGSEGV)
    assert observed.message == "It was ended by the signal SIGSEGV."


def test_a_program_that_is_not_there_says_so(jobs):
    observed = jobs.run(JobSpec(one("no-such-program"), limits=small()))

    assert (observed.state, observed.exit_code) == (State.FAILED, 127)
    assert "no-such-program" in jobs.text("job.err")


def test_output_goes_to_the_files_that_are_named(jobs):
    jobs.run(script("echo out; echo err >&2", stdout="needle.out", stderr="needle.err"))

    assert (jobs.text("needle.out"), jobs.text("needle.err")) == ("out\n", "err\n")


def test_arguments_are_never_seen_by_a_shell(jobs):
    hostile = [
        "; touch x",
        "$(touch x)",
        "`touch x`",
        "a b",
        "",
        "'",
        '"',
        "*",
        "-n",
        "\n",
        "| cat",
        "> y",
        "A=B",
        "grüße",
    ]

    jobs.run(JobSpec(one("printf", "%s\\0", *hostile), limits=small()))

    assert jobs.text().split("\0") == [*hostile, ""]
    assert sorted(path.name for path in jobs.work("job").iterdir()) == ["job.err", "job.out"]


def test_programs_in_a_pipe_read_what_the_one_before_writes(jobs):
    jobs.put("job", "words", "pear\napple\nfig\n")
    pipe = Pipe((Stage(("cat",), stdin="words"), Stage(("sort",)), Stage(("head", "-n", "2"), stdout="first two")))

    observed = jobs.run(JobSpec((pipe,), limits=small()))

    assert observed.state is State.FINISHED
    assert jobs.text("first two") == "apple\nfig\n"
    assert jobs.text() == ""


def test_a_pipe_ends_when_its_reader_has_enough(jobs):
    pipe = Pipe((Stage(("yes",)), Stage(("head", "-n", "1"))))

    observed = jobs.run(JobSpec((pipe,), limits=small()))

    assert (observed.state, jobs.text()) == (State.FINISHED, "y\n")


def test_a_pipe_whose_first_program_fails_has_failed(jobs):
    pipe = Pipe((Stage(("sh", "-c", "echo x; exit 4")), Stage(("cat",))))

    observed = jobs.run(JobSpec((pipe,), limits=small()))

    assert (observed.state, observed.exit_code, jobs.text()) == (State.FAILED, 4, "x\n")


def test_pipes_run_one_after_the_other_and_some_only_after_success_or_failure(jobs):
    def say(word: str, code: int, when: str = "always") -> Pipe:
        return Pipe((Stage(("sh", "-c", f"echo {word}; exit {code}")),), when)

    pipes = (
        say("one", 1), say("not-this", 0, "success"), say("two", 0, "failure"), say("not-that", 0, "failure"),
        say("three", 0, "success"), say("four", 5),
    )  # fmt: skip
    observed = jobs.run(JobSpec(pipes, limits=small()))

    assert jobs.text().split() == ["one", "two", "three", "four"]
    assert observed.exit_code == 5


def test_redirections_replace_append_and_merge(jobs):
    jobs.put("job", "old", "something that was there before\n")
    say = ("sh", "-c", "echo out; echo err >&2")
    pipes = [
        Stage(say, stdout="old", stderr="errors"),
        Stage(say, stdout="old", append=True, merge=True),
        Stage(say, merge=True),
    ]

    jobs.run(JobSpec(tuple(Pipe((stage,)) for stage in pipes), limits=small()))

    assert (jobs.text("old"), jobs.text("errors")) == ("out\nout\nerr\n", "err\n")
    assert (jobs.text(), jobs.text("job.err")) == ("out\nerr\n", "")


def test_an_input_that_is_not_there_is_told(jobs):
    observed = jobs.run(JobSpec((Pipe((Stage(("cat",), stdin="missing.fasta"),)),), limits=small()))

    assert (observed.state, observed.exit_code) == (State.FAILED, None)
    assert observed.message == "missing.fasta cannot be opened: No such file or directory."


def test_a_program_without_input_reads_nothing(jobs):
    assert jobs.run(JobSpec(one("cat"), limits=small())).state is State.FINISHED


@pytest.mark.parametrize(
    "trap", ["ln -s /etc/passwd trap", "mkfifo trap", "mkdir trap", "ln -s ../.job_spec.json trap"]
)
def test_a_program_cannot_have_files_of_ours_opened_for_the_next_one(jobs, trap):
    set_it = Pipe((Stage(("sh", "-c", trap)),))
    for number, use_it in enumerate((Stage(("cat",), stdin="trap"), Stage(("echo", "x"), stdout="trap"))):
        observed = jobs.run(JobSpec((set_it, Pipe((use_it,))), limits=small()), f"job{number}")

        assert observed.state is State.FAILED
        assert "trap" in observed.message
        assert jobs.text(name=f"job{number}") == ""


def test_the_environment_is_what_the_description_says_and_nothing_of_ours(jobs, monkeypatch):
    monkeypatch.setenv("FAIRLEAD_SECRET", "hunter2")

    jobs.run(JobSpec(one("env"), environment={"BLASTDB": "a b", "PATH": "/usr/bin:/bin"}, limits=small()))

    said = dict(line.split("=", 1) for line in jobs.text().splitlines())
    assert (said["BLASTDB"], said["PATH"]) == ("a b", "/usr/bin:/bin")
    assert set(said) <= {"PATH", "HOME", "TMPDIR", "LANG", "BLASTDB", "FAIRLEAD_JOB", "PWD"}


def test_it_holds_no_file_of_ours(jobs):
    jobs.run(script("ls /proc/self/fd"))

    assert jobs.text().split() == ["0", "1", "2", "3"]  # 3 is how ls reads the list


def test_temporary_files_are_the_job_s_own_and_go_with_it(jobs):
    for name in ("one", "two"):
        observed = jobs.run(script("mktemp; ls $TMPDIR | wc -l", stdout="out"), name)
        assert observed.state is State.FINISHED
        assert jobs.text("out", name).split()[1] == "1"
        assert not (jobs.folder(name) / "tmp").exists()


def test_what_was_used_is_told(jobs):
    before = time.time()

    usage = jobs.run(
        script("head -c 3000000 /dev/zero > zeros; sleep 0.3; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
    ).usage

    assert before <= usage.started_at <= usage.ended_at <= time.time()
    assert 0.3 <= usage.seconds <= usage.ended_at - usage.started_at + 0.1
    assert 0 < usage.cpu_seconds < usage.seconds + 1
    assert MEGABYTE < usage.memory_bytes < 200 * MEGABYTE
    assert 3_000_000 <= usage.output_bytes < 3_100_000


def test_its_time_is_bounded(jobs):
    sleep = long_sleep()

    observed = jobs.run(script(f"sleep {sleep}", limits=small(seconds=1)))

    assert (observed.state, observed.exit_code) == (State.FAILED, None)
    assert observed.message == "It was ended: it ran longer than the 1 seconds it may."
    assert not processes_with(sleep)


def test_the_time_that_one_process_computes_is_bounded(jobs):
    observed = jobs.run(script("while :; do :; done", limits=small(cpu_seconds=1)))

    assert observed.message == "It was ended: it used more of the processor's time than it may."


def test_its_memory_is_bounded(jobs):
    """As sort takes what it is told to at once."""
    greedy = "dd if=/dev/zero of=/dev/null bs=300M count=1"

    assert jobs.run(script(greedy), "enough").state is State.FINISHED
    observed = jobs.run(script(greedy, limits=small(memory_bytes=100 * MEGABYTE)), "too-little")

    assert observed.state is State.FAILED
    assert "memory exhausted" in jobs.text("job.err", "too-little")


def test_the_memory_of_all_its_processes_together_is_bounded(jobs):
    """Each of these holds 60 MB, which one may."""
    hold = "perl -e '$x = \"x\" x 60_000_000; sleep 60' &"

    observed = jobs.run(script(hold * 6 + "wait", limits=small(memory_bytes=150 * MEGABYTE)))

    assert observed.message == "It was ended: its processes used more than the 150 MiB of memory they may."


def test_the_size_of_one_file_is_bounded(jobs):
    observed = jobs.run(JobSpec(one("yes"), limits=small(file_bytes=MEGABYTE)))

    assert observed.message == "It was ended: it wrote a file larger than the 1.0 MiB it may."
    assert (jobs.work("job") / "job.out").stat().st_size == MEGABYTE


def test_one_that_prints_without_end_and_catches_the_signal_is_ended(jobs):
    prints = "$SIG{XFSZ} = 'IGNORE'; while (1) { print 'x' x 65536 }"

    observed = jobs.run(JobSpec(one("perl", "-e", prints), limits=small(seconds=3)))

    assert observed.state is State.FAILED
    assert (jobs.work("job") / "job.out").stat().st_size <= 8 * MEGABYTE


def test_all_that_it_writes_together_is_bounded(jobs):
    many = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); head -c 1000000 /dev/zero > $i; sleep 0.02; done; sleep 60"

    observed = jobs.run(script(many))

    assert observed.message == "It was ended: it wrote more than the 16.0 MiB it may."
    assert observed.usage.output_bytes > 16 * MEGABYTE


def test_what_it_writes_to_temporary_files_counts(jobs):
    many = 'cd "$TMPDIR"; for each in a b c; do head -c 7000000 /dev/zero > $each; done; sleep 60'

    assert "more than the 16.0 MiB" in jobs.run(script(many)).message


def test_it_counts_also_when_the_job_is_faster_than_we_look(jobs):
    observed = jobs.run(script("for each in a b c; do head -c 7000000 /dev/zero > $each; done"))

    assert observed.state is State.FAILED
    assert observed.message == "It was ended: it wrote more than the 16.0 MiB it may."


def test_empty_files_are_not_nothing(jobs):
    many = "i=0; while [ $i -lt 1000 ]; do i=$((i+1)); : > $i; done; sleep 60"

    observed = jobs.run(script(many, limits=small(output_bytes=2 * MEGABYTE, file_bytes=2 * MEGABYTE)))

    assert observed.message == "It was ended: it wrote more than the 2.0 MiB it may."


def test_folders_without_end_are_ended(jobs):
    dig = "while (1) { mkdir 'd'; chdir 'd'; select undef, undef, undef, 0.002 }"

    observed = jobs.run(JobSpec(one("perl", "-e", dig), limits=small(seconds=20)))

    assert observed.message == "It was ended: its folders are too deep."
    depth, at = 0, jobs.work("job")
    while (at := at / "d").exists():
        depth += 1
    assert depth < 70


def test_a_disk_that_fills_ends_those_that_run_and_holds_those_that_wait(jobs, tmp_path):
    sleep = long_sleep()
    jobs.submit(script(f"sleep {sleep}"))
    wait_until(lambda: processes_with(sleep))

    LocalSystem(jobs.root, 2, least_free_bytes=2**60, sandbox=is_inside(jobs))
    jobs.submit(script("echo ran"), "next")
    observed = jobs.end_of()

    assert observed.state is State.FAILED
    assert observed.message.startswith("It was ended: the server's disk is nearly full, ")
    assert not processes_with(sleep)
    assert (jobs.look("next").state, jobs.look("next").message) == (
        State.PENDING,
        "It waits until there is room on the server's disk.",
    )

    LocalSystem(jobs.root, 2, least_free_bytes=0, sandbox=is_inside(jobs))
    assert jobs.end_of("next").state is State.FINISHED


def test_one_that_forks_without_end_is_ended(jobs):
    sleep = long_sleep()
    bomb = f"i=0; while [ $i -lt 300 ]; do i=$((i+1)); sleep {sleep} & done; wait"

    observed = jobs.run(script(bomb, limits=small(processes=40, seconds=20)))

    assert observed.state is State.FAILED
    assert not processes_with(sleep)


def test_a_swarm_whose_processes_replace_each_other_is_ended(jobs):
    """Whoever only kills what a list shows is too late each time."""
    swarm = "$n = 0; while ($n++ < 100_000) { $p = fork; next unless defined $p; exit if $p }"
    started = [Stage(("sh", "-c", 'for i in 1 2 3 4 5; do perl -e "$1" swarm & done; sleep 60', "sh", swarm))]

    observed = jobs.run(JobSpec((Pipe(tuple(started)),), limits=small(seconds=2)))

    assert observed.state is State.FAILED
    assert not processes_with(swarm)


def test_one_that_ignores_being_told_to_end_is_ended(jobs):
    sleep = long_sleep()

    observed = jobs.run(script(f"trap '' TERM INT HUP; sleep {sleep}; sleep {sleep}", limits=small(seconds=1)))

    assert observed.state is State.FAILED
    assert not processes_with(sleep)


def test_one_that_heeds_it_may_say_a_last_word(jobs):
    jobs.submit(script("trap 'echo bye > word; exit' TERM; touch ready; sleep 30 & wait"))
    wait_until((jobs.work("job") / "ready").exists)

    jobs.system.kill("job")

    assert jobs.end_of().state is State.KILLED
    assert jobs.text("word") == "bye\n"


def test_what_it_leaves_behind_is_ended(jobs):
    """In a session of its own, its parents gone, with nothing of the job open."""
    sleep = long_sleep()
    daemon = f"(setsid sh -c '(sleep {sleep} >/dev/null 2>&1 </dev/null &) ; exit' &) ; sleep 0.5; echo done"

    observed = jobs.run(script(daemon))

    assert (observed.state, jobs.text()) == (State.FINISHED, "done\n")
    assert not processes_with(sleep)


def test_what_one_pipe_leaves_behind_is_ended_before_the_next(jobs):
    behind = Pipe((Stage(("sh", "-c", "(while :; do echo x >> grows; sleep 0.05; done) & exit 0")),))
    look = Pipe((Stage(("sh", "-c", "wc -c < grows > before; sleep 0.5; wc -c < grows > after")),))
    wait = Pipe((Stage(("sh", "-c", "touch grows")),))

    jobs.run(JobSpec((behind, wait, look), limits=small()))

    assert jobs.text("before") == jobs.text("after")


def test_what_leads_out_of_the_folder_is_taken_away_afterwards(jobs):
    leads_out = """
    ln -s /etc/passwd a; ln -s ../.job_spec.json b; ln -s / c; mkfifo d; mkdir e; ln -s /etc/shadow e/f; ln -s a g
    ln -s loop loop; echo x > real; ln -s real good; echo y > shut; chmod 0 shut; mkdir closed; echo z > closed/in
    chmod 0 closed; cp /bin/true tool; chmod 6755 tool
    """

    assert jobs.run(script(leads_out)).state is State.FINISHED

    work = jobs.work("job")
    assert sorted(path.name for path in work.iterdir()) == [
        "closed", "e", "good", "job.err", "job.out", "real", "shut", "tool",
    ]  # fmt: skip
    assert list((work / "e").iterdir()) == []
    assert (jobs.text("good"), jobs.text("shut"), jobs.text("closed/in")) == ("x\n", "y\n", "z\n")
    assert (work / "tool").stat().st_mode & 0o7000 == 0
    assert {path.stat().st_uid for path in [work, *work.rglob("*")]} == {os.getuid()}


def test_it_uses_the_processors_that_it_was_given(jobs):
    jobs.run(JobSpec(one("nproc"), limits=small()), "one")
    jobs.run(JobSpec(one("nproc"), cpus=2, limits=small()), "two")

    assert jobs.text(name="one") == "1\n"
    assert jobs.text(name="two") == f"{min(2, len(os.sched_getaffinity(0)))}\n"


def test_it_gives_way_to_the_server(jobs):
    jobs.run(JobSpec(one("nice"), limits=small()))

    assert int(jobs.text()) == min(os.nice(0) + 10, 19)


@pytest.mark.skipif(not is_root(), reason="only root can run a program as another user")
def test_it_is_another_user_than_the_server(jobs):
    jobs.put("job", "input", "data")

    observed = jobs.run(script("id -u; cat input; echo more >> input"))

    assert observed.state is State.FINISHED
    assert jobs.text().startswith("606")
    assert jobs.text("input") == "datamore\n"


@pytest.mark.skipif(not is_root(), reason="only root can run a program as another user")
def test_it_cannot_touch_what_decides_about_it(jobs):
    reach = """
    cat ../.job_spec.json; echo x > ../.job_result.json; rm -f ../.job_lock; mv ../.job_runner.json ../x; touch ../y
    ls ..; ls ../..; cat ../../.queue/settings.json; kill -9 $PPID; kill -9 -1; echo survived
    """
    before = time.time()

    observed = jobs.run(script(reach))

    assert observed.state in (State.FAILED, State.FINISHED)
    assert observed.usage.started_at >= before
    names = {path.name for path in jobs.folder("job").iterdir()}
    assert {".job_lock", ".job_runner.json", ".job_spec.json", ".job_result.json"} <= names
    assert not {"x", "y"} & names
    assert "argv" not in jobs.text()
    assert "slots" not in jobs.text()


def test_two_jobs_at_a_time_cannot_reach_each_other(sandboxed):
    sleep = long_sleep()
    sandboxed.submit(script(f"echo secret > mine; sleep {sleep}"), "first")
    wait_until(lambda: processes_with(sleep))
    theirs = sandboxed.work("first")

    sandboxed.run(script(f"cat {theirs}/mine; ls {theirs}; ls -d /proc/[0-9]*; kill -9 -1"), "second")

    assert "secret" not in sandboxed.text(name="second")
    assert len(sandboxed.lines_of("job.out", "second")) <= 4
    assert sandboxed.look("first").state is State.RUNNING


def test_a_sandboxed_program_sees_the_system_and_its_folder_alone(sandboxed, tmp_path):
    ours = tmp_path / "ours.txt"
    ours.write_text("hunter2")
    ours.chmod(0o644)
    databank = tmp_path / "shelf" / "databank"
    databank.mkdir(parents=True)
    (databank / "entry").write_text("ACGT")
    (tmp_path / "shelf" / "other").write_text("not this")
    for path in (tmp_path, databank.parent, databank):
        path.chmod(0o755)

    sandboxed.run(
        script(f"pwd; cat {databank}/entry {databank}/../other {ours} /etc/passwd; ls / /etc; echo x > {databank}/new")
    )

    said = sandboxed.text()
    assert said.startswith("/work\nACGT")
    assert "hunter2" not in said
    assert "root:" not in said
    assert "not this" not in said
    assert not (databank / "new").exists()


def test_a_sandboxed_program_writes_nowhere_but_in_its_folders(sandboxed):
    places = "/ /usr /etc /dev /proc /bin /usr/local /var /home /run"

    sandboxed.run(
        script(f"for each in {places}; do touch $each/x 2>/dev/null && echo $each; done; touch /tmp/x /dev/shm/y ./z")
    )

    assert sandboxed.text() == ""
    assert sandboxed.text("job.err") == ""


def test_a_sandboxed_program_has_no_network_unless_it_needs_it(sandboxed):
    sandboxed.run(JobSpec(one("cat", "/proc/net/dev"), limits=small()), "without")
    sandboxed.run(JobSpec(one("cat", "/proc/net/dev"), limits=small(), network=True), "with")

    def devices(lines: list[str]) -> set[str]:
        return {line.split(":")[0].strip() for line in lines[2:]}

    with open("/proc/net/dev") as file:
        ours = devices(file.readlines())
    assert devices(sandboxed.lines_of("job.out", "with")) == ours
    assert devices(sandboxed.lines_of("job.out", "without")) < ours


def test_a_library_that_the_description_names_is_loaded_inside_only(sandboxed):
    """The programs that make the sandbox run outside, or as root: they are not to load it."""
    sandboxed.put("job", "evil.so", "no library")

    sandboxed.run(JobSpec(one("true"), environment={"LD_PRELOAD": f"/{WORK}/evil.so"}, limits=small()))

    assert sandboxed.text("job.err").count("evil.so") == 1


def test_a_folder_that_is_not_the_system_s_is_refused(jobs, tmp_path):
    for folder in (tmp_path / "elsewhere", jobs.root, jobs.root / ".queue" / "x", jobs.root / "a" / ".." / ".." / "b"):
        with pytest.raises(WrongFolder):
            jobs.system.submit(folder, script("true"))
    with pytest.raises(WrongFolder, match="too long"):
        jobs.system.submit(jobs.root / "x" / ("y" * 250), script("true"))


def test_folders_may_lie_deeper(jobs):
    assert jobs.run(script("echo x"), "tenant/a b/0001").state is State.FINISHED
    assert jobs.text(name="tenant/a b/0001") == "x\n"


def test_the_system_says_how_it_runs_jobs(tmp_path):
    plain = LocalSystem(tmp_path / "jobs", 3, sandbox=False).describe()

    assert plain.startswith("3 at a time on this machine, without a sandbox")
