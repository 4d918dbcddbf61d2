"""Portals for tests of the catalogue, each of an organization that is new."""

from __future__ import annotations

import uuid

import pytest

from fairlead.base.database import Tx
from fairlead.domain import catalog, identity
from fairlead.domain.catalog import projects as known_projects
from fairlead.domain.identity import portal
from house.portals import OWN, PROJECT, PUBLIC_PROJECT, Portal


@pytest.fixture
def new_portal(database, tokens, monkeypatch):
    """Makes portals, each of an organization of its own. They have one project that is private and one that is not."""
    there = {PROJECT: portal.ProjectRef(PROJECT), PUBLIC_PROJECT: portal.ProjectRef(PUBLIC_PROJECT, is_public=True)}
    names = {"mine": [PROJECT], "twice": [PROJECT, PUBLIC_PROJECT]}

    def seen(tx: Tx, numbers: set[int]) -> dict[int, portal.ProjectRef]:
        return {number: there[number] for number in numbers if number in there}

    monkeypatch.setattr(known_projects._known, "seen", seen)
    monkeypatch.setattr(known_projects._known, "called", lambda tx, name: names.get(name, []))

    def make(own: catalog.OwnServer = OWN) -> Portal:
        with database.across_tenants("a new organization") as tx:
            tenant = identity.add_tenant(tx, tokens, f"organization {uuid.uuid4()}")
        return Portal(database, tenant.id, own)

    return make


@pytest.fixture
def here(new_portal) -> Portal:
    return new_portal()
