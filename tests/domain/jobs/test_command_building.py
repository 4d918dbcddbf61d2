"""Which command runs a program?"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.base.errors import Refusal
from fairlead.domain.catalog import read_json, read_xml
from fairlead.domain.jobs.commands import (
    CannotBuild,
    Checked,
    Command,
    File,
    NeedsShell,
    build,
    check,
    outputs,
    why_not_runnable,
)

BOOLEAN, INTEGER, FLOAT, STRING, FILE = (
    {"_type": f"{name}Type"} for name in ("Boolean", "Integer", "Float", "String", "Formatted")
)
TYPED = st.text(
    st.characters(min_codepoint=1, max_codepoint=0xFFFD, exclude_categories=["Cs"]), min_size=1, max_size=40
)
HOSTILE = st.text(st.sampled_from(list(" \t\n'\"\\`$|;&<>*?[](){}~#!_SQDab")), min_size=1, max_size=40)


def parameter(name, type_=STRING, **said):
    return {"name": name, "type": type_} | said


def service(*inputs, outputs=(), command="tool", **said):
    document = {"_type": "Program", "name": "tool", "command": command, "inputs": {"children": list(inputs)}}
    return read_json(json.dumps(document | {"outputs": {"children": list(outputs)}} | said))


def line(made, values=None, **files) -> str:
    return build(made, check(made, values or {}), files).line


def only_words(command: Command) -> tuple[str, ...]:
    (pipe,) = command.pipes
    (stage,) = pipe.stages
    return stage.argv


def test_parameters_stand_where_they_say_and_the_command_before_the_first_that_is_not_below_zero():
    made = service(
        parameter("last", format='" last"', argpos=10),
        parameter("usual", format='" usual"'),
        {"name": "group", "argpos": 5, "children": [parameter("grouped", format='" grouped"')]},
        parameter("before", format='"before && "', argpos=-1),
        parameter("also", format='" also"', argpos=10),
    )

    assert line(made) == "before && tool usual grouped last also"


def test_a_parameter_may_be_the_command():
    made = service(
        parameter("start", format='"other -q"', command=True),
        parameter("x", format='" -x"'),
        command=None,
    )

    assert line(made) == "other -q -x"


def test_what_is_switched_off_adds_nothing():
    made = service(parameter("a", BOOLEAN), parameter("b", format='" -b"', precond="a"))

    assert line(made) == "tool"
    assert line(made, {"a": True}) == "tool -b"


def test_expressions_see_all_values_and_defaults():
    made = service(
        parameter("a", INTEGER | {"default": 3}, format='("", " -a " + str(value))[value != vdef]'),
        parameter("b", FLOAT, format='("", " -b " + str(value + a))[value is not None]'),
    )

    assert line(made) == "tool"
    assert line(made, {"a": 4, "b": 0.5}) == "tool -a 4 -b 4.5"


def test_an_option_without_a_blank_before_it_gets_one():
    made = service(parameter("a", format='" --fast"'), parameter("b", format='"--given x"'))

    assert line(made) == "tool --fast --given x"


def test_answers_go_into_files_in_their_order():
    made = service(
        parameter("yes", format='"Y\\n"', argpos=9, paramfile="p"),
        parameter("size", INTEGER | {"default": 5}, format='"S\\n" + str(value) + "\\n"', argpos=1, paramfile="p"),
        parameter("other", format='"x"', paramfile="q"),
        command="tool <p",
    )

    command = build(made, check(made, {"size": 7}))

    assert command.paramfiles == {"p": "S\n7\nY\n", "q": "x"}
    assert command.pipes[0].stages[0].stdin == "p"


def test_a_value_cannot_answer_more_than_it_was_asked():
    made = service(parameter("x", format='"P\\n" + str(value) + "\\n"', paramfile="p"))

    assert build(made, check(made, {"x": "a;b $(id)"})).paramfiles == {"p": "P\na;b $(id)\n"}
    with pytest.raises(CannotBuild):
        build(made, Checked({"x": "a\nX\n"}))


def test_files_have_the_names_that_they_are_given():
    made = service(
        parameter("one", FILE, format='" -1=" + str(value)'),
        parameter("many", {"_type": "ArrayType", "items_type": FILE}, format='" " + str(value)'),
    )
    checked = check(made, {"one": File("a b.txt"), "many": [File("c"), File("d e")]})

    assert only_words(build(made, checked)) == ("tool", "-1=a b.txt", "c", "d e")
    assert only_words(build(made, checked, {"one": "x", "many": ("y", "z w")})) == ("tool", "-1=x", "y", "z w")


def test_several_values_are_joined_as_their_type_says():
    array = {"_type": "ArrayType", "items_type": STRING, "separator": ","}
    made = service(parameter("x", array, format='" -x " + str(value)'))

    assert only_words(build(made, check(made, {"x": ["a b", "c;d"]}))) == ("tool", "-x", "a b,c;d")


CHOICES = {"_type": "StringType", "options": [{"value": "b"}, {"value": "c"}, {"label": "None", "value": "null"}]}


@pytest.mark.parametrize(
    ("said", "written", "line_"),
    [
        ({}, '("", " -x " + value)[value is not None]', "tool -x b c"),
        ({}, '("", " -x " + str(value))[value is not None]', "tool -x b c"),
        ({}, '" -x " + value.replace(" ", ",")', "tool -x b,c"),
        ({}, '" -x " + ",".join(value)', "tool -x b,c"),
        ({}, '" -x " + ",".join(value.split(" "))', "tool -x b,c"),
        ({}, '" -x %s" % value', "tool -x b c"),
        ({"separator": ""}, '" -x " + value', "tool -x bc"),
        ({"separator": ","}, '" -x " + value', "tool -x b,c"),
        ({"separator": " -x "}, '" -x " + value', "tool -x b -x c"),
    ],
)
def test_expressions_see_several_values_as_one_text(said, written, line_):
    made = service(parameter("x", {"_type": "ArrayType", "items_type": CHOICES} | said, format=written))

    assert line(made, {"x": ["b", "null", "c"]}) == line_


def test_several_values_of_a_user_stay_words_of_their_own():
    array = {"_type": "ArrayType", "items_type": STRING}
    for written in ('" " + value', '" " + str(value)', '" " + " ".join(value)'):
        made = service(parameter("x", array, format=written))

        assert only_words(build(made, check(made, {"x": ["a b", "c;d", "$(id)"]}))) == ("tool", "a b", "c;d", "$(id)")


def test_no_choice_is_nothing_where_the_default_says_so():
    array = {"_type": "ArrayType", "items_type": CHOICES, "default": ["null"]}
    made = service(parameter("x", array, format='("", " -x " + str(value))[value is not None]'))

    assert line(made) == line(made, {"x": ["null"]}) == line(made, {"x": "null"}) == "tool"


def test_each_of_several_choices_of_mobyle_1_adds_its_own_format():
    felem = "<felem><value>{0}</value><code proglang='python'>' -{0}'</code></felem>"
    made = read_xml(
        "<program><head><name>tool</name><command>tool</command></head><parameters><parameter><name>x</name>"
        "<type><datatype><class>MultipleChoice</class></datatype></type>"
        f"<flist>{felem.format('a')}{felem.format('b')}</flist></parameter></parameters></program>"
    )

    assert line(made) == "tool"
    assert line(made, {"x": ["a"]}) == "tool -a"
    assert line(made, {"x": ["b", "a"]}) == "tool -a -b"


def test_each_pattern_of_an_output_is_looked_for_though_another_asks_for_something_that_is_not_there():
    output = {"name": "pictures", "filenames": ['"*.png"', 'missing + ".gif"', '("*.svg", "*.eps")']}
    made = service(parameter("x"), outputs=[output])

    rules = {each.name: each.patterns for each in outputs(made, check(made, {}))}

    assert rules["pictures"] == ("*.png", "*.svg", "*.eps")


def test_an_option_of_the_description_may_be_several_words():
    made = service(parameter("x", STRING | {"options": [{"value": "-Q 33"}]}, format='" " + str(value)'))

    assert only_words(build(made, check(made, {"x": "-Q 33"}))) == ("tool", "-Q", "33")


def test_the_environment_is_the_descriptions():
    assert build(service(env={"A": "b"}), Checked({})).environment == {"A": "b"}


def test_pipes_and_redirections_of_the_description_are_kept():
    made = service(parameter("o", format='" | sort - > " + str(value) + ".txt"'))

    command = build(made, check(made, {"o": "my out"}))

    assert [stage.argv for stage in command.pipes[0].stages] == [("tool",), ("sort", "-")]
    assert command.pipes[0].stages[1].stdout == "my out.txt"
    assert command.line == "tool | sort - > 'my out.txt'"


def test_a_variable_before_a_program_is_set_by_env():
    assert only_words(build(service(command="LANG=C tool"), Checked({}))) == ("env", "LANG=C", "tool")


@pytest.mark.parametrize(
    "format_",
    [
        '" " + str(value)',
        '" -x=" + str(value)',
        '" -x=" + value + ".txt"',
        "' -x=\"%s\"' % str(value)",
        "' -x=\\'%s\\'' % value",
        '" -x=_SQ_" + str(value) + "_SQ_"',
        '("", " -x " + str(value))[value is not None and value != vdef]',
        '" -x " + value.lower()',
        '" -x " + value.replace(" ", "; id ")',
        '" -x " + "; id ".join(value.split(","))',
        '" -x " + value.strip()',
        '" -x " + str(value)[0:20]',
        '" -x %s,%s" % (value, value)',
    ],
)
@given(typed=TYPED | HOSTILE)
def test_a_users_text_is_never_more_than_a_part_of_one_word(format_, typed):
    made = service(parameter("x", format=format_), parameter("end", format='" end"', argpos=9))
    harmless = only_words(build(made, Checked({"x": "harmless"})))

    try:
        words = only_words(build(made, Checked({"x": typed})))
    except CannotBuild:
        assert typed.lstrip().startswith("-")
        return

    dropped = len(harmless) - len(words)  # nothing is left of it, so nothing stands there
    assert dropped in (0, 1)
    assert words[0] == "tool"
    assert words[-1] == "end"
    if not dropped and "(" not in format_.split("value")[-1] and "%s," not in format_:
        assert any(typed in word or typed.strip() in word or typed[:20] in word for word in words)


@given(TYPED | HOSTILE)
def test_a_users_text_is_in_one_piece(typed):
    made = service(parameter("x", format='" -x=" + str(value)'), parameter("y", format='" -y \\"a %s\\"" % y'))

    assert only_words(build(made, Checked({"x": typed, "y": typed}))) == ("tool", f"-x={typed}", "-y", f"a {typed}")


@pytest.mark.parametrize(
    ("command", "format_"),
    [
        (None, "value"),
        ("", "str(value) + ' -q'"),
        ("tool |", "' ' + value"),
        ("sh -c", "' ' + value"),
        ("bash -ec 'true'", "' ' + value"),
        ("sh -c '", "'id ' + value + \"'\""),
        ("env sh -c", "' ' + value"),
        ("A=b /bin/sh -c", "' ' + value"),
        ("perl -e", "' ' + value"),
        ("perl -e'print", 'value + "\'"'),
        ("python3 -c", "' ' + value"),
        ("awk", "' ' + value"),
        ("awk '{", 'value + "}\'"'),
        ("sed -e", "' s/' + value + '/x/'"),
        ("xargs", "' ' + value"),
        ("env", "' ' + value"),
        ("eval", "' ' + value"),
    ],
)
def test_a_value_is_never_run(command, format_):
    made = service(parameter("x", format=format_, command=command is None), command=command)

    with pytest.raises(Refusal, match=r"No command can be made|cannot be run"):
        build(made, Checked({"x": "id"}))


def test_a_script_may_be_given_values_by_its_interpreter():
    made = service(parameter("x", format='" " + value'), command="perl script.pl")

    assert only_words(build(made, Checked({"x": "$(id)"}))) == ("perl", "script.pl", "$(id)")


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", ".hidden", "a/b"])
def test_a_redirection_does_not_leave_the_folder(name):
    made = service(parameter("o", format='" > " + value'))

    with pytest.raises(CannotBuild):
        build(made, Checked({"o": name}))


def test_a_value_that_would_be_an_option_is_refused_though_nobody_checked_it():
    made = service(parameter("x", format='" " + value'))

    with pytest.raises(CannotBuild, match="begins with a dash"):
        build(made, Checked({"x": "-rf"}))


@pytest.mark.parametrize(
    ("command", "format_", "what"),
    [
        ("source x; tool", None, "'source'"),
        ("cd /tmp && tool", None, "'cd'"),
        ("tool $HOME", None, "'$'"),
        ("tool `id`", None, "'`'"),
        ("tool &", None, "'&'"),
        ("tool *.txt", None, "pattern"),
        ("for x in a; do tool; done", None, "'for'"),
        ("tool", "' $(id)'", "'$'"),
        ("tool", "('', ' `id`')[True]", "'`'"),
        (None, "' -x ' + str(value)", "no command"),
        (None, "' -auto'", "no command"),
    ],
)
def test_a_description_that_counts_on_a_shell_is_never_run(command, format_, what):
    made = service(parameter("x", format=format_, hidden=True), command=command)

    assert what in why_not_runnable(made)
    with pytest.raises(Refusal, match=r"cannot be run|No command"):
        build(made, Checked({}))


@pytest.mark.parametrize("format_", ["('', ' -m')[value == '$x']", "'5$ '", "' formatdb -i x'"])
def test_others_can_be_run(format_):
    made = service(parameter("x", format=format_, argpos=1), command="tool" if "formatdb" not in format_ else None)

    assert why_not_runnable(made) is None
    assert build(made, Checked({}))


def test_a_pattern_in_a_format_is_refused_when_it_is_met():
    made = service(parameter("x", BOOLEAN, format='("", " && rm *.tmp")[value]'))

    assert line(made) == "tool"
    with pytest.raises(NeedsShell):
        build(made, Checked({"x": True}))


def test_outputs_are_patterns_that_stay_in_the_folder():
    made = service(
        parameter("o", STRING | {"default": "usual"}),
        parameter("f", BOOLEAN),
        outputs=[
            {"name": "a", "filenames": '"*.txt"'},
            {"name": "b", "filenames": "o"},
            {"name": "c", "filenames": '("x", str(o) + "_*.fq")[o is not None]'},
            {"name": "d", "filenames": '"*.dnd"', "precond": "f"},
            {"name": "e", "filenames": '"../*.txt"'},
            {"name": "g", "filenames": '["one", "two/three", ".hidden"]'},
            {"name": "h", "filenames": "missing + 1"},
            {"name": "out", "filenames": '"tool.out"', "output_type": "stdout"},
        ],
    )

    rules = {rule.name: (rule.kind, rule.patterns, rule.ignored) for rule in outputs(made, Checked({"o": "a[1]*"}))}

    assert rules == {
        "a": ("file", ("*.txt",), ()),
        "b": ("file", ("a[[]1][*]",), ()),
        "c": ("file", ("a[[]1][*]_*.fq",), ()),
        "e": ("file", (), ("../*.txt",)),
        "g": ("file", ("one",), ("two/three", ".hidden")),
        "h": ("file", (), ()),
        "out": ("stdout", (), ()),
        "stderr": ("stderr", (), ()),
    }


@given(TYPED | HOSTILE)
def test_no_text_of_a_user_makes_a_pattern_that_leaves_the_folder(typed):
    made = service(parameter("o"), outputs=[{"name": "x", "filenames": "o"}])

    (rule, *_) = outputs(made, Checked({"o": typed}))

    assert all("/" not in each and not each.startswith(".") for each in rule.patterns)
