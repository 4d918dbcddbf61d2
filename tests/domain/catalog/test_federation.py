"""What do we believe of what other servers say, and what becomes of one that says nothing?"""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine

from fairlead.base import clock
from fairlead.base.http.outgoing import Outgoing
from fairlead.base.seal import Seal
from fairlead.domain import catalog
from fairlead.domain.catalog import federation as ways
from house.outside import Outside
from house.portals import OWN, described

SEAL = Seal(bytes(32))
PROGRAM = {"_type": "Program", "name": "blast", "version": "2", "command": "blastp", "title": "BLAST"}


def listed(name, server="pasteur-1", project="", **said):
    """One entry of a list of services, as the reference shows it."""
    key = f"{name}::{project or 'public'}::{server}"
    entry = {"name": name, "server": server, "type": "program", "exported": True, "disabled": False}
    return {key: entry | {"authorized": True} | ({"project": project} if project else {}) | said}


@pytest.fixture
def pasteur():
    """The other server."""
    with Outside() as outside:
        yield outside


def offers(pasteur, *entries, servers=None, times=10**9, **headers):
    services = {}
    for entry in entries:
        services |= entry
    url = pasteur.url
    pasteur.answers("/mobyle/servers/", 200, servers or {"pasteur-1": {"url": f"{url}/mobyle", "services": []}})
    return pasteur.answers("/mobyle/services/", 200, services, times=times, headers=headers)


def no_names(host, port):
    """Looks up nothing but addresses."""
    if host != "127.0.0.1":
        raise OSError("names are not looked up here")
    return [host]


@pytest.fixture
def federation(database):
    return catalog.Federation(database, SEAL, Outgoing(), trusts_administrators=True)


@pytest.fixture
def known(here, pasteur):
    """Our portal, which has registered the other."""
    arguments = (SEAL, here.own, "pasteur", f"{pasteur.url}/mobyle", "the-token")
    here.do(here.admin, catalog.register_peer, *arguments)
    return here


def refreshed(federation, here, name="pasteur"):
    return federation.refresh(here.admin, name)


def theirs(here, scope=None):
    found = here.seen_by(scope or here.ada, server="pasteur")
    return {service.full_name: (service.authorized, service.disabled) for service in found.values()}


def test_what_a_server_offers_is_listed_with_ours_under_the_name_we_know_it_by(federation, known, pasteur):
    known.register(described("zebra"))
    offers(pasteur, listed("blast"), listed("tree", project="00000000004", type="workflow", authorized=False))

    peer = refreshed(federation, known)

    assert (peer.active, peer.problem, peer.found_name) == (True, "", "pasteur-1")
    assert theirs(known) == {
        "blast::public::pasteur": (True, False),
        "tree::00000000004::pasteur": (False, False),
    }
    assert next(iter(known.seen_by(known.visitor))) == "zebra::public::here"
    assert {each.authorized for each in known.seen_by(known.visitor).values()} == {False}
    servers = known.do(known.visitor, catalog.list_servers, known.own)
    assert [(each.name, each.services, each.active) for each in servers] == [
        ("here", ("zebra",), True),
        ("pasteur", ("blast",), True),
    ]
    asked = pasteur.asked[0]
    assert (asked.headers["authorization"], asked.headers["accept"]) == ("Bearer the-token", "application/json")
    assert known.log()[-1] == "server.reached pasteur"


def test_only_what_it_exports_and_has_not_disabled_and_is_its_own_is_kept(federation, known, pasteur):
    offers(
        pasteur,
        listed("blast"),
        listed("private", exported=False),
        listed("broken", disabled=True),
        listed("needle", server="here"),
        listed("other", server="somewhere"),
    )

    refreshed(federation, known)

    assert list(theirs(known)) == ["blast::public::pasteur"]


def test_a_server_can_neither_take_the_place_of_our_services_nor_of_those_of_another(federation, known, pasteur):
    known.register(described("needle", title="ours"))
    with Outside() as evil:
        offers(pasteur, listed("blast"))
        lies = listed("needle", server="here") | listed("blast", server="pasteur-1") | listed("blast", server="evil")
        offers(evil, lies, servers={"evil": {"url": f"{evil.url}/mobyle"}, "here": {"url": OWN.url}})
        known.do(known.admin, catalog.register_peer, SEAL, known.own, "evil", f"{evil.url}/mobyle")
        refreshed(federation, known)

        refreshed(federation, known, "evil")

    assert known.find(known.ada, "needle::here").title == "ours"
    assert set(known.seen_by(known.ada)) == {
        "needle::public::here",
        "blast::public::pasteur",
        "blast::public::evil",
    }


