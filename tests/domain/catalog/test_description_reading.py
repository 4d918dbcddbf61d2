"""Which service does a YAML or JSON text describe, and what is wrong with one that describes none?"""

from __future__ import annotations

import json

import pytest
import yaml

from fairlead.domain.catalog import (
    ArrayType,
    BadDescription,
    BooleanType,
    Condition,
    Control,
    Expression,
    FloatType,
    FormattedType,
    Image,
    IntegerType,
    Link,
    Option,
    Program,
    Reference,
    StringType,
    StructType,
    TaskValue,
    Widget,
    Workflow,
    as_document,
    read_json,
    read_yaml,
)

EVERYTHING = r"""
!mobyle/program
name: everything
version: '1.0'
public_name: all of it
title: Everything
description: What a program can say
authors: Ada
references:
- {label: A paper, doi: 10.1000/1, url: null}
documentation_links: ['https://example.org/docs']
source_links: ['https://example.org/source']
homepage_links: ['https://example.org/']
comment: A comment
operations: ['EDAM_operation:0492']
topics: ['EDAM_topic:0080']
package: tools
command: everything -v
env: {LANG: C}
cpu: 2
mem: 512
network: true
containers:
- {type: docker, id: everything:1, url: https://example.org/everything}
inputs: !mobyle/inputparagraph
  children:
  - !mobyle/inputprogramparameter
    name: sequence
    prompt: Sequence
    main: true
    simple: true
    mandatory: true
    argpos: 100
    format: '" " + str(value)'
    type: !mobyle/formattedtype {data_terms: ['EDAM_data:2044'], format_terms: ['EDAM_format:2200']}
  - !mobyle/inputprogramparagraph
    name: options
    prompt: Options
    comment: Some options
    argpos: 3
    precond: sequence
    children:
    - !mobyle/inputprogramparameter
      name: fast
      format: ("", " -f")[value]
      type: !mobyle/booleantype {default: false}
    - !mobyle/inputprogramparameter
      name: size
      type: !mobyle/integertype {default: 4, min: 1, max: 9}
      ctrls:
      - message: It must not be 5.
        test: {value: {'#ne': '5'}}
    - !mobyle/inputprogramparameter
      name: ratio
      paramfile: everything.params
      format: str(value) + "\n"
      type: !mobyle/floattype {default: 0.5, min: 0}
    - !mobyle/inputprogramparameter
      name: matrix
      precond: {'#or': [fast, {size: {'#gt': '2'}}]}
      type: !mobyle/stringtype
        default: 'null'
        options:
        - {label: None of them, value: 'null'}
        - {label: Identity, value: ID}
    - !mobyle/inputprogramparameter
      name: names
      type: !mobyle/arraytype
        items_type: !mobyle/stringtype {}
        separator: ','
    - !mobyle/inputprogramparameter
      name: window
      type: !mobyle/structtype
        properties:
          start: !mobyle/integertype {}
          end: !mobyle/integertype {}
    - !mobyle/inputprogramparameter {name: lost, format: '" -l " + str(value)'}
  - !mobyle/inputprogramparameter {name: start, command: true, hidden: true, format: '"start"'}
outputs: !mobyle/outputparagraph
  children:
  - !mobyle/outputprogramparameter
    name: result
    filenames: '"*.txt"'
    precond: fast
    type: !mobyle/formattedtype {data_terms: ['EDAM_data:2048']}
  - !mobyle/outputprogramparameter {name: done, filenames: '"progress"', output_type: progress}
"""


@pytest.fixture(scope="module")
def everything() -> Program:
    return read_yaml(EVERYTHING)


def problems_of(document) -> list[str]:
    with pytest.raises(BadDescription) as refused:
        read_json(json.dumps(document))
    return [str(problem) for problem in refused.value.problems]


def program(**said):
    return {"_type": "Program", "name": "tool", "command": "tool"} | said


def with_input(**said):
    return program(inputs={"children": [{"name": "x"} | said]})


