"""A hundred power cuts in a row, on one and the same data."""

import pytest

from house.people import prepare_data
from house.power_cuts import PowerCuts

pytestmark = pytest.mark.soak
KILLS = 100


@pytest.mark.timeout(3600)
def test_every_promise_survives_a_hundred_power_cuts(engine, tmp_path):
    promised = PowerCuts(*prepare_data(engine, tmp_path)).endure(KILLS)

    assert promised["upload"] >= KILLS
