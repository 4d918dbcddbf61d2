"""Does the step that makes an artifact of a file do so once, however often it is run, and say what failed?"""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import os
import sys
import tarfile
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from domain.workflows.running import carry_out
from fairlead.base.http.links import Links
from fairlead.base.http.outgoing import LARGEST_ANSWER, Outgoing
from fairlead.base.keys import KeyFolder
from fairlead.base.smtp import MailFolder
from fairlead.domain.workflows import Tools
from fairlead.parts import settings_for_own_programs
from fairlead.settings import Settings, load
from house.program import run
from house.world import ADA, DEPLOYMENTS

ARTIFACTS = f"{DEPLOYMENTS}/artifacts"
CONTENT = b"Be quick, but not in a hurry.\n" * 20_000
ARGS = json.dumps({"filename": "motto.txt", "dest_dir": "/etc/motto"})
TOKEN = "hush-hush.token"
UPLOADED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def told(self) -> dict:
        assert (self.code, self.err) == (0, "")
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    def refusal(self, code: int) -> str:
        assert (self.code, self.out, self.err.count("\n")) == (code, "", 1), self
        return self.err.removeprefix("fairlead: ").rstrip("\n")


@pytest.fixture
def create(monkeypatch):
    """Runs the command with the options of the workflow; what is None is left out. The operator allows this host."""
    monkeypatch.setenv("FAIRLEAD_ALLOW_OUTGOING", "127.0.0.1")

    def create(**options: str | None) -> Ended:
        said = {"artifact-name": "motto-1", "device-types": "door-lock,gate", "args": ARGS, "token": ""}
        said |= {name.replace("_", "-"): value for name, value in options.items()}
        arguments = [part for name, value in said.items() if value is not None for part in (f"--{name}", value)]
        own = {name: value for name, value in os.environ.items() if name.startswith("FAIRLEAD_")}
        ended = run("create-artifact", "single-file", *arguments, environment=own)
        return Ended(ended.code, ended.out, ended.err)

    return create


@dataclass
class Waiting:
    """A file that waits in Acme's payload store for being made into an artifact."""

    organization: object
    artifact_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def key(self) -> str:
        return f"generate/{self.organization.tenant.id}/{self.artifact_id}"

    @property
    def options(self) -> dict[str, str]:
        server = self.organization.server
        links, until = Links(KeyFolder(server.settings.keys_folder).ed25519("links")), datetime.now(UTC)
        until += timedelta(days=7)
        get_uri = links.sign(self.key, "motto.txt", expires_at=until, modified_at=UPLOADED_AT, size_bytes=len(CONTENT))
        return {
            "tenant_id": self.organization.tenant.id,
            "artifact_id": self.artifact_id,
            "get_artifact_uri": get_uri,
            "delete_artifact_uri": links.sign_removal(self.key, expires_at=until),
            "deployments_uri": server.internal_url,
        }

    def is_there(self) -> bool:
        return self.organization.server.fairlead.blobs.size(self.key) is not None


@pytest.fixture
def waiting(acme) -> Waiting:
    waiting = Waiting(acme)
    with acme.server.fairlead.blobs.receive(waiting.key) as incoming:
        incoming.write(CONTENT)
        incoming.keep()
    return waiting


def made(mender) -> dict[str, dict]:
    return {each["id"]: each for each in mender.as_(ADA).get(ARTIFACTS).json()}


def test_a_file_becomes_an_artifact_and_is_removed(create, mender, waiting):
    told = create(**waiting.options, description="for the door").told

    artifact = made(mender)[waiting.artifact_id]
    assert told == {
        "artifact_id": waiting.artifact_id,
        "artifact_name": "motto-1",
        "size": artifact["size"],
        "status": "created",
    }
    assert (artifact["name"], artifact["description"]) == ("motto-1", "for the door")
    assert artifact["device_types_compatible"] == ["door-lock", "gate"]
    file = next(each for each in artifact["updates"][0]["files"] if each["name"] == "motto.txt")
    assert file["checksum"] == hashlib.sha256(CONTENT).hexdigest()
    assert file["date"] == "2026-03-01T12:00:00Z"
    assert not waiting.is_there()


