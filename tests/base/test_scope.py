"""On whose behalf, and when?"""

import enum
from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine

from fairlead.base import clock
from fairlead.base.errors import Kind
from fairlead.base.scope import Actor, ActorKind, Everything, NotAllowed, Scope, system_scope


class Deed(enum.StrEnum):
    SAIL = "sail the boat"
    SINK = "sink the boat"


def test_who_lacks_a_permission_is_told_which():
    scope = Scope("acme", Actor(ActorKind.USER, "1", "ada"), frozenset({Deed.SAIL}))

    scope.require(Deed.SAIL)
    with pytest.raises(NotAllowed, match="permission to sink the boat is missing") as refused:
        scope.require(Deed.SINK)

    assert refused.value.kind is Kind.FORBIDDEN


def test_who_has_no_permissions_may_do_nothing():
    with pytest.raises(NotAllowed):
        Scope("acme", Actor(ActorKind.DEVICE, "1")).require(Deed.SAIL)


def test_the_system_may_do_everything():
    system_scope("acme").require(Deed.SINK)

    assert Deed.SAIL in Everything()
    assert system_scope("acme", "command line").actor == Actor(ActorKind.SYSTEM, "command line", "command line")


def test_the_clock_tells_utc_whatever_the_zone_of_the_machine():
    with time_machine.travel(datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2))), tick=False):
        assert clock.now() == datetime(2026, 7, 1, 10, tzinfo=UTC)
        assert clock.now().tzinfo is UTC


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2021, 1, 20, 10, 0, 0, 123456, tzinfo=UTC), "2021-01-20T10:00:00.123456Z"),
        (datetime(2021, 1, 20, 10, 0, 0, tzinfo=UTC), "2021-01-20T10:00:00Z"),
        (datetime(2021, 1, 20, 10, 0, 0, tzinfo=timezone(timedelta(hours=-5))), "2021-01-20T15:00:00Z"),
    ],
)
def test_a_moment_is_written_as_clients_read_it(moment, text):
    assert clock.rfc3339(moment) == text
