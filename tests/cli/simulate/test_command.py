"""What is typed wrongly is refused in one line."""

import pytest
import typer
from typer.testing import CliRunner

from fairlead.cli.simulate import simulate


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"devices": 0}, "--devices must be 1 or more, not 0."),
        ({"devices": -3}, "--devices must be 1 or more, not -3."),
        ({"first": -1}, "--first must be 0 or more, not -1."),
        ({"first": 16_777_215}, "--first and --devices: the last device may be number 16,777,215."),
        ({"failure_rate": 1.5}, "--failure-rate must be from 0 to 1, not 1.5."),
        ({"silence_rate": -0.1}, "--silence-rate must be from 0 to 1, not -0.1."),
        ({"resume_rate": "nan"}, "--resume-rate must be from 0 to 1, not nan."),
        ({"abort_download_rate": 2}, "--abort-download-rate must be from 0 to 1, not 2.0."),
        ({"poll_interval": 0}, "--poll-interval must be 0.01 or more, not 0.0."),
        ({"inventory_interval": "inf"}, "--inventory-interval must be 0.01 or more, not inf."),
        ({"duration": 0}, "--duration must be 0.01 or more, not 0.0."),
        ({"concurrency": 0}, "--concurrency must be 1 or more, not 0."),
        ({"attributes": 5000}, "--attributes must be from 0 to 1000, not 5000."),
        ({"device_type": ""}, "--device-type must not be empty."),
        ({"timeout": 0}, "--timeout must be 0.01 or more, not 0.0."),
        ({"tenant_token": "a\r\nb"}, "--tenant-token has characters that no token may have."),
        ({"user": "ada"}, "--user needs --password, or FAIRLEAD_PASSWORD in the environment."),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_in_one_line(rehearse, options, sentence):
    run = rehearse("http://127.0.0.1:1", **options)

    assert (run.exit_code, run.stdout) == (2, "")
    assert run.stderr == f"fairlead simulate: {sentence}\n"


def test_a_server_that_is_no_address_is_refused(rehearse):
    run = rehearse("fairlead.example")

    assert run.exit_code == 2
    assert run.stderr.startswith("fairlead simulate: --server: 'fairlead.example' is not an address like https://")


def test_a_server_that_is_not_there_is_said_with_what_to_do(rehearse):
    run = rehearse("http://127.0.0.1:1")

    assert run.exit_code == 1
    assert run.stderr == (
        "fairlead simulate: Cannot reach http://127.0.0.1:1: connection refused. "
        "Is the server running there? Start one with `fairlead serve`, or name another with --server.\n"
    )


def test_people_get_a_table_and_a_sentence(server):
    app = typer.Typer()
    app.command()(simulate)

    done = CliRunner().invoke(app, ["--server", server.url, "--devices", "3", "--duration", "0.5"])

    assert done.exit_code == 0
    assert "3 accepted" in done.stdout
    assert [word for word in ("p50", "p99", "authorize", "inventory", "next") if word not in done.stdout] == []
    assert done.stdout.splitlines()[-1] == "It went as asked."
