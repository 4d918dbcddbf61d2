"""A server that checks what it is sent, and `fairlead simulate` as it is typed."""

import datetime
import ipaddress
import json
from dataclasses import dataclass

import pytest
import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from fairlead.cli.simulate import simulate

from .stand_in import StandIn

QUICK = {
    "devices": 5,
    "poll-interval": 0.1,
    "retry-interval": 0.1,
    "install-seconds": 0.05,
    "duration": 10,
    "jitter": 0,
}


@dataclass
class Run:
    exit_code: int
    stdout: str
    stderr: str
    result: dict | None


@pytest.fixture
def server():
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def rehearse():
    """Runs the command with quick intervals; what the options say comes after that."""
    app = typer.Typer()
    app.command()(simulate)

    def run(server, *flags, **options):
        said = QUICK | {name.replace("_", "-"): value for name, value in options.items()}
        typed = [word for name, value in said.items() if value is not None for word in (f"--{name}", str(value))]
        done = CliRunner().invoke(app, ["--server", getattr(server, "url", server), "--json", *flags, *typed])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Run(done.exit_code, done.stdout, done.stderr, json.loads(done.stdout) if done.stdout else None)

    return run


@pytest.fixture
def certificate(tmp_path):
    """Signed by nobody but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    valid = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    made = valid.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (tmp_path / "server.crt").write_bytes(made.public_bytes(pem))
    (tmp_path / "server.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return tmp_path / "server.crt", tmp_path / "server.key"
