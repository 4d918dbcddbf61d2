"""Which other servers does a portal know, and how do they show who they are?"""

from __future__ import annotations

import pytest

from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import ActorKind, system_scope
from fairlead.base.seal import Seal
from fairlead.domain import catalog, identity
from fairlead.domain.catalog import peers
from fairlead.domain.identity import portal
from house.portals import described

SEAL = Seal(bytes(32))
URL = "https://mobyle.pasteur.example/mobyle"
NEEDLE = "needle::public::here"


def registered(here, name="pasteur", url=URL, **said):
    return here.do(here.admin, catalog.register_peer, SEAL, here.own, name, url, **said)


def changed(here, name="pasteur", **change):
    return here.do(here.admin, catalog.change_peer, SEAL, here.own, name, catalog.PeerChange(**change))


def names_of_servers(here, scope):
    return [server.name for server in here.do(scope, catalog.list_servers, here.own)]


def test_a_server_that_is_registered_is_listed_after_ours_and_inactive_until_it_has_answered(here):
    here.register(described("needle"), described("Water"))

    peer, _ = registered(here)

    assert (peer.name, peer.url, peer.active, peer.seen_at) == ("pasteur", URL, False, None)
    assert here.do(here.visitor, catalog.list_servers, here.own) == [
        catalog.Server("here", here.own.url, ("needle", "Water"), active=True),
        catalog.Server("pasteur", URL, (), active=False),
    ]
    assert here.do(here.ada, catalog.find_server, here.own, "pasteur").url == URL
    assert here.log()[-1] == "server.register pasteur"


def test_with_the_token_that_is_told_once_a_server_is_known(here, database):
    here.register(described("needle"), exported=True)
    here.register(described("water"))

    _, token = registered(here)

    scope = catalog.peer_of(database, token, "192.0.2.1")
    assert (scope.tenant_id, scope.actor.id, scope.actor.kind) == (here.tenant_id, "peer:pasteur", ActorKind.SYSTEM)
    assert list(here.seen_by(scope)) == [NEEDLE]
    assert names_of_servers(here, scope) == ["here"]
    assert portal.grants_of(scope).address == "192.0.2.1"


@pytest.mark.parametrize("token", ["", "peer-", "peer-guessed", "other", "peer-\u00e4", "peer-" + "x" * 5000])
def test_another_token_is_nobodys(here, database, token):
    registered(here)

    assert catalog.peer_of(database, token) is None


def test_the_token_is_kept_nowhere_in_the_clear(here, database):
    _, token = registered(here, token="secret-for-pasteur")

    with database.across_tenants("what is kept?", writing=False) as tx:
        rows = tx.all(peers.store.catalog_peers.select())
    assert rows
    assert token not in repr(rows)
    assert "secret-for-pasteur" not in repr(rows)
    peer = here.do(here.admin, catalog.find_peer, "pasteur")
    assert peers.token_for(peer, SEAL, here.tenant_id) == "secret-for-pasteur"
    assert "token" not in repr(peer)
    assert "secret" not in "".join(here.log())


def test_a_token_is_good_no_more_when_it_is_renewed_or_the_server_is_removed(here, database):
    _, first = registered(here)

    _, second = changed(here, renews_token=True)

    assert catalog.peer_of(database, first) is None
    assert catalog.peer_of(database, second) is not None
    here.do(here.admin, catalog.remove_peer, "pasteur")
    assert catalog.peer_of(database, second) is None
    assert names_of_servers(here, here.ada) == ["here"]
    assert here.log()[-2:] == ["server.update pasteur", "server.remove pasteur"]


def test_a_token_is_good_for_nothing_while_the_organization_is_suspended(here, database):
    _, token = registered(here)

    with database.across_tenants("suspend") as tx:
        identity.suspend_tenant(tx, here.tenant_id)

    assert catalog.peer_of(database, token) is None


def test_at_another_address_our_token_is_not_sent_unless_it_is_given_anew(here):
    registered(here, token="secret")

    kept, _ = changed(here, url=URL + "/")
    moved, _ = changed(here, url="https://elsewhere.example")
    given, _ = changed(here, url="https://third.example", token="another")

    found = [peers.token_for(peer, SEAL, here.tenant_id) for peer in (kept, moved, given)]
    assert found == ["secret", "", "another"]