def test_the_program_itself_does_the_same(mender, waiting):
    options = {"artifact-name": "motto-1", "device-types": "door-lock", "args": ARGS}
    options |= {name.replace("_", "-"): value for name, value in waiting.options.items()}

    own = {"FAIRLEAD_INTERNAL_LISTEN": waiting.organization.server.internal_url.removeprefix("http://")}
    done = run(
        "create-artifact", "single-file", *(f"--{name}={value}" for name, value in options.items()), environment=own
    )

    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["status"] == "created"
    assert list(made(mender)) == [waiting.artifact_id]


@pytest.mark.parametrize("removal", ["", None], ids=["empty", "none"])
def test_without_an_address_for_removing_the_file_stays(create, mender, waiting, removal):
    assert create(**waiting.options | {"delete_artifact_uri": removal}).told["status"] == "created"

    assert waiting.is_there()


def test_texts_that_look_like_options_are_texts(create, mender, waiting):
    assert create(**waiting.options, artifact_name="--help", description="-x").told["artifact_name"] == "--help"

    assert made(mender)[waiting.artifact_id]["description"] == "-x"


def test_a_step_that_is_repeated_before_the_file_was_removed_changes_nothing(create, mender, waiting):
    assert create(**waiting.options | {"delete_artifact_uri": ""}).told["status"] == "created"
    before = made(mender)

    assert create(**waiting.options).told["status"] == "is there already"

    assert made(mender) == before
    assert not waiting.is_there()


def test_a_step_that_is_repeated_after_the_file_was_removed_changes_nothing(create, mender, waiting):
    assert create(**waiting.options).told["status"] == "created"
    before = made(mender)

    assert create(**waiting.options).told["status"] == "is there already"

    assert made(mender) == before


def test_a_file_that_is_gone_before_there_is_an_artifact_is_told(create, mender, waiting, acme):
    acme.server.fairlead.blobs.remove(waiting.key)

    assert create(**waiting.options).refusal(2) == "the uploaded file is not there any more"
    assert made(mender) == {}
    assert acme.traces() == []


def test_another_artifact_that_is_in_the_way_is_told_and_the_file_stays(create, mender, waiting, acme):
    acme.artifact("motto-1", ("gate", "door-lock"))

    said = create(**waiting.options).refusal(2)

    assert said.startswith("uploading the artifact: 409 An artifact with the same name has conflicting dependencies")
    assert waiting.is_there()


def test_a_link_that_was_changed_is_told(create, waiting):
    options = waiting.options
    options["get_artifact_uri"] += "x"

    assert (
        create(**options).refusal(2).startswith("getting the uploaded file: 403 This download link was not made here")
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"args": "{}"}, "args: Object missing required field"),
        ({"args": '{"filename": "a/b", "dest_dir": "/"}'}, "args: filename may have letters"),
        ({"artifact_name": ""}, "request does not contain the name"),
        ({"artifact_name": "a\udcff"}, "--artifact-name: it is not UTF-8"),
        ({"device_types": ","}, "request does not contain the list of compatible device types"),
        ({"description": "d" * 4097}, "description: the length"),
        ({"artifact_id": "7"}, "uploading the artifact: 400 ID is not UUIDv4"),
        ({"tenant_id": "nobody"}, "uploading the artifact: 404 tenant not found"),
        ({"tenant_id": "../../tenants"}, "uploading the artifact: 404"),
        ({"get_artifact_uri": "ftp://example.com/x"}, "--get-artifact-uri: it is no http"),
        ({"get_artifact_uri": "http://a b/x"}, "--get-artifact-uri: it is no http"),
        ({"get_artifact_uri": "/a\n/b"}, "--get-artifact-uri: it is no http"),
        ({"get_artifact_uri": "http://[/x"}, "--get-artifact-uri: it is no http"),
        ({"delete_artifact_uri": "file:///etc/passwd"}, "--delete-artifact-uri: it is no http"),
        ({"deployments_uri": "mender-deployments:8080"}, "--deployments-uri: it is no http"),
        ({"token": f"{TOKEN}\n"}, "--token: there are characters in it"),
        ({"token": f"{TOKEN} ü"}, "--token: there are characters in it"),
    ],
)
def test_what_can_never_work_ends_with_2_and_a_line_that_says_why(create, mender, waiting, changes, reason):
    ended = create(**waiting.options | {"token": TOKEN} | changes)

    assert ended.refusal(2).startswith(reason)
    assert TOKEN not in ended.err
    assert made(mender) == {}


