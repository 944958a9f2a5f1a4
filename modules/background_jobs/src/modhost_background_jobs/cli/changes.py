"""`modhost jobs run-now`, `reschedule` and `delete`."""

from datetime import datetime
from uuid import UUID

import click

from modhost import Scope
from modhost.cli import as_json, print_result, with_scope
from modhost_background_jobs.contracts import BackgroundJobs, BackgroundJobsError, JobId


@click.command("run-now")
@click.argument("job_id", type=click.UUID)
@as_json
@with_scope(BackgroundJobsError)
async def run_job_now(scope: Scope, job_id: UUID, *, as_json: bool) -> None:
    """Make a pending job due now; priorities, limits and pauses hold as for any due job."""
    status = await (await scope.get(BackgroundJobs)).run_now(JobId(job_id))
    print_result(status.model_dump(), f"The job {job_id} is due now.", as_json=as_json)


@click.command("reschedule")
@click.argument("job_id", type=click.UUID)
@click.argument("execute_at")
@as_json
@with_scope(BackgroundJobsError)
async def reschedule_job(scope: Scope, job_id: UUID, execute_at: str, *, as_json: bool) -> None:
    """Move the time at which a pending job is due, e.g. to 2026-11-30T03:00+01:00."""
    try:
        moment = datetime.fromisoformat(execute_at)
    except ValueError:
        raise click.UsageError(
            f"{execute_at!r} is not a time; write 2026-11-30T03:00+01:00."
        ) from None
    status = await (await scope.get(BackgroundJobs)).reschedule(JobId(job_id), moment)
    done = f"The job {job_id} is due at {status.execute_at:%Y-%m-%d %H:%M:%S} UTC."
    print_result(status.model_dump(), done, as_json=as_json)


@click.command("delete")
@click.argument("job_id", type=click.UUID)
@as_json
@with_scope(BackgroundJobsError)
async def delete_job(scope: Scope, job_id: UUID, *, as_json: bool) -> None:
    """Delete a finished job with its data, result, log, attempts and steps."""
    await (await scope.get(BackgroundJobs)).delete(JobId(job_id))
    print_result({"id": str(job_id)}, f"The job {job_id} is deleted.", as_json=as_json)
