"""`modhost jobs workflows`: list, show, cancel and retry."""

from typing import Any
from uuid import UUID

import click

from modhost import Scope
from modhost.cli import as_json, print_json, print_result, show, show_fields, with_scope
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    BackgroundJobsError,
    JobId,
    JobNotFound,
    JobState,
    WorkflowFilter,
    WorkflowId,
    WorkflowJob,
    WorkflowJobFilter,
    WorkflowState,
)

_SHOWN = 3


@click.group()
def workflows() -> None:
    """Workflows: list, show, cancel, retry."""


@workflows.command("list")
@click.option(
    "--state",
    type=click.Choice([state.value for state in WorkflowState], case_sensitive=False),
    help="Workflows in this state alone.",
)
@click.option("--page", type=click.IntRange(1, 1_000_000), default=1, help="Counted from 1.")
@click.option("--after", type=click.UUID, help="Workflows older than this one, instead of a page.")
@click.option("--page-size", type=click.IntRange(1, 200), default=20, help="Workflows on a page.")
@as_json
@with_scope(BackgroundJobsError)
async def list_workflows(
    scope: Scope,
    *,
    state: str | None,
    page: int,
    after: UUID | None,
    page_size: int,
    as_json: bool,
) -> None:
    """List workflows with the counts of their jobs, newest first."""
    _refuse_two_places(page, after)
    wanted = WorkflowFilter(
        state=WorkflowState(state) if state else None, page=page, after=after, page_size=page_size
    )
    found = await (await scope.get(BackgroundJobsContracts)).get_workflows(wanted)
    if as_json:
        print_json(found.model_dump())
        return
    show([each.model_dump() for each in found.items], as_json=False, empty="No workflows.")
    if found.total_count > len(found.items):
        place = f"Page {page}" if after is None else f"After {after}"
        click.echo(f"{place}: {len(found.items)} of {found.total_count} workflows.", err=True)


@workflows.command("show")
@click.argument("workflow_id", type=click.UUID)
@click.option(
    "--state",
    type=click.Choice([state.value for state in JobState], case_sensitive=False),
    multiple=True,
    help="Its jobs in this state alone; give it again for several.",
)
@click.option("--page", type=click.IntRange(1, 1_000_000), default=1, help="Counted from 1.")
@click.option("--after", type=click.UUID, help="Jobs added after this one, instead of a page.")
@click.option("--page-size", type=click.IntRange(1, 200), default=50, help="Jobs on a page.")
@as_json
@with_scope(BackgroundJobsError)
async def show_workflow(
    scope: Scope,
    workflow_id: UUID,
    *,
    state: tuple[str, ...],
    page: int,
    after: UUID | None,
    page_size: int,
    as_json: bool,
) -> None:
    """Show a workflow, its jobs, and what each of them waits for."""
    _refuse_two_places(page, after)
    wanted = WorkflowJobFilter(
        state=tuple(JobState(each) for each in state),
        page=page,
        after=None if after is None else JobId(after),
        page_size=page_size,
    )
    jobs = await scope.get(BackgroundJobsContracts)
    detail = await jobs.get_workflow_detail(WorkflowId(workflow_id), wanted)
    if detail is None:
        raise JobNotFound(workflow_id, "workflow")
    if as_json:
        print_json(detail.model_dump())
        return
    show_fields(detail.model_dump(exclude={"nodes"}))
    click.echo("\njobs")
    show([_row(each) for each in detail.nodes.items], as_json=False, empty="No jobs.")
    if detail.nodes.total_count > len(detail.nodes.items):
        place = f"Page {page}" if after is None else f"After {after}"
        counted = f"{len(detail.nodes.items)} of {detail.nodes.total_count} jobs"
        click.echo(f"{place}: {counted}.", err=True)


@workflows.command("cancel")
@click.argument("workflow_id", type=click.UUID)
@as_json
@with_scope(BackgroundJobsError)
async def cancel_workflow(scope: Scope, workflow_id: UUID, *, as_json: bool) -> None:
    """Cancel all pending jobs of a workflow, and ask those that run to stop."""
    found = await (await scope.get(BackgroundJobs)).cancel_workflow(WorkflowId(workflow_id))
    done = "is cancelled" if found.state.is_final else "stops: some of its jobs still run"
    print_result(found.model_dump(), f"The workflow {workflow_id} {done}.", as_json=as_json)


@workflows.command("retry")
@click.argument("workflow_id", type=click.UUID)
@as_json
@with_scope(BackgroundJobsError)
async def retry_workflow(scope: Scope, workflow_id: UUID, *, as_json: bool) -> None:
    """Retry all failed jobs of a workflow, and what was cancelled because of them."""
    found = await (await scope.get(BackgroundJobs)).retry_workflow(WorkflowId(workflow_id))
    print_result(found.model_dump(), f"The workflow {workflow_id} runs again.", as_json=as_json)


def _refuse_two_places(page: int, after: UUID | None) -> None:
    if after is not None and page != 1:
        raise click.UsageError("Give --page or --after, and not both.")


def _row(job: WorkflowJob) -> dict[str, Any]:
    names = ("id", "job_type", "state", "progress_percentage", "created_at", "completed_at")
    waits_for = ", ".join(map(str, job.after[:_SHOWN]))
    if job.after_count > _SHOWN:
        waits_for += f" and {job.after_count - _SHOWN} more"
    when = job.when if job.after else None
    return {name: getattr(job, name) for name in names} | {"when": when, "after": waits_for or None}
