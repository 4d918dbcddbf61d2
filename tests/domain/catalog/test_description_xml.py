"""Which service does an XML file of Mobyle 1 describe?"""

from __future__ import annotations

import socket

import pytest

from fairlead.domain.catalog import (
    ArrayType,
    BadDescription,
    BooleanType,
    Condition,
    Expression,
    FloatType,
    FormattedType,
    IntegerType,
    Link,
    Option,
    Reference,
    StringType,
    TaskValue,
    Widget,
    Workflow,
    as_document,
    read_description,
    read_document,
    read_xml,
)
from fairlead.domain.catalog.descriptions import including
from fairlead.domain.catalog.descriptions.including import parts_of
from fairlead.domain.catalog.descriptions.xml_text import OnlyAPart

PROGRAM = r"""<?xml version="1.0" encoding="ISO-8859-1"?>
<program>
  <head>
    <name>aligner</name>
    <version>2.0</version>
    <xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="package.xml"/>
    <doc>
      <title>Aligner</title>
      <description><text lang="en">Aligns things</text></description>
      <authors>Ada, Zoë</authors>
      <reference doi="10.1000/1" url="https://example.org/">A paper</reference>
      <doclink>https://example.org/docs</doclink>
      <comment><div xmlns="http://www.w3.org/1999/xhtml">Some <b>bold</b> words</div></comment>
    </doc>
    <category>alignment:multiple</category>
    <command>aligner -q</command>
    <env name="LANG">C</env>
  </head>
  <parameters>
    <parameter ismandatory="1" issimple="1" ismaininput="1">
      <name>sequences</name>
      <prompt lang="en">Sequences</prompt>
      <type>
        <biotype>Protein</biotype>
        <datatype><class>Sequence</class></datatype>
        <dataFormat>FASTA</dataFormat>
      </type>
      <format>
        <code proglang="perl">" -i $value"</code>
        <code proglang="python">" -i " + str(value)</code>
      </format>
      <argpos>2</argpos>
    </parameter>
    <paragraph>
      <name>options</name>
      <prompt>Options</prompt>
      <argpos>3</argpos>
      <precond><code proglang="python">sequences is not None</code></precond>
      <parameters>
        <parameter>
          <name>mode</name>
          <type><datatype><class>Choice</class></datatype></type>
          <vdef><value>null</value></vdef>
          <vlist>
            <velem undef="1"><value>any</value><label>Any</label></velem>
            <velem><value>fast</value><label>Fast</label></velem>
          </vlist>
          <format><code proglang="python">("", " -m " + str(value))[value is not None]</code></format>
        </parameter>
        <parameter>
          <name>shape</name>
          <type><datatype><class>Choice</class></datatype></type>
          <vdef><value>r</value></vdef>
          <flist>
            <felem><value>r</value><label>Round</label><code proglang="python">" -r"</code></felem>
            <felem><value>s</value><label>Square</label><code proglang="python">" -s " + str(gap)</code></felem>
          </flist>
        </parameter>
        <parameter>
          <name>gap</name>
          <type><datatype><class>Float</class></datatype></type>
          <vdef><value>1.5</value></vdef>
          <precond><code proglang="python">mode in ["fast", "slow"] and not quiet</code></precond>
          <ctrl>
            <message><text lang="en">It must be above nothing.</text></message>
            <code proglang="python">value &gt; 0</code>
          </ctrl>
        </parameter>
        <parameter>
          <name>quiet</name>
          <type><datatype><class>Boolean</class></datatype></type>
          <vdef><value>0</value></vdef>
          <precond><code proglang="python">int(gap) + 1 &gt; size</code></precond>
        </parameter>
        <parameter ishidden="1" iscommand="1">
          <name>size</name>
          <type><datatype><class>Integer</class></datatype></type>
          <paramfile>aligner.params</paramfile>
        </parameter>
        <parameter>
          <name>parts</name>
          <type><datatype><class>MultipleChoice</class></datatype></type>
          <vlist><velem><value>A</value><label>a</label></velem><velem><value>B</value><label>b</label></velem></vlist>
          <separator>,</separator>
        </parameter>
        <parameter isout="1">
          <name>tree</name>
          <type><datatype><class>Tree</class></datatype></type>
          <filenames><code proglang="python">"*.dnd"</code></filenames>
        </parameter>
      </parameters>
    </paragraph>
    <parameter isstdout="1">
      <name>alignment</name>
      <type><datatype><class>MyAlignment</class><superclass>Alignment</superclass></datatype></type>
      <filenames><code proglang="python">"aligner.out"</code></filenames>
    </parameter>
  </parameters>
</program>
"""

