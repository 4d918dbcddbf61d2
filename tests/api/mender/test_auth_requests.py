"""Who is let in, and what are the others told? `POST auth_requests`, row by row."""

import base64
import json
import uuid

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fairlead.domain import identity
from house.devices import AUTH, Device, new_key, pem_of, sign
from house.world import ADA, DEVAUTH, INVENTORY

KINDS = ("rsa", "ec", "ed25519")


def claims_of(token: str) -> tuple[dict, dict]:
    header, claims, _ = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split("."))
    return json.loads(header), json.loads(claims)


def send(device: Device, body: bytes, **headers: str):
    """These very bytes, signed as they are unless `signature` says otherwise."""
    signature = headers.pop("signature", sign(device.key, body))
    return device.client.post(AUTH, content=body, headers={"X-MEN-Signature": signature, **headers})


def newcomer(acme, **more) -> Device:
    return Device(acme.mender.client, {"mac": str(uuid.uuid4())}, acme.tenant.token, **more)


def words(device: Device, **changes) -> bytes:
    said = {"id_data": json.dumps(device.identity), "pubkey": pem_of(device.key), "tenant_token": device.tenant_token}
    return json.dumps({name: value for name, value in (said | changes).items() if value is not ...}).encode()


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_with_any_kind_of_key_is_pending_then_let_in(mender, acme, kind):
    device = newcomer(acme, key=new_key(kind))

    first = device.ask()
    found = mender.as_(ADA).get(f"{DEVAUTH}/devices").json()[0]
    device.id, device.auth_set = found["id"], found["auth_sets"][0]["id"]
    acme.change_status(device, "accepted")
    second = device.ask()

    assert (first.status_code, first.json()["error"]) == (401, "dev auth: unauthorized")
    assert found["status"] == "pending"
    assert found["auth_sets"][0]["pubkey"] == pem_of(device.key)
    assert second.status_code == 200
    assert second.headers["content-type"] == "application/jwt"


def test_the_token_says_who_the_device_is_whose_and_for_how_long(acme):
    device = acme.device("door")

    header, claims = claims_of(device.token)

    assert header == {"alg": "RS256", "typ": "JWT"}
    assert claims.pop("exp") - claims.pop("iat") == 604_800
    assert claims == {
        "jti": device.auth_set,
        "sub": device.id,
        "iss": "Mender",
        "mender.device": True,
        "mender.tenant": acme.tenant.id,
        "mender.plan": "enterprise",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_signature_is_over_the_bytes_as_they_were_sent(acme, kind):
    device = newcomer(acme, key=new_key(kind))
    said = json.loads(words(device))
    odd = b'\n{ "extra" :[1, 2],\t"tenant_token":' + json.dumps(said["tenant_token"]).encode()
    odd += b' ,"pubkey": ' + json.dumps(said["pubkey"]).encode().replace(b"/", b"\\/")
    odd += b',  "id_data"  :' + json.dumps(said["id_data"]).encode().replace(b"m", b"\\u006d") + b"}\r\n "

    as_sent = send(device, odd)
    in_other_words = send(device, odd, signature=sign(device.key, words(device)))

    assert as_sent.json()["error"] == "dev auth: unauthorized"
    assert (in_other_words.status_code, in_other_words.json()["error"]) == (401, "signature verification failed")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"id_data": ""}, "invalid auth request: id_data must be provided"),
        ({"id_data": ...}, "invalid auth request: id_data must be provided"),
        ({"id_data": None}, "invalid auth request: id_data must be provided"),
        ({"pubkey": ""}, "invalid auth request: pubkey must be provided"),
        ({"pubkey": ...}, "invalid auth request: pubkey must be provided"),
        ({"pubkey": "garbage"}, "invalid auth request: cannot decode public key"),
        ({"pubkey": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}, "cannot decode public key"),
        ({"pubkey": "x" * 20_000}, "cannot decode public key"),
        ({"id_data": "not JSON"}, "invalid auth request: id_data"),
        ({"id_data": "[]"}, "invalid auth request: id_data"),
        ({"id_data": "5"}, "invalid auth request: id_data"),
        ({"id_data": "{}"}, "invalid auth request: id_data"),
        ({"id_data": json.dumps({"mac": "\0"})}, "invalid auth request: id_data"),
        ({"id_data": json.dumps({"mac": "x" * 20_000})}, "invalid auth request: id_data"),
        ({"id_data": "[" * 5000}, "invalid auth request: id_data"),
        ({"id_data": 5}, "failed to decode auth request: "),
        ({"id_data": {"mac": "x"}}, "failed to decode auth request: "),
        ({"pubkey": ["x"]}, "failed to decode auth request: "),
        ({"tenant_token": 7}, "failed to decode auth request: "),
    ],
)
def test_what_cannot_be_an_auth_request_is_refused_in_the_words_of_the_reference(standing, changes, text):
    device = newcomer(standing)

    reply = send(device, words(device, **changes))

    assert reply.status_code == 400
    assert text in reply.json()["error"]
    assert reply.json()["request_id"] == reply.headers["x-men-requestid"]


