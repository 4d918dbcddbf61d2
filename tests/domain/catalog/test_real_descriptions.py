"""Every real description that is at hand loads, and reads back equal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from fairlead.domain.catalog import Program, as_document, read_json, read_yaml

SERVICES = Path(__file__).parents[4] / "shared" / "mobyle-services"
FILES = sorted(SERVICES.glob("*.yaml"))

pytestmark = pytest.mark.skipif(not FILES, reason="the real descriptions are not here")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_loads_and_reads_back_equal(file):
    read = read_yaml(file.read_bytes())
    document = as_document(read)

    assert isinstance(read, Program)
    assert list(read.inputs.placed())
    assert {"stdout", "stderr"} <= {each.parameter.output_type for each in read.outputs.placed()}
    assert not read.warnings
    assert read_json(json.dumps(document)) == read
    assert read_yaml(yaml.dump(document, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))) == read


def test_all_of_them_are_there():
    assert len(FILES) == 60
