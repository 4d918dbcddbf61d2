"""Only public addresses are called, and those that the operator allows: whatever an address is called or spelled."""

from __future__ import annotations

import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from fairlead.base.http.outgoing import AddressNotAllowed, BadAddress, NoAnswer, Outgoing
from house.outside import Outside
from house.program import make_certificate

PRIVATE = (
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::1",
    "100::1",
    "2001:db8::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "5f00::1",
)
PUBLIC = ("8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")
OTHER_SPELLINGS = (
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0x0",
    "10.1",
    "0xa9fea9fe",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.b.localhost",
    "localhost.localdomain",
)


def in_url(address: str) -> str:
    return f"http://[{address}]/x" if ":" in address else f"http://{address}/x"


def at(*addresses: str, allowed: tuple[str, ...] = (), **more) -> Outgoing:
    """Where every name stands for these addresses."""
    return Outgoing(allowed, resolve=lambda host, port: list(addresses), **more)


def send(outgoing: Outgoing, url: str, method: str = "GET", headers=None, body: bytes = b"", seconds: float = 10):
    return outgoing.send(method, url, headers or {}, body, connect_seconds=seconds / 2, read_seconds=seconds / 2)


@pytest.fixture
def outside():
    with Outside() as outside:
        yield outside


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> str:
    """Certificate and key in one file, for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("outgoing")
    both = folder / "both.pem"
    both.write_text("".join(path.read_text() for path in make_certificate(folder)))
    return str(both)


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_refused_when_it_is_named_and_when_it_is_called(address):
    with pytest.raises(AddressNotAllowed):
        Outgoing().check(in_url(address))
    with pytest.raises(AddressNotAllowed):
        send(Outgoing(), in_url(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_stands_for_what_is_not_public_is_refused_when_it_is_called(address):
    at(address).check("http://intranet.example/x")

    with pytest.raises(AddressNotAllowed, match=r"intranet\.example is .*--allow-outgoing"):
        send(at(address), "http://intranet.example/x")


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_allowed(address):
    Outgoing().check(in_url(address))

    assert at(address).addresses("example.com", 80) == [address]


@pytest.mark.parametrize("host", OTHER_SPELLINGS)
def test_other_spellings_of_an_address_lead_nowhere_else(host, outside):
    """The system understands them all, so they have to be understood here."""
    with pytest.raises(AddressNotAllowed):
        Outgoing().check(f"http://{host}:{outside.port}/x")
    with suppress(NoAnswer), pytest.raises(AddressNotAllowed):
        send(Outgoing(), f"http://{host}:{outside.port}/x")

    assert outside.asked == []


def test_one_address_that_is_not_public_spoils_the_name(outside):
    with pytest.raises(AddressNotAllowed):
        send(at("8.8.8.8", "127.0.0.1"), f"http://example.com:{outside.port}/")


def test_the_connection_is_made_to_the_address_that_was_looked_at(outside):
    """A name server that gives another answer the second time is not asked a second time."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    outgoing = Outgoing(["127.0.0.1"], resolve=lambda host, port: next(answers))

    assert send(outgoing, f"http://rebinding.example:{outside.port}/").status == 200
    with pytest.raises(AddressNotAllowed, match=r"10\.0\.0\.1"):
        send(outgoing, f"http://rebinding.example:{outside.port}/")
    assert outside.asked[0].headers["host"] == f"rebinding.example:{outside.port}"


def test_a_connection_that_was_checked_once_is_not_used_again(outside):
    """Each request makes its own, so each is checked: an answer that left its connection open changes nothing."""
    addresses = ["127.0.0.1"]
    outgoing = Outgoing(["127.0.0.1"], resolve=lambda host, port: list(addresses))
    url = f"http://example.com:{outside.port}/"
    assert send(outgoing, url).status == 200

    addresses[:] = ["192.168.0.1"]

    with pytest.raises(AddressNotAllowed):
        send(outgoing, url)


def test_the_next_address_is_tried_when_one_does_not_answer(outside):
    assert send(at("127.0.0.2", "127.0.0.1", allowed=("127.0.0.0/8",)), f"http://h:{outside.port}/").status == 200


