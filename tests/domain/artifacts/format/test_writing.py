"""Is what we write an artifact, whatever goes into it?"""

from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from artifact_maker import sha256
from fairlead.domain.artifacts.format import Content, ContentChanged, Heading, write_artifact
from fairlead.domain.artifacts.format.tar_header import parse
from fairlead.domain.artifacts.format.writing import _tar_header

from .reading import read

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
texts = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=300)
file_names = some.text("abcXYZ019_-,.", min_size=1, max_size=255).filter(lambda name: name not in (".", ".."))
contents = some.binary(max_size=3000) | some.builds(bytes, some.integers(0, 600_000))


def write(heading: Heading, *files: Content, at: datetime = AT) -> bytes:
    into = io.BytesIO()
    write_artifact(into, heading, files, at)
    return into.getvalue()


def cut(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


@settings(deadline=None)
@given(
    some.builds(
        Heading,
        texts,
        some.lists(texts, min_size=1, max_size=5),
        some.just("single-file"),
        some.dictionaries(texts.filter(lambda key: key not in ("artifact_name", "artifact_group")), texts, max_size=3),
        some.lists(texts, max_size=3, unique=True),
    ),
    some.dictionaries(file_names, contents, max_size=4),
    some.integers(1, 700_000),
)
def test_what_was_written_is_read(heading, files, piece_bytes):
    written = write(heading, *(Content(name, len(each), cut(each, piece_bytes)) for name, each in files.items()))

    found = read(written)

    assert (found.version, found.name, found.signed) == (3, heading.name, False)
    assert found.device_types_compatible == tuple(heading.device_types)
    assert found.provides == {"artifact_name": heading.name, **heading.provides}
    assert found.depends == {"device_type": heading.device_types}
    assert found.clears == tuple(heading.clears)
    assert [(file.name, file.size_bytes, file.checksum, file.modified_at) for file in found.updates[0].files] == [
        (name, len(content), sha256(content), AT) for name, content in files.items()
    ]


HEADING = Heading("release-1", ["pi"], "single-file", {"a.version": "1"}, ["a.*"])


def test_the_same_input_gives_the_same_bytes_however_it_arrives():
    content = bytes(range(256)) * 5000

    whole = write(HEADING, Content.of("a.txt", content))
    in_pieces = write(HEADING, Content("a.txt", len(content), iter(cut(content, 999))))

    assert whole == in_pieces
    assert write(HEADING, Content.of("a.txt", content), at=datetime(2026, 3, 2, tzinfo=UTC)) != whole


def test_members_come_in_the_order_of_the_format_and_end_as_tar_does():
    written = write(HEADING, Content.of("a.txt", b"hello"))

    with tarfile.open(fileobj=io.BytesIO(written)) as outer:
        assert outer.getnames() == ["version", "manifest", "header.tar.gz", "data/0000.tar.gz"]
        assert outer.extractfile("version").read() == b'{"format":"mender","version":3}'
        with tarfile.open(fileobj=outer.extractfile("data/0000.tar.gz"), mode="r:gz") as payload:
            assert payload.extractfile("a.txt").read() == b"hello"
    assert len(written) % 512 == 0
    assert written.endswith(bytes(1024))


@pytest.mark.parametrize("announced", [0, 4, 6, 100_000])
def test_content_of_another_length_than_announced_is_refused(announced):
    with pytest.raises(ContentChanged, match=f"and {announced} were announced"):
        write(HEADING, Content("a.txt", announced, [b"he", b"llo"]))


def test_only_a_little_of_a_large_file_is_held_at_a_time():
    class Sink(io.RawIOBase):
        """Counts, and keeps nothing but its place."""

        at = largest = 0

        def write(self, piece):
            self.largest = max(self.largest, len(piece))
            self.at += len(piece)
            return len(piece)

        def tell(self):
            return self.at

        def seek(self, to, whence=0):
            self.at = to
            return to

    size, sink, asked = 64 * 1024 * 1024, Sink(), []
    piece = bytes(1024 * 1024)

    def pieces():
        for number in range(size // len(piece)):
            asked.append((number, sink.at))
            yield piece

    write_artifact(sink, HEADING, [Content("zeros", size, pieces())], AT)

    assert sink.largest < 1024 * 1024
    assert len(asked) == 64
    assert asked[-1][1] > asked[10][1]  # what came before the last piece was written by then


@pytest.mark.parametrize("size", [0, 8 * 1024**3 - 1, 8 * 1024**3, 10 * 1024**3])
def test_a_size_of_any_length_takes_one_block_so_that_it_can_be_filled_in_later(size):
    block = _tar_header("data/0000.tar.gz", size, 0o600)

    assert len(block) == 512
    assert parse(block).size_bytes == size
