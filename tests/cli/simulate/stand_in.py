"""A server that is as small as can be and as strict as the real world: it checks what devices send, and can be told to
behave badly. It runs in a thread of its own; `wrongs` lists what it did not like."""

import asyncio
import base64
import gzip
import io
import json
import ssl
import tarfile
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import httptools
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding

AUTH = "/api/devices/v1/authentication/auth_requests"
INVENTORY = "/api/devices/v1/inventory/device/attributes"
V1 = "/api/devices/v1/deployments/device/deployments"
V2 = "/api/devices/v2/deployments/device/deployments"
LOGIN = "/api/management/v1/useradm/auth/login"
DEVICES = "/api/management/v2/devauth/devices"


def make_artifact(size_bytes=20_000):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in (("version", b'{"format":"mender","version":3}'), ("data", bytes(size_bytes))):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


@dataclass
class Request:
    method: str
    path: str
    query: dict
    headers: list
    body: bytes

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    chunked: bool = False
    break_after: int | None = None
    never: bool = False


@dataclass
class Known:
    identity: dict
    pubkey: str
    status: str = "pending"
    inventory: dict = field(default_factory=dict)
    said: list = field(default_factory=list)
    logs: list = field(default_factory=list)
    polls: list = field(default_factory=list)


class StandIn:
    def __init__(self, tls=None):
        self.tls = tls
        self.accepts_all = True
        self.speaks = {"v2", "v1 POST", "v1 GET"}
        self.takes_put = True
        self.tenant_token = ""
        self.artifact = make_artifact()
        self.artifact_name = "release-2"
        self.device_types = ["fairlead-simulated"]
        self.has_deployment = False
        self.closes_each_time = False
        self.gzips = False
        self.instead = {}
        self.once = defaultdict(list)
        self.devices = {}
        self.tokens = {}
        self.calls = Counter()
        self.downloads = []
        self.wrongs = []
        self.connections = 0

    # Running it

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        self.ready.wait()
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def _run(self):
        server = self.loop.run_until_complete(
            self.loop.create_server(lambda: Talk(self), "127.0.0.1", 0, ssl=self.tls, backlog=512)
        )
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()
        server.close()
        self.loop.close()

    # What happens when something is asked

    def answer(self, request):
        kind = self.kind(request)
        self.calls[kind] += 1
        if self.once[kind]:
            return self.once[kind].pop(0)
        if kind in self.instead:
            return self.instead[kind]
        self.check_shape(kind, request)
        return getattr(self, kind)(request)

    def kind(self, request):
        if request.path == AUTH:
            return "authorize"
        if request.path == INVENTORY:
            return "inventory"
        if request.path.endswith("/next"):
            return "next"
        if request.path.endswith("/log"):
            return "log"
        if request.path.startswith(V1):
            return "status"
        if request.path.startswith("/artifacts"):
            return "download"
        if request.path == LOGIN:
            return "login"
        if request.path == DEVICES:
            return "pending"
        if request.path.startswith(DEVICES):
            return "accept"
        return "stranger"

    def check_shape(self, kind, request):
        if kind in ("login", "pending", "accept"):
            return
        self.expect(request.header("user-agent") == "Go-http-client/1.1", f"{kind}: user agent")
        has_range = request.header("range") is not None
        self.expect((request.header("accept-encoding") == "gzip") != has_range, f"{kind}: accept-encoding")
        has_body = kind != "download" and request.method != "GET"
        is_chunked = request.header("transfer-encoding") == "chunked"
        has_length = request.header("content-length") is not None
        self.expect(is_chunked == (has_body and kind != "authorize"), f"{kind}: chunked {is_chunked}")
        self.expect(has_length == (kind == "authorize"), f"{kind}: content-length {has_length}")
        self.expect((request.header("content-type") == "application/json") == has_body, f"{kind}: content-type")

    def expect(self, is_right, what):
        if not is_right:
            self.wrongs.append(what)

    def authorize(self, request):
        said = json.loads(request.body)
        self.expect(list(said) == ["id_data", "tenant_token", "pubkey"], "authorize: fields")
        self.expect(said["tenant_token"] == self.tenant_token, "authorize: tenant token")
        self.expect(
            request.header("authorization").strip() == f"Bearer {self.tenant_token}".strip(), "authorize: header"
        )
        self.expect(signature_is_right(said["pubkey"], request), "authorize: signature")
        device = self.devices.setdefault(said["id_data"], Known(json.loads(said["id_data"]), said["pubkey"]))
        self.expect(device.pubkey == said["pubkey"], "authorize: another key than before")
        if self.accepts_all:
            device.status = "accepted"
        if device.status != "accepted":
            return Answer(401, b'{"error":"dev auth: unauthorized"}')
        token = f"token.{len(self.tokens)}.x"
        self.tokens[token] = device
        return Answer(200, token.encode(), {"Content-Type": "application/jwt"})

    def device_of(self, request):
        return self.tokens.get((request.header("authorization") or "").removeprefix("Bearer "))

    def inventory(self, request):
        device = self.device_of(request)
        if not device:
            return Answer(401)
        if request.method == "PUT" and not self.takes_put:
            return Answer(405)
        device.inventory = {each["name"]: each["value"] for each in json.loads(request.body)}
        return Answer(200)

    def next(self, request):
        device = self.device_of(request)
        if not device:
            return Answer(401)
        dialect = "v2" if request.path == f"{V2}/next" else f"v1 {request.method}"
        device.polls.append(dialect)
        if dialect not in self.speaks:
            return Answer(404)
        self.expect(bool(device.inventory), "next: before the inventory")
        provides = provided(dialect, request)
        finished = any(said in ("success", "failure", "already-installed") for said in device.said)
        if not self.has_deployment or provides["artifact_name"] == self.artifact_name or finished:
            return Answer(204)
        return self.instructions()

    def instructions(self):
        source = {"uri": f"{self.url}/artifacts/a?secret=1", "expire": "2030-01-01T00:00:00Z"}
        artifact = {
            "artifact_name": self.artifact_name,
            "source": source,
            "device_types_compatible": self.device_types,
        }
        return Answer(200, json.dumps({"id": "deployment-1", "artifact": artifact, "new": {}}).encode())

    def status(self, request):
        device = self.device_of(request)
        if not device:
            return Answer(401)
        self.expect(request.path == f"{V1}/deployment-1/status", "status: path")
        device.said.append(json.loads(request.body)["status"])
        return Answer(204)

    def log(self, request):
        device = self.device_of(request)
        self.expect(device.said[-1] == "failure", "log: before the failure")
        messages = json.loads(request.body)["messages"]
        self.expect(all(set(each) == {"level", "message", "timestamp"} for each in messages), "log: fields")
        device.logs.append([each["message"] for each in messages])
        return Answer(204)

    def download(self, request):
        self.expect(request.header("authorization") is None, "download: with a token")
        wanted = request.header("range")
        self.downloads.append(wanted)
        if wanted is None:
            return Answer(200, self.artifact)
        first, total = int(wanted.removeprefix("bytes=").removesuffix("-")), len(self.artifact)
        return Answer(206, self.artifact[first:], {"Content-Range": f"bytes {first}-{total - 1}/{total}"})

    def login(self, request):
        right = "Basic " + base64.b64encode(b"ada@acme.example:correct horse").decode()
        return Answer(200, b"ada.token.x") if request.header("authorization") == right else Answer(401)

    def pending(self, request):
        self.expect(request.header("authorization") == "Bearer ada.token.x", "pending: token")
        page, per_page = int(request.query["page"][0]), int(request.query["per_page"][0])
        waiting = [(number, each) for number, each in enumerate(self.devices.values()) if each.status == "pending"]
        shown = [
            {
                "id": f"device-{number}",
                "status": "pending",
                "identity_data": each.identity,
                "auth_sets": [{"id": f"set-{number}", "status": "pending", "pubkey": each.pubkey}],
            }
            for number, each in waiting[(page - 1) * per_page : page * per_page]
        ]
        return Answer(200, json.dumps(shown).encode())

    def accept(self, request):
        self.expect(json.loads(request.body) == {"status": "accepted"}, "accept: body")
        number = int(request.path.split("/")[-4].removeprefix("device-"))
        list(self.devices.values())[number].status = "accepted"
        return Answer(204)

    def stranger(self, request):
        self.wrongs.append(f"{request.method} {request.path}")
        return Answer(404)


