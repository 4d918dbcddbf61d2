"""Is this an artifact, and what does it say? Answered in one pass, while the bytes arrive."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from .broken import BrokenArtifact
from .contents import Contents
from .description import Description
from .limits import Limits
from .tar import Tar


class ArtifactReader:
    """Reads a `.mender` file of format version 1, 2 or 3 piece by piece and keeps nothing of its payloads.

    Every checksum is verified; signatures are not, for only devices know the keys. `feed` may be called from any
    thread, one call at a time. What was refused once stays refused.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._contents = Contents(limits)
        self._tar: Tar | None = Tar("the artifact", self._contents.open, limits.members)
        self._reason = ""
        self._sha256 = hashlib.sha256()
        self._size_bytes = 0

    def feed(self, chunk: bytes | memoryview) -> None:
        piece = memoryview(chunk)
        with self._refusing_for_good() as tar:
            tar.feed(piece)
        self._sha256.update(piece)
        self._size_bytes += len(piece)

    def finish(self) -> Description:
        with self._refusing_for_good() as tar:
            tar.finish()
            return self._contents.describe(self._size_bytes, self._sha256.hexdigest())

    @contextmanager
    def _refusing_for_good(self) -> Iterator[Tar]:
        """The first refusal lets go of all that was being unfolded; the later ones repeat its reason."""
        if self._tar is None:
            raise BrokenArtifact(self._reason)
        try:
            yield self._tar
        except BrokenArtifact as broken:
            self._reason = broken.reason
            self._tar = None
            raise
