"""`modhost jobs`: watch the queue and control it."""

from uuid import UUID

import click

from modhost import Scope
from modhost.cli import as_json, print_json, print_result, show, with_scope
from modhost_background_jobs.cli.changes import delete_job, reschedule_job, run_job_now
from modhost_background_jobs.cli.limits import limits
from modhost_background_jobs.cli.output import show_job, show_stats
from modhost_background_jobs.cli.queues import queues, types
from modhost_background_jobs.cli.recurring import recurring
from modhost_background_jobs.cli.workers import workers
from modhost_background_jobs.cli.workflows import workflows
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    BackgroundJobsError,
    JobFilter,
    JobId,
    JobNotFound,
    JobState,
)
from modhost_background_jobs.inspection.alerts import alerts_of
from modhost_background_jobs.inspection.overview import Overview
from modhost_background_jobs.inspection.snapshot import Snapshots


@click.group()
def jobs() -> None:
    """Background jobs: list, show, cancel, retry, stats, recurring ones and workflows."""


for command in (recurring, queues, types, limits, workflows, workers):
    jobs.add_command(command)
for change in (run_job_now, reschedule_job, delete_job):
    jobs.add_command(change)


@jobs.command("list")
@click.option(
    "--state",
    type=click.Choice([state.value for state in JobState], case_sensitive=False),
    multiple=True,
    help="Jobs in this state alone; give it again for several.",
)
@click.option("--job-type", help="Jobs of this type alone, e.g. reports_example.GenerateReportJob.")
@click.option("--queue", help="Jobs of this queue alone.")
@click.option("--tag", help="Jobs with this tag alone.")
@click.option("--page", type=click.IntRange(1, 1_000_000), default=1, help="Counted from 1.")
@click.option("--after", type=click.UUID, help="Jobs older than this one, instead of a page.")
@click.option("--page-size", type=click.IntRange(1, 200), default=20, help="Jobs on a page.")
@as_json
@with_scope(BackgroundJobsError)
async def list_jobs(
    scope: Scope,
    *,
    state: tuple[str, ...],
    job_type: str | None,
    queue: str | None,
    tag: str | None,
    page: int,
    after: UUID | None,
    page_size: int,
    as_json: bool,
) -> None:
    """List jobs, newest first."""
    if after is not None and page != 1:
        raise click.UsageError("Give --page or --after, and not both.")
    for option, value in (("--job-type", job_type), ("--queue", queue), ("--tag", tag)):
        if value and not value.isprintable():
            raise click.UsageError(f"{option} has a character that none of a job has.")
    wanted = JobFilter(
        state=tuple(JobState(each) for each in state),
        job_type=job_type or None,
        queue=queue or None,
        tag=tag or None,
        page=page,
        page_size=page_size,
        after=None if after is None else JobId(after),
    )
    found = await (await scope.get(BackgroundJobsContracts)).get_jobs(wanted)
    if as_json:
        print_json(found.model_dump())
        return
    rows = [job.model_dump() | {"tags": " ".join(job.tags)} for job in found.items]
    show(rows, as_json=False, empty="No jobs.")
    if found.total_count > len(found.items):
        place = f"Page {found.page}" if after is None else f"After {after}"
        counted = f"{place}: {len(found.items)} of {found.total_count} jobs."
        click.echo(counted, err=True)


@jobs.command("show")
@click.argument("job_id", type=click.UUID)
@as_json
@with_scope(BackgroundJobsError)
async def show_job_detail(scope: Scope, job_id: UUID, *, as_json: bool) -> None:
    """Show a job with its data, result, attempts, log, and what people did to it."""
    queries = await scope.get(BackgroundJobsContracts)
    detail = await queries.get_job_detail(JobId(job_id))
    if detail is None:
        raise JobNotFound(job_id)
    actions = await queries.get_job_actions(JobId(job_id))
    if as_json:
        print_json(detail.model_dump() | {"actions": [each.model_dump() for each in actions]})
    else:
        show_job(detail, actions)


@jobs.command("cancel")
@click.argument("job_id", type=click.UUID)
@as_json
@with_scope(BackgroundJobsError)
async def cancel_job(scope: Scope, job_id: UUID, *, as_json: bool) -> None:
    """Cancel a pending job, or ask a running one to stop, wherever it runs."""
    status = await (await scope.get(BackgroundJobs)).cancel(JobId(job_id))
    done = "cancelled" if status.state is JobState.CANCELLED else "asked to stop"
    print_result(status.model_dump(), f"The job {job_id} is {done}.", as_json=as_json)


@jobs.command("retry")
@click.argument("job_id", type=click.UUID)
@as_json
@with_scope(BackgroundJobsError)
async def retry_job(scope: Scope, job_id: UUID, *, as_json: bool) -> None:
    """Queue a failed job again, with a fresh allowance of attempts."""
    status = await (await scope.get(BackgroundJobsContracts)).retry(JobId(job_id))
    print_result(status.model_dump(), f"The job {job_id} is queued again.", as_json=as_json)


@jobs.command("stats")
@as_json
@with_scope(BackgroundJobsError)
async def stats(scope: Scope, *, as_json: bool) -> None:
    """Show the state of the queue, and what needs attention."""
    overview = await scope.get(Overview)
    snapshot = await (await scope.get(Snapshots)).take()
    summary = await overview.summary(snapshot)
    counts = {
        "running": summary.running,
        "pending": summary.pending,
        "pending_is_capped": summary.pending_is_capped,
        "oldest_pending_at": summary.oldest_pending_at,
        "failed_last_day": summary.failed.number,
        "recurring": summary.recurring,
        "workers": len(snapshot.alive),
    }
    alerts = alerts_of(snapshot)
    if as_json:
        attention = [{"title": each.title, "text": each.text} for each in alerts]
        print_json(counts | {"attention": attention})
    else:
        show_stats(counts, alerts)