@pytest.mark.parametrize(
    "entry",
    [
        listed("a/b"),
        listed("a\nb"),
        listed("x" * 101),
        {"blast::public::pasteur-1": {"name": "other", "server": "pasteur-1", "type": "program", "exported": True}},
        {"blast": {"name": "blast", "server": "pasteur-1", "type": "program", "exported": True}},
        listed("blast", type="tutorial"),
        listed("blast", exported="yes"),
        {"blast::public::pasteur-1": []},
        {"blast::public::pasteur-1": None},
    ],
)
def test_an_entry_that_makes_no_sense_is_left_out_and_the_others_are_kept(federation, known, pasteur, entry):
    offers(pasteur, entry, listed("good"))

    refreshed(federation, known)

    assert list(theirs(known)) == ["good::public::pasteur"]


def test_a_service_that_is_not_offered_any_more_goes_and_one_that_is_changed_changes(federation, known, pasteur):
    offers(pasteur, listed("old"), listed("kept", authorized=False), times=1)
    refreshed(federation, known)
    pasteur.answers("/mobyle/services/", 200, listed("kept", type="workflow") | listed("new"))

    refreshed(federation, known)

    assert theirs(known) == {"kept::public::pasteur": (True, False), "new::public::pasteur": (True, False)}
    assert known.find(known.ada, "kept::pasteur").type is catalog.ServiceType.WORKFLOW


def test_a_server_with_nothing_new_says_so_and_is_believed(federation, known, pasteur):
    offers(pasteur, listed("blast"), times=1, ETag='"one"')
    refreshed(federation, known)
    pasteur.answers("/mobyle/services/", 304)
    before = len(pasteur.asked)

    peer = refreshed(federation, known)

    assert (peer.active, list(theirs(known))) == (True, ["blast::public::pasteur"])
    assert [asked.headers.get("if-none-match") for asked in pasteur.asked[before:]] == ['"one"']


def test_a_server_that_does_not_answer_is_down_after_three_tries_and_its_services_are_disabled(
    federation, known, pasteur
):
    offers(pasteur, listed("blast"), times=1)
    refreshed(federation, known)
    pasteur.answers("/mobyle/services/", 503, times=3)

    states = [refreshed(federation, known).active for _ in range(3)]

    assert states == [True, True, False]
    assert theirs(known) == {"blast::public::pasteur": (False, True)}
    with pytest.raises(catalog.ServiceIsDisabled, match="pasteur does not answer"):
        known.do(known.ada, catalog.find_callable, known.own, "blast::pasteur")
    assert known.do(known.ada, catalog.find_server, known.own, "pasteur").active is False
    offers(pasteur, listed("blast"))
    assert refreshed(federation, known).active is True
    assert theirs(known) == {"blast::public::pasteur": (True, False)}
    assert known.log()[-3:] == ["server.reached pasteur", "server.lost pasteur", "server.reached pasteur"]


def test_one_answer_in_between_begins_the_count_anew(federation, known, pasteur):
    offers(pasteur, listed("blast"), times=1)
    refreshed(federation, known)
    for status in (500, 429, 200, 500, 500):
        pasteur.answers("/mobyle/services/", status, listed("blast"), times=1)

    assert [refreshed(federation, known).failures for _ in range(5)] == [1, 2, 0, 1, 2]
    assert known.do(known.admin, catalog.find_peer, "pasteur").active is True


