"""Does a stack come up on this host, from the API to the processes, and is nothing left of it?"""

import os
import time

from house.mobingi import VERSION_1, VERSION_2, Town, wait_until, with_container

ALICLOUD = {"vendor": {"alicloud": {"cred": "acme", "region": "ap-northeast-1"}}}
COMMAND = {"command": ["/bin/sh", "-c", "exec sleep 3600"], "environmentVariables": {"GREETING": "hello"}}


def processes_of(stack_id: str) -> list[str]:
    """Those that have the stack in their command line or their folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                said = file.read().decode(errors="replace") + os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            continue
        found += [pid] if stack_id in said else []
    return found


def up_within(town: Town, stack_id: str, seconds: float) -> bool:
    began_at = time.monotonic()
    town.settle(stack_id, 60)
    return time.monotonic() - began_at < seconds


def test_the_seeds_template_comes_up_on_this_host_is_updated_rolled_back_and_gone(town, harbor):
    first, second = (with_container(each | ALICLOUD, **COMMAND) for each in (VERSION_1, VERSION_2))
    reply = town.master.post("/v3/alm/template", json=first)
    assert reply.status_code == 201, reply.text
    stack_id, version = reply.json()["stack_id"], reply.json()["version_id"]

    assert up_within(town, stack_id, 10)
    assert town.describe(stack_id)["stack_status"] == "CREATE_COMPLETE", town.describe(stack_id)
    assert len(town.instances(stack_id)) == 1
    assert processes_of(stack_id)
    containers = town.master.get(f"/v3/alm/container?stack_id={stack_id}").json()
    assert [each["status"] for each in containers] == ["complete"]

    town.update(stack_id, second)
    assert town.describe(stack_id)["stack_status"] == "UPDATE_COMPLETE"
    assert len(town.instances(stack_id)) == 2
    said = {"id": [{stack_id: {"version": version}}, {stack_id: {"version": "latest"}}]}
    edited = town.master.post("/v3/alm/template/compare", json=said).json()["diff"]["edited"]
    assert edited["configurations/provision/instance_count"] == {"oldvalue": 1, "newvalue": 2}

    town.update(stack_id, town.master.get(f"/v3/alm/template/{stack_id}?version_id={version}").json())
    assert len(town.instances(stack_id)) == 1

    assert town.master.delete(f"/v3/alm/stack/{stack_id}").json() == {"status": "DELETE_IN_PROGRESS"}
    wait_until(lambda: town.master.get(f"/v3/alm/stack/{stack_id}").status_code == 404, 30)
    assert processes_of(stack_id) == []
    assert not (harbor.settings.local_folder / stack_id).exists()
