"""What can be watched on pages."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from modhost_background_jobs.inspection.overview import Span

Kind = Literal[
    "dashboard",
    "workers",
    "recurring",
    "schedule",
    "job",
    "row",
    "newest",
    "queues",
    "workflows",
    "workflow",
    "types",
    "type",
]


@dataclass(frozen=True, slots=True)
class Topic:
    """A page, or a job on a page; `may_manage` for those who see its buttons.

    `search` is the query string of the list whose newest jobs are watched, or the state of the
    workflows of a list, or which job types, or type, of which span, or which recurring jobs;
    `job_id` may be that of a workflow or of a recurring job.
    """

    kind: Kind
    span: Span = "hour"
    job_id: UUID | None = None
    may_manage: bool = False
    search: str = ""
