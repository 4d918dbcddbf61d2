"""Data of projects: how they come in, what they are, who reads them, and when they may go."""

from __future__ import annotations

import hashlib

import pytest

from fairlead.base.http.outgoing import AddressNotAllowed, BadAddress, Outgoing
from fairlead.domain import jobs
from fairlead.domain.identity import portal
from fairlead.domain.jobs import DataChange, DataStatus, Draft
from house.outside import Outside
from house.science import SEQUENCE, does, program


@pytest.fixture
def ada(lab):
    return lab.user("ada")


def _upload(lab, scope, project: int, *chunks: bytes, **said) -> jobs.Data:
    upload = lab.look(jobs.begin_upload, lab.tools, project, by=scope)
    try:
        for chunk in chunks:
            upload.feed(chunk)
        upload.finish()
    finally:
        upload.discard()
    return lab.do(scope, jobs.add_upload, lab.tools, upload, Draft(**{"name": "seq.fa"} | said))


def _fetched(lab, scope, project: int, url: str) -> jobs.Data:
    data = lab.do(scope, jobs.add_from_url, lab.tools, project, Draft(name="far.fa"), url)
    lab.until(lambda: not lab.data(data.number).status.is_awaited, "the end of fetching")
    return lab.data(data.number)


def test_an_upload_is_kept_with_its_digest_and_read_back(lab, ada):
    data = _upload(lab, lab.as_(ada), ada.default_project, b">one\n", b"ACGT\n", tags=("a", "b", "a"))

    content = lab.look(jobs.find_content, data.number, by=lab.as_(ada))
    assert lab.bytes_of(content) == b">one\nACGT\n"
    assert (data.size_bytes, data.sha256) == (10, hashlib.sha256(b">one\nACGT\n").hexdigest())
    assert (data.status, data.tags, data.added_by, data.id) == (DataStatus.READY, ("a", "b"), 1, "00000000001")
    assert lab.log() == ["ada data.add"]


def test_an_upload_that_breaks_off_leaves_nothing(lab, ada):
    upload = lab.look(jobs.begin_upload, lab.tools, ada.default_project, by=lab.as_(ada))
    upload.feed(b"half")
    upload.discard()

    assert lab.kept() == set() and lab.look(jobs.list_data, by=lab.as_(ada)) == []


def test_terms_are_those_of_edam(lab, ada):
    data = lab.text(lab.as_(ada), ada.default_project, data_terms=("EDAM:data_2044",), format_terms=("format_1929",))

    assert (data.data_terms, data.format_terms) == (("EDAM_data:2044",), ("EDAM_format:1929",))
    for said in ({"data_terms": ("EDAM_format:1929",)}, {"format_terms": ("fasta",)}, {"tags": ("",)}, {"name": "a/b"}):
        with pytest.raises(jobs.BadData):
            lab.text(lab.as_(ada), ada.default_project, **said)
    assert len(lab.kept()) == 1


def test_data_are_reworded_and_retyped(lab, ada):
    data = lab.text(lab.as_(ada), ada.default_project)

    change = DataChange(name="new.fa", data_terms=("EDAM_data:2976",), persistent=True, tags=("x",))
    lab.do(lab.as_(ada), jobs.change_data, data.number, change)

    found = lab.data(data.number)
    assert (found.name, found.data_terms, found.persistent, found.tags) == (
        "new.fa", ("EDAM_data:2976",), True, ("x",)
    )  # fmt: skip
    assert (found.description, found.sha256) == (data.description, data.sha256)


def test_data_are_found_by_tag_and_name(lab, ada):
    me, project = lab.as_(ada), ada.default_project
    first = lab.text(me, project, name="one.fa", tags=("rna",))
    second = lab.text(me, project, name="TWO.fa", tags=("rna virus",))

    def found(**wanted):
        return [each.number for each in lab.look(jobs.list_data, jobs.DataSearch(**wanted), by=me)]

    assert found() == [second.number, first.number]
    assert found(tag="rna") == [first.number]
    assert found(tag="RNA") == []
    assert found(text="two") == [second.number]
    assert found(project=project, at_most=1) == [second.number]


def test_data_are_fetched_also_where_an_address_leads_on(lab, ada):
    lab.work()
    with Outside() as outside:
        outside.answers("/old", 302, headers={"location": "/new"})
        outside.answers("/new", 200, SEQUENCE)
        data = _fetched(lab, lab.as_(ada), ada.default_project, f"{outside.url}/old")

    assert (data.status, data.size_bytes) == (DataStatus.READY, len(SEQUENCE))
    assert lab.bytes_of(lab.look(jobs.find_content, data.number)) == SEQUENCE.encode()
    assert lab.notes(ada) == [("data", "far.fa is there.")]