def test_a_program_says_what_it_is(everything):
    assert (everything.name, everything.version, everything.public_name) == ("everything", "1.0", "all of it")
    assert everything.references == (Reference("A paper", "10.1000/1"),)
    assert everything.operations == ("EDAM_operation:0492",)
    assert (everything.command, everything.env) == ("everything -v", {"LANG": "C"})
    assert (everything.cpu, everything.mem, everything.network) == (2, 512, True)
    assert everything.containers == (Image("docker", "everything:1", "https://example.org/everything"),)
    assert everything.warnings == ()


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("sequence", FormattedType(None, ("EDAM_data:2044",), ("EDAM_format:2200",))),
        ("fast", BooleanType(False)),
        ("size", IntegerType(4, 1, 9)),
        ("ratio", FloatType(0.5, 0.0)),
        ("matrix", StringType(None, (Option("None of them", None), Option("Identity", "ID")))),
        ("names", ArrayType(StringType(), None, ",")),
        ("window", StructType({"start": IntegerType(), "end": IntegerType()})),
        ("lost", None),
    ],
)
def test_a_parameter_has_its_type(everything, name, type_):
    assert everything.find_input(name).type == type_


def test_a_parameter_says_how_it_is_used(everything):
    sequence, size, ratio = (everything.find_input(each) for each in ("sequence", "size", "ratio"))

    assert (sequence.main, sequence.simple, sequence.mandatory, sequence.hidden) == (True, True, True, False)
    assert sequence.format == Expression('" " + str(value)')
    assert size.ctrls == (Control(Condition({"value": {"#ne": "5"}}), "It must not be 5."),)
    assert ratio.paramfile == "everything.params"


def test_a_place_in_the_command_is_its_own_or_its_paragraphs_or_the_usual_one(everything):
    places = {each.parameter.name: each.argpos for each in everything.inputs.placed()}

    assert places["sequence"] == 100
    assert places["fast"] == 3
    assert places["start"] == 0


def test_the_conditions_of_all_paragraphs_apply(everything):
    matrix = next(each for each in everything.inputs.placed() if each.parameter.name == "matrix")

    assert matrix.is_active({"sequence": "a", "fast": True, "size": 1})
    assert not matrix.is_active({"sequence": None, "fast": True, "size": 1})
    assert not matrix.is_active({"sequence": "a", "fast": False, "size": 1})


def test_a_program_always_has_what_it_prints_as_outputs(everything):
    kinds = {each.parameter.name: each.parameter.output_type for each in everything.outputs.placed()}

    assert kinds == {"result": "file", "done": "progress", "stdout": "stdout", "stderr": "stderr"}


def test_an_output_called_stderr_is_what_was_printed_though_it_does_not_say_so():
    read = read_json(json.dumps(program(outputs={"children": [{"name": "stderr", "filenames": '"tool.err"'}]})))

    assert [each.parameter.output_type for each in read.outputs.placed()] == ["stderr", "stdout"]


def test_a_description_reads_back_equal(everything):
    document = as_document(everything)

    assert read_json(json.dumps(document)) == everything
    assert read_yaml(yaml.safe_dump(document)) == everything


def test_the_shapes_of_older_descriptions_are_read():
    read = read_json(
        json.dumps(
            program(
                command={"path": "/usr/bin", "value": "tool"},
                env=[{"name": "A", "value": "b"}],
                package={"name": "tools"},
                inputs=[
                    {
                        "name": "x",
                        "argpos": "5",
                        "format": {"perl": "$value", "python": "str(value)"},
                        "precond": {"python": "y == 1"},
                        "ctrl": {"message": "No.", "test": {"value": {"#gt": 1}}},
                    }
                ],
            )
        )
    )

    assert (read.command, read.env, read.package) == ("tool", {"A": "b"}, "tools")
    x = read.find_input("x")
    assert (x.argpos, x.format) == (5, Expression("str(value)"))
    assert x.precond == Condition({"#python": "y == 1"})
    assert x.ctrls[0].message == "No."


@pytest.mark.parametrize("word", ["null", "Null", "mobyle_null"])
def test_some_words_are_no_value(word):
    type_ = {"_type": "StringType", "default": word, "options": [{"label": "x", "value": word}]}

    read = read_json(json.dumps(with_input(type=type_)))

    assert read.find_input("x").type == StringType(None, (Option("x", None),))


@pytest.mark.parametrize("name", ["needle", "cadbiom-api", "my tool", "fasta (old)", "outil à écrire", "x?"])
def test_names_may_be_odd(name):
    assert read_json(json.dumps(program(name=name))).name == name


