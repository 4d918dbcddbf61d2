"""The agent of an instance of the vendor `local`: it asks the server what to run, runs it, and reports.

It speaks what Mobingi's alm-agent speaks (its HEAD of 2019), and keeps its state in files of the same names. It is a
program of its own that is started for each instance: it knows nothing of the server's inside, and imports little.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from fairlead.base import lasting

ENDINGS = frozenset({signal.SIGTERM, signal.SIGINT})
"""By these the agent is told to end."""


def run(arguments: Sequence[str]) -> int:
    """`fairlead local-agent FOLDER`. Somebody else being at work there already is no failure."""
    if len(arguments) != 1:
        print("usage: fairlead local-agent FOLDER (started by the server for each local instance)", file=sys.stderr)
        return 2
    from fairlead.cli.local_agent.told import Unfurnished, read_instance

    folder = Path(arguments[0]).absolute()
    try:
        instance = read_instance(folder)
    except Unfurnished as problem:
        print(f"fairlead local-agent: {problem}", file=sys.stderr)
        return 2
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)  # until the agent can hear them
    lock = lasting.begin(folder, instance.round)
    if lock is None:
        return 0
    from fairlead.cli.local_agent.agent import Agent

    return Agent(instance, lock).live()
