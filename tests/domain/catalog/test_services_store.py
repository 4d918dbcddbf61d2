"""How do services come into the catalogue, and who sees and may call them?"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.base.errors import Kind, Refusal
from fairlead.domain import catalog
from fairlead.domain.catalog import registering
from fairlead.domain.identity import portal
from house.portals import PROJECT, PUBLIC_PROJECT, described, workflow

NEEDLE = "needle::public::here"
MINE = f"draft::{PROJECT:011}::here"
OPEN = f"shown::{PUBLIC_PROJECT:011}::here"


def refusal(action, *arguments, **named) -> Refusal:
    with pytest.raises(Refusal) as refused:
        action(*arguments, **named)
    return refused.value


@pytest.fixture
def filled(here):
    """With two services of the server, one of them exported, one of a private project and one of a public one."""
    here.register(described("needle"), exported=True)
    here.register(described("water"))
    here.register(workflow("draft"), project=PROJECT)
    here.register(workflow("shown"), project=PUBLIC_PROJECT)
    return here


def test_what_is_registered_is_listed_found_and_put_on_record(here):
    made = here.register(described("needle", "6.6", title="Global alignment", topics=["EDAM_topic:0080"]))

    assert made == [catalog.Registered(NEEDLE, "6.6", catalog.Outcome.ADDED)]
    listed = here.seen_by(here.admin)[NEEDLE]
    assert (listed.name, listed.project, listed.server, listed.type) == ("needle", "", "here", "program")
    assert (listed.version, listed.title, listed.topics) == ("6.6", "Global alignment", ("EDAM_topic:0080",))
    assert (listed.exported, listed.disabled, listed.authorized) == (False, False, True)
    assert here.find(here.admin, "needle::here") == listed
    assert here.log() == [f"service.register {NEEDLE}"]


def test_the_same_description_again_changes_nothing(here):
    here.register(described("needle"))

    again = here.register(described("needle"))

    assert again[0].outcome is catalog.Outcome.UNCHANGED
    assert here.log() == [f"service.register {NEEDLE}"]


def test_another_description_of_a_version_takes_its_place_and_keeps_the_flags(here):
    here.register(described("needle", title="old"))
    here.change(NEEDLE, exported=True, disabled=True, message="Until Monday.")
    before = here.find(here.admin, NEEDLE)

    changed = here.register(described("needle", title="new"), exported=False)

    after = here.find(here.admin, NEEDLE)
    assert changed[0].outcome is catalog.Outcome.CHANGED
    assert (after.title, after.exported, after.disabled, after.message) == ("new", True, True, "Until Monday.")
    assert after.content_hash != before.content_hash
    assert here.do(here.admin, catalog.list_versions, here.own, NEEDLE) == ["1.0"]


def test_the_newest_version_answers_by_the_name_and_the_others_stay(here):
    for version in ("2.10", "2.9", ""):
        here.register(described("needle", version, title=f"version {version}"))

    assert here.find(here.ada, NEEDLE).version == "2.10"
    assert here.do(here.ada, catalog.list_versions, here.own, NEEDLE) == ["2.10", "2.9", ""]
    assert here.do(here.ada, catalog.find_description, here.own, NEEDLE).title == "version 2.10"
    assert here.do(here.ada, catalog.find_description, here.own, NEEDLE, "2.9").title == "version 2.9"
    with pytest.raises(catalog.VersionNotFound):
        here.do(here.ada, catalog.find_description, here.own, NEEDLE, "3")


def test_when_the_newest_version_goes_the_one_before_answers_and_with_the_last_one_the_service_goes(here):
    here.register(described("needle", "1"), described("needle", "2", title="second"))

    here.do(here.admin, catalog.remove_version, here.own, NEEDLE, "2")

    assert (here.find(here.ada, NEEDLE).version, here.find(here.ada, NEEDLE).title) == ("1", "")
    here.do(here.admin, catalog.remove_version, here.own, NEEDLE, "1")
    assert here.seen_by(here.admin) == {}
    assert here.log()[-2:] == [f"service.remove_version {NEEDLE}", f"service.remove {NEEDLE}"]


def test_a_description_comes_out_as_it_went_in(here):
    service = described("needle", title="Ähnlichkeit „global“", env={"A": "b"}, references=[{"doi": "10.1/x"}])
    here.register(service)

    found = here.do(here.ada, catalog.find_description, here.own, NEEDLE)

    assert found == service
    for format_ in (catalog.Format.YAML, catalog.Format.JSON):
        assert catalog.read_description(catalog.written_as(found, format_).encode()) == service


def test_a_service_that_is_removed_is_gone_with_all_its_versions(here):
    here.register(described("needle", "1"), described("needle", "2"), described("water"))

    here.do(here.admin, catalog.remove_service, here.own, NEEDLE)

    assert list(here.seen_by(here.admin)) == ["water::public::here"]
    assert refusal(here.find, here.admin, NEEDLE).kind is Kind.NOT_FOUND
    here.register(described("needle", "0.1"))
    assert here.do(here.admin, catalog.list_versions, here.own, NEEDLE) == ["0.1"]


SEEN = {
    "admin": {NEEDLE: True, "water::public::here": True, MINE: True, OPEN: True},
    "ada": {NEEDLE: True, "water::public::here": True, OPEN: False},
    "anyone": {NEEDLE: True, "water::public::here": True, OPEN: False},
    "visitor": {NEEDLE: False, "water::public::here": False, OPEN: False},
    "peer": {NEEDLE: True},
    "system": {NEEDLE: True, "water::public::here": True, MINE: True, OPEN: True},
}


@pytest.mark.parametrize("who", SEEN)
def test_everybody_sees_what_is_theirs_to_see_and_is_told_what_they_may_call(filled, who):
    scope = getattr(filled, who)

    found = {name: service.authorized for name, service in filled.seen_by(scope).items()}

    assert found == SEEN[who]
    for name in SEEN["admin"]:
        if name in found:
            assert filled.find(scope, name).authorized is found[name]
        else:
            assert refusal(filled.find, scope, name).kind is Kind.NOT_FOUND


@pytest.mark.parametrize(
    ("role", "may"), [("watcher", False), ("contributor", True), ("manager", True), ("owner", True)]
)
def test_in_a_project_contributors_and_those_above_them_may_call(filled, role, may):
    assert filled.seen_by(filled.member(role))[MINE].authorized is may


def test_those_whose_account_is_pending_see_services_and_may_call_none(filled):
    pending = filled.member("owner", standing=portal.Standing.PENDING)

    assert {each.authorized for each in filled.seen_by(pending).values()} == {False}
    assert set(filled.seen_by(pending)) == set(SEEN["admin"])
    with pytest.raises(catalog.ServiceNotForYou):
        filled.do(pending, catalog.find_callable, filled.own, NEEDLE)


def test_the_suspended_see_nothing(filled):
    suspended = filled.member("owner", standing=portal.Standing.SUSPENDED)

    assert filled.seen_by(suspended) == {}
    with pytest.raises(portal.Suspended):
        filled.do(suspended, catalog.list_servers, filled.own)


def test_another_organization_sees_and_changes_nothing(filled, new_portal):
    other = new_portal()

    assert other.seen_by(other.admin) == {}
    with pytest.raises(catalog.ServiceNotFound):
        other.do(other.admin, catalog.remove_service, other.own, NEEDLE)
    other.register(described("needle", title="theirs"))
    other.do(other.admin, catalog.remove_service, other.own, NEEDLE)
    assert filled.find(filled.ada, NEEDLE).title == ""


def test_a_peer_may_call_what_is_exported_from_a_project_and_sees_nothing_else(filled):
    filled.change(MINE, exported=True)

    found = filled.seen_by(filled.peer)

    assert {name: each.authorized for name, each in found.items()} == {NEEDLE: True, MINE: True}


def test_what_is_disabled_is_seen_and_may_be_called_by_nobody(filled):
    filled.change(NEEDLE, disabled=True, message="The cluster is mended.")

    for scope in (filled.admin, filled.ada, filled.peer):
        listed = filled.find(scope, NEEDLE)
        assert (listed.disabled, listed.authorized, listed.message) == (True, False, "The cluster is mended.")
        with pytest.raises(catalog.ServiceIsDisabled, match="The cluster is mended"):
            filled.do(scope, catalog.find_callable, filled.own, NEEDLE)
    filled.change(NEEDLE, disabled=False, message="")
    assert filled.do(filled.ada, catalog.find_callable, filled.own, NEEDLE).authorized is True
    assert filled.log()[-2:] == [f"service.change {NEEDLE}"] * 2


RULES = [
    (catalog.Access(authenticated_only=True), {"admin": True, "ada": True, "anyone": False, "peer": True}),
    (catalog.Access(groups=("lab",)), {"admin": False, "ada": False, "lab": True, "peer": False}),
    (catalog.Access(networks=("192.0.2.0/24",)), {"ada": False, "near": True, "far": False, "nearby v6": True}),
    (catalog.Access(groups=("lab",), networks=("192.0.2.0/24",)), {"lab": False, "near": False, "lab near": True}),
    (catalog.Access(), {"admin": True, "ada": True, "anyone": True, "peer": True, "far": True}),
]


@pytest.mark.parametrize(("access", "may"), RULES)
def test_a_service_may_be_for_some_groups_and_networks_or_for_people_with_an_account(filled, access, may):
    known = portal.Caller.AUTHENTICATED
    people = {who: getattr(filled, who) for who in ("admin", "ada", "anyone", "peer")} | {
        "lab": filled.as_(known, groups=frozenset({"lab", "other"})),
        "near": filled.as_(known, address="192.0.2.77"),
        "nearby v6": filled.as_(known, address="::ffff:192.0.2.77"),
        "far": filled.as_(known, address="198.51.100.1"),
        "lab near": filled.as_(known, groups=frozenset({"lab"}), address="192.0.2.1"),
    }

    filled.change(NEEDLE, access=access)

    assert {who: filled.find(people[who], NEEDLE).authorized for who in may} == may
    assert filled.do(filled.admin, catalog.find_access, filled.own, NEEDLE) == access


@pytest.mark.parametrize(
    "access",
    [
        catalog.Access(networks=("192.0.2.0/33",)),
        catalog.Access(networks=("home",)),
        catalog.Access(groups=("",)),
        catalog.Access(groups=("a\nb",)),
        catalog.Access(groups=tuple(map(str, range(101)))),
    ],
)
def test_rules_that_make_no_sense_are_refused(filled, access):
    with pytest.raises(catalog.BadAccess):
        filled.change(NEEDLE, access=access)


def test_only_administrators_change_flags_and_services_of_the_server(filled):
    change = catalog.ServiceChange(disabled=True)
    for scope in (filled.ada, filled.anyone, filled.visitor, filled.peer, filled.member("owner")):
        kinds = {
            refusal(filled.do, scope, catalog.change_service, filled.own, NEEDLE, change).kind,
            refusal(filled.do, scope, catalog.remove_service, filled.own, NEEDLE).kind,
            refusal(filled.do, scope, catalog.register_service, filled.own, described("mine")).kind,
            refusal(filled.do, scope, catalog.find_access, filled.own, NEEDLE).kind,
            refusal(filled.do, scope, catalog.change_closed, catalog.Closed(True)).kind,
        }
        assert kinds <= {Kind.FORBIDDEN, Kind.UNAUTHENTICATED}
    assert set(filled.seen_by(filled.admin)) == set(SEEN["admin"])


def test_who_works_in_a_project_adds_workflows_to_it_and_its_managers_remove_them(filled):
    contributor, manager = filled.member("contributor"), filled.member("manager")
    register, remove = catalog.register_service, catalog.remove_service

    made = filled.do(contributor, register, filled.own, workflow("tree"), PROJECT)

    assert made.full_name == f"tree::{PROJECT:011}::here"
    assert filled.find(contributor, "tree::mine::here").authorized is True
    assert refusal(filled.do, contributor, remove, filled.own, made.full_name).kind is Kind.FORBIDDEN
    filled.do(manager, remove, filled.own, made.full_name)
    watcher = filled.member("watcher")
    assert refusal(filled.do, watcher, register, filled.own, workflow("tree"), PROJECT).kind is Kind.FORBIDDEN
    assert refusal(filled.do, filled.ada, register, filled.own, workflow("tree"), PROJECT).kind is Kind.NOT_FOUND
    assert refusal(filled.do, filled.admin, register, filled.own, workflow("tree"), 99).kind is Kind.NOT_FOUND


def test_a_program_says_which_command_runs_so_that_only_administrators_register_one(filled):
    register = catalog.register_service

    with pytest.raises(catalog.ProgramsAreForAdministrators):
        filled.do(filled.member("owner"), register, filled.own, described("shell", command="sh"), PROJECT)

    assert filled.do(filled.admin, register, filled.own, described("tool"), PROJECT).outcome.value == "added"


def test_a_project_may_be_called_by_its_name_if_that_is_the_only_one(filled):
    owner = filled.member("owner")

    assert filled.find(owner, "draft::mine::here").full_name == MINE
    assert refusal(filled.find, owner, "draft::twice::here").kind is Kind.NOT_FOUND
    assert refusal(filled.find, owner, "draft::public::here").kind is Kind.NOT_FOUND


def test_the_services_of_a_project_that_goes_go_with_it(filled):
    filled.do(filled.system, catalog.remove_services_of_project, PROJECT)

    assert set(filled.seen_by(filled.admin)) == set(SEEN["admin"]) - {MINE}
    filled.do(filled.system, catalog.remove_services_of_project, 0)
    assert NEEDLE in filled.seen_by(filled.admin)


@pytest.mark.parametrize(
    "full_name",
    ["needle", "", "::", "needle::public::there", "needle::public::here::more", "x" * 400, "needle::99::here"],
)
def test_what_is_no_full_name_of_ours_is_not_there(filled, full_name):
    assert refusal(filled.find, filled.admin, full_name).kind is Kind.NOT_FOUND


def test_services_are_found_by_what_they_are_for_and_by_what_is_written_of_them(here):
    here.register(
        described("needle", title="Global alignment", topics=["EDAM_topic:0080"], package="EMBOSS"),
        described("dnadist", description="Distances of nucleic acids", operations=["EDAM_operation:0289"]),
    )
    here.register(workflow("tree"), project=PROJECT)
    everything = {NEEDLE, "dnadist::public::here", f"tree::{PROJECT:011}::here"}

    def found(**wanted):
        return {name.split("::")[0] for name in here.seen_by(here.admin, **wanted)}

    assert set(here.seen_by(here.admin)) == everything
    assert found(type=catalog.ServiceType.WORKFLOW) == {"tree"}
    assert found(topic="EDAM_topic:0080") == {"needle"}
    assert found(topic="http://edamontology.org/topic_0003") == {"needle"}
    assert found(topic="EDAM_topic:9999") == set()
    assert found(operation="EDAM_operation:0004") == {"dnadist"}
    assert found(text="GLOBAL emboss") == {"needle"}
    assert found(text="global nucleic") == set()
    assert found(server="here") == {"needle", "dnadist", "tree"}
    assert found(server="there") == set()
    assert found(project="public") == {"needle", "dnadist"}
    assert found(project=f"{PROJECT:011}", text="tree") == {"tree"}


def test_there_may_be_only_so_many_services_and_versions(here, monkeypatch):
    monkeypatch.setattr(registering, "MOST_OF_THE_SERVER", 2)
    monkeypatch.setattr(registering, "MOST_VERSIONS", 2)
    here.register(described("a", "1"), described("a", "2"), described("b"))

    assert refusal(here.register, described("c")).kind is Kind.LIMIT
    assert refusal(here.register, described("a", "3")).kind is Kind.LIMIT
    assert here.register(described("a", "2", title="better"))[0].outcome is catalog.Outcome.CHANGED


@pytest.mark.parametrize("name", ["x" * 101, "two\u2028lines", ":x", "x:"])
def test_a_name_that_could_not_be_part_of_a_full_name_is_refused(here, name):
    assert refusal(lambda: here.register(described(name))).kind is Kind.INVALID


def test_names_with_odd_characters_are_found_again(here):
    for name in ("bowtie-build", "fastq_box plot (v2)", "Übersicht", "a:b", "50%?#"):
        made = here.register(described(name))[0]

        assert here.find(here.ada, made.full_name).name == name


def test_of_many_who_register_the_same_at_once_one_adds_it_and_nothing_is_lost(here):
    services = [described("needle", str(version)) for version in range(4)] * 2

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda service: here.register(service)[0], services))

    outcomes = Counter(each.outcome.value for each in made)
    assert outcomes == {"added": 1, "changed": 3, "unchanged": 4}
    assert here.do(here.ada, catalog.list_versions, here.own, NEEDLE) == ["3", "2", "1", "0"]
    assert here.find(here.ada, NEEDLE).version == "3"


def test_a_service_may_be_removed_while_others_register_it(here):
    def turn(number):
        here.register(described("needle", str(number)))
        try:
            here.do(here.system, catalog.remove_service, here.own, NEEDLE)
        except catalog.ServiceNotFound:
            """Another was quicker."""

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(turn, range(12)))

    assert here.seen_by(here.ada) == {}
