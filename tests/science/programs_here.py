"""Are the programs that services run on this machine, and may they be fetched?"""

from __future__ import annotations

import os
import shutil

from fairlead.domain.jobs.execution.sandboxes import way_of_running
from house.debian import fetch

PHYLIP = "/usr/lib/phylip/bin"
PATH = f"/usr/local/bin:/usr/bin:/bin:{PHYLIP}"
PROGRAMS = {
    "needle": "emboss",
    "clustalo": "clustalo",
    "clustalw": "clustalw",
    "mafft": "mafft",
    "hmmbuild": "hmmer",
    "neighbor": "phylip",
    "makeblastdb": "ncbi-blast+",
    "bowtie-build": "bowtie",
    "annotateBed": "bedtools",
    "codonw": "codonw",
    "primer3_core": "primer3",
    "squizz": "squizz",
    "bwrap": "bubblewrap",
}
"""A program of each package. EMBOSS runs `primer3_core`, jobs are kept apart by `bwrap`."""
_NEEDED = {"needle", "clustalo", "clustalw", "mafft", "hmmbuild", "neighbor", "makeblastdb"}


WALKS_TO_ITS_FOLDER = {"mafft", "makeblastdb"}
"""By its whole path, on which a job of root that has no sandbox is not let through."""


def is_here(program: str) -> bool:
    return shutil.which(program, path=PATH) is not None


def why_not(program: str) -> str | None:
    """The reason why a job cannot run it on this machine."""
    if not is_here(program):
        return f"there is no {program} here"
    if program in WALKS_TO_ITS_FOLDER and os.geteuid() == 0 and not way_of_running().sandbox:
        return f"{program} walks to its folder, which root's jobs can only in a sandbox"
    return None


def make_ready() -> str | None:
    """Fetch what is missing; the answer is the reason why no program can be run, if there is one."""
    missing = _missing()
    reason = fetch(*(PROGRAMS[each] for each in missing)) if missing else ""
    still = [each for each in _missing() if each in _NEEDED]
    return f"{', '.join(still)} cannot be run here: {reason}" if still else None


def _missing() -> list[str]:
    return [each for each in PROGRAMS if not is_here(each)]
