"""What a signed link carries, and what it does not forgive."""

from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as some

from fairlead.base.blobs.naming import attachment, safe_file_name
from fairlead.base.http.links import Download, LinkHasExpired, LinkIsForged, Links

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
MADE_AT = datetime(2026, 2, 1, tzinfo=UTC)
LINKS = Links(Ed25519PrivateKey.generate())


def sign(key="acme/a0c1", name="door.mender", links=LINKS, expires_at=LATER):
    return links.sign(key, name, expires_at=expires_at, modified_at=MADE_AT, size_bytes=4321)


def test_a_link_says_all_that_is_needed_to_serve_it():
    link = sign()

    assert LINKS.verify(link, NOW) == Download("acme/a0c1", "door.mender", LATER, MADE_AT, 4321)


def test_a_link_is_one_short_path_that_ends_in_the_file_name():
    link = sign("0b5c1d5e-6c2f-4a5e-9d1a-2f6f0a7d9c11/7f1c6c1e-58a9-4d0e-8f5c-0d1b8f1f2c3a")

    assert link.startswith("/api/downloads/")
    assert link.endswith("/door.mender")
    assert len(link) < 255


def test_it_makes_no_difference_where_the_link_is_mounted_or_who_decoded_it():
    link = sign(name="Tür.mender")
    decoded = unquote(link)
    mounted = decoded.removeprefix("/api/downloads") + "/"

    assert link != decoded
    assert {LINKS.verify(path, NOW).file_name for path in (link, decoded, mounted)} == {"Tür.mender"}


def test_a_link_works_until_it_expires_and_not_a_moment_longer():
    link = sign()

    assert LINKS.verify(link, LATER - timedelta(microseconds=1))
    with pytest.raises(LinkHasExpired, match="good until 2026-03-02 12:00:00 UTC: ask for a new one"):
        LINKS.verify(link, LATER)


def test_a_link_of_another_key_is_refused():
    with pytest.raises(LinkIsForged):
        LINKS.verify(sign(links=Links(Ed25519PrivateKey.generate())), NOW)


def test_a_link_under_another_file_name_is_refused():
    with pytest.raises(LinkIsForged):
        LINKS.verify(sign().replace("door.mender", "evil.mender"), NOW)


def test_the_token_of_one_link_does_not_fit_another():
    one, other = sign("acme/1", "one").split("/"), sign("acme/2", "two").split("/")

    with pytest.raises(LinkIsForged):
        LINKS.verify("/".join([*one[:-1], other[-1]]), NOW)


@given(some.data())
def test_a_link_with_any_character_changed_is_refused(data):
    link = sign()
    at = data.draw(some.integers(len("/api/downloads/"), len(link) - 1))
    instead = data.draw(some.characters(exclude_characters=link[at], codec="utf-8"))

    with pytest.raises(LinkIsForged):
        LINKS.verify(link[:at] + instead + link[at + 1 :], NOW)


@given(some.text())
def test_nonsense_is_refused(path):
    with pytest.raises(LinkIsForged):
        LINKS.verify(path, NOW)


@pytest.mark.parametrize("more", ["=", "==", "\n", "!", "A", " "])
def test_what_a_decoder_would_forgive_is_refused(more):
    *path, token, name = sign().split("/")

    with pytest.raises(LinkIsForged):
        LINKS.verify("/".join([*path, token + more, name]), NOW)


def test_a_link_is_good_for_one_purpose_only():
    removal = LINKS.sign_removal("acme/a0c1", expires_at=LATER)

    assert LINKS.verify_removal(removal, NOW) == "acme/a0c1"
    with pytest.raises(LinkHasExpired):
        LINKS.verify_removal(removal, LATER)
    with pytest.raises(LinkIsForged):
        LINKS.verify(removal, NOW)
    with pytest.raises(LinkIsForged):
        LINKS.verify_removal(sign(), NOW)


def test_a_newer_link_to_the_same_blob_names_the_same_version():
    first = LINKS.verify(sign(), NOW)
    second = LINKS.verify(sign(expires_at=LATER + timedelta(days=1)), NOW)
    other = LINKS.verify(sign("acme/b"), NOW)

    assert first.version == second.version
    assert first.version.etag != other.version.etag


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("door.mender", "door.mender"),
        ("Release 1 (final).mender", "Release-1-final-.mender"),
        ("../../etc/passwd", "etc-passwd"),
        ('a"b;c\r\nSet-Cookie: x.mender', "a-b-c-Set-Cookie-x.mender"),
        ("Tür №1.mender", "Tür-1.mender"),
        (".bashrc", "bashrc"),
        ("", "download"),
        ("///", "download"),
        ("x" * 500 + ".mender", "x" * 113 + ".mender"),
        ("a." + "x" * 500, "x" * 120),
    ],
)
def test_a_file_name_stays_readable_and_becomes_harmless(wanted, name):
    assert safe_file_name(wanted) == name


@given(some.text())
def test_a_safe_file_name_is_safe_whatever_was_wanted(wanted):
    name = safe_file_name(wanted)

    assert 0 < len(name) <= 120
    assert safe_file_name(name) == name
    assert not set(name) & set("/\\\"'\r\n\0;% ")
    assert attachment(wanted).isascii()


def test_old_programs_are_given_a_plain_name_and_all_others_the_exact_one():
    assert attachment("Tür.mender") == "attachment; filename=\"T_r.mender\"; filename*=UTF-8''T%C3%BCr.mender"
    assert attachment("door.mender") == 'attachment; filename="door.mender"'