@pytest.mark.parametrize("body", [b"", b"garbage", b"[]", b'"text"', b"null", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(standing, body):
    device = newcomer(standing)

    for headers in ({}, {"signature": ""}):
        reply = send(device, body, **headers)

        assert reply.status_code == 400
        assert reply.json()["error"].startswith("failed to decode auth request: ")


def test_another_type_of_content_is_refused(standing):
    device = newcomer(standing)

    reply = send(device, words(device), **{"Content-Type": "text/plain"})

    assert reply.status_code == 415
    assert "application/json" in reply.json()["error"]


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_called_so_in_several_ways(standing, kind):
    device = newcomer(standing)

    assert send(device, words(device), **{"Content-Type": kind}).status_code == 401


def test_a_request_without_a_signature_is_refused(standing):
    device = newcomer(standing)

    reply = device.client.post(AUTH, content=words(device), headers={"Content-Type": "application/json"})

    assert (reply.status_code, reply.json()["error"]) == (400, "missing request signature header")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", ["another key's", "not base64", "not ASCII", "empty base64", "cut off"])
def test_a_wrong_signature_is_refused_and_leaves_no_trace(mender, standing, kind, wrong):
    device = newcomer(standing, key=new_key(kind))
    right = sign(device.key, words(device))
    signature = {
        "another key's": sign(new_key(kind), words(device)),
        "not base64": "!" + right,
        "not ASCII": "sïgnature".encode("latin-1"),
        "empty base64": "====",
        "cut off": right[:-8],
    }[wrong]

    reply = send(device, words(device), signature=signature)

    assert (reply.status_code, reply.json()["error"]) == (401, "signature verification failed")
    assert len(standing.mender.as_(ADA).get(f"{DEVAUTH}/devices").json()) >= 1
    known = standing.mender.as_(ADA).get(f"{DEVAUTH}/devices", params={"per_page": 500}).json()
    assert device.identity not in [each["identity_data"] for each in known]


def test_a_key_of_another_curve_is_as_good(acme):
    device = newcomer(acme, key=ec.generate_private_key(ec.SECP384R1()))

    assert device.ask().json()["error"] == "dev auth: unauthorized"


@pytest.mark.parametrize("token", ["", "garbage", "a.b.c", None])
def test_without_a_good_tenant_token_nobody_is_let_in(standing, token):
    device = newcomer(standing)

    reply = send(device, words(device, tenant_token=token))

    assert (reply.status_code, reply.json()["error"]) == (401, "dev auth: unauthorized")


def test_a_person_s_token_is_no_tenant_token(standing):
    device = newcomer(standing)
    device.tenant_token = standing.devices["door"].token

    device.ask()

    known = standing.mender.as_(ADA).get(f"{DEVAUTH}/devices", params={"per_page": 500}).json()
    assert device.identity not in [each["identity_data"] for each in known]


def test_a_suspended_tenants_devices_are_told_so_until_it_is_active_again(server, acme):
    device = acme.device("door")
    database = server.fairlead.database

    with database.across_tenants("a test") as tx:
        identity.suspend_tenant(tx, acme.tenant.id)
    suspended, spoken = device.ask(), device.report({"a": "b"})
    with database.across_tenants("a test") as tx:
        identity.activate_tenant(tx, acme.tenant.id)

    assert (suspended.status_code, suspended.json()["error"]) == (401, "Account suspended")
    assert spoken.status_code == 401
    assert device.report({"a": "b"}).status_code == 200
    assert device.ask().status_code == 200


def test_the_same_identity_is_the_same_device_however_it_is_written(mender, acme):
    device = acme.ask("door", sn=7, place={"hall": 1, "floor": 2})
    spellings = [
        '{"place":{"floor":2,"hall":1},"sn":7,"mac":"door"}',
        ' { "sn" : 7, "mac" : "d\\u006for",\n"place" : {"hall":1, "floor":2} } ',
    ]

    replies = [send(device, words(device, id_data=text)) for text in spellings]

    assert [reply.status_code for reply in replies] == [401, 401]
    found = mender.as_(ADA).get(f"{DEVAUTH}/devices").json()
    assert [len(each["auth_sets"]) for each in found] == [1]


def test_the_same_key_is_the_same_key_however_it_is_written(mender, acme):
    device = newcomer(acme, key=new_key("rsa"))
    device.ask()
    pem = pem_of(device.key)
    lines = pem.strip().splitlines()
    pkcs1 = serialization.PublicFormat.PKCS1
    spellings = [
        pem.replace("\n", "\r\n"),
        "\n\n" + pem + "\n",
        "\n".join([lines[0], "".join(lines[1:-1]), lines[-1]]),
        device.key.public_key().public_bytes(serialization.Encoding.PEM, pkcs1).decode(),
    ]

    for text in spellings:
        assert send(device, words(device, pubkey=text)).json()["error"] == "dev auth: unauthorized"

    (found,) = mender.as_(ADA).get(f"{DEVAUTH}/devices").json()
    assert [each["pubkey"] for each in found["auth_sets"]] == [pem]


def test_a_known_device_with_a_new_key_waits_and_the_old_key_stays_good(mender, acme, ask_for):
    device = acme.device("door")
    other = Device(mender.client, device.identity, acme.tenant.token)

    reply = other.ask()

    assert reply.status_code == 401
    told = ask_for(device)
    assert told["status"] == "accepted"
    assert [each["status"] for each in told["auth_sets"]] == ["accepted", "pending"]
    assert device.ask().status_code == 200


def test_an_auth_set_belongs_to_identity_and_key_together(mender, acme):
    first = acme.ask("door")
    second = Device(mender.client, {"mac": "gate"}, acme.tenant.token, key=first.key)

    second.ask()

    assert len(mender.as_(ADA).get(f"{DEVAUTH}/devices").json()) == 2


def test_the_same_device_in_two_tenants_is_two_devices(mender, acme, zenith):
    acme.device("door")
    same = Device(mender.client, {"mac": "door"}, zenith.tenant.token, key=acme.devices["door"].key)

    assert same.ask().status_code == 401
    assert acme.status("door") == "accepted"


def test_a_rejected_device_is_told_the_same_as_a_pending_one(acme):
    device = acme.ask("door")
    acme.change_status(device, "rejected")

    reply = device.ask()

    assert (reply.status_code, reply.json()["error"]) == (401, "dev auth: unauthorized")
    assert acme.status("door") == "rejected"


def test_asking_again_and_again_changes_nothing(mender, acme, ask_for):
    device = acme.ask("door")
    before = ask_for(device)

    for _ in range(3):
        device.ask()

    assert ask_for(device) == before


def test_an_older_token_stays_good_when_the_device_asks_for_another(acme):
    device = acme.device("door")
    old = device.token

    device.ask()
    new, device.token = device.token, old

    assert device.report({"a": "b"}).status_code == 200
    assert claims_of(old)[1]["jti"] == claims_of(new)[1]["jti"]


def test_a_newcomer_is_in_the_inventory_with_its_identity(mender, acme):
    device = acme.ask("door", sn="7", status="mine", count=3)

    found = mender.as_(ADA).get(f"{INVENTORY}/devices/{device.id}").json()["attributes"]

    identity_scope = {each["name"]: each["value"] for each in found if each["scope"] == "identity"}
    assert identity_scope == {"mac": "door", "sn": "7", "count": 3, "status": "pending"}


def test_spelling_out_a_nul_is_no_nul(mender, acme):
    device = acme.ask("door", note="\\u0000")

    found = mender.as_(ADA).get(f"{DEVAUTH}/devices/{device.id}").json()

    assert found["identity_data"]["note"] == "\\u0000"
