"""Is what the bench uploads an artifact?"""

import pytest

from fairlead.cli.bench.artifact import BLOCK, DEVICE_TYPE, Artifact
from fairlead.domain.artifacts.format import ArtifactReader


@pytest.mark.parametrize("blocks", [0, 1, 3])
def test_the_reader_finds_it_sound(blocks):
    artifact, reader = Artifact("release-1", blocks), ArtifactReader()

    for piece in artifact.pieces():
        reader.feed(piece)
    found = reader.finish()

    assert (found.name, list(found.device_types_compatible)) == ("release-1", [DEVICE_TYPE])
    assert [file.size_bytes for update in found.updates for file in update.files] == [blocks * len(BLOCK)]


def test_it_is_as_long_as_it_says():
    artifact = Artifact("release-1", 2)

    assert sum(len(piece) for piece in artifact.pieces()) == artifact.size_bytes
