"""Artifacts made to hurt: bombs, traps and what is cut off."""

from __future__ import annotations

import gzip
import lzma
import tarfile
import tracemalloc

import pytest
import zstandard

from artifact_maker import SUFFIXES, Payload, as_json, compress, make_artifact, plan, tar
from fairlead.domain.artifacts.format import ArtifactReader, BrokenArtifact, Limits

from .reading import read, reason

MIB = 1 << 20
NO_PAYLOADS = as_json(
    {"payloads": [], "artifact_provides": {"artifact_name": "a"}, "artifact_depends": {"device_type": ["pi"]}}
)


def entry(name: str = "a.txt", content: bytes = b"hello", **fields: object) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)


def with_data(data: bytes, compression: str = "none") -> bytes:
    artifact = plan(compression=compression)
    artifact.members[f"data/0000.tar{SUFFIXES[compression]}"] = compress(compression, data)
    return artifact.pack()


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"6", b"7", b"S", b"K", b"g", b"V", b"M", b"\xff"])
def test_links_devices_and_other_oddities_are_refused(kind):
    archive = entry("target", b"", type=kind, linkname="/etc/passwd") + entry() + bytes(1024)

    assert reason(with_data(archive))


@pytest.mark.parametrize(
    "name",
    [
        "../a.txt",
        "/a.txt",
        "a/../a.txt",
        "./a.txt",
        "..",
        ".",
        "a//b",
        "a\\b",
        "a b",
        "ü",
        "a\x01",
        "data/0001/a.txt",
        "a/",
    ],
)
def test_names_that_lead_anywhere_else_are_refused(name):
    assert reason(with_data(tar({name: b"hello"})))


@pytest.mark.parametrize("name", ["../version", "/version", "version/", "data/../version", "data/0000.tar.gz/x"])
def test_names_that_lead_out_of_the_artifact_are_refused(name):
    artifact = plan()
    artifact.put(name, b"", before="manifest")

    assert reason(artifact.pack())


def test_a_name_that_is_not_text_is_refused():
    archive = bytearray(tar({"a.txt": b"hello"}))
    archive[0:5] = b"\xff\xfe\xfd\xfc\xfb"
    archive[148:156] = b"%06o\0 " % (sum(archive[:148]) + 256 + sum(archive[156:512]))

    assert reason(with_data(bytes(archive))) == "a member has a name that is not UTF-8"


def pax(records: bytes) -> bytes:
    return entry("pax", records, type=b"x")


@pytest.mark.parametrize(
    "records",
    [
        b"garbage",
        b"99 path=a\n",
        b"0 path=a\n",
        b"5 path=abc\n",
        b"-5 path=a\n",
        b"12 path=a.txt",
        b"13 size=-0001\n",
        b"12 mtime=nan\n",
        b"15 mtime=1e9999\n",
        b"32 mtime=999999999999999999.0000\n",
        b"19 GNU.sparse.a=123\n",
        b"16 path=../a.txt\n",
        b"10 path=\0a\n",
    ],
)
def test_pax_headers_that_make_no_sense_are_refused(records):
    assert reason(with_data(pax(records) + entry() + bytes(1024)))


def test_pax_headers_that_do_not_matter_are_passed_over():
    archive = pax(b"20 comment=whatever\n") + entry() + bytes(1024)

    assert read(with_data(archive)).updates[0].files[0].name == "a.txt"


@pytest.mark.parametrize("kind", [b"x", b"L"])
def test_endless_extended_headers_are_refused(kind):
    bomb = entry("bomb", b"x" * (65 * 1024), type=kind)
    chain = entry("a", b"11 path=ab\n", type=b"x") + entry("a", b"abc", type=kind)
    hanging = entry("a", b"11 path=ab\n", type=b"x")

    assert "larger than" in reason(with_data(bomb + entry() + bytes(1024)))
    assert reason(with_data(chain + entry() + bytes(1024))).endswith("an extended header that extends nothing")
    assert reason(with_data(hanging + bytes(1024))).endswith("an extended header that extends nothing")


