"""Whole runs against a server that checks what it is sent."""

import os
import signal
import threading
import time
from collections import Counter

import pytest

from .stand_in import Answer, StandIn, tls_server

UPDATED = ["downloading", "downloading", "downloading", "installing", "installing", "success"]


def test_a_fleet_is_updated_as_real_clients_are(server, rehearse):
    server.has_deployment = True

    run = rehearse(server, "--until-updated")

    assert (run.exit_code, server.wrongs) == (0, [])
    assert [device.said for device in server.devices.values()] == [UPDATED] * 5
    assert {device.inventory["artifact_name"] for device in server.devices.values()} == {"release-2"}
    assert server.downloads == [None] * 5
    assert run.result["outcomes"] == {"success": 5}
    assert run.result["bytes_downloaded"] == 5 * len(server.artifact)
    assert run.result["answers"]["download 200"] == 5
    assert run.result["sentences"] == ["It went as asked."]


@pytest.mark.parametrize("key_type", ["ed25519", "ec", "rsa"])
def test_every_kind_of_key_signs_as_the_reference_says(server, rehearse, tmp_path, key_type):
    run = rehearse(server, devices=1, key_type=key_type, keys=tmp_path, duration=0.3)

    assert (run.exit_code, server.wrongs) == (0, [])
    assert run.result["states"] == {"accepted": 1}


def test_a_second_run_is_the_same_fleet(server, rehearse):
    for _ in range(2):
        rehearse(server, devices=3, duration=0.3)
    rehearse(server, devices=3, first=2, duration=0.3)

    assert (len(server.devices), server.wrongs) == (5, [])


def test_cut_downloads_are_resumed_exactly_where_they_were(server, rehearse):
    server.has_deployment = True

    run = rehearse(server, "--until-updated", resume_rate=1)

    half = len(server.artifact) // 2
    assert (run.exit_code, server.wrongs) == (0, [])
    assert Counter(server.downloads) == {None: 5, f"bytes={half}-": 5}
    assert run.result["notes"]["downloads resumed"] == 5
    assert run.result["bytes_downloaded"] == 5 * len(server.artifact)


def test_a_download_that_the_server_breaks_off_is_a_complaint_and_resumed(server, rehearse):
    server.has_deployment = True
    server.once["download"] = [Answer(200, server.artifact, break_after=9000)]

    run = rehearse(server, "--until-updated", devices=1)

    assert run.exit_code == 1
    assert server.downloads == ["bytes=9000-"]
    assert run.result["errors"] == {"download: broke off": 1}
    assert run.result["outcomes"] == {"success": 1}


def test_downloads_can_be_kept(server, rehearse, tmp_path):
    server.has_deployment = True

    rehearse(server, "--until-updated", "--save-downloads", devices=2, resume_rate=1, downloads=tmp_path)

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [server.artifact] * 2


def test_a_link_may_lead_elsewhere(server, rehearse):
    server.has_deployment = True
    with StandIn() as store:
        server.instead["download"] = Answer(302, headers={"Location": f"{store.url}/artifacts/b"})
        run = rehearse(server, "--until-updated", devices=2)

        assert (run.exit_code, store.wrongs) == (0, [])
        assert store.downloads == [None, None]


def test_failures_send_a_log_and_are_no_error_when_asked_for(server, rehearse):
    server.has_deployment = True

    run = rehearse(server, "--until-updated", failure_rate=1)

    assert (run.exit_code, server.wrongs) == (0, [])
    assert run.result["outcomes"] == {"failure": 5}
    assert [device.logs[0][-1] for device in server.devices.values()] == [
        "the installation failed, as the simulation was told"
    ] * 5


def test_silent_devices_stay_silent(server, rehearse):
    server.has_deployment = True

    run = rehearse(server, "--until-updated", silence_rate=1)

    assert run.exit_code == 0
    assert run.result["states"] == {"silent": 5}
    assert all("success" not in device.said for device in server.devices.values())