class Talk(asyncio.Protocol):
    def __init__(self, server):
        self.server = server
        self.parser = httptools.HttpRequestParser(self)

    def connection_made(self, transport):
        self.transport = transport
        self.server.connections += 1

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_message_begin(self):
        self.headers, self.body = [], []

    def on_url(self, url):
        self.url = url.decode()

    def on_header(self, name, value):
        self.headers.append((name.decode(), value.decode()))

    def on_body(self, data):
        self.body.append(data)

    def on_message_complete(self):
        parts = urlsplit(self.url)
        method = self.parser.get_method().decode()
        request = Request(method, parts.path, parse_qs(parts.query), self.headers, b"".join(self.body))
        answer = self.server.answer(request)
        if not answer.never:
            self.send(answer)

    def send(self, answer):
        body, headers = answer.body, dict(answer.headers)
        if self.server.gzips and body and "Content-Range" not in headers and not body.startswith(b"version"):
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
        if answer.chunked:
            headers["Transfer-Encoding"] = "chunked"
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        elif answer.status != 204:
            headers["Content-Length"] = str(len(body))
        if self.server.closes_each_time:
            headers["Connection"] = "close"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.transport.write(f"HTTP/1.1 {answer.status} So\r\n{head}\r\n".encode() + body[: answer.break_after])
        if self.server.closes_each_time or answer.break_after is not None:
            self.transport.close()


def signature_is_right(pem, request):
    key = serialization.load_pem_public_key(pem.encode())
    signature = base64.b64decode(request.header("x-men-signature"))
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, request.body)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, request.body, ec.ECDSA(hashes.SHA256()))
        else:
            key.verify(signature, request.body, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def provided(dialect, request):
    if dialect == "v1 GET":
        return {name: values[0] for name, values in request.query.items()}
    said = json.loads(request.body)
    return said["device_provides"] if dialect == "v2" else said


def tls_server(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
