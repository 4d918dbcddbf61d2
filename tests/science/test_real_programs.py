"""The real descriptions run Debian's programs, and leave behind what those do when they are run by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import by_hand
from .cases import CASES, NO_PROGRAM, OTHER_NEEDS
from .laboratory import Laboratory
from .programs_here import why_not

SERVICES = Path(__file__).parents[3] / "shared" / "mobyle-services"
FILES = {file.stem: file for file in sorted(SERVICES.glob("*.yaml"))}

pytestmark = pytest.mark.skipif(not FILES, reason="the real descriptions are not here")


@pytest.fixture(scope="module")
def jobs(laboratory: Laboratory) -> dict[str, dict]:
    """All that can be run, submitted at once; each when all have ended."""
    services = {name: laboratory.register(file.read_bytes()) for name, file in FILES.items()}
    submitted = {
        laboratory.submit(services[case.name], case.inputs): case.name
        for case in CASES
        if why_not(case.program) is None
    }
    return {submitted[job]: told | {"id": job} for job, told in laboratory.wait(submitted).items()}


def test_of_every_description_it_is_known_whether_it_runs_here():
    known = [*(case.name for case in CASES), *NO_PROGRAM, *OTHER_NEEDS]

    assert sorted(known) == sorted(FILES)
    assert len(CASES) == 50


def test_what_a_description_forgets_is_offered_as_well(laboratory, jobs):
    """The import of phylip's descriptions lost where the distances go."""
    if "dnadist" not in jobs:
        pytest.skip(why_not("neighbor"))

    told = laboratory.ada.told(f"/jobs/{jobs['dnadist']['id']}/outputs/")

    assert [each["name"] for each in told["other_files"]] == ["outfile"]
    assert b"0.0000" in laboratory.output(jobs["dnadist"]["id"], "other_files", 0)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_program_does_what_it_does_when_it_is_run_by_hand(laboratory, jobs, tmp_path, case):
    if case.name not in jobs:
        pytest.skip(why_not(case.program))
    job = jobs[case.name]
    service = job["service"].partition("::")[0]

    code = by_hand.run(case.line, tmp_path, case.files, case.answers, service)

    assert (job["status"], job["exit_code"]) == ("finished", code), job
    folder = laboratory.folder(job["id"])
    expected, left = by_hand.left_in(tmp_path), by_hand.left_in(folder)
    offered = {name: by_hand.told(data, folder) for name, data in laboratory.outputs(job["id"]).items()}
    assert left.keys() == expected.keys()
    assert set(case.leaves) <= set(offered)
    assert offered == {name: left[name] for name in offered}
    for name in case.waver:
        del left[name], expected[name]
    assert left == expected
