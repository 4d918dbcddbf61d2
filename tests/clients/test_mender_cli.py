"""Can a person do their work with mender-cli?"""

import os

import pytest

from .artifacts import SMALL_BYTES
from .mender_cli import MenderCli
from .server import ADA

pytestmark = pytest.mark.clients


def test_what_was_uploaded_is_listed_and_can_be_deleted(ada, cli, workshop):
    artifact = workshop.artifact("short-lived", os.urandom(SMALL_BYTES))

    cli.do("artifacts", "upload", "--no-progress", "--description", "gone tomorrow", str(artifact))
    assert "short-lived" in cli.do("artifacts", "list")
    [listed] = ada.artifacts("short-lived")
    assert listed["description"] == "gone tomorrow"
    assert listed["size"] == artifact.stat().st_size

    cli.do("artifacts", "delete", listed["id"])
    assert "short-lived" not in cli.do("artifacts", "list")


def test_devices_are_listed_with_their_status(ada, cli, device):
    listed = cli.do("devices", "list")

    assert f"ID: {ada.id_of(device)}\nStatus: accepted" in listed


def test_the_same_artifact_is_refused_the_second_time(cli, workshop):
    artifact = workshop.artifact("only-once", os.urandom(SMALL_BYTES))
    cli.upload(artifact)

    again = cli.try_to("artifacts", "upload", "--no-progress", str(artifact))

    assert again.returncode != 0
    assert cli.do("artifacts", "list").count("Name: only-once") == 1


def test_a_file_that_is_no_artifact_is_refused(cli, tmp_path):
    nonsense = tmp_path / "nonsense.mender"
    nonsense.write_bytes(os.urandom(SMALL_BYTES))

    refused = cli.try_to("artifacts", "upload", "--no-progress", str(nonsense))

    assert refused.returncode != 0


def test_a_wrong_password_is_refused_in_plain_words(world, tmp_path):
    stranger = MenderCli(world.server, tmp_path)

    refused = stranger.try_to("login", "--username", ADA[0], "--password", "guessed")

    assert refused.returncode != 0
    assert "login failed with status 401" in refused.stdout


def test_a_person_without_a_token_is_sent_away(world, tmp_path):
    stranger = MenderCli(world.server, tmp_path)

    refused = stranger.try_to("artifacts", "list", "--token-value", "not.a.token")

    assert refused.returncode != 0
