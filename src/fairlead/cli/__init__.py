"""The command `fairlead`: our own edge for operators. Same rules as an API: read, act, answer."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line.

    The agent of a local instance is let through before the rest is loaded: there may be hundreds of them.
    """
    if sys.argv[1:2] == ["local-agent"]:
        from fairlead.cli.local_agent import run

        sys.exit(run(sys.argv[2:]))
    from fairlead.cli.commands import main as whole

    whole()
