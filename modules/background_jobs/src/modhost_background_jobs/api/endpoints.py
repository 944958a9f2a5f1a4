"""The routes of `/api/jobs`."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import anyio
from pydantic import AwareDatetime, BaseModel, BeforeValidator

from modhost.runtime.shutdown import ShutdownSignal
from modhost.web import Body, Endpoints, Header, Query, Reply
from modhost_background_jobs.api.flow import map_flow
from modhost_background_jobs.api.preferences import Preferences
from modhost_background_jobs.api.recurring import map_recurring
from modhost_background_jobs.api.states import states
from modhost_background_jobs.api.workers import map_workers
from modhost_background_jobs.api.workflows import map_workflows
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    InvalidCronExpression,
    InvalidJobData,
    JobAction,
    JobConflict,
    JobDetail,
    JobFilter,
    JobId,
    JobNotFound,
    JobState,
    JobStatus,
    JobSummary,
    PagedResult,
    UnknownTimeZone,
)
from modhost_background_jobs.permissions import MANAGE_JOBS, VIEW_JOBS


def map_endpoints(endpoints: Endpoints) -> None:
    """Map the routes."""
    endpoints.map_error(JobNotFound, 404)
    endpoints.map_error(JobConflict, 409)
    endpoints.map_error(InvalidJobData, 422)
    endpoints.map_error(InvalidCronExpression, 409)
    endpoints.map_error(UnknownTimeZone, 409)
    endpoints.get("/", list_jobs, permission=VIEW_JOBS)
    map_recurring(endpoints)
    map_flow(endpoints)
    map_workers(endpoints)
    map_workflows(endpoints)
    endpoints.get("/{id}", get_job, permission=VIEW_JOBS)
    endpoints.get("/{id}/actions", list_actions, permission=VIEW_JOBS)
    endpoints.post("/{id}/cancel", cancel_job, permission=MANAGE_JOBS)
    endpoints.post("/{id}/retry", retry_job, permission=MANAGE_JOBS)
    endpoints.post("/{id}/run-now", run_job_now, permission=MANAGE_JOBS)
    endpoints.post("/{id}/reschedule", reschedule_job, permission=MANAGE_JOBS)
    endpoints.delete("/{id}", delete_job, permission=MANAGE_JOBS)


class JobQuery(JobFilter):
    """The filter as the query string gives it; `state` may be there more than once."""

    state: Annotated[tuple[JobState, ...], BeforeValidator(states)] = ()
    job_type: Annotated[str | None, BeforeValidator(lambda value: value or None)] = None


class NewTime(BaseModel):
    """When a job is to be due."""

    execute_at: AwareDatetime


async def list_jobs(
    query: Query[JobQuery], jobs: BackgroundJobsContracts
) -> PagedResult[JobSummary]:
    """List jobs, newest first."""
    return await jobs.get_jobs(query)


async def get_job(
    id: UUID,  # noqa: A002
    preferences: Header[Preferences],
    jobs: BackgroundJobs,
    querying: BackgroundJobsContracts,
    shutdown: ShutdownSignal,
) -> Reply[JobDetail]:
    """Show a job with its data, result, logs and attempts; `Prefer: wait=30` waits for its end."""
    seconds = preferences.wait_seconds
    if seconds is not None:
        await _wait(jobs, JobId(id), seconds, shutdown)
    detail = await querying.get_job_detail(JobId(id))
    if detail is None:
        raise JobNotFound(id)
    return Reply(
        detail, headers={} if seconds is None else {"Preference-Applied": f"wait={seconds}"}
    )


async def list_actions(id: UUID, jobs: BackgroundJobsContracts) -> Sequence[JobAction]:  # noqa: A002
    """List what people did to a job, and to its workflow, oldest first: who retried it and when."""
    return await jobs.get_job_actions(JobId(id))


async def _wait(jobs: BackgroundJobs, id_: JobId, seconds: int, shutdown: ShutdownSignal) -> None:
    """Wait until the job has ended, the time has passed or the host shuts down."""
    async with anyio.create_task_group() as group:

        async def end_with_host() -> None:
            await shutdown.wait()
            group.cancel_scope.cancel()

        group.start_soon(end_with_host)
        with suppress(TimeoutError):
            await jobs.wait(id_, timedelta(seconds=seconds))
        group.cancel_scope.cancel()


async def cancel_job(id: UUID, jobs: BackgroundJobs) -> Reply[JobStatus]:  # noqa: A002
    """Cancel a pending job, or ask a running one to stop."""
    status = await jobs.cancel(JobId(id))
    return Reply(status, status=200 if status.state is JobState.CANCELLED else 202)


async def retry_job(id: UUID, jobs: BackgroundJobsContracts) -> JobStatus:  # noqa: A002
    """Queue a failed job again, with a fresh allowance of attempts."""
    return await jobs.retry(JobId(id))


async def run_job_now(id: UUID, jobs: BackgroundJobs) -> JobStatus:  # noqa: A002
    """Make a pending job due now; one that waits for other jobs is refused."""
    return await jobs.run_now(JobId(id))


async def reschedule_job(
    id: UUID,  # noqa: A002
    body: Body[NewTime],
    jobs: BackgroundJobs,
) -> JobStatus:
    """Move the time at which a pending job is due; a time that has passed is now."""
    return await jobs.reschedule(JobId(id), body.execute_at)


async def delete_job(id: UUID, jobs: BackgroundJobs) -> None:  # noqa: A002
    """Delete a finished job with its data, result, log, attempts and steps."""
    await jobs.delete(JobId(id))
