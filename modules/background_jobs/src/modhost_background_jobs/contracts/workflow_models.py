"""Workflows as other modules and HTTP clients read them."""

from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from modhost_background_jobs.contracts.ids import JobId
from modhost_background_jobs.contracts.models import JobSummary, PagedResult
from modhost_background_jobs.contracts.states import JobState, RunWhen, WorkflowState
from modhost_background_jobs.contracts.workflows import WorkflowSummary

MAX_AFTER: Final = 1_000
"""How many of the jobs before one are listed with it."""


class WorkflowJob(JobSummary):
    """A job of a workflow, which waits for those of `after`, and runs on the condition `when`.

    `after` has the first 1,000 of them, in order; `after_count` is how many there are.
    """

    after: tuple[JobId, ...]
    after_count: int
    when: RunWhen


class WorkflowDetail(WorkflowSummary):
    """A workflow with a page of its jobs, in the order in which they were added."""

    nodes: PagedResult[WorkflowJob]


class WorkflowFilter(BaseModel):
    """Which workflows to list: newest first, `page` counted from 1, or those older than `after`.

    To read all, give the `next` of each result as the next `after`, until it is None.

    Attributes:
        state: the state of the workflows; None for any.

    """

    state: WorkflowState | None = None
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 20
    after: UUID | None = None

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        _refuse_two_places(self.after, self.page)
        return self


class WorkflowJobFilter(BaseModel):
    """Which jobs of a workflow to list: by `page`, counted from 1, or those added after `after`.

    Attributes:
        state: the state of the jobs, or several of which they have any; None for any at all.

    """

    state: JobState | tuple[JobState, ...] | None = None
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 50
    after: JobId | None = None

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        _refuse_two_places(self.after, self.page)
        return self


def _refuse_two_places(after: object, page: int) -> None:
    if after is not None and page != 1:
        raise ValueError("give page or after, and not both: after is a place by itself.")
