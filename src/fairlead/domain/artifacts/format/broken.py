"""How an artifact that cannot be read is refused."""

from __future__ import annotations

from fairlead.base.errors import Kind, Refusal

SHOWN = 120  # characters of a hostile name that a reason repeats


class BrokenArtifact(Refusal):
    """The bytes are not an artifact that a device could install; `reason` says where they stop being one."""

    kind = Kind.INVALID
    message = "reading artifact error: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)

    @property
    def reason(self) -> str:
        return str(self.facts["reason"])


def shown(text: str) -> str:
    """A name from outside as a reason may repeat it: quoted, escaped and not endless."""
    return ascii(text if len(text) <= SHOWN else text[:SHOWN] + "...")
