"""`modhost jobs recurring`: look at schedules, and turn them on and off."""

from collections.abc import Sequence
from uuid import UUID

import click

from modhost.cli import as_json, print_json, show
from modhost.services import Scope
from modhost_background_jobs.commands.acting import in_scope
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    RecurringJob,
    RecurringJobId,
)


@click.group()
def recurring() -> None:
    """Recurring jobs: list, toggle, delete."""


@recurring.command("list")
@as_json
@click.pass_context
def list_recurring(context: click.Context, *, as_json: bool) -> None:
    """List all schedules by name."""

    async def find(scope: Scope) -> Sequence[RecurringJob]:
        return await (await scope.get(BackgroundJobsContracts)).get_recurring_jobs()

    rows = [schedule.model_dump() for schedule in in_scope(context, find)]
    show(rows, as_json=as_json, empty="No recurring jobs.")


@recurring.command("toggle")
@click.argument("recurring_id", type=click.UUID)
@as_json
@click.pass_context
def toggle_recurring(context: click.Context, recurring_id: UUID, *, as_json: bool) -> None:
    """Disable an enabled schedule, or enable a disabled one."""

    async def toggle(scope: Scope) -> bool:
        return await (await scope.get(BackgroundJobs)).toggle_recurring(
            RecurringJobId(recurring_id)
        )

    is_enabled = in_scope(context, toggle)
    if as_json:
        print_json({"is_enabled": is_enabled})
    else:
        state = "enabled" if is_enabled else "disabled"
        click.echo(f"The recurring job {recurring_id} is {state}.")


@recurring.command("delete")
@click.argument("recurring_id", type=click.UUID)
@click.pass_context
def delete_recurring(context: click.Context, recurring_id: UUID) -> None:
    """Delete a schedule; its runs stay."""

    async def delete(scope: Scope) -> None:
        await (await scope.get(BackgroundJobs)).remove_recurring(RecurringJobId(recurring_id))

    in_scope(context, delete)
    click.echo(f"The recurring job {recurring_id} is deleted.")
