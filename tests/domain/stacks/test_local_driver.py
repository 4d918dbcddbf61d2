"""Instances on this host: each is one process with a folder of its own, whatever happens to whoever starts it."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time
from contextlib import suppress

import pytest

from fairlead.base import lasting
from fairlead.domain.stacks.vendors.driver import Progress
from house.local_stacks import SECRET, STACK, LocalStack, command_of, is_alive, local_layer, local_stack, wait_until

SLEEP = {"command": ["sleep", "1000"]}


@pytest.fixture
def stack(tmp_path):
    with local_stack(tmp_path / "local") as stack:
        yield stack


def test_an_instance_is_up_and_has_reported_soon(stack):
    began = time.monotonic()
    stack.carry_out(local_layer(container=SLEEP, instance_type="t2.micro"))
    seen = stack.wait()
    wait_until(lambda: stack.api.reports(kind="agent_status") == ["uptodate"])
    took = time.monotonic() - began

    (instance,) = seen.instances
    assert took < 10  # some tenths of a second on a machine that does nothing else
    assert (instance.id, instance.flag, instance.is_spot, instance.state) == (stack.ids[0], "Web01", False, "running")
    assert instance.has_agent
    assert instance.details["State"] == {"Code": "16", "Name": "running"}
    assert instance.details["InstanceType"] == "t2.micro"
    assert instance.details["PrivateIpAddress"] == instance.details["PublicIpAddress"]
    assert instance.details["LaunchTime"].endswith("Z")
    assert "InstanceLifecycle" not in instance.details


def test_spot_instances_are_shown_as_such(stack):
    group = {"min": 2, "max": 2, "availability_zones": "a", "spot_to_ondemand_ratio": 50}
    stack.carry_out(local_layer(auto_scaling=group))

    seen = stack.wait().instances

    assert [each.is_spot for each in seen] == [False, True]
    assert [each.details.get("InstanceLifecycle") for each in seen] == [None, "spot"]


def test_nobody_else_may_look_into_an_instance(stack):
    stack.carry_out(local_layer())
    folder = stack.at(stack.ids[0])
    wait_until(lambda: (folder / "tokencache.json").exists())

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("alm-agent.cfg", "tokencache.json", "log", "instance.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name
    assert json.loads((folder / "alm-agent.cfg").read_text()) == {
        "UserId": stack.brief.account,
        "StackId": STACK,
        "APIHost": stack.api.url,
        "AuthorizationToken": SECRET,
        "Flag": "Web01",
    }


def test_an_instance_gets_nothing_of_the_servers_environment(stack, monkeypatch):
    monkeypatch.setenv("FAIRLEAD_SMTP_PASSWORD", "password-of-the-server")
    stack.carry_out(local_layer(container=SLEEP))
    stack.wait()
    processes = wait_until(lambda: len(found := stack.processes()) == 3 and found)

    for process in processes:
        with open(f"/proc/{process}/environ") as file:
            assert "password-of-the-server" not in file.read()
        wait_until(lambda each=process: not sockets_of(each), "the end of its own requests: nothing else is open")


def sockets_of(process: int) -> list[str]:
    found = []
    for name in os.listdir(f"/proc/{process}/fd"):
        with suppress(FileNotFoundError):  # closed while we looked
            target = os.readlink(f"/proc/{process}/fd/{name}")
            found += [target] if "socket" in target else []
    return found


def test_creating_again_makes_nothing_twice(stack):
    stack.carry_out(local_layer(container=SLEEP, instance_count=2))
    stack.wait()
    pids = [stack.pid(each) for each in stack.ids]

    order = stack.order(local_layer(container=SLEEP, instance_count=2))
    for _ in range(3):
        stack.driver.create(order, stack.plan)

    assert [stack.pid(each) for each in stack.ids] == pids
    assert stack.observe().progress == Progress.DONE


SERVERS = """
    import json, os, signal, sys
    from pathlib import Path
    from fairlead.domain.stacks.vendors.driver import AgentBrief, Order
    from fairlead.domain.stacks.vendors.local import LocalDriver
    from house.local_stacks import local_layer, local_template

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        said = json.loads(line)
        server = os.fork()
        if server == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            template = local_template(local_layer(container={"command": ["sleep", "1000"]}))
            order = Order(AgentBrief(*said["brief"]), template)
            LocalDriver(Path(said["folder"]), engine="off", poll_seconds=0.1).create(order, said["plan"])
            os._exit(0)
        print(server, flush=True)
