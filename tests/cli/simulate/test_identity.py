"""The same seed is the same fleet."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import serialization

from fairlead.cli.simulate.identity import Addresses, DerivedKeys, Identities, KeptKeys, KeyType, share


def identities(seed="s", key_type=KeyType.ED25519, prefix=""):
    return Identities(Addresses(seed, prefix), DerivedKeys(seed, key_type))


@pytest.mark.parametrize("key_type", [KeyType.ED25519, KeyType.EC])
def test_a_second_run_has_the_same_devices_with_the_same_keys(key_type):
    first = [json.loads(identities("s", key_type).auth_request(index)[0]) for index in range(3)]
    again = [json.loads(identities("s", key_type).auth_request(index)[0]) for index in range(3)]
    other = [json.loads(identities("t", key_type).auth_request(index)[0]) for index in range(3)]

    assert first == again
    assert len({each["pubkey"] for each in (*first, *other)}) == 6
    assert len({each["id_data"] for each in (*first, *other)}) == 6


def test_rsa_keys_are_made_once_and_kept_for_nobody_else_to_read(tmp_path):
    keys = KeptKeys(tmp_path, "s", size_bits=2048)
    made = keys.find(1)

    assert KeptKeys(tmp_path, "s").find(1).private_numbers() == made.private_numbers()
    assert keys.missing(range(3)) == [0, 2]
    assert [path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.pem")] == [0o600]


def test_the_signature_is_over_exactly_the_body():
    body, signature = identities().auth_request(4)

    key = serialization.load_pem_public_key(json.loads(body)["pubkey"].encode())
    key.verify(base64.b64decode(signature), body)


def test_an_address_says_which_device_of_which_fleet_it_is():
    addresses = Addresses("s", "lab-")

    assert addresses.mac(0x01_02_03).startswith("lab-02:")
    assert all(addresses.index(addresses.mac(index)) == index for index in (0, 1, 255, 65_536, (1 << 24) - 1))
    assert Addresses("t", "lab-").index(addresses.mac(5)) is None
    assert Addresses("s", "").index(addresses.mac(5)) is None
    assert addresses.index(addresses.start + "zz") is None
    assert addresses.index(None) is None


def test_shares_are_even_and_always_the_same():
    drawn = [share("s", f"failure {index}") for index in range(2000)]

    assert drawn == [share("s", f"failure {index}") for index in range(2000)]
    assert all(0 <= each < 1 for each in drawn)
    assert 0.45 < sum(drawn) / len(drawn) < 0.55
