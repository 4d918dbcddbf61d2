"""The very bytes that devices send."""

import json

import pytest

from fairlead.cli.simulate.address import Origin, parse
from fairlead.cli.simulate.device import Device, Dialect, Fate, Habits, Step, Update
from fairlead.cli.simulate.identity import Addresses, DerivedKeys, Identities, KeyType
from fairlead.cli.simulate.speech import Speech, download

HABITS = Habits(device_type="pi 4", attributes=0)
SPEECH = Speech(
    Origin(False, "fairlead.example", 8080),
    HABITS,
    Identities(Addresses("s", ""), DerivedKeys("s", KeyType.ED25519)),
)
WORK = Update("d1/../x", "release-2", "http://store.example/a?secret=1", Fate(), verdict="failure", reason="it broke")
DEVICE = Device(7, "release-1", token=b"a.b.c", update=WORK)


def test_the_question_for_work_is_word_for_word_that_of_a_real_client():
    assert SPEECH.say(DEVICE, Step.NEXT) == (
        b"POST /api/devices/v2/deployments/device/deployments/next HTTP/1.1\r\n"
        b"Host: fairlead.example:8080\r\n"
        b"User-Agent: Go-http-client/1.1\r\n"
        b"Transfer-Encoding: chunked\r\n"
        b"Accept-Encoding: gzip\r\n"
        b"Authorization: Bearer a.b.c\r\n"
        b"Content-Type: application/json\r\n"
        b"\r\n"
        b"60\r\n"
        b'{"device_provides":{"artifact_name":"release-1","device_type":"pi 4"},"update_control_map":true}\r\n'
        b"0\r\n\r\n"
    )


def test_older_servers_are_asked_with_a_flat_map_or_a_query():
    flat = SPEECH.say(Device(7, "release-1", token=b"t", dialect=Dialect.V1_POST), Step.NEXT)
    query = SPEECH.say(Device(7, "release-1", token=b"t", dialect=Dialect.V1_GET), Step.NEXT)

    assert b'\r\n\r\n32\r\n{"artifact_name":"release-1","device_type":"pi 4"}\r\n0\r\n\r\n' in flat
    assert query == (
        b"GET /api/devices/v1/deployments/device/deployments/next?artifact_name=release-1&device_type=pi+4 HTTP/1.1\r\n"
        b"Host: fairlead.example:8080\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n"
        b"Authorization: Bearer t\r\n\r\n"
    )


def test_the_request_to_be_let_in_is_not_chunked_and_its_token_is_empty():
    head, body = SPEECH.say(DEVICE, Step.AUTHORIZE).split(b"\r\n\r\n")

    assert b"Transfer-Encoding" not in head
    assert f"Content-Length: {len(body)}\r\nAuthorization: Bearer \r\n".encode() in head
    assert json.loads(json.loads(body)["id_data"]) == {"mac": SPEECH.identities.addresses.mac(7)}


@pytest.mark.parametrize(
    ("step", "status"),
    [
        (Step.BEGIN, b"downloading"),
        (Step.STORED, b"downloading"),
        (Step.INSTALL, b"installing"),
        (Step.REBOOT, b"rebooting"),
        (Step.COMMIT, b"installing"),
        (Step.FINISH, b"failure"),
    ],
)
def test_each_step_has_its_status(step, status):
    assert b'{"status":"%b"}' % status in SPEECH.say(DEVICE, step)


def test_what_a_server_calls_a_deployment_cannot_lead_elsewhere():
    assert SPEECH.say(DEVICE, Step.LOG).startswith(
        b"PUT /api/devices/v1/deployments/device/deployments/d1%2F..%2Fx/log HTTP/1.1\r\n"
    )


def test_the_log_says_why():
    assert b'"message":"it broke"' in SPEECH.say(DEVICE, Step.LOG)


def test_a_download_carries_no_token_and_its_rest_is_not_asked_for_compressed():
    address = parse(WORK.uri)

    assert download(address, 0) == (
        b"GET /a?secret=1 HTTP/1.1\r\nHost: store.example\r\nUser-Agent: Go-http-client/1.1\r\n"
        b"Accept-Encoding: gzip\r\n\r\n"
    )
    assert download(address, 2500).endswith(b"Range: bytes=2500-\r\n\r\n")
    assert b"Accept-Encoding" not in download(address, 2500)
