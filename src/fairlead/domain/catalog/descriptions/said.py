"""What does a plain document say at a place, and is it what should stand there?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .edam import canonical
from .problems import Report, below, quoted

LONGEST_NAME = 255
LONGEST_TEXT = 100_000
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


@dataclass(frozen=True, slots=True)
class Said:
    """A mapping in the document, with its place."""

    values: Mapping[str, Any]
    place: str
    report: Report

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def at(self, key: str | int) -> str:
        return below(self.place, key)

    def problem(self, key: str, text: str) -> None:
        self.report.problem(self.at(key), text)

    def warn(self, key: str, text: str) -> None:
        self.report.warn(self.at(key), text)

    @property
    def kind(self) -> str:
        written = self.get("_type")
        return written.lower() if isinstance(written, str) else ""

    def text(self, key: str, *, longest: int = LONGEST_TEXT) -> str | None:
        """Numbers and truths are texts as well, where somebody forgot the quotes."""
        value = self.get(key)
        if value is None:
            return None
        if isinstance(value, bool):
            value = "true" if value else "false"
        if isinstance(value, int | float):
            value = str(value)
        if not isinstance(value, str):
            self.problem(key, "must be a text")
            return None
        if len(value) > longest:
            self.problem(key, f"must have at most {longest} characters")
            return None
        if any(unicodedata.category(each) == "Cs" or each == "\0" for each in value):
            self.problem(key, "has characters that cannot be stored")
            return None
        return value

    def name(self, key: str = "name") -> str | None:
        name = self.text(key, longest=LONGEST_NAME)
        if name is None and self.get(key) is None:
            self.problem(key, "is missing")
        if name is None:
            return None
        if not name or any(unicodedata.category(each) in ("Cc", "Zl", "Zp") for each in name):
            self.problem(key, "must be a name in one line")
        elif "::" in name:
            self.problem(key, "must not have '::' in it")
        else:
            return name
        return None

    def flag(self, key: str) -> bool:
        value = self.get(key)
        if isinstance(value, bool) or value is None:
            return bool(value)
        word = str(value).lower()
        if word in _TRUE + _FALSE:
            return word in _TRUE
        self.problem(key, "must be true or false")
        return False

    def whole(self, key: str) -> int | None:
        value = self.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,9}\s*", value):
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9:
            return value
        self.problem(key, "must be a whole number of at most nine digits")
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; one alone need not be a list."""
        value = self.get(key)
        written = [] if value is None else value if isinstance(value, list) else [value]
        listed = Said(dict(enumerate(written)), self.at(key), self.report)  # type: ignore[arg-type]
        read = [listed.text(index) for index in range(len(written))]  # type: ignore[arg-type]
        return tuple(each for each in read if each)

    def terms(self, key: str) -> tuple[str, ...]:
        """Ids of EDAM, each once."""
        known: dict[str, None] = {}
        for each in self.texts(key):
            id = canonical(each)
            if id is None:
                self.warn(key, f"has {quoted(each)}, which is no id of EDAM, and was left out")
            else:
                known[id] = None
        return tuple(known)

    def mapping(self, key: str) -> Said | None:
        value = self.get(key)
        if value is None:
            return None
        if isinstance(value, Mapping) and all(isinstance(each, str) for each in value):
            return Said(value, self.at(key), self.report)
        self.problem(key, "must be a mapping")
        return None

    def each(self, key: str) -> Iterator[Said]:
        """The mappings in a list."""
        value = self.get(key)
        if value is None:
            return
        if not isinstance(value, list):
            self.problem(key, "must be a list")
            return
        for index, item in enumerate(value):
            place = below(self.at(key), index)
            if isinstance(item, Mapping) and all(isinstance(each, str) for each in item):
                yield Said(item, place, self.report)
            else:
                self.report.problem(place, "must be a mapping")

    def warn_of_unknown(self, known: set[str]) -> None:
        for key in self.values:
            if key not in known:
                self.warn(key, "is not known, and was left out")
