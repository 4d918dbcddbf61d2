"""The power is cut while many clients are at work. `make soak` does the same a hundred times."""

from house.power_cuts import PowerCuts

KILLS = {"sqlite": 10, "postgresql": 3}


def test_every_promise_survives_a_power_cut(engine, served):
    data, options = served

    promised = PowerCuts(data, options).endure(KILLS[engine.name])

    assert {"upload", "deploy", "report", "next", "ask"} <= set(promised)
