"""How much may there be of what people send and start?"""

from __future__ import annotations

import pytest

from fairlead.domain import jobs
from fairlead.domain.jobs import Draft, Quotas, Status
from house.science import SEQUENCE, does, program


def _lab(new_lab, **quotas):
    lab = new_lab(quotas=Quotas(**quotas))
    lab.register(program("align"))
    return lab, lab.user("ada")


def test_nobody_has_more_jobs_under_way_than_they_may(new_lab):
    lab, ada = _lab(new_lab, jobs_per_user=2)
    me = lab.as_(ada)
    first, _ = (
        lab.submit(me, ada.default_project, "align", inputs={"sequence": {"content": text}}) for text in ("a", "b")
    )

    with pytest.raises(jobs.TooManyJobs):
        lab.submit(me, ada.default_project, "align", inputs={"sequence": {"content": "c"}})
    ben = lab.user("ben")
    lab.submit(lab.as_(ben), ben.default_project, "align")
    lab.do(me, jobs.kill, lab.tools, first.number)
    lab.submit(me, ada.default_project, "align", inputs={"sequence": {"content": "c"}})


def test_nobody_has_the_same_done_twice_at_the_same_time(new_lab):
    lab, ada = _lab(new_lab, similar_jobs=1)
    me = lab.as_(ada)
    job = lab.submit(me, ada.default_project, "align")

    with pytest.raises(jobs.TooManySimilarJobs) as refused:
        lab.submit(me, ada.default_project, "align", name="another name")
    lab.submit(me, ada.default_project, "align", inputs={"sequence": {"content": SEQUENCE}, "gap": 1})
    lab.do(me, jobs.kill, lab.tools, job.number)
    lab.submit(me, ada.default_project, "align")

    assert refused.value.facts == {"job": job.id}
    assert len(lab.kept()) == 3


def test_a_project_holds_no_more_than_it_may(new_lab):
    lab, ada = _lab(new_lab, project_bytes=100)
    me, project = lab.as_(ada), ada.default_project
    lab.text(me, project, "x" * 60)

    for refused in (lambda: lab.text(me, project, "x" * 41), lambda: _upload(lab, me, project, 41)):
        with pytest.raises(jobs.ProjectIsFull):
            refused()
    lab.text(me, project, "x" * 40)
    assert len(lab.kept()) == 2


def _upload(lab, scope, project, size):
    upload = lab.look(jobs.begin_upload, lab.tools, project, by=scope)
    try:
        upload.feed(b"x" * size)
    finally:
        upload.discard()


def test_two_uploads_at_once_do_not_fill_a_project_beyond_its_end(new_lab):
    lab, ada = _lab(new_lab, project_bytes=100)
    me = lab.as_(ada)
    uploads = [lab.look(jobs.begin_upload, lab.tools, ada.default_project, by=me) for _ in range(2)]
    for upload in uploads:
        upload.feed(b"x" * 60)
        upload.finish()
    lab.do(me, jobs.add_upload, lab.tools, uploads[0], Draft(name="first"))

    with pytest.raises(jobs.ProjectIsFull):
        lab.do(me, jobs.add_upload, lab.tools, uploads[1], Draft(name="second"))


def test_no_file_is_larger_than_it_may_be(new_lab):
    lab, ada = _lab(new_lab, file_bytes=10)

    with pytest.raises(jobs.DataTooLarge):
        _upload(lab, lab.as_(ada), ada.default_project, 11)


def test_a_job_that_leaves_too_much_is_in_error_and_nothing_of_it_is_kept(new_lab):
    lab, ada = _lab(new_lab, project_bytes=1000)
    lab.system.by_itself = does(report="x" * 2000)
    lab.work()

    job = lab.becomes(lab.submit(lab.as_(ada), ada.default_project, "align"), Status.ERROR)

    assert "could not be kept" in job.message
    assert lab.look(jobs.outputs, job.number) == {}
    assert len(lab.kept()) == 1


def test_what_jobs_leave_behind_counts(new_lab):
    lab, ada = _lab(new_lab, project_bytes=1000)
    lab.system.by_itself = does(report="x" * 900)
    lab.work()
    job = lab.run(lab.as_(ada), ada.default_project, "align")

    with pytest.raises(jobs.ProjectIsFull):
        lab.text(lab.as_(ada), ada.default_project, "x" * 200)
    lab.do(lab.as_(ada), jobs.remove_job, lab.tools, job.number)
    lab.text(lab.as_(ada), ada.default_project, "x" * 200)


def test_without_a_limit_there_is_none(new_lab):
    lab, ada = _lab(new_lab, jobs_per_user=0, similar_jobs=0, project_bytes=0, file_bytes=0)

    for _ in range(3):
        lab.submit(lab.as_(ada), ada.default_project, "align")
