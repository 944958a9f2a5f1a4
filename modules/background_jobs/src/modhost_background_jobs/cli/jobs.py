"""`modhost jobs`: look at the queue and steer it."""

from dataclasses import asdict
from uuid import UUID

import click

from modhost.cli import as_json, print_json, show
from modhost.services import Scope
from modhost_background_jobs.cli.output import in_scope, tell_job, tell_stats
from modhost_background_jobs.cli.recurring import recurring
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    JobDetail,
    JobFilter,
    JobId,
    JobNotFound,
    JobState,
    JobStatus,
    JobSummary,
    PagedResult,
)
from modhost_background_jobs.monitoring.alerts import Alert, alerts_of
from modhost_background_jobs.monitoring.overview import Overview, Summary


@click.group()
def jobs() -> None:
    """Background jobs: list, show, cancel, retry, stats, and recurring ones."""


jobs.add_command(recurring)


@jobs.command("list")
@click.option(
    "--state",
    type=click.Choice([state.value for state in JobState], case_sensitive=False),
    help="Jobs in this state alone.",
)
@click.option("--job-type", help="Jobs of this type alone, e.g. reports_example.GenerateReportJob.")
@click.option("--page", type=click.IntRange(1, 1_000_000), default=1, help="Counted from 1.")
@click.option("--page-size", type=click.IntRange(1, 200), default=20, help="Jobs on a page.")
@as_json
@click.pass_context
def list_jobs(
    context: click.Context,
    *,
    state: str | None,
    job_type: str | None,
    page: int,
    page_size: int,
    as_json: bool,
) -> None:
    """List jobs, newest first."""
    wanted = JobFilter(
        state=JobState(state) if state else None,
        job_type=job_type or None,
        page=page,
        page_size=page_size,
    )

    async def find(scope: Scope) -> PagedResult[JobSummary]:
        return await (await scope.get(BackgroundJobsContracts)).get_jobs(wanted)

    found = in_scope(context, find)
    if as_json:
        print_json(found.model_dump())
        return
    show([job.model_dump() for job in found.items], as_json=False, empty="No jobs.")
    if found.total_count > len(found.items):
        told = f"Page {found.page}: {len(found.items)} of {found.total_count} jobs."
        click.echo(told, err=True)


@jobs.command("show")
@click.argument("job_id", type=click.UUID)
@as_json
@click.pass_context
def show_job(context: click.Context, job_id: UUID, *, as_json: bool) -> None:
    """Show a job with its data, attempts and log."""

    async def find(scope: Scope) -> JobDetail:
        contracts = await scope.get(BackgroundJobsContracts)
        detail = await contracts.get_job_detail(JobId(job_id))
        if detail is None:
            raise JobNotFound(job_id)
        return detail

    detail = in_scope(context, find)
    if as_json:
        print_json(detail.model_dump())
    else:
        tell_job(detail)


@jobs.command("cancel")
@click.argument("job_id", type=click.UUID)
@as_json
@click.pass_context
def cancel_job(context: click.Context, job_id: UUID, *, as_json: bool) -> None:
    """Cancel a pending job, or ask a running one to stop, wherever it runs."""

    async def cancel(scope: Scope) -> JobStatus:
        return await (await scope.get(BackgroundJobs)).cancel(JobId(job_id))

    status = in_scope(context, cancel)
    if as_json:
        print_json(status.model_dump())
    elif status.state is JobState.CANCELLED:
        click.echo(f"The job {job_id} is cancelled.")
    else:
        click.echo(f"The job {job_id} is asked to stop.")


@jobs.command("retry")
@click.argument("job_id", type=click.UUID)
@as_json
@click.pass_context
def retry_job(context: click.Context, job_id: UUID, *, as_json: bool) -> None:
    """Queue a failed job again, with a fresh allowance of attempts."""

    async def retry(scope: Scope) -> JobStatus:
        return await (await scope.get(BackgroundJobsContracts)).retry(JobId(job_id))

    status = in_scope(context, retry)
    if as_json:
        print_json(status.model_dump())
    else:
        click.echo(f"The job {job_id} is queued again.")


@jobs.command("stats")
@as_json
@click.pass_context
def stats(context: click.Context, *, as_json: bool) -> None:
    """Tell how the queue is doing, and what needs a look."""

    async def find(scope: Scope) -> tuple[Summary, int, list[Alert]]:
        overview = await scope.get(Overview)
        snapshot = await overview.look()
        return await overview.summary(snapshot), len(snapshot.alive), alerts_of(snapshot)

    summary, alive, attention = in_scope(context, find)
    counts = asdict(summary) | {"workers": alive}
    if as_json:
        needing = [{"title": each.title, "text": each.text} for each in attention]
        print_json(counts | {"attention": needing})
    else:
        tell_stats(counts, attention)
