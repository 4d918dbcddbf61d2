"""Does somebody's organization have the plan that a feature takes?"""

from __future__ import annotations

import pytest

from house.world import ADA, USERADM, settled

PLANS = ("os", "professional", "enterprise")
VERIFY = f"{USERADM}/auth/plan-verify"


def header(plan: str) -> dict[str, str]:
    return {"X-Mender-Required-Minimal-Plan": plan}


@pytest.mark.parametrize("own", PLANS)
def test_a_plan_has_all_that_smaller_ones_have(server, own):
    with settled(server, "acme", {ADA: "RBAC_ROLE_OBSERVER"}, plan=own) as acme:
        replies = [acme.mender.as_(ADA).post(VERIFY, headers=header(plan)) for plan in PLANS]

    assert [reply.status_code for reply in replies] == [
        202 if PLANS.index(own) >= PLANS.index(plan) else 403 for plan in PLANS
    ]
    for reply in replies:
        assert reply.content == b"" if reply.status_code == 202 else own in reply.json()["error"]


@pytest.mark.parametrize("plan", ["", "gold", "OS", "enterprise ultimate", "x" * 2000])
def test_a_plan_that_there_is_not_is_refused(standing, plan):
    reply = standing.mender.as_(ADA).post(VERIFY, headers=header(plan))

    assert reply.status_code == 400
    assert len(reply.json()["error"]) < 200


def test_the_plan_must_be_named(standing):
    reply = standing.mender.as_(ADA).post(VERIFY)

    assert (reply.status_code, reply.json()["error"]) == (
        400,
        "Missing required header X-Mender-Required-Minimal-Plan",
    )


def test_a_stranger_has_no_plan(standing):
    assert standing.mender.client.post(VERIFY, headers=header("os")).status_code == 401