@pytest.mark.parametrize(
    "name", ["a::b", "", None, "../up", "a/b", "a\\b", ".hidden", "-rf", " blank", "a\nb", "a" * 300]
)
def test_names_that_could_do_harm_are_refused(name):
    assert problems_of(program(name=name))[0].startswith("name ")


def test_a_parameters_name_may_not_have_two_colons():
    assert problems_of(with_input(name="a::b")) == ["inputs.children[0].name must not have '::' in it"]


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"format": "open('x')"}, "inputs.children[0].format"),
        ({"format": "1 +"}, "inputs.children[0].format"),
        ({"precond": {"#xor": []}}, "inputs.children[0].precond.#xor"),
        ({"ctrls": [{"test": {"value": {"#about": 1}}}]}, "inputs.children[0].ctrls[0].test.value.#about"),
        ({"type": {"_type": "NoType"}}, "inputs.children[0].type._type"),
        ({"type": {"_type": "ArrayType"}}, "inputs.children[0].type.items_type"),
        ({"type": []}, "inputs.children[0].type"),
        ({"argpos": "first"}, "inputs.children[0].argpos"),
        ({"mandatory": "perhaps"}, "inputs.children[0].mandatory"),
        ({"paramfile": "../outside"}, "inputs.children[0].paramfile"),
        ({"paramfile": ".job"}, "inputs.children[0].paramfile"),
        ({"name": None}, "inputs.children[0].name"),
        ({"prompt": ["x"]}, "inputs.children[0].prompt"),
        ({"_type": "OutputProgramParameter"}, "inputs.children[0]._type"),
    ],
)
def test_a_problem_is_told_with_its_place(said, place):
    with pytest.raises(BadDescription) as refused:
        read_json(json.dumps(with_input(**said)))

    assert [problem.place for problem in refused.value.problems] == [place]


@pytest.mark.parametrize("condition", [{"#python": 5}, {"#not": {"#python": ["x"]}}, {"x": {"#in": 5}}])
def test_a_condition_that_is_none_is_told_and_not_asked_for_names(condition):
    for said in ({"precond": condition}, {"ctrls": [{"test": condition}]}):
        (problem,) = problems_of(with_input(**said))
        assert problem.startswith("inputs.children[0].")


@pytest.mark.parametrize("condition", ["{1: x}", "{true: x}", "{null: x}", "[{'#or': [{1.5: x}]}]"])
def test_a_condition_of_yaml_that_asks_for_no_name_is_told(condition):
    with pytest.raises(BadDescription, match="must be named by a text"):
        read_yaml(f"name: x\ncommand: x\ninputs: [{{name: p, precond: {condition}}}]")


def test_words_that_were_truths_in_older_yaml_are_words():
    read = read_yaml("""
        name: x
        command: x
        title: yes
        inputs:
        - {name: on, prompt: no, mandatory: yes, hidden: off, precond: {yes: 'x'},
           type: {_type: StringType, default: no, options: [{label: yes, value: no}]}}
        - {name: p, prompt: true, type: {_type: BooleanType, default: off}}
    """)

    first, second = read.find_input("on"), read.find_input("p")
    assert (read.title, first.prompt, first.mandatory, first.hidden) == ("yes", "no", True, False)
    assert first.precond == Condition({"yes": "x"})
    assert first.type == StringType("no", (Option("yes", "no"),))
    assert (second.prompt, second.type) == ("true", BooleanType(False))
    assert read_yaml(yaml.safe_dump(as_document(read))) == read


def test_several_patterns_of_an_output_are_one_expression():
    def output(filenames):
        read = read_json(json.dumps(program(outputs={"children": [{"name": "o", "filenames": filenames}]})))
        assert read_json(json.dumps(as_document(read))) == read
        return next(each.parameter for each in read.outputs.placed() if each.parameter.name == "o").filenames

    assert output(["'*.a'", "x + '.b'"]) == Expression("('*.a', x + '.b')")
    assert output(["'*.a'"]) == Expression("'*.a'")
    assert output([]) is None
    assert problems_of(program(outputs={"children": [{"name": "o", "filenames": ["'*.a'", "1 +"]}]})) == [
        "outputs.children[0].filenames[1] is no expression: invalid syntax"
    ]


