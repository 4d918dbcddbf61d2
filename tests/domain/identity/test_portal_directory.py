"""A real directory, Debian's slapd, is asked whose password this is: what is typed becomes no part of the question."""

from __future__ import annotations

import dataclasses
import signal
import socket
import threading
import time

import pytest

from fairlead.base.errors import Kind
from fairlead.domain.identity import portal
from fairlead.domain.identity.model import BadToken, WrongLogin
from fairlead.domain.identity.portal import BadDirectory, DirectoryIsAway, Ldap
from house.program import make_certificate
from house.slapd import BASE, READER, READER_PASSWORD, Slapd, make_ready
from house.world import PASSWORD

CLEO = f"""uid=cleo
uid: cleo
cn: Cleo
sn: Co
givenName: Cleo
mail: cleo@lab.example
mail: second@lab.example
userPassword: {PASSWORD}
"""
STAR = f"""uid=st\\2ar
uid: st*r
cn: Star
sn: Star
mail: not an e-mail
userPassword: {PASSWORD}
"""
TWINS = tuple(
    f"uid={name}\nuid: {name}\ncn: {name}\nsn: {name}\nmail: twins@lab.example\nuserPassword: {PASSWORD}\n"
    for name in ("castor", "pollux")
)
MUTE = "uid=mute\nuid: mute\ncn: mute\nsn: mute\n"


@pytest.fixture(scope="module")
def slapd(tmp_path_factory):
    reason = make_ready()
    if reason:
        pytest.skip(reason)
    running = Slapd(tmp_path_factory.mktemp("slapd"), CLEO, STAR, *TWINS, MUTE)
    yield running
    running.kill()


@pytest.fixture
def ldap(slapd) -> Ldap:
    return Ldap(slapd.url, BASE, bind_dn=READER, bind_password=READER_PASSWORD, timeout_seconds=2)


@pytest.mark.parametrize("name", ["cleo", "CLEO", "cleo@lab.example", "second@lab.example"])
def test_the_entry_is_found_by_its_name_or_its_e_mail_and_its_password_tried(ldap, name):
    entry = ldap.verify(name, PASSWORD)

    assert (entry.email, entry.first_name, entry.last_name) == ("cleo@lab.example", "Cleo", "Co")
    assert len(entry.id) == 36
    assert ldap.verify(name, "wrong") is None


def test_an_entry_without_a_good_e_mail_has_none(ldap):
    assert ldap.verify("st*r", PASSWORD).email == ""


@pytest.mark.parametrize(
    "name",
    ["*", "cl*", "cleo)(uid=*", "*)(|(uid=cleo", "cleo\0", "cleo))(|(uid=x", "\\2a", "cleo\\", "st?r", "c\u00ad*", "("],
)
def test_what_is_typed_is_a_name_and_no_part_of_a_filter(ldap, name):
    assert ldap.verify(name, PASSWORD) is None


def test_whose_password_would_be_meant_is_not_guessed(ldap):
    assert ldap.verify("twins@lab.example", PASSWORD) is None
    assert ldap.verify("castor", PASSWORD) is not None


def test_an_empty_password_is_refused_before_anything_is_asked(ldap):
    nowhere = dataclasses.replace(ldap, url="ldap://127.0.0.1:1")

    assert nowhere.verify("cleo", "") is None
    assert nowhere.verify("", PASSWORD) is None


def test_an_entry_that_has_no_password_lets_nobody_in(ldap):
    assert ldap.verify("mute", PASSWORD) is None


@pytest.mark.parametrize("password", ["\0", "\u00ad", "x" * 1024, "päßwörd 🚀", "{SSHA}" + PASSWORD])
def test_no_password_is_too_strange_to_be_wrong(ldap, password):
    assert ldap.verify("cleo", password) is None


def test_it_is_asked_over_tls_from_the_first_byte_or_after_a_start(slapd, ldap):
    known = dataclasses.replace(ldap, ca_file=str(slapd.certificate))

    assert dataclasses.replace(known, url=slapd.tls_url).verify("cleo", PASSWORD) is not None
    assert dataclasses.replace(known, start_tls=True).verify("cleo", PASSWORD) is not None


