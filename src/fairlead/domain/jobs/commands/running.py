"""Can a program be run at all, whatever values it is given? It cannot if its description counts on a shell."""

from __future__ import annotations

import ast
import re

from fairlead.domain.catalog import Expression, Input, Placed, Program, literals

from .words import BadLine, NeedsShell, read_line

_BUILT_IN = {
    ".", ":", "alias", "bg", "break", "case", "cd", "command", "continue", "do", "done", "elif", "else", "esac",
    "eval", "exec", "exit", "export", "fg", "fi", "for", "function", "if", "jobs", "local", "read", "readonly",
    "return", "set", "shift", "shopt", "source", "then", "times", "trap", "type", "ulimit", "umask", "unalias",
    "unset", "until", "wait", "while", "{", "}", "!", "[[",
}  # fmt: skip
_PUT_IN = re.compile(r"`|\$[A-Za-z_{(]")


def why_not_runnable(program: Program) -> str | None:
    """The reason, if it cannot be run; a job of it is refused with the same."""
    if program.command is None and not _makes_its_own_command(program):
        return "This service cannot be run: its description has no command."
    try:
        _check_command(program.command)
        for entry in program.inputs.placed():
            _check_format(entry.parameter)
    except NeedsShell as refusal:
        return str(refusal)
    return None


def make_sure_it_is_a_program(word: str) -> None:
    """And not something that a shell does by itself."""
    if word in _BUILT_IN:
        raise NeedsShell(what=f"the word {word!r}")
    if word.startswith("-"):
        raise BadLine(what="there is no program")


def _check_command(command: str | None) -> None:
    if command is None:
        return
    try:
        rows = read_line(command)
    except BadLine:  # the parameters go on with it
        return
    for row in rows:
        for start in row.starts:
            make_sure_it_is_a_program(start.words[0])


def _check_format(parameter: Input) -> None:
    if parameter.format is None or parameter.paramfile is not None:
        return
    for text in literals(parameter.format):
        found = _PUT_IN.search(text)
        if found:
            raise NeedsShell(what=f"a {found[0][0]!r}")


def _makes_its_own_command(program: Program) -> bool:
    """By a parameter that says it is the command, or by one that comes first and always says the same."""
    placed = list(program.inputs.placed())
    if any(each.parameter.command for each in placed):
        return True
    first = next((each for each in sorted(placed, key=lambda each: each.argpos) if _is_on_the_line(each)), None)
    text = _constant(first.parameter.format) if first else None
    return text is not None and bool(text.strip()) and not text.strip().startswith("-")


def _is_on_the_line(entry: Placed[Input]) -> bool:
    return entry.parameter.format is not None and entry.parameter.paramfile is None


def _constant(expression: Expression | None) -> str | None:
    tree = expression.tree() if expression else None
    body = tree.body if tree else None
    return body.value if isinstance(body, ast.Constant) and isinstance(body.value, str) else None