@pytest.mark.parametrize("size", [b"\xff" * 12, b"00000000008\0", b"-0000000005\0", b"0x000000005\0"])
def test_sizes_that_are_none_are_refused(size):
    archive = bytearray(tar({"a.txt": b"hello"}))
    archive[124:136] = size
    archive[148:156] = b"%06o\0 " % (sum(archive[:148]) + 256 + sum(archive[156:512]))

    assert reason(with_data(bytes(archive))).startswith("a tar header has a")


def test_sizes_beyond_8_gib_are_understood():
    artifact = plan(compression="none")
    del artifact.members["data/0000.tar"]
    info = tarfile.TarInfo("data/0000.tar")
    info.size = 9 << 30
    header = info.tobuf(tarfile.GNU_FORMAT)
    assert header[124] == 0x80

    reader = ArtifactReader()
    reader.feed(whole_members(artifact.members) + header + entry() + bytes(1024))

    with pytest.raises(BrokenArtifact, match="the artifact is truncated"):
        reader.finish()


def whole_members(members: dict[str, bytes]) -> bytes:
    return b"".join(entry(name, content) for name, content in members.items())


@pytest.mark.parametrize("how_many", [1, 2])
def test_nothing_but_zeros_may_follow_the_end(how_many):
    artifact = make_artifact()

    assert read(artifact + bytes(512 * how_many))
    assert reason(artifact + bytes(511 * how_many) + b"x") == "the artifact goes on behind its end"
    assert (
        reason(whole_members(plan().members) + bytes(512) + entry("version")) == "the artifact goes on behind its end"
    )


def test_an_artifact_without_its_end_is_refused():
    whole = whole_members(plan().members)

    assert read(whole + bytes(1024))
    assert reason(whole) == reason(whole + bytes(512)) == "the artifact is truncated"
    assert reason(b"") == "the artifact is truncated"


@pytest.mark.parametrize("compression", ["none", "gzip", "xz", "zst"])
def test_an_inner_archive_that_is_cut_off_is_refused_wherever_it_is_cut(compression):
    artifact = plan(compression=compression, payloads=[Payload(files={"a.txt": b"hello" * 30})])
    name = f"data/0000.tar{SUFFIXES[compression]}"
    data = artifact.members[name]

    for cut in range(0, min(len(data), 1536), 1 if len(data) < 1536 else 64):
        artifact.members[name] = data[:cut]
        assert reason(artifact.pack())


@pytest.mark.parametrize("compression", ["gzip", "xz", "zst"])
def test_what_follows_a_compressed_stream_must_be_another_one(compression):
    artifact = plan(compression=compression)
    name = f"data/0000.tar{SUFFIXES[compression]}"
    data = artifact.members[name]

    artifact.members[name] = data + compress(compression, bytes(512))
    assert read(artifact.pack())
    artifact.members[name] = data + b"\0garbage"
    assert reason(artifact.pack()).startswith("compressed data")
    artifact.members[name] = data + compress(compression, b"garbage")
    assert reason(artifact.pack()) == f"{name} goes on behind its end"


@pytest.mark.parametrize("compression", ["gzip", "xz", "zst"])
def test_a_small_archive_does_not_unfold_into_an_endless_one(compression):
    bomb = entry("a.txt", bytes(64 * MIB)) + bytes(1024)
    artifact = with_data(bomb, compression)
    assert len(artifact) < MIB

    tracemalloc.start()
    why = reason(artifact, limits=Limits(payload_expanded_bytes=32 * MIB))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert why == "too many bytes in the payloads"
    assert peak_bytes < 4 * MIB


@pytest.mark.parametrize("compression", ["gzip", "xz", "zst"])
def test_a_header_that_unfolds_too_far_is_refused(compression):
    artifact = plan(compression=compression)
    name = f"header.tar{SUFFIXES[compression]}"
    artifact.members[name] = compress(compression, tar({"header-info": NO_PAYLOADS, "scripts/bomb": bytes(17 * MIB)}))
    artifact.promise_again()

    assert reason(artifact.pack()) == "too many bytes in the header"


