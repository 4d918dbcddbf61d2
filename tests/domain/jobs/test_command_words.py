"""Which words does a line have, and can anything that a user wrote change them?"""

from __future__ import annotations

import contextlib
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.catalog import marked, plain
from fairlead.domain.jobs.commands.words import BadLine, NeedsShell, begins_with_users_dash, read_line

TYPED = st.text(st.characters(max_codepoint=0xFFFD, exclude_categories=["Cs"]), max_size=40)
SPECIAL = st.text(st.sampled_from(list(" \t\n'\"\\`$|;&<>*?[](){}~#!=-_SQDab")), max_size=40)
ANYTHING = TYPED | SPECIAL


def words(line):
    (row,) = read_line(line)
    (start,) = row.starts
    return [plain(word) for word in start.words]


@given(ANYTHING)
def test_a_users_text_is_one_word_or_part_of_one(text):
    made = words(f"prog -a {marked(text)} -b={marked(text)}.txt end")

    alone = [text] if text else []
    assert made == ["prog", "-a", *alone, f"-b={text}.txt", "end"]


@given(ANYTHING)
def test_a_users_text_is_the_same_in_quotes(text):
    made = words(f"""prog "{marked(text)}" '{marked(text)}' -x="a {marked(text)} b" end""")

    assert made == ["prog", text, text, f"-x=a {text} b", "end"]


@given(ANYTHING, ANYTHING)
def test_two_texts_of_users_never_work_together(one, other):
    assert words(f"prog x{marked(one)}{marked(other)}y end") == ["prog", f"x{one}{other}y", "end"]


@given(ANYTHING)
def test_a_backslash_of_the_description_takes_no_character_from_a_user(text):
    assert words(f"prog x\\{marked(text)}y") in (["prog", f"x{text}y"], ["prog", f"x{text}y"])


@given(st.text(st.sampled_from(list(" \t'\"\\abc=-,.:/@%+^_{}]!")), max_size=40))
def test_quotes_and_backslashes_mean_what_they_mean_to_a_shell(text):
    try:
        expected = shlex.split("prog a" + text)
    except ValueError:
        with pytest.raises(BadLine):
            read_line("prog a" + text)
    else:
        assert words("prog a" + text) == expected


@given(TYPED)
def test_no_line_at_all_is_an_error_of_ours(text):
    with contextlib.suppress(BadLine, NeedsShell):
        read_line(text)


def shown(line):
    return [
        (
            row.when,
            [(start.words, start.stdin, start.stdout, start.append, start.stderr, start.merge) for start in row.starts],
        )
        for row in read_line(line)
    ]


def one(*given_words, stdin=None, stdout=None, append=False, stderr=None, merge=False):
    return (list(given_words), stdin, stdout, append, stderr, merge)


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("a b", [("always", [one("a", "b")])]),
        ("a | b -", [("always", [one("a"), one("b", "-")])]),
        ("a;b", [("always", [one("a")]), ("always", [one("b")])]),
        ("a ;", [("always", [one("a")])]),
        ("a && b || c", [("always", [one("a")]), ("success", [one("b")]), ("failure", [one("c")])]),
        ("a <in >out", [("always", [one("a", stdin="in", stdout="out")])]),
        ("a>>out 2> err", [("always", [one("a", stdout="out", append=True, stderr="err")])]),
        ("a 1> out 2>&1", [("always", [one("a", stdout="out", merge=True)])]),
        ("a </dev/null 2>/dev/null", [("always", [one("a")])]),
        ("a2>out", [("always", [one("a2", stdout="out")])]),
        ("a '|' \";\" \\&", [("always", [one("a", "|", ";", "&")])]),
        ("a _SQ_b c_SQ_ _DQ_d e_DQ_", [("always", [one("a", "b c", "d e")])]),
        ("a '' \"\"", [("always", [one("a", "", "")])]),
        ("a\n\tb", [("always", [one("a", "b")])]),
        ("a 5$ a#b x~", [("always", [one("a", "5$", "a#b", "x~")])]),
    ],
)
def test_pipes_sequences_and_redirections_are_understood(line, rows):
    assert shown(line) == rows


@pytest.mark.parametrize(
    "line",
    [
        "a $HOME",
        "a ${HOME}",
        "a $(id)",
        'a "$(id)"',
        "a `id`",
        'a "`id`"',
        "a *.txt",
        "a b?",
        "a [ab]",
        "a &",
        "a & b",
        "(a)",
        "a <<EOF",
        "a <<< x",
        "a >& out",
        "a &> out",
        "a 2>> err",
        "a # comment",
        "a ~/x",
        "f() { a; }",
    ],
)
def test_what_takes_a_shell_is_refused(line):
    with pytest.raises(NeedsShell):
        read_line(line)


@pytest.mark.parametrize(
    "line", ["", "   ", "| a", "a |", "a && ", "&& a", "a ;; b", "a >", "a > | b", "'a", '"a', "a \\"]
)
def test_what_is_no_command_is_refused(line):
    with pytest.raises(BadLine):
        read_line(line)


@pytest.mark.parametrize(
    ("word", "is_option"),
    [
        (marked("-rf"), True),
        (marked("--help"), True),
        (marked("-5;id"), True),
        (marked("-5"), False),
        (marked("-0.5e-3"), False),
        (marked("-"), False),
        ("-x=" + marked("-rf"), False),
        ("x" + marked("-rf"), False),
        ("-rf", False),
        ("", False),
    ],
)
def test_a_word_that_begins_with_a_users_dash_is_seen(word, is_option):
    assert begins_with_users_dash(word) is is_option
