"""What becomes of a request whose sender is put out while its body is still on its way?"""

from __future__ import annotations

import pytest

from house.mobyle import Place, Visitor
from house.slowly import in_two_halves


@pytest.fixture
def ada(place) -> Visitor:
    return place.add("ada")


def kept(place: Place) -> dict[str, object]:
    found: dict[str, object] = place.log_in("ada").told("/data/")
    return found


def request_of(place: Place, who: Visitor, **content):
    headers = {"Authorization": f"Bearer {who.token}", "X-Forwarded-For": who.address}
    return place.client.build_request("POST", f"{place.path}/data/", headers=headers, **content)


@pytest.mark.parametrize("form", [True, False])
def test_it_does_nothing_any_more(place, ada, form):
    project = str(ada.told("/users/me")["default_project"])
    file = {"data": {"project": project}, "files": {"file": ("late.fasta", b"acgt" * 99)}}
    content = file if form else {"json": {"project": project, "name": "late", "content": "acgt" * 99}}

    def leave() -> None:
        assert ada.delete("/session").status_code in {200, 204}

    assert in_two_halves(request_of(place, ada, **content), leave) == 401
    assert kept(place) == {}


def test_who_stays_may_take_their_time(place, ada):
    project = str(ada.told("/users/me")["default_project"])
    content = {"json": {"project": project, "name": "slow", "content": "acgt" * 99}}

    assert in_two_halves(request_of(place, ada, **content), lambda: None) == 201
    assert len(kept(place)) == 1