def test_a_server_whose_certificate_nobody_knows_is_told_nothing(slapd, ldap, tmp_path):
    other, _ = make_certificate(tmp_path)

    for each in (dataclasses.replace(ldap, url=slapd.tls_url), dataclasses.replace(ldap, start_tls=True)):
        for authority in ("", str(other)):
            with pytest.raises(DirectoryIsAway):
                dataclasses.replace(each, ca_file=authority).verify("cleo", PASSWORD)


def test_a_directory_that_we_may_not_look_into_is_as_good_as_away(ldap):
    for each in (
        dataclasses.replace(ldap, bind_password="wrong"),
        dataclasses.replace(ldap, bind_dn="", bind_password=""),
        dataclasses.replace(ldap, base="dc=elsewhere"),
        dataclasses.replace(ldap, filter="(uid={name}))"),
    ):
        with pytest.raises(DirectoryIsAway) as refused:
            each.verify("cleo", PASSWORD)
        assert refused.value.kind is Kind.UNAVAILABLE
        assert "elsewhere" not in str(refused.value)


def test_a_directory_that_is_away_is_said_to_be(ldap):
    with pytest.raises(DirectoryIsAway):
        dataclasses.replace(ldap, url="ldap://127.0.0.1:1").verify("cleo", PASSWORD)


def test_a_directory_that_hangs_holds_nobody_for_long(slapd, ldap):
    slapd.tell(signal.SIGSTOP)
    began = time.monotonic()
    try:
        with pytest.raises(DirectoryIsAway):
            ldap.verify("cleo", PASSWORD)
    finally:
        slapd.tell(signal.SIGCONT)

    assert time.monotonic() - began < 30
    assert ldap.verify("cleo", PASSWORD) is not None


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"0\x84\x7f\xff\xff\xff", b"\0" * 4096, b""])
def test_what_speaks_no_ldap_is_away(answer, ldap):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(answer)

        thread = threading.Thread(target=talk)
        thread.start()
        with pytest.raises(DirectoryIsAway):
            dataclasses.replace(ldap, url=f"ldap://127.0.0.1:{listener.getsockname()[1]}").verify("cleo", PASSWORD)
        thread.join(10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://127.0.0.1"},
        {"url": "ldap://"},
        {"base": ""},
        {"filter": "(uid=cleo)"},
        {"filter": "uid={name}"},
        {"url": "ldaps://127.0.0.1", "start_tls": True},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(BadDirectory):
        Ldap(**{"url": "ldap://127.0.0.1", "base": BASE, **wrong})


def test_the_password_for_looking_is_not_shown():
    assert READER_PASSWORD not in repr(Ldap("ldap://127.0.0.1", BASE, bind_dn=READER, bind_password=READER_PASSWORD))


def test_people_of_the_directory_use_the_portal_and_are_shut_out_like_others(lab, ldap):
    def log_in(name: str, password: str = PASSWORD) -> portal.Opened:
        given = portal.Login(name, password, address=lab.tenant_id)
        return portal.log_in(lab.database, lab.seal, lab.tenant_id, given, ldap)

    first = log_in("cleo")
    assert log_in("cleo@lab.example").signed_in.user.number == first.signed_in.user.number == 1
    assert first.signed_in.user.authentication_type == "ldap"
    with pytest.raises(WrongLogin):
        log_in("cleo", "wrong")

    with lab.database.begin(lab.system) as tx:
        portal.suspend_user(tx, 1, "too many jobs")
    with pytest.raises(portal.Suspended, match="too many jobs"):
        log_in("cleo")

    with lab.database.begin(lab.system) as tx:
        portal.remove_user(tx, 1)
    with pytest.raises(BadToken):
        lab.behind(first.token)


def test_our_own_users_get_in_while_the_directory_is_away(lab, ldap):
    lab.user("ben")
    away = dataclasses.replace(ldap, url="ldap://127.0.0.1:1")

    assert lab.log_in("ben", directory=away).signed_in.user.number == 1
    with pytest.raises(DirectoryIsAway):
        lab.log_in("cleo", directory=away)