def test_windows_that_take_too_much_memory_are_refused():
    wide = zstandard.ZstdCompressionParameters(window_log=27, compression_level=3)
    stream = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    zst, xz = plan(compression="zst"), plan(compression="xz")
    zst.members["data/0000.tar.zst"] = stream.compress(tar({"a.txt": b"hello"})) + stream.flush()
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 256 * MIB}]
    xz.members["data/0000.tar.xz"] = lzma.compress(tar({"a.txt": b"hello"}), filters=filters)

    assert reason(zst.pack()).startswith("compressed data cannot be read")
    assert reason(xz.pack()).startswith("compressed data cannot be read")


def test_the_strongest_usual_settings_are_read():
    data = tar({"a.txt": b"hello"})
    xz, zst = plan(compression="xz"), plan(compression="zst")
    xz.members["data/0000.tar.xz"] = lzma.compress(data, preset=9)
    zst.members["data/0000.tar.zst"] = zstandard.ZstdCompressor(level=20).compress(data)

    assert read(xz.pack())
    assert read(zst.pack())


def test_countless_empty_streams_are_refused():
    artifact = plan()
    artifact.members["data/0000.tar.gz"] += gzip.compress(b"", mtime=0) * 100_001

    assert reason(artifact.pack()) == "too many compressed streams in one member"


@pytest.mark.parametrize(
    ("member", "most_bytes"), [("version", 4 << 10), ("manifest", 1 << 20), ("manifest.sig", 64 << 10)]
)
def test_outer_documents_have_a_largest_size(member, most_bytes):
    artifact = plan(signed=True)
    artifact.members[member] = b" " * (most_bytes + 1)

    assert reason(artifact.pack()) == f"'{member}' is larger than {most_bytes} bytes"


def test_a_header_has_a_largest_size():
    artifact = plan(compression="none")
    artifact.members["header.tar"] += bytes(4 * MIB)
    artifact.promise_again()

    assert reason(artifact.pack()) == "too many bytes in the header"


@pytest.mark.parametrize(
    ("meta_data", "why"),
    [
        (b'{"a":"' + b"x" * MIB + b'"}', "'headers/0000/meta-data' is larger than 1048576 bytes"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "'headers/0000/meta-data' is nested too deeply"),
        (b'{"a":' + b"[" * 500_000 + b"]" * 500_000 + b"}", "'headers/0000/meta-data' is not JSON"),
        (b'{"a":[' + b"0," * 100_000 + b"0]}", "too many values in the header's documents"),
        (b'{"a":"\\u0000"}', "'headers/0000/meta-data' has a zero byte"),
        (b'{"\\u0000":1}', "'headers/0000/meta-data' has a zero byte"),
        (
            b'{"a":18446744073709551616}',
            "'headers/0000/meta-data' has a zero byte in a text or a number beyond 64 bits",
        ),
        (b'{"a":1e999}', "'headers/0000/meta-data' is not JSON"),
        (b'{"a":"\\ud800"}', "'headers/0000/meta-data' is not JSON"),
        (b'{"a":"\xff"}', "'headers/0000/meta-data' is not JSON"),
        (b'{"a":NaN}', "'headers/0000/meta-data' is not JSON"),
        (b'{"a":1} {}', "'headers/0000/meta-data' is not JSON"),
    ],
)
def test_meta_data_that_would_hurt_someone_downstream_is_refused(meta_data, why):
    artifact = make_artifact(payloads=[Payload(files={"a": b"1"}, meta_data=meta_data)])

    assert reason(artifact).startswith(why)


def test_files_and_members_are_counted():
    many = {f"f{number}": b"" for number in range(1025)}
    folders = {f"folder{number}/": b"" for number in range(8192)}
    artifact = plan(compression="none")
    artifact.members["header.tar"] = tar({"header-info": NO_PAYLOADS, **folders})
    artifact.promise_again()

    assert reason(make_artifact(payloads=[Payload(files=many)])) == "too many files"
    assert reason(artifact.pack(), limits=Limits(header_bytes=16 * MIB)) == "too many members in header.tar"


def test_hostile_names_do_not_fill_the_reason():
    artifact = plan()
    artifact.members["manifest"] += b"\x1b[31m" + b"x" * 100_000

    why = reason(artifact.pack())

    assert len(why) < 300
    assert why.isprintable()
