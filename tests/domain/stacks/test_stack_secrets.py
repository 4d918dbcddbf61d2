"""What is secret stands nowhere in the database in the clear, and is given back to nobody who has not given it."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_public_key

from fairlead.base.database import Database
from fairlead.domain import audit, stacks
from fairlead.domain.identity import RoleForbids
from fairlead.domain.stacks import (
    CredentialExists,
    CredentialInUse,
    CredentialNotFound,
    KeyNotFound,
    ServerConfigChange,
    Status,
    UnknownVendor,
    VersionRef,
)

from .scripted import SEAL, template

SECRETS = ("hunter2", "git-deploy-key", "db-password", "aws-secret", "laid-over", "cloud-key")


def everything_in(database: Database) -> str:
    with database.outside() as connection:
        tables = map(sa.table, sa.inspect(connection).get_table_names())
        rows = (connection.execute(sa.select(sa.literal_column("*")).select_from(each)) for each in tables)
        return "\n".join(str(row) for found in rows for row in found)


def full_of_secrets(vendor: str = "aws") -> str:
    said = json.loads(
        template(
            1,
            vendor=vendor,
            image="nginx",
            dockerHubPassword="hunter2",
            gitRepo="https://example.com/code.git",
            gitPrivateKey="git-deploy-key",
            environmentVariables={"DB": "db-password"},
        )
    )
    said["configurations"][0]["provision"]["keypair"] = True
    return json.dumps(said)


def test_nothing_secret_stands_in_the_database(place):
    stack_id = place.running(full_of_secrets())
    with place.database.begin(place.ada) as tx:
        stacks.add_credential(tx, SEAL, "k5", "Acme", {"id": "k5-1", "secret": "cloud-key"})
        stacks.change_server_config(tx, place.tools, stack_id, ServerConfigChange(environment={"LAID": "laid-over"}))
    place.update(stack_id, full_of_secrets("local"))
    stack = place.settled(stack_id, Status.UPDATE_COMPLETE)

    kept = everything_in(place.database)

    assert stack_id in kept
    assert [secret for secret in (*SECRETS, stack.auth_token, "PRIVATE KEY-----") if secret in kept] == []


def test_what_is_written_about_it_holds_no_secret(place):
    stack_id = place.running(full_of_secrets())
    place.delete(stack_id)
    place.gone(stack_id)

    with place.database.read(place.ada) as tx:
        told = str(audit.recent(tx, 500))

    assert [secret for secret in SECRETS if secret in told] == []


def test_the_vendors_secret_is_never_given_back(place):
    stack_id = place.running(full_of_secrets())

    with place.database.read(place.ada) as tx:
        told = [
            stacks.list_stacks(tx, place.tools),
            stacks.find_stack(tx, place.tools, stack_id).template,
            stacks.template_of(tx, place.tools, stack_id),
            stacks.compare(tx, place.tools, VersionRef(stack_id), full_of_secrets()),
        ]

    assert "AKIA1" in str(told)
    assert "aws-secret" not in str(told)


@pytest.mark.parametrize("spelled", [('"vendor"', '"Vendor"'), ('"secret"', '"Secret"'), ('"secret"', '"SECRET"')])
def test_nor_is_it_when_it_is_spelled_in_another_way(place, spelled):
    stack_id = place.running(template(vendor="aws").replace(*spelled))

    with place.database.read(place.ada) as tx:
        told = stacks.template_of(tx, place.tools, stack_id)

    assert "AKIA1" in str(told)
    assert "aws-secret" not in str(told)


def test_a_layer_has_a_key_pair_that_instances_get_the_public_half_of(place, real_key_sizes):
    stack_id = place.running(full_of_secrets())

    with place.database.read(place.ada) as tx:
        pem = stacks.private_key(tx, place.tools, stack_id, "Web01")

    assert pem.startswith(b"-----BEGIN RSA PRIVATE KEY-----\n")
    key = load_pem_private_key(pem, None)
    public = place.cloud.orders[-1].public_keys["Web01"]
    assert key.key_size == 2048
    assert load_ssh_public_key(public.encode()) == key.public_key()
    assert public.endswith(f" {stack_id}-Web01")


def test_the_key_pair_stays_through_updates(place):
    stack_id = place.running(full_of_secrets())
    with place.database.read(place.ada) as tx:
        before = stacks.private_key(tx, place.tools, stack_id, "Web01")

    place.update(stack_id, full_of_secrets().replace("nginx", "nginx:2"))
    place.settled(stack_id, Status.UPDATE_COMPLETE)

    with place.database.read(place.ada) as tx:
        assert stacks.private_key(tx, place.tools, stack_id, "Web01") == before


def test_a_layer_without_a_key_pair_says_so(place):
    stack_id = place.running(template())

    for flag in ("Web01", "Nope1", "", "\0"):
        with place.database.read(place.ada) as tx, pytest.raises(KeyNotFound):
            stacks.private_key(tx, place.tools, stack_id, flag)


def test_credentials_are_listed_without_their_secret(place):
    with place.database.begin(place.ada) as tx:
        added = stacks.add_credential(tx, SEAL, "aws", "Acme", {"id": "AKIA1", "secret": "cloud-key"})

    with place.database.read(place.ada) as tx:
        assert stacks.list_credentials(tx, "aws") == [added]
        assert stacks.list_credentials(tx, "k5") == []
    assert "cloud-key" not in repr(added)
    assert place.log() == ["ada credential.create"]


def test_drivers_are_handed_the_credentials_that_the_template_names(place):
    with place.database.begin(place.ada) as tx:
        stacks.add_credential(tx, SEAL, "aws", "Acme", {"id": "AKIA2", "secret": "cloud-key"})
    by_id = template(vendor="aws").replace("AKIA1", "AKIA2").replace('"secret": "aws-secret", ', "")

    for text in (by_id, by_id.replace("AKIA2", "Acme")):
        place.running(text)
        assert place.cloud.orders[-1].credential == {"id": "AKIA2", "secret": "cloud-key"}


def test_what_a_template_has_named_stays_what_it_uses_whatever_is_added_later(place):
    with place.database.begin(place.ada) as tx:
        stacks.add_credential(tx, SEAL, "aws", "Acme", {"id": "AKIA2", "secret": "cloud-key"})
    text = template(vendor="aws").replace('"secret": "aws-secret", ', "")
    by_account, by_nothing = place.running(text.replace("AKIA1", "Acme")), place.running(text.replace("AKIA1", "Other"))
    with place.database.begin(place.ada) as tx:
        for credential_id, account in (("Acme", ""), ("AKIA3", "Other")):
            stacks.add_credential(tx, SEAL, "aws", account, {"id": credential_id, "secret": "of-somebody-else"})

    for stack_id in (by_account, by_nothing):
        place.update(stack_id, template(2))
        place.settled(stack_id, Status.UPDATE_COMPLETE)

    handed = {order.brief.stack_id: order.credential for order in place.cloud.orders}
    assert handed == {by_account: {"id": "AKIA2", "secret": "cloud-key"}, by_nothing: {}}
    with place.database.begin(place.ada) as tx, pytest.raises(CredentialInUse, match=by_account):
        stacks.remove_credential(tx, "aws", "AKIA2")


def test_the_same_credentials_are_not_taken_twice(place):
    with place.database.begin(place.ada) as tx:
        stacks.add_credential(tx, SEAL, "aws", "Acme", {"id": "AKIA1", "secret": "one"})
    with place.database.begin(place.ada) as tx, pytest.raises(CredentialExists):
        stacks.add_credential(tx, SEAL, "aws", "Acme", {"id": "AKIA1", "secret": "two"})


def test_credentials_that_a_stack_uses_cannot_be_removed(place):
    with place.database.begin(place.ada) as tx:
        stacks.add_credential(tx, SEAL, "aws", "Acme", {"id": "AKIA1", "secret": "one"})
    stack_id = place.running(template(vendor="aws"))

    with place.database.begin(place.ada) as tx, pytest.raises(CredentialInUse) as refused:
        stacks.remove_credential(tx, "aws", "AKIA1")
    assert stack_id in str(refused.value)

    place.delete(stack_id)
    place.gone(stack_id)
    with place.database.begin(place.ada) as tx:
        stacks.remove_credential(tx, "aws", "AKIA1")
    with place.database.read(place.ada) as tx:
        assert stacks.list_credentials(tx, "aws") == []


def test_credentials_that_are_not_there_or_make_no_sense_are_refused(place):
    with place.database.begin(place.ada) as tx:
        for refusal, deed in (
            (CredentialNotFound, lambda: stacks.remove_credential(tx, "aws", "AKIA1")),
            (CredentialNotFound, lambda: stacks.remove_credential(tx, "aws", "\0")),
            (UnknownVendor, lambda: stacks.remove_credential(tx, "ibm", "AKIA1")),
            (UnknownVendor, lambda: stacks.list_credentials(tx, "ibm")),
            (UnknownVendor, lambda: stacks.add_credential(tx, SEAL, "ibm", "", {"id": "x"})),
            (stacks.BadCredential, lambda: stacks.add_credential(tx, SEAL, "aws", "", {"secret": "x"})),
            (stacks.BadCredential, lambda: stacks.add_credential(tx, SEAL, "aws", "\0", {"id": "x"})),
            (stacks.BadCredential, lambda: stacks.add_credential(tx, SEAL, "aws", "", {"id": "x" * 256})),
            (stacks.BadCredential, lambda: stacks.add_credential(tx, SEAL, "aws", "", {"id": "x", "a": "y" * 20_000})),
        ):
            with pytest.raises(refusal):
                deed()


def test_members_handle_the_credentials_that_their_role_names(place):
    with place.database.begin(place.ada) as tx:
        for name in ("AKIA1", "AKIA2"):
            stacks.add_credential(tx, SEAL, "aws", name, {"id": name})
    allow = {"effect": "allow", "action": "view:credentials", "resource": "AKIA2"}

    with place.database.begin(place.member("mia", allow)) as tx:
        assert [each.id for each in stacks.list_credentials(tx, "aws")] == ["AKIA2"]
        for deed in (
            lambda: stacks.remove_credential(tx, "aws", "AKIA2"),
            lambda: stacks.add_credential(tx, SEAL, "aws", "x", {"id": "AKIA3"}),
        ):
            with pytest.raises(RoleForbids):
                deed()
