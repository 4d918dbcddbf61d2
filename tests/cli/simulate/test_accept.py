"""A rehearsal in one command: the devices are let in by the user who runs it."""

from collections import Counter

from fairlead.cli.simulate import accept

from .stand_in import Answer, Known

ADA = {"user": "ada@acme.example", "password": "correct horse"}


def test_pending_devices_are_accepted_page_by_page_and_updated(server, rehearse):
    server.accepts_all = False
    server.has_deployment = True
    devices = accept.PER_PAGE + 100

    run = rehearse(server, "--until-updated", devices=devices, retry_interval=0.4, ramp=0.2, duration=90, **ADA)

    assert (run.exit_code, server.wrongs) == (0, [])
    assert run.result["outcomes"] == {"success": devices}
    assert run.result["notes"]["accepted by us"] == devices


def test_other_peoples_devices_stay_pending(server, rehearse):
    server.accepts_all = False
    for number in range(accept.PER_PAGE):
        server.devices[f"stranger {number}"] = Known({"mac": f"00:00:00:00:{number >> 8:02x}:{number & 255:02x}"}, "")

    rehearse(server, devices=4, duration=0.8, **ADA)

    assert Counter(device.status for device in server.devices.values()) == {"pending": 500, "accepted": 4}


def test_a_token_does_instead_of_a_password(server, rehearse):
    server.accepts_all = False

    run = rehearse(server, devices=2, duration=0.8, token="ada.token.x")

    assert server.calls["login"] == 0
    assert run.result["states"] == {"accepted": 2}


def test_a_full_tenant_is_named_and_not_asked_in_a_circle(server, rehearse):
    server.accepts_all = False
    server.instead["accept"] = Answer(422)

    run = rehearse(server, devices=2, duration=0.8, **ADA)

    assert run.exit_code == 1
    assert list(run.result["errors"]) == ["accept: 422"]
    assert server.calls["accept"] <= 2 * 6


def test_a_wrong_password_is_said_before_anything_starts(server, rehearse):
    run = rehearse(server, user="ada@acme.example", password="wrong")

    assert run.exit_code == 1
    assert run.stderr == "fairlead simulate: The server does not know 'ada@acme.example' with this password.\n"
    assert not server.devices


def test_a_server_without_logins_is_said_too(server, rehearse):
    server.instead["login"] = Answer(404)

    run = rehearse(server, **ADA)

    assert "404 instead of 200 and a token" in run.stderr
