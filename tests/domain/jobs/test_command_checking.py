"""Which values may a service be run with?"""

from __future__ import annotations

import json

import pytest

from fairlead.domain.catalog import read_json
from fairlead.domain.jobs.commands import BadValues, Checked, File, Unfit, build, check

BOOLEAN, INTEGER, FLOAT, STRING, FILE = (
    {"_type": f"{name}Type"} for name in ("Boolean", "Integer", "Float", "String", "Formatted")
)


def parameter(name, type_=STRING, **said):
    return {"name": name, "type": type_} | said


def service(*inputs, outputs=(), **said):
    document = {"_type": "Program", "name": "tool", "command": "tool", "inputs": {"children": list(inputs)}}
    return read_json(json.dumps(document | {"outputs": {"children": list(outputs)}} | said))


def errors_of(made, values):
    with pytest.raises(BadValues) as refused:
        check(made, values)
    return refused.value.errors


def test_values_are_kept_as_what_they_are():
    made = service(
        parameter("b", BOOLEAN),
        parameter("i", INTEGER),
        parameter("f", FLOAT),
        parameter("s"),
        parameter("c", {"_type": "StringType", "options": [{"value": "1"}, {"value": "2"}]}),
        parameter("d", FILE),
        parameter("a", {"_type": "ArrayType", "items_type": INTEGER}),
        parameter("t", {"_type": "StructType", "properties": {"x": INTEGER}}),
    )
    file = File("data.fasta")

    checked = check(
        made, {"b": "true", "i": "5", "f": 3, "s": "text", "c": 2, "d": file, "a": ["1", 2], "t": {"x": "3"}}
    )

    assert checked == Checked(
        {"b": True, "i": 5, "f": 3.0, "s": "text", "c": "2", "d": file, "a": (1, 2), "t": {"x": 3}}
    )


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (BOOLEAN, "perhaps"),
        (BOOLEAN, 2),
        (INTEGER, "five"),
        (INTEGER, 1.5),
        (INTEGER, True),
        (INTEGER, "9" * 30),
        (INTEGER, 10**30),
        (INTEGER | {"min": 2}, 1),
        (INTEGER | {"max": 2}, 3),
        (FLOAT, "nan"),
        (FLOAT, float("inf")),
        (FLOAT, "1e999"),
        (FLOAT, []),
        (FLOAT, 10**400),
        (FLOAT | {"min": 0.5}, 0.4),
        (STRING, True),
        (STRING, ["a"]),
        (STRING, {"data": 1}),
        (STRING, "a\nb"),
        (STRING, "a\0b"),
        (STRING, "a\x1bb"),
        (STRING, "a\u2028b"),
        (STRING, "a\U000f0041b"),
        (STRING, "\ud800"),
        (STRING, "x" * 40_000),
        (STRING, "touch x |"),
        (STRING, "| touch x"),
        (None, "touch x | "),
        (STRING | {"options": [{"value": "a"}]}, "b"),
        (FILE, "name.txt"),
        (FILE, 5),
        ({"_type": "ArrayType", "items_type": INTEGER}, ["1", "x"]),
        ({"_type": "ArrayType", "items_type": INTEGER}, [1] * 2000),
        ({"_type": "StructType", "properties": {"x": INTEGER}}, {"y": 1}),
        ({"_type": "StructType", "properties": {"x": INTEGER}}, 5),
        (None, {"x": 1}),
    ],
)
def test_a_value_of_another_type_is_refused(type_, value):
    assert list(errors_of(service(parameter("x", type_)), {"x": value})) == ["x"]


def test_all_errors_are_told_at_once_each_with_its_parameter():
    made = service(parameter("i", INTEGER), parameter("m", mandatory=True), parameter("s"))

    errors = errors_of(made, {"i": "x", "nobody": 1, "s": "fine"})

    assert errors == {
        "nobody": ["There is no such parameter."],
        "i": ["It must be a whole number."],
        "m": ["A value is needed."],
    }


@pytest.mark.parametrize("value", [None, ""])
def test_nothing_is_no_value_and_takes_no_default(value):
    made = service(parameter("m", STRING | {"default": "x"}, mandatory=True))

    assert check(made, {}) == Checked({})
    assert errors_of(made, {"m": value}) == {"m": ["A value is needed."]}


def test_an_option_that_is_no_value_chooses_nothing():
    type_ = STRING | {"default": "a", "options": [{"value": "null"}, {"value": "a"}]}

    assert check(service(parameter("c", type_)), {"c": "null"}).values == {"c": None}
    assert errors_of(service(parameter("c", type_, mandatory=True)), {"c": "null"}) == {"c": ["A value is needed."]}


def test_a_hidden_parameter_is_nobodys_to_set():
    assert errors_of(service(parameter("x", hidden=True)), {"x": "a"}) == {"x": ["This is set by the service itself."]}


def test_what_is_switched_off_is_not_needed_and_its_values_are_dropped():
    made = service(
        parameter("fast", BOOLEAN),
        parameter("size", INTEGER, mandatory=True, precond="fast"),
        parameter("deep", INTEGER, precond={"size": {"#gt": 3}}),
    )

    assert check(made, {"fast": False, "size": 5, "deep": 1}) == Checked({"fast": False}, ("size", "deep"))
    assert check(made, {"size": "no number"}) == Checked({}, ("size",))
    assert errors_of(made, {"fast": True}) == {"size": ["A value is needed."]}
    assert check(made, {"fast": True, "size": 5, "deep": 1}).dropped == ()


