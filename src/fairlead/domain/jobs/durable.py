"""Which durable workflows run jobs and fetch data? All of them in one place, for whoever puts a worker together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fairlead.base.database import Database
from fairlead.domain.jobs.collecting import end_steps
from fairlead.domain.jobs.fetching import fetch_steps
from fairlead.domain.jobs.flows import flow_steps
from fairlead.domain.jobs.receiving import FETCH
from fairlead.domain.jobs.submitting import SCIENCE_JOB, SCIENCE_WORKFLOW
from fairlead.domain.jobs.tools import Tools
from fairlead.domain.jobs.watching import SCIENCE_JOB_END
from fairlead.domain.jobs.work import job_steps
from fairlead.domain.workflows import Job, Step


def own_workflows(database: Database, tools: Tools) -> Mapping[str, Callable[[Job], Sequence[Step]]]:
    """What each of them consists of, by its name."""
    return {
        SCIENCE_JOB: job_steps(database, tools),
        SCIENCE_JOB_END: end_steps(database, tools),
        SCIENCE_WORKFLOW: flow_steps(database, tools),
        FETCH: fetch_steps(database, tools),
    }
