"""A few services with descriptions of our own, and a workflow of three of them."""

from __future__ import annotations

import pytest

from . import by_hand
from .descriptions import ALIGN, CONSENSUS, FAST_ALIGNMENT, FLOW_JSON, FLOW_XML, GROW, MODEL, NEEDLE, SEARCH
from .laboratory import file
from .programs_here import why_not

ALONE = [
    (
        NEEDLE,
        {"first": file("protein.fa"), "second": file("like.fa"), "open": 12},
        "needle -auto -asequence=protein.fa -bsequence=like.fa -gapopen=12.0 -gapextend=0.5 -outfile=pair.needle",
        "pair.needle",
    ),
    (
        MODEL,
        {"alignment": file("aligned.fa"), "called": "my family"},
        "hmmbuild -n 'my family' model.hmm aligned.fa",
        "model.hmm",
    ),
    (
        FAST_ALIGNMENT,
        {"sequences": file("proteins.fa")},
        "mafft --quiet proteins.fa > aligned.fa",
        "aligned.fa",
    ),
    (
        SEARCH,
        {"bank": file("proteins.fa"), "query": file("like.fa")},
        "makeblastdb -dbtype prot -in proteins.fa -out bank && blastp -db bank -outfmt 6 -query like.fa > found.tsv",
        "found.tsv",
    ),
]
GROWING = (
    "ln -s alignment.phy infile && protdist < protdist.answers && rm infile && mv outfile infile"
    " && neighbor < neighbor.answers && mv outtree grown.nwk"
)


@pytest.mark.parametrize(("description", "inputs", "line", "leaves"), ALONE, ids=[each[-1] for each in ALONE])
def test_a_service_leaves_behind_what_its_program_does(laboratory, tmp_path, description, inputs, line, leaves):
    reason = why_not(line.split()[0])
    if reason:
        pytest.skip(reason)

    job = laboratory.run(laboratory.register(description), inputs)

    code = by_hand.run(line, tmp_path, [each["filename"] for each in inputs.values() if isinstance(each, dict)])

    folder = laboratory.folder(job["id"])
    assert (job["status"], job["exit_code"]) == ("finished", code), job
    assert by_hand.told(laboratory.outputs(job["id"])[leaves], folder) == by_hand.left_in(tmp_path)[leaves]


@pytest.mark.parametrize("workflow", [FLOW_JSON, FLOW_XML], ids=["json", "xml"])
def test_a_workflow_leaves_the_files_of_its_programs_run_by_hand(laboratory, tmp_path, workflow):
    for each in (ALIGN, CONSENSUS, GROW):
        laboratory.register(each)

    job = laboratory.run(laboratory.register(workflow), {"sequences": file("proteins.fa")})

    assert by_hand.run("clustalo --outfmt=phylip -o alignment.phy --infile=proteins.fa", tmp_path, ["proteins.fa"]) == 0
    consensus = "em_cons -auto -outseq=consensus.fa -sequence=alignment.phy -name=family"
    assert by_hand.run(consensus, tmp_path, []) == 0
    answers = {"protdist.answers": "Y\n", "neighbor.answers": "Y\n"}
    assert by_hand.run(GROWING, tmp_path, [], answers) == 0
    assert job["status"] == "finished", job
    assert laboratory.outputs(job["id"]) == {
        name: (tmp_path / name).read_bytes() for name in ("alignment.phy", "consensus.fa", "grown.nwk")
    }
    tasks = laboratory.ada.told(f"/jobs/{job['id']}/subjobs").values()
    assert sorted(task["service"].partition("::")[0] for task in tasks) == ["align", "consensus", "tree"]
    assert {task["status"] for task in tasks} == {"finished"}