def test_a_server_that_stumbles_is_asked_again(lab, ada):
    lab.work()
    with Outside() as outside:
        outside.answers("/seq", 503, times=1)
        outside.answers("/seq", 200, SEQUENCE)
        data = _fetched(lab, lab.as_(ada), ada.default_project, f"{outside.url}/seq")

    assert data.status is DataStatus.READY and data.size_bytes == len(SEQUENCE)


def test_what_cannot_be_fetched_says_why(lab, ada):
    lab.work()
    with Outside() as outside:
        outside.answers("/gone", 404)
        outside.answers("/inside", 302, headers={"location": "http://10.0.0.1/secret"})
        outside.answers("/circle", 302, headers={"location": "/circle"})
        gone, inside, circle = (
            _fetched(lab, lab.as_(ada), ada.default_project, f"{outside.url}/{path}")
            for path in ("gone", "inside", "circle")
        )

    assert "404" in gone.message
    assert "not a public address" in inside.message
    assert "leads on more than" in circle.message
    with pytest.raises(jobs.DataIsNotReady):
        lab.look(jobs.find_content, gone.number)
    assert lab.kept() == set()


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://[::1]/", "http://localhost/", "file:///etc/passwd", "x"])
def test_addresses_inside_are_not_asked(new_lab, url):
    lab = new_lab(outgoing=Outgoing())
    ada = lab.user("ada")

    with pytest.raises((AddressNotAllowed, BadAddress)):
        lab.do(lab.as_(ada), jobs.add_from_url, lab.tools, ada.default_project, Draft(name="x"), url)
    assert lab.look(jobs.list_data, by=lab.as_(ada)) == []


def test_endless_data_are_cut_off(new_lab):
    lab = new_lab(quotas=jobs.Quotas(file_bytes=1_000_000))
    ada = lab.user("ada")
    lab.work()
    with Outside() as outside:
        outside.answers("/endless", 200, b"x" * 4096, endless=True)
        data = _fetched(lab, lab.as_(ada), ada.default_project, f"{outside.url}/endless")

    assert (data.status, data.message) == (DataStatus.ERROR, "Data may have at most 1000000 bytes.")
    assert lab.kept() == set()


def test_an_output_of_a_job_becomes_data_that_outlive_it(lab, ada):
    me = lab.as_(ada)
    lab.register(program("align"))
    lab.system.by_itself = does(report="aligned")
    lab.work()
    job = lab.run(me, ada.default_project, "align")

    draft = Draft(name="kept.txt", persistent=True)
    data = lab.do(me, jobs.add_from_output, lab.tools, ada.default_project, draft, job, "report")
    lab.until(lambda: lab.data(data.number).status is DataStatus.READY, "the copy")
    lab.do(me, jobs.remove_job, lab.tools, job.number)

    assert lab.bytes_of(lab.look(jobs.find_content, data.number)) == b"aligned"
    assert (data.produced_by, data.produced_as, data.size_bytes) == (job.number, "report", 7)
    with pytest.raises(jobs.NoSuchOutput):
        lab.do(me, jobs.add_from_output, lab.tools, ada.default_project, draft, job, "nothing")


def test_a_job_whose_output_is_being_copied_stays(lab, ada):
    me = lab.as_(ada)
    lab.register(program("align"))
    lab.system.by_itself = does(report="aligned")
    lab.work()
    job = lab.run(me, ada.default_project, "align")
    lab.close()

    lab.do(me, jobs.add_from_output, lab.tools, ada.default_project, Draft(name="copy"), job, "report")

    with pytest.raises(jobs.JobIsNeeded):
        lab.do(me, jobs.remove_job, lab.tools, job.number)


def test_data_that_a_job_needs_stay_until_it_has_ended(lab, ada):
    me = lab.as_(ada)
    lab.register(program("align"))
    data = lab.text(me, ada.default_project)
    job = lab.submit(me, ada.default_project, "align", inputs={"sequence": {"data": data.id}})

    with pytest.raises(jobs.DataIsInUse):
        lab.do(me, jobs.remove_data, lab.tools, data.number)
    assert lab.look(jobs.used_by, data.number, by=me) == [job.number]
    lab.do(me, jobs.kill, lab.tools, job.number)
    lab.do(me, jobs.remove_data, lab.tools, data.number)

    assert lab.kept() == set()


