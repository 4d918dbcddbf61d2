"""What somebody keeps for themselves: any JSON object, theirs alone."""

from __future__ import annotations

import pytest

from fairlead.domain import identity
from house.world import ADA, BEN, USERADM, ZOE

SETTINGS = f"{USERADM}/settings"
GUI = {"columns": ["name", "id"], "Grüße": {"a": [1, 2.5, None, True, 2**70]}, "": "🚪"}


def test_at_first_there_is_nothing(mender, acme):
    reply = mender.as_(ADA).get(SETTINGS)

    assert (reply.status_code, reply.json()) == (200, {})


def test_what_is_posted_is_kept_whole_and_replaces_what_was(mender, acme):
    ada = mender.as_(ADA)

    first = ada.post(SETTINGS, json=GUI)
    kept = ada.get(SETTINGS).json()
    ada.post(SETTINGS, json={"other": 1})

    assert (first.status_code, first.content) == (201, b"")
    assert kept == GUI
    assert ada.get(SETTINGS).json() == {"other": 1}


def test_everybody_has_their_own(mender, acme, zenith):
    for who in (ADA, BEN, ZOE):
        assert mender.as_(who).post(SETTINGS, json={"mine": who}).status_code == 201

    assert [mender.as_(who).get(SETTINGS).json() for who in (ADA, BEN, ZOE)] == [
        {"mine": who} for who in (ADA, BEN, ZOE)
    ]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"text"', b"null", b"5", b'{"a": 1e999}', b'{"a": "\\u0000"}', b'{"a": "\xff"}', b"[" * 9000]
    + [b'{"2fa": %s}' % each for each in (b'"on"', b"true", b"null", b"5", b'""', b'["enabled"]', b"{}")],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(standing, body):
    ada = standing.mender.as_(ADA)

    reply = ada.post(SETTINGS, content=body, headers={"Content-Type": "application/json"})

    assert reply.status_code == 400
    assert set(reply.json()) == {"error", "request_id"}
    assert ada.get(SETTINGS).json() == {}


def test_they_may_be_64_kib_and_no_more(mender, acme):
    ada = mender.as_(ADA)
    assert ada.post(SETTINGS, json={"a": "x" * (64 * 1024 - 8)}).status_code == 201

    reply = ada.post(SETTINGS, json={"a": "y" * (64 * 1024 - 7)})

    assert reply.status_code == 413
    assert "65536" in reply.json()["error"]
    assert ada.get(SETTINGS).json()["a"][0] == "x"


def test_a_change_is_on_record_without_what_it_says(mender, acme, server):
    mender.as_(ADA).post(SETTINGS, json={"a": "private"})
    mender.as_(ADA).post(SETTINGS, json={"a": "private"})

    assert acme.log() == ["ada user.update"]
    with server.fairlead.database.read(acme.scope) as tx:
        (user,) = (each for each in identity.search_users(tx) if each.email.startswith(ADA))
        entry = next(each for each in audit_of(tx) if each.actor_kind == "user")
    assert (entry.object_id, entry.object_name, entry.details) == (user.id, user.email, {"changed": ["settings"]})


def audit_of(tx):
    from fairlead.domain import audit

    return audit.recent(tx)
