"""Two organizations with portals, new for each test: what happens in one is nothing to the other."""

import pytest

from fairlead.domain import identity
from house.portal import Lab


@pytest.fixture
def new_lab(database, tokens):
    def make() -> Lab:
        with database.across_tenants("a new organization") as tx:
            return Lab(database, identity.add_tenant(tx, tokens, "organization").id)

    return make


@pytest.fixture
def lab(new_lab) -> Lab:
    return new_lab()


@pytest.fixture
def zenith(new_lab) -> Lab:
    """The other one."""
    return new_lab()
