"""How does a long list come in pages? The same way everywhere."""

import pytest

from house.world import ADA, DEPLOYMENTS, DEVAUTH, INVENTORY, settled

LISTS = {
    "devauth": f"{DEVAUTH}/devices",
    "inventory": f"{INVENTORY}/devices",
    "group": f"{INVENTORY}/groups/doors/devices",
    "deployments": f"{DEPLOYMENTS}/deployments",
}
WITH_TOTAL = {"inventory", "group", "deployments"}


@pytest.fixture(scope="module")
def many(server):
    """An Acme with seven of everything that is listed in pages; nobody changes it."""
    with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL"}) as acme:
        ids = [acme.device(f"door{number}").id for number in range(7)]
        acme.mender.as_(ADA).patch(f"{INVENTORY}/groups/doors/devices", json=ids)
        acme.artifact("release-1")
        for _ in range(7):
            acme.deploy("release-1")
        yield acme.mender.as_(ADA)


def key_of(each) -> str:
    return each if isinstance(each, str) else each["id"]


@pytest.mark.parametrize("name", LISTS)
def test_the_links_lead_through_all_pages_and_back(many, name):
    everything = [key_of(each) for each in many.get(LISTS[name]).json()]
    seen, reply = [], many.get(f"{LISTS[name]}?per_page=3")

    while True:
        seen.append([key_of(each) for each in reply.json()])
        if "next" not in reply.links:
            break
        reply = many.get(reply.links["next"]["url"])

    assert len(everything) == 7
    assert seen == [everything[:3], everything[3:6], everything[6:]]
    assert [key_of(each) for each in many.get(reply.links["prev"]["url"]).json()] == seen[1]
    assert [key_of(each) for each in many.get(reply.links["first"]["url"]).json()] == seen[0]


@pytest.mark.parametrize("name", LISTS)
def test_every_relation_has_a_header_line_of_its_own_relative_and_in_order(many, name):
    path = LISTS[name]

    lines = many.get(f"{path}?per_page=3&page=2").headers.get_list("link")

    assert lines == [
        f'<{path}?page=1&per_page=3>; rel="prev"',
        f'<{path}?page=3&per_page=3>; rel="next"',
        f'<{path}?page=1&per_page=3>; rel="first"',
    ]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("query", "relations"),
    [
        ("", ["first"]),
        ("?per_page=7", ["first"]),
        ("?per_page=6", ["next", "first"]),
        ("?per_page=7&page=2", ["prev", "first"]),
        ("?page=&per_page=", ["first"]),
    ],
)
def test_there_is_no_link_to_where_nothing_is(many, name, query, relations):
    assert list(many.get(LISTS[name] + query).links) == relations


@pytest.mark.parametrize("name", LISTS)
def test_the_total_is_told_where_the_reference_tells_it(many, name):
    reply = many.get(f"{LISTS[name]}?per_page=2&page=9")

    assert reply.json() == []
    assert reply.headers.get("x-total-count") == ("7" if name in WITH_TOTAL else None)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("page=0", "Param page is out of bounds"),
        ("page=-1", "Param page is out of bounds"),
        ("page=x", "Can't parse param page"),
        ("page=--1", "Can't parse param page"),
        ("page=1.5", "Can't parse param page"),
        ("page=%2B1", "Can't parse param page"),
        ("page=%D9%A1", "Can't parse param page"),
        ("page=99999999999999999999", "Can't parse param page"),
        ("per_page=0", "Param per_page is out of bounds"),
        ("per_page=-20", "Param per_page is out of bounds"),
        ("per_page=501", "Param per_page is out of bounds"),
        ("per_page=x", "Can't parse param per_page"),
        ("per_page=%00", "Can't parse param per_page"),
    ],
)
def test_a_page_that_cannot_be_is_refused(many, name, query, text):
    reply = many.get(f"{LISTS[name]}?{query}")

    assert (reply.status_code, reply.json()["error"]) == (400, text)


@pytest.mark.parametrize("name", LISTS)
def test_five_hundred_is_the_most_that_a_page_holds(many, name):
    assert many.get(f"{LISTS[name]}?per_page=500").status_code == 200


def test_the_links_keep_what_else_was_asked(many):
    query = "?id=a%26b&status=pending&status=accepted&per_page=1&page=2"

    lines = many.get(f"{DEVAUTH}/devices{query}").headers.get_list("link")

    assert lines[0] == (f'<{DEVAUTH}/devices?id=a%26b&page=1&per_page=1&status=accepted&status=pending>; rel="prev"')