NONSENSE = {
    "not known": {"status": 401},
    "not allowed": {"status": 403},
    "not there": {"status": 404},
    "elsewhere": {"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}},
    "no JSON": {"status": 200, "body": "<html>"},
    "a list": {"status": 200, "body": []},
    "deep": {"status": 200, "body": "[" * 100_000},
    "deep inside": {"status": 200, "body": '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"},
    "no text": {"status": 200, "body": b'{"\xff": 1}'},
    "too large": {"status": 200, "body": json.dumps({"x" * 2_000_000: 1})},
    "without end": {"status": 200, "body": b"{" + b" " * 65536, "endless": True},
    "not changed": {"status": 304},
}


@pytest.mark.parametrize("what", NONSENSE)
def test_a_server_whose_answer_cannot_be_used_is_down_at_once(federation, known, pasteur, what):
    offers(pasteur, listed("blast"), times=1)
    refreshed(federation, known)
    reply = {"body": b"", **NONSENSE[what]}

    pasteur.answers("/mobyle/services/", reply.pop("status"), reply.pop("body"), **reply)
    peer = refreshed(federation, known)

    assert peer.active is False
    assert peer.problem
    assert theirs(known) == {"blast::public::pasteur": (False, True)}


def test_a_server_that_is_slow_or_away_keeps_us_for_a_bounded_time(federation, known, pasteur, monkeypatch):
    monkeypatch.setattr(ways, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(ways, "READ_SECONDS", 0.3)
    pasteur.answers("/mobyle/services/", never=True, times=1)
    pasteur.answers("/mobyle/services/", 200, "x" * 1000, drip_seconds=0.1, times=1)
    pasteur.answers("/mobyle/services/", hangs_up=True)
    began = clock.now()

    found = [refreshed(federation, known) for _ in range(3)]

    assert [peer.failures for peer in found] == [1, 2, 3]
    assert all(peer.problem and not peer.active for peer in found)
    assert clock.now() - began < timedelta(seconds=5)


def test_which_of_several_servers_it_is_shows_by_its_address_or_by_the_name_we_gave_it(federation, known, pasteur):
    offers(pasteur, listed("blast", "one"), listed("water", "two"), servers={"one": {"url": "x"}, "two": {"url": "y"}})
    peer = refreshed(federation, known)
    assert (peer.active, theirs(known)) == (False, {})
    assert "register it with its own name" in peer.problem

    change = catalog.PeerChange(own_name="two")
    known.do(known.admin, catalog.change_peer, SEAL, known.own, "pasteur", change)

    assert refreshed(federation, known).active is True
    assert list(theirs(known)) == ["water::public::pasteur"]


def test_the_description_is_fetched_when_it_is_wanted_and_kept(federation, known, pasteur):
    offers(pasteur, listed("blast", project="00000000004"))
    path = "/mobyle/services/blast%3A%3A00000000004%3A%3Apasteur-1/description"
    pasteur.answers(path, 200, PROGRAM, times=1)
    refreshed(federation, known)
    name = "blast::00000000004::pasteur"
    assert not [asked for asked in pasteur.asked if "description" in asked.path]

    found = [federation.description(known.ada, known.own, name) for _ in range(2)]

    assert [service.title for service in found] == ["BLAST", "BLAST"]
    assert len(pasteur.wait_for(1, path)) == 1
    assert known.find(known.ada, name).content_hash
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        pasteur.answers(path, 200, PROGRAM | {"title": "newer"}, times=1)
        pasteur.answers(path, 500)
        assert federation.description(known.ada, known.own, name).title == "newer"
    with time_machine.travel(clock.now() + timedelta(hours=4)):
        assert federation.description(known.ada, known.own, name).title == "newer"


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404},
        {"status": 200, "body": "no JSON"},
        {"status": 200, "body": PROGRAM | {"name": "other"}},
        {"status": 200, "body": PROGRAM | {"_type": "Trojan"}},
        {"status": 200, "body": json.dumps(PROGRAM | {"description": "x" * 2_000_000})},
    ],
)
def test_a_description_that_cannot_be_used_is_not_kept(federation, known, pasteur, answer):
    offers(pasteur, listed("blast"))
    reply = {"body": b"", **answer}
    pasteur.answers("/mobyle/services/blast%3A%3Apublic%3A%3Apasteur-1/description", reply["status"], reply["body"])
    refreshed(federation, known)

    with pytest.raises(catalog.PeerIsAway):
        federation.description(known.ada, known.own, "blast::pasteur")
    assert known.find(known.ada, "blast::pasteur").content_hash == ""


def test_the_description_of_our_own_service_is_asked_of_nobody(federation, known, pasteur):
    known.register(described("needle", title="ours"))

    assert federation.description(known.ada, known.own, "needle::here").title == "ours"
    assert pasteur.asked == []


