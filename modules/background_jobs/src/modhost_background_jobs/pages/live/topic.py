"""What somebody watches, and what was told of it at the last look."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from modhost_background_jobs.services.inspection import InspectedJob
from modhost_background_jobs.services.overview import Span

Kind = Literal["dashboard", "workers", "recurring", "job", "row", "newest"]


@dataclass(frozen=True, slots=True)
class Topic:
    """A page, or a job on a page; `may_manage` for those who get to see its buttons.

    `search` is the query string of the list whose newest jobs are told.
    """

    kind: Kind
    span: Span = "hour"
    job_id: UUID | None = None
    may_manage: bool = False
    search: str = ""


class Memory:
    """What was shown at the last look: what is the same is neither read nor drawn again."""

    def __init__(self) -> None:
        self.drawn: dict[Topic, tuple[InspectedJob, dict[str, str]]] = {}
        self.lists: dict[Topic, tuple[object, dict[str, str]]] = {}
        """By the schedules that were there, or by the time of the look at the newest jobs."""

    def jobs(self) -> dict[UUID, InspectedJob]:
        """Return the jobs as they were."""
        return {job.row["id"]: job for job, _ in self.drawn.values()}
