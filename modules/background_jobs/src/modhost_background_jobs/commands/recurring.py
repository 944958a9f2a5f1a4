"""`modhost jobs recurring`: look at schedules, and turn them on and off."""

from collections.abc import Sequence

import click

from modhost.cli import as_json, print_json, show
from modhost.services import Scope
from modhost_background_jobs.commands.acting import in_scope
from modhost_background_jobs.commands.naming import recurring_id
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    RecurringJob,
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
@click.argument("id_or_name")
@as_json
@click.pass_context
def toggle_recurring(context: click.Context, id_or_name: str, *, as_json: bool) -> None:
    """Disable an enabled schedule, or enable a disabled one."""

    async def toggle(scope: Scope) -> bool:
        found = await recurring_id(scope, id_or_name)
        return await (await scope.get(BackgroundJobs)).toggle_recurring(found)

    is_enabled = in_scope(context, toggle)
    if as_json:
        print_json({"is_enabled": is_enabled})
    else:
        state = "enabled" if is_enabled else "disabled"
        click.echo(f"The recurring job {id_or_name} is {state}.")


@recurring.command("delete")
@click.argument("id_or_name")
@click.pass_context
def delete_recurring(context: click.Context, id_or_name: str) -> None:
    """Delete a schedule; its runs stay."""

    async def delete(scope: Scope) -> None:
        found = await recurring_id(scope, id_or_name)
        await (await scope.get(BackgroundJobs)).remove_recurring(found)

    in_scope(context, delete)
    click.echo(f"The recurring job {id_or_name} is deleted.")
