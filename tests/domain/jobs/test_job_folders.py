"""Who may put files into the folder of a job?"""

from __future__ import annotations

import pytest

from fairlead.domain.jobs.building import NobodysTurn, built, fill_folder, sources_of
from fairlead.domain.jobs.execution import WORK
from house.science import SEQUENCE, program


def test_a_worker_whose_place_was_taken_leaves_the_folder_as_it_is(lab):
    lab.register(program("align"))
    ada = lab.user("ada")
    job = lab.submit(lab.as_(ada), ada.default_project, "align", inputs={"sequence": {"content": SEQUENCE}, "gap": 9})
    sources = lab.look(sources_of, lab.job(job.number))
    made = built(lab.tools, sources)
    fill_folder(lab.tools, lab.tenant_id, sources, made, lambda: True)
    work = lab.tools.folder_of(lab.tenant_id, job.number) / WORK
    (work / "result").write_text("of the programs that run")

    with pytest.raises(NobodysTurn):
        fill_folder(lab.tools, lab.tenant_id, sources, made, lambda: False)

    assert (work / "result").read_text() == "of the programs that run"
    assert (work / "sequence").exists()
