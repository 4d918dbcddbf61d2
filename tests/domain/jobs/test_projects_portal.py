"""Projects: whose they are, who belongs to them, and what becomes of them when people come and go."""

from __future__ import annotations

import json

import pytest

from fairlead.domain import catalog, jobs
from fairlead.domain.identity import portal
from fairlead.domain.identity.portal import arrivals
from fairlead.domain.jobs import Member, ProjectChange
from house.science import does, program

ROLES = ["nobody", "watcher", "contributor", "manager", "owner"]


@pytest.fixture
def ada(lab):
    return lab.user("ada")


@pytest.fixture
def ben(lab):
    return lab.user("ben")


def _join(lab, ada, member, role: str) -> None:
    if role in ("watcher", "contributor", "manager"):
        lab.do(lab.as_(ada), jobs.change_member, ada.default_project, Member.user(member.number), portal.Role(role))


def test_everybody_has_a_project_to_begin_with(lab, ada):
    anonymous = lab.anonymous()

    for user in (ada, anonymous):
        [project] = lab.look(jobs.list_projects, by=lab.as_(user))
        assert (project.name, project.owner, project.number) == (jobs.FIRST_PROJECT, user.number, user.default_project)
        assert not project.public
    assert project.id == "00000000002"


def test_registered_users_make_projects_and_others_do_not(lab, ada):
    project = lab.do(lab.as_(ada), jobs.create_project, "lab", "what we do", public=True)

    assert (project.name, project.description, project.public, project.owner) == ("lab", "what we do", True, 1)
    assert lab.as_(ada).permissions.portal.roles[project.number] is portal.Role.OWNER
    with pytest.raises(portal.NotPermitted):
        lab.do(lab.as_(lab.anonymous()), jobs.create_project, "mine")
    with pytest.raises(portal.LogInFirst):
        lab.do(portal.visitor(lab.tenant_id), jobs.create_project, "mine")
    assert lab.log() == ["ada project.create"]


@pytest.mark.parametrize("name", ["", " lab", "a\nb", "a::b", "a/b", "x" * 101])
def test_a_bad_name_is_refused(lab, ada, name):
    with pytest.raises(jobs.BadProject):
        lab.do(lab.as_(ada), jobs.create_project, name)


def test_a_private_project_is_not_there_for_others(lab, ada, ben):
    with pytest.raises(portal.NotThere) as foreign:
        lab.look(jobs.find_project, ada.default_project, by=lab.as_(ben))
    with pytest.raises(portal.NotThere) as missing:
        lab.look(jobs.find_project, 99, by=lab.as_(ben))

    assert str(foreign.value) == str(missing.value)
    assert lab.look(jobs.find_project, ada.default_project, by=lab.as_(lab.user("root", is_admin=True), as_admin=True))
    assert [each.number for each in lab.look(jobs.list_projects, by=lab.as_(ben))] == [ben.default_project]


def test_all_projects_are_listed_for_administrators_only(lab, ada, ben):
    root = lab.user("root", is_admin=True)

    assert len(lab.look(jobs.list_all_projects, by=lab.as_(root, as_admin=True))) == 3
    for scope in (lab.as_(root), lab.as_(ada)):
        with pytest.raises(portal.NotPermitted):
            lab.look(jobs.list_all_projects, by=scope)


def test_a_project_is_found_by_its_name_if_only_one_is_meant(lab, ada, ben):
    wanted = lab.do(lab.as_(ada), jobs.create_project, "lab")

    assert lab.look(jobs.find_project_called, "lab", by=lab.as_(ada)) == wanted
    assert lab.look(jobs.find_project_called, wanted.id, by=lab.as_(ada)) == wanted
    lab.do(lab.as_(ada), jobs.create_project, "lab")
    for scope in (lab.as_(ada), lab.as_(ben)):
        with pytest.raises(portal.NotThere):
            lab.look(jobs.find_project_called, "lab", by=scope)


def test_everybody_may_call_their_project_as_others_call_theirs(lab, ada):
    others = [lab.user(f"other{number}") for number in range(12)]
    last = lab.user("last")
    lab.do(lab.as_(ada), jobs.change_project, ada.default_project, ProjectChange(public=True))

    for user in (ada, others[-1], last, lab.user("root", is_admin=True)):
        found = lab.look(jobs.find_project_called, "my project", by=lab.as_(user, as_admin=user.is_admin))
        assert found.number == user.default_project


