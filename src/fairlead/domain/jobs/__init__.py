"""Scientific jobs: what is run for whom, with which values, and what came of it."""

from . import commands

__all__ = ["commands"]
