"""Descriptions of our own, for what must be seen also where the real ones are not."""

from __future__ import annotations

import json
from typing import Any

SEQUENCE, ALIGNMENT, TREE, REPORT = "EDAM_data:2044", "EDAM_data:0863", "EDAM_data:0872", "EDAM_data:2048"


def takes(name: str, format: str, term: str = SEQUENCE, **more: Any) -> dict[str, Any]:
    """A file that is needed."""
    type_ = {"_type": "FormattedType", "data_terms": [term]}
    return {
        "_type": "InputProgramParameter",
        "name": name,
        "mandatory": True,
        "format": format,
        "argpos": 1,
        "type": type_,
    } | more


def text(name: str, format: str, **more: Any) -> dict[str, Any]:
    """What somebody may write as they like."""
    return {
        "_type": "InputProgramParameter",
        "name": name,
        "format": format,
        "argpos": 2,
        "type": {"_type": "StringType"},
    } | more


def number(name: str, format: str, default: float) -> dict[str, Any]:
    return text(name, format, type={"_type": "FloatType", "default": default, "min": 0, "max": 100})


def answers(file: str, words: str) -> dict[str, Any]:
    """What a program that asks is answered, always the same."""
    hidden = {"hidden": True, "paramfile": file, "type": {"_type": "StringType"}}
    return text(f"answers to {file}", repr(words), **hidden)


def goes_on(words: str) -> dict[str, Any]:
    """The end of the line, always the same."""
    return text("rest", repr(words), argpos=100, hidden=True)


def leaves(name: str, pattern: str, term: str = REPORT) -> dict[str, Any]:
    return {
        "_type": "OutputProgramParameter",
        "name": name,
        "filenames": repr(pattern),
        "output_type": "file",
        "type": {"_type": "FormattedType", "data_terms": [term]},
    }


def program(name: str, command: str, inputs: list[dict[str, Any]], *outputs: dict[str, Any]) -> bytes:
    said = {"_type": "Program", "name": name, "version": "1.0", "command": command}
    return json.dumps(said | {"inputs": inputs, "outputs": list(outputs)}).encode()


NEEDLE = program(
    "own-needle",
    "needle -auto",
    [
        takes("first", '" -asequence=" + str(value)'),
        takes("second", '" -bsequence=" + str(value)'),
        number("open", '" -gapopen=" + str(value)', 10),
        number("extend", '" -gapextend=" + str(value)', 0.5),
        goes_on(" -outfile=pair.needle"),
    ],
    leaves("pair", "*.needle", ALIGNMENT),
)
MODEL = program(
    "own-hmmbuild",
    "hmmbuild",
    [
        text("called", '("", " -n " + str(value))[value is not None]', argpos=1),
        takes("alignment", '" model.hmm " + str(value)', ALIGNMENT, argpos=2),
    ],
    leaves("model", "*.hmm"),
)
FAST_ALIGNMENT = program(
    "own-mafft",
    "mafft --quiet",
    [takes("sequences", '" " + str(value) + " > aligned.fa"')],
    leaves("aligned", "aligned.fa", ALIGNMENT),
)
SEARCH = program(
    "own-search",
    "makeblastdb -dbtype prot",
    [
        takes("bank", '" -in " + str(value) + " -out bank"'),
        takes("query", '" && blastp -db bank -outfmt 6 -query " + str(value) + " > found.tsv"', argpos=2),
    ],
    leaves("found", "*.tsv"),
)
ALIGN = program(
    "align",
    "clustalo --outfmt=phylip -o alignment.phy",
    [takes("sequences", '" --infile=" + str(value)')],
    leaves("alignment", "alignment.phy", ALIGNMENT),
)
CONSENSUS = program(
    "consensus",
    "em_cons -auto -outseq=consensus.fa",
    [
        takes("alignment", '" -sequence=" + str(value)', ALIGNMENT),
        text("called", '("", " -name=" + str(value))[value is not None]'),
    ],
    leaves("sequence", "consensus.fa", SEQUENCE),
)
GROW = program(
    "tree",
    "ln -s",
    [
        takes("alignment", '" " + str(value) + " infile"', ALIGNMENT),
        answers("protdist.answers", "Y\n"),
        answers("neighbor.answers", "Y\n"),
        goes_on(
            " && protdist < protdist.answers && rm infile && mv outfile infile"
            " && neighbor < neighbor.answers && mv outtree grown.nwk"
        ),
    ],
    leaves("tree", "*.nwk", TREE),
)

_INPUT = {
    "_type": "InputParameter",
    "name": "sequences",
    "mandatory": True,
    "type": {"_type": "FormattedType", "data_terms": [SEQUENCE]},
}
_TO_BE_LEFT = {"alignment": ALIGNMENT, "consensus": SEQUENCE, "tree": TREE}
FLOW_JSON = json.dumps(
    {
        "_type": "Workflow",
        "name": "flow-json",
        "version": "1.0",
        "inputs": [_INPUT],
        "outputs": [
            {"_type": "OutputParameter", "name": name, "type": {"_type": "FormattedType", "data_terms": [term]}}
            for name, term in _TO_BE_LEFT.items()
        ],
        "tasks": [
            {"id": "t", "service": "tree"},
            {"id": "c", "service": "consensus", "values": [{"name": "called", "value": "family"}]},
            {"id": "a", "service": "align"},
        ],
        "links": [
            {"from_parameter": "sequences", "to_task": "a", "to_parameter": "sequences"},
            {"from_task": "a", "from_parameter": "alignment", "to_task": "c", "to_parameter": "alignment"},
            {"from_task": "a", "from_parameter": "alignment", "to_task": "t", "to_parameter": "alignment"},
            {"from_task": "a", "from_parameter": "alignment", "to_parameter": "alignment"},
            {"from_task": "c", "from_parameter": "sequence", "to_parameter": "consensus"},
            {"from_task": "t", "from_parameter": "tree", "to_parameter": "tree"},
        ],
    }
).encode()
FLOW_XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<workflow>
  <head><name>flow-xml</name><version>1.0</version><doc><title>Alignment, consensus and tree</title></doc></head>
  <flow>
    <task id="1" service="align"/>
    <task id="2" service="consensus"><inputValue name="called">family</inputValue></task>
    <task id="3" service="tree"/>
    <link toTask="1" fromParameter="1" toParameter="sequences"/>
    <link fromTask="1" toTask="2" fromParameter="alignment" toParameter="alignment"/>
    <link fromTask="1" toTask="3" fromParameter="alignment" toParameter="alignment"/>
    <link fromTask="1" fromParameter="alignment" toParameter="2"/>
    <link fromTask="2" fromParameter="sequence" toParameter="3"/>
    <link fromTask="3" fromParameter="tree" toParameter="4"/>
  </flow>
  <parameters>
    <parameter id="1" ismandatory="1">
      <name>sequences</name><type><datatype><class>Sequence</class></datatype></type>
    </parameter>
    <parameter id="2" isout="1">
      <name>alignment</name><type><datatype><class>Alignment</class></datatype></type>
    </parameter>
    <parameter id="3" isout="1">
      <name>consensus</name><type><datatype><class>Sequence</class></datatype></type>
    </parameter>
    <parameter id="4" isout="1"><name>tree</name><type><datatype><class>Tree</class></datatype></type></parameter>
  </parameters>
</workflow>
"""