def test_parameters_that_switch_each_other_off_are_both_dropped():
    made = service(parameter("a", BOOLEAN, precond={"#not": "b"}), parameter("b", BOOLEAN, precond={"#not": "a"}))

    assert check(made, {"a": True, "b": True}) == Checked({}, ("a", "b"))
    assert check(made, {"a": True}) == Checked({"a": True})


def test_controls_are_told_in_the_words_of_the_description():
    made = service(
        parameter("low", INTEGER, ctrls=[{"message": "It must be below high.", "test": {"value": {"#lt": "high"}}}]),
        parameter("high", INTEGER | {"default": 10}),
        parameter("seed", INTEGER, ctrls=[{"test": {"value % 2": 1}}]),
    )

    assert check(made, {"low": 9, "seed": 3}).values == {"low": 9, "seed": 3}
    assert errors_of(made, {"low": 12, "seed": 4}) == {
        "low": ["It must be below high."],
        "seed": ["This value is not allowed."],
    }
    assert check(made, {"low": 12, "high": 20}).dropped == ()


def test_controls_see_the_name_of_a_file():
    made = service(parameter("x", FILE, ctrls=[{"message": "Not infile.", "test": {"value": {"#nin": ["infile"]}}}]))

    assert errors_of(made, {"x": File("infile")}) == {"x": ["Not infile."]}
    assert check(made, {"x": File("mine")}).dropped == ()


def test_data_of_another_type_is_refused():
    made = service(parameter("x", FILE | {"data_terms": ["EDAM_data:2976"]}))

    assert check(made, {"x": File("a", ("EDAM_data:2976",))}).values["x"].name == "a"
    assert check(made, {"x": File("a")}).dropped == ()
    assert list(errors_of(made, {"x": File("a", ("EDAM_data:0863",))})) == ["x"]


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "-rf", "a/b", "/etc/passwd", "a\\b", "a\nb", "x" * 300])
def test_a_file_has_a_name_that_stays_in_the_folder(name):
    with pytest.raises(Unfit):
        File(name)


def test_a_parameter_whose_type_was_lost_takes_a_file_or_a_text():
    made = service(parameter("x", None))

    for value in ("text", File("a"), (File("a"), File("b")), ("a", "b")):
        assert check(made, {"x": value}).values == {"x": value}


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a/b", ".hidden", "-o"])
def test_a_text_that_names_an_output_stays_in_the_folder(name):
    made = service(parameter("o"), outputs=[{"name": "out", "filenames": 'str(o) + ".txt"'}])

    assert list(errors_of(made, {"o": name})) == ["o"]
    assert check(made, {"o": "fine name"}).values == {"o": "fine name"}


def test_a_bar_within_a_text_is_one_of_its_letters():
    assert check(service(parameter("x")), {"x": "A|T"}).values == {"x": "A|T"}


@pytest.mark.parametrize("value", ["it's", 'a "b"', "$(id)", "`id`", "a;b", "a|b", "a\\b", "a/b"])
def test_a_script_of_a_shell_is_given_plain_texts_only(value):
    script = service(parameter("x", format='" -t=" + str(value)'), command="plot.sh")

    assert list(errors_of(script, {"x": value})) == ["x"]
    assert check(script, {"x": "My title, v. 1.0"}).values == {"x": "My title, v. 1.0"}
    assert check(service(parameter("x", format='" -t=" + str(value)')), {"x": value}).values == {"x": value}


def test_no_file_is_taken_for_a_list_of_files():
    with pytest.raises(Unfit):
        File("@list.txt")


@pytest.mark.parametrize("value", ["-rf", "--help", "-x y", "-1;id"])
def test_a_text_that_would_be_an_option_of_its_own_is_refused(value):
    alone = service(parameter("x", format='" " + str(value)'))
    behind = service(parameter("x", format='" -x=" + str(value)'))

    assert errors_of(alone, {"x": value}) == {
        "x": ["It must not begin with a dash, as the program would take it for an option."]
    }
    assert build(behind, check(behind, {"x": value})).pipes[0].stages[0].argv == ("tool", f"-x={value}")


@pytest.mark.parametrize("value", ["-5", "-0.25", "-1e-5", "-"])
def test_a_number_below_zero_is_no_option(value):
    made = service(parameter("x", format='" " + str(value)'))

    assert build(made, check(made, {"x": value})).pipes[0].stages[0].argv == ("tool", value)


def test_only_the_text_that_would_be_an_option_is_blamed():
    made = service(parameter("a", format='" -a=" + str(value)'), parameter("b", format='" -b " + str(value)'))

    assert list(errors_of(made, {"a": "-x", "b": "-x"})) == ["b"]


def test_a_flood_of_unknown_names_is_not_repeated_whole():
    assert len(errors_of(service(), {f"x{index}": 1 for index in range(10_000)})) == 100


def test_a_control_compares_with_what_an_expression_of_other_values_makes():
    made = service(
        parameter("window", INTEGER | {"default": 10}),
        parameter("shift", INTEGER, ctrls=[{"message": "Too far.", "test": {"value": {"#lte": "window*2"}}}]),
        parameter("least", INTEGER, ctrls=[{"message": "Too little.", "test": {"value": {"#gt": "window-5"}}}]),
    )

    assert check(made, {"shift": 20, "least": 9}).values == {"shift": 20, "least": 9}
    assert errors_of(made, {"shift": 50, "least": 5}) == {"shift": ["Too far."], "least": ["Too little."]}
    assert errors_of(made, {"window": 3, "shift": 7}) == {"shift": ["Too far."]}
