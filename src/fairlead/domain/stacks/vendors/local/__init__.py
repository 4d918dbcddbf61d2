"""The vendor `local`: instances are processes on this host, each with a folder of its own, for trials and for tests."""

from .driver import LocalDriver

__all__ = ["LocalDriver"]