@pytest.mark.parametrize(
    "url",
    [
        "http://mobyle.pasteur.example",
        "ftp://mobyle.pasteur.example",
        "https://user:word@mobyle.pasteur.example",
        "https://mobyle.pasteur.example/?a=b",
        "https://mobyle.pasteur.example/#a",
        "https://mobyle.pasteur.example:0/",
        "https:///mobyle",
        "mobyle.pasteur.example",
        "https://mobyle.pasteur.example/" + "x" * 500,
        "https://[::1",
        "",
    ],
)
def test_an_address_that_is_none_or_would_not_be_private_is_refused(here, url):
    with pytest.raises(Refusal) as refused:
        registered(here, url=url)

    assert refused.value.kind is Kind.INVALID
    assert names_of_servers(here, here.admin) == ["here"]


def test_plain_http_is_for_this_machine_unless_it_is_allowed(here):
    registered(here, "one", "http://127.0.0.1:8080/mobyle")
    registered(here, "two", "http://[::1]:8080/mobyle")
    registered(here, "three", "http://localhost:8080/mobyle")
    registered(here, "four", "http://mobyle.intranet/mobyle", allow_plain_http=True)

    assert names_of_servers(here, here.admin) == ["here", "one", "two", "three", "four"]


@pytest.mark.parametrize("name", ["here", "HERE"])
def test_a_server_cannot_be_registered_by_our_own_name(here, name):
    with pytest.raises(catalog.ThatIsOurselves):
        registered(here, name)


def test_our_own_address_is_no_other_server(here):
    with pytest.raises(catalog.ThatIsOurselves):
        registered(here, url=here.own.url + "/")


def test_one_name_is_one_server(here):
    registered(here)

    with pytest.raises(catalog.PeerNameTaken):
        registered(here, "Pasteur", "https://other.example")
    assert registered(here, "other", URL)[0].name == "other"


@pytest.mark.parametrize("name", ["public", "", "a b", "a::b", "-a", "x" * 64, "ä"])
def test_a_name_that_could_not_be_part_of_a_full_name_is_refused_for_a_server(here, name):
    with pytest.raises(catalog.BadServerName):
        registered(here, name)


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ä", "x" * 1001])
def test_a_token_that_no_header_can_hold_is_refused(here, token):
    with pytest.raises(catalog.BadPeerToken):
        registered(here, token=token)


def test_there_may_be_only_so_many_servers(here, monkeypatch):
    monkeypatch.setattr(peers, "MOST_PEERS", 1)
    registered(here)

    with pytest.raises(catalog.TooManyPeers):
        registered(here, "other")


def test_only_administrators_deal_with_servers(here):
    registered(here)
    url = catalog.PeerChange(url="https://mine.example")
    for scope in (here.ada, here.anyone, here.visitor, here.peer, here.member("owner")):
        for verb, *arguments in (
            (catalog.register_peer, SEAL, here.own, "mine", "https://mine.example"),
            (catalog.change_peer, SEAL, here.own, "pasteur", url),
            (catalog.remove_peer, "pasteur"),
            (catalog.find_peer, "pasteur"),
            (catalog.list_peers,),
        ):
            with pytest.raises(Refusal) as refused:
                here.do(scope, verb, *arguments)
            assert refused.value.kind in {Kind.FORBIDDEN, Kind.UNAUTHENTICATED}
    assert [peer.url for peer in here.do(here.admin, catalog.list_peers)] == [URL]


def test_the_servers_of_another_organization_are_not_there(here, new_portal):
    registered(here)
    other = new_portal()

    assert names_of_servers(other, other.admin) == ["here"]
    with pytest.raises(catalog.PeerNotFound):
        other.do(other.admin, catalog.remove_peer, "pasteur")
    with pytest.raises(catalog.PeerNotFound):
        other.do(system_scope(other.tenant_id), catalog.change_peer, SEAL, other.own, "pasteur", catalog.PeerChange())
    assert registered(other)[0].name == "pasteur"