def test_a_service_is_called_by_its_projects_name_whatever_strangers_call_theirs(lab, ada, ben):
    draft = catalog.read_json(json.dumps({"_type": "Widget", "name": "draft"}).encode())
    lab.register(draft, project=ada.default_project)

    found = lab.look(catalog.find, lab.own, "draft::my project::here", by=lab.as_(ada))

    assert found.project_number == ada.default_project
    with pytest.raises(catalog.ServiceNotFound):
        lab.look(catalog.find, lab.own, "draft::my project::here", by=lab.as_(ben))


VERBS = {
    "look": ("watcher", lambda ada, n: (jobs.find_project, n)),
    "write the notebook": ("contributor", lambda ada, n: (jobs.change_project, n, ProjectChange(notebook="text"))),
    "delete the notebook": ("manager", lambda ada, n: (jobs.change_project, n, ProjectChange(notebook=""))),
    "rename": ("manager", lambda ada, n: (jobs.change_project, n, ProjectChange(name="new"))),
    "publish": ("manager", lambda ada, n: (jobs.change_project, n, ProjectChange(public=False))),
    "add a group": ("manager", lambda ada, n: (jobs.change_member, n, Member.group("g"), portal.Role.WATCHER)),
    "remove a group": ("manager", lambda ada, n: (jobs.remove_member, n, Member.group("g"))),
    "hand over": ("owner", lambda ada, n: (jobs.hand_over, n, ada.number)),
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_the_matrix_says(lab, ada, ben, role):
    _join(lab, ada, ben, role)
    user = ada if role == "owner" else ben

    for name, (least, verb) in VERBS.items():
        deed, *arguments = verb(ada, ada.default_project)
        if name == "remove a group" and role != "nobody":
            lab.do(lab.as_(ada), jobs.change_member, ada.default_project, Member.group("g"), portal.Role.WATCHER)
        if role == "nobody":
            refusal = portal.NotThere
        elif ROLES.index(role) < ROLES.index(least):
            refusal = jobs.OnlyTheOwnerHandsOver if (name, role) == ("hand over", "manager") else portal.NotPermitted
        else:
            lab.do(lab.as_(user), deed, *arguments)
            continue
        with pytest.raises(refusal):
            lab.do(lab.as_(user), deed, *arguments)


def test_members_have_one_role_and_are_told(lab, ada, ben):
    _join(lab, ada, ben, "watcher")
    _join(lab, ada, ben, "manager")

    [contents] = lab.look(lambda tx: jobs.contents_of(tx, [jobs.find_project(tx, 1)])).values()

    assert contents.members == ((Member.user(ben.number), portal.Role.MANAGER),)
    assert contents.with_role(portal.Role.WATCHER) == []
    assert lab.notes(ben)[0] == ("project", "You are a manager of the project my project now.")


def test_groups_have_roles_and_the_strongest_counts(lab, ada, ben):
    lab.do(lab.system_scope, portal.change_groups, ben.number, ["chemists", "others"])
    for member, role in ((Member.group("chemists"), "manager"), (Member.user(ben.number), "watcher")):
        lab.do(lab.as_(ada), jobs.change_member, ada.default_project, member, portal.Role(role))

    assert lab.as_(ben).permissions.portal.roles[ada.default_project] is portal.Role.MANAGER
    lab.do(lab.system_scope, portal.change_groups, ben.number, [])
    assert lab.as_(ben).permissions.portal.roles[ada.default_project] is portal.Role.WATCHER


def test_nobody_who_is_not_there_becomes_a_member_and_the_owner_has_no_other_role(lab, ada):
    for member, role, refusal in (
        (Member.user(99), "watcher", jobs.NoSuchMember),
        (Member.user(ada.number), "watcher", jobs.OwnerIsNoMember),
        (Member.group("x\n"), "watcher", jobs.BadProject),
        (Member.group("x"), "owner", jobs.OwnerIsNoMember),
    ):
        with pytest.raises(refusal):
            lab.do(lab.as_(ada), jobs.change_member, ada.default_project, member, portal.Role(role))


def test_a_member_may_leave(lab, ada, ben):
    _join(lab, ada, ben, "watcher")

    lab.do(lab.as_(ben), jobs.remove_member, ada.default_project, Member.user(ben.number))

    assert ada.default_project not in lab.as_(ben).permissions.portal.roles


def test_who_hands_a_project_over_becomes_a_manager_of_it(lab, ada, ben):
    _join(lab, ada, ben, "watcher")

    lab.do(lab.as_(ada), jobs.hand_over, ada.default_project, ben.number)

    assert lab.look(jobs.find_project, ada.default_project).owner == ben.number
    assert lab.as_(ada).permissions.portal.roles[ada.default_project] is portal.Role.MANAGER
    for nobody in (lab.anonymous().number, 99):
        with pytest.raises(jobs.NoSuchMember):
            lab.do(lab.as_(ben), jobs.hand_over, ada.default_project, nobody)


def test_favourites_are_each_ones_own(lab, ada, ben):
    _join(lab, ada, ben, "watcher")
    lab.do(lab.as_(ada), jobs.change_favorites, ada.default_project, ["server1/p", "here/needle", "server1/p"])

    def favorites(user):
        scope = lab.as_(user)
        found = lab.look(lambda tx: jobs.contents_of(tx, [jobs.find_project(tx, ada.default_project)]), by=scope)
        return found[ada.default_project].favorites

    assert favorites(ada) == ("server1/p", "here/needle")
    assert favorites(ben) == ()
    with pytest.raises(jobs.BadProject):
        lab.do(lab.as_(ada), jobs.change_favorites, ada.default_project, ["x"] * 201)


def test_a_project_goes_with_all_that_is_in_it(lab, ada):
    me = lab.as_(ada)
    lab.register(program("align"))
    lab.register(program("own"), project=ada.default_project)
    lab.system.by_itself = does(report="x")
    lab.work()
    job = lab.run(me, ada.default_project, "align")
    contents = lab.look(lambda tx: jobs.contents_of(tx, jobs.list_projects(tx)), by=me)[ada.default_project]
    assert (contents.jobs, contents.data) == ((job.number,), (1,))
    assert len(lab.kept()) == 2

    lab.do(me, jobs.remove_project, lab.tools, ada.default_project)

    assert lab.kept() == set()
    assert lab.look(portal.find_user, ada.number).default_project is None
    assert [each.full_name for each in lab.look(catalog.search, lab.own)] == ["align::public::here"]
    with pytest.raises(portal.NotThere):
        lab.job(job.number)


def test_a_project_with_jobs_under_way_stays(lab, ada):
    lab.register(program("align"))
    lab.submit(lab.as_(ada), ada.default_project, "align")

    with pytest.raises(jobs.ProjectIsBusy):
        lab.do(lab.as_(ada), jobs.remove_project, lab.tools, ada.default_project)
    with pytest.raises(jobs.ProjectIsBusy):
        lab.do(lab.system_scope, portal.remove_user, ada.number)
    assert lab.look(portal.find_user, ada.number) == ada


def test_who_goes_takes_their_projects_along(lab, ada, ben):
    _join(lab, ben, ada, "watcher")
    lab.do(lab.as_(ben), jobs.change_member, ben.default_project, Member.user(ada.number), portal.Role.WATCHER)

    lab.do(lab.system_scope, portal.remove_user, ada.number)

    with pytest.raises(portal.NotThere):
        lab.look(jobs.find_project, ada.default_project)
    [contents] = lab.look(lambda tx: jobs.contents_of(tx, [jobs.find_project(tx, ben.default_project)])).values()
    assert contents.members == ()


def test_what_the_anonymous_have_done_becomes_the_accounts(lab, ada):
    lab.register(program("align"))
    anonymous = lab.anonymous()
    job = lab.submit(lab.as_(anonymous), anonymous.default_project, "align", key="k")
    mine = lab.submit(lab.as_(ada), ada.default_project, "align", key="k")

    lab.do(lab.as_(ada), arrivals.merge, anonymous, ada)

    names = {each.name: each.number for each in lab.look(jobs.list_projects, by=lab.as_(ada))}
    assert names == {"my project": ada.default_project, "from before you logged in": anonymous.default_project}
    found = lab.look(jobs.list_jobs, by=lab.as_(ada))
    assert {each.number: each.user_number for each in found} == {job.number: ada.number, mine.number: ada.number}


def test_whoever_removes_the_project_that_they_work_in_works_in_the_next_one(lab, ada):
    lab.do(lab.as_(ada), jobs.remove_project, lab.tools, ada.default_project)
    assert lab.look(portal.find_user, ada.number).default_project is None

    projects = [lab.do(lab.as_(ada), jobs.create_project, name) for name in ("next", "another")]

    assert lab.look(portal.find_user, ada.number).default_project == projects[0].number


def test_of_a_project_that_is_missing_it_is_said_that_the_project_is(lab, ada, ben):
    for act in (portal.Act.RUN_JOB, portal.Act.CREATE_DATA, portal.Act.VIEW_JOB):
        for project in (ben.default_project, 999):
            with pytest.raises(portal.NotThere, match="There is no such project"):
                lab.look(jobs.find_project, project, act, by=lab.as_(ada))


WORDS = {"notebook": "found it", "description": "of mice", "name": "mice"}


@pytest.mark.parametrize("done", [*WORDS, "service", "favorites", "member"])
def test_whatever_the_anonymous_have_done_in_their_project_comes_along(lab, ada, ben, done):
    lab.register(program("align"))
    anonymous = lab.anonymous()
    project, scope = anonymous.default_project, lab.as_(anonymous)
    workflow = json.dumps({"_type": "Workflow", "name": "flow", "tasks": [{"id": "a", "service": "align"}]})
    match done:
        case "service":
            lab.do(scope, catalog.register_service, lab.own, catalog.read_json(workflow.encode()), project)
        case "favorites":
            lab.do(scope, jobs.change_favorites, project, ["align::here"])
        case "member":
            for user in (ben, ada):
                lab.do(scope, jobs.change_member, project, Member.user(user.number), portal.Role.WATCHER)
        case _:
            lab.do(scope, jobs.change_project, project, ProjectChange(**{done: WORDS[done]}))

    lab.do(lab.as_(ada), arrivals.merge, anonymous, ada)

    def contents(tx):
        return jobs.contents_of(tx, [jobs.find_project(tx, project)])[project]

    found, held = lab.look(jobs.find_project, project, by=lab.as_(ada)), lab.look(contents, by=lab.as_(ada))
    assert (found.owner, found.name) == (ada.number, "mice" if done == "name" else "from before you logged in")
    assert (found.notebook, found.description) == tuple(
        WORDS[each] if done == each else "" for each in ("notebook", "description")
    )
    assert held.favorites == (("align::here",) if done == "favorites" else ())
    assert [member for member, _ in held.members] == ([Member.user(ben.number)] if done == "member" else [])
    if done == "service":
        assert lab.look(catalog.find, lab.own, f"flow::{portal.written(project)}::here", by=lab.as_(ada))


def test_an_anonymous_user_who_has_done_nothing_leaves_nothing(lab, ada):
    anonymous = lab.anonymous()

    lab.do(lab.as_(ada), arrivals.merge, anonymous, ada)

    assert [each.number for each in lab.look(jobs.list_projects, by=lab.as_(ada))] == [ada.default_project]


def test_services_of_projects_are_seen_by_those_who_see_the_project(lab, ada, ben):
    lab.register(program("own"), project=ada.default_project)
    full_name = f"own::{portal.written(ada.default_project)}::here"

    assert lab.look(catalog.find, lab.own, full_name, by=lab.as_(ada)).authorized
    with pytest.raises(catalog.ServiceNotFound):
        lab.look(catalog.find, lab.own, full_name, by=lab.as_(ben))
    renamed = ProjectChange(name="lab")
    lab.do(lab.as_(ada), jobs.change_project, ada.default_project, renamed)
    assert lab.look(catalog.find, lab.own, "own::lab::here", by=lab.as_(ada)).full_name == full_name


def test_two_organizations_see_nothing_of_each_other(lab, zenith, ada):
    zoe = zenith.user("zoe")
    lab.do(lab.as_(ada), jobs.create_project, "lab", public=True)

    assert zoe.default_project == ada.default_project == 1
    with pytest.raises(portal.NotThere):
        zenith.look(jobs.find_project, 2, by=zenith.as_(zoe))
    zenith.do(zenith.as_(zoe), jobs.remove_project, zenith.tools, 1)
    assert lab.look(jobs.find_project, 1).owner == ada.number
