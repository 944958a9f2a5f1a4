"""Running a job now, moving its time, and deleting it, from its page."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from starlette.responses import Response

from modhost.web import Form, Page
from modhost_background_jobs.contracts import BackgroundJobs, JobConflict, JobId
from modhost_background_jobs.inspection.job import JobInspection
from modhost_background_jobs.pages.job import path_of
from modhost_background_jobs.pages.job_list import PATH
from modhost_background_jobs.pages.notices import redirect
from modhost_background_jobs.queries.search.local_times import UTC_NAME, ZoneName, in_zone


class RescheduleForm(BaseModel):
    """The new time, by the clock of a zone."""

    execute_at: datetime
    zone: ZoneName = UTC_NAME


async def run_now(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Make a pending job due now."""
    try:
        await jobs.run_now(JobId(id))
    except JobConflict:
        return redirect(path_of(id), "not-now")
    return redirect(path_of(id), "due-now")


async def ask_time(id: UUID, inspection: JobInspection) -> Page:  # noqa: A002
    """Ask for the new time."""
    job = await inspection.inspect(id)
    return Page("reschedule.html", {"row": job.row}, "Reschedule")


async def reschedule(
    id: UUID,  # noqa: A002
    form: Form[RescheduleForm],
    jobs: BackgroundJobs,
) -> Response:
    """Move the time at which a pending job is due."""
    try:
        await jobs.reschedule(JobId(id), in_zone(form.execute_at, form.zone))
    except JobConflict:
        return redirect(path_of(id), "too-late")
    return redirect(path_of(id), "rescheduled")


async def confirm_delete(id: UUID, inspection: JobInspection) -> Page:  # noqa: A002
    """Ask whether to delete a job."""
    job = await inspection.inspect(id)
    return Page("delete_job.html", {"row": job.row}, "Delete a job")


async def delete(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Delete a finished job."""
    try:
        await jobs.delete(JobId(id))
    except JobConflict:
        return redirect(path_of(id), "needed")
    return redirect(PATH, "job-deleted")
