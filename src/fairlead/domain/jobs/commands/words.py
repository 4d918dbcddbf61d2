"""Which programs with which words does a description's line start? It is read by a shell's rules, but by no shell.

Characters that are marked came from a user (see `catalog`): each is a letter, whatever it would mean to a shell. What
a line can say is quotes, pipes, sequences and redirections. Whatever else a shell could do with it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from fairlead.base.errors import Kind, Refusal
from fairlead.domain.catalog import is_marked, plain

When = Literal["always", "success", "failure"]

_OPERATOR = re.compile(r"&&|\|\||2>&1|[|;]|[012]?>>|[02]?>|1>|0?<|&>|[<>]&|&")
_AFTER = {";": "always", "&&": "success", "||": "failure"}
_BLANKS = " \t\r\n\f\v"
_ESCAPED_IN_QUOTES = '"\\$`'
_VARIABLE = re.compile(r"\$[A-Za-z_{(0-9@*#?!$-]")
_QUOTES = {"_SQ_": "'", "_DQ_": '"'}


class NeedsShell(Refusal):
    """No shell reads what users have a part in, so such a description is never run."""

    kind = Kind.UNPROCESSABLE
    message = "This service cannot be run: its description has {what}, which takes a shell."


class BadLine(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "This service cannot be run: its description makes a command in which {what}."


@dataclass(slots=True)
class Start:
    """A program that is started, with the marks still in its words."""

    words: list[str] = field(default_factory=list)
    stdin: str | None = None
    stdout: str | None = None
    append: bool = False
    stderr: str | None = None
    merge: bool = False


@dataclass(slots=True)
class Row:
    """Programs that are joined by pipes."""

    starts: list[Start]
    when: When


@dataclass(frozen=True, slots=True)
class _Operator:
    sign: str


def read_line(line: str) -> list[Row]:
    """What the line starts, in order."""
    tokens = list(_tokens(_with_quotes(line)))
    rows = [Row([Start()], "always")]
    waiting: str | None = None
    for token in tokens:
        current = rows[-1].starts[-1]
        if waiting is not None:
            _redirect(current, waiting, token)
            waiting = None
        elif isinstance(token, str):
            current.words.append(token)
        elif token.sign == "2>&1":
            current.merge = True
        elif token.sign == "|":
            _make_sure_of_words(current, "before a '|'")
            rows[-1].starts.append(Start())
        elif token.sign in _AFTER:
            _make_sure_of_words(current, f"before a {token.sign!r}")
            rows.append(Row([Start()], _AFTER[token.sign]))  # type: ignore[arg-type]
        else:
            waiting = token.sign
    if waiting is not None:
        raise BadLine(what=f"no file stands behind a {waiting!r}")
    if rows[-1].when == "always" and len(rows) > 1 and rows[-1].starts == [Start()]:
        rows.pop()
    _make_sure_of_words(rows[-1].starts[-1], "at the end")
    return rows


def _make_sure_of_words(start: Start, where: str) -> None:
    if not start.words:
        raise BadLine(what=f"there is no program {where}")


def _redirect(start: Start, sign: str, target: str | _Operator) -> None:
    if not isinstance(target, str):
        raise BadLine(what=f"no file stands behind a {sign!r}")
    kept = None if target == "/dev/null" else target
    match sign.lstrip("1") if sign != "0<" else "<":
        case "<":
            start.stdin = kept
        case ">" | ">>":
            start.stdout, start.append = kept, ">>" in sign and kept is not None
        case "2>":
            start.stderr = kept
        case _:
            raise NeedsShell(what=f"a {sign!r}")


def _with_quotes(line: str) -> str:
    """Quotes that a description could not write as such."""
    return re.sub("_SQ_|_DQ_", lambda found: _QUOTES[found[0]], line)


def _tokens(line: str) -> Iterator[str | _Operator]:
    reader = _Reader(line)
    while reader.skip_blanks():
        operator = reader.operator()
        if operator is not None:
            yield operator
        else:
            yield reader.word()


class _Reader:
    def __init__(self, line: str) -> None:
        self.line = line
        self.at = 0

    def skip_blanks(self) -> bool:
        """Is there anything after them?"""
        while self.at < len(self.line) and self.line[self.at] in _BLANKS:
            self.at += 1
        return self.at < len(self.line)

    def operator(self) -> _Operator | None:
        found = _OPERATOR.match(self.line, self.at)
        if not found:
            return None
        if found[0] in ("&", "&>", "<&", ">&", "0>", "0>>", "2>>"):
            raise NeedsShell(what=f"a {found[0]!r}")
        if self.line.startswith("<<", self.at):
            raise NeedsShell(what="a '<<'")
        self.at = found.end()
        return _Operator(found[0])

    def word(self) -> str:
        start, made = self.at, ""
        while self.at < len(self.line):
            character = self.line[self.at]
            if is_marked(character):
                made += character
                self.at += 1
            elif character in _BLANKS or character in "|;&<>":
                break
            elif character in "'\"\\":
                made += self.quoted(character)
            else:
                self.make_sure_it_is_a_letter(character, is_first=self.at == start)
                made += character
                self.at += 1
        return made

    def quoted(self, sign: str) -> str:
        self.at += 1
        if sign == "\\":
            if self.at >= len(self.line):
                raise BadLine(what="a backslash stands at the end")
            self.at += 1
            return self.line[self.at - 1]
        made = ""
        while self.at < len(self.line) and self.line[self.at] != sign:
            made += self.in_double_quotes() if sign == '"' else self.line[self.at]
            self.at += 1
        if self.at >= len(self.line):
            raise BadLine(what=f"a quote ({sign}) is not closed")
        self.at += 1
        return made

    def in_double_quotes(self) -> str:
        character = self.line[self.at]
        if character == "\\" and self.line[self.at + 1 : self.at + 2] in tuple(_ESCAPED_IN_QUOTES):
            self.at += 1
            return self.line[self.at]
        if character in "$`":
            self.make_sure_it_is_a_letter(character, is_first=False)
        return character

    def make_sure_it_is_a_letter(self, character: str, *, is_first: bool) -> None:
        """And nothing that a shell would put something else in the place of."""
        if character == "`" or (character == "$" and _VARIABLE.match(self.line, self.at)):
            raise NeedsShell(what=f"a {character!r}")
        if character in "*?[":
            raise NeedsShell(what=f"a pattern for files ({character!r})")
        if character in "()" or (is_first and character in "#~"):
            raise NeedsShell(what=f"a {character!r}")


def begins_with_users_dash(word: str) -> bool:
    """Would a user's text be an option by itself? Numbers below zero are not meant so, nor is a single dash."""
    if not word or not is_marked(word[0]) or plain(word[0]) != "-" or len(word) == 1:
        return False
    return not re.fullmatch(r"-(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", plain(word))