WORKFLOW = """<workflow>
  <head><name>align-draw</name><doc><title>Both</title></doc></head>
  <flow>
    <task id="align" service="mafft" suspend="false">
      <description>Aligns</description><inputValue name="output_format">FASTA</inputValue>
    </task>
    <task id="draw" service="quicktree" server="elsewhere" suspend="true"/>
    <link toTask="align" fromParameter="1" toParameter="sequences"/>
    <link fromTask="align" toTask="draw" fromParameter="result" toParameter="aligfile"/>
    <link fromTask="draw" fromParameter="treefile" toParameter="9"/>
  </flow>
  <parameters>
    <parameter id="1" ismandatory="1">
      <name>my_sequences</name><type><datatype><class>Sequence</class></datatype></type>
    </parameter>
    <parameter id="9" isout="1"><name>my_tree</name><type><datatype><class>Tree</class></datatype></type></parameter>
  </parameters>
</workflow>
"""

PACKAGE = b"<package><name>ALIGN</name></package>"


@pytest.fixture(scope="module")
def program():
    return read_xml(PROGRAM.encode("iso-8859-1"), {"package.xml": PACKAGE})


def test_the_head_says_what_it_is(program):
    assert (program.name, program.version, program.title) == ("aligner", "2.0", "Aligner")
    assert program.description == "Aligns things"
    assert program.authors == "Ada, Zoë"
    assert program.references == (Reference("A paper", "10.1000/1", "https://example.org/"),)
    assert "bold" in program.comment
    assert (program.command, program.env, program.package) == ("aligner -q", {"LANG": "C"}, "ALIGN")


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("sequences", FormattedType(None, ("EDAM_data:2976",), ("EDAM_format:2200",))),
        ("mode", StringType(None, (Option("Any", None), Option("Fast", "fast")))),
        ("gap", FloatType(1.5)),
        ("quiet", BooleanType(False)),
        ("size", IntegerType()),
        ("parts", ArrayType(StringType(None, (Option("a", "A"), Option("b", "B"))), None, ",")),
    ],
)
def test_classes_become_types(program, name, type_):
    assert program.find_input(name).type == type_


def test_conditions_are_translated_and_what_cannot_be_stays_python(program):
    paragraph = program.inputs.children[1]

    assert paragraph.precond == Condition({"sequences": {"#ne": None}})
    assert program.find_input("gap").precond == Condition(
        {"#and": [{"mode": {"#in": ["fast", "slow"]}}, {"#not": "quiet"}]}
    )
    assert program.find_input("quiet").precond == Condition({"#python": "int(gap) + 1 > size"})
    control = program.find_input("gap").ctrls[0]
    assert (control.message, control.test) == ("It must be above nothing.", Condition({"value": {"#gt": 0}}))


def test_a_choice_whose_values_have_formats_uses_the_one_that_is_chosen(program):
    written = program.find_input("shape").format

    assert written.evaluate({"value": "r", "gap": 2}) == " -r"
    assert written.evaluate({"value": "s", "gap": 2}) == " -s 2"
    assert written.evaluate({"value": None, "gap": 2}) == ""


def test_outputs_are_apart_and_a_superclass_says_what_an_unknown_class_is(program):
    outputs = {each.parameter.name: each.parameter for each in program.outputs.placed()}

    assert outputs["tree"].filenames == Expression('"*.dnd"')
    assert outputs["tree"].type.data_terms == ("EDAM_data:0872",)
    assert outputs["alignment"].output_type == "stdout"
    assert outputs["alignment"].type.data_terms == ("EDAM_data:0863",)
    assert outputs["stderr"].output_type == "stderr"


def test_the_head_keeps_categories_and_all_authors_and_says_what_it_leaves_out():
    head = """<name>x</name><doc><authors>Ada</authors><authors>Zoe</authors></doc>
        <category>alignment:multiple</category><category>phylogeny</category><command path="/opt/x">x</command>"""

    read = read_xml(f"<program><head>{head}</head></program>")

    assert (read.authors, read.categories) == ("Ada, Zoe", ("alignment:multiple", "phylogeny"))
    assert read.command == "x"
    assert [each.place for each in read.warnings] == ["command.path"]
    assert read_document(as_document(read)) == read


def include(href, fallback="", **said):
    more = "".join(f' {name}="{value}"' for name, value in said.items())
    return f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{href}"{more}>{fallback}</xi:include>'


