"""How a tar archive is read while it arrives, in pieces of any size."""

from __future__ import annotations

from collections.abc import Callable

from .broken import BrokenArtifact
from .limits import KIB, Allowance
from .parts import Document, Part
from .tar_header import BLOCK_BYTES, Header, Member, parse, pax_extensions

MOST_EXTENSION_BYTES = 64 * KIB
ZEROS = bytes(BLOCK_BYTES)


class Tar:
    """Opens a part for each member and feeds it the member's content, uncopied.

    The archive must end with two blocks of zeros and nothing but zeros may follow, so that what is cut off anywhere
    is noticed even where no checksum would.
    """

    def __init__(self, name: str, open_member: Callable[[Member], Part], most_members: int) -> None:
        self._name = name
        self._open_member = open_member
        self._members = Allowance(f"members in {name}", most_members)
        self._step = self._read_header
        self._block = bytearray()
        self._extensions: dict[str, bytes] = {}
        self._part: Part | None = None
        self._content_bytes = 0
        self._padding_bytes = 0
        self._zero_blocks = 0

    def feed(self, piece: memoryview) -> None:
        while piece:
            piece = piece[self._step(piece) :]

    def finish(self) -> None:
        if self._zero_blocks < 2:
            raise BrokenArtifact(f"{self._name} is truncated")

    def _read_header(self, piece: memoryview) -> int:
        taken = min(BLOCK_BYTES - len(self._block), len(piece))
        self._block += piece[:taken]
        if len(self._block) == BLOCK_BYTES:
            block = bytes(self._block)
            self._block.clear()
            self._decide(block)
        return taken

    def _decide(self, block: bytes) -> None:
        if self._extensions and (block == ZEROS or block[156:157] in b"xL"):
            raise BrokenArtifact(f"{self._name} has an extended header that extends nothing")
        if block == ZEROS:
            self._zero_blocks += 1
            if self._zero_blocks == 2:
                self._step = self._read_nothing_more
        elif self._zero_blocks:
            raise BrokenArtifact(f"{self._name} goes on behind its end")
        else:
            self._members.take(1)
            self._start(parse(block))

    def _start(self, header: Header) -> None:
        match header.kind:
            case b"x":
                self._part = self._extension(header, self._learn_pax)
            case b"L":
                self._part = self._extension(header, self._learn_name)
            case _:
                header = header.overlaid(self._extensions)
                self._extensions = {}
                self._part = self._open_member(header.member())
        self._content_bytes = header.size_bytes
        self._padding_bytes = -header.size_bytes % BLOCK_BYTES
        self._step = self._read_content
        if not self._content_bytes:
            self._end_content()

    def _extension(self, header: Header, learn: Callable[[bytes], None]) -> Part:
        return Document(f"an extended header in {self._name}", MOST_EXTENSION_BYTES, learn)

    def _learn_pax(self, content: bytes) -> None:
        self._extensions |= pax_extensions(content)

    def _learn_name(self, content: bytes) -> None:
        self._extensions["path"] = content.partition(b"\0")[0]

    def _read_content(self, piece: memoryview) -> int:
        assert self._part is not None
        taken = min(self._content_bytes, len(piece))
        self._part.feed(piece[:taken])
        self._content_bytes -= taken
        if not self._content_bytes:
            self._end_content()
        return taken

    def _end_content(self) -> None:
        assert self._part is not None
        self._part.finish()
        self._part = None
        self._step = self._read_padding if self._padding_bytes else self._read_header

    def _read_padding(self, piece: memoryview) -> int:
        taken = min(self._padding_bytes, len(piece))
        self._padding_bytes -= taken
        if not self._padding_bytes:
            self._step = self._read_header
        return taken

    def _read_nothing_more(self, piece: memoryview) -> int:
        if bytes(piece).strip(b"\0"):
            raise BrokenArtifact(f"{self._name} goes on behind its end")
        return len(piece)
