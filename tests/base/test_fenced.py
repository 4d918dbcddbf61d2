"""Somebody else's program gets what it is allowed, and nothing of it is left: not here, and not when we die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fairlead.base.fenced import Ended, Fence, run_fenced

MEGABYTE = 1024 * 1024
QUICK = Fence(seconds=30)


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch) -> Path:
    """Where programs get their folders. Nothing may be left in it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def run(*command: str, fence: Fence = QUICK, keep_going=lambda: True, **environment: str) -> Ended:
    return run_fenced(command, fence, environment, keep_going)


def shell(script: str, **more) -> Ended:
    return run("/bin/sh", "-c", script, **more)


def python(script: str, **more) -> Ended:
    return run(sys.executable, "-I", "-c", textwrap.dedent(script), **more)


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(*processes: int) -> None:
    until = time.monotonic() + 10
    while any(map(is_alive, processes)):
        assert time.monotonic() < until, f"{processes} are still there"
        time.sleep(0.01)


def children() -> set[int]:
    """Of this process."""
    return {
        int(process)
        for task in Path("/proc/self/task").iterdir()
        for process in (task / "children").read_text().split()
    }


def numbers_in(text: str) -> list[int]:
    return [int(word) for word in text.split() if word.isdigit()]


def test_what_a_program_says_and_how_it_ended_is_told():
    ended = shell("echo out; echo err >&2; exit 3")

    assert ended == Ended(3, "out\n", "err\n")


def test_one_that_was_ended_by_a_signal_says_which():
    assert shell("kill -TERM $$").exit_code == 128 + signal.SIGTERM


def test_arguments_are_never_seen_by_a_shell(tmp_path):
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
        "gr\u00fc\u00dfe",
    ]

    ended = run("/usr/bin/printf", "%s\\0", *hostile)

    assert ended.exit_code == 0
    assert ended.output == "".join(hostile)
    assert run("/bin/echo", "$HOME", "*").output == "$HOME *\n"


def test_a_program_that_is_not_there_or_is_none_is_told_like_a_shell_does(tmp_path):
    text = tmp_path / "text"
    text.write_text("no program")

    missing, not_executable, folder = run("no-such-program", "x"), run(str(text)), run("/")

    assert (missing.exit_code, missing.error) == (127, "no-such-program: No such file or directory\n")
    assert (not_executable.exit_code, not_executable.error) == (126, f"{text}: Permission denied\n")
    assert folder.exit_code == 126


def test_more_arguments_than_the_system_takes_are_told():
    ended = run("/bin/true", "x" * 3 * MEGABYTE)

    assert ended.exit_code == 126
    assert "Argument list too long" in ended.error


def test_the_environment_is_what_it_is_given_and_nothing_of_ours(monkeypatch):
    monkeypatch.setenv("FAIRLEAD_SECRET", "hunter2")

    said = dict(line.split("=", 1) for line in run("/usr/bin/env", IDEMPOTENCY_KEY="j:1").output.splitlines())

    assert set(said) == {"PATH", "HOME", "TMPDIR", "LANG", "IDEMPOTENCY_KEY"}
    assert said["IDEMPOTENCY_KEY"] == "j:1"


def test_it_has_an_empty_folder_of_its_own_that_goes_with_it(temporary):
    ended = shell("pwd; ls -A; mkdir -p a/b; echo x > a/b/c; ln -s / root; chmod 0 a")

    (folder,) = ended.output.split()
    assert folder.startswith(str(temporary))
    assert not Path(folder).exists()
    assert Path("/etc/passwd").exists()


def test_it_has_no_input_and_no_file_of_ours():
    with open("/etc/passwd", "rb"):
        ended = shell("cat; ls /proc/self/fd")

    assert ended.exit_code == 0
    assert ended.output.split() == ["0", "1", "2", "3"]  # 3 is how ls reads the list


def test_its_time_is_bounded():
    began = time.monotonic()

    ended = shell("echo begun; sleep 100", fence=Fence(seconds=1))

    assert (ended.exit_code, ended.output, ended.problem) == (137, "begun\n", "it was stopped after 1 seconds")
    assert time.monotonic() - began < 10


def test_it_is_stopped_when_nobody_wants_it_any_more():
    wanted = iter([True, True, False])

    ended = shell("sleep 100", keep_going=lambda: next(wanted))

    assert (ended.exit_code, ended.problem) == (137, "it was stopped")


@pytest.mark.parametrize(
    "script",
    [
        "trap '' TERM INT HUP; while :; do sleep 1; done",
        "exec >&- 2>&-; sleep 100",
        "exec 0<&-; sleep 100",
        "while :; do :; done",
        "kill -STOP $$; sleep 100",
    ],
)
def test_no_way_of_not_listening_makes_its_time_longer(script):
    began = time.monotonic()

    ended = shell(script, fence=Fence(seconds=0.4))

    assert (ended.exit_code, ended.problem) == (137, "it was stopped after 0.4 seconds")
    assert time.monotonic() - began < 10


def test_one_that_never_stops_talking_has_no_longer_time_and_no_more_room():
    ended = run("/usr/bin/yes", "x" * 1000, fence=Fence(seconds=1, output_bytes=5000))

    assert len(ended.output) == 5000
    assert ended.problem == "it was stopped after 1 seconds"


def test_the_beginning_of_its_output_is_kept_and_it_is_not_held_up():
    ended = shell(
        "head -c 3000000 /dev/zero | tr '\\0' a; head -c 3000000 /dev/zero | tr '\\0' b >&2; echo end",
        fence=Fence(output_bytes=10),
    )

    assert ended == Ended(0, "a" * 10, "b" * 10)


