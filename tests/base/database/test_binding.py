"""A transaction sees and changes the rows of its tenant, and of no other."""

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from fairlead.base.database import TENANT, TenantNotBound, Tx
from fairlead.base.database.binding import make_sure_tenant_is_bound
from house.boats import ACME, ZENITH, boats, crews, harbours

OWN_BOATS = boats.c.tenant_id == TENANT
OWN_CREWS = crews.c.tenant_id == TENANT
b, c, other = boats.alias("b"), crews.alias("c"), boats.alias("other")
inner = sa.select(boats.c.id)
joined = crews.join(boats, boats.c.id == crews.c.boat_id)
left_joined = crews.outerjoin(boats, boats.c.id == crews.c.boat_id)
in_names = boats.c.name.in_(sa.select(crews.c.boat_id))
same_tenant = boats.c.tenant_id == crews.c.tenant_id

REFUSED = {
    "a select": sa.select(boats),
    "a count": sa.select(sa.func.count()).select_from(boats),
    "another tenant by name": sa.select(boats).where(boats.c.tenant_id == "zenith"),
    "every tenant but ours": sa.select(boats).where(boats.c.tenant_id != TENANT),
    "ours or any": sa.select(boats).where(sa.or_(OWN_BOATS, boats.c.name == "a")),
    "not ours": sa.select(boats).where(sa.not_(OWN_BOATS)),
    "ours in the columns only": sa.select(boats.c.id, OWN_BOATS),
    "an update": sa.update(boats).values(name="x"),
    "a delete": sa.delete(boats).where(boats.c.id == "1"),
    "an update of a row for another tenant": sa.update(boats).where(OWN_BOATS).values(tenant_id="zenith"),
    "an update that reads another table": sa.update(boats)
    .where(OWN_BOATS, boats.c.id == crews.c.boat_id)
    .values(name=""),
    "a delete that reads another table": sa.delete(boats).where(OWN_BOATS, boats.c.id == crews.c.boat_id),
    "an update with a value from all": sa.update(boats)
    .where(OWN_BOATS)
    .values(name=sa.select(other.c.name).scalar_subquery()),
    "a join with one side bound": sa.select(boats.c.id).select_from(joined).where(OWN_CREWS),
    "a join with the other side bound": sa.select(boats.c.id).select_from(joined).where(OWN_BOATS),
    "an outer join bound in its ON clause only": sa.select(crews).select_from(
        crews.outerjoin(boats, sa.and_(boats.c.id == crews.c.boat_id, OWN_CREWS, OWN_BOATS))
    ),
    "a full join bound in its ON clause": sa.select(crews).select_from(
        crews.join(boats, sa.and_(OWN_CREWS, OWN_BOATS), full=True)
    ),
    "two tables side by side": sa.select(boats.c.id, crews.c.id).where(OWN_BOATS),
    "two that are only tied to each other": sa.select(boats.c.id, crews.c.id).where(same_tenant),
    "an alias": sa.select(b),
    "an alias beside its bound table": sa.select(boats.c.id, other.c.id).where(OWN_BOATS),
    "an alias bound by its table's column": sa.select(b).where(OWN_BOATS),
    "one of two aliases": sa.select(b.c.id, other.c.id).where(b.c.tenant_id == TENANT),
    "a subquery": sa.select(inner.subquery()),
    "a subquery inside a bound select": sa.select(boats).where(OWN_BOATS, boats.c.id.in_(inner)),
    "a subquery of another table": sa.select(boats).where(OWN_BOATS, in_names),
    "a subquery beside a bound table": sa.select(boats.c.id, sa.select(crews).subquery().c.id).where(OWN_BOATS),
    "a scalar subquery": sa.select(boats.c.id, sa.select(sa.func.count(crews.c.id)).scalar_subquery()).where(OWN_BOATS),
    "an EXISTS": sa.select(boats).where(OWN_BOATS, sa.exists().where(crews.c.boat_id == boats.c.id)),
    "a subquery in the order": sa.select(boats)
    .where(OWN_BOATS)
    .order_by(sa.select(crews.c.id).limit(1).scalar_subquery()),
    "a common table expression": sa.select(inner.cte("all_boats")),
    "one half of a union": sa.union_all(inner.where(OWN_BOATS), sa.select(crews.c.id)),
    "an update of what a subquery finds": sa.update(boats).where(OWN_BOATS, in_names).values(name=""),
    "a delete of what a subquery finds": sa.delete(boats).where(OWN_BOATS, in_names),
    "an insert of what is selected": sa.insert(boats).from_select(["id", "tenant_id"], sa.select(crews.c.id, TENANT)),
    "an insert for the tenant of others": sa.insert(boats).from_select(
        ["id", "tenant_id"], sa.select(crews.c.id, crews.c.tenant_id).where(OWN_CREWS)
    ),
    "an insert for no tenant": sa.insert(boats).from_select(["id"], sa.select(crews.c.id).where(OWN_CREWS)),
    "an insert for a tenant of choice": sa.insert(boats).values(id="1", tenant_id="zenith"),
    "an insert of many for tenants of choice": sa.insert(boats).values([{"id": "1", "tenant_id": "zenith"}]),
    "an insert that updates": sqlite.insert(boats).on_conflict_do_update(index_elements=["id"], set_={"name": "x"}),
    "the same on PostgreSQL": postgresql.insert(boats).on_conflict_do_update(index_elements=["id"], set_={"name": "x"}),
    "a text": sa.text("SELECT * FROM boats"),
    "a select from a text": sa.select(sa.text("*")).select_from(sa.text("boats")),
    "DDL": sa.schema.DropTable(boats),
}

