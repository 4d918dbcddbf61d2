"""Which term of EDAM is a kind of which?"""

from __future__ import annotations

import pytest

from fairlead.domain.catalog import ArrayType, FormattedType, StringType, accepts, canonical, find_term, is_a, tree

SEQUENCE, PROTEIN, ALIGNMENT = "EDAM_data:2044", "EDAM_data:2976", "EDAM_data:0863"
FASTA, FASTA_LIKE, CLUSTAL = "EDAM_format:1929", "EDAM_format:2200", "EDAM_format:1982"


@pytest.mark.parametrize(
    "written",
    ["EDAM_data:2044", "http://edamontology.org/data_2044", "data_2044", "EDAM:data_2044", " EDAM_data:2044 "],
)
def test_an_id_is_known_in_all_its_spellings(written):
    assert canonical(written) == SEQUENCE
    assert find_term(written).name == "Sequence"


@pytest.mark.parametrize("written", ["", "EDAM_data:1", "EDAM_thing:0001", "http://evil.example/data_2044"])
def test_what_is_no_id_is_none(written):
    assert canonical(written) is None
    assert find_term(written) is None
    assert not is_a(written, written)


def test_a_term_is_a_kind_of_itself_and_of_what_is_above_it():
    assert is_a(PROTEIN, SEQUENCE)
    assert is_a(PROTEIN, PROTEIN)
    assert is_a(FASTA, FASTA_LIKE)
    assert not is_a(SEQUENCE, PROTEIN)
    assert not is_a(ALIGNMENT, SEQUENCE)


def test_a_term_has_a_definition():
    assert "protein sequences" in find_term(PROTEIN).definition


@pytest.mark.parametrize(("branch", "root"), [("topic", "EDAM_topic:0003"), ("operation", "EDAM_operation:0004")])
def test_a_branch_is_a_tree_of_terms_in_use(branch, root):
    def all_of(branching):
        yield branching.term
        for child in branching.children:
            yield from all_of(child)

    terms = list(all_of(tree(branch)))

    assert terms[0].id == root
    assert len({term.id for term in terms}) > 200
    assert not any(term.obsolete for term in terms)


@pytest.mark.parametrize(
    ("type_", "data", "formats", "accepted"),
    [
        (FormattedType(data_terms=(SEQUENCE,)), [PROTEIN], [], True),
        (FormattedType(data_terms=(PROTEIN,)), [SEQUENCE], [], False),
        (FormattedType(data_terms=(PROTEIN, ALIGNMENT)), [ALIGNMENT], [], True),
        (FormattedType(data_terms=(SEQUENCE,)), [], [], True),
        (FormattedType(), [ALIGNMENT], [CLUSTAL], True),
        (FormattedType(data_terms=(SEQUENCE,), format_terms=(FASTA_LIKE,)), [PROTEIN], [FASTA], True),
        (FormattedType(data_terms=(SEQUENCE,), format_terms=(FASTA_LIKE,)), [PROTEIN], [CLUSTAL], False),
        (ArrayType(FormattedType(data_terms=(SEQUENCE,))), [PROTEIN], [], True),
        (StringType(), [PROTEIN], [], False),
        (None, [PROTEIN], [], True),
    ],
)
def test_data_is_accepted_where_it_is_a_kind_of_what_is_asked_for(type_, data, formats, accepted):
    assert accepts(type_, data, formats) is accepted
