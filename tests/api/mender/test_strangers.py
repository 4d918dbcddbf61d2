"""Can anyone do what is not theirs to do? Every route, without a token, with the wrong one, and from next door."""

import base64
import hashlib
import hmac
import json
import time

import pytest
from cryptography.hazmat.primitives import serialization
from joserfc import jwt
from joserfc.jwk import RSAKey
from operations import DEVICE_SIDE, MANAGEMENT, PUBLIC_SIDE, call, unknown_ids

from fairlead.base.keys import KeyFolder
from house.devices import ATTRIBUTES, new_key
from house.world import ADA, BEN, DEVAUTH, ZOE, Person

CLOSED = [each for each in PUBLIC_SIDE if not each.is_open]


def claims_of(token: str) -> dict:
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def unsigned(header: dict, claims: dict) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, ""])


class Forge:
    """Tokens that are almost right. `key` is the server's own: for those that are wrong in one claim only."""

    def __init__(self, server, token: str) -> None:
        self.token = token
        self.claims = claims_of(token)
        self.key = KeyFolder(server.settings.keys_folder).rsa("tokens")

    def public_pem(self) -> bytes:
        kinds = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(*kinds)

    def ours(self, **changes) -> str:
        said = {name: value for name, value in (self.claims | changes).items() if value is not None}
        return jwt.encode({"alg": "RS256", "typ": "JWT"}, said, RSAKey.import_key(self.key))

    def by_a_stranger(self, **header) -> str:
        key = RSAKey.import_key(new_key("rsa"))
        return jwt.encode({"alg": "RS256", "typ": "JWT", **header}, self.claims, key)

    def with_the_strangers_key_inside(self) -> str:
        key = RSAKey.import_key(new_key("rsa"))
        header = {"alg": "RS256", "typ": "JWT", "jwk": key.as_dict(private=False)}
        return jwt.encode(header, self.claims, key)

    def signed_with_the_public_key(self) -> str:
        header = {"alg": "HS256", "typ": "JWT"}
        signing = unsigned(header, self.claims)[:-1]
        digest = hmac.new(self.public_pem(), signing.encode(), hashlib.sha256).digest()
        return f"{signing}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    def with_another_signature(self) -> str:
        head, middle, signature = self.token.split(".")
        return f"{head}.{middle}.{'A' * len(signature)}"


FORGERIES = {
    "garbage": lambda forge: "garbage",
    "dots": lambda forge: "a.b.c",
    "enormous": lambda forge: "x" * 20_000,
    "expired": lambda forge: forge.ours(exp=int(time.time()) - 1),
    "never expires": lambda forge: forge.ours(exp=None),
    "expires in words": lambda forge: forge.ours(exp="tomorrow"),
    "alg none": lambda forge: unsigned({"alg": "none", "typ": "JWT"}, forge.claims),
    "alg none, old signature": lambda forge: (
        unsigned({"alg": "none", "typ": "JWT"}, forge.claims) + forge.token.split(".")[2]
    ),
    "HS256 with our public key": Forge.signed_with_the_public_key,
    "a stranger's key": Forge.by_a_stranger,
    "a stranger's key, which it brings along": Forge.with_the_strangers_key_inside,
    "no signature": Forge.with_another_signature,
    "another session": lambda forge: forge.ours(jti="none"),
    "no session": lambda forge: forge.ours(jti=None),
    "someone else's session": lambda forge: forge.ours(sub="someone"),
    "another issuer": lambda forge: forge.ours(iss="someone"),
    "neither user nor device": lambda forge: forge.ours(**{"mender.user": None, "mender.device": None}),
    "a tenant token": lambda forge: forge.ours(**{"mender.user": None, "mender.device": None, "iss": "Mender"}),
    "no tenant": lambda forge: forge.ours(**{"mender.tenant": None}),
    "a tenant that is not there": lambda forge: forge.ours(**{"mender.tenant": "nowhere"}),
}


def refused(person, operations, status: int = 401) -> dict[str, int]:
    """The operations that answer anything but the status in the API's shape."""
    replies = {str(each): call(person, each, unknown_ids()) for each in operations}
    good = {
        name
        for name, reply in replies.items()
        if reply.status_code == status and set(reply.json()) == {"error", "request_id"}
    }
    return {name: reply.status_code for name, reply in replies.items() if name not in good}


def test_nothing_but_what_is_open_is_answered_without_a_token(standing):
    assert refused(standing.mender.client, CLOSED) == {}


@pytest.mark.parametrize("header", ["", "Bearer", "Basic YTpi", "Token x", "garbage"])
def test_what_is_no_bearer_token_counts_as_none(standing, header):
    reply = standing.mender.client.get(f"{DEVAUTH}/devices", headers={"Authorization": header})

    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("forgery", ["garbage", "expired", "alg none", "HS256 with our public key"])
