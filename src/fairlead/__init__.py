"""Fairlead: one server for everything an organization runs in the field."""

__version__ = "0.1.0"
