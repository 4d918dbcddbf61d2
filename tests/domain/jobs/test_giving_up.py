"""A job does not stay under way when the work on it was given up."""

from __future__ import annotations

import json

import pytest

from fairlead.domain import catalog, jobs, workflows
from fairlead.domain.jobs import Status
from fairlead.domain.jobs.execution import Observation, State
from fairlead.domain.jobs.giving_up import GIVEN_UP
from house.science import SEAL, ended, program


@pytest.fixture
def ada(lab):
    lab.register(program("align"))
    return lab.user("ada")


def give_up(lab, workflow: str) -> None:
    """What the operator does with `fairlead workflows cancel`, to all work of this kind in the organization."""
    with lab.database.across_tenants("an operator looks at work") as tx:
        for each in workflows.list_jobs(tx, workflow=workflow, at_most=1000):
            if each.tenant_id == lab.tenant_id:
                workflows.cancel(tx, SEAL, each.id)


def test_a_job_that_nobody_brings_to_its_system_any_longer_is_in_error(lab, ada):
    given_up = lab.submit(lab.as_(ada), ada.default_project, "align")
    give_up(lab, "science job")
    other = lab.submit(lab.as_(ada), ada.default_project, "align", inputs={"sequence": {"content": ">other\nAC"}})

    jobs.end_given_up(lab.database, lab.tools)

    job = lab.job(given_up.number)
    assert (job.status, job.message) == (Status.ERROR, GIVEN_UP)
    assert lab.job(other.number).status is Status.TO_BE_BUILT
    assert any(GIVEN_UP in message for _, message in lab.notes(ada))


def test_a_job_whose_results_nobody_collects_any_longer_is_in_error(lab, ada):
    worker = lab.work()
    job = lab.submit(lab.as_(ada), ada.default_project, "align")
    lab.say(job, Observation(State.RUNNING))
    lab.becomes(job, Status.RUNNING)
    worker.stop()
    jobs.end_given_up(lab.database, lab.tools)
    assert lab.job(job.number).status is Status.RUNNING  # its system has it: nobody need work on it

    lab.say(job, ended())
    lab.becomes(job, Status.UPDATING)
    jobs.end_given_up(lab.database, lab.tools)
    assert lab.job(job.number).status is Status.UPDATING
    give_up(lab, "science job end")
    jobs.end_given_up(lab.database, lab.tools)

    assert lab.job(job.number).message == GIVEN_UP


def test_a_workflow_of_services_that_nobody_drives_any_longer_ends_with_its_tasks(lab, ada):
    file = {"_type": "FormattedType", "data_terms": ["EDAM_data:2044"]}
    document = {
        "_type": "Workflow",
        "name": "flow",
        "version": "1",
        "tasks": [{"id": "alignment", "service": "align::here"}],
        "links": [{"from_parameter": "sequence", "to_task": "alignment", "to_parameter": "sequence"}],
        "inputs": [{"_type": "InputParameter", "name": "sequence", "mandatory": True, "type": file}],
        "outputs": [],
    }
    lab.register(catalog.read_json(json.dumps(document)))
    lab.work()
    job = lab.submit(lab.as_(ada), ada.default_project, "flow")
    lab.becomes(job, Status.RUNNING)
    task = lab.until(lambda: lab.look(jobs.subjobs, job.number), "its task")[0]
    lab.say(task, Observation(State.RUNNING))
    lab.becomes(task, Status.RUNNING)

    give_up(lab, "science workflow")
    jobs.end_given_up(lab.database, lab.tools)

    assert lab.job(job.number).status is Status.ERROR
    lab.becomes(task, Status.KILLED)
