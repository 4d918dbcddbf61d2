"""Which service does an XML file of Mobyle 1 describe?"""

from __future__ import annotations

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
    Workflow,
    read_xml,
)

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


def test_an_include_that_nobody_gave_is_left_out():
    assert read_xml(PROGRAM.encode("iso-8859-1")).package is None


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
        "<!DOCTYPE p SYSTEM 'http://127.0.0.1:9/x.dtd'><program><head><name>x</name></head></program>",
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


def test_a_file_that_is_included_from_outside_is_not_read():
    text = """<program xmlns:xi="http://www.w3.org/2001/XInclude"><head><name>x</name>
        <doc><title><xi:include href="/etc/passwd" parse="text"/></title></doc></head></program>"""

    assert not read_xml(text).title
