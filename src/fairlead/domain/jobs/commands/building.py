"""Which command runs a program with these values? Lists of words: no shell ever sees them."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from fairlead.base.errors import Kind, Refusal
from fairlead.domain.catalog import Expression, Input, Placed, Program, has_marks, is_marked, plain
from fairlead.domain.jobs.execution.spec import Pipe, Stage

from .running import make_sure_it_is_a_program
from .values import is_file_name, usual
from .words import BadLine, Row, Start, begins_with_users_dash, read_line

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_OPTION = re.compile(r"--?[A-Za-z]")
_SHELLS = {"sh", "ash", "bash", "dash", "zsh", "ksh", "mksh", "csh", "tcsh", "fish", "busybox"}
_RUNS_WORDS = {"eval", "xargs", "ssh", "su", "sudo", "parallel", "watch"}
_TAKES_CODE = {
    "perl": ("-e", "-E"),
    "python": ("-c",),
    "python2": ("-c",),
    "python3": ("-c",),
    "ruby": ("-e",),
    "node": ("-e", "-p"),
    "Rscript": ("-e",),
    "php": ("-r",),
    "sed": ("-e", "--expression"),
}
_CODE_COMES_FIRST = {"sed", "awk", "gawk", "mawk", "original-awk"}


class CannotBuild(Refusal):
    """The values are right, and still no command can be made of them that does nothing else."""

    kind = Kind.UNPROCESSABLE
    message = "No command can be made of these values: {reason}."


@dataclass(frozen=True, slots=True)
class Command:
    """What is to be run, in order; the files that it reads its answers from; and what is in its environment."""

    pipes: tuple[Pipe, ...]
    paramfiles: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """For people to read, as they would type it into a shell."""
        joints = {"always": "; ", "success": " && ", "failure": " || "}
        return "".join(
            (joints[pipe.when] if index else "") + " | ".join(map(_shown, pipe.stages))
            for index, pipe in enumerate(self.pipes)
        )


def _shown(stage: Stage) -> str:
    signs = (("<", stage.stdin), (">>" if stage.append else ">", stage.stdout), ("2>", stage.stderr))
    redirections = [f"{sign} {shlex.quote(name)}" for sign, name in signs if name is not None]
    return " ".join([shlex.join(stage.argv), *redirections, *(["2>&1"] if stage.merge else [])])


def build_command(program: Program, values: Mapping[str, Any]) -> Command:
    """The command for values as expressions see them."""
    line, paramfiles = _texts(program, values)
    return Command(
        pipes=tuple(_pipe(row) for row in _rows(line)),
        paramfiles={name: plain(text) for name, text in paramfiles.items()},
        environment=dict(program.env),
    )


def words_of(program: Program, values: Mapping[str, Any]) -> list[str]:
    """All words of the command, with the marks of what users wrote."""
    line, _ = _texts(program, values)
    return [word for row in read_line(line) for start in row.starts for word in start.words]


def _rows(line: str) -> list[Row]:
    try:
        return read_line(line)
    except BadLine as bad:
        raise CannotBuild(reason=f"in it {bad.facts['what']}") from None


def _texts(program: Program, values: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The line, with users' characters marked, and what goes into files."""
    line, paramfiles = "", dict[str, str]()
    is_there = program.command is None
    for entry in sorted(program.inputs.placed(), key=lambda each: each.argpos):
        if not is_there and entry.argpos >= 0:
            line, is_there = f"{line} {program.command} ", True
        text = _text(entry, values)
        file = entry.parameter.paramfile
        if file is None:
            line = _continued(line, text)
        else:
            _make_sure_it_is_one_line(entry.parameter, text)
            paramfiles[file] = paramfiles.get(file, "") + text
    return line if is_there else f"{line} {program.command}", paramfiles


def _continued(line: str, text: str) -> str:
    """Parameters bring their own blanks; some forget the one before an option, which begins no word otherwise."""
    return f"{line} {text}" if _OPTION.match(text) else line + text


def _text(entry: Placed[Input], values: Mapping[str, Any]) -> str:
    """What the parameter adds: nothing, if it is switched off."""
    parameter = entry.parameter
    if parameter.format is None or not entry.is_active(values):
        return ""
    return _evaluated(parameter.format, parameter, values)


def _evaluated(expression: Expression, parameter: Input, values: Mapping[str, Any]) -> str:
    made = expression.evaluate(dict(values) | {"value": values.get(parameter.name), "vdef": usual(parameter)})
    if made is None or made is False:
        return ""
    if isinstance(made, list | tuple):
        return " ".join(each if isinstance(each, str) else str(each) for each in made)
    return made if isinstance(made, str) else str(made)


def _make_sure_it_is_one_line(parameter: Input, text: str) -> None:
    """A program that is answered from a file must not be given more answers than it was asked for."""
    if any(is_marked(each) and ord(plain(each)) < 32 for each in text):
        raise CannotBuild(reason=f"the value of {parameter.name!r} has control characters")


def _pipe(row: Row) -> Pipe:
    return Pipe(tuple(_stage(start) for start in row.starts), row.when)


def _stage(start: Start) -> Stage:
    words = _with_variables(start.words)
    make_sure_it_is_a_program(plain(words[0]))
    if has_marks(words[0]):
        raise CannotBuild(reason="a value would choose the program")
    _make_sure_nothing_is_code(plain(posixpath.basename(words[0])), words[1:])
    if any(begins_with_users_dash(word) for word in words):
        raise CannotBuild(reason="a value begins with a dash, and would be taken for an option")
    return Stage(
        argv=tuple(plain(word) for word in words),
        stdin=_file(start.stdin),
        stdout=_file(start.stdout),
        append=start.append,
        stderr=_file(start.stderr),
        merge=start.merge and start.stderr is None,
    )


def _with_variables(words: list[str]) -> list[str]:
    """Variables before a program are set by `env`, which is one."""
    return ["env", *words] if _ASSIGNMENT.match(words[0]) else words


def _file(name: str | None) -> str | None:
    if name is not None and not is_file_name(plain(name)):
        raise CannotBuild(reason=f"{plain(name)[:100]!r} is no name for a file in the job's folder")
    return None if name is None else plain(name)


def _make_sure_nothing_is_code(program: str, words: list[str]) -> None:
    """Some programs take a word for something to run: no part of it may be a user's."""
    if any(has_marks(word) for word in _code(program, words)):
        raise CannotBuild(reason=f"a value would be a part of what {program} is told to run")


def _code(program: str, words: list[str]) -> Iterator[str]:
    if program in _RUNS_WORDS or (program in _SHELLS and any(re.match(r"-\w*c", plain(word)) for word in words)):
        yield from words
    if program == "env":
        rest = [word for word in words if not _ASSIGNMENT.match(word)]
        yield from rest[:1]
        yield from _code(plain(posixpath.basename(rest[0])), rest[1:]) if rest else ()
    if program in _CODE_COMES_FIRST:
        yield from [word for word in words if not word.startswith("-")][:1]
        yield from (word for word in words if not all(is_marked(each) for each in word))
    for flag in _TAKES_CODE.get(program, ()):
        yield from (word for word in words if word.startswith(flag))
        yield from (word for before, word in pairwise(words) if before == flag)
