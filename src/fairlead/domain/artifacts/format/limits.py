"""How much of each part is read before it counts as an attack."""

from __future__ import annotations

from dataclasses import dataclass

from .broken import BrokenArtifact

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that real artifacts never meet. What has no bound here is never kept in memory."""

    version_bytes: int = 4 * KIB
    manifest_bytes: int = 1 * MIB
    signature_bytes: int = 64 * KIB
    header_bytes: int = 4 * MIB
    header_expanded_bytes: int = 16 * MIB
    document_bytes: int = 1 * MIB
    document_depth: int = 32
    document_values: int = 100_000
    payload_expanded_bytes: int = 32 * GIB
    payloads: int = 1024
    files: int = 1024
    members: int = 8192


class Allowance:
    """Something that is used up little by little, and refused when there is none left."""

    def __init__(self, what: str, amount: int) -> None:
        self._what = what
        self._left = amount

    def take(self, amount: int) -> None:
        self._left -= amount
        if self._left < 0:
            raise BrokenArtifact(f"too many {self._what}")
