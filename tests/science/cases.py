"""What is each of the real descriptions given, which line would one type for that, and what does it leave behind?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .laboratory import file


@dataclass(frozen=True)
class Case:
    """`answers` are the files from which the program is told what it asks; `leaves` are the outputs to be offered.

    Those that `waver` come out in several ways when the program is run by hand again and again.
    """

    name: str
    inputs: Mapping[str, Any]
    line: str
    leaves: Sequence[str]
    answers: Mapping[str, str] = field(default_factory=dict)
    waver: Sequence[str] = ()

    @property
    def program(self) -> str:
        """The one that does the work: links are made before it."""
        return self.line.rpartition("&& ")[2].split()[0]

    @property
    def files(self) -> list[str]:
        return [each["filename"] for each in self.inputs.values() if isinstance(each, Mapping)]


NO_PROGRAM = {
    "InterProScan_4.7": "not in Debian",
    "SequenceFetcher_1.0": "not in Debian",
    "blast2seqid_1.0": "a script of its authors' own",
    "fastq_box_plot_0.0.13": "not in Debian 12",
    "fastx_nucleotide_distribution_0.0.13": "not in Debian 12",
    "fastx_quality_stats_0.0.13": "not in Debian 12",
    "mfold_3.2": "not in Debian",
    "mspcrunch_2.5": "not in Debian",
}
OTHER_NEEDS = {
    "AbPrimerFinder_1.0": "counts on a shell",
    "bowtie_0.12.7": "reads an index of six files by a name that its authors' site had",
}
CASES = [
    Case(
        "annotateBed_2.15.0",
        {"input_file": file("genes.bed"), "input_other_files": file("peaks.bed"), "output_file": "annotated"},
        "annotateBed -i genes.bed -files peaks.bed > annotated.bed",
        ["annotated.bed"],
    ),
    Case(
        "backtranseq",
        {"sequence": file("protein.fa"), "outfile": "back.fa"},
        "backtranseq -sequence=protein.fa -outfile=back.fa -auto -stdout",
        ["back.fa"],
    ),
    Case(
        "bowtie-build_0.12.7",
        {"ref_seqfile": file("long.fa"), "ebwt_base": "my_bowtie"},
        "bowtie-build long.fa my_bowtie",
        [
            "bowtie-build.out",
            "my_bowtie.1.ebwt",
            "my_bowtie.2.ebwt",
            "my_bowtie.3.ebwt",
            "my_bowtie.4.ebwt",
            "my_bowtie.rev.1.ebwt",
            "my_bowtie.rev.2.ebwt",
        ],
    ),
    Case(
        "cai",
        {"seqall": file("codons.fa")},
        "cai -seqall=codons.fa -outfile=cai.outfile -auto -stdout",
        ["cai.outfile"],
    ),
    Case(
        "chaos",
        {"sequence": file("dna.fa"), "graph": "ps"},
        "chaos -sequence=dna.fa -graph=ps -goutfile=chaos_graph -auto -stdout",
        ["chaos.out", "chaos_graph.ps"],
    ),
    Case(
        "clustalO-multialign",
        {"sequences_input": file("proteins.fa")},
        "clustalo --infile=proteins.fa -v --force --log=clustalO_log",
        ["clustalO-multialign.out", "clustalO_log"],
    ),
    Case(
        "clustalw-multialign",
        {"sequences_input": file("proteins.fa")},
        "clustalw -align -infile=proteins.fa -type=auto",
        ["clustalw-multialign.err", "clustalw-multialign.out", "proteins.aln", "proteins.dnd"],
    ),
    Case(
        "clustalw-sequence",
        {"profile1": file("aligned.aln"), "profile2": file("like.fa")},
        "clustalw -sequences -profile1=aligned.aln -profile2=like.fa -type=auto",
        ["clustalw-sequence.err", "clustalw-sequence.out", "like.aln", "like.dnd"],
    ),
    Case(
        "codonw_1.4.4",
        {"seqfile": file("codons.fa")},
        "codonw -silent -nomenu -nowarn codons.fa codons.fa.indices codons.fa.bulk",
        ["codons.fa.bulk", "codonw.err", "codonw.out"],
    ),
    Case(
        "consense",
        {"infile": file("trees.nwk")},
        "ln -s trees.nwk intree && consense < consense.params",
        ["consense.out"],
        {"consense.params": "T\n3\n4\nY\n"},
    ),
    Case(
        "dnadist",
        {"infile": file("dnas.phy")},
        "ln -s dnas.phy infile && dnadist < dnadist.params",
        ["dnadist.out"],
        {"dnadist.params": "0\nF\n0.25 0.25 0.25 0.25\ny\n", "seqboot.params": ""},
    ),
    Case(
        "dotpath",
        {"asequence": file("dna.fa"), "bsequence": file("other.fa"), "graph": "ps"},
        "dotpath -asequence=dna.fa -bsequence=other.fa -noboxit -graph=ps -goutfile=dotpath_graph -auto -stdout",
        ["dotpath.out", "dotpath_graph.ps"],
    ),
    Case(
        "drawgram",
        {"treefile": file("tree.nwk")},
        "ln -s tree.nwk intree && drawgram < drawgram.params",
        ["drawgram.out"],
        {"drawgram.params": "0\nV\nN\nB\nY\n"},
    ),
    Case(
        "dreg",
        {"sequence": file("dna.fa"), "pattern": file("regular.pat")},
        "dreg -sequence=dna.fa -pattern=@regular.pat -outfile=dreg.report -auto -stdout",
        ["dreg.report"],
    ),
    Case(
        "edialign",
        {"sequences": file("dnas.fa")},
        "edialign -sequences=dnas.fa -outfile=edialign.outfile -outseq=edialign.outseq -auto -stdout",
        ["edialign.outfile", "edialign.outseq"],
    ),
    Case(
        "einverted",
        {"sequence": file("dna.fa")},
        "einverted -sequence=dna.fa -outfile=outfile.inv -outseq=einverted.outseq -auto -stdout",
        ["einverted.outseq", "outfile.inv"],
    ),
    Case(
        "emowse",
        {"sequence": file("proteins.fa"), "infile": file("weights.txt")},
        "emowse -sequence=proteins.fa -infile=weights.txt -outfile=emowse.outfile -auto -stdout",
        ["emowse.outfile"],
    ),
    Case(
        "eprimer3",
        {"sequence": file("long.fa"), "primer": True},
        "eprimer3 -sequence=long.fa -outfile=eprimer3.outfile -auto -stdout",
        ["eprimer3.err", "eprimer3.outfile"],
    ),
    Case(
        "etandem",
        {"sequence": file("tandem.fa"), "maxrepeat": 15},
        "etandem -sequence=tandem.fa -maxrepeat=15 -outfile=report.tan -origfile=outfile.oldtan -auto -stdout",
        ["outfile.oldtan", "report.tan"],
    ),
    Case(
        "fuzznuc",
        {"sequence": file("dna.fa"), "pattern": file("pattern.pat")},
        "fuzznuc -sequence=dna.fa -pattern=@pattern.pat -outfile=fuzznuc.report -auto -stdout",
        ["fuzznuc.report"],
    ),
    Case(
        "fuzztran",
        {"sequence": file("dna.fa"), "pattern": file("amino.pat")},
        "fuzztran -sequence=dna.fa -pattern=@amino.pat -outfile=fuzztran.report -auto -stdout",
        ["fuzztran.report"],
    ),
    Case(
        "getorf",
        {"sequence": file("dna.fa"), "outseq": "orfs.fa"},
        "getorf -sequence=dna.fa -nomethionine -noreverse -outseq=orfs.fa -auto -stdout",
        ["orfs.fa"],
    ),
    Case(
        "hmmbuild",
        {"alignfile": file("aligned.fa"), "hmmname": "family"},
        "hmmbuild -n family aligned.fa.hmm aligned.fa",
        ["aligned.fa.hmm", "hmmbuild.out"],
    ),
    Case(
        "hmmemit",
        {"hmmfile": file("family.hmm"), "seed": 42},
        "hmmemit --seed 42 family.hmm",
        ["hmmemit.out"],
    ),
    Case(
        "isochore",
        {"sequence": file("long.fa")},
        "isochore -sequence=long.fa -outfile=outfile.iso -graph=png -goutfile=isochore_xygraph -auto -stdout",
        ["isochore.out", "isochore_xygraph.1.png", "outfile.iso"],
    ),
    Case(
        "makeblastdb",
        {"input_file": file("dnas.fa")},
        "makeblastdb -in dnas.fa -dbtype nucl",
        ["dnas.fa.nhr", "dnas.fa.nin", "dnas.fa.nsq", "makeblastdb.out"],
    ),
    Case(
        "maskfeat",
        {"sequence": file("features.embl")},
        "maskfeat -sequence=features.embl -outseq=maskfeat.outseq -auto -stdout",
        ["maskfeat.outseq"],
    ),
    Case(
        "matcher",
        {"asequence": file("dna.fa"), "bsequence": file("other.fa")},
        "matcher -asequence=dna.fa -bsequence=other.fa -outfile=matcher.align -auto -stdout",
        ["matcher.align"],
    ),
    Case(
        "merger",
        {"asequence": file("dna.fa"), "bsequence": file("end.fa")},
        "merger -asequence=dna.fa -bsequence=end.fa -outfile=merger.align -outseq=merger.outseq -auto -stdout",
        ["merger.align", "merger.outseq"],
    ),
    Case(
        "needle",
        {"asequence": file("dna.fa"), "bsequence": file("other.fa"), "gapopen": 10, "gapextend": 0.5},
        "needle -asequence=dna.fa -bsequence=other.fa -gapopen=10.0 -gapextend=0.5 -nobrief -outfile=needle.align"
        " -auto -stdout",
        ["needle.align"],
    ),
    Case(
        "nthseq",
        {"sequence": file("dnas.fa"), "number": 2},
        "nthseq -sequence=dnas.fa -number=2 -outseq=nthseq.outseq -auto -stdout",
        ["nthseq.outseq"],
    ),
    Case(
        "palindrome",
        {"sequence": file("dna.fa")},
        "palindrome -sequence=dna.fa -outfile=outfile.pal -nooverlap -auto -stdout",
        ["outfile.pal"],
    ),
    Case(
        "pepstats",
        {"sequence": file("protein.fa")},
        "pepstats -sequence=protein.fa -notermini -outfile=pepstats.outfile -auto -stdout",
        ["pepstats.outfile"],
    ),
    Case(
        "plotorf",
        {"sequence": file("dna.fa")},
        "plotorf -sequence=dna.fa -graph=png -goutfile=plotorf_xygraph -auto -stdout",
        ["plotorf.out", "plotorf_xygraph.1.png"],
    ),
    Case(
        "protdist",
        {"infile": file("proteins.phy")},
        "ln -s proteins.phy infile && protdist < protdist.params",
        ["protdist.out"],
        {"seqboot.params": "", "protdist.params": "0\nY\n"},
    ),
    Case(
        "revseq",
        {"sequence": file("dna.fa")},
        "revseq -sequence=dna.fa -noreverse -nocomplement -outseq=outseq.rev -auto -stdout",
        ["outseq.rev"],
    ),
    Case(
        "seqret",
        {"sequence": file("dna.fa")},
        "seqret -sequence=dna.fa -outseq=seqret.outseq -auto -stdout",
        ["seqret.outseq"],
    ),
    Case(
        "seqretsetall",
        {"sequence": file("proteins.fa")},
        "seqretsetall -sequence=proteins.fa -outseq=seqretsetall.outseq -auto -stdout",
        ["seqretsetall.outseq"],
    ),
    Case(
        "showalign",
        {"sequence": file("aligned.fa")},
        "showalign -sequence=aligned.fa -nobottom -nosimilarcase -noconsensus -nonumber -noruler -nogaps"
        " -outfile=showalign.outfile -auto -stdout",
        ["showalign.outfile"],
    ),
    Case(
        "showorf",
        {"sequence": file("dna.fa"), "frames": "6"},
        "showorf -sequence=dna.fa -frames=6 -outfile=showorf.outfile -noruler -noplabel -nonlabel -auto -stdout",
        ["showorf.outfile"],
    ),
    Case(
        "sirna",
        {"sequence": file("long.fa")},
        "sirna -sequence=long.fa -nopolybase -outfile=sirna.report -outseq=sirna.outseq -auto -stdout",
        ["sirna.outseq", "sirna.report"],
    ),
    Case(
        "squizz_checker_0.99",
        {"infile": file("dna.fa")},
        "squizz dna.fa",
        ["squizz_checker.err"],
    ),
    Case(
        "stretcher",
        {"asequence": file("dna.fa"), "bsequence": file("other.fa")},
        "stretcher -asequence=dna.fa -bsequence=other.fa -outfile=stretcher.align -auto -stdout",
        ["stretcher.align"],
    ),
    Case(
        "stssearch",
        {"seqall": file("dna.fa"), "infile": file("sts.txt")},
        "stssearch -seqall=dna.fa -infile=sts.txt -outfile=stssearch.outfile -auto -stdout",
        ["stssearch.outfile"],
    ),
    Case(
        "tmap",
        {"sequences": file("membrane.fa")},
        "tmap -sequences=membrane.fa -graph=png -goutfile=tmap_xygraph -outfile=tmap.report -auto -stdout",
        ["tmap.out", "tmap.report", "tmap_xygraph.1.png"],
        waver=["tmap.report", "tmap_xygraph.1.png"],
    ),
    Case(
        "transeq",
        {"sequence": file("dna.fa"), "outseq": "protein.pep"},
        "transeq -sequence=dna.fa -outseq=protein.pep -auto -stdout",
        ["protein.pep"],
    ),
    Case(
        "twofeat",
        {"sequence": file("features.embl"), "atype": "CDS", "btype": "repeat_region", "minrange": 0, "maxrange": 200},
        "twofeat -sequence=features.embl -atype=CDS -btype=repeat_region -maxrange=200 -outfile=twofeat.report"
        " -auto -stdout",
        ["twofeat.report"],
    ),
    Case(
        "union",
        {"sequence": file("dnas.fa")},
        "union -sequence=dnas.fa -outseq=union.outseq -overlapfile=outfile.overlaps -auto -stdout",
        ["union.outseq"],
    ),
    Case(
        "water",
        {"asequence": file("dna.fa"), "bsequence": file("other.fa"), "gapopen": 10, "gapextend": 0.5},
        "water -asequence=dna.fa -bsequence=other.fa -gapopen=10.0 -gapextend=0.5 -nobrief -outfile=water.align"
        " -auto -stdout",
        ["water.align"],
    ),
    Case(
        "wordmatch",
        {"asequence": file("dna.fa"), "bsequence": file("other.fa")},
        "wordmatch -asequence=dna.fa -bsequence=other.fa -nodumpalign -outfile=wordmatch.align"
        " -logfile=wordmatch.logfile -nodumpfeat -aoutfeat=wordmatch.aoutfeat -boutfeat=wordmatch.boutfeat -auto"
        " -stdout",
        ["wordmatch.err", "wordmatch.logfile"],
    ),
]
OTHER_INPUTS: Mapping[str, Mapping[str, Any]] = {
    "InterProScan_4.7": {"query_seq": file("protein.fa")},
    "SequenceFetcher_1.0": {},
    "blast2seqid_1.0": {},
    "fastq_box_plot_0.0.13": {},
    "fastx_nucleotide_distribution_0.0.13": {},
    "fastx_quality_stats_0.0.13": {"input_fastx": file("reads.fq")},
    "mfold_3.2": {"SEQ": file("dna.fa")},
    "mspcrunch_2.5": {},
    "AbPrimerFinder_1.0": {"aafile": file("protein.fa"), "ntfile": file("dna.fa")},
    "bowtie_0.12.7": {"first_files": file("reads.fq")},
}
"""What must be given to those that are not run for their results."""
