"""What the programs are given: made up, the same each time, and enough for each to find something in it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

_AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
_STEM = "GGCATGCCTTAGACGTAC"


def _random(letters: str, length: int, seed: int) -> str:
    return "".join(random.Random(seed).choices(letters, k=length))


def _changed(text: str, letters: str, share: float, seed: int) -> str:
    chance = random.Random(seed)
    return "".join(chance.choice(letters) if chance.random() < share else each for each in text)


def _reverse(dna: str) -> str:
    return dna[::-1].translate(str.maketrans("ACGT", "TGCA"))


def _fasta(**sequences: str) -> str:
    return "".join(f">{name}\n{_lines(text)}" for name, text in sequences.items())


def _lines(text: str) -> str:
    return "".join(f"{text[at : at + 60]}\n" for at in range(0, len(text), 60))


def _phylip(sequences: Mapping[str, str]) -> str:
    length = len(next(iter(sequences.values())))
    return f" {len(sequences)} {length}\n" + "".join(f"{name:<10}{text}\n" for name, text in sequences.items())


def _family(letters: str, length: int, seed: int, names: Sequence[str]) -> dict[str, str]:
    first = _random(letters, length, seed)
    return {name: _changed(first, letters, 0.08 * at, seed + at) for at, name in enumerate(names)}


_DNA = "ATG" + _random("ACGT", 300, 1) + _STEM * 3 + "AATTCC" + _reverse(_STEM * 3) + _random("ACGT", 200, 2) + "TAA"
_DNAS = _family("ACGT", 120, 3, ("alpha", "beta", "gamma", "delta", "epsilon"))
_PROTEINS = _family(_AMINO_ACIDS, 90, 4, ("one", "two", "three", "four", "five"))
_CODONS = "ATG" + "GCTGAAACCGATTTAAAGGTTCAC" * 20 + "TAA"
_BAND = "VLLIAGVFLLAGIVLLFAVIL"
_MEMBRANE = {"outer": f"MKRDE{_BAND}KRDENQSTRK{_BAND}DEKRN", "inner": f"MKRDD{_BAND}KRDEQQSTRK{_BAND}DEKRN"}


def _embl(dna: str) -> str:
    """With features at known places."""
    features = "FT   CDS             1..90\nFT   repeat_region   100..140\nFT   repeat_region   200..260\n"
    rows = "".join(f"     {dna[at : at + 60].lower()} {min(at + 60, len(dna))}\n" for at in range(0, len(dna), 60))
    head = f"ID   made; SV 1; linear; DNA; STD; SYN; {len(dna)} BP.\nXX\nAC   made;\nXX\nFH   Key\nFH\n"
    return f"{head}{features}XX\nSQ   Sequence {len(dna)} BP;\n{rows}//\n"


INPUTS: Mapping[str, str] = {
    "dna.fa": _fasta(dna=_DNA),
    "other.fa": _fasta(other=_changed(_DNA, "ACGT", 0.1, 9)),
    "end.fa": _fasta(end=_DNA[-150:] + _random("ACGT", 200, 11)),
    "dnas.fa": _fasta(**_DNAS),
    "dnas.phy": _phylip(_DNAS),
    "codons.fa": _fasta(codons=_CODONS),
    "tandem.fa": _fasta(tandem=_random("ACGT", 60, 5) + "ACGGTCATTGCC" * 8 + _random("ACGT", 60, 6)),
    "long.fa": _fasta(long=_random("ACGT", 2500, 12)),
    "features.embl": _embl(_DNA),
    "protein.fa": _fasta(protein=_PROTEINS["one"]),
    "like.fa": _fasta(like=_PROTEINS["two"]),
    "proteins.fa": _fasta(**_PROTEINS),
    "proteins.phy": _phylip(_PROTEINS),
    "aligned.fa": _fasta(**_PROTEINS),
    "membrane.fa": _fasta(**_MEMBRANE),
    "aligned.aln": "CLUSTAL W (1.83) multiple sequence alignment\n\n\n"
    + "".join(f"{name:<16}{text[:60]}\n" for name, text in _PROTEINS.items())
    + "\n\n"
    + "".join(f"{name:<16}{text[60:]}\n" for name, text in _PROTEINS.items()),
    "tree.nwk": "((alpha:0.1,beta:0.2):0.05,(gamma:0.3,delta:0.1):0.1,epsilon:0.2);\n",
    "trees.nwk": "((alpha,beta),(gamma,delta),epsilon);\n((alpha,gamma),(beta,delta),epsilon);\n"
    "((alpha,beta),(gamma,epsilon),delta);\n",
    "pattern.pat": ">first\nAC[GT]N\n>second\nGGCATG\n",
    "amino.pat": ">first\nA-x-L\n>second\nS\n",
    "regular.pat": ">first\nGGC[AT]TG\n",
    "weights.txt": "".join(f"{weight}\n" for weight in (500.3, 713.4, 845.5, 1021.6, 1310.2)),
    "sts.txt": f"made {_DNA[10:28]} {_reverse(_DNA[200:218])}\n",
    "genes.bed": "chr1\t100\t200\tgene\t0\t+\nchr1\t400\t900\tgene\t0\t-\n",
    "peaks.bed": "chr1\t150\t450\n",
    "reads.fq": "".join(f"@read{at}\n{_DNA[at : at + 30]}\n+\n{'I' * 30}\n" for at in range(0, 120, 20)),
}