ALLOWED = {
    "a select": sa.select(boats).where(OWN_BOATS),
    "the other way round": sa.select(boats).where(boats.c.tenant_id == TENANT),
    "nested conditions": sa.select(boats).where(sa.and_(boats.c.name == "a", sa.and_(OWN_BOATS, boats.c.id == "1"))),
    "ours and this or that": sa.select(boats).where(OWN_BOATS, sa.or_(boats.c.id == "1", boats.c.id == "2")),
    "an update": sa.update(boats).where(OWN_BOATS).values(name="x"),
    "a delete": sa.delete(boats).where(OWN_BOATS, boats.c.id == "1"),
    "a join": sa.select(boats.c.id).select_from(joined).where(OWN_BOATS, OWN_CREWS),
    "a join tied by its tenant": sa.select(boats.c.id).select_from(joined).where(OWN_BOATS, same_tenant),
    "a join bound in its ON clause": sa.select(boats).join(crews, sa.and_(OWN_BOATS, OWN_CREWS)),
    "an outer join": sa.select(crews).select_from(left_joined).where(OWN_CREWS, OWN_BOATS),
    "an outer join tied in its ON clause": sa.select(crews)
    .select_from(crews.outerjoin(boats, sa.and_(boats.c.id == crews.c.boat_id, same_tenant)))
    .where(OWN_CREWS),
    "an alias": sa.select(b).where(b.c.tenant_id == TENANT),
    "two aliases": sa.select(b, c.c.id).where(b.c.tenant_id == TENANT, c.c.tenant_id == b.c.tenant_id),
    "a subquery": sa.select(boats).where(OWN_BOATS, boats.c.id.in_(sa.select(crews.c.boat_id).where(OWN_CREWS))),
    "a bound subquery": sa.select(inner.where(OWN_BOATS).subquery()),
    "a union": sa.union_all(inner.where(OWN_BOATS), sa.select(crews.c.id).where(OWN_CREWS)),
    "a table that is nobody's": sa.select(harbours),
    "nobody's rows": sa.insert(harbours),
    "a row": sa.insert(boats),
    "a row unless it is there": sqlite.insert(boats).on_conflict_do_nothing(),
    "no table at all": sa.select(sa.literal(1)),
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
def test_a_statement_that_does_not_bind_the_tenant_is_refused(engine_free_transaction, statement):
    with pytest.raises(TenantNotBound):
        engine_free_transaction.run(statement)


@pytest.mark.parametrize("statement", ALLOWED.values(), ids=ALLOWED)
def test_a_statement_that_binds_the_tenant_is_let_through(statement):
    make_sure_tenant_is_bound(statement)
    make_sure_tenant_is_bound(statement)


@pytest.fixture
def engine_free_transaction():
    return Tx(None, ACME)


def test_every_row_that_is_inserted_gets_the_tenant(database):
    with database.begin(ACME) as tx:
        tx.run(sa.insert(boats), {"id": "1", "tenant_id": "zenith"})
        tx.run(sa.insert(boats), [{"id": "2"}, {"id": "3", "tenant_id": "zenith"}])
        tx.run(sa.insert(boats).values(id="4", name="four"))
        chosen = sa.select(boats.c.id + "0", TENANT).where(OWN_BOATS, boats.c.id == "1")
        tx.run(sa.insert(boats).from_select(["id", "tenant_id"], chosen))
        tx.run(sa.insert(harbours), [{"id": "north"}, {"id": "south"}])

    with database.across_tenants("whose are they?", writing=False) as tx:
        assert {row.id: row.tenant_id for row in tx.all(sa.select(boats))} == dict.fromkeys(
            ["1", "2", "3", "4", "10"], "acme"
        )


def test_a_statement_means_the_tenant_of_its_transaction(database):
    with database.begin(ACME) as tx:
        tx.run(sa.insert(boats), {"id": "1"})
    with database.begin(ZENITH) as tx:
        tx.run(sa.insert(boats), {"id": "2"})

    with database.begin(ACME) as tx:
        seen = [row.id for row in tx.all(sa.select(boats).where(OWN_BOATS), {TENANT.key: "zenith"})]
        changed = tx.run(sa.update(boats).where(OWN_BOATS).values(name="x")).rowcount
        inside = tx.within(ZENITH)
        seen_inside = [row.id for row in inside.all(sa.select(boats).where(OWN_BOATS))]

    assert (seen, changed, seen_inside) == (["1"], 1, ["2"])


def test_across_tenants_there_is_no_scope_to_lean_on(database):
    with database.across_tenants("the operator looks") as tx:
        assert tx.all(sa.select(boats)) == []
        with pytest.raises(TenantNotBound):
            _ = tx.tenant_id
