"""Recurring jobs as operators name them: by id, or by name."""

from collections.abc import Sequence
from difflib import get_close_matches
from uuid import UUID

import click

from modhost.cli import as_json, print_json, show
from modhost.services import Scope
from modhost_background_jobs.cli.output import in_scope
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    BackgroundJobsError,
    RecurringJob,
    RecurringJobId,
)


class UnknownRecurringJob(BackgroundJobsError):
    """No recurring job has this name."""


async def recurring_id(scope: Scope, id_or_name: str) -> RecurringJobId:
    """Return the id of a recurring job. Raises `UnknownRecurringJob` for a name that none has."""
    schedules = await (await scope.get(BackgroundJobsContracts)).get_recurring_jobs()
    by_name = {each.name: each.id for each in schedules}
    if id_or_name in by_name:
        return by_name[id_or_name]
    try:
        return RecurringJobId(UUID(id_or_name))
    except ValueError:
        near = get_close_matches(id_or_name, by_name, 1)
        remedy = (
            f"Did you mean {near[0]!r}?" if near else "`modhost jobs recurring list` shows all."
        )
        msg = f"There is no recurring job {id_or_name!r}. {remedy}"
        raise UnknownRecurringJob(msg) from None


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
