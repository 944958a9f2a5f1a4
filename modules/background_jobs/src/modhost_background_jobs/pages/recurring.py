"""The schedules."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from starlette.responses import Response

from modhost import Principal
from modhost.web import Page, Query
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    InvalidCronExpression,
    JobNotFound,
    RecurringJobId,
    UnknownTimeZone,
)
from modhost_background_jobs.inspection.schedules import Schedules, ScheduleView
from modhost_background_jobs.pages.job import path_of
from modhost_background_jobs.pages.notices import NoticeQuery, redirect
from modhost_background_jobs.permissions import MANAGE_JOBS

PATH: Final = "/admin/jobs/recurring"


async def show_schedules(
    query: Query[NoticeQuery], schedules: Schedules, visitor: Principal
) -> Page:
    """Show all schedules."""
    views = await schedules.all()
    name = next((each.row.name for each in views if each.row.id == query.schedule), "")
    context = schedules_context(views, may_manage=visitor.may(MANAGE_JOBS))
    return Page("recurring.html", context | query.as_context(name), "Recurring jobs")


def schedules_context(views: Sequence[ScheduleView], *, may_manage: bool) -> dict[str, Any]:
    """Return the variables of the template, as far as they are live."""
    return {"schedules": views, "may_manage": may_manage}


async def toggle(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Enable or disable a schedule."""
    try:
        is_enabled = await jobs.toggle_recurring(RecurringJobId(id))
    except JobNotFound:
        return redirect(PATH, "gone")
    except (InvalidCronExpression, UnknownTimeZone):
        return redirect(PATH, "unreadable", schedule=id, to=f"s-{id}")
    return redirect(PATH, "enabled" if is_enabled else "disabled", schedule=id, to=f"s-{id}")


async def enable(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Enable a schedule."""
    try:
        await jobs.enable_recurring(RecurringJobId(id))
    except JobNotFound:
        return redirect(PATH, "gone")
    except (InvalidCronExpression, UnknownTimeZone):
        return redirect(PATH, "unreadable", schedule=id, to=f"s-{id}")
    return redirect(PATH, "enabled", schedule=id, to=f"s-{id}")


async def disable(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Disable a schedule."""
    try:
        await jobs.disable_recurring(RecurringJobId(id))
    except JobNotFound:
        return redirect(PATH, "gone")
    return redirect(PATH, "disabled", schedule=id, to=f"s-{id}")


async def run_now(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Start a run besides the due times."""
    try:
        job_id = await jobs.run_recurring_now(RecurringJobId(id))
    except JobNotFound:
        return redirect(PATH, "gone")
    return redirect(path_of(job_id), "run-now")


async def confirm_delete(id: UUID, schedules: Schedules) -> Page:  # noqa: A002
    """Ask whether to delete a schedule."""
    schedule = await schedules.find(RecurringJobId(id))
    return Page("delete_schedule.html", {"schedule": schedule}, "Delete a schedule")


async def delete(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Delete a schedule; its runs stay."""
    try:
        await jobs.remove_recurring(RecurringJobId(id))
    except JobNotFound:
        return redirect(PATH, "gone")
    return redirect(PATH, "deleted")
