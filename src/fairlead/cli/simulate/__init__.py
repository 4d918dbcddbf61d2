"""`fairlead simulate`: what would this server do with so many devices? Many that behave like real ones ask it."""

from fairlead.cli.simulate.command import simulate

__all__ = ["simulate"]
