"""What do the words of Mobyle 1 mean in EDAM?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SIMPLE: Mapping[str, str] = {
    "Integer": "IntegerType",
    "Float": "FloatType",
    "Boolean": "BooleanType",
    "String": "StringType",
    "Choice": "StringType",
    "Filename": "StringType",
}
"""Every other class is a file, but for `MultipleChoice`."""

_DATA: Mapping[str, str] = {
    "Sequence": "EDAM_data:2044",
    "Alignment": "EDAM_data:0863",
    "DistanceMatrix": "EDAM_data:0870",
    "PhylipDistanceMatrix": "EDAM_data:0870",
    "Tree": "EDAM_data:0872",
    "BlastTextReport": "EDAM_data:0857",
    "Report": "EDAM_data:2048",
}
_DATA_OF_KIND: Mapping[tuple[str, str], str] = {
    ("Sequence", "Protein"): "EDAM_data:2976",
    ("Sequence", "DNA"): "EDAM_data:2977",
    ("Sequence", "Nucleic"): "EDAM_data:2977",
    ("Alignment", "Protein"): "EDAM_data:1384",
    ("Alignment", "DNA"): "EDAM_data:1383",
    ("Alignment", "Nucleic"): "EDAM_data:1383",
}
_FORMAT_OF_CLASS: Mapping[str, str] = {"BlastTextReport": "EDAM_format:1333", "Report": "EDAM_format:1964"}
_FORMATS: Mapping[str, str] = {
    "ACE": "3001",
    "BLC": "3313",
    "CLUSTAL": "1982",
    "CT": "3309",
    "EMBL": "1927",
    "FASTA": "2200",
    "GCG": "1935",
    "GDE": "3312",
    "GENBANK": "1936",
    "GFF": "2305",
    "IG": "1942",
    "MARKX0": "1985",
    "MARKX1": "1986",
    "MARKX10": "1987",
    "MARKX2": "1988",
    "MARKX3": "1989",
    "MATCH": "1990",
    "MEGA": "1991",
    "MSF": "1993",
    "MULTIPLE": "2001",
    "NBRF": "1948",
    "NEWICK": "1910",
    "NEXUS": "1912",
    "PAIR": "1996",
    "PDB": "1476",
    "PHYLIPI": "1955",
    "PHYLIPS": "1956",
    "PHYLOXML": "3159",
    "PIR": "1948",
    "RAW": "1957",
    "RNAML": "3311",
    "SCORE": "1999",
    "SELEX": "2000",
    "SIMPLE": "2001",
    "SRS": "2002",
    "SRSPAIR": "2003",
    "SS": "3310",
    "STOCKHOLM": "1961",
    "SWISSPROT": "2188",
    "UNIPROT": "2188",
    "UNKNOWN": "2001",
}


def data_terms(classes: Iterable[str], biotypes: Iterable[str]) -> tuple[str, ...]:
    """The term of the first class that is known; with a single biotype the narrower one."""
    kinds = tuple(biotypes)
    for each in classes:
        narrow = _DATA_OF_KIND.get((each, kinds[0])) if len(kinds) == 1 else None
        term = narrow or _DATA.get(each)
        if term:
            return (term,)
    return ()


def format_terms(classes: Iterable[str], formats: Iterable[str]) -> tuple[str, ...]:
    named = [_FORMATS[each.strip().upper()] for each in formats if each.strip().upper() in _FORMATS]
    implied = [_FORMAT_OF_CLASS[each] for each in classes if each in _FORMAT_OF_CLASS]
    return tuple(dict.fromkeys([f"EDAM_format:{each}" for each in named] or implied))
