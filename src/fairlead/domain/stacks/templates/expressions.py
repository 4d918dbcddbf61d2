"""What does a text ask for that is an expression?

`${computed}` is chosen by us; `${use(FLAG.provision.KEY)}` is a value that stands elsewhere, several of them joined by
commas; `${copy(…)}` is an object or a list from elsewhere; `#ref(…)` and `#share(…)` name what other layers have.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_EXPRESSION = 4096

_EXPRESSION = re.compile(r"\$\{([^{}]*)\}")
_USES = re.compile(r"\s*use\([^()]*\)\s*(?:,\s*use\([^()]*\)\s*)*")
_USE = re.compile(r"use\(([^()]*)\)")
_COPY = re.compile(r"\s*copy\(([^()]*)\)\s*")
_NAMED = re.compile(r"\s*#(ref|share)\(([^()]*)\)\s*")
_PATH = re.compile(r"(?:flag\.)?([A-Za-z0-9]{1,64})\.provision((?:\.[A-Za-z0-9_-]{1,64})+)")


class BadExpression(Exception):
    """This looks like an expression and is none; the reason is a clause about it."""


@dataclass(frozen=True, slots=True)
class Path:
    """`FLAG.provision.KEY`, and further down where something stands there."""

    flag: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join((self.flag, "provision", *self.keys))


@dataclass(frozen=True, slots=True)
class Computed:
    pass


@dataclass(frozen=True, slots=True)
class Use:
    """What is written, and what is used between, in the order in which it stands there."""

    parts: tuple[str | Path, ...]


@dataclass(frozen=True, slots=True)
class Copy:
    path: Path


@dataclass(frozen=True, slots=True)
class Named:
    """`#ref` or `#share`: not the value, but the thing itself that another layer has."""

    how: str
    paths: tuple[Path, ...]


Expression = Computed | Use | Copy | Named


def parse(text: str) -> Expression | None:
    """The expression that the text is; `None` if it is none, `BadExpression` if it cannot be read."""
    if text.lstrip().startswith(("#ref(", "#share(")):
        return _named(text)
    if "${" not in text:
        return None
    if len(text) > LONGEST_EXPRESSION:
        raise BadExpression(f"is an expression of more than {LONGEST_EXPRESSION} characters")
    bodies = _EXPRESSION.findall(text)
    if not bodies or "${" in _EXPRESSION.sub("", text):
        raise BadExpression("has an expression that is not closed, or one inside of another")
    if _EXPRESSION.fullmatch(text.strip()):
        return _whole(bodies[0])
    return _mixed(text)


def is_whole(text: str) -> bool:
    """Is the text one expression and nothing else, with a function that we know?

    In a container section everything else that looks like one belongs to whoever wrote it: `${HOME}` is for a shell.
    """
    if len(text) > LONGEST_EXPRESSION:
        return False
    found = _EXPRESSION.fullmatch(text.strip())
    return found is not None and found[1].strip().startswith(("computed", "use(", "copy("))


def _whole(body: str) -> Expression:
    if body.strip() == "computed":
        return Computed()
    copied = _COPY.fullmatch(body)
    if copied:
        return Copy(_path(copied[1]))
    return Use(tuple(_joined(body)))


def _mixed(text: str) -> Use:
    """Texts and uses beside each other."""
    parts: list[str | Path] = []
    end = 0
    for found in _EXPRESSION.finditer(text):
        parts.append(text[end : found.start()])
        if not _USES.fullmatch(found[1]):
            raise BadExpression(f"has {_short(found[0])} beside other text: only use(…) may have any")
        parts.extend(_joined(found[1]))
        end = found.end()
    parts.append(text[end:])
    return Use(tuple(part for part in parts if part != ""))


def _joined(body: str) -> list[str | Path]:
    if not _USES.fullmatch(body):
        raise BadExpression(f"has {_short('${' + body + '}')}, which is no function of a template")
    paths = [_path(one) for inside in _USE.findall(body) for one in inside.split(",")]
    return [part for path in paths for part in (",", path)][1:]


def _named(text: str) -> Named:
    if len(text) > LONGEST_EXPRESSION:
        raise BadExpression(f"is an expression of more than {LONGEST_EXPRESSION} characters")
    found = _NAMED.fullmatch(text)
    if found is None:
        raise BadExpression("must be #ref(FLAG.provision.KEY) or #share(FLAG.provision.KEY, …)")
    return Named(found[1], tuple(_path(one) for one in found[2].split(",")))


def _path(text: str) -> Path:
    found = _PATH.fullmatch(text.strip())
    if found is None:
        raise BadExpression(f"refers to {_short(text.strip())}, which is not of the form FLAG.provision.KEY")
    return Path(found[1], tuple(found[2][1:].split(".")))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
