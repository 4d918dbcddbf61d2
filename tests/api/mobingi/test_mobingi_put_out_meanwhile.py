"""What becomes of a request whose sender is put out while its body is still on its way?"""

from __future__ import annotations

import json

import pytest

from fairlead.domain import identity
from house.accounts import document
from house.slowly import in_two_halves


def new_role(town, token):
    body = json.dumps({"name": "late", "scope": json.loads(document("Allow stack:describeStack *"))})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return town.client.build_request("POST", "/v3/role", content=body, headers=headers)


@pytest.mark.parametrize(("stays", "status"), [(False, 401), (True, 200)])
def test_only_who_is_still_in_at_the_end_gets_it_done(town, stays, status):
    master = town.master

    def suspend() -> None:
        if not stays:
            with town.server.fairlead.database.across_tenants("suspended by the test") as tx:
                identity.suspend_tenant(tx, town.account.tenant_id)

    sent = in_two_halves(new_role(town, master.token), suspend)

    assert sent == status
    with town.server.fairlead.database.read(town.account.system) as tx:
        assert [role.name for role in identity.list_document_roles(tx)] == ["late"] * stays