def with_parameters(*parameters, head=""):
    shown = "".join(parameters)
    return f"<program><head><name>x</name><command>x</command>{head}</head><parameters>{shown}</parameters></program>"


def parameter(class_, *said, name="p", attributes=""):
    type_ = f"<type><datatype><class>{class_}</class></datatype></type>" if class_ else ""
    return f"<parameter {attributes}><name>{name}</name>{type_}{''.join(said)}</parameter>"


def python(path, *codes):
    written = "".join(f'<code proglang="python">{code}</code>' for code in codes)
    return f"<{path}>{written}</{path}>"


CHOICES = b"<vlist><velem><value>embl</value><label>EMBL</label></velem></vlist>"


def test_an_include_that_nobody_gave_is_refused_or_what_the_file_says_for_then_is_read():
    with pytest.raises(BadDescription, match=r"'package\.xml' cannot be followed: import the folder"):
        read_xml(PROGRAM.encode("iso-8859-1"))

    fallback = f"<xi:fallback>{CHOICES.decode()}</xi:fallback>"
    read = read_xml(with_parameters(parameter("Choice", include("Env/databases.xml", fallback))))

    assert read.find_input("p").type.choices == ("embl",)


def test_parts_are_included_by_their_way_from_the_file_that_names_them():
    files = {
        "Env/databases.xml": f"<vlist>{include('../Common/one.xml')}{include('two.xml')}</vlist>".encode(),
        "Common/one.xml": b"<velem><value>one</value></velem>",
        "Env/two.xml": b"<velem><value>two</value></velem>",
        "Env/environment.xml": b'<env name="CPUS">1</env>',
    }
    text = with_parameters(parameter("Choice", include("Env/databases.xml")), head=include("Env/environment.xml"))

    read = read_xml(text, files)

    assert read.find_input("p").type.choices == ("one", "two")
    assert read.env == {"CPUS": "1"}
    looked_for = []
    assert parts_of(text.encode(), lambda way: looked_for.append(way) or files.get(way)) == files
    assert sorted(looked_for) == sorted(files)


@pytest.mark.parametrize(
    "element",
    [
        include("file:///etc/passwd"),
        include("/etc/passwd"),
        include("http://127.0.0.1:9/x.xml"),
        include("//host/x.xml"),
        include("x.xml", parse="text"),
        include("x.xml#one"),
        include("x.xml", xpointer="one"),
        include("", parse="xml"),
        include("http://[x"),
    ],
)
def test_only_whole_files_are_included_and_nothing_is_looked_for_elsewhere(element):
    text = with_parameters(parameter("Choice", element))

    assert parts_of(text.encode(), lambda way: pytest.fail(f"looked for {way}")) == {}
    with pytest.raises(BadDescription, match="cannot be followed"):
        read_xml(text, {"x.xml": CHOICES, "etc/passwd": CHOICES, "/etc/passwd": CHOICES, "": CHOICES})


@pytest.mark.parametrize(
    "parts",
    [
        {"a.xml": f"<vlist>{include('a.xml')}</vlist>"},
        {"a.xml": f"<vlist>{include('b.xml')}</vlist>", "b.xml": f"<vlist>{include('a.xml')}</vlist>"},
        {"a.xml": f"<a>{include('b.xml') * 20}</a>", "b.xml": f"<b>{'<c/>' * 100}</b>"},
        {"a.xml": "<vlist>"},
        {"a.xml": "<!DOCTYPE a [<!ENTITY x 'y'>]><vlist/>"},
    ],
)
def test_parts_that_include_themselves_or_too_much_or_are_no_xml_are_refused(parts, monkeypatch):
    monkeypatch.setattr(including, "MOST_ELEMENTS", 1000)

    with pytest.raises(BadDescription):
        read_xml(
            with_parameters(parameter("Choice", include("a.xml"))),
            {way: part.encode() for way, part in parts.items()},
        )


def test_more_files_than_anybody_includes_are_not_looked_for():
    text = with_parameters(*(include(f"{number}.xml") for number in range(500)))

    with pytest.raises(BadDescription, match="more than 200 files"):
        parts_of(text.encode(), lambda way: None)


def test_a_viewer_is_a_widget():
    said = f"<head><name>jalview</name><interface/></head><parameters>{parameter('Alignment')}</parameters>"
    read = read_xml(f"<viewer>{said}</viewer>")

    assert isinstance(read, Widget)
    assert (read.name, read.find_input("p").type.data_terms) == ("jalview", ("EDAM_data:0863",))
    assert [each.place for each in read.warnings] == ["interface"]