def test_nobody_learns_from_data_of_jobs_that_they_do_not_see(lab, ada):
    lab.register(program("align"))
    ben = lab.user("ben")
    data = lab.text(lab.as_(ada), ada.default_project, public=True)
    inputs = {"sequence": {"data": data.id}}
    theirs = lab.submit(lab.as_(ben), ben.default_project, "align", inputs=inputs)

    assert lab.look(jobs.used_by, data.number, by=lab.as_(ada)) == []
    assert lab.look(jobs.used_by, data.number, by=lab.as_(ben)) == [theirs.number]
    with pytest.raises(jobs.DataIsInUse, match=r"^A job uses this data and is under way\.$"):
        lab.do(lab.as_(ada), jobs.remove_data, lab.tools, data.number)
    ours = lab.submit(lab.as_(ada), ada.default_project, "align", inputs=inputs)
    assert lab.look(jobs.used_by, data.number, by=lab.as_(ada)) == [ours.number]
    assert lab.look(jobs.used_by, data.number) == [theirs.number, ours.number]
    with pytest.raises(jobs.DataIsInUse, match=rf"^The job {ours.id} uses this data"):
        lab.do(lab.as_(ada), jobs.remove_data, lab.tools, data.number)


def test_services_are_named_that_take_the_data(lab, ada):
    me = lab.as_(ada)
    lab.register(program("align"), program("off"))
    protein = lab.text(me, ada.default_project, data_terms=("EDAM_data:2976",))
    image = lab.text(me, ada.default_project, data_terms=("EDAM_data:2968",))

    found = lab.look(jobs.services_for, lab.tools, protein.number, by=me)

    assert [(each.service.name, each.parameters) for each in found] == [
        ("align", ("sequence",)),
        ("off", ("sequence",)),
    ]
    assert lab.look(jobs.services_for, lab.tools, image.number, by=me) == []


VERBS = {
    "find": ("watcher", lambda lab, d: (jobs.find_data, d.number)),
    "read": ("watcher", lambda lab, d: (jobs.find_content, d.number)),
    "add": ("contributor", lambda lab, d: (jobs.add_text, lab.tools, d.project, Draft(name="x"), "x")),
    "upload": ("contributor", lambda lab, d: (jobs.begin_upload, lab.tools, d.project)),
    "change": ("contributor", lambda lab, d: (jobs.change_data, d.number, DataChange(name="new"))),
    "remove": ("manager", lambda lab, d: (jobs.remove_data, lab.tools, d.number)),
}


@pytest.mark.parametrize("role", ["nobody", "watcher", "contributor", "manager"])
def test_each_role_may_do_what_the_matrix_says(lab, ada, role):
    ben = lab.user("ben")
    data = lab.text(lab.as_(ada), ada.default_project)
    if role != "nobody":
        member = jobs.Member.user(ben.number)
        lab.do(lab.as_(ada), jobs.change_member, ada.default_project, member, portal.Role(role))
    order = ["nobody", "watcher", "contributor", "manager"]

    for least, verb in VERBS.values():
        deed, *arguments = verb(lab, data)
        if order.index(role) >= order.index(least):
            made = lab.do(lab.as_(ben), deed, *arguments)
            if isinstance(made, jobs.Upload):
                made.discard()
            continue
        with pytest.raises(portal.NotThere if role == "nobody" else portal.NotPermitted):
            lab.do(lab.as_(ben), deed, *arguments)


def test_public_data_of_a_private_project_are_read_by_everybody_and_changed_by_nobody_else(lab, ada):
    data = lab.text(lab.as_(ada), ada.default_project, public=True)
    visitor = portal.visitor(lab.tenant_id)

    assert lab.bytes_of(lab.look(jobs.find_content, data.number, by=visitor)) == SEQUENCE.encode()
    with pytest.raises(portal.NotThere):
        lab.do(visitor, jobs.change_data, data.number, DataChange(name="x"))
    with pytest.raises(portal.NotThere):
        lab.look(jobs.find_project, ada.default_project, by=visitor)


def test_two_organizations_see_nothing_of_each_other(lab, zenith, ada):
    zoe = zenith.user("zoe")
    ours = lab.text(lab.as_(ada), ada.default_project, public=True)

    assert ours.number == 1
    with pytest.raises(portal.NotThere):
        zenith.look(jobs.find_data, 1, by=zenith.as_(zoe))
    theirs = zenith.text(zenith.as_(zoe), zoe.default_project, "other")
    zenith.do(zenith.as_(zoe), jobs.remove_data, zenith.tools, theirs.number)
    assert lab.kept() == {ours.blob_key}
