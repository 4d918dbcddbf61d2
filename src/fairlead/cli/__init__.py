"""The command `fairlead`: our own edge for operators. Same rules as an API: read, act, answer."""

from fairlead.cli.main import main

__all__ = ["main"]