@pytest.mark.parametrize(
    "allowed",
    [
        "127.0.0.1",
        "127.0.0.0/8",
        "127.0.0.1:{port}",
        " 127.0.0.1 ",
        "inside.example",
        "INSIDE.example:{port}",
        "inside.example:{port}",
    ],
)
def test_the_operator_can_allow_addresses_networks_and_names(allowed, outside):
    outgoing = at("127.0.0.1", allowed=(allowed.format(port=outside.port),))

    assert send(outgoing, f"http://inside.example:{outside.port}/x").status == 200


@pytest.mark.parametrize("allowed", ["127.0.0.2", "10.0.0.0/8", "127.0.0.1:1", "other.example", "inside.example:1", ""])
def test_what_the_operator_allows_lets_nothing_else_in(allowed, outside):
    with pytest.raises(AddressNotAllowed):
        send(at("127.0.0.1", allowed=(allowed,)), f"http://inside.example:{outside.port}/x")
    assert outside.asked == []


def test_ipv6_can_be_allowed_and_called():
    outgoing = Outgoing(["[::1]:8080", "fd00::/8"])

    outgoing.check("http://[::1]:8080/")
    outgoing.check("http://[fd00::5]/")
    for url in ("http://[::1]:8081/", "http://[fc00::5]/"):
        with pytest.raises(AddressNotAllowed):
            outgoing.check(url)


def test_a_host_that_is_an_ipv6_address_is_called_with_brackets():
    if not socket.has_ipv6:
        pytest.skip("there is no IPv6 here")
    try:
        outside = Outside(address="::1")
    except OSError:
        pytest.skip("there is no IPv6 here")
    with outside:
        assert send(Outgoing(["::1"]), f"http://[::1]:{outside.port}/").status == 200
        assert outside.asked[0].headers["host"] == f"[::1]:{outside.port}"


@pytest.mark.parametrize("entry", ["http://10.0.0.1", "10.0.0.0/8:80", "user@host", "host:port", "10.0.0.1/x", "a/b"])
def test_what_cannot_be_allowed_is_told(entry):
    with pytest.raises(BadAddress, match="no host, address or network"):
        Outgoing([entry])


def test_a_name_can_stand_for_another_host(outside):
    outgoing = Outgoing(aliases={"mender-inventory:8080": outside.host})

    assert send(outgoing, "http://mender-inventory:8080/api/x?y=1").status == 200
    assert send(outgoing, "http://Mender-Inventory:8080/api/z").status == 200

    assert [asked.target for asked in outside.asked] == ["/api/x?y=1", "/api/z"]
    with pytest.raises((AddressNotAllowed, NoAnswer)):
        send(outgoing, f"http://mender-inventory:{outside.port}/")


