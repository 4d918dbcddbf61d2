"""Can anyone do what is not theirs to do? Every route, without a token, with the wrong one, and from next door."""

import base64
import hashlib
import hmac
import json
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jwt
from joserfc.jwk import RSAKey
from operations import DEVICE_SIDE, MANAGEMENT, PUBLIC_SIDE, call, unknown_ids

from fairlead.base.keys import KeyFolder
from fairlead.domain import identity
from house.devices import ATTRIBUTES, new_key
from house.roles import someone
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

    def written(self, claims: str, header: str = '{"alg":"RS256","typ":"JWT"}') -> str:
        """These very texts, signed with the server's own key."""
        signing = b".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=") for part in (header, claims))
        signature = self.key.sign(signing, padding.PKCS1v15(), hashes.SHA256())
        return b".".join([signing, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()

    def saying_twice(self, name: str, other: str) -> str:
        """The claim is there with another value first, and with the right one after: some read the first."""
        return self.written(f'{{"{name}":"{other}",' + json.dumps(self.claims)[1:])

    def with_header(self, **more) -> str:
        return self.written(json.dumps(self.claims), json.dumps({"alg": "RS256", "typ": "JWT", **more}))

    def nested(self) -> str:
        return self.written(json.dumps(self.token), '{"alg":"RS256","typ":"JWT","cty":"JWT"}')

    def parts(self) -> list[str]:
        return self.token.split(".")

    def certificate(self) -> str:
        return base64.b64encode(self.public_pem()).decode()

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
    "a stranger's key by its id": lambda forge: forge.by_a_stranger(kid="tokens"),
    "a stranger's key by its address": lambda forge: forge.by_a_stranger(jku="http://127.0.0.1:1/keys"),
    "a stranger's key in a certificate": lambda forge: forge.by_a_stranger(x5c=[forge.certificate()]),
    "our key, and another by its address": lambda forge: forge.with_header(jku="http://127.0.0.1:1/keys"),
    "our key, and what must be understood": lambda forge: forge.with_header(crit=["exp"]),
    "our key, and what nobody understands": lambda forge: forge.with_header(crit=["fairlead"], fairlead=1),
    "our key, and another algorithm": lambda forge: forge.with_header(alg="RS512"),
    "our key, and an algorithm said twice": lambda forge: forge.written(
        json.dumps(forge.claims), '{"alg":"none","alg":"RS256","typ":"JWT"}'
    ),
    "a token in a token": Forge.nested,
    "claims that are a list": lambda forge: forge.written(json.dumps([forge.claims])),
    "claims that are no text": lambda forge: forge.written("garbage"),
    "two subjects": lambda forge: forge.saying_twice("sub", "someone"),
    "two tenants": lambda forge: forge.saying_twice("mender.tenant", "nowhere"),
    "two sessions": lambda forge: forge.saying_twice("jti", "none"),
    "both a user and a device": lambda forge: forge.ours(**{"mender.user": True, "mender.device": True}),
    "the other kind": lambda forge: forge.ours(
        **{name: None if forge.claims.get(name) else True for name in ("mender.user", "mender.device")}
    ),
    "the other kind and its issuer": lambda forge: forge.ours(
        iss="Mender" if forge.claims.get("mender.user") else "mender.useradm",
        **{name: None if forge.claims.get(name) else True for name in ("mender.user", "mender.device")},
    ),
    "the issuer of the other kind": lambda forge: forge.ours(
        iss="Mender" if forge.claims.get("mender.user") else "mender.useradm"
    ),
    "yes in other words": lambda forge: forge.ours(**{"mender.user": "true", "mender.device": 1}),
    "a space in it": lambda forge: " ".join((forge.token[:-5], forge.token[-5:])),
    "a tab in it": lambda forge: "\t".join((forge.token[:9], forge.token[9:])),
    "more at its end": lambda forge: forge.token + "!",
    "filled up": lambda forge: forge.token + "==",
    "twice": lambda forge: f"{forge.token} {forge.token}",
    "four parts": lambda forge: forge.token + "." + forge.parts()[2],
    "five parts": lambda forge: ".".join([*forge.parts(), "", ""]),
    "two parts": lambda forge: ".".join(forge.parts()[:2]),
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


def test_the_forge_can_also_write_good_tokens_by_hand(server, standing):
    forge = Forge(server, standing.mender.tokens[ADA])

    written = forge.written(json.dumps(forge.claims))

    assert Person(standing.mender.client, written).get(f"{DEVAUTH}/devices").status_code == 200


def test_a_token_for_one_tenant_is_none_for_another(server, mender, acme, zenith):
    theirs = {"mender.tenant": zenith.tenant.id}
    door = acme.device("door")

    person = Forge(server, mender.tokens[ADA]).ours(**theirs)
    device = Forge(server, door.token).ours(**theirs)

    assert refused(Person(mender.client, person), [each for each in MANAGEMENT if not each.is_open]) == {}
    assert refused(Person(mender.client, device), [each for each in DEVICE_SIDE if not each.is_open]) == {}


def test_a_tenants_token_with_the_words_of_another_lets_no_device_in(server, acme, zenith):
    """The token that a device shows when it asks: signed by us, it must say one thing only."""
    device = acme.device("door")
    forge = Forge(server, acme.tenant.token)

    for forged in (
        forge.saying_twice("mender.tenant", zenith.tenant.id),
        forge.ours(**{"mender.tenant": zenith.tenant.id}),
        forge.by_a_stranger(),
        device.token,
    ):
        assert device.ask(tenant_token=forged).status_code == 401
    assert device.ask(tenant_token=acme.tenant.token + "\n").status_code == 200


def test_in_a_suspended_organization_every_route_refuses_people_and_devices(server, mender, acme, ids):
    with server.fairlead.database.across_tenants("the operator locks them out") as tx:
        identity.suspend_tenant(tx, acme.tenant.id)

    assert refused(mender.as_(ADA), [each for each in MANAGEMENT if not each.is_open]) == {}
    assert refused(acme.devices["door"], [each for each in DEVICE_SIDE if not each.is_open]) == {}


def test_someone_without_any_role_may_do_nothing_but_their_own_affairs(mender, acme, ids):
    carl = someone(acme)
    others = [each for each in MANAGEMENT if each.is_built and not each.is_open and not is_everybodys(each)]

    replies = {str(each): call(carl, each, ids) for each in others}

    assert len(others) > 40
    assert {name: reply.status_code for name, reply in replies.items() if reply.status_code != 403} == {}


def is_everybodys(operation) -> bool:
    """What everyone who is logged in may do."""
    return operation.is_own or operation.path.endswith(("/logout", "/useradm/settings", "/user/tenant"))


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
    looking = [each for each in looking if not (each.is_own or each.path.endswith(("/logout", "/log")))]
    looking = [each for each in looking if "/auditlogs/" not in each.path]  # who did what is for administrators

    replies = {str(each): call(mender.as_(BEN), each, ids) for each in looking}

    assert {name: reply.status_code for name, reply in replies.items() if reply.status_code != 200} == {}


def test_what_is_someone_elses_looks_like_what_is_not_there(mender, acme, zenith, ids):
    naming = [each for each in MANAGEMENT if each.is_built and (each.names or "{" in str(each.body))]
    naming = [each for each in naming if each.names or "{device}" in str(each.body)]
    naming = [each for each in naming if not (each.is_open and each.path.endswith("/status"))]  # who knows the id may
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


def all_of(mender, who: str, ids: dict[str, str], *, only: set[str] | None = None) -> dict[str, object]:
    """All that the person can see by asking, without what changes by itself; of things, `only` these."""
    looking = [each for each in MANAGEMENT if each.method == "GET" and each.is_built and not each.is_own]
    looking = [each for each in looking if not each.path.endswith(("/log", "/download", "/export"))]
    if only is not None:
        looking = [each for each in looking if set(each.names.split()) <= only]
    replies = {str(each): call(mender.as_(who), each, ids) for each in looking}
    assert {name: reply.status_code for name, reply in replies.items() if reply.status_code != 200} == {}
    return {name: reply.json() for name, reply in replies.items()}