"""


class Servers:
    """Processes that carry out the same plan, as servers would; each can be killed."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(SERVERS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            text=True,
        )

    def create(self, stack: LocalStack) -> int:
        brief = stack.brief
        said = {"brief": [brief.account, brief.stack_id, brief.api_url, brief.auth_token]}
        said |= {"folder": str(stack.folder), "plan": stack.plan}
        self.process.stdin.write(json.dumps(said) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def servers():
    servers = Servers()
    yield servers
    servers.close()


def agents(stack: LocalStack) -> list[int]:
    """Processes that lead a session and are the program itself: one for each instance."""
    return [each for each in stack.processes() if b"local-agent" in command_of(each) and _leads_a_session(each)]


def _leads_a_session(process: int) -> bool:
    try:
        return os.getsid(process) == process
    except ProcessLookupError:  # it ended while we looked
        return False


def test_two_who_start_an_instance_at_the_same_moment_make_one_process(stack, servers):
    layer = local_layer(container=SLEEP, instance_count=4)
    stack.plan = stack.driver.plan(stack.order(layer), None)

    both = [servers.create(stack), servers.create(stack)]
    wait_until(lambda: not any(map(is_alive, both)), "the end of both")

    stack.wait()
    wait_until(lambda: len(agents(stack)) == 4, "one process for each instance")
    wait_until(lambda: stack.api.reports(kind="agent_status").count("uptodate") == 4)
    assert stack.api.reports(kind="container_status").count("starting") == 4


def test_whoever_is_killed_while_creating_leaves_something_that_is_completed(stack, servers):
    layer = local_layer(container=SLEEP, instance_count=3)
    stack.plan = stack.driver.plan(stack.order(layer), None)

    for _ in range(8):
        server = servers.create(stack)
        time.sleep(random.uniform(0, 0.2))
        with suppress(ProcessLookupError):
            os.kill(server, signal.SIGKILL)
    stack.driver.create(stack.order(layer), stack.plan)

    stack.wait()
    wait_until(lambda: len(agents(stack)) == 3, "one process for each instance")
    assert {each.name for each in (stack.folder / STACK).iterdir()} == set(stack.ids)
    stack.delete()
    assert not stack.processes()
    assert not list(stack.folder.iterdir())


def test_an_instance_survives_whoever_started_it(stack, servers):
    stack.plan = stack.driver.plan(stack.order(local_layer(container=SLEEP)), None)
    server = servers.create(stack)
    wait_until(lambda: not is_alive(server))
    pid = stack.pid(stack.ids[0])

    assert is_alive(pid)
    assert os.getsid(pid) == os.getpgid(pid) == pid
    stack.wait()


def test_an_instance_that_dies_while_it_is_made_has_failed_and_its_last_words_are_told(stack):
    stack.carry_out(local_layer(container=SLEEP))
    wait_until(lambda: "reported" in stack.log(stack.ids[0]))
    os.kill(stack.pid(stack.ids[0]), signal.SIGKILL)
    wait_until(lambda: not lasting.is_running(stack.at(stack.ids[0])), "that it is seen to be dead")

    seen = stack.observe()

    assert seen.progress == Progress.FAILED
    assert f"instance {stack.ids[0]} of layer Web01 has ended without being asked to" in seen.cause
    assert "reported" in seen.cause
    assert SECRET not in seen.cause
    assert stack.api.token not in seen.cause
    assert [each.state for each in seen.instances] == ["terminated"]


def test_an_instance_that_never_begins_has_failed_after_a_minute_and_its_last_words_are_told(tmp_path):
    broken = (sys.executable, "-c", "raise SystemExit('half of the program is missing')")
    with local_stack(tmp_path / "local", program=broken) as stack:
        stack.carry_out(local_layer(container=SLEEP))
        assert stack.observe().progress == Progress.UNDER_WAY

        a_minute_ago = time.time() - 61
        os.utime(stack.at(stack.ids[0]) / lasting.LOG, (a_minute_ago, a_minute_ago))
        seen = stack.observe()

    assert seen.progress == Progress.FAILED
    assert "half of the program is missing" in seen.cause


def test_an_instance_whose_folder_was_emptied_is_dead(stack):
    stack.carry_out(local_layer(container=SLEEP))
    stack.wait()
    folder = stack.at(stack.ids[0])

    def empty() -> None:
        subprocess.run(["find", folder, "-mindepth", "1", "-delete"], check=False)

    wait_until(lambda: (empty(), not stack.processes())[1], "the agent to see that it has no folder any more")

    assert [each.state for each in stack.observe().instances] == ["terminated"]


def test_what_has_died_is_not_started_again_in_its_round_but_in_the_next(stack):
    layer = local_layer(container=SLEEP)
    stack.carry_out(layer)
    os.kill(stack.pid(stack.ids[0]), signal.SIGKILL)
    wait_until(lambda: stack.observe().progress == Progress.FAILED)

    stack.driver.create(stack.order(layer), stack.plan)
    assert stack.observe().progress == Progress.FAILED

    stack.carry_out(layer)
    assert stack.wait().instances[0].state == "running"


def test_what_was_running_when_the_machine_went_down_is_started_again(stack):
    layer = local_layer(container=SLEEP)
    stack.carry_out(layer)
    os.kill(stack.pid(stack.ids[0]), signal.SIGKILL)
    wait_until(lambda: stack.observe().progress == Progress.FAILED)
    lock = stack.at(stack.ids[0]) / lasting.LOCK
    lock.write_text(json.dumps(json.loads(lock.read_text()) | {"boot": "another"}))

    stack.driver.create(stack.order(layer), stack.plan)

    assert stack.wait().instances[0].state == "running"


def test_what_the_workload_has_started_ends_with_an_agent_that_is_killed(stack):
    stack.carry_out(local_layer(container={"command": ["sh", "-c", "setsid sleep 1000 & sleep 1000"]}))
    wait_until(lambda: len(stack.processes()) == 5)

    os.kill(stack.pid(stack.ids[0]), signal.SIGKILL)

    wait_until(lambda: not stack.processes(), "the end of the workload")


def test_the_replacement_comes_before_the_one_that_must_go_is_ended(stack):
    layer = local_layer(container=SLEEP)
    stack.carry_out(layer)
    stack.wait()
    (old,) = stack.ids
    pid = stack.pid(old)
    stack.api.refusing["/v3/alm/sts"] = 500

    stack.carry_out(layer, retire=frozenset({old}))
    (new,) = stack.ids
    wait_until(lambda: "sts" in stack.log(new))

    seen = stack.observe()
    assert seen.progress == Progress.UNDER_WAY
    assert {each.id: each.state for each in seen.instances} == {new: "running", old: "running"}

    stack.api.refusing.clear()
    assert [each.id for each in stack.wait().instances] == [new]
    assert not is_alive(pid)
    assert not stack.at(old).exists()
    heard = [(each.fields["instance_id"], each.fields["status"]) for each in stack.api.heard if "status" in each.fields]
    assert heard.index((new, "uptodate")) < heard.index((old, "stopped"))


def test_scaling_in_ends_those_that_are_too_many_and_no_other(stack):
    stack.carry_out(local_layer(container=SLEEP, instance_count=3))
    stack.wait()
    first, *others = stack.ids
    pid = stack.pid(first)

    stack.carry_out(local_layer(container=SLEEP))
    stack.wait()

    assert stack.pid(first) == pid
    assert is_alive(pid)
    assert not any(stack.at(each).exists() for each in others)


def test_one_that_is_being_ended_is_not_taken_back(stack):
    stack.carry_out(local_layer(container=SLEEP, instance_count=2))
    stack.wait()
    gone = stack.ids[1]
    stack.carry_out(local_layer(container=SLEEP))
    wait_until(lambda: stack.observe() and (stack.at(gone) / "ending").exists())

    stack.carry_out(local_layer(container=SLEEP, instance_count=2))

    assert gone not in stack.ids
    assert len(stack.wait().instances) == 2


STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.chdir("/")
        deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(1000)"
        os.execve(sys.executable, [sys.executable, "-c", deaf, sys.argv[1]], {})
    os._exit(0)
os.mkdir("locked", 0o500)
time.sleep(1000)
"""


def named(word: str) -> list[int]:
    found = [int(each) for each in os.listdir("/proc") if each.isdigit()]
    return [each for each in found if word.encode() in command_of(each)]


def test_nothing_is_left_of_a_workload_that_hides_and_will_not_end(stack):
    word = f"stubborn-{random.randbytes(8).hex()}"
    stack.carry_out(local_layer(container={"command": [sys.executable, "-c", STUBBORN, word]}))
    stack.wait()
    wait_until(lambda: len(named(word)) == 2, "both processes")

    stack.delete()

    assert not named(word)
    assert not stack.processes()
    assert not list(stack.folder.iterdir())


def test_an_agent_that_does_not_end_is_killed_with_all_it_has_started(tmp_path):
    with local_stack(tmp_path / "local", seconds_to_end=0.3) as stack:
        word = f"stubborn-{random.randbytes(8).hex()}"
        stack.carry_out(local_layer(container={"command": [sys.executable, "-c", STUBBORN, word]}))
        stack.wait()
        wait_until(lambda: len(named(word)) == 2, "both processes")
        os.kill(stack.pid(stack.ids[0]), signal.SIGSTOP)

        stack.delete()

        assert not named(word)
        assert not stack.processes()
        assert not list(stack.folder.iterdir())


def test_what_may_not_be_removed_is_told_once_nothing_runs_any_more(stack, monkeypatch):
    """Containers write as root into what is mounted."""
    stack.carry_out(local_layer(container=SLEEP, instance_count=2))
    stack.wait()
    remove, kept = shutil.rmtree, stack.at(stack.ids[0])

    def may_not(folder, **wishes):
        if folder == kept:
            raise PermissionError(errno.EPERM, "Operation not permitted", str(kept / "work" / "theirs"))
        remove(folder, **wishes)

    monkeypatch.setattr(shutil, "rmtree", may_not)
    stack.driver.delete(stack.brief, stack.plan)
    wait_until(lambda: stack.observe(deleted=True).progress != Progress.UNDER_WAY)

    assert stack.processes() == []
    assert not stack.at(stack.ids[1]).exists()
    cause = stack.observe(deleted=True).cause
    assert cause.endswith(f"not all files can be removed: Operation not permitted: {kept}/work/theirs")

    monkeypatch.undo()
    assert stack.observe(deleted=True).progress == Progress.DONE


def test_files_that_may_not_be_removed_keep_no_instance_from_leaving(stack, monkeypatch):
    stack.carry_out(local_layer(container=SLEEP, instance_count=2))
    stack.wait()
    kept = stack.at(stack.ids[1])

    def may_not(folder, **_):
        raise PermissionError(errno.EPERM, "Operation not permitted", str(folder / "work" / "theirs"))

    monkeypatch.setattr(shutil, "rmtree", may_not)
    stack.carry_out(local_layer(container=SLEEP, instance_count=1))
    seen = stack.wait()

    assert [each.id for each in seen.instances] == stack.ids == [stack.ids[0]]
    assert kept.exists()
    assert not lasting.is_running(kept)


def test_deleting_takes_no_time_and_may_be_done_twice(stack):
    stack.carry_out(local_layer(container=SLEEP, instance_count=2))
    stack.wait()

    began = time.monotonic()
    stack.driver.delete(stack.brief, stack.plan)
    took = time.monotonic() - began
    stack.driver.delete(stack.brief, stack.plan)
    wait_until(lambda: stack.observe(deleted=True).progress == Progress.DONE)

    assert took < 2
    assert stack.api.reports(kind="agent_status").count("stopped") == 2
    stack.delete()
    assert not list(stack.folder.iterdir())


def test_deleting_what_was_never_made_is_no_error(stack):
    stack.plan = stack.driver.plan(stack.order(local_layer()), None)

    stack.delete()

    assert not stack.folder.exists()


def test_instances_of_older_plans_are_deleted_too(stack):
    stack.carry_out(local_layer(instance_count=2))
    stack.wait()
    stack.plan = None

    stack.delete()

    assert not stack.processes()
    assert not list(stack.folder.iterdir())


def test_an_agent_whose_folder_is_gone_ends_by_itself(stack, tmp_path):
    stack.carry_out(local_layer(container=SLEEP))
    stack.wait()
    wait_until(lambda: "uptodate" in stack.api.reports())

    stack.folder.rename(tmp_path / "elsewhere")

    wait_until(lambda: not stack.processes(), "the end of all processes")


def test_agents_are_told_where_the_server_is_now(stack):
    stack.carry_out(local_layer(container=SLEEP))
    wait_until(lambda: "uptodate" in stack.api.reports())
    stack.api.close()
    stack.api.port = 0
    stack.api.heard.clear()
    stack.api.open()

    stack.wait()

    wait_until(lambda: stack.api.times("/v3/alm/agent/config"), "a call to the new address")


@pytest.mark.parametrize("stack_id", ["", "..", "../x", "a/b", ".", "x\n"])
def test_no_stack_is_looked_for_elsewhere(stack, stack_id):
    order = stack.order(local_layer())
    brief = type(order.brief)("a", stack_id, "http://127.0.0.1", "s")

    with pytest.raises(ValueError, match="no stack's id"):
        stack.driver.delete(brief, {})
