"""Does a file that a person hands in reach a device, by way of an artifact that is made here?"""

import os

import pytest

from .artifacts import SMALL_BYTES
from .device import DEVICE_TYPE

pytestmark = pytest.mark.clients


@pytest.mark.parametrize("size", [0, SMALL_BYTES, 5_000_000])
def test_a_file_is_put_where_it_belongs_by_debians_own_update_module(ada, device, size):
    name, content = f"made-of-{size}", os.urandom(size)
    ada.generate(name, content, DEVICE_TYPE, filename="motto", dest_dir="/srv/installed")

    deployment = ada.deploy(name, device)
    ada.wait_until_finished(deployment)

    assert device.installed("motto") == content
    assert device.file("/srv/installed/motto").stat().st_mode & 0o777 == 0o644
    assert ada.statistics(deployment) == {"success": 1}


def test_a_file_gets_a_folder_that_was_not_there(ada, device):
    content = os.urandom(SMALL_BYTES)
    ada.generate("in-a-new-folder", content, DEVICE_TYPE, filename="a.b,c-d_1", dest_dir="/srv/far/away from here")

    ada.wait_until_finished(ada.deploy("in-a-new-folder", device))

    assert device.file("/srv/far/away from here/a.b,c-d_1").read_bytes() == content
