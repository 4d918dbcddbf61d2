"""Artifacts of one name make up a release."""

from __future__ import annotations

import pytest

from house.world import ADA, BEN, DEPLOYMENTS, ZOE

RELEASES = f"{DEPLOYMENTS}/deployments/releases"


def test_artifacts_of_one_name_are_one_release_in_both_spellings(mender, acme):
    ids = {acme.artifact("release-1", ("pi",)), acme.artifact("release-1", ("bone",))}
    other = acme.artifact("release-2")

    releases = mender.as_(BEN).get(RELEASES).json()

    assert [release["Name"] for release in releases] == ["release-1", "release-2"]
    assert {artifact["id"] for artifact in releases[0]["Artifacts"]} == ids
    assert [artifact["id"] for artifact in releases[1]["Artifacts"]] == [other]
    for release in releases:
        assert (release["name"], release["artifacts"]) == (release["Name"], release["Artifacts"])
    shown = mender.as_(ADA).get(f"{DEPLOYMENTS}/artifacts/{other}").json()
    assert releases[1]["Artifacts"] == [shown]


@pytest.mark.parametrize(
    ("name", "found"),
    [("", 3), ("release-1", 1), ("release", 0), ("RELEASE-1", 0), ("release-%", 0), ("a b/ü", 1), ("release_1", 0)],
)
def test_a_release_is_found_by_its_exact_name(mender, acme, name, found):
    for each in ("release-1", "release-2", "a b/ü"):
        acme.artifact(each)

    assert len(mender.as_(ADA).get(RELEASES, params={"name": name}).json()) == found


def test_releases_are_in_the_same_order_on_every_engine(mender, acme):
    for name in ("b", "B", "a", "_", "ä", "Z", "10", "9"):
        acme.artifact(name)

    names = [release["name"] for release in mender.as_(ADA).get(RELEASES).json()]

    assert names == sorted(names)


def test_nobody_sees_another_tenants_releases(mender, acme, zenith):
    acme.artifact("release-1")

    assert mender.as_(ZOE).get(RELEASES).json() == []


def test_a_name_that_cannot_be_one_is_refused(standing):
    reply = standing.mender.as_(ADA).get(f"{RELEASES}?name=%00")

    assert (reply.status_code, reply.json()["error"]) == (400, "Can't parse param name")