def test_peers_are_asked_once_a_minute_by_one_of_all_processes(database, known, pasteur):
    offers(pasteur, listed("blast"))
    nearby = Outgoing(["127.0.0.1"], resolve=no_names)  # other tests have left peers of their own
    federation = catalog.Federation(database, SEAL, nearby, trusts_administrators=False)
    together = [threading.Thread(target=federation.refresh_due) for _ in range(4)]

    for thread in together:
        thread.start()
    for thread in together:
        thread.join()

    assert len(pasteur.wait_for(1, "/mobyle/services/")) == 1
    assert list(theirs(known)) == ["blast::public::pasteur"]
    federation.refresh_due()
    assert len(pasteur.wait_for(1, "/mobyle/services/")) == 1
    with time_machine.travel(clock.now() + timedelta(seconds=61)):
        federation.refresh_due()
    assert len(pasteur.wait_for(2, "/mobyle/services/")) == 2


def test_a_server_that_is_removed_while_it_is_asked_leaves_nothing(federation, known, pasteur):
    def remove():
        known.do(known.admin, catalog.remove_peer, "pasteur")

    offers(pasteur, listed("blast")).before = remove

    with pytest.raises(catalog.PeerNotFound):
        refreshed(federation, known)

    assert known.seen_by(known.ada) == {}


def test_where_administrators_are_not_trusted_only_what_the_operator_allows_is_called(known, pasteur, database):
    offers(pasteur, listed("blast"))
    strict = catalog.Federation(database, SEAL, Outgoing(), trusts_administrators=False)
    allowing = catalog.Federation(database, SEAL, Outgoing(["127.0.0.1"]), trusts_administrators=False)

    peer = strict.refresh(known.admin, "pasteur")

    assert (peer.active, pasteur.asked) == (False, [])
    assert "not a public address" in peer.problem
    assert allowing.refresh(known.admin, "pasteur").active is True


def test_the_answer_of_a_server_leads_us_nowhere_else(federation, known, pasteur):
    with Outside() as inside:
        pasteur.answers("/mobyle/services/", 302, headers={"Location": f"{inside.url}/secret"})
        refreshed(federation, known)

        assert inside.asked == []


def test_only_administrators_have_a_server_asked(federation, known, pasteur):
    for scope in (known.ada, known.visitor, known.peer):
        with pytest.raises(Exception, match="may not manage the servers"):
            federation.refresh(scope, "pasteur")
    assert pasteur.asked == []


def test_peers_are_not_told_of_each_other(federation, known, pasteur):
    offers(pasteur, listed("blast"))
    refreshed(federation, known)

    assert known.seen_by(known.peer) == {}
    with pytest.raises(catalog.ServiceNotFound):
        known.find(known.peer, "blast::pasteur")


def test_the_services_of_others_are_not_ours_to_change(federation, known, pasteur):
    offers(pasteur, listed("blast"))
    refreshed(federation, known)

    for verb, *more in (
        (catalog.change_service, catalog.ServiceChange(disabled=True)),
        (catalog.remove_service,),
        (catalog.remove_version, "1"),
        (catalog.find_access,),
        (catalog.find_description,),
    ):
        with pytest.raises(catalog.ServiceNotFound):
            known.do(known.admin, verb, known.own, "blast::pasteur", *more)
    assert list(theirs(known)) == ["blast::public::pasteur"]


def test_two_of_our_portals_know_each_other(federation, new_portal, pasteur):
    """What one says of its services in the shape of the reference is what the other reads."""
    there = new_portal(catalog.OwnServer("there", f"{pasteur.url}/mobyle"))
    there.register(described("blast", topics=["EDAM_topic:0080"]), exported=True)
    there.register(described("secret"))
    here = new_portal()
    seen = there.seen_by(there.peer)
    wire = {
        name: {"name": each.name, "server": each.server, "type": each.type.value, "exported": each.exported}
        | {"disabled": each.disabled, "authorized": each.authorized}
        for name, each in seen.items()
    }
    servers = {each.name: {"url": each.url} for each in there.do(there.peer, catalog.list_servers, there.own)}
    offers(pasteur, wire, servers=servers)
    here.do(here.admin, catalog.register_peer, SEAL, here.own, "pasteur", f"{pasteur.url}/mobyle")

    refreshed(federation, here)

    assert theirs(here) == {"blast::public::pasteur": (True, False)}


def test_a_peer_may_be_asked_several_times_at_once(federation, known, pasteur):
    offers(pasteur, *(listed(f"service-{number}") for number in range(30)))

    with ThreadPoolExecutor(6) as threads:
        peers = list(threads.map(lambda _: refreshed(federation, known), range(6)))

    assert {peer.active for peer in peers} == {True}
    assert len(theirs(known)) == 30
