"""A directory for tests: Debian's slapd on a free port, with people in it, gone with the test."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from house.debian import fetch
from house.program import FENCE, make_certificate

BASE = "dc=lab,dc=example"
READER, READER_PASSWORD = f"cn=reader,{BASE}", "only for looking"
MASTER, MASTER_PASSWORD = f"cn=master,{BASE}", "only for filling"
SLAPD = "/usr/sbin/slapd"
SLAPADD = "/usr/sbin/slapadd"
SCHEMAS = Path("/etc/ldap/schema")
MODULES = Path("/usr/lib/ldap")
NEVER_STARTS_SERVICES = Path("/usr/sbin/policy-rc.d")

_CONFIGURATION = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
database mdb
suffix "{base}"
rootdn "{master}"
rootpw "{master_password}"
directory {folder}/records
maxsize 16777216
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by * auth
"""


def make_ready() -> str:
    """Fetch it if it is missing and may be fetched; the reason why it cannot be used here, "" if it can."""
    if not Path(SLAPD).exists():
        if not NEVER_STARTS_SERVICES.exists():
            return "slapd is not installed, and installing it would start it on this machine"
        reason = fetch("slapd")
        if reason or not Path(SLAPD).exists():
            return reason or "slapd could not be installed"
    return "" if MODULES.is_dir() and SCHEMAS.is_dir() else "slapd is not where Debian puts it"


class Slapd:
    """The directory, running. `people` are entries in LDIF without the base: `uid=cleo` and what is said of her."""

    def __init__(self, folder: Path, *people: str) -> None:
        self.folder = folder
        (folder / "records").mkdir()
        self.certificate, key = make_certificate(folder)
        self.configuration = folder / "slapd.conf"
        self.configuration.write_text(
            _CONFIGURATION.format(
                schemas=SCHEMAS,
                modules=MODULES,
                folder=folder,
                certificate=self.certificate,
                key=key,
                base=BASE,
                master=MASTER,
                master_password=MASTER_PASSWORD,
                reader=READER,
            )
        )
        self._fill(people)
        self.port, self.tls_port = _free_port(), _free_port()
        self._start()

    def _fill(self, people: tuple[str, ...]) -> None:
        entries = [f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Lab\ndc: lab\n"]
        entries += [f"dn: {READER}\nobjectClass: person\ncn: reader\nsn: reader\nuserPassword: {READER_PASSWORD}\n"]
        for person in people:
            name, _, rest = person.partition("\n")
            entries.append(f"dn: {name},{BASE}\nobjectClass: inetOrgPerson\n{rest}")
        ldif = self.folder / "people.ldif"
        ldif.write_text("\n".join(entries))
        subprocess.run([SLAPADD, "-f", self.configuration, "-l", ldif], check=True, capture_output=True, timeout=30)

    def _start(self) -> None:
        addresses = f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}"
        with (self.folder / "said").open("wb") as said:
            self.process = subprocess.Popen(
                [*FENCE, SLAPD, "-f", self.configuration, "-h", addresses, "-d", "0"],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        until = time.monotonic() + 20
        while not _answers(self.port):
            assert self.process.poll() is None, (self.folder / "said").read_text(errors="replace")
            assert time.monotonic() < until, "slapd does not answer"
            time.sleep(0.05)

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://127.0.0.1:{self.tls_port}"

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0