def test_a_forged_token_opens_nothing_anywhere(server, standing, forgery):
    persons = FORGERIES[forgery](Forge(server, standing.mender.tokens[ADA]))
    devices = FORGERIES[forgery](Forge(server, standing.devices["door"].token))

    assert refused(Person(standing.mender.client, persons), [each for each in MANAGEMENT if not each.is_open]) == {}
    assert refused(Person(standing.mender.client, devices), [each for each in DEVICE_SIDE if not each.is_open]) == {}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_there_are_many_ways_to_forge_a_token_and_none_is_good(server, standing, forgery):
    for token in (standing.mender.tokens[ADA], standing.devices["door"].token):
        forged = Person(standing.mender.client, FORGERIES[forgery](Forge(server, token)))

        assert forged.get(f"{DEVAUTH}/devices").status_code == 401
        assert forged.patch(ATTRIBUTES, json=[]).status_code == 401


def test_bytes_that_are_no_text_are_no_token(standing):
    header = {"Authorization": b"Bearer t\xf6k\xe9n"}

    assert standing.mender.client.get(f"{DEVAUTH}/devices", headers=header).status_code == 401
    assert standing.mender.client.patch(ATTRIBUTES, headers=header, json=[]).status_code == 401


def test_the_forge_makes_good_tokens_when_nothing_is_changed(server, standing):
    token = Forge(server, standing.mender.tokens[ADA]).ours()

    assert Person(standing.mender.client, token).get(f"{DEVAUTH}/devices").status_code == 200


def test_a_devices_token_opens_nothing_on_the_management_side(standing):
    device = standing.devices["door"]

    assert refused(device, [each for each in MANAGEMENT if not each.is_open]) == {}


def test_a_persons_token_opens_nothing_on_the_devices_side(standing):
    ada = standing.mender.as_(ADA)

    assert refused(ada, [each for each in DEVICE_SIDE if not each.is_open]) == {}


def test_someone_who_may_only_look_changes_nothing(mender, acme, ids):
    changing = [each for each in MANAGEMENT if each.changes and each.is_built and not each.is_open]
    before = all_of(mender, ADA, ids)

    replies = {str(each): call(mender.as_(BEN), each, ids | {"user": "someone"}) for each in changing}

    assert {name: reply.status_code for name, reply in replies.items() if reply.status_code != 403} == {}
    assert all(set(reply.json()) == {"error", "request_id"} for reply in replies.values())
    assert all_of(mender, ADA, ids) == before


def test_someone_who_may_only_look_may_look_at_everything(mender, acme, ids):
    looking = [each for each in MANAGEMENT if not each.changes and each.is_built and not each.is_open]
    looking = [each for each in looking if not each.path.endswith("/logout") and not each.path.endswith("/log")]

    replies = {str(each): call(mender.as_(BEN), each, ids) for each in looking}

    assert {name: reply.status_code for name, reply in replies.items() if reply.status_code != 200} == {}


def test_what_is_someone_elses_looks_like_what_is_not_there(mender, acme, zenith, ids):
    naming = [each for each in MANAGEMENT if each.is_built and (each.names or "{" in str(each.body))]
    naming = [each for each in naming if each.names or "{device}" in str(each.body)]
    nowhere = unknown_ids()
    before = all_of(mender, ADA, ids)

    differing = {}
    for each in naming:
        theirs, nobodys = (
            said(call(mender.as_(ZOE), each, ids), ids),
            said(call(mender.as_(ZOE), each, nowhere), nowhere),
        )
        if theirs != nobodys:
            differing[str(each)] = (theirs, nobodys)

    assert differing == {}
    assert all_of(mender, ADA, ids) == before


def test_a_device_cannot_speak_of_another_tenants_deployment(acme, zenith, ids):
    stranger, nowhere = zenith.device("gate"), unknown_ids()
    acme.devices["door"].next()
    naming = [each for each in DEVICE_SIDE if each.names]

    for each in naming:
        assert said(call(stranger, each, ids), ids) == said(call(stranger, each, nowhere), nowhere)

    assert acme.statistics(ids["deployment"]) == {"pending": 1}


def test_zoe_sees_nothing_of_acme_in_any_list(mender, acme, zenith, ids):
    lists = [each for each in MANAGEMENT if not each.changes and each.is_built and not each.names and not each.is_open]
    lists = [each for each in lists if not each.path.endswith("/logout")]

    for each in lists:
        text = call(mender.as_(ZOE), each, ids).text
        assert not [what for what, id_ in ids.items() if id_ in text], each


def said(reply, ids: dict[str, str]) -> tuple[int, str]:
    """Status and text of a reply, without what differs from one request to the next."""
    text = reply.text
    for what, id_ in ids.items():
        text = text.replace(id_, what)
    return reply.status_code, text.replace(reply.headers["x-men-requestid"], "")


def all_of(mender, who: str, ids: dict[str, str]) -> dict[str, object]:
    """All that the person can see by asking, without what changes by itself."""
    looking = [each for each in MANAGEMENT if each.method == "GET" and each.is_built]
    looking = [each for each in looking if not each.path.endswith(("/log", "/download"))]
    replies = {str(each): call(mender.as_(who), each, ids) for each in looking}
    assert {name: reply.status_code for name, reply in replies.items() if reply.status_code != 200} == {}
    return {name: reply.json() for name, reply in replies.items()}
