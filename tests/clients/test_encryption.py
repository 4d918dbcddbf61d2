"""Do the clients trust a server that shows the certificate they were given, from the first call to the download?"""

import os

import pytest

from .artifacts import SMALL_BYTES
from .world import World

pytestmark = pytest.mark.clients


@pytest.fixture
def private_world(workshop, tmp_path_factory):
    certificate, key = workshop.certificate()
    with World(tmp_path_factory.mktemp("private"), certificate, key) as world:
        yield world


def test_a_device_is_updated_over_tls(private_world, workshop):
    ada, payload = private_world.ada, os.urandom(SMALL_BYTES)
    device = private_world.fleet.make(server_certificate=private_world.server.certificate)
    ada.accept(device)
    private_world.cli.upload(workshop.artifact("sealed", payload))

    deployment = ada.deploy("sealed", device)

    ada.wait_until_finished(deployment)
    assert ada.statistics(deployment) == {"success": 1}
    assert device.installed("motto") == payload
    assert "http://" not in device.log


def test_a_device_without_the_certificate_says_nothing_to_the_server(private_world):
    device = private_world.fleet.make()

    device.wait_for_log("depth zero self")

    assert private_world.ada.sees(device) is None