def test_a_server_that_is_away_is_worth_another_attempt(create, waiting):
    away = "http://127.0.0.1:1"

    assert create(**waiting.options | {"deployments_uri": away}).refusal(1).startswith("getting the uploaded file: ")


class StandIn:
    """Answers as a test says, and notes what it was asked: the world outside of our own server."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[tuple[str, str | None, bytes]] = []
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                stand_in.asked.append((self.command, self.headers.get("authorization"), body))
                status, headers, body = stand_in.answers[self.command]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_DELETE = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def options(self) -> dict[str, str]:
        return {
            "tenant_id": "default",
            "artifact_id": str(uuid.uuid4()),
            "get_artifact_uri": f"{self.url}/file",
            "delete_artifact_uri": f"{self.url}/file",
            "deployments_uri": self.url,
            "token": TOKEN,
        }


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    stand_in = StandIn()
    stand_in.answers = {
        "GET": (200, {"Content-Length": "5"}, b"hello"),
        "POST": (201, {}, b""),
        "DELETE": (204, {}, b""),
    }
    yield stand_in
    stand_in.close()


def test_the_token_goes_to_the_deployments_service_and_nowhere_else(create, stand_in):
    ended = create(**stand_in.options)

    assert ended.told["status"] == "created"
    assert [(method, token) for method, token, _ in stand_in.asked] == [
        ("GET", None),
        ("POST", f"Bearer {TOKEN}"),
        ("DELETE", None),
    ]
    assert TOKEN not in ended.out + ended.err


@pytest.mark.parametrize(
    ("method", "answer", "code", "reason"),
    [
        ("GET", (503, {}, b"away\nfor a while"), 1, "getting the uploaded file: 503 away for a while"),
        ("GET", (302, {"Location": "http://127.0.0.1:1/"}, b""), 2, "getting the uploaded file: 302"),
        ("GET", (200, {"Content-Length": "9"}, b"hello"), 1, "getting the uploaded file: RemoteProtocolError"),
        ("GET", (200, {}, b"hello"), 2, "getting the uploaded file: the answer does not say how long it is"),
        (
            "GET",
            (200, {"Content-Length": "5", "Content-Encoding": "gzip"}, b"hello"),
            2,
            "getting the uploaded file: the answer is encoded",
        ),
        ("POST", (500, {}, b'{"error": "internal error"}'), 1, "uploading the artifact: 500 internal error"),
        ("POST", (429, {}, b""), 1, "uploading the artifact: 429"),
        ("POST", (401, {}, b"x" * 9000), 2, "uploading the artifact: 401 xxx"),
        ("POST", (409, {}, b'{"error": "something else"}'), 2, "uploading the artifact: 409 something else"),
        ("DELETE", (500, {}, b""), 1, "removing the uploaded file: 500"),
    ],
)
def test_what_others_answer_is_told_in_one_line(create, stand_in, method, answer, code, reason):
    stand_in.answers[method] = answer

    ended = create(**stand_in.options)

    assert ended.refusal(code).startswith(reason)
    assert len(ended.err) < 600
    assert TOKEN not in ended.err


@pytest.mark.parametrize("address", ["get_artifact_uri", "delete_artifact_uri", "deployments_uri"])
def test_nobody_is_called_whom_workflows_may_not_call(create, mender, stand_in, waiting, monkeypatch, address):
    own = waiting.options
    monkeypatch.setenv("FAIRLEAD_INTERNAL_LISTEN", own["deployments_uri"].removeprefix("http://"))
    monkeypatch.delenv("FAIRLEAD_ALLOW_OUTGOING")

    ended = create(**own | {address: stand_in.options[address]})

    assert ended.refusal(2).endswith(
        "127.0.0.1 is 127.0.0.1, which is not a public address: the operator can allow it with --allow-outgoing"
    )
    assert stand_in.asked == []


def test_the_names_of_menders_services_stand_for_the_servers_own_listener(create, mender, waiting, monkeypatch):
    own = waiting.options
    monkeypatch.setenv("FAIRLEAD_INTERNAL_LISTEN", own["deployments_uri"].removeprefix("http://"))
    monkeypatch.delenv("FAIRLEAD_ALLOW_OUTGOING")

    assert create(**own | {"deployments_uri": "http://mender-deployments:8080"}).told["status"] == "created"


def test_a_definition_cannot_allow_what_the_operator_has_not(create, stand_in, monkeypatch):
    monkeypatch.setenv("FAIRLEAD_ALLOW_OUTGOING", "")

    for option in ("allow-outgoing", "config", "internal-listen"):
        assert create(**stand_in.options, **{option: "127.0.0.1"}).code == 2
    assert stand_in.asked == []


def test_the_servers_settings_reach_the_program_and_nothing_else_of_it(tmp_path, stand_in):
    """As a task of a server that allows this host; its worker starts the program."""
    settings = Settings(
        data=tmp_path,
        internal_listen="127.0.0.1:8099",
        allow_outgoing="127.0.0.1,10.0.0.0/8",
        stripe_key="hush-hush",
        database="postgresql://fairlead:hush-hush@127.0.0.1/fairlead",
    )
    told = settings_for_own_programs(settings)
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    definition = {"name": "show", "type": "cli", "cli": {"command": ["create-artifact", program]}}
    using = Tools(
        Outgoing(),
        MailFolder(tmp_path, "fairlead@example.com"),
        programs={"create-artifact": [sys.executable, "-I", "-c"]},
        told={"create-artifact": told},
    )

    found = carry_out({"name": "w", "version": 1, "tasks": [definition]}, using)["show"].data["json"]

    ours = {name: value for name, value in found.items() if name.startswith("FAIRLEAD_")}
    assert ours == {
        "FAIRLEAD_LISTEN": "127.0.0.1:8080",
        "FAIRLEAD_INTERNAL_LISTEN": "127.0.0.1:8099",
        "FAIRLEAD_ALLOW_OUTGOING": "127.0.0.1,10.0.0.0/8",
    }
    assert load({}, ours).allow_outgoing == settings.allow_outgoing
    assert "hush-hush" not in str(found)


def test_a_large_file_comes_and_goes_in_pieces(create, stand_in):
    """More than an answer may have elsewhere."""
    content = os.urandom(3 * LARGEST_ANSWER)
    stand_in.answers["GET"] = (200, {"Content-Length": str(len(content))}, content)

    told = create(**stand_in.options).told

    [sent] = [artifact_in(body) for method, _, body in stand_in.asked if method == "POST"]
    assert (told["status"], told["size"]) == ("created", len(sent))
    assert len(sent) > len(content)


@pytest.mark.parametrize("status", [200, 202, 404, 410])
def test_a_file_that_is_removed_already_is_as_good(create, stand_in, status):
    stand_in.answers["DELETE"] = (status, {}, b"")

    assert create(**stand_in.options).told["status"] == "created"


def test_the_same_file_makes_the_same_artifact_whenever_it_is_made(create, stand_in):
    headers = {"Content-Length": "5", "Last-Modified": "Sun, 01 Mar 2026 12:00:00 GMT"}
    stand_in.answers["GET"] = (200, headers, b"hello")

    for _ in range(2):
        assert create(**stand_in.options).told["status"] == "created"

    first, second = (artifact_in(body) for method, _, body in stand_in.asked if method == "POST")
    assert first == second
    with tarfile.open(fileobj=io.BytesIO(first)) as outer:
        assert outer.getnames() == ["version", "manifest", "header.tar.gz", "data/0000.tar.gz"]


def artifact_in(body: bytes) -> bytes:
    """The last part of the form."""
    return body.split(b"\r\n\r\n", 4)[4].rpartition(b"\r\n--")[0]
