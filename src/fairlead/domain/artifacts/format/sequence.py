"""In which order the members of an artifact come."""

from __future__ import annotations

import re

from .broken import BrokenArtifact, shown

# Format documents v1 to v3, "Ordering"; mender.md §2.10. Data comes last and any number of times.
ORDER = {
    1: ("header", "data"),
    2: ("manifest", "manifest.sig", "header", "data"),
    3: ("manifest", "manifest.sig", "manifest-augment", "header", "header-augment", "data"),
}
OPTIONAL = {"manifest.sig", "manifest-augment", "header-augment", "data"}
MEMBER = re.compile(
    r"(?P<plain>version|manifest|manifest\.sig|manifest-augment)"
    r"|(?P<header>header|header-augment)\.tar(?P<header_suffix>|\.gz|\.xz|\.zst)"
    r"|(?P<data>data)/(?P<index>[0-9]{4})\.tar(?P<data_suffix>|\.gz|\.xz|\.zst)"
)


class Place:
    """What a member is by its name."""

    def __init__(self, name: str) -> None:
        match = MEMBER.fullmatch(name)
        if match is None:
            raise BrokenArtifact(f"unexpected {shown(name)}")
        self.name = name
        self.kind = match["plain"] or match["header"] or match["data"]
        self.suffix = match["header_suffix"] or match["data_suffix"] or ""
        self.index = int(match["index"] or 0)


class Sequence:
    """Members that were not there yet. Before the version is known, only the version may come."""

    def __init__(self) -> None:
        self._left = ["version"]
        self._last_index = -1

    def continue_as(self, version: int) -> None:
        if version not in ORDER:
            supported = ", ".join(map(str, ORDER))
            raise BrokenArtifact(f"unsupported version: {version}; supported versions are: {supported}")
        self._left = list(ORDER[version])

    def admit(self, place: Place) -> None:
        while self._left and self._left[0] != place.kind:
            self._skip(self._left[0], place)
        if not self._left:
            raise BrokenArtifact(f"{shown(place.name)} does not belong there")
        if place.kind != "data":
            self._left.pop(0)
        elif place.index <= self._last_index:
            raise BrokenArtifact(f"{shown(place.name)} comes too late or twice")
        else:
            self._last_index = place.index

    def _skip(self, kind: str, found: Place) -> None:
        if kind not in OPTIONAL:
            raise BrokenArtifact(f"{found.name} found where {kind} was expected")
        self._left.pop(0)

    def finish(self) -> None:
        for kind in self._left:
            if kind not in OPTIONAL:
                raise BrokenArtifact(f"{kind} is missing")