def test_output_up_to_the_bound_is_whole():
    ended = shell("head -c 2000000 /dev/zero | tr '\\0' a; echo", fence=Fence(output_bytes=4 * MEGABYTE))

    assert ended.output == "a" * 2_000_000 + "\n"


def test_output_that_is_no_text_becomes_one():
    assert shell(r"printf 'a\377\0b\n'").output == "a\ufffdb\n"


def when_started(number: int) -> str:
    """Go on when so many have noted themselves, and say who they are."""
    return f"until [ $(cat started | wc -l) -ge {number} ]; do sleep 0.01; done; cat started"


@pytest.mark.parametrize(
    ("script", "number"),
    [
        ("sleep 300 & echo $! >> started; sleep 300 & echo $! >> started", 2),
        ("(sleep 300 & echo $! >> started; sleep 300) & echo $! >> started", 2),
        ("setsid sh -c 'echo $$ >> started; exec sleep 300' &", 1),
        ("setsid sh -c 'setsid sh -c \"echo \\$\\$ >> started; exec sleep 300\" & exit' &", 1),
        ("nohup sh -c 'trap \"\" TERM HUP; echo $$ >> started; while :; do sleep 300; done' &", 1),
    ],
)
def test_what_it_has_started_ends_with_it_wherever_it_hides(script, number):
    ended = shell(f"touch started; {script}\n{when_started(number)}")

    assert ended.exit_code == 0
    started = numbers_in(ended.output)
    assert len(started) == number
    assert not any(map(is_alive, started))


def test_what_it_has_started_ends_with_its_time():
    ended = shell("setsid sh -c 'echo $$; exec sleep 300' & echo $$; sleep 300", fence=Fence(seconds=1.5))

    started = numbers_in(ended.output)
    assert len(started) == 2
    assert not any(map(is_alive, started))


def test_one_that_starts_more_and_more_ends_with_all_of_it():
    ended = python(
        """
        import os, time
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
            print(os.getpid(), flush=True)
        time.sleep(300)
        """,
        fence=Fence(seconds=1.5),
    )

    started = set(numbers_in(ended.output))
    assert len(started) > 5
    assert not any(map(is_alive, started))


def test_its_own_group_is_all_that_it_can_end_by_accident():
    """`kill 0` is how scripts end what they have started."""
    assert shell("trap 'exit 5' TERM; kill 0; sleep 1").exit_code == 5


def test_one_that_ends_its_keeper_dies_with_it():
    began = time.monotonic()

    ended = shell(
        "setsid sh -c 'echo $$ >> started; exec sleep 300' & sleep 300 & echo $$ $! >> started\n"
        f"{when_started(2)}; kill -KILL $PPID; sleep 300"
    )

    started = numbers_in(ended.output)
    assert len(started) == 3
    wait_until_gone(*started)
    assert ended.exit_code == 137
    assert time.monotonic() - began < 10


def test_its_memory_is_bounded():
    script = "import sys; x = bytearray(int(sys.argv[1])); print('done')"
    small = Fence(memory_bytes=256 * MEGABYTE)

    assert run(sys.executable, "-I", "-c", script, str(MEGABYTE), fence=small).output == "done\n"
    greedy = run(sys.executable, "-I", "-c", script, str(512 * MEGABYTE), fence=small)
    assert greedy.exit_code != 0
    assert "MemoryError" in greedy.error


def test_the_size_of_its_files_is_bounded():
    ended = shell("head -c 100000 /dev/zero > file; wc -c < file", fence=Fence(file_bytes=1000))

    assert ended.output.split() == ["1000"]


def test_caps_that_are_lower_already_stay():
    """As where the whole server runs under a cap of its own, and without the right to raise it."""
    script = (
        "import resource; from fairlead.base.fenced import *\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "print(run_fenced(['sh', '-c', 'ulimit -Hf'], Fence(), {}, lambda: True).output)"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30)

    assert said.stdout.split() == ["8"]  # blocks of 512 bytes


def test_many_run_at_once_and_none_hears_another():
    with ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(lambda number: shell(f"sleep 0.0{number % 10}; pwd; echo {number}"), range(24)))

    assert [one.output.split()[1] for one in ended] == [str(number) for number in range(24)]
    assert len({one.output.split()[0] for one in ended}) == 24


def test_no_file_stays_open_and_no_process_stays_behind():
    shell("true")
    before, children_before = len(os.listdir("/proc/self/fd")), children()

    for _ in range(5):
        shell("setsid sleep 300 & sleep 0")
        shell("sleep 300", fence=Fence(seconds=0.1))

    assert len(os.listdir("/proc/self/fd")) == before
    assert children() == children_before


def test_when_we_are_killed_the_program_ends_and_its_folder_goes(temporary):
    """Otherwise it would still be running when another worker takes the job over."""
    script = textwrap.dedent(
        """
        import tempfile
        from fairlead.base.fenced import *
        command = "pwd > $0/where; setsid sh -c 'echo $$ > $0/hidden; exec sleep 300' $0 & echo $$ > $0/open; sleep 300"
        run_fenced(["sh", "-c", command, PLACE], Fence(), {}, lambda: True)
        """
    )
    place = temporary.parent
    script = script.replace("PLACE", repr(str(place)))
    with subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "TMPDIR": str(temporary)}) as worker:
        until = time.monotonic() + 20
        while not all((place / name).exists() and (place / name).read_text() for name in ("where", "hidden", "open")):
            assert time.monotonic() < until
            time.sleep(0.01)

        worker.kill()

    folder = Path((place / "where").read_text().strip())
    wait_until_gone(*(int((place / name).read_text()) for name in ("hidden", "open")))
    until = time.monotonic() + 10
    while folder.exists():
        assert time.monotonic() < until
        time.sleep(0.01)
