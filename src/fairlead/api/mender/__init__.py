"""Mender 2.6 Enterprise, as its devices, tools and people speak it."""
