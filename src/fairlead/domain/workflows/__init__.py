"""What outlives a request: workflows that go on after any power cut, where they were."""

from fairlead.domain.workflows.actions import (
    cancel,
    definitions,
    find_job,
    job_id_of,
    list_jobs,
    read_folder,
    register,
    register_all,
    remove_old,
    retry,
    shipped,
    start,
)
from fairlead.domain.workflows.allowed import make_sure_addresses_are_allowed, make_sure_programs_are_allowed
from fairlead.domain.workflows.definition import Definition, read, read_file
from fairlead.domain.workflows.engine import Bounds, Worker
from fairlead.domain.workflows.model import (
    BadDefinition,
    Job,
    JobNotFound,
    MissingInputs,
    NotYet,
    Result,
    Run,
    Status,
    Step,
    StepFailed,
    WorkflowExists,
    WorkflowNotFound,
)
from fairlead.domain.workflows.own import Catalogue, own_step, start_own
from fairlead.domain.workflows.store import open_among
from fairlead.domain.workflows.substitution import is_deeper_than
from fairlead.domain.workflows.tasks import Runner, Tools

__all__ = [
    "BadDefinition",
    "Bounds",
    "Catalogue",
    "Definition",
    "Job",
    "JobNotFound",
    "MissingInputs",
    "NotYet",
    "Result",
    "Run",
    "Runner",
    "Status",
    "Step",
    "StepFailed",
    "Tools",
    "Worker",
    "WorkflowExists",
    "WorkflowNotFound",
    "cancel",
    "definitions",
    "find_job",
    "is_deeper_than",
    "job_id_of",
    "list_jobs",
    "make_sure_addresses_are_allowed",
    "make_sure_programs_are_allowed",
    "open_among",
    "own_step",
    "read",
    "read_file",
    "read_folder",
    "register",
    "register_all",
    "remove_old",
    "retry",
    "shipped",
    "start",
    "start_own",
]