def test_broken_off_downloads_end_in_failure(server, rehearse):
    server.has_deployment = True

    run = rehearse(server, "--until-updated", abort_download_rate=1)

    assert run.result["outcomes"] == {"failure": 5}
    assert run.result["bytes_downloaded"] == 5 * (len(server.artifact) // 2)
    assert {device.said[-1] for device in server.devices.values()} == {"failure"}


def test_an_older_server_is_asked_in_the_older_way_and_that_is_remembered(server, rehearse):
    server.speaks = {"v1 GET"}
    server.takes_put = False

    run = rehearse(server, devices=1, duration=0.5)

    polls = next(iter(server.devices.values())).polls
    assert (run.exit_code, server.wrongs) == (0, [])
    assert polls[:3] == ["v2", "v1 POST", "v1 GET"]
    assert set(polls[3:]) == {"v1 GET"}
    assert run.result["answers"]["inventory 405"] == 1


def test_an_aborted_deployment_is_given_up_quietly(server, rehearse):
    server.has_deployment = True
    server.instead["status"] = Answer(409)

    run = rehearse(server, "--until-updated")

    assert run.exit_code == 0
    assert run.result["outcomes"] == {"aborted": 5}
    assert not server.downloads


def test_a_revoked_token_is_asked_for_again(server, rehearse):
    server.once["next"] = [Answer(401)]

    run = rehearse(server, devices=1, duration=0.4)

    assert run.exit_code == 0
    assert run.result["notes"] == {"sent back to authorize": 1}
    assert run.result["answers"]["authorize 200"] == 2


def test_devices_that_nobody_accepts_keep_knocking_and_the_result_says_so(server, rehearse):
    server.accepts_all = False

    run = rehearse(server, duration=0.5)

    assert run.exit_code == 0
    assert run.result["states"] == {"waiting": 5}
    assert run.result["answers"]["authorize 401"] >= 10
    assert run.result["sentences"][1].startswith("Still without a token: 5.")


def test_answers_of_a_broken_server_are_named_and_the_exit_code_says_so(server, rehearse):
    server.once["next"] = [Answer(500), Answer(200, b"{}")]

    run = rehearse(server, devices=1, duration=0.6)

    assert run.exit_code == 1
    assert run.result["errors"] == {"next: 500": 1, "next: 200 without instructions": 1}
    assert run.result["sentences"][0].startswith("2 times something happened")


def test_what_did_not_finish_in_time_is_said(server, rehearse):
    run = rehearse(server, "--until-updated", duration=0.3)

    assert run.exit_code == 1
    assert run.result["sentences"] == ["5 of 5 devices did not finish a deployment."]


def test_a_tenant_token_goes_into_the_body_and_the_header(server, rehearse):
    server.tenant_token = "tenant.token.x"

    run = rehearse(server, devices=1, duration=0.3, tenant_token="tenant.token.x")

    assert (run.exit_code, server.wrongs) == (0, [])


def test_extra_attributes_and_prefixes_are_reported(server, rehearse):
    rehearse(server, devices=2, duration=0.3, attributes=4, identity_prefix="lab-")

    device = next(iter(server.devices.values()))
    assert device.identity["mac"].startswith("lab-02:")
    assert {name for name in device.inventory if name.startswith("attribute")} == {
        f"attribute_{number:03}" for number in range(4)
    }
    assert isinstance(device.inventory["attribute_003"], list)


def test_a_server_that_closes_every_connection_costs_connections_but_no_errors(server, rehearse):
    server.closes_each_time = True
    server.has_deployment = True

    run = rehearse(server, "--until-updated")

    assert (run.exit_code, server.wrongs) == (0, [])
    assert server.connections > 40


def test_a_fleet_shares_a_few_connections(server, rehearse):
    run = rehearse(server, devices=60, concurrency=2, duration=0.5)

    assert run.exit_code == 0
    assert len(server.devices) == 60
    assert server.connections <= 3


def test_compressed_answers_are_understood(server, rehearse):
    server.gzips = True
    server.has_deployment = True

    run = rehearse(server, "--until-updated")

    assert (run.exit_code, server.wrongs) == (0, [])
    assert run.result["outcomes"] == {"success": 5}


def test_a_server_that_says_nothing_times_out(server, rehearse):
    server.once["inventory"] = [Answer(200, never=True)]

    run = rehearse(server, devices=1, timeout=0.2, duration=1.5)

    assert run.result["errors"] == {"inventory: timed out": 1}


def test_a_certificate_that_nobody_knows_is_only_taken_when_asked_for(rehearse, tmp_path, certificate):
    with StandIn(tls=tls_server(*certificate)) as server:
        server.has_deployment = True
        refused = rehearse(server, devices=1)
        run = rehearse(server, "--insecure", "--until-updated", devices=2, resume_rate=1)

    assert refused.exit_code == 1
    assert "certificate not trusted" in refused.stderr
    assert "--insecure" in refused.stderr
    assert (run.exit_code, server.wrongs) == (0, [])


def test_ctrl_c_ends_the_run_gently_with_its_result(server, rehearse):
    began = time.monotonic()
    threading.Timer(0.6, os.kill, (os.getpid(), signal.SIGINT)).start()

    run = rehearse(server, duration=None)

    assert time.monotonic() - began < 5
    assert run.exit_code == 0
    assert run.result["states"] == {"accepted": 5}
