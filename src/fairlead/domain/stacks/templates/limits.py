"""How much may a template ask of us?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Real templates have a few KB, a few layers and a few dozen instances."""

    size_bytes: int = 1024 * 1024
    depth: int = 64
    values: int = 20_000
    """So many values may the text have, and so many the template once everything is put in where it is referred to."""
    layers: int = 64
    instances: int = 1_000
    """So many instances may all layers have together when each is scaled up as far as it goes."""
