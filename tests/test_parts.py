"""Do a worker and the programs that it starts come to the same as the server, if they are told the same?"""

from __future__ import annotations

import inspect
import json
from dataclasses import fields
from pathlib import Path
from typing import ClassVar

import pytest
import structlog

from fairlead import parts
from fairlead.base.http.outgoing import NoAnswer
from fairlead.cli.worker import worker
from fairlead.settings import Settings
from house.outside import Outside
from house.program import make_certificate

SENDER = "Fairlead <fairlead@example.com>"


class Noted(Settings):
    """Settings that note which of them are read."""

    read: ClassVar[set[str]] = set()

    def __getattribute__(self, name: str) -> object:
        Noted.read.add(name)
        return super().__getattribute__(name)


@pytest.fixture
def certificate(tmp_path) -> tuple[Path, Path]:
    """A certificate that does not have the name by which workflows call the server, and its key."""
    folder = tmp_path / "certificate"
    folder.mkdir()
    return make_certificate(folder, name="DNS:fairlead.example")


@pytest.mark.parametrize("with_mail", [True, False])
def test_a_worker_can_be_given_every_setting_that_its_work_depends_on(tmp_path, certificate, with_mail):
    cert, key = map(str, certificate)
    mail = {"smtp_host": "mail.example", "mail_from": SENDER} if with_mail else {}
    settings = Noted(data=tmp_path, tls_cert=cert, tls_key=key, **mail)
    Noted.read = set()

    database = parts.open_database(settings)
    parts.open_worker(settings, database, settings.workflow_threads, job_tools=parts.open_jobs(settings))
    database.close()

    assert "smtp_password" in Noted.read or not with_mail
    needed = Noted.read & {each.name for each in fields(Settings)}
    assert needed <= set(inspect.signature(worker).parameters)


def test_our_own_gateway_is_called_though_its_certificate_has_another_name(tmp_path, certificate):
    cert, key = certificate
    both = tmp_path / "both.pem"
    both.write_text(cert.read_text() + key.read_text())
    wait = {"connect_seconds": 5, "read_seconds": 5}
    with Outside(str(both)) as gateway, Outside(str(both)) as other:
        settings = Settings(listen=gateway.host, tls_cert=str(cert), tls_key=str(key), allow_outgoing="127.0.0.1")
        outgoing = parts.open_outgoing(settings)

        assert outgoing.send("GET", "http://mender-api-gateway:8080/x", {}, b"", **wait).status == 200
        with pytest.raises(NoAnswer, match="certificate"):
            outgoing.send("GET", f"{other.url}/x", {}, b"", **wait)


def test_a_file_that_asks_for_what_is_not_allowed_is_named_at_the_start(tmp_path):
    tasks = {
        "good": {"type": "http", "http": {"uri": "http://mender-inventory:8080/api"}},
        "own": {"type": "cli", "cli": {"command": ["create-artifact"]}},
        "program": {"type": "cli", "cli": {"command": ["/bin/sh"]}},
        "address": {"type": "http", "http": {"uri": "http://169.254.169.254/latest"}},
    }
    for name, task in tasks.items():
        document = {"name": name, "version": 1, "tasks": [{"name": "t", **task}]}
        (tmp_path / f"{name}.json").write_text(json.dumps(document))

    with structlog.testing.capture_logs() as told:
        parts.tell_of_forbidden_definitions(Settings(workflow_folder=str(tmp_path)))
        parts.tell_of_forbidden_definitions(Settings())
    with structlog.testing.capture_logs() as told_when_allowed:
        allowed = {"allow_outgoing": "169.254.169.254", "workflow_programs": "/bin/sh"}
        parts.tell_of_forbidden_definitions(Settings(workflow_folder=str(tmp_path), **allowed))

    assert [(each["event"], Path(each["file"]).name) for each in told] == [
        ("workflows.not_allowed", "address.json"),
        ("workflows.not_allowed", "program.json"),
    ]
    assert "--allow-outgoing" in told[0]["reason"]
    assert "--workflow-programs" in told[1]["reason"]
    assert told_when_allowed == []


def test_a_file_that_was_changed_without_a_higher_version_is_named_at_the_start(tmp_path):
    def keep(**versions: int) -> None:
        for name, version in versions.items():
            document = {"name": name, "version": version, "description": f"as of {len(told)}", "tasks": []}
            (tmp_path / f"{name}.json").write_text(json.dumps(document))

    told: list[object] = []
    settings = Settings(data=tmp_path / "data", workflow_folder=str(tmp_path))
    for versions in ({"a": 1, "b": 1, "c": 5, "d": 1}, {"a": 2, "b": 1, "c": 4}):
        keep(**versions)
        database = parts.bring_up_to_date(settings)
        with structlog.testing.capture_logs() as said:
            parts.take_own_definitions(settings, database)
            parts.take_own_definitions(Settings(), database)
        database.close()
        told.append([(each["event"], Path(each["file"]).name, each["version"], each["there"]) for each in said])

    assert told == [[], [("workflows.not_newer", "b.json", 1, 1), ("workflows.not_newer", "c.json", 4, 5)]]
