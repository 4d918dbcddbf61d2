"""Where the other servers are kept, and what they offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from fairlead.base.database import TENANT, Moment, Tx
from fairlead.domain.catalog.peer_answers import Offered
from fairlead.domain.catalog.tables import catalog_peer_services, catalog_peers

_peer = catalog_peers.c
_offer = catalog_peer_services.c
_peers = sa.select(catalog_peers).where(_peer.tenant_id == TENANT)
_one = _peers.where(_peer.name == sa.bindparam("called"))
_by_token = sa.select(_peer.tenant_id, _peer.name).where(_peer.token_in_hash == sa.bindparam("hash"))
_due = (
    sa.select(_peer.tenant_id, _peer.name, _peer.due_at)
    .where(_peer.due_at <= sa.bindparam("now", type_=Moment))
    .order_by(_peer.due_at)
    .limit(sa.bindparam("at_most"))
)
_take = (
    sa.update(catalog_peers)
    .where(
        _peer.tenant_id == TENANT,
        _peer.name == sa.bindparam("called"),
        _peer.due_at == sa.bindparam("was_due", type_=Moment),
    )
    .values(due_at=sa.bindparam("until", type_=Moment))
)
_this_peer = (_peer.tenant_id == TENANT, _peer.name == sa.bindparam("called"))
_remove = sa.delete(catalog_peers).where(*_this_peer)
_listed = [column for column in _offer if column.name != "document"]
_offers = sa.select(*_listed).where(_offer.tenant_id == TENANT)
_offers_of = _offers.where(_offer.peer == sa.bindparam("of_peer"))
_this_offer = (
    _offer.tenant_id == TENANT,
    _offer.peer == sa.bindparam("of_peer"),
    _offer.project == sa.bindparam("of_project"),
    _offer.name == sa.bindparam("called"),
)
_offered = sa.select(catalog_peer_services).where(*_this_offer)
_withdraw = sa.delete(catalog_peer_services).where(*_this_offer)


def find(tx: Tx, name: str) -> sa.Row[Any] | None:
    return tx.one(_one, {"called": name})


def search(tx: Tx) -> list[sa.Row[Any]]:
    return list(tx.all(_peers.order_by(_peer.registered_at, _peer.name)))


def with_token(tx: Tx, token_hash: str) -> sa.Row[Any] | None:
    """Across tenants: whoever shows a token has not said whose peer they are."""
    return tx.one(_by_token, {"hash": token_hash})


def due(tx: Tx, now: datetime, at_most: int) -> list[sa.Row[Any]]:
    """Across tenants: those that should be asked now, the longest waiting first."""
    return list(tx.all(_due, {"now": now, "at_most": at_most}))


def take(tx: Tx, name: str, was_due: datetime, pause: timedelta, now: datetime) -> bool:
    """Is it ours to ask this peer? Of several processes one takes it; it is due again after the pause."""
    return bool(tx.run(_take, {"called": name, "was_due": was_due, "until": now + pause}).rowcount)


def add(tx: Tx, values: Mapping[str, Any]) -> None:
    tx.run(sa.insert(catalog_peers), values)


def change(tx: Tx, name: str, **values: Any) -> None:
    tx.run(sa.update(catalog_peers).where(*_this_peer).values(**values), {"called": name})


def remove(tx: Tx, name: str) -> None:
    tx.run(_remove, {"called": name})


def offers(tx: Tx) -> list[sa.Row[Any]]:
    """What all peers offer, without the descriptions."""
    return list(tx.all(_offers))


def offered(tx: Tx, peer: str, project: str, name: str) -> sa.Row[Any] | None:
    return tx.one(_offered, {"of_peer": peer, "of_project": project, "called": name})


def change_offers(tx: Tx, peer: str, now_offered: Sequence[Offered]) -> None:
    """Let the peer offer these and nothing else, writing only what is different."""
    known = {(row.project, row.name): row for row in tx.all(_offers_of, {"of_peer": peer})}
    wanted = {(offer.project, offer.name): offer for offer in now_offered}
    for project, name in known.keys() - wanted.keys():
        tx.run(_withdraw, {"of_peer": peer, "of_project": project, "called": name})
    for key, offer in wanted.items():
        row = known.get(key)
        if row is not None and (row.type, row.authorized) != (offer.type.value, offer.authorized):
            change_offer(tx, peer, *key, type=offer.type.value, authorized=offer.authorized)
    new = [offer for key, offer in wanted.items() if key not in known]
    if new:
        tx.run(sa.insert(catalog_peer_services), [_as_row(peer, offer) for offer in new])


def change_offer(tx: Tx, peer: str, project: str, name: str, **values: Any) -> None:
    named = {"of_peer": peer, "of_project": project, "called": name}
    tx.run(sa.update(catalog_peer_services).where(*_this_offer).values(**values), named)


def _as_row(peer: str, offer: Offered) -> dict[str, Any]:
    return {
        "peer": peer,
        "project": offer.project,
        "name": offer.name,
        "type": offer.type.value,
        "authorized": offer.authorized,
        "document": "",
        "content_hash": "",
        "fetched_at": None,
    }