def test_a_name_can_stand_for_a_host_that_speaks_tls(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    with Outside(certificate) as outside:
        outgoing = Outgoing(aliases={"mender-inventory:8080": outside.url})

        assert send(outgoing, "http://mender-inventory:8080/api").status == 200
        assert outside.asked[0].path == "/api"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> dict[str, Path]:
    """Certificates and keys of a house: one for fairlead.example, and one that this has issued for another name."""
    folder = tmp_path_factory.mktemp("certificates")
    ours, others = folder / "ours.pem", folder / "others.pem"
    issue(folder, ours, "fairlead.example", None)
    issue(folder, others, "other.example", ours)
    return {"ours": ours, "others": others}


def issue(folder: Path, file: Path, name: str, issuer: Path | None) -> None:
    """A certificate with its key, and with that of its issuer after it."""
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    signed = ["-CA", issuer, "-CAkey", issuer] if issuer else []
    said = ["-days", "9", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", *signed]
    key, certificate = folder / "key", folder / "certificate"
    subprocess.run([*made, *said, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    parts = [certificate.read_text(), issuer.read_text() if issuer else "", key.read_text()]
    file.write_text("".join(parts[:1] + parts[2:] + parts[1:2]))


def test_our_own_server_is_known_by_its_certificate_whatever_name_that_has(certificates):
    ours = certificates["ours"]
    with Outside(str(ours)) as outside:
        outgoing = Outgoing(aliases={"gateway:8080": outside.url}, certificates={"gateway:8080": ours})

        assert send(outgoing, "http://gateway:8080/api").status == 200
        assert send(outgoing, f"{outside.url}/api").status == 200
        assert len(outside.asked) == 2


@pytest.mark.parametrize(("shown", "known"), [("others", "ours"), ("ours", "others")])
def test_where_our_own_server_should_be_no_other_certificate_will_do(certificates, shown, known):
    """Not even that of somebody for whom ours, or the one that issued ours, has vouched."""
    with Outside(str(certificates[shown])) as outside:
        outgoing = Outgoing(aliases={"gateway:8080": outside.url}, certificates={"gateway:8080": certificates[known]})

        with pytest.raises(NoAnswer, match="certificate"):
            send(outgoing, "http://gateway:8080/api", headers={"Authorization": "secret"})
        assert outside.asked == []


def test_our_own_certificate_is_good_nowhere_else(certificates):
    ours = certificates["ours"]
    with Outside(str(ours)) as outside:
        aliases = {"gateway:8080": "https://127.0.0.1:1"}
        outgoing = Outgoing(["127.0.0.1"], aliases=aliases, certificates={"gateway:8080": ours})

        with pytest.raises(NoAnswer, match="certificate"):
            send(outgoing, f"{outside.url}/x")
        assert outside.asked == []


def test_a_certificate_that_was_renewed_is_known_before_and_after_the_server_shows_it(certificates, tmp_path):
    file = tmp_path / "certificate.pem"
    shutil.copy(certificates["ours"], file)
    with Outside(str(certificates["ours"])) as before, Outside(str(certificates["others"])) as after:
        aliases = {"before": before.url, "after": after.url}
        outgoing = Outgoing(aliases=aliases, certificates=dict.fromkeys(aliases, file))
        shutil.copy(certificates["others"], file)

        assert [send(outgoing, f"http://{name}/").status for name in aliases] == [200, 200]


def test_without_a_certificate_to_go_by_nobody_is_trusted(certificates, tmp_path):
    with Outside(str(certificates["ours"])) as outside:
        for content in (None, "", "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----"):
            file = tmp_path / "certificate.pem"
            if content is not None:
                file.write_text(content)
            outgoing = Outgoing(aliases={"gateway": outside.url}, certificates={"gateway": file})

            with pytest.raises(NoAnswer, match="certificate"):
                send(outgoing, "http://gateway/")


def test_a_certificate_that_nobody_vouches_for_is_told_nothing(certificate):
    with Outside(certificate) as outside:
        with pytest.raises(NoAnswer, match="certificate"):
            send(Outgoing(["127.0.0.1"]), f"{outside.url}/x", headers={"Authorization": "secret"})
        assert outside.asked == []


def test_a_certificate_for_somebody_else_is_told_nothing(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    with Outside(certificate) as outside:
        with pytest.raises(NoAnswer, match="certificate"):
            send(at("127.0.0.1", allowed=("127.0.0.1",)), f"https://other.example:{outside.port}/x")
        assert outside.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_told_and_not_followed(outside, status):
    outside.answers("/here", status, headers={"Location": f"{outside.url}/there"})

    answer = send(Outgoing(["127.0.0.1"]), f"{outside.url}/here")

    assert answer.status == status
    assert ("Location", f"{outside.url}/there") in answer.headers
    assert [asked.path for asked in outside.asked] == ["/here"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/x",
        "//example.com/x",
        "ftp://example.com/x",
        "file:///etc/passwd",
        "unix:///run/docker.sock",
        "gopher://example.com:25/x",
        "http:///x",
        "http://",
        "http://:80/",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://example.com:x/",
        "http://[::1/",
        "http://[zz]/",
        "http://user:pass@example.com/",
        "http://user@example.com/",
        "http://@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/a b",
        " http://example.com/",
        "http://example.com/\r\nHost: evil",
        "http://exa\tmple.com/",
        "http://example.com/\x00",
        "http://example.com/\x7f",
        "http://b\u00fccher.example/",
        "http://\u2460\u2461\u2466.0.0.1/",
        "http://127.0.0.1\u3002example/",
    ],
)
def test_what_is_no_address_is_refused(url):
    for action in (Outgoing().check, lambda url: send(Outgoing(), url)):
        with pytest.raises(BadAddress):
            action(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://me:hunter2@example.com:x/?t=hunter2",
        "http://example.com:x/?t=hunter2",
        "x://m:hunter2@h/",
        "http://example.com:x/services/hunter2",
        "http:///services/hunter2",
        "http://example.com:x\\hunter2#hunter2",
        "hunter2",
        "hunter2://x",
        "/hunter2://x",
    ],
)
def test_what_is_said_about_a_bad_address_holds_no_secret(url):
    with pytest.raises(BadAddress) as refused:
        Outgoing().check(url)

    assert "hunter2" not in str(refused.value)
