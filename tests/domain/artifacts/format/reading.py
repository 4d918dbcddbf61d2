"""How the tests of this folder read an artifact: a description, or the reason why there is none."""

from __future__ import annotations

import pytest

from fairlead.domain.artifacts.format import ArtifactReader, BrokenArtifact, Description, Limits


def read(artifact: bytes, chunk_bytes: int = 1 << 20, limits: Limits | None = None) -> Description:
    reader = ArtifactReader(limits)
    view = memoryview(artifact)
    for start in range(0, len(view), chunk_bytes):
        reader.feed(view[start : start + chunk_bytes])
    return reader.finish()


def reason(artifact: bytes, limits: Limits | None = None) -> str:
    """Why the artifact is refused; a test that asks fails when it is not."""
    with pytest.raises(BrokenArtifact) as refused:
        read(artifact, limits=limits)
    assert str(refused.value) == f"reading artifact error: {refused.value.reason}"
    return refused.value.reason