@pytest.mark.parametrize("tag", ["package", "tutorial", "vlist", "env"])
def test_what_is_only_a_part_is_told_apart_from_what_is_wrong(tag):
    with pytest.raises(OnlyAPart):
        read_xml(f"<{tag}/>")


MULTIPLE = "<velem><value>b</value></velem><velem><value>c d</value></velem>"


def test_several_choices_are_joined_by_their_separator_or_by_nothing():
    vlist = f"<vdef><value>null</value></vdef><vlist><velem undef='1'><value>null</value></velem>{MULTIPLE}</vlist>"

    types = [
        read_xml(with_parameters(parameter("MultipleChoice", vlist, separator))).find_input("p").type
        for separator in ("", "<separator/>", "<separator>,</separator>", "<separator> </separator>")
    ]

    assert [each.separator for each in types] == ["", "", ",", " "]
    assert {each.default for each in types} == {None}


def test_a_default_that_is_said_to_be_nothing_is_none():
    vlist = "<vdef><value>any</value></vdef><vlist><velem undef='1'><value>any</value></velem></vlist>"

    assert read_xml(with_parameters(parameter("Choice", vlist))).find_input("p").type.default is None


def test_each_of_several_choices_adds_its_own_format():
    def felem(value, code):
        return f"<felem><value>{value}</value><code proglang='python'>{code}</code></felem>"

    flist = f"<flist>{felem('a', chr(39) + ' -a' + chr(39))}{felem('b c', repr(' -') + ' + value')}</flist>"
    read = read_xml(with_parameters(parameter("MultipleChoice", flist))).find_input("p")

    separator = read.type.separator
    assert separator not in "b c"
    chosen = {name: separator.join(name.split("+")) for name in ("a", "b c", "a+b c")}
    assert {name: read.format.evaluate({"value": value}) for name, value in chosen.items()} == {
        "a": " -a",
        "b c": " -b c",
        "a+b c": " -a -b c",
    }
    assert read.format.evaluate({"value": None}) == ""


def test_formats_of_truths_and_numbers_are_chosen_too():
    def flist(value):
        return f"<flist><felem><value>{value}</value><code proglang='python'>' -x'</code></felem></flist>"

    for class_, value, chosen, other in (("Boolean", "1", True, False), ("Integer", "2", 2, 3)):
        written = read_xml(with_parameters(parameter(class_, flist(value)))).find_input("p").format
        assert (written.evaluate({"value": chosen}), written.evaluate({"value": other})) == (" -x", "")


def test_many_choices_with_formats_are_not_too_many():
    felems = "".join(
        f"<felem><value>{number}</value><code proglang='python'>' -{number}'</code></felem>" for number in range(200)
    )

    written = read_xml(with_parameters(parameter("Choice", f"<flist>{felems}</flist>"))).find_input("p").format

    assert written.evaluate({"value": "199"}) == " -199"


@pytest.mark.parametrize(
    "patterns",
    [
        python("filenames", "'*.png'", "'*.gif' # both"),
        python("filenames", "'*.png'") + python("filenames", "'*.gif'"),
        python("filenames", "('*.png', '*.gif')"),
    ],
)
def test_all_patterns_of_an_output_are_kept(patterns):
    read = read_xml(with_parameters(parameter(None, patterns, name="o", attributes='isout="1"')))
    output = next(each.parameter for each in read.outputs.placed() if each.parameter.name == "o")

    assert output.filenames.evaluate({}) == ("*.png", "*.gif")
    assert [each.evaluate({}) for each in output.filenames.parts()] == ["*.png", "*.gif"]
    assert read_document(as_document(read)) == read


def test_a_scale_and_a_list_of_numbers_say_which_values_are_allowed():
    velems = "<velem undef='1'><value>null</value></velem><velem><value>2</value><label>two</label></velem>"
    read = read_xml(
        with_parameters(
            parameter("Integer", "<scale><min>1</min><max><value>10</value></max></scale>", name="n"),
            parameter("Float", f"<scale>{python('min', '0.5')}{python('max', 'n * 2')}</scale>", name="f"),
            parameter("Integer", f"<vlist>{velems}<velem><value>-3</value></velem></vlist>", name="c"),
        )
    )

    assert read.find_input("n").type == IntegerType(None, 1, 10)
    assert read.find_input("f").type == FloatType(None, 0.5)
    (largest,) = read.find_input("f").ctrls
    assert [largest.test.holds({"value": value, "n": 2}) for value in (4.0, 4.1)] == [True, False]
    (listed,) = read.find_input("c").ctrls
    assert listed.message == "It must be one of 2 (two), -3."
    assert [listed.test.holds({"value": value}) for value in (2, -3, 5)] == [True, True, False]
    assert not read.warnings
    assert read_document(as_document(read)) == read


