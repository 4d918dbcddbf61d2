"""Where do services stand in the trees of EDAM?"""

from __future__ import annotations

from fairlead.domain import catalog
from house.portals import described


def found(here, branch):
    """The names of services at each place, as `way/of/terms: names`."""
    places = {}

    def walk(at, way):
        if at.services:
            places[f"{way}{at.term.id}"] = [service.name for service in at.services]
        for below in at.below:
            walk(below, f"{way}{at.term.id}/")

    with here.database.read(here.ada) as tx:
        walk(branch(catalog.search(tx, here.own)), "")
    return places


def test_a_service_stands_at_each_of_its_terms_below_the_root(here):
    here.register(
        described("needle", topics=["EDAM_topic:0080"], operations=["EDAM_operation:0495"]),
        described("water", topics=["EDAM_topic:0080", "EDAM_topic:0121"]),
    )

    topics = found(here, catalog.by_topic)

    assert all(way.startswith("EDAM_topic:0003/") for way in topics)
    at = {way.rsplit("/", 1)[1]: names for way, names in topics.items()}
    assert at == {"EDAM_topic:0080": ["needle", "water"], "EDAM_topic:0121": ["water"]}


def test_terms_without_services_below_them_are_left_out(here):
    here.register(described("needle", topics=["EDAM_topic:0080"]))

    with here.database.read(here.ada) as tx:
        at = catalog.by_topic(catalog.search(tx, here.own))

    while at.below:
        assert len(at.below) == 1
        at = at.below[0]
    assert (at.term.id, [service.name for service in at.services]) == ("EDAM_topic:0080", ["needle"])


def test_a_service_of_no_term_that_is_in_use_stands_at_the_root(here):
    here.register(described("none"), described("unknown", topics=["EDAM_topic:9999", "EDAM_operation:0495"]))

    assert found(here, catalog.by_topic) == {"EDAM_topic:0003": ["none", "unknown"]}
    assert found(here, catalog.by_operation)["EDAM_operation:0004"] == ["none", "unknown"]


def test_without_services_the_tree_is_its_root(here):
    assert found(here, catalog.by_topic) == {}
