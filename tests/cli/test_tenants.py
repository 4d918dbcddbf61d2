"""Organizations are founded and looked after from the shell, while the server runs."""

from __future__ import annotations

import json

import httpx
import pytest

from house.organizations import found
from house.program import Server, run, run_many
from house.world import LOGIN, PASSWORD

EMAIL = "ada@acme.example"
MANY = "--multitenant"
OWN = "/api/management/v1/tenantadm/user/tenant"


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def create(data, *more, input_=""):
    return run("tenant", "create", MANY, "--data", data, "--name", "Acme", "--email", EMAIL, *more, input_=input_)


def log_in(server):
    return httpx.post(server.url + LOGIN, auth=(EMAIL, PASSWORD))


def test_a_server_without_an_organization_says_how_to_make_one_and_takes_it_while_it_runs(data):
    with Server(data, MANY) as server:
        assert "fairlead tenant create" in server.out

        made = create(data, "--plan", "os", input_=f"{PASSWORD}\n")

        assert (made.code, made.err) == (0, "")
        tenant_id = made.out.strip()
        assert made.out == f"{tenant_id}\n"
        shown = json.loads(run("tenant", "show", tenant_id, MANY, "--data", data).out)
        assert shown == json.loads(run("tenant", "show", "--id", tenant_id, MANY, "--data", data).out)
        assert (shown["id"], shown["name"], shown["plan"], shown["device_limit"]) == (tenant_id, "Acme", "os", 50)
        token = log_in(server).text
        own = httpx.get(server.url + OWN, headers={"Authorization": f"Bearer {token}"}).json()
        assert shown["tenant_token"] == own["tenant_token"]

        assert run("tenant", "suspend", tenant_id, MANY, "--data", data).code == 0
        assert log_in(server).status_code == 401
        assert "suspended" in run("tenant", "list", MANY, "--data", data).out
        assert run("tenant", "activate", "--id", tenant_id, MANY, "--data", data).code == 0
        assert log_in(server).status_code == 200
        server.stop()
    with Server(data, MANY) as again:
        assert "fairlead tenant create" not in again.out


def test_an_organization_has_the_device_limit_that_it_is_given(data):
    made = create(data, "--password", PASSWORD, "--device-limit", "7")

    shown = json.loads(run("tenant", "show", made.out.strip(), MANY, "--data", data).out)

    assert (shown["plan"], shown["device_limit"], shown["status"]) == ("enterprise", 7, "active")


def test_whoever_only_looks_founds_nothing(tmp_path, data):
    made = found(data)
    own, many, empty = ("--data", data), ("--tenant-id", made), ("--data", tmp_path / "empty")
    looks = [
        ("tenant", "list", *own),
        ("tenant", "show", made, *own),
        ("user", "list", *own, *many),
        ("tenant", "list", *empty),
    ]
    too_vague = [("user", "list", *own), ("user", "list", *empty), ("account", "client", "list", *own)]
    too_vague += [("user", "create", "--email", "b@acme.example", "--password", PASSWORD, *own)]

    told = run_many([*looks, *too_vague, ("tenant", "list", *own), ("tenant", "list", *empty)])

    assert [each.code for each in told] == [0] * len(looks) + [2] * len(too_vague) + [0, 0]
    assert all("--tenant-id" in each.err for each in told[len(looks) : -2])
    assert EMAIL in told[2].out
    assert [line.split("\t")[:2] for line in told[-2].out.splitlines()] == [[made, "Acme"]]
    assert told[-1].out == ""


def test_a_server_of_one_organization_shows_it_and_makes_no_other(data):
    assert run("user", "create", "--email", EMAIL, "--password", PASSWORD, "--data", data).code == 0
    listed = run("tenant", "list", "--data", data)
    assert "default" in listed.out
    assert json.loads(run("tenant", "show", "default", "--data", data).out)["status"] == "active"

    refused = [
        run("tenant", "create", "--data", data, "--name", "Acme", "--email", EMAIL, "--password", PASSWORD),
        run("tenant", "suspend", "default", "--data", data),
        run("tenant", "activate", "default", "--data", data),
    ]

    assert [each.code for each in refused] == [2, 2, 2]
    assert all("--multitenant" in each.err for each in refused)
    assert json.loads(run("tenant", "show", "default", "--data", data).out)["status"] == "active"
