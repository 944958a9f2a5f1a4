"""The routes of `/api/jobs/recurring`."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel

from modhost.web import Body, Endpoints, HttpProblem, Reply
from modhost.web.problems import FieldError
from modhost_background_jobs.client.querying import recurring_of
from modhost_background_jobs.client.schedules.editing import (
    InvalidSchedule,
    RecurringEdit,
    ScheduleEditing,
)
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    JobId,
    RecurringJob,
    RecurringJobId,
)
from modhost_background_jobs.model.schedule import ScheduleConflict
from modhost_background_jobs.permissions import MANAGE_JOBS, VIEW_JOBS
from modhost_background_jobs.queue.schedules import RecurringSchedules


def map_recurring(endpoints: Endpoints) -> None:
    """Map the routes."""
    endpoints.map_error(ScheduleConflict, 409)
    one = "/recurring/{id}"
    endpoints.get("/recurring", list_recurring, permission=VIEW_JOBS)
    endpoints.post("/recurring", create_recurring, permission=MANAGE_JOBS)
    endpoints.put(one, edit_recurring, permission=MANAGE_JOBS)
    endpoints.post(f"{one}/toggle", toggle_recurring, permission=MANAGE_JOBS)
    endpoints.post(f"{one}/enable", enable_recurring, permission=MANAGE_JOBS)
    endpoints.post(f"{one}/disable", disable_recurring, permission=MANAGE_JOBS)
    endpoints.post(f"{one}/run-now", run_recurring_now, permission=MANAGE_JOBS)
    endpoints.delete(one, delete_recurring, permission=MANAGE_JOBS)


class Toggled(BaseModel):
    """Whether a recurring job is enabled now."""

    is_enabled: bool


class StartedRun(BaseModel):
    """The run of a recurring job that was started."""

    job_id: JobId


async def list_recurring(jobs: BackgroundJobsContracts) -> Sequence[RecurringJob]:
    """List all recurring jobs."""
    return await jobs.get_recurring_jobs()


async def create_recurring(
    body: Body[RecurringEdit], editing: ScheduleEditing, schedules: RecurringSchedules
) -> Reply[RecurringJob]:
    """Create a recurring job that no code owns."""
    try:
        created = await editing.create(body)
    except InvalidSchedule as error:
        raise _problem(error) from error
    return Reply(recurring_of(await schedules.get(created)), status=201)


async def edit_recurring(
    id: UUID,  # noqa: A002
    body: Body[RecurringEdit],
    editing: ScheduleEditing,
    schedules: RecurringSchedules,
) -> RecurringJob:
    """Change a recurring job that no code owns; its id and its runs stay."""
    try:
        await editing.edit(RecurringJobId(id), body)
    except InvalidSchedule as error:
        raise _problem(error) from error
    return recurring_of(await schedules.get(id))


async def toggle_recurring(id: UUID, jobs: BackgroundJobs) -> Toggled:  # noqa: A002
    """Enable a disabled recurring job, or disable an enabled one."""
    return Toggled(is_enabled=await jobs.toggle_recurring(RecurringJobId(id)))


async def enable_recurring(id: UUID, jobs: BackgroundJobs) -> Toggled:  # noqa: A002
    """Enable a recurring job; one that is enabled stays so."""
    await jobs.enable_recurring(RecurringJobId(id))
    return Toggled(is_enabled=True)


async def disable_recurring(id: UUID, jobs: BackgroundJobs) -> Toggled:  # noqa: A002
    """Disable a recurring job; one that is disabled stays so."""
    await jobs.disable_recurring(RecurringJobId(id))
    return Toggled(is_enabled=False)


async def run_recurring_now(id: UUID, jobs: BackgroundJobs) -> Reply[StartedRun]:  # noqa: A002
    """Start a run of a recurring job besides its due times."""
    return Reply(StartedRun(job_id=await jobs.run_recurring_now(RecurringJobId(id))), status=202)


async def delete_recurring(id: UUID, jobs: BackgroundJobs) -> None:  # noqa: A002
    """Delete a recurring job; its runs stay."""
    await jobs.remove_recurring(RecurringJobId(id))


def _problem(error: InvalidSchedule) -> HttpProblem:
    return HttpProblem(422, str(error), errors=[FieldError(error.field, str(error))])
