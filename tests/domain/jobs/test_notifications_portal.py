"""What are people told, and by which way?"""

from __future__ import annotations

import msgspec
import pytest
import sqlalchemy as sa

from fairlead.domain import jobs, mail
from fairlead.domain.identity import portal
from fairlead.domain.jobs import Status, notifications
from fairlead.domain.jobs.execution import State
from fairlead.domain.mail.model import purpose_of
from fairlead.domain.mail.store import letters
from house.science import SEAL, does, ended, program


def _letters_to(lab, user) -> list[mail.Letter]:
    with lab.database.across_tenants("what was sent?", writing=False) as tx:
        rows = tx.all(sa.select(letters))
    opened = [msgspec.json.decode(SEAL.open(row.sealed, purpose_of(row.id)), type=mail.Letter) for row in rows]
    return [letter for letter in opened if letter.to == user.email]


def _run(lab, user, name: str = "") -> jobs.Job:
    lab.register(program("align"))
    lab.system.by_itself = does(report="x")
    lab.work()
    return lab.run(lab.as_(user), user.default_project, "align", name=name)


def test_the_end_of_a_job_is_told_once(lab):
    ada = lab.user("ada")

    job = _run(lab, ada, "my alignment")

    assert lab.notes(ada) == [("job", "The job my alignment (align) is finished.")]
    [note] = lab.look(jobs.list_notifications, by=lab.as_(ada))
    assert (note.about, note.read) == (job.id, False)
    assert _letters_to(lab, ada) == []


def test_a_job_that_took_long_is_told_by_mail(new_lab):
    lab = new_lab(mail_after_seconds=0)
    ada = lab.user("ada")

    job = _run(lab, ada)

    [letter] = _letters_to(lab, ada)
    assert letter.subject == f"The job {job.id} (align) is finished"
    assert f"https://here.example/mobyle/jobs/{job.id}" in letter.text


def test_who_wants_no_mail_gets_none(new_lab):
    lab = new_lab(mail_after_seconds=0)
    ada = lab.user("ada")
    lab.do(lab.as_(ada), portal.change_own, portal.OwnChange(notices=portal.Notices(job=False)))
    anonymous = lab.anonymous()

    _run(lab, ada)
    lab.run(lab.as_(anonymous), anonymous.default_project, "align")

    assert _letters_to(lab, ada) == []
    assert [kind for kind, _ in lab.notes(anonymous)] == ["job"]


def test_a_job_in_error_says_why(lab):
    ada = lab.user("ada")
    lab.register(program("align"))
    lab.system.by_itself = lambda folder, spec: ended(State.FAILED, 1, "It ran too long.")
    lab.work()

    lab.becomes(lab.submit(lab.as_(ada), ada.default_project, "align"), Status.ERROR)

    assert lab.notes(ada) == [("job", f"The job {portal.written(1)} (align) is in error. It ran too long.")]


def test_notifications_are_read_and_removed_by_those_whose_they_are(lab):
    ada, ben = lab.user("ada"), lab.user("ben")
    kind = jobs.NotificationType.MOBYLE
    for text in ("one", "two"):
        lab.do(lab.system_scope, notifications.notify, ada.number, kind, text)
    numbers = [note.number for note in lab.look(jobs.list_notifications, by=lab.as_(ada))]

    assert lab.do(lab.as_(ben), jobs.mark_notifications, numbers) == 0
    assert lab.do(lab.as_(ben), jobs.remove_notifications, numbers) == 0
    assert lab.do(lab.as_(ada), jobs.mark_notifications, numbers[:1]) == 1
    assert [note.message for note in lab.look(jobs.list_notifications, by=lab.as_(ada), only_unread=True)] == ["one"]
    assert lab.do(lab.as_(ada), jobs.remove_notifications, numbers) == 2
    assert lab.notes(ada) == []
    with pytest.raises(portal.LogInFirst):
        lab.look(jobs.list_notifications, by=portal.visitor(lab.tenant_id))


def test_administrators_tell_everybody_who_has_an_account(lab):
    root, ada, anonymous = lab.user("root", is_admin=True), lab.user("ada"), lab.anonymous()

    told = lab.do(lab.as_(root, as_admin=True), jobs.announce, "We are closed on Monday.")

    assert told == 2
    assert lab.notes(ada) == [("mobyle", "We are closed on Monday.")]
    assert lab.notes(anonymous) == []
    with pytest.raises(portal.NotPermitted):
        lab.do(lab.as_(ada), jobs.announce, "Free beer")


def test_of_too_many_the_oldest_are_forgotten(lab, monkeypatch):
    monkeypatch.setattr(notifications, "MOST_KEPT", 3)
    ada = lab.user("ada")

    for number in range(5):
        lab.do(lab.system_scope, notifications.notify, ada.number, jobs.NotificationType.MOBYLE, str(number))

    assert [message for _, message in lab.notes(ada)] == ["4", "3", "2"]