def test_choices_of_several_that_stand_for_nothing_are_no_default():
    array = {"_type": "ArrayType", "items_type": {"_type": "StringType"}}

    assert [
        read_json(json.dumps(with_input(type=array | {"default": default}))).find_input("x").type.default
        for default in ("null", ["null"], ["null", "a"], [], ["a"])
    ] == [None, None, ("a",), None, ("a",)]


def test_numbers_to_choose_from_are_a_control():
    type_ = {"_type": "IntegerType", "options": [{"label": "one", "value": "1"}, {"value": 1234567}, {"value": "null"}]}

    read = read_json(json.dumps(with_input(type=type_)))

    (control,) = read.find_input("x").ctrls
    assert control == Control(Condition({"value": {"#in": [1, 1234567]}}), "It must be one of 1 (one), 1234567.")
    assert read_json(json.dumps(as_document(read))) == read


def test_the_categories_of_mobyle_1_are_kept():
    older = [{"type": "mobyle1", "classification": "alignment:multiple"}, {"type": "EDAM"}, 5]

    read = read_json(json.dumps(program(classifications=older, categories=["phylogeny"])))

    assert read.categories == ("phylogeny", "alignment:multiple")
    assert read_json(json.dumps(program(classifications="x"))).categories == ()
    assert read_json(json.dumps(as_document(read))) == read


def test_a_folder_of_the_command_is_left_out_with_a_warning():
    read = read_json(json.dumps(program(command={"path": "/opt/bin", "value": "tool"})))

    assert (read.command, [str(each).split()[0] for each in read.warnings]) == ("tool", ["command.path"])


@pytest.mark.parametrize("text", ['"a" +\n  str(value)', '"a"  # first\n  + str(value)', '\n "a" + \\\n str(value)\n'])
def test_expressions_may_go_on_in_the_next_line(text):
    assert Expression(text).wrong() is None
    assert Expression(text).evaluate({"value": 1}) == "a1"


@pytest.mark.parametrize("text", ['"a"\n str(value)', "x\n= 1", ") + (\n", "", "\n"])
def test_lines_that_do_not_belong_together_are_no_expression(text):
    assert Expression(text).wrong()


def test_all_problems_are_told_at_once():
    document = program(name="a::b", cpu=0, env={"A=B": "x"}, inputs={"children": [{"name": "x", "format": "("}, 5]})

    assert {line.split()[0] for line in problems_of(document)} == {
        "name",
        "cpu",
        "env",
        "inputs.children[0].format",
        "inputs.children[1]",
    }


def test_an_output_that_is_no_kind_of_output_is_refused():
    assert problems_of(program(outputs={"children": [{"name": "x", "output_type": "email"}]})) == [
        "outputs.children[0].output_type must be file, stdout, stderr or progress"
    ]


def test_what_is_only_odd_is_read_with_a_warning():
    document = program(
        topics=["EDAM_topic:0080", "sequences"],
        colour="red",
        inputs={"children": [{"name": "x", "format": "str(y)"}, {"name": "x", "type": {"_type": "IntegerType"}}]},
    )
    document["inputs"]["children"][1]["type"]["default"] = "many"

    read = read_json(json.dumps(document))

    assert read.topics == ("EDAM_topic:0080",)
    assert [warning.place for warning in read.warnings] == [
        "colour",
        "inputs.children[1].type.default",
        "inputs",
        "inputs",
        "topics",
    ]


def test_something_else_is_no_service():
    assert problems_of({"_type": "Package", "name": "x"}) == [
        "_type must be a program, a workflow or a widget, and is 'package'"
    ]
    assert problems_of([1]) == ["A description must be a mapping."]


def test_a_widget_is_read():
    widget = read_json(json.dumps({"_type": "Widget", "name": "tree viewer", "url": "/widgets/tree"}))

    assert widget == Widget(name="tree viewer", url="/widgets/tree")
    assert read_json(json.dumps(as_document(widget))) == widget