def test_what_is_not_in_python_is_left_out_with_a_warning():
    perl = "<code proglang='perl'>$p</code>"
    read = read_xml(
        with_parameters(
            parameter(
                "Integer",
                *(f"<{each}>{perl}</{each}>" for each in ("precond", "format", "ctrl")),
                f"<scale><min>{perl}</min><max><value>1</value></max></scale>",
                "<vdef><code proglang='python'>1</code></vdef>",
            ),
            f"<paragraph><name>all</name><precond>{perl}</precond>",
            f"<parameters>{parameter('String', name='q')}</parameters></paragraph>",
            parameter("String", f"<precond><code>q</code>{perl}</precond><format>{perl}<code/></format>", name="r"),
        )
    )

    places = [each.place for each in read.warnings]
    assert places == ["p.precond", "p.format", "p.ctrl", "p.scale.min", "p.vdef", "all.precond", "r.format"]
    assert read.find_input("r").precond == Condition("q")


@pytest.mark.parametrize(
    ("codes", "condition"),
    [
        ("<code proglang='python'>  </code>", None),
        ("<code proglang='python'>\n a is None\n</code>", Condition({"a": {"#eq": None}})),
        ("<code proglang='python'>a</code><code proglang='python'>b</code>", Condition(["a", "b"])),
        ("<code proglang=''>$a &lt; 1</code><code proglang=''>a &lt; 1</code>", Condition({"a": {"#lt": 1}})),
        ("<code>a &gt;\n 1</code>", Condition({"a": {"#gt": 1}})),
    ],
)
def test_codes_are_read_as_mobyle_did(codes, condition):
    assert (
        read_xml(with_parameters(parameter("String", f"<precond>{codes}</precond>"))).find_input("p").precond
        == condition
    )


def test_a_link_with_an_empty_task_has_none():
    text = """<workflow><head><name>w</name></head><flow><task id="1" service="a"/>
        <link fromTask="" toTask="1" fromParameter="1" toParameter="i"/></flow>
        <parameters><parameter id="1"><name>in</name></parameter></parameters></workflow>"""

    assert read_xml(text).links == (Link("in", "i", None, "1"),)


def test_a_document_type_is_read_over_and_never_fetched():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        place = f"http://127.0.0.1:{listening.getsockname()[1]}/mobyle.dtd"
        read = read_xml(f"<!DOCTYPE program SYSTEM '{place}'>{with_parameters()}")

        assert read.name == "x"
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_xml_in_two_bytes_for_each_character_is_read():
    text = f'<?xml version="1.0" encoding="UTF-16"?>{with_parameters()}'

    for data in (text.encode("utf-16"), b"\xfe\xff" + text.encode("utf-16-be")):
        assert read_description(data).name == "x"


def test_a_workflow_names_its_own_parameters_by_their_ids():
    read = read_xml(WORKFLOW)

    assert isinstance(read, Workflow)
    assert read.tasks[0].values == (TaskValue("output_format", "FASTA"),)
    assert (read.tasks[1].server, read.tasks[1].suspend) == ("elsewhere", True)
    assert read.links == (
        Link("my_sequences", "sequences", None, "align"),
        Link("result", "aligfile", "align", "draw"),
        Link("treefile", "my_tree", "draw", None),
    )


LAUGHS = "<!DOCTYPE p [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {name} '{f'&{before};' * 10}'>" for before, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<program>",
        "<package><name>x</name></package>",
        "<program/>",
        LAUGHS + "]><program><head><name>&g;</name></head></program>",
        "<!DOCTYPE p [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><program><head><name>&x;</name></head></program>",
        "<!DOCTYPE p SYSTEM 'x.dtd' [<!ELEMENT p ANY>]><program><head><name>x</name></head></program>",
        "<!DOCTYPE p SYSTEM 'x.dtd'><program><head><name>&x;</name></head></program>",
        "<?xml version='1.0' encoding='no-such'?><program/>",
        "<program>" * 5000 + "</program>" * 5000,
        "<program>" + "<x/>" * 200_000 + "</program>",
        "<program><head><name>a::b</name></head></program>",
        b"\xff\xff",
    ],
)
def test_hostile_xml_is_refused(text):
    with pytest.raises(BadDescription):
        read_xml(text)
