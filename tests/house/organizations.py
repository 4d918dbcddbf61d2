"""How does a test come to the data of a server of many organizations, without starting one?"""

from __future__ import annotations

from pathlib import Path

from fairlead.domain import identity
from fairlead.parts import bring_up_to_date, open_tokens
from fairlead.settings import Settings
from house.world import PASSWORD


def found(data: Path, email: str = "ada@acme.example") -> str:
    """Acme, the first organization in this folder, as `fairlead tenant create` makes it; its id."""
    settings = Settings(data=data, multitenant=True)
    database = bring_up_to_date(settings)
    new = identity.NewOrganization("Acme", email, PASSWORD)
    with database.across_tenants("a new organization") as tx:
        made = identity.found_organization(tx, open_tokens(settings), new, identity.prepare_password(PASSWORD))
    database.close()
    return made.id
