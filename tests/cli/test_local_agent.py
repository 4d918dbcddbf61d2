"""The agent of a local instance says what alm-agent says, in the same order, and does not give up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from fairlead.base import lasting
from house.local_stacks import ACCOUNT, SECRET, STACK, is_alive, local_layer, local_stack, wait_until

SLEEP = {"command": ["sleep", "1000"]}
CONFIG, STS, TOKEN = "/v3/alm/agent/config", "/v3/alm/sts", "/v3/access_token"


@pytest.fixture
def stack(tmp_path):
    with local_stack(tmp_path / "local") as stack:
        yield stack


def up_to_date(stack, times: int = 1) -> None:
    wait_until(lambda: stack.api.reports(kind="agent_status").count("uptodate") == times, "that it is up to date")


def end(stack, instance: str) -> None:
    pid = stack.pid(instance)
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(pid), "the end of the agent")


def spot_layer(**more) -> dict:
    return local_layer(
        auto_scaling={"min": 1, "max": 1, "availability_zones": "a", "spot_to_ondemand_ratio": 100}, **more
    )


def test_it_says_what_alm_agent_says_in_the_same_order(stack):
    stack.carry_out(local_layer(container=SLEEP))
    up_to_date(stack)
    (instance,) = stack.ids
    agent_id = (stack.at(instance) / "alm-agent.id").read_text()
    about = f"stack_id={STACK}&agent_id={agent_id}"
    container = f"{about}&container_id={instance}&instance_id={instance}&status="

    heard = [(each.method, each.path, each.query, each.body) for each in stack.api.heard]
    asked = ("GET", CONFIG, f"flag=Web01&stack_id={STACK}", "")
    assert [each for at, each in enumerate(heard) if each != asked or asked not in heard[:at]] == [
        ("POST", TOKEN, "", f"client_id={STACK}&client_secret={SECRET}&grant_type=client_credentials"),
        ("POST", "/v3/alm/agent/container_status", "", container + "starting"),
        ("GET", STS, f"service=logs&stack_id={STACK}", ""),
        asked,
        ("POST", "/v3/alm/agent/container_status", "", container + "installing"),
        ("POST", "/v3/alm/agent/container_status", "", container + "complete"),
        ("POST", "/v3/alm/agent/agent_status", "", f"{about}&instance_id={instance}&status=uptodate"),
    ]
    for each in stack.api.heard[1:]:
        assert each.headers["Authorization"] == "Bearer token-1"
        assert each.headers.get("Content-Type") == (
            "application/x-www-form-urlencoded" if each.method == "POST" else None
        )


def test_while_nothing_changes_it_asks_for_its_configuration_and_no_more(stack):
    stack.carry_out(local_layer(container=SLEEP))
    up_to_date(stack)
    stack.api.heard.clear()

    wait_until(lambda: len(stack.api.heard) >= 5)

    assert {each.path for each in stack.api.heard} == {CONFIG}


def test_a_larger_stamp_is_deployed_and_a_smaller_one_is_not(stack):
    stack.carry_out(local_layer(container=SLEEP))
    up_to_date(stack)
    stack.api.heard.clear()

    stack.stamp = 5
    stack.carry_out(local_layer(container={"command": ["sleep", "1001"]}))
    wait_until(lambda: len(stack.api.heard) >= 5)
    assert stack.api.reports() == []

    stack.stamp = 200
    stack.carry_out(local_layer(container={"command": ["sleep", "1002"]}))
    up_to_date(stack)
    assert stack.api.reports() == ["updating", "installing", "complete", "uptodate"]


def test_a_layer_without_a_container_is_up_to_date_with_nothing_to_run(stack):
    stack.carry_out(local_layer())
    up_to_date(stack)

    assert stack.api.reports() == ["starting", "complete", "uptodate"]
    assert len(stack.processes()) == 1


def test_what_runs_is_ended_when_the_layer_has_no_container_any_more(stack):
    stack.carry_out(local_layer(container=SLEEP))
    up_to_date(stack)

    stack.carry_out(local_layer())
    up_to_date(stack, times=2)

    wait_until(lambda: len(stack.processes()) == 1, "the end of the workload")


def test_it_says_goodbye_and_ends_what_it_runs_when_it_is_told_to(stack):
    stack.carry_out(local_layer(container=SLEEP))
    up_to_date(stack)

    end(stack, stack.ids[0])

    assert stack.api.reports()[-1] == "stopped"
    assert not stack.processes()


def test_nobody_who_does_not_answer_keeps_it_from_ending(stack):
    stack.carry_out(local_layer(container=SLEEP))
    up_to_date(stack)
    stack.api.close()

    began = time.monotonic()
    end(stack, stack.ids[0])

    assert time.monotonic() - began < 10
    assert not stack.processes()
    stack.api.open()


def test_a_token_is_kept_and_renewed_only_when_it_is_no_longer_good(stack):
    stack.carry_out(local_layer(container=SLEEP))
    up_to_date(stack)
    kept = stack.at(stack.ids[0]) / "tokencache.json"
    assert stack.api.times(TOKEN) == 1

    stack.api.token = "token-2"
    wait_until(lambda: stack.api.times(TOKEN) == 2 and "token-2" in kept.read_text())

    said = json.loads(kept.read_text())
    kept.write_text(json.dumps(said | {"expires_at": time.time() + 7 * 3600 - 1}))
    wait_until(lambda: stack.api.times(TOKEN) == 3, "a new token, as less than 7 hours were left")
    stack.api.heard.clear()
    wait_until(lambda: stack.api.times(CONFIG) >= 3)
    assert not stack.api.times(TOKEN)


def test_it_waits_for_a_server_that_is_away_while_its_workload_goes_on(stack):
    stack.carry_out(local_layer(container=SLEEP))
    up_to_date(stack)
    before = set(stack.processes())
    stack.api.close()
    wait_until(lambda: "does not answer" in stack.log(stack.ids[0]))
    stack.api.heard.clear()

    stack.api.open()

    wait_until(lambda: stack.api.times(CONFIG), "that it is there again")
    assert set(stack.processes()) == before
    assert stack.api.times(TOKEN) == 0
    assert stack.log(stack.ids[0]).count("does not answer") == 1


def test_what_the_server_did_not_hear_is_said_again_in_its_order(stack):
    stack.api.refusing["/v3/alm/agent/container_status"] = 503
    stack.carry_out(local_layer(container=SLEEP))
    wait_until(lambda: stack.api.times("/v3/alm/agent/container_status") >= 2)
    stack.api.heard.clear()

    stack.api.refusing.clear()
    up_to_date(stack)

    assert stack.api.reports() == ["starting", "installing", "complete", "uptodate"]


def test_it_keeps_trying_when_its_secret_is_refused(stack):
    stack.api.refusing[TOKEN] = 401
    stack.carry_out(local_layer(container=SLEEP))
    wait_until(lambda: stack.api.times(TOKEN) >= 3)
    assert {each.path for each in stack.api.heard} == {TOKEN}

    stack.api.refusing.clear()

    up_to_date(stack)


def test_a_spot_instance_that_will_be_taken_away_says_so_once(stack):
    stack.carry_out(spot_layer(container=SLEEP))
    up_to_date(stack)
    (instance,) = stack.ids

    (stack.at(instance) / "termination-time").write_text("2026-01-01T00:00:00Z")
    wait_until(lambda: stack.api.times("/v3/event/spot/shutdown"))
    stack.api.heard, heard = [], stack.api.heard
    wait_until(lambda: stack.api.times(CONFIG) >= 3)

    (notice,) = [each for each in heard if each.path == "/v3/event/spot/shutdown"]
    assert notice.body == f"user_id={ACCOUNT}&stack_id={STACK}&instance_id={instance}"
    assert not stack.api.times("/v3/event/spot/shutdown")
    assert is_alive(stack.pid(instance))


def test_others_take_no_notice_of_a_termination_time(stack):
    stack.carry_out(local_layer(container=SLEEP))
    up_to_date(stack)

    (stack.at(stack.ids[0]) / "termination-time").touch()
    stack.api.heard.clear()
    wait_until(lambda: stack.api.times(CONFIG) >= 3)

    assert not stack.api.times("/v3/event/spot/shutdown")


def test_its_id_stays_the_same_when_it_is_started_again(stack):
    stack.carry_out(local_layer(container=SLEEP))
    up_to_date(stack)
    end(stack, stack.ids[0])

    stack.carry_out(local_layer(container=SLEEP))
    up_to_date(stack, times=2)

    assert len({each.fields["agent_id"] for each in stack.api.heard if "agent_id" in each.fields}) == 1


def test_a_configuration_that_makes_no_sense_is_an_error_and_not_its_end(stack):
    stack.carry_out(local_layer(container=SLEEP))
    up_to_date(stack)
    good = stack.api.configs["Web01"]

    stack.api.configs["Web01"] = {"container_updated": "soon"}
    wait_until(lambda: "error" in stack.api.reports())
    stack.api.configs["Web01"] = good | {"container_updated": 10**6}

    up_to_date(stack, times=2)
    assert stack.api.errors() == ["the configuration of this layer cannot be read"]


def test_no_secret_is_in_its_log(stack):
    stack.carry_out(local_layer(container=SLEEP | {"environmentVariables": {"A": "value-of-a-variable"}}))
    up_to_date(stack)
    stack.api.token = "token-2"
    wait_until(lambda: stack.api.times(TOKEN) == 2)

    log = stack.log(stack.ids[0])

    for secret in (SECRET, "token-1", "token-2", "value-of-a-variable"):
        assert secret not in log


def test_it_does_not_begin_where_nothing_is_furnished(tmp_path):
    command = [sys.executable, "-m", "fairlead", "local-agent"]

    nowhere = subprocess.run([*command, tmp_path / "nowhere"], capture_output=True, text=True, check=False)
    bare = subprocess.run(command, capture_output=True, text=True, check=False)

    assert nowhere.returncode == bare.returncode == 2
    assert nowhere.stderr == f"fairlead local-agent: {tmp_path}/nowhere/instance.json cannot be read\n"
    assert bare.stderr.startswith("usage: fairlead local-agent FOLDER")


def test_it_imports_nothing_of_the_server():
    """There may be hundreds of agents on a host: each must be small and soon there."""
    script = "import sys; sys.argv = ['fairlead', 'local-agent']; from fairlead.cli import main\ntry: main()\n"
    script += "except SystemExit: pass\nimport fairlead.cli.local_agent.agent\nprint(*sys.modules)"

    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    heavy = {"sqlalchemy", "litestar", "typer", "rich", "httpx", "cryptography", "fairlead.domain", "asyncio"}
    assert "fairlead.cli.local_agent.agent" in said.stdout.split()
    assert not heavy & set(said.stdout.split())


def test_a_second_agent_of_an_instance_ends_at_once(stack):
    stack.carry_out(local_layer(container=SLEEP))
    up_to_date(stack)
    folder = stack.at(stack.ids[0])
    pid = stack.pid(stack.ids[0])

    command = [sys.executable, "-m", "fairlead", "local-agent", str(folder)]
    second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)

    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    wait_until(lambda: len(stack.processes()) == 3)
    assert stack.pid(stack.ids[0]) == pid
    assert lasting.is_running(folder)


def test_looking_whether_it_runs_keeps_nobody_from_beginning(stack):
    """Whoever looks holds the lock for a moment."""
    layer = local_layer(container=SLEEP, instance_count=3)
    stack.plan = stack.driver.plan(stack.order(layer), None)
    folders = [stack.at(each) for each in stack.ids]
    script = (
        "import sys; from fairlead.base.lasting import *\nwhile True: [is_running(Path(each)) for each in sys.argv[1:]]"
    )
    looker = subprocess.Popen([sys.executable, "-c", script, *map(str, folders)])
    try:
        stack.driver.create(stack.order(layer), stack.plan)
        stack.wait()
    finally:
        looker.kill()
        looker.wait()

    assert len({stack.pid(each) for each in stack.ids}) == 3
