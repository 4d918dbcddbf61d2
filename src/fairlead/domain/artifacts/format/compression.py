"""How a compressed member is unfolded with little memory, whatever is in it.

The three libraries are driven so that neither what goes in nor what comes out at a time is more than `PIECE`.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable
from typing import IO, Protocol, cast

import zstandard

from .broken import BrokenArtifact
from .limits import MIB, Allowance
from .parts import Metered, Part

PIECE = 256 * 1024
WINDOW_BYTES = 64 * MIB  # what `xz -9` asks for, and twice what the strongest setting of mender-artifact does
STREAMS = 100_000  # gzip and xz files may be strung together; each has a price even when it is empty
WITNESS = b"all before this was whole"


def unfold(suffix: str, allowance: Allowance, into: Part) -> Part:
    """What takes a member named `….tar{suffix}` and passes on the tar; mender.md §2.10 lists the suffixes."""
    target = Metered(allowance, into)
    match suffix:
        case ".gz":
            return Unfolded(Gzip, target)
        case ".xz":
            return Unfolded(Xz, target)
        case ".zst":
            return UnfoldedZstd(target)
        case _:
            return target


class Decoder(Protocol):
    """One stream of gzip or xz."""

    def decode(self, piece: memoryview, into: Part) -> bytes:
        """Pass on what the piece unfolds to and return what lies behind the stream's end."""

    @property
    def eof(self) -> bool: ...


class Gzip:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    def decode(self, piece: memoryview, into: Part) -> bytes:
        stream = self._stream
        unfolded = stream.decompress(piece, PIECE)
        into.feed(memoryview(unfolded))
        while not stream.eof and (stream.unconsumed_tail or len(unfolded) == PIECE):
            unfolded = stream.decompress(stream.unconsumed_tail, PIECE)
            into.feed(memoryview(unfolded))
        return stream.unused_data

    @property
    def eof(self) -> bool:
        return self._stream.eof


class Xz:
    def __init__(self) -> None:
        self._stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=WINDOW_BYTES + 8 * MIB)

    def decode(self, piece: memoryview, into: Part) -> bytes:
        stream = self._stream
        into.feed(memoryview(stream.decompress(piece, PIECE)))
        while not stream.eof and not stream.needs_input:
            into.feed(memoryview(stream.decompress(b"", PIECE)))
        return stream.unused_data

    @property
    def eof(self) -> bool:
        return self._stream.eof


class Unfolded:
    """A member of one or more streams of the same kind, and nothing between or behind them."""

    def __init__(self, decoder: Callable[[], Decoder], into: Part) -> None:
        self._new_decoder = decoder
        self._decoder = decoder()
        self._streams = Allowance("compressed streams in one member", STREAMS)
        self._into = into

    def feed(self, piece: memoryview) -> None:
        try:
            for start in range(0, len(piece), PIECE):
                self._decode(piece[start : start + PIECE])
        except (zlib.error, lzma.LZMAError) as wrong:
            raise BrokenArtifact(f"compressed data cannot be read: {wrong}") from None

    def _decode(self, piece: memoryview) -> None:
        while piece:
            if self._decoder.eof:
                self._streams.take(1)
                self._decoder = self._new_decoder()
            piece = memoryview(self._decoder.decode(piece, self._into))

    def finish(self) -> None:
        if not self._decoder.eof:
            raise BrokenArtifact("compressed data is truncated")
        self._into.finish()


class UnfoldedZstd:
    """A member of zstd frames.

    The library does not say where a frame ends, so a tiny frame of our own is put behind the last one: it comes out
    as it went in only if all before it was whole. It goes in byte by byte, because the library reads a frame that it
    sees in one piece without regard to half a frame header that it still holds.
    """

    _witness = zstandard.ZstdCompressor(write_content_size=False).compress(WITNESS)

    def __init__(self, into: Part) -> None:
        self._into = into
        self._outlet = Outlet(into)
        decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES)
        outlet = cast(IO[bytes], self._outlet)  # of a file, the library uses `write` alone
        self._stream = decompressor.stream_writer(outlet, write_size=PIECE, closefd=False)

    def feed(self, piece: memoryview) -> None:
        try:
            self._stream.write(piece)
        except zstandard.ZstdError as wrong:
            raise BrokenArtifact(f"compressed data cannot be read: {wrong}") from None

    def finish(self) -> None:
        seen = self._outlet.into = Seen()
        try:
            for value in self._witness:
                self._stream.write(bytes((value,)))
        except zstandard.ZstdError:
            raise BrokenArtifact("compressed data is truncated") from None
        if seen.content != WITNESS:
            raise BrokenArtifact("compressed data is truncated")
        self._into.finish()


class Seen:
    """What came out behind the end: a frame or less, since the witness is all that went in."""

    def __init__(self) -> None:
        self.content = b""

    def feed(self, piece: memoryview) -> None:
        self.content += piece

    def finish(self) -> None:
        pass


class Outlet:
    """The file-like thing that the zstd library writes to. It knows no more than where the bytes go next."""

    def __init__(self, into: Part) -> None:
        self.into = into

    def write(self, piece: bytes) -> int:
        self.into.feed(memoryview(piece))
        return len(piece)
