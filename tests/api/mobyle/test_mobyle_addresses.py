"""Whoever names an address at a portal reads nothing with it that only this server can read: itself, above all."""

from __future__ import annotations

import pytest

from fairlead import parts
from fairlead.base.http.outgoing import AddressNotAllowed, NoAnswer
from fairlead.settings import Settings
from house.mobyle import SHOUT, Place, Visitor

SECRETS = "/api/internal/v1/tenantadm/tenants"
INNER = {
    "the internal listener": "{internal}" + SECRETS,
    "its metrics": "{internal}/metrics",
    "the definitions of workflows": "{internal}/api/v1/metadata/workflows",
    "the public listener": "{public}/mobyle/servers/",
}
PIPE = {
    "_type": "Workflow",
    "name": "pipe",
    "version": "1",
    "tasks": [{"id": "one", "service": "shout"}],
    "links": [{"from_parameter": "text", "to_task": "one", "to_parameter": "text"}],
    "inputs": [{"_type": "InputParameter", "name": "text", "mandatory": True, "type": {"_type": "FormattedType"}}],
    "outputs": [],
}


@pytest.fixture
def anyone(place) -> Visitor:
    """Someone without an account."""
    place.register(SHOUT, PIPE)
    told = place.as_("visitor").make("/session", anonymous=True)
    return Visitor(place.client, place.path, told["token"], told["user"])


def inner(place: Place, which: str) -> str:
    return INNER[which].format(internal=place.server.internal_url, public=place.server.url)


@pytest.mark.parametrize("which", INNER)
def test_data_are_not_fetched_from_our_own_listeners(place, anyone, which):
    project = anyone.told("/users/me")["default_project"]

    reply = anyone.post("/data/", json={"project": project, "name": "x", "url": inner(place, which)})

    assert reply.status_code == 400, reply.text
    assert "not a public address" in reply.text
    assert anyone.told("/data/") == {}


@pytest.mark.parametrize("service", ["shout", "pipe"])
@pytest.mark.parametrize("which", INNER)
def test_inputs_of_jobs_are_not_fetched_from_our_own_listeners(place, anyone, service, which):
    project = anyone.told("/users/me")["default_project"]
    inputs = {"text": {"url": inner(place, which)}}

    reply = anyone.post("/jobs/", json={"project": project, "service": place.service(service), "inputs": inputs})

    assert reply.status_code == 422, reply.text
    assert "not a public address" in reply.json()["errors"]["text"][0]
    assert anyone.told("/data/") == {}


@pytest.mark.parametrize("which", INNER)
def test_other_servers_are_not_our_own_listeners_where_many_organizations_are(place, which):
    boss = place.add("boss", is_admin=True)
    url = inner(place, which)
    boss.make("/servers/", name="self", url=url.replace("127.0.0.1", "127.1"), allow_plain_http=True)
    boss.make("/servers/", name="same", url=url, allow_plain_http=True)

    for name in ("self", "same"):
        told = boss.make(f"/servers/{name}/refresh")
        assert told["active"] is False
        assert "not a public address" in told["problem"]


@pytest.mark.parametrize("service", ["useradm", "tenantadm", "inventory", "workflows", "api-gateway"])
def test_the_names_of_our_services_mean_nothing_to_people(place, service):
    outgoing = place.server.fairlead.jobs.outgoing

    with pytest.raises((NoAnswer, AddressNotAllowed)):
        outgoing.send("GET", f"http://mender-{service}:8080{SECRETS}", {}, b"", connect_seconds=5, read_seconds=5)


def test_what_the_operator_allows_to_workflows_is_not_allowed_to_people(tmp_path):
    allowed = {"allow_outgoing": "127.0.0.1,10.0.0.0/8", "portal_outgoing": "10.1.0.0/16"}
    settings = Settings(data=tmp_path, local_jobs="off", **allowed)
    people, workflows = parts.open_jobs(settings).outgoing, parts.open_outgoing(settings)

    for url in (f"http://{settings.internal_listen}/metrics", "http://10.2.0.1/"):
        workflows.check(url)
        with pytest.raises(AddressNotAllowed, match="--portal-outgoing"):
            people.check(url)
    people.check("http://10.1.0.1/")
