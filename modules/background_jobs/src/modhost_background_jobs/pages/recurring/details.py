"""One schedule: all that is known of it, and what can be done to it."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel, field_validator

from modhost import Principal
from modhost.web import Page, Query
from modhost_background_jobs.contracts import JobState, RecurringJobId
from modhost_background_jobs.inspection.schedules import ScheduleOutlook, Schedules
from modhost_background_jobs.pages.notices import NoticeQuery
from modhost_background_jobs.pages.recurring.list import PATH
from modhost_background_jobs.permissions import MANAGE_JOBS
from modhost_background_jobs.queries.schedule_runs import RunStates


class RunsQuery(BaseModel):
    """Which runs of the schedule to show."""

    runs: RunStates | None = None
    before: UUID | None = None

    @field_validator("runs", mode="before")
    @classmethod
    def _or_all(cls, value: object) -> object:
        return value or None

    def link(self, schedule: UUID, **values: object) -> str:
        """Return the address of the page with other runs."""
        given = {"runs": self.runs} | values
        query = urlencode({name: each for name, each in given.items() if each is not None})
        path = path_of_schedule(schedule)
        return f"{path}?{query}#runs" if query else f"{path}#runs"


class ScheduleQuery(RunsQuery, NoticeQuery):
    """The page of a schedule, with what was done there."""


def path_of_schedule(schedule: UUID) -> str:
    """Return the address of the page of a schedule."""
    return f"{PATH}/{schedule}"


async def show_schedule(
    id: UUID,  # noqa: A002
    query: Query[ScheduleQuery],
    schedules: Schedules,
    visitor: Principal,
) -> Page:
    """Show all that is known of a schedule."""
    found = await schedules.find(RecurringJobId(id), query.before, query.runs)
    context = schedule_context(found, may_manage=visitor.may(MANAGE_JOBS))
    name = found.row.name
    context |= {
        "query": query,
        "runs": found.runs,
        "older": found.older and query.link(id, before=found.older),
        "kinds": [("All", None), ("Failed", "failed"), ("Missed and skipped", "skipped")],
        **query.as_context(name),
    }
    return Page("recurring/details.html", context, name)


def schedule_context(found: ScheduleOutlook, *, may_manage: bool) -> dict[str, Any]:
    """Return the variables of the template, as far as they are live."""
    failed = next((run for run in found.latest if run.state is JobState.FAILED), None)
    return {
        "found": found,
        "line": found.line,
        "row": found.row,
        "last_failed": failed,
        "may_manage": may_manage,
    }


async def confirm_delete(id: UUID, schedules: Schedules) -> Page:  # noqa: A002
    """Ask whether to delete a schedule."""
    found = await schedules.outlook(RecurringJobId(id))
    return Page("recurring/delete.html", {"schedule": found.line}, "Delete a schedule")
