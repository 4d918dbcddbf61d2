"""From a device that asks to a device that is updated: the whole way, once."""

from house.world import ADA, DEPLOYMENTS


def test_a_device_is_let_in_updated_and_counted(mender, acme):
    device = acme.device("door")
    assert device.report({"device_type": "door-lock"}).status_code == 200
    acme.artifact("release-1")
    deployment = acme.deploy("release-1")

    offer = device.next()

    assert offer.status_code == 200, offer.text
    said = offer.json()
    assert said["id"] == deployment
    assert said["artifact"]["artifact_name"] == "release-1"
    assert said["artifact"]["device_types_compatible"] == ["door-lock"]
    payload = mender.client.get(said["artifact"]["source"]["uri"])
    assert payload.status_code == 200
    assert int(payload.headers["content-length"]) == len(payload.content)
    for status in ("downloading", "installing", "success"):
        assert device.status(deployment, status).status_code == 204
    assert device.next("release-1").status_code == 204
    assert acme.deployment(deployment)["status"] == "finished"
    assert acme.statistics(deployment) == {"success": 1}
    assert mender.as_(ADA).get(f"{DEPLOYMENTS}/deployments").headers["x-total-count"] == "1"