def workflow(**said):
    return {
        "_type": "Workflow",
        "name": "three",
        "inputs": {"children": [{"name": "sequences", "mandatory": True}]},
        "outputs": {"children": [{"name": "tree"}]},
        "tasks": [
            {"id": "align", "service": "mafft", "values": [{"name": "format", "value": "FASTA"}]},
            {"id": "draw", "service": "quicktree::public::other", "server": "other", "suspend": True},
        ],
        "links": [
            {"to_task": "align", "from_parameter": "sequences", "to_parameter": "in"},
            {"from_task": "align", "from_parameter": "out", "to_task": "draw", "to_parameter": "in"},
            {"from_task": "draw", "from_parameter": "tree", "to_parameter": "tree"},
        ],
    } | said


def test_a_workflow_is_a_graph_of_tasks():
    read = read_json(json.dumps(workflow()))

    assert isinstance(read, Workflow)
    assert [task.id for task in read.tasks] == ["align", "draw"]
    assert read.tasks[0].values == (TaskValue("format", "FASTA"),)
    assert read.links[1] == Link("out", "in", "align", "draw")
    assert read_json(json.dumps(as_document(read))) == read


@pytest.mark.parametrize(
    ("link", "place"),
    [
        ({"from_task": "nobody", "from_parameter": "x", "to_task": "draw", "to_parameter": "y"}, "links[3]"),
        ({"from_parameter": "nothing", "to_task": "draw", "to_parameter": "y"}, "links[3]"),
        ({"from_task": "align", "from_parameter": "x", "to_parameter": "nowhere"}, "links[3]"),
        ({"from_task": "align", "from_parameter": "x", "to_task": "draw", "to_parameter": "in"}, "links[3]"),
        ({"from_task": "align", "from_parameter": "x", "to_task": "align", "to_parameter": "format"}, "links[3]"),
        ({"from_task": "draw", "from_parameter": "x", "to_task": "align", "to_parameter": "y"}, "links"),
    ],
)
def test_a_graph_that_cannot_be_carried_out_is_refused(link, place):
    document = workflow()
    document["links"].append(link)

    with pytest.raises(BadDescription) as refused:
        read_json(json.dumps(document))

    assert place in [problem.place for problem in refused.value.problems]


def test_a_workflow_without_tasks_and_tasks_of_the_same_name_are_refused():
    assert "tasks must be at least one" in problems_of(workflow(tasks=[], links=[]))
    twice = workflow()
    twice["tasks"].append(twice["tasks"][0])
    assert any(line.startswith("tasks[2]") for line in problems_of(twice))


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just text",
        "- 1",
        "name: x\nname: y",
        "!!python/object/apply:os.system ['true']",
        "name: !!python/name:os.system x",
        "!<tag:yaml.org,2002:python/object/new:type> {}",
        "name: !unknown x",
        "!mobyle/program [1]",
        "!mobyle/program {name: &a [*a]}",
        "? {a: 1}\n: x",
        "[" * 1000 + "]" * 1000,
        "name: " + "x" * (1024 * 1024),
        "name: \0",
        "{{{",
        "a: b: c",
        "name: *missing",
        "\udcff".encode("utf-8", "surrogatepass"),
        b"\xff\xfe\x00",
        "name: x\ncpu: " + "9" * 6000,
        "name: x\n<<: [1]",
        "name: x\ninputs: {children: [" + "{name: a}," * 100_000 + "]}",
    ],
)
def test_hostile_yaml_is_refused_and_makes_nothing(text):
    with pytest.raises(BadDescription):
        read_yaml(text)


def test_a_bomb_of_aliases_counts_as_large_as_it_would_become():
    text = "!mobyle/program\nname: x\ncommand: x\n" + BOMB

    with pytest.raises(BadDescription, match="more than 200000 values"):
        read_yaml(text)


def test_an_alias_that_is_no_bomb_is_read():
    text = "name: x\ncommand: x\ntopics: &a ['EDAM_topic:0080']\noperations: *a"

    assert read_yaml(text).operations == ("EDAM_topic:0080",)


def test_a_date_is_a_text_like_any_other():
    assert read_yaml("!mobyle/program {name: x, version: 2012-06-01, command: x}").version == "2012-06-01"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"name": "x", "name": "y"}',
        '{"name": "x", "cpu": NaN}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"name": "\\ud800", "command": "x"}',
        '{"name": "x", "title": "\\u0000"}',
        '{"name": "x", "cpu": 1e999}',
        '"x"' * 500_000,
        b"\xff",
    ],
)
def test_hostile_json_is_refused(text):
    with pytest.raises(BadDescription):
        read_json(text)
